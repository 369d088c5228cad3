//! The whole function, from payload to answer, through the real SDK against the emulator.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, and looks at the clock and the environment"
)]

mod additions;
mod batch;
mod deployed;
mod diagnostics;
mod events;
mod faults;
mod function;
mod ledger;
mod live;
mod matrix;
mod once;
mod panics;
mod payloads;
mod privacy;
mod schedules;
mod start;
mod telemetry;
mod verdicts;
mod warm_up;
mod wrapped;

use std::path::Path;
use std::sync::LazyLock;

use function::{AMPLE, Function, TokioTime, casebridge, emulator, in_test, read, sdk};
use serde_json::Value;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Subscriber};

/// Hands this thread's lines of the log to a subscriber, until the guard is dropped.
fn log_to(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    // Beside a single subscriber, tracing asks the thread that is first at a line whether anybody wants it, and that thread may have none.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&ANOTHER);
    tracing::subscriber::set_default(subscriber)
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&read(path)).expect("the file is JSON")
}

/// Holds the part of a page between `<!-- NAME -->` and `<!-- /NAME -->` to what was measured; with `UPDATE_DOCS` set, writes it.
fn generated(page: &str, name: &str, measured: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = read(page);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&begin).expect("the part begins");
    let (found, after) = rest.split_once(&end).expect("the part ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = format!("{before}{begin}{measured}{end}{after}");
        std::fs::write(path, text).expect("the page can be written");
    } else {
        assert_eq!(found, measured, "{page}");
    }
}

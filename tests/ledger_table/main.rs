//! The ledger alone, against a DynamoDB table: the emulator's, in this process, and that of `CASEBRIDGE_TEST_DYNAMODB` where it is set.
//!
//! ```text
//! moto_server -H 127.0.0.1 -p 4600
//! CASEBRIDGE_TEST_DYNAMODB=http://127.0.0.1:4600 cargo test -p casebridge --test ledger_table
//! ```
//!
//! Leases end and windows close when a check turns the time of day; only what waits for another run takes time.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, looks at the environment, and makes its table itself"
)]

mod answers;
mod claims;
mod leases;
mod strangers;
mod table;
mod turns;
mod windows;

use std::time::Duration;

use casebridge::deadline::Deadline;
use casebridge::error::{ErrorCode, Failure};
use casebridge::ledger::{Claim, Claimant, Lease, Steps};
use casebridge::outcome::CaseReference;

use self::table::Table;

/// More time than any run needs.
const AMPLE: Duration = Duration::from_mins(1);

/// After so much a run of `AMPLE` time has lost its lease.
const LEASE: Duration = Duration::from_secs(66);

/// Time that a run has to wait in, and that a slow table answers in.
const SHORT: Duration = Duration::from_secs(1);

/// The key of every check: each has a table of its own.
const KEY: &str = "c0ffee";

/// Runs a check on every table there is.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a check is written where it is run"
)]
fn on_every_table(check: impl AsyncFn(&Table)) {
    let runtime = |paused| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(paused)
            .build()
            .expect("a runtime")
    };
    runtime(true).block_on(async { check(&Table::in_process()).await });
    if let Ok(endpoint) = std::env::var("CASEBRIDGE_TEST_DYNAMODB") {
        runtime(false).block_on(async {
            let table = Table::over_http(&endpoint).await;
            check(&table).await;
            table.delete().await;
        });
    }
}

/// A claim that is to hold.
async fn hold(table: &Table, window: Option<Duration>) -> Lease {
    match claim(table, window, AMPLE).await.expect("an answer") {
        Claim::Ours(lease) => lease,
        other => panic!("the key is not free: {other:?}"),
    }
}

/// A claim of a key that is to be done already.
async fn finished(table: &Table, window: Option<Duration>) -> Steps {
    match claim(table, window, AMPLE).await.expect("an answer") {
        Claim::Done(steps) => steps,
        other => panic!("the key is not done: {other:?}"),
    }
}

/// A claim that is to meet another run's lease.
async fn refused(table: &Table, time: Duration) {
    let claimed = claim(table, None, time).await.expect("an answer");
    assert!(matches!(claimed, Claim::Another), "{claimed:?}");
}

async fn claim(table: &Table, window: Option<Duration>, time: Duration) -> Result<Claim, Failure> {
    let deadline = Deadline::after(time);
    let claimant = Claimant {
        id: KEY,
        occurrence: None,
        window,
    };
    table.ledger.claim(claimant, time, deadline).await
}

/// Marks a held key as done, with a case of this id.
async fn complete(table: &Table, lease: &mut Lease, case_id: &str) {
    lease.steps.set_case(&case(case_id));
    let completed = table.ledger.complete(lease, Deadline::after(AMPLE)).await;
    completed.expect("the lease holds");
}

fn case(case_id: &str) -> CaseReference {
    CaseReference {
        case_id: case_id.to_owned(),
        case_arn: format!("arn:{case_id}"),
    }
}

fn code(answer: Result<(), Failure>) -> Option<ErrorCode> {
    answer.err().map(|failure| failure.code)
}

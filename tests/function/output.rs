//! Text that the function writes: its log, and its metrics.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use casebridge::config::LogFormat;
use casebridge::log;
use serde_json::Value;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Level, Subscriber};

/// All text so far; clones write to the same text.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<String>>);

impl Output {
    /// Captures this thread's log until the guard is dropped.
    pub(crate) fn of_log() -> (Self, DefaultGuard) {
        // With a single subscriber, tracing asks the first thread at a line whether anybody wants it, and that thread may have none.
        static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
        LazyLock::force(&ANOTHER);
        let output = Self::default();
        let subscriber = output.subscriber(LogFormat::Json, Level::INFO);
        let guard = tracing::subscriber::set_default(subscriber);
        (output, guard)
    }

    pub(crate) fn subscriber(
        &self,
        format: LogFormat,
        level: Level,
    ) -> impl Subscriber + Send + Sync + use<> {
        let writer = self.clone();
        log::subscriber(format, level, move || writer.clone())
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().expect("no panic before").clone()
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).expect("whole lines");
        self.0.lock().expect("no panic before").push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

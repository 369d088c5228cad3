//! What happened in a world, line by line: the same seed gives the same text.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// The lines so far; clones write to the same.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    clock: Clock,
    /// `None` where nobody is going to read.
    lines: Option<Arc<Mutex<String>>>,
}

impl Trace {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            lines: Some(Arc::default()),
        }
    }

    /// A trace that keeps nothing.
    pub(crate) fn silent(clock: Clock) -> Self {
        Self { clock, lines: None }
    }

    /// Adds a line, with the time in front.
    pub(crate) fn note(&self, line: std::fmt::Arguments<'_>) {
        let Some(lines) = &self.lines else {
            return;
        };
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}  {line}", time(self.clock.elapsed()));
    }

    /// All lines.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.as_ref();
        let lines = lines.map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner));
        lines.map(|lines| lines.clone()).unwrap_or_default()
    }
}

/// A time since the beginning, as `mm:ss.mmm`.
pub(crate) fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!(
        "{:02}:{:02}.{:03}",
        seconds / 60,
        seconds % 60,
        elapsed.subsec_millis()
    )
}

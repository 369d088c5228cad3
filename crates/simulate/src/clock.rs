//! The one clock of a world: tokio's, paused, which jumps to the next moment at which something happens; and the trace of these moments.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

/// The time since 1970 at which worlds begin: 1 January 2026, as the emulator has it.
const BEGINNING: Duration = Duration::from_hours(490_896);

/// Time since the beginning of a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

/// The clock of one environment: the world's, and so much ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead {
    pub(crate) clock: Clock,
    pub(crate) by: Duration,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn new() -> Self {
        Self(now())
    }

    /// The time since the beginning.
    pub(crate) fn elapsed(self) -> Duration {
        now().saturating_duration_since(self.0)
    }

    /// A time since the beginning as whole seconds since 1970.
    pub(crate) fn epoch_seconds(time: Duration) -> u64 {
        (BEGINNING + time).as_secs()
    }

    /// A time since the beginning as milliseconds since 1970.
    pub(crate) fn epoch_milliseconds(time: Duration) -> u64 {
        u64::try_from((BEGINNING + time).as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits until so much has passed since the beginning.
    pub(crate) async fn until(self, time: Duration) {
        tokio::time::sleep_until(self.0 + time).await;
    }
}

/// The time in the function's ledger and in the SDK's signatures.
impl TimeSource for Ahead {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + BEGINNING + self.clock.elapsed() + self.by
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "here a world reads its clock, and nowhere else"
)]
fn now() -> Instant {
    Instant::now()
}

/// The events of a world, line by line: the same seed gives the same text. Clones write to the same trace.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    clock: Clock,
    lines: Arc<Mutex<String>>,
}

impl Trace {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            lines: Arc::default(),
        }
    }

    /// Adds a line, with the time in front.
    pub(crate) fn note(&self, line: std::fmt::Arguments<'_>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}  {line}", time(self.clock.elapsed()));
    }

    /// All lines.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.lock();
        lines.unwrap_or_else(PoisonError::into_inner).clone()
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

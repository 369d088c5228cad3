//! The one clock of a world: tokio's, paused, which jumps to the next moment at which something happens.

use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

/// The time since 1970 at which worlds begin: 1 January 2026, as the emulator has it.
const BEGINNING: Duration = Duration::from_hours(490_896);

/// Time since the beginning of a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// A clock that begins now.
    pub(crate) fn new() -> Self {
        Self(now())
    }

    /// What has passed since the beginning.
    pub(crate) fn elapsed(self) -> Duration {
        now().saturating_duration_since(self.0)
    }

    /// A time since the beginning as whole seconds since 1970.
    pub(crate) fn epoch_seconds(time: Duration) -> u64 {
        (BEGINNING + time).as_secs()
    }

    /// Waits until so much has passed since the beginning.
    pub(crate) async fn until(self, time: Duration) {
        tokio::time::sleep_until(self.0 + time).await;
    }
}

/// What the SDK signs with.
impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + BEGINNING + self.elapsed()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "here a world reads its clock, and nowhere else"
)]
fn now() -> Instant {
    Instant::now()
}

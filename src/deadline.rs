//! Deadlines: turns the time that is left into a point in time, and back.
//!
//! Only this module reads tokio's clock. Tests pause and advance that clock.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A point in time by which something has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// Returns the point in time `remaining` from now.
    #[must_use]
    pub fn after(remaining: Duration) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the clock is read"
        )]
        Self(Instant::now() + remaining)
    }

    /// Returns the point in time that is earlier by `time`, but not before now.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self::after(self.remaining().saturating_sub(time))
    }

    /// Returns the point halfway between now and the deadline. A step uses it to leave time for later steps.
    #[must_use]
    pub fn halfway(self) -> Self {
        Self::after(self.remaining() / 2)
    }

    /// Returns the time left, or zero when the deadline is past.
    #[must_use]
    pub fn remaining(self) -> Duration {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the clock is read"
        )]
        self.0.saturating_duration_since(Instant::now())
    }
}

/// A measurement of how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the measurement now.
    #[must_use]
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the clock is read"
        )]
        Self(Instant::now())
    }

    /// Returns the time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Returns the time from `now` to an invocation's deadline, or zero when the deadline is past.
///
/// Lambda sends the deadline as a time of day. `cargo lambda watch` sends a duration instead, which reads as a time in 1970.
#[must_use]
pub fn until(deadline: SystemTime, now: SystemTime) -> Duration {
    let since_epoch = deadline
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    if since_epoch < Duration::from_hours(24) {
        return since_epoch;
    }
    deadline.duration_since(now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_time_of_day_or_a_duration() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_mins(29_922_330);
        assert_eq!(
            until(now + Duration::from_secs(3), now),
            Duration::from_secs(3)
        );
        assert_eq!(until(now - Duration::from_secs(3), now), Duration::ZERO);
        assert_eq!(
            until(SystemTime::UNIX_EPOCH + Duration::from_mins(10), now),
            Duration::from_mins(10)
        );
    }
}

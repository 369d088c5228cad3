//! Deadlines: the time until an answer is due.
//!
//! The one place that reads a clock: tokio's, which tests stop and turn.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A point in time by which something has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The point in time `remaining` from now.
    #[must_use]
    pub fn after(remaining: Duration) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the clock is read"
        )]
        Self(Instant::now() + remaining)
    }

    /// The point so much earlier, or now.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self::after(self.remaining().saturating_sub(time))
    }

    /// The point half way to it: what a step gets that others wait for.
    #[must_use]
    pub fn halfway(self) -> Self {
        Self::after(self.remaining() / 2)
    }

    /// The time left, zero when it is past.
    #[must_use]
    pub fn remaining(self) -> Duration {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the clock is read"
        )]
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Tells how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the clock is read"
        )]
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The time from `now` to an invocation's deadline, zero when it is past.
///
/// Lambda sends the deadline as a time of day; `cargo lambda watch` sends a duration in its place, which reads as a time in 1970.
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

//! How long an answer may take.
//!
//! The one place that reads a clock: tokio's, which tests stop and turn.

use std::time::Duration;

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

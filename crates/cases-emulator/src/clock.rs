//! The emulator's time: a start time plus what has passed on tokio's clock, so that a paused clock
//! governs timestamps, token lifetime, search lag and rate limits alike.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::{datetime, format_description};
use tokio::time::Instant;

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Where timestamps begin unless a start time is given: fixed, so that runs repeat.
const DEFAULT_START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// Turns instants into timestamps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    start_time: OffsetDateTime,
}

impl Clock {
    /// A clock that shows the default start time now.
    pub(crate) fn new() -> Self {
        Self {
            start: now(),
            start_time: DEFAULT_START,
        }
    }

    /// The same clock, showing `time` at its start.
    pub(crate) fn starting_at(self, time: SystemTime) -> Self {
        Self {
            start_time: time.into(),
            ..self
        }
    }

    /// The instant as the model's `iso8601` timestamps are written, in UTC, to the millisecond.
    pub(crate) fn timestamp(&self, at: Instant) -> String {
        let elapsed = at.saturating_duration_since(self.start);
        let time = self
            .start_time
            .checked_add(elapsed.try_into().unwrap_or_default())
            .unwrap_or(self.start_time);
        time.to_offset(time::UtcOffset::UTC)
            .format(TIMESTAMP)
            .unwrap_or_default()
    }

    /// The timestamp of the clock's start, for what existed before the emulator did.
    pub(crate) fn start_timestamp(&self) -> String {
        self.timestamp(self.start)
    }
}

/// The present instant, on tokio's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "here the emulator reads its clock, and nowhere else"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Whether `age` or more has passed between the two instants.
pub(crate) fn has_passed(since: Instant, now: Instant, age: Duration) -> bool {
    now.saturating_duration_since(since) >= age
}

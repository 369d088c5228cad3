//! The emulator's time: a start time plus the time that has passed on tokio's clock. A paused clock stops
//! timestamps, token lifetime, search lag and rate limits.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::macros::{datetime, format_description};
use tokio::time::Instant;

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The default start time; it is fixed, so that runs repeat.
const DEFAULT_START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// A clock that turns instants into timestamps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    start_time: OffsetDateTime,
}

impl Clock {
    /// Returns a clock that shows the default start time now.
    pub(crate) fn new() -> Self {
        Self {
            start: now(),
            start_time: DEFAULT_START,
        }
    }

    /// Returns the same clock with another start time.
    pub(crate) fn starting_at(self, time: SystemTime) -> Self {
        Self {
            start_time: time.into(),
            ..self
        }
    }

    /// Returns the instant as a model's `iso8601` timestamps are written, in UTC, to the millisecond.
    pub(crate) fn timestamp(&self, at: Instant) -> String {
        iso8601(self.time(at))
    }

    fn time(&self, at: Instant) -> OffsetDateTime {
        let elapsed = at.saturating_duration_since(self.start);
        self.start_time
            .checked_add(elapsed.try_into().unwrap_or_default())
            .unwrap_or(self.start_time)
    }

    /// Returns the timestamp of the clock's start, for things that are older than the emulator.
    pub(crate) fn start_timestamp(&self) -> String {
        self.timestamp(self.start)
    }
}

/// Returns the time as a model's `iso8601` timestamps are written, in UTC, to the millisecond.
pub(crate) fn iso8601(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC)
        .format(TIMESTAMP)
        .unwrap_or_default()
}

/// Returns the time as rest-json writes it where the model names no format: seconds since 1970, to the
/// millisecond.
pub(crate) fn epoch_seconds(time: OffsetDateTime) -> Value {
    let seconds = time.unix_timestamp();
    match time.millisecond() {
        0 => json!(seconds),
        #[expect(clippy::cast_precision_loss, reason = "seconds stay far below 2^53")]
        milliseconds => json!(seconds as f64 + f64::from(milliseconds) / 1000.0),
    }
}

/// Reads a time in seconds since 1970 or in ISO 8601.
pub(crate) fn time_of(value: &Value) -> Option<OffsetDateTime> {
    if let Some(text) = value.as_str() {
        return date_time(text);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let milliseconds = (value.as_f64()? * 1000.0).round() as i128;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds.checked_mul(1_000_000)?).ok()
}

/// Returns the present instant on tokio's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the emulator reads its clock only here"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns true when `age` or more has passed between the two instants.
pub(crate) fn has_passed(since: Instant, now: Instant, age: Duration) -> bool {
    now.saturating_duration_since(since) >= age
}

/// Reads a date and time with its offset, as RFC 3339 or ISO 8601 writes it.
pub(crate) fn date_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Iso8601::DEFAULT))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_date_a_time_and_an_offset() {
        for (text, is_time) in [
            ("2026-11-22T17:37:00Z", true),
            ("2026-11-22T17:37:00.123+01:00", true),
            ("20261122T173700Z", true),
            ("", false),
            ("2026-11-22", false),
            ("yesterday", false),
            ("1763833020", false),
            ("2026-13-01T00:00:00Z", false),
        ] {
            assert_eq!(date_time(text).is_some(), is_time, "{text}");
        }
    }
}

//! Points in time as events write them: RFC 3339 text, epoch seconds, epoch milliseconds.
//!
//! Everything is brought to UTC, so that one point in time always gives the same request.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::expression::Item;

/// From here on a number is milliseconds: as seconds it would be past the year 5000, as milliseconds it is March 1973.
const FIRST_MILLISECONDS: f64 = 100_000_000_000.0;

/// Reads a point in time from text or a number, `None` where the item is none.
#[must_use]
pub fn read(item: &Item<'_>) -> Option<OffsetDateTime> {
    match item {
        Item::Number(text) => epoch(text),
        Item::Text(text) if super::tree::is_json_number(text) => epoch(text),
        Item::Text(text) => Some(
            OffsetDateTime::parse(text, &Rfc3339)
                .ok()?
                .checked_to_offset(UtcOffset::UTC)?,
        ),
        Item::Boolean(_) | Item::List(_) | Item::Object | Item::Null => None,
    }
}

/// RFC 3339 in UTC, as Amazon Connect Cases writes its own times: `2026-11-22T09:30:00Z`.
#[must_use]
pub fn rfc3339(moment: OffsetDateTime) -> Option<String> {
    moment.format(&Rfc3339).ok()
}

fn epoch(text: &str) -> Option<OffsetDateTime> {
    let number: f64 = text.parse().ok()?;
    let milliseconds = if number.abs() < FIRST_MILLISECONDS {
        number * 1000.0
    } else {
        number
    };
    // Out of range saturates, and `time` then refuses it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds are whole; finer parts are below what a case keeps"
    )]
    let milliseconds = milliseconds.round() as i128;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds.checked_mul(1_000_000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(item: &Item<'_>) -> Option<String> {
        read(item).and_then(rfc3339)
    }

    #[test]
    fn text_and_numbers_become_utc() {
        assert_eq!(
            utc(&Item::Text("2026-11-22T10:30:00+01:00".into())).as_deref(),
            Some("2026-11-22T09:30:00Z")
        );
        assert_eq!(
            utc(&Item::Text("2026-11-22T09:30:00.250Z".into())).as_deref(),
            Some("2026-11-22T09:30:00.25Z")
        );
        assert_eq!(
            utc(&Item::Number("1795339800".into())).as_deref(),
            Some("2026-11-22T09:30:00Z")
        );
        assert_eq!(
            utc(&Item::Text("1795339800000".into())).as_deref(),
            Some("2026-11-22T09:30:00Z")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "2026-11-22",
            "22.11.2026",
            "2026-13-01T00:00:00Z",
            "2026-11-22T09:30:00",
            "1e300",
            "soon",
        ] {
            assert_eq!(utc(&Item::Text(text.into())), None, "{text}");
        }
    }
}

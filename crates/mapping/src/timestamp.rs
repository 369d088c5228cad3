//! Points in time: from the formats that events use to RFC 3339 in UTC.
//!
//! The text formats are ISO 8601 with an offset (RFC 3339 and similar), and the dates of e-mail and HTTP (RFC 2822, RFC 1123).
//! Numbers are epoch seconds, milliseconds or microseconds.
//! All are converted to UTC, so that the same point in time always gives the same request.
//! RFC 3339 is tried first, because nearly all times use it.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::value::{Value, is_json_number};
use crate::zone::Zone;

/// The smallest number that means milliseconds. As seconds it would be after the year 5000; as milliseconds it is in March 1973.
const FIRST_MILLISECONDS: f64 = 100_000_000_000.0;

/// The smallest number that means microseconds, for the same reason.
const FIRST_MICROSECONDS: f64 = FIRST_MILLISECONDS * 1000.0;

/// The months as RFC 2822 writes them.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The days of the week, as the first three letters of their names.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The zones that RFC 2822 names, with their offset from UTC in hours.
const ZONES: [(&str, i32); 12] = [
    ("Z", 0),
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// The reason that a value is not a point in time. The text names the part that cannot be read, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTime {
    /// A value of another type: a boolean, a list, an object.
    #[error("found {0}")]
    Type(&'static str),
    /// Text that starts with neither a date nor a day of the week.
    #[error("found text that does not begin with a date")]
    Date,
    /// Text with a part that cannot be read, such as "month".
    #[error("found text whose {0} cannot be read")]
    Part(&'static str),
    /// A date without a time of day.
    #[error("found a date without a time of day")]
    BareDate,
    /// A date and a time of day in digits alone.
    #[error("found a date and a time in digits alone: write 2026-11-22T09:30:00Z")]
    Compact,
    /// A time without an offset from UTC.
    #[error("found a time without an offset such as `Z` or `+01:00`")]
    NoOffset,
    /// A time with more text after it.
    #[error("found text that goes on after the time")]
    Rest,
    /// A readable time with a day or a time of day that does not exist.
    #[error("found a day or a time of day that does not exist")]
    NoSuchTime,
    /// A number outside the supported years.
    #[error("found a number that is no time before the year 10000")]
    TooFar,
}

/// Reads a point in time from text or a number.
///
/// With a zone, a time without an offset is that zone's, and a date alone is its midnight there.
///
/// # Errors
/// The part that cannot be read.
pub fn read(item: &Value<'_>, zone: Option<&Zone>) -> Result<OffsetDateTime, NoTime> {
    match item {
        Value::Number(number) => epoch(number, zone),
        Value::Text(text) => match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(time) => utc(time),
            Err(_) => other_text(text.trim(), zone),
        },
        Value::Boolean(_) | Value::List(_) | Value::Object(_) | Value::Null => {
            Err(NoTime::Type(item.describe()))
        }
    }
}

/// A span of time that is added to a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSpan {
    /// Calendar days.
    Days(i64),
    /// Seconds, from hours or minutes.
    Seconds(i64),
}

/// The longest span, in days.
const LONGEST: i64 = 36_525;

impl TimeSpan {
    /// Reads a number and its unit: `30d`, `12h`, `45m` or `-1d`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.get(..text.len().checked_sub(1)?)?;
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = number.parse().ok()?;
        let within = |seconds: i64| {
            (-LONGEST * DAY..=LONGEST * DAY)
                .contains(&seconds)
                .then_some(Self::Seconds(seconds))
        };
        match text.chars().last()? {
            'd' => (-LONGEST..=LONGEST)
                .contains(&number)
                .then_some(Self::Days(number)),
            'h' => within(number.checked_mul(3600)?),
            'm' => within(number.checked_mul(60)?),
            _ => None,
        }
    }

    /// Returns the length in seconds, with 24 hours to a day.
    #[must_use]
    pub fn seconds(self) -> i64 {
        match self {
            Self::Days(days) => days * DAY,
            Self::Seconds(seconds) => seconds,
        }
    }

    /// Returns the point in time after this span. Days are calendar days of the zone, or of UTC.
    #[must_use]
    pub fn after(self, moment: OffsetDateTime, zone: Option<&Zone>) -> Option<OffsetDateTime> {
        match (self, zone) {
            (Self::Days(days), Some(zone)) => zone.add_days(moment, days),
            (span, _) => moment.checked_add(Duration::seconds(span.seconds())),
        }
    }
}

const DAY: i64 = 24 * 3600;

/// Returns the time as RFC 3339, as Amazon Connect Cases writes its own times: `2026-11-22T09:30:00Z`.
#[must_use]
pub fn rfc3339(moment: OffsetDateTime) -> Option<String> {
    moment.format(&Rfc3339).ok()
}

fn utc(time: OffsetDateTime) -> Result<OffsetDateTime, NoTime> {
    time.checked_to_offset(UtcOffset::UTC)
        .ok_or(NoTime::NoSuchTime)
}

/// Reads a date and a time of day in the zone.
fn local(text: &str, zone: &Zone) -> Result<OffsetDateTime, NoTime> {
    let time = OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339);
    let time = time.map_err(|_| NoTime::NoSuchTime)?;
    let local = PrimitiveDateTime::new(time.date(), time.time());
    zone.moment(local).ok_or(NoTime::NoSuchTime)
}

fn epoch(text: &str, zone: Option<&Zone>) -> Result<OffsetDateTime, NoTime> {
    if is_compact_time(text) {
        return Err(NoTime::Compact);
    }
    if is_compact_date(text) {
        let zone = zone.ok_or(NoTime::BareDate)?;
        let part = |from, to| text.get(from..to).unwrap_or_default();
        let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
        return local(&format!("{year}-{month}-{day}T00:00:00"), zone);
    }
    let number: f64 = text.parse().map_err(|_| NoTime::TooFar)?;
    let (units, nanoseconds) = if number.abs() < FIRST_MILLISECONDS {
        (number * 1000.0, 1_000_000)
    } else if number.abs() < FIRST_MICROSECONDS {
        (number, 1_000_000)
    } else {
        (number, 1_000)
    };
    // The cast saturates for numbers out of range. `time` then refuses the result.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "units are whole; finer parts are below what a case keeps"
    )]
    let units = units.round() as i128;
    units
        .checked_mul(nanoseconds)
        .and_then(|nanoseconds| OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok())
        .ok_or(NoTime::TooFar)
}

/// Returns true for eight digits that are a date from 1900 to 2099. As seconds, all of them would be in August 1970.
fn is_compact_date(text: &str) -> bool {
    let part = |from, to| text.get(from..to).and_then(|part| part.parse().ok());
    text.len() == 8
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(part(0, 4), Some(1900..=2099))
        && matches!(part(4, 6), Some(1..=12))
        && matches!(part(6, 8), Some(1..=31))
}

/// Returns true for a date and a time of day in 12 or 14 digits. As milliseconds they would be of 1976, or of the year 2612.
fn is_compact_time(text: &str) -> bool {
    let part = |from, to| text.get(from..to).and_then(|part| part.parse().ok());
    matches!(text.len(), 12 | 14)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.get(..8).is_some_and(is_compact_date)
        && matches!(part(8, 10), Some(0..=23))
        && matches!(part(10, 12), Some(0..=59))
}

/// Reads text that is not RFC 3339.
fn other_text(text: &str, zone: Option<&Zone>) -> Result<OffsetDateTime, NoTime> {
    if is_json_number(text) {
        return epoch(text, zone);
    }
    let mut reader = Reader { rest: text };
    let date = match text.bytes().position(|byte| !byte.is_ascii_digit()) {
        Some(4) => reader.iso_date(),
        Some(1..=2) => reader.mail_date(),
        Some(0) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => reader.mail_date(),
        _ => Err(NoTime::Date),
    }?;
    if reader.rest.is_empty() {
        let zone = zone.ok_or(NoTime::BareDate)?;
        return local(&format!("{date}T00:00:00"), zone);
    }
    let Clock {
        hour,
        minute,
        second,
        fraction,
    } = reader.clock()?;
    let clock = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    if let (Some(zone), "") = (zone, reader.rest.trim()) {
        return local(&format!("{date}T{clock}"), zone);
    }
    let offset = reader.offset()?;
    // `time` checks the calendar and accepts leap seconds.
    let text = format!("{date}T{clock}{offset}");
    let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| NoTime::NoSuchTime)?;
    utc(time)
}

/// A cursor over the text of a time.
struct Reader<'a> {
    rest: &'a str,
}

/// A time of day.
struct Clock<'a> {
    hour: u16,
    minute: u16,
    second: u16,
    /// The fraction as in RFC 3339, with its point. Empty if there is none.
    fraction: std::borrow::Cow<'a, str>,
}

impl<'a> Reader<'a> {
    /// Reads `2026-11-22` and the separator before the time of day.
    fn iso_date(&mut self) -> Result<String, NoTime> {
        let year = self.digits(4..=4).ok_or(NoTime::Part("year"))?;
        if !self.take("-") {
            return Err(NoTime::Part("date"));
        }
        let month = self.number(2..=2, 12).ok_or(NoTime::Part("month"))?;
        if !self.take("-") {
            return Err(NoTime::Part("date"));
        }
        let day = self.number(2..=2, 31).ok_or(NoTime::Part("day"))?;
        if self.rest.is_empty() {
            return Ok(format!("{year}-{month:02}-{day:02}"));
        }
        if !(self.take("T") || self.take("t") || self.blank()) {
            return Err(NoTime::Part("date"));
        }
        Ok(format!("{year}-{month:02}-{day:02}"))
    }

    /// Reads `Sun, 22 Nov 2026`, with or without the day of the week.
    fn mail_date(&mut self) -> Result<String, NoTime> {
        let name = self.letters();
        if !name.is_empty() {
            if !DAYS.iter().any(|day| starts_with(name, day)) {
                return Err(NoTime::Date);
            }
            self.take(",");
            self.blank();
        }
        let day = self.number(1..=2, 31).ok_or(NoTime::Part("day"))?;
        if !self.blank() {
            return Err(NoTime::Part("date"));
        }
        let name = self.letters();
        let month = (1..)
            .zip(MONTHS)
            .find(|(_, month)| starts_with(name, month));
        let (month, _): (u16, _) = month.ok_or(NoTime::Part("month"))?;
        if !self.blank() {
            return Err(NoTime::Part("date"));
        }
        let year = self.digits(4..=4).ok_or(NoTime::Part("year"))?;
        if !self.rest.is_empty() && !self.blank() {
            return Err(NoTime::Part("year"));
        }
        Ok(format!("{year}-{month:02}-{day:02}"))
    }

    /// Reads `08:41`, `08:41:09` or `08:41:09.250`.
    fn clock(&mut self) -> Result<Clock<'a>, NoTime> {
        let hour = self.number(2..=2, 23).ok_or(NoTime::Part("hour"))?;
        let minute = self.take(":").then(|| self.number(2..=2, 59)).flatten();
        let minute = minute.ok_or(NoTime::Part("minute"))?;
        let mut clock = Clock {
            hour,
            minute,
            second: 0,
            fraction: "".into(),
        };
        if self.take(":") {
            clock.second = self.number(2..=2, 60).ok_or(NoTime::Part("second"))?;
            if self.take(".") || self.take(",") {
                let fraction = self.digits(1..=usize::MAX);
                let fraction = fraction.ok_or(NoTime::Part("fraction of a second"))?;
                clock.fraction = format!(".{fraction}").into();
            }
        }
        Ok(clock)
    }

    /// Reads `Z`, `+01:00`, `+0100`, `+01` or the name of a zone, to the end of the text. Returns the offset as in RFC 3339.
    fn offset(&mut self) -> Result<String, NoTime> {
        self.blank();
        if self.rest.is_empty() {
            return Err(NoTime::NoOffset);
        }
        let unreadable = NoTime::Part("offset");
        let sign = self.rest.get(..1).filter(|sign| ["+", "-"].contains(sign));
        let (sign, hours, minutes) = if let Some(sign) = sign {
            self.take(sign);
            let hours = self.number(2..=2, 23).ok_or(unreadable)?;
            let colon = self.take(":");
            let minutes = match self.number(2..=2, 59) {
                None if colon || self.rest.starts_with(|c: char| c.is_ascii_digit()) => {
                    return Err(unreadable);
                }
                minutes => minutes.unwrap_or(0),
            };
            (sign, hours.into(), minutes)
        } else {
            let name = self.letters();
            let zone = ZONES
                .iter()
                .find(|(zone, _)| zone.eq_ignore_ascii_case(name));
            let (_, hours) = *zone.ok_or(unreadable)?;
            (if hours < 0 { "-" } else { "+" }, hours.abs(), 0)
        };
        // E-mail may repeat the name of the zone in parentheses.
        self.blank();
        let is_comment = self.rest.starts_with('(') && self.rest.ends_with(')');
        if self.rest.is_empty() || is_comment {
            Ok(format!("{sign}{hours:02}:{minutes:02}"))
        } else {
            Err(NoTime::Rest)
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Skips blanks. Returns true if there are any.
    fn blank(&mut self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        let found = rest.len() < self.rest.len();
        self.rest = rest;
        found
    }

    fn letters(&mut self) -> &'a str {
        self.run(|c| c.is_ascii_alphabetic())
    }

    fn digits(&mut self, length: std::ops::RangeInclusive<usize>) -> Option<&'a str> {
        let (most, before) = (*length.end(), self.rest);
        let mut count = 0;
        let digits = self.run(|c| {
            count += 1;
            c.is_ascii_digit() && count <= most
        });
        if length.contains(&digits.len()) {
            return Some(digits);
        }
        self.rest = before;
        None
    }

    fn number(&mut self, length: std::ops::RangeInclusive<usize>, most: u16) -> Option<u16> {
        let number = self.digits(length)?.parse().ok();
        number.filter(|number| *number <= most)
    }

    fn run(&mut self, mut test: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !test(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        run
    }
}

/// Returns true if a word starts with the name, in any letter case: `Sun`, `sunday`.
fn starts_with(word: &str, name: &str) -> bool {
    word.get(..name.len())
        .is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Result<String, String> {
        let read = read(&Value::Text(text.into()), None);
        read.map(|time| rfc3339(time).expect("a year of four digits"))
            .map_err(|reason| reason.to_string())
    }

    #[test]
    fn times_become_utc() {
        for (text, expected) in [
            ("2026-11-22T10:30:00+01:00", "2026-11-22T09:30:00Z"),
            ("2026-11-22T09:30:00.250Z", "2026-11-22T09:30:00.25Z"),
            // RFC 1123, as AWS Health and HTTP write it, and RFC 2822.
            ("Sun, 22 Nov 2026 08:41:09 GMT", "2026-11-22T08:41:09Z"),
            ("Sun, 22 Nov 2026 08:41:09 +0000", "2026-11-22T08:41:09Z"),
            (
                "Sun, 22 Nov 2026 08:41:09 -0330 (NDT)",
                "2026-11-22T12:11:09Z",
            ),
            ("sunday, 1 november 2026 08:41 EST", "2026-11-01T13:41:00Z"),
            ("22 Nov 2026 08:41:09 UT", "2026-11-22T08:41:09Z"),
            // ISO 8601 forms that RFC 3339 does not allow.
            ("2026-11-22T08:41:09+0000", "2026-11-22T08:41:09Z"),
            ("2026-11-22T08:41:09.123-0500", "2026-11-22T13:41:09.123Z"),
            ("2026-11-22T08:41:09+05", "2026-11-22T03:41:09Z"),
            ("2026-11-22 08:41:09Z", "2026-11-22T08:41:09Z"),
            ("2026-11-22 08:41:09 +02:00", "2026-11-22T06:41:09Z"),
            ("2026-11-22 08:41:09.5 UTC", "2026-11-22T08:41:09.5Z"),
            ("2026-11-22T08:41:09 Z", "2026-11-22T08:41:09Z"),
            ("2026-11-22T08:41Z", "2026-11-22T08:41:00Z"),
            ("2026-11-22T08:41:09,250Z", "2026-11-22T08:41:09.25Z"),
            (" 2026-11-22T08:41:09Z\n", "2026-11-22T08:41:09Z"),
            // Epoch times.
            ("1795339800", "2026-11-22T09:30:00Z"),
            ("1795339800.25", "2026-11-22T09:30:00.25Z"),
            ("1795339800000", "2026-11-22T09:30:00Z"),
            ("1795339800000000", "2026-11-22T09:30:00Z"),
            ("1795339800123456", "2026-11-22T09:30:00.123456Z"),
            ("-1", "1969-12-31T23:59:59Z"),
            ("0", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(text).as_deref(), Ok(expected), "{text}");
        }
        let number = read(&Value::Number("1795339800".into()), None);
        assert_eq!(
            number.ok(),
            read(&Value::Text("1795339800".into()), None).ok()
        );
    }

    #[test]
    fn a_refusal_says_which_part_cannot_be_read() {
        for (text, expected) in [
            ("2026-11-22", "found a date without a time of day"),
            ("20261122", "found a date without a time of day"),
            ("22 Nov 2026", "found a date without a time of day"),
            (
                "2026-11-22T09:30:00",
                "found a time without an offset such as `Z` or `+01:00`",
            ),
            (
                "Sun, 22 Nov 2026 08:41:09",
                "found a time without an offset such as `Z` or `+01:00`",
            ),
            (
                "2026-13-01T00:00:00Z",
                "found text whose month cannot be read",
            ),
            (
                "2026-11-32T00:00:00Z",
                "found text whose day cannot be read",
            ),
            (
                "2026-11-22T24:00:00Z",
                "found text whose hour cannot be read",
            ),
            (
                "2026-11-22T09:60:00Z",
                "found text whose minute cannot be read",
            ),
            ("2026-11-22T0930Z", "found text whose minute cannot be read"),
            (
                "2026-11-22T09:30:61Z",
                "found text whose second cannot be read",
            ),
            (
                "2026-11-22T09:30:00.Z",
                "found text whose fraction of a second cannot be read",
            ),
            (
                "2026-11-22T09:30:00+1",
                "found text whose offset cannot be read",
            ),
            (
                "2026-11-22T09:30:00+00:0",
                "found text whose offset cannot be read",
            ),
            (
                "2026-11-22T09:30:00 Berlin",
                "found text whose offset cannot be read",
            ),
            (
                "2026-11-22T09:30:00Z and more",
                "found text that goes on after the time",
            ),
            (
                "2026-11-22T09:30:00+000000",
                "found text that goes on after the time",
            ),
            (
                "2027-02-29T12:00:00 Z",
                "found a day or a time of day that does not exist",
            ),
            (
                "2026/11/22 09:30:00Z",
                "found text whose date cannot be read",
            ),
            (
                "Sun, 22 Foo 2026 08:41:09 GMT",
                "found text whose month cannot be read",
            ),
            (
                "Sun, 22 Nov 26 08:41:09 GMT",
                "found text whose year cannot be read",
            ),
            ("22.11.2026", "found text whose date cannot be read"),
            ("soon", "found text that does not begin with a date"),
            ("é", "found text that does not begin with a date"),
            (
                "1e300",
                "found a number that is no time before the year 10000",
            ),
            (
                "1795339800123456789",
                "found a number that is no time before the year 10000",
            ),
        ] {
            assert_eq!(utc(text), Err(expected.to_owned()), "{text}");
        }
        assert_eq!(
            read(&Value::Boolean(true), None),
            Err(NoTime::Type("a boolean"))
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,40}") {
            let _ = utc(&text);
        }

        #[test]
        fn no_text_that_is_nearly_a_time_makes_the_reader_panic(
            text in "(Sun, |mon )?[0-9]{1,8}[- /.]?(Nov|[0-9]{1,3})?[- ]?[0-9]{0,4}[T t]?[0-9:.,]{0,12} ?(Z|GMT|[+-][0-9:]{0,6}|\\(é\\)|é)?"
        ) {
            if let Ok(time) = utc(&text) {
                proptest::prop_assert_eq!(utc(&time), Ok(time.clone()), "{}", text);
            }
        }

        #[test]
        fn every_spelling_of_a_second_is_that_second(second in 0_i64..253_402_300_799, hours in -12_i8..=14) {
            let time = OffsetDateTime::from_unix_timestamp(second).expect("before the year 10000");
            let expected = rfc3339(time).expect("a year of four digits");
            let offset = UtcOffset::from_hms(hours, 0, 0).expect("an offset");
            if let Some(local) = time.checked_to_offset(offset).filter(|local| (0..=9999).contains(&local.year())) {
                let (year, month, day) = (local.year(), u8::from(local.month()), local.day());
                let (hour, minute, second) = local.to_hms();
                let name = MONTHS[usize::from(month) - 1];
                let sign = if hours < 0 { '-' } else { '+' };
                let ahead = hours.abs();
                let clock = format!("{hour:02}:{minute:02}:{second:02}");
                for text in [
                    format!("{year:04}-{month:02}-{day:02}T{clock}{sign}{ahead:02}00"),
                    format!("{year:04}-{month:02}-{day:02} {clock} {sign}{ahead:02}:00"),
                    format!("{day} {name} {year:04} {clock} {sign}{ahead:02}00"),
                ] {
                    proptest::prop_assert_eq!(utc(&text), Ok(expected.clone()), "{}", text);
                }
            }
        }
    }
}

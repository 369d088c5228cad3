//! Time zones: local times, calendar days and offsets from UTC.
//!
//! The zones come from a database in the binary, never from the system. So an event gives the same request everywhere.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use time::macros::datetime;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::diagnostic::nearest;

/// The last days of the year 9999.
const LAST_WEEK: PrimitiveDateTime = datetime!(9999-12-25 00:00);

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Returns the zone with this name, such as `America/New_York`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// Returns the name of a zone that is similar, if there is one.
    #[must_use]
    pub fn nearest(name: &str) -> Option<String> {
        let database = TimeZoneDatabase::bundled();
        let names = database.available().map(|name| name.as_str().to_owned());
        let names: Vec<String> = names.collect();
        nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
    }

    /// Returns UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Returns the same point in time with the zone's offset.
    #[must_use]
    pub fn local(&self, moment: OffsetDateTime) -> Option<OffsetDateTime> {
        // The library ends a day before the year 10000. No zone changes its offset in that day.
        let seconds = moment.unix_timestamp().min(Timestamp::MAX.as_second());
        let timestamp = Timestamp::from_second(seconds).ok()?;
        let offset = self.0.to_offset(timestamp).seconds();
        moment.checked_to_offset(UtcOffset::from_whole_seconds(offset).ok()?)
    }

    /// Returns the point in time at which clocks of the zone show this date and time.
    ///
    /// A time that clocks skip is moved forward by the length of the gap. A time that they show twice is the earlier one.
    #[must_use]
    pub fn moment(&self, local: PrimitiveDateTime) -> Option<OffsetDateTime> {
        if local >= LAST_WEEK {
            // The library ends before the year does, and no zone changes its offset in these days.
            let offset = self.moment(local - Duration::WEEK)?;
            return local
                .assume_utc()
                .checked_sub((local - Duration::WEEK).assume_utc() - offset);
        }
        let civil = DateTime::new(
            i16::try_from(local.year()).ok()?,
            i8::try_from(u8::from(local.month())).ok()?,
            i8::try_from(local.day()).ok()?,
            i8::try_from(local.hour()).ok()?,
            i8::try_from(local.minute()).ok()?,
            i8::try_from(local.second()).ok()?,
            i32::try_from(local.nanosecond()).ok()?,
        );
        let timestamp = self
            .0
            .to_ambiguous_timestamp(civil.ok()?)
            .compatible()
            .ok()?;
        OffsetDateTime::from_unix_timestamp_nanos(timestamp.as_nanosecond()).ok()
    }

    /// Adds calendar days: the clocks of the zone show the same time of day.
    #[must_use]
    pub fn add_days(&self, moment: OffsetDateTime, days: i64) -> Option<OffsetDateTime> {
        let local = self.local(moment)?;
        let local = PrimitiveDateTime::new(local.date(), local.time());
        self.moment(local.checked_add(Duration::days(days))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_time_moves_forward_and_a_repeated_one_is_the_earlier() {
        let zone = Zone::named("America/New_York").expect("a zone");
        let skipped = zone.moment(datetime!(2026-03-08 02:30));
        assert_eq!(skipped, Some(datetime!(2026-03-08 07:30 UTC)));
        let repeated = zone.moment(datetime!(2026-11-01 01:30));
        assert_eq!(repeated, Some(datetime!(2026-11-01 05:30 UTC)));
        // A day is 23, 24 or 25 hours long.
        let day = zone.add_days(datetime!(2026-03-07 12:00 UTC), 1);
        assert_eq!(day, Some(datetime!(2026-03-08 11:00 UTC)));
        assert_eq!(Zone::named("America/New_Yrok"), None);
        let near = Zone::nearest("America/New_Yrok");
        assert_eq!(near.as_deref(), Some("America/New_York"));
    }

    #[test]
    fn the_last_days_of_the_calendar_are_days() {
        let zone = Zone::named("America/New_York").expect("a zone");
        let last = zone.moment(datetime!(9999-12-31 00:00));
        assert_eq!(last, Some(datetime!(9999-12-31 05:00 UTC)));
        let local = zone.local(datetime!(9999-12-31 23:00 UTC)).expect("a time");
        assert_eq!((local.hour(), local.day()), (18, 31));
        let next = zone.add_days(datetime!(9999-12-30 12:00 UTC), 1);
        assert_eq!(next, Some(datetime!(9999-12-31 12:00 UTC)));
    }
}

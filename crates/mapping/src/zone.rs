//! Time zones: local times, calendar days and offsets from UTC.
//!
//! The zones come from a database in the binary, never from the system. So an event gives the same request everywhere.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::diagnostic::nearest;

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Returns the zone with this name, such as `America/New_York`.
    ///
    /// # Errors
    /// A known name that is similar, if there is one.
    pub fn named(name: &str) -> Result<Self, Option<String>> {
        let database = TimeZoneDatabase::bundled();
        database.get(name).map(Self).map_err(|_| {
            let names: Vec<String> = database
                .available()
                .map(|name| name.as_str().to_owned())
                .collect();
            nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
        })
    }

    /// Returns UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Returns the same point in time with the zone's offset.
    #[must_use]
    pub fn local(&self, moment: OffsetDateTime) -> Option<OffsetDateTime> {
        let timestamp = Timestamp::from_second(moment.unix_timestamp()).ok()?;
        let offset = self.0.to_offset(timestamp).seconds();
        moment.checked_to_offset(UtcOffset::from_whole_seconds(offset).ok()?)
    }

    /// Returns the point in time at which clocks of the zone show this date and time.
    ///
    /// A time that clocks skip is moved forward by the length of the gap. A time that they show twice is the earlier one.
    #[must_use]
    pub fn moment(&self, local: PrimitiveDateTime) -> Option<OffsetDateTime> {
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
    use time::macros::datetime;

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
        assert_eq!(
            Zone::named("America/New_Yrok"),
            Err(Some("America/New_York".to_owned()))
        );
    }
}

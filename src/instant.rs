//! Instants in microseconds, which is what the originals store and compare by.

use crate::error::Error;
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use serde::{Serialize, Serializer};
use std::fmt;

/// A point in time in UTC with microseconds, in the years 1 to 9999, which is Django's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// Reads RFC 3339 text with an offset. Digits beyond the microsecond are cut off, which errs on the side of keeping.
    ///
    /// # Errors
    /// [`Error::InvalidInstant`] for any other text and for years outside 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, Error> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .and_then(|instant| Self::checked(instant.to_utc()))
            .ok_or_else(|| Error::InvalidInstant { text: text.to_owned() })
    }

    /// Reads what a record may hold: RFC 3339, or the text that Django writes to SQLite (`YYYY-MM-DD HH:MM:SS[.ffffff]`, UTC).
    #[must_use]
    pub fn parse_stored(text: &str) -> Option<Self> {
        Self::parse(text).ok().or_else(|| {
            let (date, time) = text.split_once(' ').filter(|_| matches!(text.len(), 19 | 26))?;
            Self::parse(&format!("{date}T{time}Z")).ok()
        })
    }

    /// The instant that many whole days earlier; `None` where the calendar ends before it.
    #[must_use]
    pub fn minus_days(self, days: i64) -> Option<Self> {
        self.minus(TimeDelta::try_days(days)?)
    }

    /// The instant that many seconds earlier; `None` where the calendar ends before it.
    #[must_use]
    pub fn minus_seconds(self, seconds: i64) -> Option<Self> {
        self.minus(TimeDelta::try_seconds(seconds)?)
    }

    /// The instant that many milliseconds later, or the last one of the calendar.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        let later = TimeDelta::try_milliseconds(millis).and_then(|delta| self.0.checked_add_signed(delta));
        // The last microsecond of the year 9999.
        let last = || DateTime::from_timestamp_micros(253_402_300_799_999_999).map(Self);
        later.and_then(Self::checked).or_else(last).unwrap_or(self)
    }

    /// Milliseconds since another instant; negative where that is later.
    #[must_use]
    pub fn millis_since(self, other: Self) -> i64 {
        (self.0 - other.0).num_milliseconds()
    }

    /// The instant so many milliseconds after the beginning of 1970, or the end of the calendar that is nearest.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the calendar ends before")]
    pub fn from_unix_millis(millis: f64) -> Self {
        Self(DateTime::<Utc>::UNIX_EPOCH).plus_millis(millis as i64)
    }

    fn minus(self, delta: TimeDelta) -> Option<Self> {
        Self::checked(self.0.checked_sub_signed(delta)?)
    }

    fn checked(instant: DateTime<Utc>) -> Option<Self> {
        let micros = instant.timestamp_micros();
        DateTime::from_timestamp_micros(micros).filter(|instant| (1..=9999).contains(&instant.year())).map(Self)
    }

    /// As Django writes it to SQLite: `YYYY-MM-DD HH:MM:SS`, and `.ffffff` unless the fraction is zero. Texts of this
    /// form sort as the instants do.
    #[must_use]
    pub fn to_django_text(self) -> String {
        let mut text = self.date_and_time(' ');
        if self.micros() > 0 {
            text.push_str(&format!(".{:06}", self.micros()));
        }
        text
    }

    fn micros(self) -> u32 {
        // chrono gives a leap second as a fraction of a second and more; Django has none, and neither do we.
        self.0.nanosecond() / 1000 % 1_000_000
    }

    fn date_and_time(self, separator: char) -> String {
        let t = self.0;
        format!(
            "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }
}

/// RFC 3339 in UTC with six digits of fraction.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}Z", self.date_and_time('T'), self.micros())
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, rfc3339, django) in [
            ("2026-01-31T03:00:00Z", "2026-01-31T03:00:00.000000Z", "2026-01-31 03:00:00"),
            ("2026-01-31T03:00:00.5+01:00", "2026-01-31T02:00:00.500000Z", "2026-01-31 02:00:00.500000"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z", "0001-01-01 00:00:00"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999"),
            ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00.000000Z", "2026-07-01 00:00:00"),
        ] {
            let instant = Instant::parse(text).unwrap();
            assert_eq!(instant.to_string(), rfc3339);
            assert_eq!(instant.to_django_text(), django);
            assert_eq!(Instant::parse_stored(django), Some(instant));
        }
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in [
            "",
            "yesterday",
            "2026-01-31",
            "2026-01-31T03:00:00",
            "2026-02-30T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "1767225600",
        ] {
            assert_eq!(Instant::parse(text), Err(Error::InvalidInstant { text: text.into() }));
        }
        for text in ["2026-01-31 03:00:00.5", "2026-01-31 03:00:00+00", "2026-01-31T03:00:00", "1767225600"] {
            assert_eq!(Instant::parse_stored(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_ends() {
        let now = Instant::parse("2026-01-31T03:00:00Z").unwrap();
        assert_eq!(now.minus_days(90).unwrap().to_string(), "2025-11-02T03:00:00.000000Z");
        assert_eq!(now.minus_days(739_646).unwrap().to_string(), "0001-01-01T03:00:00.000000Z");
        assert_eq!(now.minus_days(739_647), None);
        assert_eq!(now.minus_days(i64::MAX), None);
        assert_eq!(now.minus_seconds(i64::MAX), None);
    }
}

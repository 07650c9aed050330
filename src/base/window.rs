//! Spans of time, from a moment on and up to another, in UTC.

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `start <= moment < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    pub start: DateTime,
    pub end: DateTime,
}

impl Window {
    /// What both have in common; it may be empty.
    pub fn within(self, other: Window) -> Window {
        Window { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

/// A moment as engines and dbt write it: `2026-01-31 00:00:00+00:00`.
pub fn utc_text(moment: DateTime) -> String {
    let fraction = moment.subsec_nanosecond() / 1000;
    let seconds = moment.strftime("%Y-%m-%d %H:%M:%S");
    if fraction == 0 { format!("{seconds}+00:00") } else { format!("{seconds}.{fraction:06}+00:00") }
}

/// The same for programs, as dbt writes it: `2026-01-31T00:00:00+00:00`.
pub fn utc_stamp(moment: DateTime) -> String {
    utc_text(moment).replacen(' ', "T", 1)
}

/// A date, perhaps with a time and an offset: `2026-01-31`, `2026-01-31 10:00`, `2026-01-31T10:00:00+02:00`. Without an offset it is UTC.
pub fn parse_moment(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let aware = text.parse::<jiff::Timestamp>().ok().map(|instant| Offset::UTC.to_datetime(instant));
    aware.or_else(|| text.parse().ok()).or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))
}

/// What the clock says, in UTC.
pub fn utc_of(instant: jiff::Timestamp) -> DateTime {
    Offset::UTC.to_datetime(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        let read = |text: &str| parse_moment(text).map(utc_text).unwrap_or_default();
        assert_eq!(read("2026-01-31"), "2026-01-31 00:00:00+00:00");
        assert_eq!(read("2026-01-31 10:30"), "2026-01-31 10:30:00+00:00");
        assert_eq!(read("2026-01-31T10:30:05.25"), "2026-01-31 10:30:05.250000+00:00");
        assert_eq!(read("2026-01-31T10:00:00+02:00"), "2026-01-31 08:00:00+00:00");
        assert_eq!(parse_moment("2026-01-31T08:00:00Z").map(utc_stamp).as_deref(), Some("2026-01-31T08:00:00+00:00"));
        assert_eq!((read("yesterday"), read("2026-13-01"), read("")), Default::default());
    }
}

//! Instants, the London clock and business days.
//!
//! The rules of British summer time are written out here rather than taken from the machine's zone files, so that the
//! same seed gives the same bytes everywhere.

use jiff::ToSpan;
use jiff::civil::{Date, date};

const TICKS_PER_SECOND: i64 = 10_000_000;
pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 86_400;

/// An instant in ticks of 100 nanoseconds (the precision of `datetime2(7)`) since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) const EARLIEST: Moment = Moment(i64::MIN);

    pub(crate) const fn from_seconds(seconds: i64) -> Moment {
        Moment(seconds * TICKS_PER_SECOND)
    }

    /// The instant when a UTC clock shows this second of this day.
    pub(crate) fn utc(day: Date, second_of_day: i64) -> Moment {
        Moment::from_seconds(days_since_epoch(day) * DAY + second_of_day)
    }

    /// The instant when a clock in London shows this second of this day; the first of the two where there are two.
    pub(crate) fn london(day: Date, second_of_day: i64) -> Moment {
        let winter = days_since_epoch(day) * DAY + second_of_day;
        let summer = winter - HOUR;
        Moment::from_seconds(if london_offset(summer) == HOUR { summer } else { winter })
    }

    pub(crate) fn plus_seconds(self, seconds: i64) -> Moment {
        Moment(self.0 + seconds * TICKS_PER_SECOND)
    }

    pub(crate) fn plus_ticks(self, ticks: i64) -> Moment {
        Moment(self.0 + ticks)
    }

    /// Whole seconds since 1970, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(TICKS_PER_SECOND)
    }

    pub(crate) fn whole_second(self) -> Moment {
        Moment::from_seconds(self.seconds())
    }

    pub(crate) fn utc_date(self) -> Date {
        date_of_day(self.seconds().div_euclid(DAY))
    }

    /// The day a clock in London shows: the business day of an online bet.
    pub(crate) fn london_date(self) -> Date {
        let seconds = self.seconds();
        date_of_day((seconds + london_offset(seconds)).div_euclid(DAY))
    }

    /// `2026-01-16 20:01:02`, UTC.
    pub(crate) fn utc_text(self) -> String {
        let (day, clock) = civil(self.seconds());
        format!("{day} {clock}")
    }

    /// `2026-01-16T20:01:02Z`.
    pub(crate) fn iso_text(self) -> String {
        let (day, clock) = civil(self.seconds());
        format!("{day}T{clock}Z")
    }

    /// `2026-01-16 20:01:02.1234567`, the clock in London.
    pub(crate) fn london_text(self) -> String {
        let seconds = self.seconds();
        let (day, clock) = civil(seconds + london_offset(seconds));
        format!("{day} {clock}.{:07}", self.0.rem_euclid(TICKS_PER_SECOND))
    }

    /// `20:01`, the clock in London.
    pub(crate) fn london_clock(self) -> String {
        let seconds = self.seconds();
        let (_, mut clock) = civil(seconds + london_offset(seconds));
        clock.truncate(5);
        clock
    }
}

/// How many seconds London's clocks are ahead of UTC at this instant: 3600 from the last Sunday of March to the last
/// Sunday of October, changing at 01:00 UTC, else 0.
pub(crate) fn london_offset(utc_seconds: i64) -> i64 {
    let year = date_of_day(utc_seconds.div_euclid(DAY)).year();
    let change = |month| days_since_epoch(last_sunday(year, month)) * DAY + HOUR;
    if (change(3)..change(10)).contains(&utc_seconds) { HOUR } else { 0 }
}

/// `month` must have 31 days, as March and October do.
fn last_sunday(year: i16, month: i8) -> Date {
    let last = date(year, month, 31);
    last.saturating_sub(i64::from(last.weekday().to_sunday_zero_offset()).days())
}

pub(crate) fn days_since_epoch(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1)).as_hours() / 24
}

pub(crate) fn date_of_day(days: i64) -> Date {
    date(1970, 1, 1).saturating_add(days.days())
}

pub(crate) fn add_days(day: Date, days: i64) -> Date {
    day.saturating_add(days.days())
}

fn civil(seconds: i64) -> (Date, String) {
    let second = seconds.rem_euclid(DAY);
    let clock = format!("{:02}:{:02}:{:02}", second / HOUR, second / MINUTE % 60, second % 60);
    (date_of_day(seconds.div_euclid(DAY)), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_ends_at_one_utc_on_the_last_sunday_of_october() {
        let before = Moment::utc(date(2025, 10, 26), HOUR - 1);
        let after = Moment::utc(date(2025, 10, 26), HOUR);
        assert_eq!(before.london_text(), "2025-10-26 01:59:59.0000000");
        assert_eq!(after.london_text(), "2025-10-26 01:00:00.0000000");
        assert_eq!(Moment::london(date(2025, 10, 26), HOUR), Moment::utc(date(2025, 10, 26), 0));
    }

    #[test]
    fn summer_time_begins_on_the_last_sunday_of_march() {
        assert_eq!(Moment::utc(date(2026, 3, 29), HOUR - 1).london_clock(), "00:59");
        assert_eq!(Moment::utc(date(2026, 3, 29), HOUR).london_clock(), "02:00");
    }

    #[test]
    fn business_day_is_the_day_in_london() {
        let late = Moment::utc(date(2025, 10, 25), 23 * HOUR + 30 * MINUTE);
        assert_eq!(late.utc_date(), date(2025, 10, 25));
        assert_eq!(late.london_date(), date(2025, 10, 26));
        let winter = Moment::utc(date(2026, 1, 25), 23 * HOUR + 30 * MINUTE);
        assert_eq!(winter.london_date(), date(2026, 1, 25));
    }

    #[test]
    fn texts_have_the_precision_of_their_system() {
        let moment = Moment::utc(date(2026, 1, 16), 20 * HOUR + 62).plus_ticks(1_234_567);
        assert_eq!(moment.utc_text(), "2026-01-16 20:01:02");
        assert_eq!(moment.iso_text(), "2026-01-16T20:01:02Z");
        assert_eq!(moment.london_text(), "2026-01-16 20:01:02.1234567");
        assert_eq!(moment.whole_second(), Moment::utc(date(2026, 1, 16), 20 * HOUR + 62));
    }
}

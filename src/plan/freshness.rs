//! How old the rows of a source may be.

use serde_json::{Value, json};

use super::Status;
use crate::base::{Datum, UniqueId, timestamp};
use crate::diag::Diagnostic;
use crate::project::SourceTable;

/// `freshness` of a source table, with at least one limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Freshness {
    warn_after: Option<Limit>,
    error_after: Option<Limit>,
    /// Only rows that it keeps count.
    pub filter: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Limit {
    count: i64,
    period: String,
}

impl Limit {
    fn of(written: Option<&Value>) -> Option<Limit> {
        let written = written?;
        Some(Limit { count: written.get("count")?.as_i64()?, period: written.get("period")?.as_str()?.to_owned() })
    }

    fn seconds(&self) -> f64 {
        let period = match self.period.as_str() {
            "minute" => 60.0,
            "hour" => 3600.0,
            _ => 86_400.0,
        };
        self.count as f64 * period
    }
}

impl Freshness {
    /// `None` where no limit is set, or the check is switched off.
    pub fn of(table: &SourceTable) -> Option<Freshness> {
        let written = table.freshness.as_ref()?;
        let (warn_after, error_after) = (Limit::of(written.get("warn_after")), Limit::of(written.get("error_after")));
        if warn_after.is_none() && error_after.is_none() {
            return None;
        }
        Some(Freshness { warn_after, error_after, filter: written.get("filter").and_then(Value::as_str).map(str::to_owned) })
    }

    /// What an age in seconds means: a limit is passed when it is exceeded.
    pub fn judge(&self, age: f64) -> Status {
        let exceeds = |limit: &Option<Limit>| limit.as_ref().is_some_and(|limit| age > limit.seconds());
        if exceeds(&self.error_after) {
            Status::Fail
        } else if exceeds(&self.warn_after) {
            Status::Warn
        } else {
            Status::Pass
        }
    }

    /// As `sources.json` writes it.
    pub fn criteria(&self) -> Value {
        let limit = |limit: &Option<Limit>| match limit {
            Some(limit) => json!({"count": limit.count, "period": limit.period}),
            None => json!({"count": null, "period": null}),
        };
        json!({"warn_after": limit(&self.warn_after), "error_after": limit(&self.error_after), "filter": self.filter})
    }
}

/// The newest row of a source, as its engine told.
#[derive(Clone, Debug, PartialEq)]
pub struct Age {
    /// RFC 3339, UTC; the year 1 when there is no row.
    pub max_loaded_at: String,
    /// By the clock of the engine.
    pub snapshotted_at: String,
    /// Seconds between the two.
    pub seconds: f64,
    pub has_rows: bool,
}

/// The first moment that Python can write: what dbt takes for the age of an empty table.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The age from the engine's two values, in texts or null. A time without a zone is one of UTC.
///
/// # Errors
/// What was found in place of a time.
pub fn age(max_loaded_at: &Datum, snapshotted_at: &Datum) -> Result<Age, String> {
    let now = moment(snapshotted_at)?;
    let has_rows = *max_loaded_at != Datum::Null;
    let newest = match has_rows {
        true => moment(max_loaded_at)?,
        false => NEVER.parse().map_err(|_| NEVER.to_owned())?,
    };
    let seconds = (now.as_microsecond() - newest.as_microsecond()) as f64 / 1e6;
    Ok(Age { max_loaded_at: timestamp(newest), snapshotted_at: timestamp(now), seconds, has_rows })
}

fn moment(value: &Datum) -> Result<jiff::Timestamp, String> {
    let Datum::Text(text) = value else { return Err(format!("'{value}', which is no time")) };
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment);
    }
    let utc = text.parse::<jiff::civil::DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(|day| day.at(0, 0, 0, 0)));
    let moment = utc.and_then(|local| jiff::tz::Offset::UTC.to_timestamp(local));
    moment.map_err(|_| format!("'{text}', which is no time"))
}

/// What came of the check of one source.
#[derive(Clone, Debug)]
pub struct FreshnessResult {
    pub id: UniqueId,
    /// `Pass`, `Warn`, `Fail` (too old), or `Error` (could not be asked); `Skipped` after Ctrl-C.
    pub status: Status,
    pub freshness: Freshness,
    pub age: Option<Age>,
    /// Of an error.
    pub diagnostic: Option<Diagnostic>,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub completed_at: String,
    /// Seconds.
    pub execution_time: f64,
    /// Number of the worker, from 1.
    pub thread: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Datum {
        Datum::Text(text.to_owned())
    }

    #[test]
    fn a_limit_is_exceeded_not_reached_and_the_harder_one_wins() {
        let limit = |count: i64, period: &str| Some(Limit { count, period: period.to_owned() });
        let both = Freshness { warn_after: limit(30, "minute"), error_after: limit(1, "day"), filter: None };
        let judged = [1800.0, 1800.5, 86_400.0, 86_400.5].map(|age| both.judge(age));
        assert_eq!(judged, [Status::Pass, Status::Warn, Status::Warn, Status::Fail]);
        let only = Freshness { warn_after: None, error_after: limit(2, "hour"), filter: None };
        assert_eq!([7200.0, 7201.0].map(|age| only.judge(age)), [Status::Pass, Status::Fail]);
    }

    #[test]
    fn times_of_both_engines_are_read() {
        let now = text("2026-02-01 12:00:00+00");
        for (found, seconds) in [
            ("2026-02-01 11:59:59.25+00", 0.75),
            ("2026-02-01 10:00:00", 7200.0),
            ("2026-02-01 12:00:00+02", 7200.0),
            ("2026-01-31", 129_600.0),
        ] {
            let age = age(&text(found), &now).unwrap();
            assert_eq!((age.seconds, age.has_rows), (seconds, true), "{found}");
        }
        let never = age(&Datum::Null, &now).unwrap();
        assert_eq!((never.max_loaded_at.as_str(), never.has_rows), ("0001-01-01T00:00:00.000000Z", false));
        assert!(age(&Datum::Int(3), &now).unwrap_err().contains('3'));
        assert!(age(&text("infinity"), &now).is_err());
    }
}

//! `--event-time-start`, `--event-time-end` and `--sample`: which time is built, and which is read.

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::Exit;
use super::arguments::RunArguments;
use super::context::Context;
use crate::base::{FileId, Sources, Window, parse_moment, utc_of, utc_stamp};
use crate::diag::{Diagnostic, codes};
use crate::project::{BatchSize, parse_yaml};

/// A moment of the command line.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_event_time(text: &str) -> Result<DateTime, String> {
    parse_moment(text).ok_or_else(|| "a date, perhaps with a time, is needed, like 2026-01-31 or '2026-01-31 10:00'".to_owned())
}

/// `3 days`: from then until now; or `{start: 2026-01-01, end: 2026-02-01}`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_sample(text: &str) -> Result<Window, String> {
    let needed = "a number of hours, days, months or years is needed, like '3 days', or '{start: 2026-01-01, end: 2026-02-01}'";
    if text.trim_start().starts_with('{') {
        let mapping = parse_yaml(FileId(0), text).map_err(|problem| problem.message)?.root.to_json();
        let moment = |key: &str| mapping.get(key).and_then(Value::as_str).and_then(parse_moment);
        return match (moment("start"), moment("end")) {
            (Some(start), Some(end)) if start < end => Ok(Window { start, end }),
            (Some(_), Some(_)) => Err("'start' is not before 'end'".to_owned()),
            _ => Err(needed.to_owned()),
        };
    }
    let (count, grain) = text.trim().split_once(' ').ok_or(needed)?;
    let count: i64 = count.parse().map_err(|_| needed)?;
    let grain = grain.trim().to_lowercase();
    let size = BatchSize::parse(grain.strip_suffix('s').unwrap_or(&grain)).ok_or(needed)?;
    let end = utc_of(jiff::Timestamp::now());
    let start = size.checked_span(count).and_then(|span| end.checked_sub(span).ok()).ok_or("that is beyond all calendars")?;
    Ok(Window { start, end })
}

impl RunArguments {
    /// What `--event-time-start` and `--event-time-end` ask for.
    pub(super) fn event_time(&self) -> Option<Window> {
        Some(Window { start: self.event_time_start?, end: self.event_time_end? })
    }

    /// As `run_results.json` keeps them.
    pub(super) fn recorded_times(&self) -> Value {
        let stamp = |moment: Option<DateTime>| moment.map(utc_stamp);
        json!({
            "event_time_start": stamp(self.event_time_start),
            "event_time_end": stamp(self.event_time_end),
            "sample": self.sample.map(|window| json!({"start": utc_stamp(window.start), "end": utc_stamp(window.end)})),
        })
    }

    /// The times that an earlier run had.
    pub(super) fn with_times(self, recorded: &serde_json::Map<String, Value>) -> RunArguments {
        let moment = |held: Option<&Value>| held.and_then(Value::as_str).and_then(parse_moment);
        let sample = recorded.get("sample");
        let part = |key: &str| moment(sample.and_then(|sample| sample.get(key)));
        RunArguments {
            event_time_start: moment(recorded.get("event_time_start")),
            event_time_end: moment(recorded.get("event_time_end")),
            sample: part("start").zip(part("end")).map(|(start, end)| Window { start, end }),
            ..self
        }
    }
}

/// Refuses a time that ends before it begins.
pub(super) fn check_times(context: &Context<'_>, arguments: &RunArguments) -> Result<(), Exit> {
    match arguments.event_time() {
        Some(Window { start, end }) if start >= end => {
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, "'--event-time-start' is not before '--event-time-end'");
            context.log.diagnostic(&problem.help("the end itself is not built"), &Sources::default());
            Err(Exit::Usage)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read() {
        let window = parse_sample("{start: 2026-01-01, end: '2026-01-02 12:00'}").unwrap();
        assert_eq!(
            (utc_stamp(window.start).as_str(), utc_stamp(window.end).as_str()),
            ("2026-01-01T00:00:00+00:00", "2026-01-02T12:00:00+00:00")
        );
        let window = parse_sample("3 days").unwrap();
        assert_eq!(window.end.duration_since(window.start).as_hours(), 72);
        assert!(parse_sample("1 Hour").is_ok() && parse_sample("2 months").is_ok());
        for wrong in [
            "days",
            "3",
            "x days",
            "3 weeks",
            "{start: 2026-01-01}",
            "{start: 2026-01-02, end: 2026-01-01}",
            "99999999999999 years",
            "{",
            "",
        ] {
            assert!(parse_sample(wrong).is_err(), "{wrong}");
        }
        assert!(parse_event_time("2026-01-31").is_ok() && parse_event_time("soon").is_err());
    }
}

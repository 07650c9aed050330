//! Models that are built in batches of time.

use jiff::Span as TimeSpan;
use jiff::civil::DateTime;
use serde_json::Value;

use super::{Detail, Manifest, Node};
use crate::base::{UniqueId, Window, parse_moment, quote_ident};
use crate::diag::{Diagnostic, codes};

/// How much time one batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    Hour,
    Day,
    Month,
    Year,
}

impl BatchSize {
    pub const ALL: [(&'static str, BatchSize); 4] =
        [("hour", BatchSize::Hour), ("day", BatchSize::Day), ("month", BatchSize::Month), ("year", BatchSize::Year)];

    pub fn parse(text: &str) -> Option<BatchSize> {
        BatchSize::ALL.iter().find(|(name, _)| *name == text).map(|(_, size)| *size)
    }

    /// So many of them; backwards when negative. `None` beyond all calendars.
    pub fn checked_span(self, count: i64) -> Option<TimeSpan> {
        let none = TimeSpan::new();
        let span = match self {
            BatchSize::Hour => none.try_hours(count),
            BatchSize::Day => none.try_days(count),
            BatchSize::Month => none.try_months(count),
            BatchSize::Year => none.try_years(count),
        };
        span.ok()
    }

    /// Where the batch begins that holds a moment.
    pub fn floor(self, moment: DateTime) -> DateTime {
        let (date, hour) = (moment.date(), moment.hour());
        match self {
            BatchSize::Hour => date.at(hour, 0, 0, 0),
            BatchSize::Day => date.at(0, 0, 0, 0),
            BatchSize::Month => date.first_of_month().at(0, 0, 0, 0),
            BatchSize::Year => date.first_of_year().at(0, 0, 0, 0),
        }
    }

    /// Where the batch ends that holds a moment; a moment between two batches ends the first.
    fn ceiling(self, moment: DateTime) -> DateTime {
        let floor = self.floor(moment);
        if floor == moment { floor } else { self.after(floor, 1) }
    }

    /// The beginning of the batch that comes `count` batches later. What no calendar has is the last day of all.
    fn after(self, start: DateTime, count: i64) -> DateTime {
        let end = if count < 0 { DateTime::MIN } else { DateTime::MAX };
        self.checked_span(count).and_then(|span| start.checked_add(span).ok()).unwrap_or(end)
    }

    /// A batch as people call it: `2026-01-31T10`, `2026-01-31`, `2026-01`, `2026`.
    pub fn name(self, start: DateTime) -> String {
        let format = match self {
            BatchSize::Hour => "%Y-%m-%dT%H",
            BatchSize::Day => "%Y-%m-%d",
            BatchSize::Month => "%Y-%m",
            BatchSize::Year => "%Y",
        };
        start.strftime(format).to_string()
    }
}

/// One batch of a model while it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub window: Window,
    /// The part of it that is read and takes the place of what the table holds: with `--sample` not all.
    pub read: Window,
    pub size: BatchSize,
    /// Whether the table is there, so that the batch takes the place of what it holds of this time.
    pub incremental: bool,
}

impl Batch {
    /// `model.batch.id`
    pub fn id(&self) -> String {
        self.size.name(self.window.start).replace('-', "")
    }
}

/// What the configuration of such a model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Microbatch {
    /// The column by which rows belong to a batch, as it prints.
    pub event_time: String,
    pub size: BatchSize,
    pub begin: DateTime,
    /// How many batches before the present one are built once more.
    pub lookback: i64,
}

impl Microbatch {
    /// `None` for a node that is not built so, or whose configuration is wrong: see [`check_microbatch`].
    pub fn of(node: &Node) -> Option<Microbatch> {
        let config = &node.config;
        if !is_microbatch(node) {
            return None;
        }
        Some(Microbatch {
            event_time: event_time_column(node)?,
            size: BatchSize::parse(config.str("batch_size")?)?,
            begin: parse_moment(config.str("begin")?)?,
            lookback: config.get("lookback").and_then(Value::as_i64).unwrap_or(1),
        })
    }

    /// The batches to build, ascending: those of `asked`, or all from the beginning when nothing stands there, or else the present one
    /// and those to look back at.
    pub fn windows(&self, asked: Option<Window>, now: DateTime, incremental: bool) -> Vec<Window> {
        let size = self.size;
        let end = size.ceiling(asked.map_or(now, |asked| asked.end));
        let first = match asked {
            Some(asked) => size.floor(asked.start),
            None if !incremental => size.floor(self.begin),
            // Between two batches the present one is the one that just ended.
            None => size.after(end, -self.lookback.saturating_add(1)),
        };
        let mut windows = Vec::new();
        let mut start = first;
        while start < end {
            let next = size.after(start, 1);
            windows.push(Window { start, end: next });
            start = next;
        }
        if windows.is_empty() {
            // It begins later than now: an empty table is a table too.
            windows.push(Window { start: first, end: size.after(first, 1) });
        }
        windows
    }
}

/// The column with the time of a node's rows as SQL names it: in quotes where the column says `quote: true`.
pub fn event_time_column(node: &Node) -> Option<String> {
    let column = node.config.str("event_time")?;
    let quoted = node.columns.iter().any(|held| held.name == column && held.quote == Some(true));
    Some(if quoted { quote_ident(column) } else { column.to_owned() })
}

/// Whether a model is to be built in batches.
pub fn is_microbatch(node: &Node) -> bool {
    let is_incremental = matches!(node.detail, Detail::Model(_)) && node.materialized() == "incremental";
    is_incremental && node.config.str("incremental_strategy") == Some("microbatch")
}

/// What is wrong with the configuration of a model that is built in batches.
pub fn check_microbatch(node: &Node) -> Vec<Diagnostic> {
    if !is_microbatch(node) {
        return Vec::new();
    }
    let config = &node.config;
    let sizes = BatchSize::ALL.map(|(name, _)| name);
    let place = |key: &str| config.span(key).or(config.span("incremental_strategy")).or(node.body.map(|body| body.sub(0, 0)));
    let invalid = |key: &str, message: String| Diagnostic::new(&codes::INVALID_CONFIG, message).at(place(key).unwrap_or(node.origin));
    let name = &node.name;
    let mut problems = Vec::new();
    let mut needs = |key: &str, what: &str, example: &str, is_right: &dyn Fn(&str) -> bool| match (config.str(key), config.get(key)) {
        (Some(text), _) if is_right(text) => {}
        (_, None | Some(Value::Null)) => problems.push(
            invalid(key, format!("'{name}' is built in batches, and has no '{key}'")).help(format!("say {what}, like {key}: {example}")),
        ),
        (_, Some(other)) => {
            let shown = other.as_str().map_or_else(|| other.to_string(), |text| format!("'{text}'"));
            let problem = invalid(key, format!("'{key}' of '{name}' is {shown}, and {what} is needed"));
            problems.push(match (key, other.as_str()) {
                ("batch_size", Some(text)) => problem.did_you_mean(text, sizes),
                _ => problem,
            });
        }
    };
    needs("event_time", "the column with the time of a row", "created_at", &|text| !text.is_empty());
    needs("batch_size", "one of hour, day, month, year", "day", &|text| BatchSize::parse(text).is_some());
    needs("begin", "a date or a time", "'2026-01-31'", &|text| parse_moment(text).is_some());
    if let Some(other) = config.get("lookback").filter(|held| !held.is_null() && held.as_i64().is_none_or(|count| count < 0)) {
        let shown = other.as_str().map_or_else(|| other.to_string(), |text| format!("'{text}'"));
        problems.push(invalid("lookback", format!("'lookback' of '{name}' is {shown}, and a number of batches is needed")));
    }
    problems
}

/// Models whose batches all read everything.
pub fn unfiltered_batches(manifest: &Manifest) -> Vec<Diagnostic> {
    let has_time = |id: &UniqueId| manifest.node(id).is_some_and(|read| read.config.str("event_time").is_some());
    let models = manifest.nodes.iter().filter(|node| is_microbatch(node) && !node.depends_on.iter().any(has_time));
    let warn = |node: &Node| {
        let message = format!("'{}' is built in batches, and nothing that it reads has an 'event_time'", node.name);
        let place = node.config.span("incremental_strategy").or(node.body.map(|body| body.sub(0, 0))).unwrap_or(node.origin);
        let help = "say 'event_time' of the models, seeds or sources that it reads";
        Diagnostic::new(&codes::UNFILTERED_BATCHES, message).at(place).help(help)
    };
    models.map(warn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::utc_text;

    fn windows(size: &str, lookback: i64, asked: Option<(&str, &str)>, now: &str, incremental: bool) -> Vec<String> {
        let moment = |text: &str| parse_moment(text).unwrap();
        let batches =
            Microbatch { event_time: "at".to_owned(), size: BatchSize::parse(size).unwrap(), begin: moment("2024-01-30 10:00"), lookback };
        let asked = asked.map(|(start, end)| Window { start: moment(start), end: moment(end) });
        let short = |moment| utc_text(moment).replace(":00:00+00:00", "");
        batches.windows(asked, moment(now), incremental).iter().map(|held| format!("{} - {}", short(held.start), short(held.end))).collect()
    }

    #[test]
    fn batches_begin_where_the_calendar_says() {
        assert_eq!(windows("day", 1, None, "2024-02-01 00:00", false), ["2024-01-30 00 - 2024-01-31 00", "2024-01-31 00 - 2024-02-01 00"]);
        assert_eq!(
            windows("month", 1, None, "2024-02-29 12:00", false),
            ["2024-01-01 00 - 2024-02-01 00", "2024-02-01 00 - 2024-03-01 00"]
        );
        assert_eq!(windows("year", 1, None, "2024-02-29 12:00", false), ["2024-01-01 00 - 2025-01-01 00"]);
        assert_eq!(windows("hour", 1, None, "2024-01-30 10:30", false), ["2024-01-30 10 - 2024-01-30 11"]);
        // It begins tomorrow.
        assert_eq!(windows("day", 1, None, "2024-01-29 12:00", false), ["2024-01-30 00 - 2024-01-31 00"]);
    }

    #[test]
    fn a_table_that_stands_gets_the_present_batch_and_those_before() {
        assert_eq!(windows("day", 1, None, "2024-03-01 09:00", true), ["2024-02-29 00 - 2024-03-01 00", "2024-03-01 00 - 2024-03-02 00"]);
        assert_eq!(windows("day", 0, None, "2024-03-01 00:00", true), ["2024-02-29 00 - 2024-03-01 00"]);
        assert_eq!(windows("month", 2, None, "2024-01-31 09:00", true).first().map(String::as_str), Some("2023-11-01 00 - 2023-12-01 00"));
        let asked = Some(("2024-02-10 05:00", "2024-02-12 00:00"));
        assert_eq!(windows("day", 3, asked, "2025-01-01", true), ["2024-02-10 00 - 2024-02-11 00", "2024-02-11 00 - 2024-02-12 00"]);
    }

    #[test]
    fn batches_have_names() {
        let start = parse_moment("2024-09-17 16:06").unwrap();
        let names = BatchSize::ALL.map(|(_, size)| size.name(start));
        assert_eq!(names, ["2024-09-17T16", "2024-09-17", "2024-09", "2024"]);
        let window = Window { start, end: start };
        let batch = Batch { window, read: window, size: BatchSize::Hour, incremental: false };
        assert_eq!(batch.id(), "20240917T16");
    }
}

//! Declarative partitions of a table, as `partition_by` asks for them.

use serde_json::{Map, Value};

use super::node::{Detail, Node};
use crate::diag::{Diagnostic, codes};

/// What a table is cut by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionBy {
    /// As it is written.
    pub column: String,
    pub kind: PartitionKind,
    /// Whether there is a partition for rows that belong to no other.
    pub default: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionKind {
    /// Ranges of time, and so many of them made ahead of time besides the present one.
    Time { every: Period, ahead: u32 },
    /// Ranges of so many whole numbers.
    Numbers { every: i64 },
    /// One partition for each value that there is.
    Values,
    /// Partitions by name, each with its values; `None` is NULL.
    Lists(Vec<(String, Vec<Option<String>>)>),
}

/// How much time one partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const PERIODS: [(&str, Period); 6] = [
    ("hour", Period::Hour),
    ("day", Period::Day),
    ("week", Period::Week),
    ("month", Period::Month),
    ("quarter", Period::Quarter),
    ("year", Period::Year),
];

impl Period {
    pub fn as_str(self) -> &'static str {
        PERIODS.iter().find(|(_, period)| *period == self).map_or("", |(name, _)| name)
    }
}

/// More partitions ahead of time are a slip of the pen.
const MOST_AHEAD: u64 = 1000;

const HELP: &str = "write it like {type: range, column: placed_at, every: month, ahead: 3}, or {type: list, column: country}";

impl PartitionBy {
    /// What the configuration of a table says; `None` where it says nothing, or something of another adapter.
    ///
    /// # Errors
    /// `invalid-config` for what is no partitioning.
    pub fn of(node: &Node) -> Result<Option<PartitionBy>, Diagnostic> {
        let is_table = match node.detail {
            Detail::Model(_) => matches!(node.materialized(), "table" | "incremental"),
            Detail::Snapshot { .. } => true,
            _ => false,
        };
        let Some(given) = node.stored("partition_by").filter(|_| is_table) else { return Ok(None) };
        let under_meta = node.config.get("partition_by").is_none_or(Value::is_null);
        let invalid = |what: String| {
            let message = format!("'partition_by' of '{}' {what}", node.name);
            Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.stored_at("partition_by"))
        };
        match given {
            Value::Object(given) if given.contains_key("type") || under_meta => read(given, &invalid).map(Some),
            // A list of columns, or what BigQuery takes.
            _ if !under_meta => Ok(None),
            _ => Err(invalid("is no mapping".to_owned()).help(HELP)),
        }
    }
}

type Invalid<'a> = dyn Fn(String) -> Diagnostic + 'a;

fn read(given: &Map<String, Value>, invalid: &Invalid<'_>) -> Result<PartitionBy, Diagnostic> {
    const KEYS: [&str; 6] = ["type", "column", "every", "ahead", "values", "default"];
    if let Some(key) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(invalid(format!("has the unknown key '{key}'")).did_you_mean(key, KEYS).help(HELP));
    }
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    let Some(column) = text("column").filter(|column| !column.trim().is_empty()) else {
        return Err(invalid("names no 'column'".to_owned()).help(HELP));
    };
    let default = match given.get("default") {
        None => true,
        Some(Value::Bool(default)) => *default,
        Some(_) => return Err(invalid("has a 'default' that is neither true nor false".to_owned())),
    };
    let (kind, foreign): (_, &[&str]) = match text("type") {
        Some("range") => (range(given, invalid)?, &["values"]),
        Some("list") => (list(given, invalid)?, &["every", "ahead"]),
        other => {
            let other = other.unwrap_or_default();
            let message = format!("has the type '{other}', and there are range and list");
            return Err(invalid(message).did_you_mean(other, ["range", "list"]).help(HELP));
        }
    };
    if let Some(key) = foreign.iter().find(|key| given.contains_key(**key)) {
        return Err(invalid(format!("has '{key}', which this type does not have")).help(HELP));
    }
    Ok(PartitionBy { column: column.trim().to_owned(), kind, default })
}

fn range(given: &Map<String, Value>, invalid: &Invalid<'_>) -> Result<PartitionKind, Diagnostic> {
    let names = PERIODS.map(|(name, _)| name);
    let ahead = match given.get("ahead") {
        None => None,
        Some(count) => Some(
            count
                .as_u64()
                .filter(|count| *count <= MOST_AHEAD)
                .ok_or_else(|| invalid(format!("has an 'ahead' that is no whole number up to {MOST_AHEAD}")))?,
        ),
    };
    match given.get("every") {
        Some(Value::Number(every)) => match (every.as_i64().filter(|every| *every > 0), ahead) {
            (Some(every), None) => Ok(PartitionKind::Numbers { every }),
            (Some(_), Some(_)) => Err(invalid("has 'ahead', and only time goes on by itself".to_owned())),
            (None, _) => Err(invalid("has an 'every' that is no number of whole numbers".to_owned())),
        },
        Some(Value::String(word)) => match PERIODS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, every)) => Ok(PartitionKind::Time { every: *every, ahead: u32::try_from(ahead.unwrap_or(1)).unwrap_or(1) }),
            None => {
                let problem = invalid(format!("has 'every: {word}', which is no period")).did_you_mean(word, names);
                Err(problem.help(format!("it is one of {}, or a number for ranges of whole numbers", names.join(", "))))
            }
        },
        _ => Err(invalid("does not say how much 'every' range is".to_owned()).help(HELP)),
    }
}

fn list(given: &Map<String, Value>, invalid: &Invalid<'_>) -> Result<PartitionKind, Diagnostic> {
    let value = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(truth) => Ok(Some(truth.to_string())),
        Value::Array(_) | Value::Object(_) => Err(invalid("has a value of 'values' that is no value".to_owned())),
    };
    let several = |held: &Value| match held {
        Value::Array(values) if !values.is_empty() => values.iter().map(value).collect(),
        one => Ok(vec![value(one)?]),
    };
    let lists: Vec<(String, Vec<Option<String>>)> = match given.get("values") {
        None => return Ok(PartitionKind::Values),
        Some(Value::Array(values)) if !values.is_empty() => values
            .iter()
            .map(|held| {
                let held = value(held)?;
                Ok((held.clone().unwrap_or_else(|| "null".to_owned()), vec![held]))
            })
            .collect::<Result<_, Diagnostic>>()?,
        Some(Value::Object(named)) if !named.is_empty() => {
            named.iter().map(|(name, held)| Ok((name.clone(), several(held)?))).collect::<Result<_, Diagnostic>>()?
        }
        Some(_) => {
            let problem = invalid("has 'values' that are neither a list nor lists by name".to_owned());
            return Err(problem.help("write values like {uk: [GB, IM], ie: [IE]}, or leave them out for one partition a value"));
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = lists.iter().flat_map(|(_, values)| values).find(|value| !seen.insert((*value).clone())) {
        return Err(invalid(format!("has the value '{}' twice", twice.as_deref().unwrap_or("null"))));
    }
    Ok(PartitionKind::Lists(lists))
}

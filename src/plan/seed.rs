//! Seeds: small CSV files that become tables, their column types guessed as dbt guesses them or told.

use super::attributes::finished;
use super::materialize::{PlanInput, staged};
use super::publication::publish;
use super::steps::{NodePlan, Step};
use crate::analysis::guess_type;
use crate::base::{ColumnInfo, RelationKind, Span};
use crate::diag::{Diagnostic, codes};
use crate::project::{Cell, Node, UnitRow};

/// What a seed's table needs to know of the engine.
#[derive(Clone, Copy)]
pub struct SeedRules<'a> {
    /// Whether names become lower case that are not in quotes, as those of the columns are not unless `quote_columns` asks for it.
    pub lowers_names: bool,
    /// The type of a column, from the one that was told or guessed, and the bytes and the digits behind the point that its values
    /// have at most.
    pub sized: &'a dyn Fn(&str, usize, usize) -> String,
}

/// The plan of a seed from the bytes of its file.
///
/// # Errors
/// `invalid-seed` with the line of the file.
pub fn plan_seed(input: &PlanInput<'_>, file: &[u8], rules: SeedRules<'_>) -> Result<NodePlan, Diagnostic> {
    let (names, mut rows) = read(input.node, file)?;
    let mut columns = columns(input.node, &names, &rows);
    for (index, column) in columns.iter_mut().enumerate() {
        let values = rows.iter().filter_map(|row| row.get(index)?.as_deref());
        let places = values.clone().map(|value| value.rsplit_once('.').map_or(0, |(_, digits)| digits.len())).max();
        let bytes = values.map(str::len).max();
        column.data_type = (rules.sized)(&column.data_type, bytes.unwrap_or(0), places.unwrap_or(0));
    }
    if rules.lowers_names && input.node.config.bool("quote_columns") != Some(true) {
        columns.iter_mut().for_each(|column| column.name = column.name.to_lowercase());
    }
    rounded(&mut rows, &columns);
    let typed: Vec<(&str, &str)> = columns.iter().map(|column| (column.name.as_str(), column.data_type.as_str())).collect();
    input.physical.check_columns(input.node, &typed)?;
    let stage = staged(input.relation);
    let physical = input.physical.clone();
    let mut steps = vec![
        Step::CreateTable { table: stage.clone(), columns: columns.clone(), physical },
        Step::InsertRows { table: stage, columns, rows },
    ];
    steps.extend(publish(input, RelationKind::Table));
    finished(input, steps)
}

/// Told types, or else declared ones, or else those that the values are of.
fn columns(node: &Node, names: &[String], rows: &Rows) -> Vec<ColumnInfo> {
    let told = node.config.get("column_types");
    names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let config = told.and_then(|types| types.get(name)).and_then(|kind| kind.as_str()).map(str::to_owned);
            let declared = node.columns.iter().find(|column| column.name == *name).and_then(|column| column.data_type.clone());
            let guess = || guess_type(rows.iter().filter_map(|row| row.get(index).and_then(Option::as_deref)));
            ColumnInfo { name: name.clone(), data_type: config.or(declared).unwrap_or_else(guess) }
        })
        .collect()
}

/// Gives moments the six digits of a second that PostgreSQL rounds them to; engines that cut would have others.
fn rounded(rows: &mut Rows, columns: &[ColumnInfo]) {
    for (index, _) in columns.iter().enumerate().filter(|(_, column)| is_moment(&column.data_type)) {
        for value in rows.iter_mut().filter_map(|row| row.get_mut(index)?.as_mut()) {
            if let Some(moment) = six_digits(value) {
                *value = moment;
            }
        }
    }
}

/// Of microseconds: DuckDB reads `timestamp(9)` as one of nanoseconds.
fn is_moment(data_type: &str) -> bool {
    let data_type = data_type.trim().to_lowercase();
    let (base, rest) = data_type.split_at(data_type.find(['(', ' ']).unwrap_or(data_type.len()));
    let digits = rest.split_once('(').and_then(|(_, digits)| digits.split_once(')')).map(|(digits, _)| digits.trim());
    let is_finer = digits.is_some_and(|digits| digits.parse::<u32>().is_ok_and(|digits| digits > 6));
    matches!(base, "timestamp" | "timestamptz" | "datetime" | "time" | "timetz") && !is_finer
}

/// `None` where there are no more digits, and of what is in no form that every engine reads.
fn six_digits(moment: &str) -> Option<String> {
    let (before, behind) = moment.split_once('.')?;
    let (digits, zone) = behind.split_at(behind.bytes().take_while(u8::is_ascii_digit).count());
    if digits.len() <= 6 {
        return None;
    }
    // PostgreSQL rounds the binary fraction, to the even neighbour.
    let micros = (format!("0.{digits}").parse::<f64>().ok()? * 1e6).round_ties_even();
    if micros < 1e6 {
        return Some(format!("{before}.{micros:06}{zone}"));
    }
    let is_time = !before.contains('-');
    let text = if is_time { format!("2000-01-01 {}", before.trim()) } else { before.trim().to_owned() };
    let next = text.parse::<jiff::civil::DateTime>().ok()?.checked_add(jiff::Span::new().seconds(1)).ok()?;
    Some(match is_time {
        true if next.day() == 2 => format!("24:00:00{zone}"),
        true => format!("{}{zone}", next.time()),
        false => format!("{} {}{zone}", next.date(), next.time()),
    })
}

/// The columns of a seed as they would be built.
///
/// # Errors
/// As [`plan_seed`].
pub fn seed_columns(node: &Node, file: &[u8]) -> Result<Vec<ColumnInfo>, Diagnostic> {
    let (names, rows) = read(node, file)?;
    Ok(columns(node, &names, &rows))
}

/// The first value that is not of the type of its column, for people who look for what an engine refuses; `None` where each may be.
pub fn misfit(node: &Node, file: &[u8]) -> Option<String> {
    let (names, rows) = read(node, file).ok()?;
    let columns = columns(node, &names, &rows);
    let mut reader = reader(node, file);
    for record in reader.records().map_while(Result::ok) {
        for (value, column) in record.iter().zip(&columns) {
            if !value.is_empty() && !may_be(value.trim(), &column.data_type) {
                let line = record.position().map_or(0, csv::Position::line);
                return Some(format!("line {line}: '{value}' in column '{}' is no {}", column.name, column.data_type));
            }
        }
    }
    None
}

/// Engines differ in what else they read, so only what none reads is told.
fn may_be(value: &str, data_type: &str) -> bool {
    let data_type = data_type.trim().to_lowercase();
    let base = data_type.split(['(', ' ']).next().unwrap_or_default();
    match base {
        "smallint" | "integer" | "int" | "bigint" | "int2" | "int4" | "int8" | "tinyint" | "hugeint" => value.parse::<i128>().is_ok(),
        "numeric" | "decimal" | "real" | "double" | "float" | "float4" | "float8" => value.parse::<f64>().is_ok(),
        "boolean" | "bool" => {
            ["true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0"].contains(&value.to_lowercase().as_str())
        }
        "date" | "timestamp" | "timestamptz" | "datetime" => value.bytes().any(|byte| byte.is_ascii_digit()),
        _ => true,
    }
}

/// The rows of a seed as those of a unit test, which stands at `span`.
///
/// # Errors
/// As [`plan_seed`].
pub fn seed_rows(node: &Node, file: &[u8], span: Span) -> Result<Vec<UnitRow>, Diagnostic> {
    let (names, rows) = read(node, file)?;
    let cell = |value: Option<String>| value.map_or(Cell::Null, Cell::Text);
    let row = |row: Vec<Option<String>>| UnitRow { cells: names.iter().cloned().zip(row.into_iter().map(cell)).collect(), span };
    Ok(rows.into_iter().map(row).collect())
}

type Rows = Vec<Vec<Option<String>>>;

fn reader<'f>(node: &Node, file: &'f [u8]) -> csv::Reader<&'f [u8]> {
    let delimiter = node.config.str("delimiter").and_then(|text| text.bytes().next()).unwrap_or(b',');
    let bytes = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes)
}

fn read(node: &Node, file: &[u8]) -> Result<(Vec<String>, Rows), Diagnostic> {
    let name = &node.name;
    let invalid = |what: String| Diagnostic::new(&codes::INVALID_SEED, format!("seed '{name}' cannot be read: {what}")).at(node.origin);
    let mut reader = reader(node, file);
    let names: Vec<String> =
        reader.headers().map_err(|error| invalid(error.to_string()))?.iter().map(|name| name.trim().to_owned()).collect();
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(invalid("its first line must name every column".to_owned()));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| invalid(error.to_string()))?;
        rows.push(record.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect());
    }
    Ok((names, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_six_digits_of_a_second() {
        let six = |text: &str| six_digits(text);
        assert_eq!(six("2024-02-29 13:14:15.1234567").as_deref(), Some("2024-02-29 13:14:15.123457"));
        assert_eq!(six("13:14:15.0000005").as_deref(), Some("13:14:15.000000"));
        assert_eq!(six("2024-02-29T13:14:15.1234564+02:00").as_deref(), Some("2024-02-29T13:14:15.123456+02:00"));
        assert_eq!(six("2023-12-31 23:59:59.9999999Z").as_deref(), Some("2024-01-01 00:00:00Z"));
        assert_eq!(six("23:59:59.9999999").as_deref(), Some("24:00:00"));
        assert_eq!(six("09:59:59.9999999").as_deref(), Some("10:00:00"));
        assert_eq!(six("2024-02-29 13:14:15.123456"), None);
        assert_eq!(six("1.2345678"), Some("1.234568".to_owned()));
        assert_eq!(six("no moment at all.9999999"), None);
    }

    #[test]
    fn nanoseconds_are_kept() {
        assert!(is_moment("timestamp with time zone") && is_moment("TIME") && is_moment("timestamp (3) with time zone"));
        assert!(!is_moment("timestamp_ns") && !is_moment("timestamp(9)") && !is_moment("TIMESTAMP (7)") && !is_moment("text"));
    }
}

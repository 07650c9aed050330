//! What the properties of a node say its columns mean: units and labels, laid over what its query gives.

use super::facts::{RelationSchema, SchemaColumn, merge_labels};
use super::near_misses::near_misses;
use super::units::{Declarations, Measure, Unit, declared_measure};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::project::{Column, Node};

/// Where the SQL of a node writes a column of that name.
pub(super) type Places<'p> = &'p dyn Fn(&str) -> Option<Span>;

/// What the text of a node's query shows beside its schema.
pub(super) struct Shown<'p> {
    pub places: Places<'p>,
    /// Names of columns, each with that of one beside it which certainly does not name its currency or its zone.
    pub strangers: &'p [(String, String)],
}

/// Gives the columns of a schema what the properties declare. Where a query gives another unit, that is a mistake.
pub(super) fn declare_meaning(
    node: &Node,
    schema: &mut RelationSchema,
    declarations: &Declarations,
    shown: &Shown<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    for column in node.columns.iter().filter(|column| !column.meta.is_empty()) {
        problems.extend(near_misses(node, column, declarations));
        let declared = match declared_measure(column, declarations) {
            Ok(declared) => declared,
            Err(why) => {
                let message = format!("the unit of column '{}' of '{}': {why}", column.name, node.name);
                problems.push(Diagnostic::new(&codes::INVALID_UNIT, message).at(column.unit_span.or(column.span).unwrap_or(node.origin)));
                continue;
            }
        };
        let determined_by: Vec<String> = texts(column, "determined_by").into_iter().map(|name| name.to_lowercase()).collect();
        let missing = missing_columns(node, column, schema, &declared, &determined_by);
        // One mistake, one error: a unit by a column that is not there is held against nothing.
        let declared = if missing.is_empty() { declared } else { Measure::Unknown };
        problems.extend(missing);
        if schema.open && (declared != Measure::Unknown || column.meta.contains_key("labels")) {
            // Nothing is known of the query, so what is said of it counts: that the column is there, and those which name its currency.
            let named = declared.unit().into_iter().flat_map(|unit| unit.columns()).chain([column.name.as_str()]);
            for name in named.map(str::to_lowercase) {
                if !schema.columns.iter().any(|held| held.name.eq_ignore_ascii_case(&name)) {
                    schema.columns.push(SchemaColumn { name, nullable: true, ..SchemaColumn::default() });
                }
            }
        }
        let Some(held) = schema.columns.iter_mut().find(|held| held.name.eq_ignore_ascii_case(&column.name)) else { continue };
        if let Some(problem) = assert_measure(node, column, held, &declared, shown) {
            problems.push(problem);
        }
        merge_labels(&mut held.labels, &labels(column));
        held.determined_by = determined_by;
    }
}

/// Columns beside this one that its declaration names, and that are not there.
fn missing_columns(node: &Node, column: &Column, schema: &RelationSchema, declared: &Measure, determined_by: &[String]) -> Vec<Diagnostic> {
    if schema.open {
        return Vec::new();
    }
    let names = || schema.columns.iter().map(|held| held.name.as_str());
    let named = declared.unit().into_iter().flat_map(|unit| unit.columns()).chain(determined_by.iter().map(String::as_str));
    let missing = named.filter(|name| !names().any(|held| held.eq_ignore_ascii_case(name)));
    missing
        .map(|name| {
            let message = format!("the unit of column '{}' of '{}' is by a column '{name}' that is not there", column.name, node.name);
            let problem = Diagnostic::new(&codes::INVALID_UNIT, message).at(column.unit_span.or(column.span).unwrap_or(node.origin));
            problem.did_you_mean(name, names())
        })
        .collect()
}

fn labels(column: &Column) -> Vec<std::sync::Arc<str>> {
    let mut labels: Vec<std::sync::Arc<str>> = texts(column, "labels").into_iter().map(Into::into).collect();
    labels.sort();
    labels.dedup();
    labels
}

/// One text or a list of them.
pub(super) fn texts(column: &Column, key: &str) -> Vec<String> {
    match column.meta.get(key) {
        Some(serde_json::Value::String(text)) => vec![text.clone()],
        Some(serde_json::Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// The declared unit holds from here on; a query that gives another one contradicts it.
fn assert_measure(node: &Node, column: &Column, held: &mut SchemaColumn, declared: &Measure, shown: &Shown<'_>) -> Option<Diagnostic> {
    let wanted = declared.unit()?;
    let given = std::mem::take(&mut held.measure);
    let found = given.unit().cloned();
    let stranger = found.as_ref().and_then(|found| stranger_of(held, wanted, found, shown.strangers));
    match given.unified(declared) {
        Ok(both) if stranger.is_none() && !found.as_ref().is_some_and(|found| wanted.fixes_mixed(found)) => {
            held.measure = match both.unit() {
                Some(unit) => Measure::of(unit.clone(), column.span),
                None => both,
            };
            return None;
        }
        _ => held.measure = declared.clone(),
    }
    let found = found?.to_string();
    let wanted = wanted.to_string();
    let gives = match &stranger {
        Some(name) => format!("the '{name}' that its query gives is not the one of this value"),
        None => format!("its query gives '{found}'"),
    };
    let message = format!("column '{}' of '{}' is declared to be of the unit '{wanted}', and {gives}", column.name, node.name);
    let mut problem = Diagnostic::new(&codes::UNIT_ASSERTION, message);
    // What is written in the place of the column that names the currency is the mistake.
    let written = stranger.as_deref().and_then(|name| (shown.places)(name)).or_else(|| (shown.places)(&held.name));
    problem = match (written, column.span) {
        (Some(place), Some(span)) => problem.at(place).also(span, format!("'{wanted}' is declared here")),
        (place, span) => problem.at(place.or(span).unwrap_or(node.origin)),
    };
    if let Some(place) = given.declared() {
        problem = problem.also(place, format!("'{found}' comes from here"));
    }
    Some(problem.help(match stranger {
        Some(_) => "select the column that names the currency or the zone of the value, or convert the value",
        None => "convert it in the query, or declare what the query gives",
    }))
}

/// A column by which the unit of another is declared to be, and that certainly is not the one which names it.
fn stranger_of(held: &SchemaColumn, wanted: &Unit, found: &Unit, strangers: &[(String, String)]) -> Option<String> {
    let mut named = wanted.columns().filter(|name| !found.columns().any(|given| given.eq_ignore_ascii_case(name)));
    named.find_map(|name| {
        let is_it = |(column, other): &&(String, String)| *column == held.name && other.eq_ignore_ascii_case(name);
        strangers.iter().find(is_it).map(|(_, other)| other.clone())
    })
}

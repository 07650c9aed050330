//! What the properties of a node say its columns mean: units and labels, laid over what its query gives.

use super::facts::{RelationSchema, SchemaColumn, merge_labels};
use super::near_misses::near_misses;
use super::units::{Currency, Declarations, Measure, declared_measure};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::project::{Column, Node};

/// Where the SQL of a node writes a column of that name.
pub(super) type Places<'p> = &'p dyn Fn(&str) -> Option<Span>;

/// Gives the columns of a schema what the properties declare. Where a query gives another unit, that is a mistake.
pub(super) fn declare_meaning(
    node: &Node,
    schema: &mut RelationSchema,
    declarations: &Declarations,
    places: Places<'_>,
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
        problems.extend(missing_columns(node, column, schema, &declared, &determined_by));
        let is_there = schema.columns.iter().any(|held| held.name.eq_ignore_ascii_case(&column.name));
        if schema.open && !is_there && (declared != Measure::Unknown || column.meta.contains_key("labels")) {
            // Nothing is known of the query, so what is said of it counts.
            schema.columns.push(SchemaColumn { name: column.name.to_lowercase(), nullable: true, ..SchemaColumn::default() });
        }
        let Some(held) = schema.columns.iter_mut().find(|held| held.name.eq_ignore_ascii_case(&column.name)) else { continue };
        if let Some(problem) = assert_measure(node, column, held, &declared, places) {
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
fn assert_measure(node: &Node, column: &Column, held: &mut SchemaColumn, declared: &Measure, places: Places<'_>) -> Option<Diagnostic> {
    let wanted = declared.unit()?;
    let given = std::mem::take(&mut held.measure);
    let found = given.unit().cloned();
    let mixed = |unit: &super::units::Unit| unit.currencies().any(|currency| *currency == Currency::Hidden);
    let any = |unit: &super::units::Unit| unit.currencies().any(|currency| *currency == Currency::Any);
    let fixed = wanted.currencies().any(|currency| matches!(currency, Currency::Fixed(_)));
    match given.unified(declared) {
        Ok(both) if !(fixed && found.as_ref().is_some_and(|unit| mixed(unit) || any(unit))) => {
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
    let message =
        format!("column '{}' of '{}' is declared to be of the unit '{wanted}', and its query gives '{found}'", column.name, node.name);
    let mut problem = Diagnostic::new(&codes::UNIT_ASSERTION, message);
    problem = match (places(&held.name), column.span) {
        (Some(place), Some(span)) => problem.at(place).also(span, format!("'{wanted}' is declared here")),
        (place, span) => problem.at(place.or(span).unwrap_or(node.origin)),
    };
    if let Some(place) = given.declared() {
        problem = problem.also(place, format!("'{found}' comes from here"));
    }
    Some(problem.help("convert it in the query, or declare what the query gives"))
}

//! Rows that come to columns which are there already: those that a contract declares, or those of an incremental model's table.

use super::catalogue::{Context, TypeId, catalogue};
use super::coercion::has_pathway;
use super::facts::RelationSchema;
use super::infer::{Finding, Inferred};
use super::sql_type::SqlType;
use crate::diag::{Diagnostic, codes};
use crate::project::Node;

/// What an incremental run inserts, against the columns that the first run made.
pub(super) fn check_insertion(table: &RelationSchema, rows: &Inferred) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, column) in rows.schema.columns.iter().enumerate() {
        let held = table.columns.iter().find(|held| held.name == column.name);
        let (Some(from), Some(to)) = (column.sql_type, held.and_then(|held| held.sql_type)) else { continue };
        let name = &column.name;
        let diagnostic = if !has_pathway(from.id, to.id, Context::Assignment) {
            let message = format!("column '{name}' is {to} where the table is made, and {from} in an incremental run");
            Diagnostic::new(&codes::TYPE_MISMATCH, message).help("give it one type in both")
        } else if loses(from, to) {
            let message = format!("column '{name}' is {to} where the table is made, so that {from} of an incremental run loses digits");
            Diagnostic::new(&codes::LOSSY_CAST, message).help("give it one type in both")
        } else {
            continue;
        };
        findings.push(Finding::new(diagnostic, rows.places.get(at).cloned().flatten()));
    }
    findings
}

/// Whether the query of a model with a contract gives what that declares, as far as it is known.
pub(super) fn check_contract(node: &Node, schema: &RelationSchema) -> Vec<Diagnostic> {
    if !node.contract_enforced() || schema.open {
        return Vec::new();
    }
    let whole = node.config.span("contract").or(node.properties).unwrap_or(node.origin);
    let mut problem = Diagnostic::new(
        &codes::CONTRACT_BROKEN,
        format!("the query of '{}' does not give the columns that its contract declares", node.name),
    );
    let mut lossy = Vec::new();
    for column in &node.columns {
        let place = column.data_type_span.or(column.span).unwrap_or(whole);
        let Some(given) = schema.columns.iter().find(|given| column.names(&given.name)) else {
            problem = labelled(problem, column.span.unwrap_or(whole), format!("the query has no column '{}'", column.name));
            continue;
        };
        let (Some(from), Some(to)) = (given.sql_type, column.data_type.as_deref().and_then(SqlType::parse)) else { continue };
        if family(from.id) != family(to.id) {
            problem = labelled(problem, place, format!("the query gives {from}"));
        } else if loses(from, to) {
            let message = format!("column '{}' of the query is {from}, and its contract rounds it to {to}", column.name);
            lossy.push(Diagnostic::new(&codes::LOSSY_CAST, message).at(place).help("round it in the query where the loss is meant"));
        }
    }
    for given in schema.columns.iter().filter(|given| !node.columns.iter().any(|column| column.names(&given.name))) {
        problem = labelled(problem, whole, format!("the query gives a column '{}' as well", given.name));
    }
    let broken = problem.primary.is_some().then(|| problem.help("change the query, with a cast for a type, or what the contract declares"));
    broken.into_iter().chain(lossy).collect()
}

fn labelled(problem: Diagnostic, place: crate::base::Span, words: String) -> Diagnostic {
    if problem.primary.is_none() { problem.labelled(place, words) } else { problem.also(place, words) }
}

/// Contracts speak of kinds of types, not of lengths.
fn family(id: TypeId) -> TypeId {
    let known = &catalogue().known;
    if [known.varchar, known.bpchar, known.name, known.unknown].contains(&id) { known.text } else { id }
}

/// Whether values of the one type become less exact in the other.
fn loses(from: SqlType, to: SqlType) -> bool {
    let name = |kind: SqlType| catalogue().entry(kind.id).name;
    // From the fewest digits to the most.
    let whole = |kind: SqlType| ["int2", "int4", "int8"].iter().position(|held| *held == name(kind));
    match (name(from), name(to)) {
        ("numeric", "numeric") => match (scale(from), scale(to)) {
            (Some(given), Some(held)) => given > held,
            _ => false,
        },
        ("numeric" | "float4" | "float8", _) if whole(to).is_some() => true,
        ("numeric", "float4" | "float8") | ("float8", "float4") | ("timestamp" | "timestamptz", "date") => true,
        _ => whole(from).zip(whole(to)).is_some_and(|(given, held)| given > held),
    }
}

/// Digits behind the point, where the type limits them.
fn scale(kind: SqlType) -> Option<i32> {
    // Packed behind the precision, as a signed number of eleven bits.
    (kind.modifier >= 0).then_some((((kind.modifier - 4) & 0x7ff) ^ 1024) - 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loses_digits() {
        for (from, to, lost) in [
            ("numeric(10,4)", "numeric(10,2)", true),
            ("numeric(10,2)", "numeric(12,4)", false),
            ("numeric", "numeric(10,2)", false),
            ("numeric(5,0)", "bigint", true),
            ("bigint", "integer", true),
            ("smallint", "bigint", false),
            ("double precision", "real", true),
            ("timestamp", "date", true),
            ("date", "timestamp", false),
            ("text", "varchar(3)", false),
        ] {
            assert_eq!(loses(SqlType::parse(from).unwrap(), SqlType::parse(to).unwrap()), lost, "{from} to {to}");
        }
    }
}

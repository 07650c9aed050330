//! Columns that a property file describes and that the relation does not have: by one wrong letter their units and labels would be gone.

use super::facts::RelationSchema;
use crate::diag::{Diagnostic, Severity, codes};

use crate::project::{Column, Detail, Manifest, Node};

/// What of `meta` says something that is checked.
const CHECKED: [&str; 3] = ["unit", "labels", "determined_by"];

/// An error where units or labels are lost with the column. Says nothing of a relation of which not all columns are known, and of one with
/// a contract, which says it for itself.
pub(super) fn described_columns(node: &Node, schema: &RelationSchema, manifest: &Manifest) -> Vec<Diagnostic> {
    if schema.open || node.contract_enforced() {
        return Vec::new();
    }
    let names = || schema.columns.iter().map(|held| held.name.as_str());
    let missing = node.columns.iter().filter(|column| !names().any(called(column)));
    let told = missing.filter_map(|column| {
        let is_checked = CHECKED.iter().any(|key| column.meta.contains_key(*key));
        // A test of the column fails on it.
        if !is_checked && is_tested(node, column, manifest) {
            return None;
        }
        let message = format!("'{}' has no column '{}', which its properties describe", node.name, column.name);
        let mut problem = Diagnostic::new(&codes::UNKNOWN_DESCRIBED_COLUMN, message).at(column.span.unwrap_or(node.origin));
        if is_checked {
            problem.severity = Severity::Error;
            problem = problem.note("its units and labels are those of no column");
        }
        Some(problem.did_you_mean(&column.name, names()))
    });
    told.collect()
}

/// Whoever describes a part of a record writes a point.
fn called(column: &Column) -> impl Fn(&str) -> bool {
    let told = column.name.trim_matches('"');
    let record = told.split_once('.').map(|(record, _)| record);
    move |name| told.eq_ignore_ascii_case(name) || record.is_some_and(|record| record.eq_ignore_ascii_case(name))
}

fn is_tested(node: &Node, column: &Column, manifest: &Manifest) -> bool {
    manifest.nodes.iter().any(|reader| match &reader.detail {
        Detail::GenericTest(test) => {
            let tested = test.column.as_deref().map(|tested| tested.trim_matches('"'));
            test.attached == node.id && tested.is_some_and(called(column))
        }
        _ => false,
    })
}

//! Keys that an engine believes without watching over them: one that does not hold makes its answers wrong, so a key is declared
//! there only where a test of the project proves it.

use serde_json::Value;

use crate::plan::Contract;
use crate::project::{Constraint, ConstraintKind, Detail, GenericTest, Manifest, Node};

/// The contract without the keys that no test guards.
#[must_use]
pub(super) fn guarded(contract: Contract, node: &Node, manifest: &Manifest) -> Contract {
    let mut contract = contract;
    for column in &mut contract.columns {
        let name = column.name.clone();
        column.constraints.retain(|constraint| is_guarded(constraint, std::slice::from_ref(&name), node, manifest));
    }
    contract.constraints.retain(|constraint| is_guarded(constraint, &constraint.columns, node, manifest));
    contract
}

/// Whether tests of the project prove a constraint over these columns. What is no key is nothing to prove.
pub(super) fn is_guarded(constraint: &Constraint, columns: &[String], node: &Node, manifest: &Manifest) -> bool {
    let tests = || {
        // A test of some rows says nothing of the others.
        let of_all = |test: &&Node| test.config.get("where").is_none_or(Value::is_null);
        manifest.nodes.iter().filter(of_all).filter_map(move |test| match &test.detail {
            Detail::GenericTest(test) if test.attached == node.id => Some(test),
            _ => None,
        })
    };
    match constraint.kind {
        ConstraintKind::Unique | ConstraintKind::PrimaryKey => tests().any(|test| proves_unique(test, columns)),
        ConstraintKind::ForeignKey => {
            matches!(columns, [column] if tests().any(|test| test.test == "relationships" && is_of(test, column)))
        }
        ConstraintKind::Check | ConstraintKind::NotNull | ConstraintKind::Custom => true,
    }
}

fn proves_unique(test: &GenericTest, columns: &[String]) -> bool {
    match (test.test.as_str(), columns) {
        ("unique", [column]) => is_of(test, column),
        ("unique_combination_of_columns", columns) => {
            let Some(Value::Array(named)) = test.arguments.get("combination_of_columns") else { return false };
            let named: Vec<&str> = named.iter().filter_map(Value::as_str).collect();
            named.len() == columns.len() && columns.iter().all(|column| named.iter().any(|name| same(name, column)))
        }
        _ => false,
    }
}

fn is_of(test: &GenericTest, column: &str) -> bool {
    test.column.as_deref().is_some_and(|tested| same(tested, column))
}

fn same(one: &str, other: &str) -> bool {
    one.trim_matches('"').eq_ignore_ascii_case(other.trim_matches('"'))
}

//! Changes that break a contract: what readers of a model were promised and do not get any more.

use serde_json::Value;

use crate::diag::{Diagnostic, Severity, codes};
use crate::plan::state::{StateManifest, StateNode};
use crate::project::{Manifest, Node};

/// Kinds of constraints that engines enforce.
const ENFORCED: [&str; 5] = ["check", "foreign_key", "not_null", "primary_key", "unique"];

/// Warnings; errors for models with versions, where a new version is the way to change.
pub(super) fn breaking_changes(previous: &StateManifest, current: &StateManifest, manifest: &Manifest) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (id, old) in previous.models().filter(|(_, old)| old.contract.enforced) {
        let node = manifest.node(id);
        let changes = match current.node(id) {
            Some(new) => changes(old, new),
            // Who was told that it goes needs no contract any more.
            None if !old.deprecation_date.is_null() => Vec::new(),
            None if manifest.disabled.iter().any(|node| &*node.id == id) => vec!["it is disabled".to_owned()],
            None => vec!["it is gone, or has another name".to_owned()],
        };
        if !changes.is_empty() {
            problems.push(problem(id, old, node, changes));
        }
    }
    problems
}

fn problem(id: &str, old: &StateNode, node: Option<&Node>, changes: Vec<String>) -> Diagnostic {
    let name = node.map_or_else(|| id.rsplit('.').next().unwrap_or(id), |node| node.name.as_str());
    let problem = Diagnostic::new(&codes::BREAKING_CHANGE, format!("the contract of '{name}' is broken"));
    let mut problem = problem.at_opt(node.map(|node| node.properties.unwrap_or(node.origin)));
    for change in changes {
        problem = problem.note(change);
    }
    if old.version.is_null() {
        return problem.help("give the model versions, and change a new one");
    }
    problem.severity = Severity::Error;
    problem.help("leave this version as it was, and make the change in a new one")
}

fn changes(old: &StateNode, new: &StateNode) -> Vec<String> {
    if !new.contract.enforced {
        return vec!["the contract is not enforced any more".to_owned()];
    }
    let mut found = Vec::new();
    let enforces = |node: &StateNode| matches!(node.config.materialized.as_deref(), Some("table" | "incremental"));
    for (name, was) in &old.columns {
        let Some(is) = new.columns.get(name) else {
            found.push(format!("the column '{name}' is gone"));
            continue;
        };
        if base_type(was.data_type.as_deref()) != base_type(is.data_type.as_deref()) {
            let shown = |data_type: &Option<String>| data_type.clone().unwrap_or_else(|| "nothing".to_owned());
            found.push(format!("the type of '{name}' was {} and is {}", shown(&was.data_type), shown(&is.data_type)));
        }
        if enforces(old) {
            found.extend(lost(&was.constraints, &is.constraints).map(|kind| format!("the constraint {kind} on '{name}' is gone")));
        }
    }
    if enforces(old) {
        found.extend(lost(&old.constraints, &new.constraints).map(|kind| format!("the constraint {kind} of the model is gone")));
        let constrained =
            old.columns.values().any(|column| !listed(&column.constraints).is_empty()) || !listed(&old.constraints).is_empty();
        if constrained && !enforces(new) {
            let shown = |node: &StateNode| node.config.materialized.clone().unwrap_or_default();
            found.push(format!("it was built as a {} with constraints, and is a {} without", shown(old), shown(new)));
        }
    }
    found
}

/// Sizes are no promise: `varchar(10)` may become `varchar(20)`.
fn base_type(data_type: Option<&str>) -> Option<String> {
    data_type.map(|text| text.split('(').next().unwrap_or(text).trim().to_lowercase())
}

fn listed(constraints: &Value) -> &[Value] {
    constraints.as_array().map_or(&[], Vec::as_slice)
}

/// Kinds of enforced constraints that were there and are not.
fn lost<'a>(old: &'a Value, new: &'a Value) -> impl Iterator<Item = &'a str> {
    let gone = listed(old).iter().filter(move |constraint| !listed(new).contains(constraint));
    gone.filter_map(|constraint| constraint.get("type").and_then(Value::as_str)).filter(|kind| ENFORCED.contains(kind))
}

//! What under `meta` of a column is nearly a word of acca: by one wrong letter all checks of that column would be off, in silence.

use serde_json::Value;

use super::meaning::texts;
use super::personal::PERSONAL;
use super::units::{Declarations, is_unit};
use crate::diag::{Diagnostic, codes, nearest};
use crate::project::{Column, Node};

const KEYS: [&str; 5] = ["unit", "currency", "zone", "labels", "determined_by"];

/// Keys and labels of a column that are nearly those that mean something.
pub(super) fn near_misses(node: &Node, column: &Column, declarations: &Declarations) -> Vec<Diagnostic> {
    let place = column.span.unwrap_or(node.origin);
    let of_column = format!("of column '{}' of '{}'", column.name, node.name);
    let mut problems = Vec::new();
    for (key, value) in &column.meta {
        let Some(near) = nearest(key, KEYS).filter(|near| !KEYS.contains(&key.as_str()) && is_meant(key, near, value, declarations)) else {
            continue;
        };
        let message = format!("the key '{key}' under 'meta' {of_column} means nothing to acca");
        let problem = Diagnostic::new(&codes::UNEXPECTED_PROPERTY, message).at(place);
        problems.push(problem.help(format!("did you mean '{near}'?")));
    }
    for label in texts(column, "labels") {
        let more_used = declarations.labels.iter().filter(|(_, uses)| **uses > declarations.labels.get(&label).copied().unwrap_or(0));
        let forbidden = || declarations.forbidden.iter().map(String::as_str).chain([PERSONAL]);
        let known = more_used.map(|(name, _)| name.as_str()).chain(forbidden());
        let known = known.filter(|known| known.len() > 3 && !forbidden().any(|held| held == label));
        if let Some(near) = nearest(&label, known) {
            let message = format!("the label '{label}' {of_column} is nearly '{near}', and another one");
            let problem = Diagnostic::new(&codes::UNEXPECTED_PROPERTY, message).at(place);
            problems.push(problem.help(format!("did you mean '{near}'?")));
        }
    }
    problems
}

/// Other programs have keys of their own: only what can be a value of the key that it is near to is a slip.
fn is_meant(key: &str, near: &str, value: &Value, declarations: &Declarations) -> bool {
    let text = value.as_str();
    let of_one_letter = key.len().abs_diff(near.len()) <= 2 && key.len() > 3;
    of_one_letter
        && match near {
            "unit" => text.is_some_and(|name| is_unit(name, declarations)) || value.get("unit").is_some(),
            "zone" => text.is_some_and(|zone| zone.contains('/') || zone == "UTC"),
            "currency" => text.is_some(),
            "labels" => {
                let known = |label: &str| declarations.is_forbidden(label) || declarations.labels.contains_key(label);
                text.is_some_and(known) || value.as_array().is_some_and(|list| list.iter().any(|label| label.as_str().is_some_and(known)))
            }
            _ => text.is_some() || value.is_array(),
        }
}

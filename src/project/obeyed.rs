//! Configuration of nodes that cannot be read, and configuration that acca does not obey: silence would look like obedience.

use serde_json::Value;

use super::config_check::{checked_value, misspelled};
use super::{Config, Detail, Node};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

/// A key that looks like another one. Keys that look like none are a project's own, which its macros may ask for.
pub(super) fn unknown_config(key: &str, span: Span) -> Option<Diagnostic> {
    let near = misspelled(key)?;
    let problem = Diagnostic::new(&codes::UNKNOWN_CONFIG, format!("there is no configuration '{key}'")).at(span);
    Some(problem.help(format!("did you mean '{near}'?")))
}

/// What is wrong with the keys of an in-file `config()`.
pub fn check_told(told: &Config, node: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (key, held) in told.iter() {
        let span = held.span.or(node.body.map(|body| body.sub(0, 0))).unwrap_or(node.origin);
        problems.extend(unknown_config(key, span));
        if let Err(needed) = checked_value(key, held.value.clone()) {
            let shown = match &held.value {
                Value::String(text) => format!("'{text}'"),
                Value::Array(_) => "a list".to_owned(),
                Value::Object(_) => "a mapping".to_owned(),
                other => other.to_string(),
            };
            let message = format!("the configuration '{key}' is {shown}, and {needed} is needed");
            problems.push(Diagnostic::new(&codes::INVALID_CONFIG, message).at(span));
        }
    }
    problems
}

/// Settings that dbt obeys and acca does not.
pub fn not_obeyed(node: &Node) -> Vec<Diagnostic> {
    let config = &node.config;
    let mut found: Vec<(&str, &str)> = Vec::new();
    let is_model = matches!(node.detail, Detail::Model(_));
    if !is_model && config.get("contract").and_then(|contract| contract.get("enforced")) == Some(&Value::Bool(true)) {
        found.push(("contract", "only models have contracts"));
    }
    let place = |key: &str| config.span(key).or(node.properties).unwrap_or(node.origin);
    let warn = |(key, what): (&str, &str)| {
        Diagnostic::new(&codes::UNSUPPORTED_CONFIG, format!("'{key}' of '{}': {what}", node.name)).at(place(key))
    };
    found.into_iter().map(warn).collect()
}

//! What `meta` of a node says to acca: a word that is nearly one of acca's, or has another value, would be off in silence.

use serde_json::Value;

use crate::analysis::Compilation;
use crate::base::Sources;
use crate::diag::{Diagnostic, codes, nearest};
use crate::project::Node;

const KEYS: [&str; 3] = ["portable", "serving", "watermark"];

/// Whether a value can be meant for a key. Other programs have keys of their own.
fn is_meant(key: &str, value: &Value) -> bool {
    match key {
        "portable" => value.is_boolean() || value.is_string(),
        "serving" => value.is_string() || value.is_array(),
        _ => value.is_string(),
    }
}

/// What is wrong with `meta` of the nodes.
pub fn check_meta(compilation: &Compilation) -> Vec<Diagnostic> {
    compilation.manifest.nodes.iter().flat_map(|node| of_node(node, &compilation.project.sources)).collect()
}

fn of_node(node: &Node, sources: &Sources) -> Vec<Diagnostic> {
    let Some(meta) = node.config.get("meta").and_then(Value::as_object) else { return Vec::new() };
    // The place is that of the last `meta` for the node; a key of another one has none.
    let placed = |problem: Diagnostic, key: &str| match node.config.span("meta").filter(|span| sources.text(*span).contains(key)) {
        Some(place) => problem.at(place),
        None => problem.note("it is set for a folder of nodes"),
    };
    let mut problems = Vec::new();
    for (key, value) in meta {
        if key == "portable" && !value.is_boolean() {
            let said = value.as_str().map_or_else(|| value.to_string(), |text| format!("'{text}'"));
            let message = format!("'meta.portable' is {said}, which is neither true nor false");
            problems.push(placed(Diagnostic::new(&codes::INVALID_CONFIG, message), key).help("write portable: true"));
        }
        if let Some(near) = nearest(key, KEYS).filter(|near| !KEYS.contains(&key.as_str()) && is_meant(near, value)) {
            let message = format!("the key '{key}' under 'meta' means nothing to acca");
            problems.push(placed(Diagnostic::new(&codes::UNEXPECTED_PROPERTY, message), key).help(format!("did you mean '{near}'?")));
        }
    }
    problems
}

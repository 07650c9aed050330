//! What `meta` of a node says to acca: a word that is nearly one of acca's, or has another value, would be off in silence.

use serde_json::Value;

use crate::analysis::Compilation;
use crate::base::{Sources, Span};
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
    let placed = |problem: Diagnostic, key: &str| match place_of(key, node, sources) {
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

/// Where a key of `meta` is written. The last `meta` for the node has a place; a key of another one has none.
fn place_of(key: &str, node: &Node, sources: &Sources) -> Option<Span> {
    let within = |span: Span| word(sources.text(span), key).map(|at| span.sub(at, key.len()));
    let own = node.body.map(|body| (body, sources.text(body)));
    match (node.config.span("meta"), own) {
        // Of an argument of `config()` the place is that of its name.
        (Some(name), Some((body, text))) if name.file == body.file && name.start >= body.start && name.end <= body.end => {
            let from = name.end.checked_sub(body.start).and_then(|at| usize::try_from(at).ok())?;
            let value = text.get(from..).map(argument)?;
            let is_computed = !value.trim_start_matches([' ', '\t', '\r', '\n', '=']).starts_with('{');
            word(value, key).map(|at| body.sub(from + at, key.len())).or_else(|| is_computed.then_some(name))
        }
        (Some(meta), _) => within(meta),
        // `config({'meta': …})`
        (None, Some((body, text))) => word(text, key).map(|at| body.sub(at, key.len())),
        (None, None) => None,
    }
}

/// Where a key stands in a mapping, of YAML or of a template.
fn word(text: &str, key: &str) -> Option<usize> {
    let is_key = |(at, _): &(usize, &str)| {
        let (before, after) = (text.get(..*at).unwrap_or_default(), text.get(at + key.len()..).unwrap_or_default());
        let part = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        !part && after.trim_start_matches(['\'', '"']).trim_start().starts_with([':', '='])
    };
    text.match_indices(key).find(is_key).map(|(at, _)| at)
}

/// The rest of an argument in a call, up to the comma or the parenthesis behind it.
fn argument(text: &str) -> &str {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(held), c) if held == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth > 0 => depth -= 1,
            (None, ')' | ']' | '}') => return text.get(..at).unwrap_or(text),
            (None, ',') if depth == 0 => return text.get(..at).unwrap_or(text),
            (None, _) => {}
        }
    }
    text
}

//! Columns that the configuration of a node names and that its query does not give: the first run would not need them, the second would fail.

use serde_json::Value;

use super::facts::RelationSchema;
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Node};

/// Keys of configuration whose texts are columns of the query. What says how a table is stored is looked at with that.
const OF_INCREMENTAL: [&str; 3] = ["unique_key", "merge_update_columns", "merge_exclude_columns"];
const OF_BATCHES: [&str; 2] = ["unique_key", "event_time"];
const OF_SNAPSHOT: [&str; 3] = ["unique_key", "updated_at", "check_cols"];

/// So many columns are named where none is near.
const MOST_NAMES: usize = 12;

fn keys_of(node: &Node) -> &'static [&'static str] {
    match &node.detail {
        Detail::Snapshot { .. } => &OF_SNAPSHOT,
        Detail::Model(_) if node.config.str("materialized") != Some("incremental") => &[],
        Detail::Model(_) if node.config.str("incremental_strategy") == Some("microbatch") => &OF_BATCHES,
        Detail::Model(_) => &OF_INCREMENTAL,
        _ => &[],
    }
}

fn may_be_indexed(node: &Node) -> bool {
    matches!(node.detail, Detail::Model(_)) && matches!(node.materialized(), "table" | "incremental")
}

/// Whether the configuration of a node names columns of its query.
pub(super) fn names_columns(node: &Node) -> bool {
    keys_of(node).iter().any(|key| node.config.get(key).is_some_and(|value| !value.is_null()))
        || may_be_indexed(node) && !indexed(node).is_empty()
}

/// Says nothing of a query of which not all columns are known, and of texts that are expressions.
pub(super) fn configured_columns(node: &Node, query: &RelationSchema) -> Vec<Diagnostic> {
    if query.open {
        return Vec::new();
    }
    let numbered = node.columns.iter().filter(|column| column.is_identity()).map(|column| column.name.as_str());
    let names = || query.columns.iter().map(|column| column.name.as_str()).chain(numbered.clone());
    let mut named: Vec<(&str, Vec<String>)> = keys_of(node).iter().map(|key| (*key, node.config.strings(key))).collect();
    // What a snapshot adds to the columns of its query may be indexed too.
    if may_be_indexed(node) {
        named.push(("indexes", indexed(node)));
    }
    let mut problems = Vec::new();
    for (key, written) in named {
        for written in written {
            let name = written.trim().trim_matches('"');
            // All columns, and the names that a package may give with its relation.
            let is_all = key == "check_cols" && name.eq_ignore_ascii_case("all");
            if is_all || !is_name(name) || names().any(|held| held.eq_ignore_ascii_case(name)) {
                continue;
            }
            let message = format!("'{key}' of '{}' names '{name}', which its query does not give", node.name);
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.stored_at(key)).did_you_mean(name, names());
            problems.push(match problem.help.is_empty() {
                true => {
                    problem.help(format!("select the column, or name one of {}", names().take(MOST_NAMES).collect::<Vec<_>>().join(", ")))
                }
                false => problem,
            });
        }
    }
    problems
}

/// The columns of its indexes, and expressions among them.
fn indexed(node: &Node) -> Vec<String> {
    let of_meta = node.config.get("meta").and_then(|meta| meta.get("indexes"));
    let indexes = [node.config.get("indexes"), of_meta].into_iter().flatten().filter_map(Value::as_array).flatten();
    let columns = indexes.flat_map(|index| ["columns", "include"].map(|key| index.get(key)).into_iter().flatten());
    columns.filter_map(Value::as_array).flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
}

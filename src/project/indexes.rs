//! Indexes, as dbt's `indexes` asks for them, and with what it has no word for.

use serde_json::{Map, Value};

use super::node::Node;
use crate::diag::{Diagnostic, codes, nearest};

/// One entry of `indexes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexConfig {
    /// Names, or expressions as they stand in the statement.
    pub columns: Vec<String>,
    pub unique: bool,
    pub method: Option<String>,
    /// acca's own: the rows that it is for.
    pub predicate: Option<String>,
    /// acca's own: columns that it holds besides.
    pub include: Vec<String>,
}

/// PostgreSQL's methods; extensions bring others.
const METHODS: [&str; 6] = ["brin", "btree", "gin", "gist", "hash", "spgist"];

/// Those that hold more columns than they look for.
const INCLUDING: [&str; 3] = ["btree", "gist", "spgist"];

const KEYS: [&str; 5] = ["columns", "unique", "type", "where", "include"];

impl Node {
    /// The indexes of its configuration, and of its `meta`, where dbt lets stand what it does not know.
    ///
    /// # Errors
    /// `invalid-config` for what is no index.
    pub fn indexes(&self) -> Result<Vec<IndexConfig>, Diagnostic> {
        let own = self.config.get("indexes").map(|given| (given, self.config.span("indexes")));
        let more = self.config.get("meta").and_then(|meta| meta.get("indexes")).map(|given| (given, self.config.span("meta")));
        let mut all = Vec::new();
        for (given, span) in own.into_iter().chain(more).filter(|(given, _)| !given.is_null()) {
            let checked = match given {
                Value::Array(entries) => entries.iter().map(checked).collect::<Result<Vec<_>, _>>(),
                _ => Err(Wrong::of("is no list")),
            };
            all.extend(checked.map_err(|wrong| {
                let message = format!("'indexes' of '{}' {}", self.name, wrong.what);
                let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(span.or(self.body).unwrap_or(self.origin));
                let problem = wrong.near.into_iter().fold(problem, |problem, near| problem.help(format!("did you mean '{near}'?")));
                problem.help("write them like [{columns: [customer_id, placed_at], unique: true, type: btree}]")
            })?);
        }
        Ok(all)
    }
}

/// The end of a sentence, and what may have been meant.
struct Wrong {
    what: String,
    near: Option<&'static str>,
}

impl Wrong {
    fn of(what: impl Into<String>) -> Wrong {
        Wrong { what: what.into(), near: None }
    }
}

fn checked(entry: &Value) -> Result<IndexConfig, Wrong> {
    let Value::Object(entry) = entry else { return Err(Wrong::of("has an entry that is no mapping")) };
    if let Some(key) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Wrong { what: format!("has an entry with the unknown key '{key}'"), near: nearest(key, KEYS) });
    }
    let columns = names(entry, "columns");
    if columns.is_empty() {
        return Err(Wrong::of("has an entry without 'columns'"));
    }
    let unique = entry.get("unique").is_some_and(|unique| *unique == Value::Bool(true));
    let method = entry.get("type").and_then(Value::as_str).map(str::to_owned);
    if let Some(method) = &method {
        check_method(method, unique, columns.len())?;
    }
    let include = names(entry, "include");
    if let Some(method) =
        method.as_deref().filter(|method| !include.is_empty() && !INCLUDING.contains(&method.to_ascii_lowercase().as_str()))
    {
        return Err(Wrong::of(format!("has an entry with 'include', and an index of the type '{method}' holds no other columns")));
    }
    let predicate = entry.get("where").and_then(Value::as_str).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(IndexConfig { columns, unique, method, predicate, include })
}

fn check_method(method: &str, unique: bool, columns: usize) -> Result<(), Wrong> {
    let lower = method.to_ascii_lowercase();
    let is_known = METHODS.contains(&lower.as_str());
    let near = nearest(&lower, METHODS).filter(|_| !is_known);
    if near.is_some() || !method.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Wrong { what: format!("has an entry with the type '{method}'"), near });
    }
    if unique && is_known && lower != "btree" {
        return Err(Wrong::of(format!("has an entry that is unique, and an index of the type '{method}' is not")));
    }
    if columns > 1 && matches!(lower.as_str(), "hash" | "spgist") {
        return Err(Wrong::of(format!("has an entry with {columns} columns, and an index of the type '{method}' has one")));
    }
    Ok(())
}

/// A list of texts; a single text counts as a list of one.
fn names(entry: &Map<String, Value>, key: &str) -> Vec<String> {
    match entry.get(key) {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_index_is_told_with_what_may_be_meant() {
        for (entry, what, near) in [
            (json!({"columns": "id", "type": "btre"}), "has an entry with the type 'btre'", Some("btree")),
            (json!({"columns": "id", "wher": "x"}), "has an entry with the unknown key 'wher'", Some("where")),
            (
                json!({"columns": "id", "type": "brin", "unique": true}),
                "has an entry that is unique, and an index of the type 'brin' is not",
                None,
            ),
            (json!({"columns": ["a", "b"], "type": "hash"}), "has an entry with 2 columns, and an index of the type 'hash' has one", None),
            (
                json!({"columns": "a", "type": "gin", "include": "b"}),
                "has an entry with 'include', and an index of the type 'gin' holds no other columns",
                None,
            ),
            (json!({"unique": true}), "has an entry without 'columns'", None),
        ] {
            let wrong = checked(&entry).unwrap_err();
            assert_eq!((wrong.what.as_str(), wrong.near), (what, near));
        }
        let whole = checked(&json!({"columns": ["lower(name)"], "type": "btree", "where": " gone is null ", "include": ["id"]}));
        let Ok(whole) = whole else { panic!() };
        assert_eq!((whole.predicate.as_deref(), whole.include.as_slice()), (Some("gone is null"), &["id".to_owned()][..]));
        // Of an extension.
        assert!(checked(&json!({"columns": "a", "type": "hnsw"})).is_ok());
    }
}

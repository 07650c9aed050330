//! The configuration of one node: dbt's open set of keys, merged by dbt's rules.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::Span;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigValue {
    pub value: Value,
    pub span: Option<Span>,
}

/// Configuration keys (without `+`) with their values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// By key, ascending. There are a handful, in each of tens of thousands of nodes: a list takes a tenth of a tree's room.
    entries: Vec<(Arc<str>, ConfigValue)>,
}

impl Config {
    pub fn insert(&mut self, key: &str, value: Value, span: Option<Span>) {
        self.put(canonical(key), || canonical(key).into(), ConfigValue { value, span });
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(held, _)| (**held).cmp(key))
    }

    fn put(&mut self, key: &str, owned: impl FnOnce() -> Arc<str>, value: ConfigValue) {
        match self.place(key) {
            Ok(at) => {
                if let Some((_, held)) = self.entries.get_mut(at) {
                    *held = value;
                }
            }
            Err(at) => self.entries.insert(at, (owned(), value)),
        }
    }

    fn entry(&self, key: &str) -> Option<&ConfigValue> {
        self.entries.get(self.place(canonical(key)).ok()?).map(|(_, entry)| entry)
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Where the key that is in force was written.
    pub fn span(&self, key: &str) -> Option<Span> {
        self.entry(key)?.span
    }

    /// Says where a key was written, when it is there.
    pub fn set_span(&mut self, key: &str, span: Span) {
        if let Ok(at) = self.place(canonical(key))
            && let Some((_, entry)) = self.entries.get_mut(at)
        {
            entry.span = Some(span);
        }
    }

    /// The same values, from nowhere.
    pub fn without_places(&self) -> Config {
        let entries = self.entries.iter().map(|(key, entry)| (key.clone(), ConfigValue { value: entry.value.clone(), span: None }));
        Config { entries: entries.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &ConfigValue)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// A YAML or Jinja boolean; `None` where it is absent or something else.
    pub fn bool(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(Value::as_bool)
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn strings(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    }

    pub fn enabled(&self) -> bool {
        self.bool("enabled").unwrap_or(true)
    }

    /// Lays `nearer` (closer to the node) over this one: `tags`, `pre_hook`, `post_hook` and `packages` are joined,
    /// `meta`, `grants`, `column_types`, `quoting`, `contract`, `docs` and `snapshot_meta_column_names` are merged key by key
    /// (a grant written `+select` adds to the list), everything else is replaced.
    pub fn merge(&mut self, nearer: &Config) {
        if self.is_empty() {
            self.clone_from(nearer);
            return;
        }
        for (key, entry) in &nearer.entries {
            let merged = match (&**key, self.entry(key)) {
                ("tags" | "packages", Some(below)) => joined(&below.value, &entry.value),
                // A hook that stands at two levels runs twice, as in dbt.
                ("pre-hook" | "post-hook", Some(below)) => Value::Array([as_list(&below.value), as_list(&entry.value)].concat()),
                ("meta" | "column_types" | "quoting" | "contract" | "docs" | "snapshot_meta_column_names", Some(below)) => {
                    overlaid(&below.value, &entry.value)
                }
                ("grants", Some(below)) => merged_grants(&below.value, &entry.value),
                _ => entry.value.clone(),
            };
            self.put(key, || key.clone(), ConfigValue { value: merged, span: entry.span });
        }
    }
}

/// dbt spells hooks with a hyphen in YAML and an underscore in `config()`.
fn canonical(key: &str) -> &str {
    match key {
        "pre_hook" => "pre-hook",
        "post_hook" => "post-hook",
        other => other,
    }
}

fn as_list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

fn joined(below: &Value, above: &Value) -> Value {
    let mut all = as_list(below);
    for item in as_list(above) {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    Value::Array(all)
}

fn overlaid(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            let mut all = below.clone();
            all.extend(above.clone());
            Value::Object(all)
        }
        _ => above.clone(),
    }
}

fn merged_grants(below: &Value, above: &Value) -> Value {
    let (Value::Object(below), Value::Object(above)) = (below, above) else { return above.clone() };
    let mut all = below.clone();
    for (privilege, grantees) in above {
        match privilege.strip_prefix('+') {
            Some(plain) => {
                let base = all.get(plain).cloned().unwrap_or(Value::Null);
                all.insert(plain.to_owned(), joined(&base, grantees));
            }
            None => {
                all.insert(privilege.clone(), Value::Array(as_list(grantees)));
            }
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(entries: &[(&str, Value)]) -> Config {
        let mut config = Config::default();
        for (key, value) in entries {
            config.insert(key, value.clone(), None);
        }
        config
    }

    #[test]
    fn nearer_values_replace_but_tags_and_hooks_add_up() {
        let mut low =
            config(&[("materialized", json!("view")), ("tags", json!("a")), ("meta", json!({"x": 1, "y": 1})), ("pre_hook", json!("one"))]);
        low.merge(&config(&[
            ("materialized", json!("table")),
            ("tags", json!(["b", "a"])),
            ("meta", json!({"y": 2})),
            ("pre-hook", json!(["two"])),
        ]));
        assert_eq!(low.str("materialized"), Some("table"));
        assert_eq!(low.get("tags"), Some(&json!(["a", "b"])));
        assert_eq!(low.get("meta"), Some(&json!({"x": 1, "y": 2})));
        assert_eq!(low.get("pre_hook"), Some(&json!(["one", "two"])));
    }

    #[test]
    fn a_grant_with_plus_adds_grantees() {
        let mut low = config(&[("grants", json!({"select": ["a"]}))]);
        low.merge(&config(&[("grants", json!({"+select": ["b"], "insert": "c"}))]));
        assert_eq!(low.get("grants"), Some(&json!({"select": ["a", "b"], "insert": ["c"]})));
    }
}

//! The hooks of a node, whichever of their forms the configuration has.

use serde_json::Value;

use super::Config;

/// A hook as it is written: a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookTemplate {
    pub sql: String,
    /// Whether it runs in the transaction of its node.
    pub transaction: bool,
}

/// The hooks under `pre-hook` or `post-hook` in order.
pub fn hooks_of(config: &Config, key: &str) -> Vec<HookTemplate> {
    match config.get(key) {
        Some(Value::Array(hooks)) => hooks.iter().map(hook).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![hook(one)],
    }
}

/// A hook is a text, or a mapping of `sql` and `transaction` (which `config()` may pass as JSON text).
fn hook(value: &Value) -> HookTemplate {
    let mapping = match value {
        Value::Object(mapping) => Some(mapping.clone()),
        Value::String(text) => serde_json::from_str::<Value>(text).ok().and_then(|value| value.as_object().cloned()),
        _ => None,
    };
    match mapping {
        Some(mapping) => HookTemplate {
            sql: mapping.get("sql").and_then(Value::as_str).unwrap_or_default().to_owned(),
            transaction: mapping.get("transaction").and_then(Value::as_bool).unwrap_or(true),
        },
        None => HookTemplate { sql: value.as_str().unwrap_or_default().to_owned(), transaction: true },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hooks_have_three_forms() {
        let mut config = Config::default();
        config.insert("post-hook", json!(["a", {"sql": "b", "transaction": false}, "{\"sql\": \"c\", \"transaction\": false}"]), None);
        config.insert("pre-hook", json!("one"), None);
        let read = |key: &str| hooks_of(&config, key).into_iter().map(|hook| (hook.sql, hook.transaction)).collect::<Vec<_>>();
        assert_eq!(read("post-hook"), [("a".to_owned(), true), ("b".to_owned(), false), ("c".to_owned(), false)]);
        assert_eq!(read("pre-hook"), [("one".to_owned(), true)]);
    }
}

//! Which configuration keys exist and what their values may be. Keys that are not listed belong to adapters and are let through.

use serde_json::Value;

use crate::diag::nearest;

/// What the value of a key must be.
#[derive(Clone, Copy)]
enum Shape {
    Bool,
    Text,
    Texts,
    Count,
    Map,
    OneOf(&'static [&'static str]),
    Any,
}

/// In alphabetical order: looked up by binary search.
const KEYS: &[(&str, Shape)] = &[
    ("access", Shape::OneOf(&["private", "protected", "public"])),
    ("alias", Shape::Text),
    ("auto_refresh", Shape::Any),
    ("backup", Shape::Bool),
    ("batch_size", Shape::Any),
    ("begin", Shape::Any),
    ("bind", Shape::Bool),
    ("check_cols", Shape::Texts),
    ("column_types", Shape::Map),
    ("concurrent_batches", Shape::Bool),
    ("contract", Shape::Map),
    ("database", Shape::Text),
    ("dbt_valid_to_current", Shape::Text),
    ("delimiter", Shape::Text),
    ("dist", Shape::Text),
    ("docs", Shape::Map),
    ("enabled", Shape::Bool),
    ("encode", Shape::Any),
    ("error_if", Shape::Text),
    ("event_time", Shape::Any),
    ("fail_calc", Shape::Text),
    ("freshness", Shape::Map),
    ("full_refresh", Shape::Bool),
    ("grants", Shape::Map),
    ("group", Shape::Text),
    ("hard_deletes", Shape::OneOf(&["ignore", "invalidate", "new_record"])),
    ("incremental_predicates", Shape::Any),
    ("incremental_strategy", Shape::Text),
    ("indexes", Shape::Any),
    ("invalidate_hard_deletes", Shape::Bool),
    ("limit", Shape::Count),
    ("loaded_at_field", Shape::Text),
    ("loaded_at_query", Shape::Text),
    ("lookback", Shape::Any),
    ("materialized", Shape::Text),
    ("merge_exclude_columns", Shape::Texts),
    ("merge_update_columns", Shape::Texts),
    ("meta", Shape::Map),
    ("on_configuration_change", Shape::OneOf(&["apply", "continue", "fail"])),
    ("on_schema_change", Shape::OneOf(&["append_new_columns", "fail", "ignore", "sync_all_columns"])),
    ("packages", Shape::Texts),
    ("persist_docs", Shape::Map),
    ("post-hook", Shape::Any),
    ("post_hook", Shape::Any),
    ("pre-hook", Shape::Any),
    ("pre_hook", Shape::Any),
    ("predicates", Shape::Any),
    ("quote_columns", Shape::Bool),
    ("quoting", Shape::Map),
    ("schema", Shape::Text),
    ("severity", Shape::OneOf(&["error", "warn"])),
    ("snapshot_meta_column_names", Shape::Map),
    ("sort", Shape::Texts),
    ("sort_type", Shape::Text),
    ("sql_header", Shape::Text),
    ("static_analysis", Shape::Any),
    ("store_failures", Shape::Bool),
    ("store_failures_as", Shape::OneOf(&["ephemeral", "table", "view"])),
    ("strategy", Shape::Text),
    ("tags", Shape::Texts),
    ("target_database", Shape::Text),
    ("target_schema", Shape::Text),
    ("unique_key", Shape::Texts),
    ("unlogged", Shape::Bool),
    ("updated_at", Shape::Text),
    ("warn_if", Shape::Text),
    ("where", Shape::Text),
];

/// Keys that adapters of dbt read and that lie near a key above: not misspellings.
const ADAPTER_KEYS: &[&str] =
    &["bucket", "cluster_by", "database_role", "file_format", "format", "options", "partition_by", "partitioned_by", "tag", "schemas"];

/// All keys with a meaning of their own.
pub(super) fn known_config_keys() -> Vec<&'static str> {
    KEYS.iter().map(|(key, _)| *key).collect()
}

/// The known key that `key` looks like, when it is not one itself.
pub fn misspelled(key: &str) -> Option<&'static str> {
    if KEYS.iter().any(|(known, _)| *known == key) || ADAPTER_KEYS.contains(&key) || key.len() < 5 {
        return None;
    }
    nearest(key, KEYS.iter().map(|(known, _)| *known).filter(|known| known.len() >= 5))
}

/// The value as the key wants it (`'true'` becomes a boolean, `'warn'` any letter case).
///
/// # Errors
/// What is needed instead, as the end of a sentence: `a boolean`.
pub fn checked_value(key: &str, value: Value) -> Result<Value, String> {
    let shape = KEYS.binary_search_by_key(&key, |(known, _)| *known).ok().and_then(|at| KEYS.get(at)).map(|(_, shape)| *shape);
    let Some(shape) = shape else { return Ok(value) };
    if value.is_null() {
        return Ok(value);
    }
    match shape {
        Shape::Any => Ok(value),
        Shape::Bool => as_bool(value).map_err(|()| "a boolean".to_owned()),
        Shape::Text => as_text(value).map_err(|()| "a text".to_owned()),
        Shape::Count => as_count(value).map_err(|()| "a whole number from 0 on".to_owned()),
        Shape::Map if value.is_object() => Ok(value),
        Shape::Map => Err("a mapping".to_owned()),
        Shape::Texts => as_texts(value).map_err(|()| "a text or a list of texts".to_owned()),
        Shape::OneOf(allowed) => match value.as_str().map(str::to_lowercase) {
            Some(text) if allowed.contains(&text.as_str()) => Ok(value),
            _ => Err(format!("one of {}", allowed.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(", "))),
        },
    }
}

fn as_bool(value: Value) -> Result<Value, ()> {
    match &value {
        Value::Bool(_) => Ok(value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        _ => Err(()),
    }
}

fn as_text(value: Value) -> Result<Value, ()> {
    match &value {
        Value::String(_) => Ok(value),
        Value::Number(number) => Ok(Value::from(number.to_string())),
        // `group: on` is a boolean to YAML only.
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => Err(()),
    }
}

fn as_count(value: Value) -> Result<Value, ()> {
    match &value {
        Value::Number(number) if number.is_u64() => Ok(value),
        Value::String(text) => text.trim().parse::<u64>().map(Value::from).map_err(|_| ()),
        _ => Err(()),
    }
}

fn as_texts(value: Value) -> Result<Value, ()> {
    match value {
        Value::Array(items) => items.into_iter().map(as_text).collect(),
        other => as_text(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_in_order() {
        assert!(KEYS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn values_are_checked_and_brought_into_shape() {
        let cases = [
            ("enabled", json!("True"), Ok(json!(true))),
            ("enabled", json!("perhaps"), Err("a boolean")),
            ("tags", json!(["a", 1]), Ok(json!(["a", "1"]))),
            ("tags", json!({"a": 1}), Err("a text or a list of texts")),
            ("severity", json!("WARN"), Ok(json!("WARN"))),
            ("severity", json!("fatal"), Err("one of 'error', 'warn'")),
            ("meta", json!("x"), Err("a mapping")),
            ("limit", json!("5"), Ok(json!(5))),
            ("anything_else", json!([1]), Ok(json!([1]))),
        ];
        for (key, value, expected) in cases {
            assert_eq!(checked_value(key, value.clone()), expected.map_err(str::to_owned), "{key}: {value}");
        }
    }

    #[test]
    fn only_near_misses_are_misspelled() {
        assert_eq!(misspelled("materialised"), Some("materialized"));
        assert_eq!(misspelled("materialized"), None);
        assert_eq!(misspelled("partitioned_by"), None);
        assert_eq!(misspelled("cluster_keys"), None);
    }
}

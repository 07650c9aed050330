//! The configuration of a node in the manifest: all keys that dbt writes, with its defaults, and those that it does not know.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::base::ResourceType;
use crate::project::Node;

pub(super) struct NodeConfig<'a>(pub(super) &'a Node);

/// A default of dbt's.
#[derive(Clone, Copy)]
enum Preset {
    Null,
    Truth(bool),
    One,
    Text(&'static str),
    List,
    Map,
    Docs,
    Contract,
    SnapshotNames,
}

use Preset::{Contract, Docs, List, Map, Null, One, SnapshotNames, Text, Truth};

/// In dbt's order.
const COMMON: [(&str, Preset); 9] = [
    ("enabled", Truth(true)),
    ("alias", Null),
    ("schema", Null),
    ("database", Null),
    ("tags", List),
    ("meta", Map),
    ("group", Null),
    ("materialized", Null),
    ("static_analysis", Null),
];

const TEST: [(&str, Preset); 8] = [
    ("severity", Text("ERROR")),
    ("store_failures", Null),
    ("store_failures_as", Null),
    ("where", Null),
    ("limit", Null),
    ("fail_calc", Text("count(*)")),
    ("warn_if", Text("!= 0")),
    ("error_if", Text("!= 0")),
];

const BUILT: [(&str, Preset); 19] = [
    ("incremental_strategy", Null),
    ("batch_size", Null),
    ("lookback", One),
    ("begin", Null),
    ("persist_docs", Map),
    ("post-hook", List),
    ("pre-hook", List),
    ("quoting", Map),
    ("column_types", Map),
    ("full_refresh", Null),
    ("unique_key", Null),
    ("on_schema_change", Text("ignore")),
    ("on_configuration_change", Text("apply")),
    ("grants", Map),
    ("packages", List),
    ("docs", Docs),
    ("contract", Contract),
    ("event_time", Null),
    ("concurrent_batches", Null),
];

const MODEL: [(&str, Preset); 2] = [("access", Text("protected")), ("freshness", Null)];
const SEED: [(&str, Preset); 2] = [("delimiter", Text(",")), ("quote_columns", Null)];

const SNAPSHOT: [(&str, Preset); 7] = [
    ("strategy", Null),
    ("target_schema", Null),
    ("target_database", Null),
    ("updated_at", Null),
    ("check_cols", Null),
    ("snapshot_meta_column_names", SnapshotNames),
    ("dbt_valid_to_current", Null),
];

/// The keys that dbt always writes for a type of node.
fn presets(resource: ResourceType) -> [&'static [(&'static str, Preset)]; 3] {
    match resource {
        ResourceType::Test => [&COMMON, &TEST, &[]],
        ResourceType::Model => [&COMMON, &BUILT, &MODEL],
        ResourceType::Snapshot => [&COMMON, &BUILT, &SNAPSHOT],
        ResourceType::Seed => [&COMMON, &BUILT, &SEED],
        _ => [&COMMON, &BUILT, &[]],
    }
}

impl Serialize for NodeConfig<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let node = self.0;
        let presets = presets(node.resource);
        let mut entries = serializer.serialize_map(None)?;
        for (key, preset) in presets.into_iter().flatten() {
            match (*key, node.config.get(key)) {
                ("materialized", None) if node.resource == ResourceType::Analysis => entries.serialize_entry(key, "view")?,
                ("materialized", _) => entries.serialize_entry(key, node.materialized())?,
                ("tags", _) => entries.serialize_entry(key, &node.config_tags())?,
                ("store_failures" | "store_failures_as", _) => entries.serialize_entry(key, &failures(node, key))?,
                ("schema", None) if node.resource == ResourceType::Test => entries.serialize_entry(key, "dbt_test__audit")?,
                (_, Some(held)) => held_entry(&mut entries, key, *preset, held)?,
                (_, None) => entries.serialize_entry(key, preset)?,
            }
        }
        for (key, held) in node.config.iter() {
            if !presets.into_iter().flatten().any(|(preset, _)| *preset == key) {
                held_entry(&mut entries, key, Null, &held.value)?;
            }
        }
        entries.end()
    }
}

/// The two keys about failing rows say the same thing twice: what one lacks the other tells.
fn failures(node: &Node, key: &str) -> Value {
    let form = node.config.str("store_failures_as");
    match (key, form, node.config.bool("store_failures")) {
        ("store_failures", Some(form), _) => Value::Bool(form != "ephemeral"),
        ("store_failures_as", None, Some(kept)) => Value::from(if kept { "table" } else { "ephemeral" }),
        _ => node.config.get(key).cloned().unwrap_or_default(),
    }
}

fn held_entry<M: SerializeMap>(entries: &mut M, key: &str, preset: Preset, held: &Value) -> Result<(), M::Error> {
    match key {
        "pre-hook" | "post-hook" => entries.serialize_entry(key, &hooks(held)),
        "docs" | "contract" | "snapshot_meta_column_names" => entries.serialize_entry(key, &merged(preset.value(), held)),
        "meta" | "grants" | "quoting" | "column_types" | "persist_docs" if held.is_null() => entries.serialize_entry(key, &json!({})),
        _ => entries.serialize_entry(key, held),
    }
}

impl Preset {
    fn value(self) -> Value {
        match self {
            Null => Value::Null,
            Truth(truth) => Value::Bool(truth),
            One => Value::from(1),
            Text(text) => Value::from(text),
            List => json!([]),
            Map => json!({}),
            Docs => json!({"show": true, "node_color": null}),
            SnapshotNames => json!({
                "dbt_valid_to": null, "dbt_valid_from": null, "dbt_scd_id": null, "dbt_updated_at": null, "dbt_is_deleted": null,
            }),
            Contract => json!({"enforced": false, "alias_types": true}),
        }
    }
}

impl Serialize for Preset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

fn merged(defaults: Value, held: &Value) -> Value {
    let (Value::Object(mut all), Value::Object(held)) = (defaults, held) else { return held.clone() };
    all.extend(held.clone());
    Value::Object(all)
}

/// dbt lists hooks as mappings; a project may write them as texts.
fn hooks(value: &Value) -> Value {
    let one = |hook: &Value| match hook {
        Value::Object(_) => merged(json!({"sql": "", "transaction": true, "index": null}), hook),
        other => json!({"sql": other, "transaction": true, "index": null}),
    };
    match value {
        Value::Array(hooks) => Value::Array(hooks.iter().map(one).collect()),
        Value::Null => json!([]),
        hook => json!([one(hook)]),
    }
}

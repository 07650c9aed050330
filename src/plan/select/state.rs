//! The methods that compare with an earlier invocation: `state:`, `result:`, `source_status:`.
//!
//! What counts as a change is what dbt counts: the text, the configuration as written, where it is built, descriptions that are
//! written to the database, contracts, and the macros that are called.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::plan::state::{State, StateColumn, StateManifest, StateNode};

/// Configuration that is compared as the place in the database, or not at all.
const NOT_COMPARED: [&str; 5] = ["alias", "schema", "database", "tags", "group"];
const HOOKS: [&str; 4] = ["pre-hook", "post-hook", "pre_hook", "post_hook"];

/// An earlier invocation beside this one.
pub struct Compared<'a> {
    pub state: &'a State,
    modified_macros: BTreeSet<String>,
}

impl<'a> Compared<'a> {
    pub fn new(state: &'a State) -> Compared<'a> {
        let both = state.previous.as_ref().zip(state.current.as_ref());
        Compared { state, modified_macros: both.map(|(previous, current)| modified_macros(previous, current)).unwrap_or_default() }
    }

    pub(super) fn matches_state(&self, value: &str, id: &str) -> bool {
        let (Some(previous), Some(current)) = (&self.state.previous, &self.state.current) else { return false };
        let Some(new) = current.node(id) else { return false };
        let old = previous.node(id);
        let kind = Kind::of(new);
        match value {
            "new" => old.is_none(),
            "old" => old.is_some(),
            "modified" => self.is_modified(kind, old, new, current),
            "unmodified" => !self.is_modified(kind, old, new, current),
            "modified.body" => kind.has_body() && old.is_none_or(|old| !same_body(old, new)),
            "modified.configs" => kind != Kind::UnitTest && old.is_none_or(|old| !same_config(old, new)),
            "modified.relation" => (kind.has_body() || kind == Kind::Source) && old.is_none_or(|old| !same_relation(kind, old, new)),
            "modified.persisted_descriptions" => kind.has_body() && old.is_none_or(|old| !same_persisted_descriptions(old, new)),
            "modified.contract" => kind.has_body() && old.is_none_or(|old| !same_contract(old, new)),
            "modified.macros" => self.macros_modified(new, current),
            _ => false,
        }
    }

    pub(super) fn matches_result(&self, value: &str, id: &str) -> bool {
        self.state.results.as_ref().and_then(|results| results.get(id)).is_some_and(|status| status == value)
    }

    pub(super) fn is_fresher(&self, id: &str) -> bool {
        self.state.fresher.as_ref().is_some_and(|fresher| fresher.contains(id))
    }

    fn is_modified(&self, kind: Kind, old: Option<&StateNode>, new: &StateNode, current: &StateManifest) -> bool {
        let differs = match (kind, old) {
            // A source or an exposure that is new is no change: nothing is built of it.
            (Kind::Source | Kind::Exposure, None) => false,
            (_, None) => true,
            (Kind::Source, Some(old)) => !same_source(old, new),
            (Kind::Exposure, Some(old)) => !same_exposure(old, new),
            (Kind::UnitTest, Some(old)) => old.checksum != new.checksum,
            (Kind::GenericTest, Some(old)) => !(same_config(old, new) && old.fqn == new.fqn),
            (Kind::Model | Kind::Other, Some(old)) => !same_node(kind, old, new),
        };
        differs || self.macros_modified(new, current)
    }

    fn macros_modified(&self, new: &StateNode, current: &StateManifest) -> bool {
        if self.modified_macros.is_empty() {
            return false;
        }
        let mut seen = BTreeSet::new();
        let mut queue: Vec<&str> = new.depends_on.macros.iter().flatten().map(String::as_str).collect();
        while let Some(id) = queue.pop() {
            if !seen.insert(id) {
                continue;
            }
            if self.modified_macros.contains(id) {
                return true;
            }
            queue.extend(current.macros.get(id).into_iter().flat_map(|found| found.depends_on.macros.iter().flatten()).map(String::as_str));
        }
        false
    }
}

/// What of a node is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Model,
    GenericTest,
    /// Seeds, snapshots, analyses, singular tests.
    Other,
    Source,
    Exposure,
    UnitTest,
}

impl Kind {
    fn of(node: &StateNode) -> Kind {
        match node.resource_type.as_str() {
            "source" => Kind::Source,
            "exposure" => Kind::Exposure,
            "unit_test" => Kind::UnitTest,
            "model" => Kind::Model,
            "test" if node.raw_code.as_deref().is_some_and(|code| code.contains("_dbt_generic_test_kwargs")) => Kind::GenericTest,
            _ => Kind::Other,
        }
    }

    fn has_body(self) -> bool {
        matches!(self, Kind::Model | Kind::GenericTest | Kind::Other)
    }
}

/// Macros that are new, gone or different. Those of package `dbt` come with the program and are not compared.
fn modified_macros(previous: &StateManifest, current: &StateManifest) -> BTreeSet<String> {
    let text = |manifest: &StateManifest, id: &str| manifest.macros.get(id).map(|found| found.macro_sql.trim().to_owned());
    let ids = previous.macros.keys().chain(current.macros.keys()).filter(|id| !id.starts_with("macro.dbt."));
    ids.filter(|id| text(previous, id) != text(current, id)).cloned().collect()
}

fn same_node(kind: Kind, old: &StateNode, new: &StateNode) -> bool {
    same_body(old, new)
        && same_config(old, new)
        && same_persisted_descriptions(old, new)
        && old.fqn == new.fqn
        && same_relation(kind, old, new)
        && same_contract(old, new)
        && (kind != Kind::Model || same_for_readers(old, new))
}

fn same_body(old: &StateNode, new: &StateNode) -> bool {
    if new.resource_type == "seed" {
        return old.checksum == new.checksum;
    }
    let text = |node: &StateNode| node.raw_code.as_deref().unwrap_or_default().trim().replace("\r\n", "\n");
    text(old) == text(new)
}

fn same_config(old: &StateNode, new: &StateNode) -> bool {
    compared_config(&old.unrendered_config) == compared_config(&new.unrendered_config)
}

/// What is empty counts as not written.
fn compared_config(config: &Map<String, Value>) -> BTreeMap<String, Value> {
    let entries = config.iter().filter(|(key, _)| !NOT_COMPARED.contains(&key.as_str()));
    let entry = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::Array(_) => value.clone(),
            one if HOOKS.contains(&key.as_str()) => Value::Array(vec![one.clone()]),
            other => other.clone(),
        };
        Some((key.replace("_hook", "-hook"), without_empty(&value)?))
    };
    entries.filter_map(entry).collect()
}

/// Programs differ in which empty values they write.
fn without_empty(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(entries) => {
            let kept: Map<String, Value> = entries.iter().filter_map(|(key, value)| Some((key.clone(), without_empty(value)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other.clone()),
    }
}

fn same_value(old: &Value, new: &Value) -> bool {
    without_empty(old) == without_empty(new)
}

fn same_relation(kind: Kind, old: &StateNode, new: &StateNode) -> bool {
    if kind == Kind::Source {
        return old.database == new.database && old.schema == new.schema && old.identifier == new.identifier;
    }
    // As configured: another target builds in other places, which is no change.
    ["database", "schema", "alias"].iter().all(|key| {
        let value = |node: &StateNode| node.unrendered_config.get(*key).and_then(without_empty);
        value(old) == value(new)
    })
}

fn same_persisted_descriptions(old: &StateNode, new: &StateNode) -> bool {
    let persists = |what: &str| new.config.persist_docs.get(what).and_then(Value::as_bool).unwrap_or(false);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let columns = |node: &StateNode| -> BTreeMap<String, String> {
        node.columns.iter().map(|(name, column)| (name.clone(), text(&column.description))).collect()
    };
    (!persists("relation") || text(&old.description) == text(&new.description)) && (!persists("columns") || columns(old) == columns(new))
}

/// What decides whether a `ref()` to the model is allowed, and what it means.
fn same_for_readers(old: &StateNode, new: &StateNode) -> bool {
    old.latest_version == new.latest_version && old.access == new.access && old.deprecation_date == new.deprecation_date
}

fn same_contract(old: &StateNode, new: &StateNode) -> bool {
    if !old.contract.enforced || !new.contract.enforced {
        return old.contract.enforced == new.contract.enforced;
    }
    let column = |column: &StateColumn| (column.data_type.clone(), without_empty(&column.constraints));
    let columns = |node: &StateNode| node.columns.iter().map(|(name, held)| (name.clone(), column(held))).collect::<Vec<_>>();
    // Where constraints are enforced, they and the kind of relation belong to the contract.
    let enforces = |node: &StateNode| matches!(node.config.materialized.as_deref(), Some("table" | "incremental"));
    let around = |node: &StateNode| enforces(node).then(|| (node.config.materialized.clone(), without_empty(&node.constraints)));
    columns(old) == columns(new) && around(old) == around(new)
}

fn same_source(old: &StateNode, new: &StateNode) -> bool {
    same_relation(Kind::Source, old, new)
        && old.fqn == new.fqn
        && same_config(old, new)
        && same_value(&old.quoting, &new.quoting)
        && same_value(&old.freshness, &new.freshness)
        && old.loaded_at_field == new.loaded_at_field
        && same_value(&old.external, &new.external)
}

fn same_exposure(old: &StateNode, new: &StateNode) -> bool {
    let reads = |node: &StateNode| node.depends_on.nodes.iter().cloned().collect::<BTreeSet<_>>();
    old.fqn == new.fqn
        && old.kind == new.kind
        && same_value(&old.owner, &new.owner)
        && old.maturity == new.maturity
        && old.url == new.url
        && old.description.as_deref().unwrap_or_default() == new.description.as_deref().unwrap_or_default()
        && old.label == new.label
        && reads(old) == reads(new)
        && same_config(old, new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(contract: Value, materialized: &str, data_type: &str, constraints: Value) -> StateNode {
        serde_json::from_value(json!({
            "resource_type": "model", "contract": {"enforced": contract}, "config": {"materialized": materialized},
            "columns": {"id": {"name": "id", "data_type": data_type, "constraints": constraints, "description": null}},
        }))
        .unwrap()
    }

    #[test]
    fn a_contract_is_its_columns_and_where_they_are_enforced_the_constraints() {
        let view = |data_type: &str| model(json!(true), "view", data_type, json!([]));
        assert!(same_contract(&view("int"), &view("int")));
        assert!(!same_contract(&view("int"), &view("bigint")));
        assert!(!same_contract(&view("int"), &model(json!(true), "view", "int", json!([{"type": "not_null"}]))));
        assert!(!same_contract(&view("int"), &model(json!(true), "table", "int", json!([]))));
        assert!(!same_contract(&view("int"), &model(json!(false), "view", "int", json!([]))));
        let loose = |data_type: &str| model(json!(false), "view", data_type, json!([]));
        assert!(same_contract(&loose("int"), &loose("bigint")));
    }

    #[test]
    fn empty_values_and_the_spelling_of_hooks_are_no_changes() {
        let config = |value: Value| compared_config(value.as_object().unwrap());
        assert_eq!(config(json!({"meta": {}, "pre_hook": "x", "full_refresh": null, "tags": ["a"]})), config(json!({"pre-hook": ["x"]})));
        assert_ne!(config(json!({"meta": {"a": 1}})), config(json!({"meta": {"a": 2}})));
    }
}

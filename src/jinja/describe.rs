//! A node as dbt describes it: the `model` and `node` of templates, and the base of its entry in the manifest.

use serde_json::{Map, Value, json};

use crate::project::{Column, Detail, Node};

/// The keys that templates use, in dbt's spelling.
pub fn node(node: &Node) -> Value {
    let mut config: Map<String, Value> = node.config.iter().map(|(key, entry)| (key.to_owned(), entry.value.clone())).collect();
    if !node.materialized().is_empty() {
        config.insert("materialized".to_owned(), Value::from(node.materialized()));
    }
    config.entry("enabled").or_insert(Value::Bool(true));
    config.insert("tags".to_owned(), json!(node.config_tags()));
    let relation = node.relation.as_ref();
    let mut described = json!({
        "unique_id": &*node.id,
        "resource_type": node.resource.as_str(),
        "name": node.name,
        "package_name": &*node.package,
        "fqn": node.fqn,
        "alias": node.alias.as_deref().unwrap_or(&node.name),
        "database": relation.map(|relation| &*relation.database),
        "schema": relation.map(|relation| &*relation.schema),
        "relation_name": relation.map(crate::base::Relation::quoted),
        "description": node.description,
        "columns": columns(&node.columns),
        "meta": node.config.get("meta").cloned().unwrap_or_else(|| json!({})),
        "tags": node.tags(),
        "config": config,
        "refs": node.refs.iter().map(|call| json!({"name": call.name, "package": call.package, "version": call.version})).collect::<Vec<_>>(),
        "sources": node.source_calls.iter().map(|call| json!([call.source, call.table])).collect::<Vec<_>>(),
        "depends_on": {"macros": node.macros, "nodes": node.depends_on},
    });
    if let (Some(entries), Some(extra)) = (described.as_object_mut(), detail(node)) {
        entries.extend(extra);
    }
    described
}

pub fn columns(columns: &[Column]) -> Map<String, Value> {
    columns
        .iter()
        .map(|column| {
            let described = json!({
                "name": column.name,
                "description": column.description,
                "meta": column.meta,
                "data_type": column.data_type,
                "quote": column.quote,
                "tags": column.tags,
                "constraints": column.constraints,
            });
            (column.name.clone(), described)
        })
        .collect()
}

fn detail(node: &Node) -> Option<Map<String, Value>> {
    let extra = match &node.detail {
        Detail::Model(model) => json!({"version": model.version, "latest_version": model.latest_version, "constraints": model.constraints}),
        Detail::GenericTest(test) => json!({
            "test_metadata": {"name": test.test, "namespace": test.namespace, "kwargs": test.arguments},
            "column_name": test.column,
            "attached_node": &*test.attached,
        }),
        Detail::Source(source) => json!({
            "source_name": source.source_name,
            "source_description": source.source_description,
            "identifier": source.identifier,
            "loader": source.loader,
            "source_meta": source.source_meta,
            "meta": source.meta,
        }),
        Detail::Seed { .. }
        | Detail::Snapshot { .. }
        | Detail::Analysis
        | Detail::SingularTest
        | Detail::UnitTest(_)
        | Detail::Exposure(_)
        | Detail::Operation => {
            return None;
        }
    };
    match extra {
        Value::Object(entries) => Some(entries),
        _ => None,
    }
}

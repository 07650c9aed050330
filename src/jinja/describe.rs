//! A node as dbt describes it: the `model` and `node` of templates, and the base of its entry in the manifest.

use serde_json::{Map, Value, json};

use super::templates::Shared;
use crate::base::ResourceType;
use crate::project::{Column, Detail, Group, Node};

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

/// A node with what its file says: its paths and its text.
pub(super) fn describe_in(shared: &Shared, described: &Node) -> Value {
    let mut entries = match node(described) {
        Value::Object(entries) => entries,
        other => return other,
    };
    let file = match &described.detail {
        Detail::Seed { path } => path,
        _ => shared.sources.path(described.origin.file),
    };
    let package = shared.packages.iter().find(|package| package.name == described.package);
    let original = package.map_or(file, |package| package.path_inside(file));
    let template = described.made_template().map(|(text, _)| text);
    let raw_code = template.or_else(|| described.body.map(|body| shared.sources.text(body).trim_end().to_owned()));
    let more = json!({
        "path": package.map_or(original, |package| package.path_in_folder(described.resource, original)),
        "original_file_path": original,
        "group": described.config.get("group"),
        "language": "sql",
        "raw_code": raw_code.unwrap_or_default(),
        "docs": described.config.get("docs").cloned().unwrap_or_else(|| json!({"show": true, "node_color": null})),
        "patch_path": described.properties.map(|span| {
            let file = shared.sources.path(span.file);
            format!("{}://{}", described.package, package.map_or(file, |package| package.path_inside(file)))
        }),
        "doc_blocks": described.doc_blocks,
        "access": described.config.str("access").unwrap_or("protected"),
    });
    let of_models = |key: &str| key == "access";
    let of_bodies = |key: &str| matches!(key, "raw_code" | "language" | "docs" | "group" | "patch_path");
    let has_body = !matches!(described.detail, Detail::Source(_) | Detail::Exposure(_));
    for (key, value) in more.as_object().into_iter().flatten() {
        if of_models(key) && !matches!(described.detail, Detail::Model(_)) || of_bodies(key) && !has_body {
            continue;
        }
        entries.insert(key.clone(), value.clone());
    }
    Value::Object(entries)
}

/// A group as `graph.groups` holds it.
pub(super) fn describe_group(shared: &Shared, group: &Group) -> Value {
    let file = shared.sources.path(group.span.file);
    let package = shared.packages.iter().find(|package| package.name == group.package);
    let original = package.map_or(file, |package| package.path_inside(file));
    json!({
        "name": group.name,
        "resource_type": "group",
        "package_name": &*group.package,
        "path": package.map_or(original, |package| package.path_in_folder(ResourceType::Model, original)),
        "original_file_path": original,
        "unique_id": group.id(),
        "owner": group.owner,
        "description": group.description,
        "config": {"meta": group.meta},
    })
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

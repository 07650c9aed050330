//! The manifest's entries of sources, exposures, macros and doc blocks, with dbt's keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::manifest::Writer;
use super::node_entry::{Columns, Refs, SourceCalls};
use crate::jinja::{BUILTIN_PACKAGE, macro_calls};
use crate::project::{DocBlock, Exposure, Macro, Node, SourceTable};

impl Writer<'_> {
    pub(super) fn source(&self, node: &Node, table: &SourceTable) -> Value {
        json!({
            "database": node.relation.as_ref().map(|relation| &*relation.database).or(table.database.as_deref()),
            "schema": node.relation.as_ref().map_or(&*table.schema, |relation| &*relation.schema),
            "name": node.name,
            "resource_type": "source",
            "package_name": &*node.package,
            "path": self.original_path(node),
            "original_file_path": self.original_path(node),
            "unique_id": &*node.id,
            "fqn": node.fqn,
            "source_name": table.source_name,
            "source_description": table.source_description,
            "loader": table.loader,
            "identifier": table.identifier,
            "quoting": quoting(&table.quoting),
            "loaded_at_field": table.loaded_at_field,
            "loaded_at_query": table.loaded_at_query,
            "freshness": freshness(table),
            "external": table.described_external,
            "description": node.description,
            "columns": Columns(&node.columns),
            "meta": table.meta,
            "source_meta": table.source_meta,
            "tags": table.tags,
            "config": {
                "enabled": node.config.enabled(),
                "event_time": node.config.get("event_time"),
                "freshness": freshness(table),
                "loaded_at_field": table.loaded_at_field,
                "loaded_at_query": table.loaded_at_query,
                "meta": table.meta,
                "tags": table.tags,
                "static_analysis": null,
            },
            "patch_path": null,
            "unrendered_config": self.unrendered_config(node),
            "relation_name": self.relation_name(node),
            "created_at": self.metadata.created_at,
            "doc_blocks": node.doc_blocks,
            "unrendered_database": table.database,
            "unrendered_schema": table.schema,
        })
    }

    pub(super) fn exposure(&self, node: &Node, exposure: &Exposure) -> Value {
        json!({
            "name": node.name,
            "resource_type": "exposure",
            "package_name": &*node.package,
            "path": self.path_in_folder(node),
            "original_file_path": self.original_path(node),
            "unique_id": &*node.id,
            "fqn": node.fqn,
            "type": exposure.kind,
            "owner": {"email": exposure.owner_email, "name": exposure.owner_name},
            "description": node.description,
            "label": exposure.label,
            "maturity": exposure.maturity,
            "meta": node.config.get("meta").cloned().unwrap_or_else(|| json!({})),
            "tags": node.tags(),
            "config": {"enabled": node.config.enabled(), "tags": node.tags(), "meta": node.config.get("meta").cloned().unwrap_or_else(|| json!({}))},
            "unrendered_config": self.unrendered_config(node),
            "url": exposure.url,
            "depends_on": {"macros": node.macros, "nodes": node.depends_on},
            "refs": Refs(&node.refs),
            "sources": SourceCalls(&node.source_calls),
            "metrics": [],
            "created_at": self.metadata.created_at,
        })
    }

    pub(super) fn macro_entry(&self, found: &Macro) -> Value {
        let path = self.path_in_package(self.sources().path(found.body.file), &found.package);
        json!({
            "name": found.name,
            "resource_type": "macro",
            "package_name": &*found.package,
            "path": path,
            "original_file_path": path,
            "unique_id": &*found.id,
            "macro_sql": self.macro_text(found),
            "depends_on": {"macros": self.macros_called(found)},
            "description": found.description,
            "meta": found.meta,
            "docs": {"show": true, "node_color": null},
            "config": {"meta": found.meta, "docs": {"show": true, "node_color": null}},
            "patch_path": found.properties.map(|span| self.patch_path(span, &found.package)),
            "arguments": found.arguments.iter().map(argument).collect::<Vec<_>>(),
            "created_at": self.metadata.created_at,
            "supported_languages": null,
        })
    }

    pub(super) fn doc(&self, doc: &DocBlock) -> Value {
        let path = self.path_in_package(self.sources().path(doc.text.file), &doc.package);
        json!({
            "name": doc.name,
            "resource_type": "doc",
            "package_name": &*doc.package,
            "path": self.path_in_any_folder(path, &doc.package),
            "original_file_path": path,
            "unique_id": format!("doc.{}.{}", doc.package, doc.name),
            "block_contents": self.sources().text(doc.text).trim(),
        })
    }

    /// Ids of the macros that a macro calls by name, as they are looked up: its own package, the root, the built-in ones.
    fn macros_called(&self, found: &Macro) -> Vec<String> {
        let body = self.sources().text(found.body);
        let root = &*self.compilation.project.name;
        let known = |package: &str, name: &str| {
            let id = format!("macro.{package}.{name}");
            self.macro_ids.contains(id.as_str()).then_some(id)
        };
        let resolve = |(package, name): (Option<&str>, &str)| match package {
            Some(package) => known(package, name),
            None => [&*found.package, root, BUILTIN_PACKAGE].into_iter().find_map(|package| known(package, name)),
        };
        let called: BTreeSet<String> = macro_calls(body).into_iter().filter_map(resolve).filter(|id| **id != *found.id).collect();
        called.into_iter().collect()
    }

    /// The block with its tags, from the `{%` before its name to the `%}` behind its body.
    fn macro_text(&self, found: &Macro) -> String {
        let text = &self.sources().file(found.body.file).text;
        let name = found.name_span.range();
        let start = text.get(..name.start).and_then(|before| before.rfind("{%")).unwrap_or(name.start);
        let body_end = found.body.range().end;
        let end = text.get(body_end..).and_then(|behind| behind.find("%}")).map_or(text.len(), |at| body_end + at + 2);
        text.get(start..end).unwrap_or_default().to_owned()
    }
}

/// With every key, as dbt writes limits that are not set.
fn freshness(table: &SourceTable) -> Value {
    let get = |key: &str| table.freshness.as_ref().and_then(|freshness| freshness.get(key));
    let limit = |key: &str| {
        let part = |name: &str| get(key).and_then(|limit| limit.get(name)).cloned();
        json!({"count": part("count"), "period": part("period")})
    };
    json!({"warn_after": limit("warn_after"), "error_after": limit("error_after"), "filter": get("filter")})
}

fn quoting(held: &BTreeMap<String, bool>) -> Value {
    let get = |key: &str| held.get(key).copied();
    json!({"database": get("database"), "schema": get("schema"), "identifier": get("identifier"), "column": get("column")})
}

/// An argument of a macro with the keys that the schema allows.
fn argument(written: &Value) -> Value {
    let get = |key: &str| written.get(key).cloned().unwrap_or(Value::Null);
    json!({"name": get("name"), "type": get("type"), "description": written.get("description").cloned().unwrap_or_else(|| json!(""))})
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(entries) => entries,
        _ => Map::new(),
    }
}

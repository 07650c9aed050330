//! The entries of the manifest: nodes, sources, exposures, macros and doc blocks with dbt's keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::manifest::{Compiled, Writer};
use crate::base::{Relation, ResourceType};
use crate::jinja::describe;
use crate::plan::failures_kept;
use crate::project::{Column, Detail, DocBlock, Exposure, Macro, Node, SourceTable};

/// Seeds above this size have their path for a checksum, as in dbt.
const LARGEST_HASHED_SEED: usize = 1 << 20;

impl Writer<'_> {
    /// A model, seed, snapshot, test or analysis.
    pub(super) fn node(&self, node: &Node, compiled: Option<&Compiled>) -> Value {
        let target = &self.compilation.project.target;
        let relation = node.relation.as_ref();
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| {
            entry.insert(key.to_owned(), value);
        };
        put("database", json!(relation.map_or(&*target.database, |relation| &*relation.database)));
        put("schema", json!(relation.map_or(&*target.schema, |relation| &*relation.schema)));
        put("name", json!(node.name));
        put("resource_type", json!(node.resource.as_str()));
        put("package_name", json!(&*node.package));
        put("path", json!(self.path_in_folder(node)));
        put("original_file_path", json!(self.original_path(node)));
        put("unique_id", json!(&*node.id));
        put("fqn", json!(node.fqn));
        put("alias", json!(node.alias.as_deref().unwrap_or(&node.name)));
        put("checksum", self.checksum(node));
        put("config", config(node));
        put("tags", json!(node.tags()));
        put("description", json!(node.description));
        put("columns", columns(&node.columns));
        put("meta", node.config.get("meta").cloned().unwrap_or_else(|| json!({})));
        put("group", node.config.get("group").cloned().unwrap_or(Value::Null));
        put("docs", docs(node));
        put("patch_path", json!(self.patch_path(node)));
        put("build_path", Value::Null);
        put("unrendered_config", json!({}));
        put("created_at", json!(self.metadata.created_at));
        put("relation_name", json!(self.relation_name(node)));
        put("raw_code", json!(self.raw_code(node)));
        put("doc_blocks", json!([]));
        if matches!(node.detail, Detail::Seed { .. }) {
            put("root_path", Value::Null);
            put("depends_on", json!({"macros": []}));
        } else {
            entry.extend(references(node));
            entry.extend(compiled_part(node, compiled));
        }
        entry.extend(detail_part(node));
        match &node.detail {
            Detail::Model(model) => {
                entry.insert("primary_key".to_owned(), json!(self.primary_key(node, &model.constraints)));
            }
            Detail::GenericTest(test) => {
                entry.insert("file_key_name".to_owned(), json!(self.file_key(&test.attached)));
            }
            _ => {}
        }
        Value::Object(entry)
    }

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
            "freshness": table.freshness,
            "external": null,
            "description": node.description,
            "columns": columns(&node.columns),
            "meta": table.meta,
            "source_meta": table.source_meta,
            "tags": table.tags,
            "config": {
                "enabled": node.config.enabled(),
                "event_time": node.config.get("event_time"),
                "freshness": table.freshness,
                "loaded_at_field": table.loaded_at_field,
                "loaded_at_query": table.loaded_at_query,
                "meta": table.meta,
                "tags": table.tags,
            },
            "patch_path": null,
            "unrendered_config": {},
            "relation_name": self.relation_name(node),
            "created_at": self.metadata.created_at,
            "doc_blocks": [],
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
            "unrendered_config": {},
            "url": exposure.url,
            "depends_on": {"macros": node.macros, "nodes": node.depends_on},
            "refs": refs(node),
            "sources": source_calls(node),
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
            "depends_on": {"macros": []},
            "description": found.description,
            "meta": found.meta,
            "docs": {"show": true, "node_color": null},
            "config": {"meta": found.meta, "docs": {"show": true, "node_color": null}},
            "patch_path": null,
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
            "path": path,
            "original_file_path": path,
            "unique_id": format!("doc.{}.{}", doc.package, doc.name),
            "block_contents": self.sources().text(doc.text).trim(),
        })
    }

    fn relation_name(&self, node: &Node) -> Option<String> {
        let is_stored = node.resource != ResourceType::Test || failures_kept(node, false).is_some();
        node.relation.as_ref().filter(|_| !node.is_ephemeral() && is_stored).map(Relation::quoted)
    }

    fn patch_path(&self, node: &Node) -> Option<String> {
        let path = self.sources().path(node.properties.filter(|_| !matches!(node.detail, Detail::GenericTest(_)))?.file);
        Some(format!("{}://{}", node.package, self.path_in_package(path, &node.package)))
    }

    /// The columns that identify a row: as constraints say, or else those that are tested to be unique, best of all not null too.
    fn primary_key(&self, node: &Node, constraints: &[Value]) -> Vec<String> {
        let is_key = |constraint: &&Value| constraint.get("type").and_then(Value::as_str) == Some("primary_key");
        if let Some(Value::Array(columns)) = constraints.iter().find(is_key).and_then(|constraint| constraint.get("columns")) {
            return columns.iter().filter_map(|column| column.as_str().map(str::to_owned)).collect();
        }
        if let Some(column) = node.columns.iter().find(|column| column.constraints.iter().any(|constraint| is_key(&constraint))) {
            return vec![column.name.clone()];
        }
        let tested = self.key_tests.get(&*node.id);
        let columns = |test: &str| -> BTreeSet<String> {
            tested.into_iter().flatten().filter(|(name, _)| *name == test).map(|(_, column)| (*column).to_owned()).collect()
        };
        let (not_null, unique) = (columns("not_null"), columns("unique"));
        let both: Vec<String> = unique.intersection(&not_null).cloned().collect();
        if both.is_empty() { unique.into_iter().collect() } else { both }
    }

    /// The section and name under which a properties file describes what a test is attached to.
    fn file_key(&self, attached: &str) -> Option<String> {
        let node = self.compilation.manifest.node(attached)?;
        Some(match &node.detail {
            Detail::Source(source) => format!("sources.{}", source.source_name),
            _ => format!("{}s.{}", node.resource, node.name),
        })
    }

    /// The template as the file holds it; a generic test has the call that dbt writes for it.
    fn raw_code(&self, node: &Node) -> String {
        if let Some((text, _)) = node.made_template() {
            return text;
        }
        match (&node.detail, node.body) {
            (Detail::Snapshot { .. }, Some(body)) => self.sources().text(body).to_owned(),
            (_, Some(body)) => self.sources().text(body).trim_end().to_owned(),
            (_, None) => String::new(),
        }
    }

    fn checksum(&self, node: &Node) -> Value {
        let file = self.sources().file(node.origin.file);
        let hashed = |bytes: &[u8]| json!({"name": "sha256", "checksum": hex(&Sha256::digest(bytes))});
        match &node.detail {
            Detail::GenericTest(_) => json!({"name": "none", "checksum": ""}),
            Detail::Seed { path } => match self.files.read(path) {
                Ok(bytes) if bytes.len() <= LARGEST_HASHED_SEED => hashed(bytes.trim_ascii()),
                _ => json!({"name": "path", "checksum": path}),
            },
            _ => hashed(file.text.trim().as_bytes()),
        }
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refs(node: &Node) -> Vec<Value> {
    node.refs.iter().map(|call| json!({"name": call.name, "package": call.package, "version": call.version})).collect()
}

fn source_calls(node: &Node) -> Vec<Value> {
    node.source_calls.iter().map(|call| json!([call.source, call.table])).collect()
}

fn references(node: &Node) -> Map<String, Value> {
    object(json!({
        "language": "sql",
        "refs": refs(node),
        "sources": source_calls(node),
        "metrics": [],
        "functions": [],
        "depends_on": {"macros": node.macros, "nodes": node.depends_on},
    }))
}

fn compiled_part(node: &Node, compiled: Option<&Compiled>) -> Map<String, Value> {
    let mut part = object(json!({"compiled_path": compiled.and_then(|compiled| compiled.path.as_deref()), "contract": contract(node)}));
    if let Some(compiled) = compiled {
        part.extend(object(json!({
            "compiled": true,
            "compiled_code": compiled.sql.trim_end(),
            "extra_ctes_injected": true,
            "extra_ctes": [],
        })));
    }
    part
}

fn contract(node: &Node) -> Value {
    let enforced = node.config.get("contract").and_then(|contract| contract.get("enforced")).and_then(Value::as_bool);
    json!({"enforced": enforced.unwrap_or(false), "alias_types": true, "checksum": null})
}

fn docs(node: &Node) -> Value {
    let held = node.config.get("docs");
    let get = |key: &str| held.and_then(|docs| docs.get(key)).cloned();
    json!({"show": get("show").unwrap_or(Value::Bool(true)), "node_color": get("node_color")})
}

/// Keys that only one type of node has.
fn detail_part(node: &Node) -> Map<String, Value> {
    match &node.detail {
        Detail::Model(model) => object(json!({
            "access": node.config.str("access").unwrap_or("protected"),
            "constraints": model.constraints,
            "version": model.version.as_deref().map(number_or_text),
            "latest_version": model.latest_version.as_deref().map(number_or_text),
            "deprecation_date": null,
            "time_spine": null,
        })),
        Detail::GenericTest(test) => {
            let mut arguments: Map<String, Value> = test.arguments.clone().into_iter().collect();
            if let Some(column) = &test.column {
                arguments.insert("column_name".to_owned(), json!(column));
            }
            arguments.insert("model".to_owned(), json!(format!("{{{{ get_where_subquery({}) }}}}", test.model_expression)));
            object(json!({
                "column_name": test.column,
                "attached_node": &*test.attached,
                "test_metadata": {"name": test.test, "kwargs": arguments, "namespace": test.namespace},
            }))
        }
        Detail::Seed { .. }
        | Detail::Snapshot { .. }
        | Detail::Analysis
        | Detail::SingularTest
        | Detail::Source(_)
        | Detail::Exposure(_)
        | Detail::Operation => Map::new(),
    }
}

fn number_or_text(version: &str) -> Value {
    version.parse::<i64>().map(Value::from).or_else(|_| version.parse::<f64>().map(Value::from)).unwrap_or_else(|_| Value::from(version))
}

/// All keys that dbt writes, with its defaults, and those that it does not know.
pub(super) fn config(node: &Node) -> Value {
    let mut config = object(json!({
        "enabled": true, "alias": null, "schema": null, "database": null, "tags": [], "meta": {}, "group": null,
        "materialized": node.materialized(), "static_analysis": null,
    }));
    config.extend(match node.resource {
        ResourceType::Test => object(json!({
            "schema": "dbt_test__audit", "severity": "ERROR", "store_failures": null, "store_failures_as": null, "where": null, "limit": null,
            "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0",
        })),
        _ => object(json!({
            "incremental_strategy": null, "batch_size": null, "lookback": 1, "begin": null, "persist_docs": {}, "post-hook": [],
            "pre-hook": [], "quoting": {}, "column_types": {}, "full_refresh": null, "unique_key": null, "on_schema_change": "ignore",
            "on_configuration_change": "apply", "grants": {}, "packages": [], "docs": {"show": true, "node_color": null},
            "contract": {"enforced": false, "alias_types": true}, "event_time": null, "concurrent_batches": null,
        })),
    });
    config.extend(match node.resource {
        ResourceType::Model => object(json!({"access": "protected", "freshness": null})),
        ResourceType::Seed => object(json!({"delimiter": ",", "quote_columns": null})),
        _ => Map::new(),
    });
    for (key, held) in node.config.iter() {
        let value = match key {
            "pre-hook" | "post-hook" => hooks(&held.value),
            "contract" | "docs" => merged(config.get(key), &held.value),
            "meta" | "grants" | "quoting" | "column_types" | "persist_docs" if held.value.is_null() => json!({}),
            _ => held.value.clone(),
        };
        config.insert(key.to_owned(), value);
    }
    config.insert("materialized".to_owned(), json!(node.materialized()));
    config.insert("tags".to_owned(), json!(node.tags()));
    Value::Object(config)
}

fn merged(defaults: Option<&Value>, held: &Value) -> Value {
    let (Some(Value::Object(defaults)), Value::Object(held)) = (defaults, held) else { return held.clone() };
    let mut all = defaults.clone();
    all.extend(held.clone());
    Value::Object(all)
}

/// dbt lists hooks as mappings; a project may write them as texts.
fn hooks(value: &Value) -> Value {
    let one = |hook: &Value| match hook {
        Value::Object(_) => merged(Some(&json!({"sql": "", "transaction": true, "index": null})), hook),
        other => json!({"sql": other, "transaction": true, "index": null}),
    };
    match value {
        Value::Array(hooks) => Value::Array(hooks.iter().map(one).collect()),
        Value::Null => json!([]),
        hook => json!([one(hook)]),
    }
}

fn columns(columns: &[Column]) -> Value {
    let mut described = describe::columns(columns);
    for (name, column) in described.iter_mut() {
        let Some(held) = columns.iter().find(|held| held.name == *name) else { continue };
        if let Some(entry) = column.as_object_mut() {
            entry.insert("config".to_owned(), json!({"meta": held.meta, "tags": held.tags}));
            entry.insert("doc_blocks".to_owned(), json!([]));
            entry.insert("constraints".to_owned(), json!(held.constraints));
        }
    }
    Value::Object(described)
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

//! `manifest.json`, version 12.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::Metadata;
use super::entry::object;
use crate::analysis::Compilation;
use crate::base::{Files, ResourceType, Sources, UniqueId};
use crate::project::{Detail, Manifest, Node, Package};

/// The SQL of a node and where it was written, relative to the project's root.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    pub sql: String,
    pub path: Option<String>,
}

pub(super) struct Writer<'a> {
    pub(super) compilation: &'a Compilation,
    pub(super) files: &'a dyn Files,
    pub(super) metadata: &'a Metadata,
    /// For each node the tests of its columns that may tell its key, with the column.
    pub(super) key_tests: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
}

type Neighbours<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The linked project as dbt writes it. `compiled` holds the nodes that were compiled in this invocation; `files` are asked for
/// the bytes of seeds.
pub fn manifest(compilation: &Compilation, compiled: &BTreeMap<UniqueId, Compiled>, files: &dyn Files, metadata: &Metadata) -> Value {
    let linked = &compilation.manifest;
    let writer = Writer { compilation, files, metadata, key_tests: key_tests(linked) };
    let (mut nodes, mut sources, mut exposures) = (Map::new(), Map::new(), Map::new());
    let entries: Vec<Value> = linked.nodes.par_iter().map(|node| writer.entry(node, compiled.get(&node.id))).collect();
    for (node, entry) in linked.nodes.iter().zip(entries) {
        let section = match node.detail {
            Detail::Source(_) => &mut sources,
            Detail::Exposure(_) => &mut exposures,
            _ => &mut nodes,
        };
        section.insert(node.id.to_string(), entry);
    }
    let macros: BTreeMap<String, Value> = linked.macros.iter().map(|found| (found.id.to_string(), writer.macro_entry(found))).collect();
    let docs: BTreeMap<String, Value> =
        linked.docs.iter().map(|doc| (format!("doc.{}.{}", doc.package, doc.name), writer.doc(doc))).collect();
    let (parents, children) = writer.maps();
    json!({
        "metadata": writer.metadata(),
        "nodes": nodes,
        "sources": sources,
        "macros": macros,
        "docs": docs,
        "exposures": exposures,
        "metrics": {},
        "groups": {},
        "selectors": {},
        "disabled": writer.disabled(),
        "parent_map": parents,
        "child_map": children,
        "group_map": writer.group_map(),
        "saved_queries": {},
        "semantic_models": {},
        "unit_tests": {},
        "functions": {},
    })
}

fn key_tests(manifest: &Manifest) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut tests: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for node in &manifest.nodes {
        if let Detail::GenericTest(test) = &node.detail
            && let (None, "unique" | "not_null", Some(column)) = (&test.namespace, test.test.as_str(), &test.column)
        {
            tests.entry(&test.attached).or_default().push((&test.test, column));
        }
    }
    tests
}

impl Writer<'_> {
    pub(super) fn sources(&self) -> &Sources {
        &self.compilation.project.sources
    }

    fn entry(&self, node: &Node, compiled: Option<&Compiled>) -> Value {
        match &node.detail {
            Detail::Source(table) => self.source(node, table),
            Detail::Exposure(exposure) => self.exposure(node, exposure),
            _ => self.node(node, compiled),
        }
    }

    fn metadata(&self) -> Value {
        let project = &self.compilation.project;
        let mut metadata = object(self.metadata.describe("manifest/v12"));
        let quoting = project.packages.first().map(|package| package.quoting.clone()).unwrap_or_default();
        metadata.extend(object(json!({
            "project_name": &*project.name,
            "project_id": null,
            "user_id": null,
            "send_anonymous_usage_stats": false,
            "adapter_type": project.target.adapter,
            "quoting": {
                "database": quoting.get("database"), "schema": quoting.get("schema"),
                "identifier": quoting.get("identifier"), "column": quoting.get("column"),
            },
        })));
        Value::Object(metadata)
    }

    /// What each node reads, and what reads it.
    fn maps(&self) -> (Neighbours<'_>, Neighbours<'_>) {
        let linked = &self.compilation.manifest;
        let ids = |numbers: Vec<usize>| numbers.into_iter().filter_map(|number| linked.nodes.get(number)).map(|node| &*node.id).collect();
        let listed = linked.nodes.iter().enumerate();
        let parents = listed.clone().map(|(number, node)| (&*node.id, ids(linked.dag.parents(number)))).collect();
        let children = listed.map(|(number, node)| (&*node.id, ids(linked.dag.children(number)))).collect();
        (parents, children)
    }

    fn disabled(&self) -> BTreeMap<String, Vec<Value>> {
        let mut disabled: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for node in &self.compilation.manifest.disabled {
            let entry = self.entry(node, None);
            disabled.entry(node.id.to_string()).or_default().push(entry);
        }
        disabled
    }

    fn group_map(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in &self.compilation.manifest.nodes {
            if let Some(group) = node.config.str("group") {
                groups.entry(group).or_default().push(&node.id);
            }
        }
        groups
    }

    /// The file's path inside of its package.
    pub(super) fn original_path(&self, node: &Node) -> String {
        let path = match &node.detail {
            Detail::Seed { path } => path,
            _ => self.sources().path(node.origin.file),
        };
        self.path_in_package(path, &node.package)
    }

    pub(super) fn path_in_package(&self, path: &str, package: &str) -> String {
        self.compilation.path_in_package(path, package).to_owned()
    }

    fn package(&self, name: &str) -> Option<&Package> {
        self.compilation.project.packages.iter().find(|package| &*package.name == name)
    }

    /// The file's path inside of the folder of its resource type: `staging/stg_bets.sql`.
    pub(super) fn path_in_folder(&self, node: &Node) -> String {
        if matches!(node.detail, Detail::GenericTest(_)) {
            return format!("{}.sql", node.alias.as_deref().unwrap_or(&node.name));
        }
        let path = self.original_path(node);
        let key = match node.resource {
            ResourceType::Seed => "seed-paths",
            ResourceType::Snapshot => "snapshot-paths",
            ResourceType::Analysis => "analysis-paths",
            ResourceType::Test => "test-paths",
            _ => "model-paths",
        };
        let folders = self.package(&node.package).and_then(|package| package.paths.get(key));
        let inside = |folder: &String| path.strip_prefix(folder.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        folders.into_iter().flatten().find_map(inside).unwrap_or(&path).to_owned()
    }
}

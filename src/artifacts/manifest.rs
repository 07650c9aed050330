//! `manifest.json`, version 12.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use md5::{Digest, Md5};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::Metadata;
use super::entry::object;
use super::node_entry::NodeEntry;
use crate::analysis::Compilation;
use crate::base::{Files, ResourceType, Sources, Span, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::plan::StateManifest;
use crate::plan::select::normalised_selectors;
use crate::project::{Detail, Group, Manifest, Node, Package};

/// The SQL of a node and where it was written, relative to the project's root.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    pub sql: Arc<str>,
    pub path: Option<String>,
}

pub(super) struct Writer<'a> {
    pub(super) compilation: &'a Compilation,
    pub(super) files: &'a dyn Files,
    pub(super) metadata: &'a Metadata,
    compiled: &'a BTreeMap<UniqueId, Compiled>,
    pub(super) macro_ids: HashSet<&'a str>,
    /// For each node the tests of its columns that may tell its key, with the column.
    pub(super) key_tests: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
}

/// Nodes that are written out as one piece, and pieces that are made at a time: few enough for a processor's cache.
const PIECE: usize = 64;
const PIECES: usize = 16;

/// Writes the linked project as dbt writes it. `compiled` holds the nodes that were compiled in this invocation; `files` are
/// asked for the bytes of seeds. Entries are made and written a batch at a time: a manifest of many thousand nodes is never in
/// memory as a whole.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_manifest(
    compilation: &Compilation,
    compiled: &BTreeMap<UniqueId, Compiled>,
    files: &dyn Files,
    metadata: &Metadata,
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    let linked = &compilation.manifest;
    let writer = writer(compilation, compiled, files, metadata);
    let numbers = |wanted: fn(&Detail) -> bool| -> Vec<usize> {
        linked.nodes.iter().enumerate().filter(|(_, node)| wanted(&node.detail)).map(|(number, _)| number).collect()
    };
    let sources = numbers(|detail| matches!(detail, Detail::Source(_)));
    let exposures = numbers(|detail| matches!(detail, Detail::Exposure(_)));
    let unit_tests = numbers(|detail| matches!(detail, Detail::UnitTest(_)));
    let nodes = numbers(|detail| !matches!(detail, Detail::Source(_) | Detail::Exposure(_) | Detail::UnitTest(_)));
    let all: Vec<usize> = (0..linked.nodes.len()).collect();
    let macros: BTreeMap<&str, Value> = linked.macros.iter().map(|found| (&*found.id, writer.macro_entry(found))).collect();
    let docs: BTreeMap<String, Value> =
        linked.docs.iter().map(|doc| (format!("doc.{}.{}", doc.package, doc.name), writer.doc(doc))).collect();
    let empty = || json!({});

    let mut out = Sections { out, first: true };
    out.value("metadata", &writer.metadata())?;
    out.nodes("nodes", &writer, &nodes, &|number| writer.entry(number))?;
    out.nodes("sources", &writer, &sources, &|number| writer.entry(number))?;
    out.value("macros", &macros)?;
    out.value("docs", &docs)?;
    out.nodes("exposures", &writer, &exposures, &|number| writer.entry(number))?;
    out.value("metrics", &empty())?;
    out.value("groups", &writer.groups())?;
    out.value("selectors", &normalised_selectors(&compilation.project.selectors))?;
    out.value("disabled", &writer.disabled())?;
    out.nodes("parent_map", &writer, &all, &|number| Some(Entry::Neighbours(writer.ids(linked.dag.parents(number)))))?;
    out.nodes("child_map", &writer, &all, &|number| Some(Entry::Neighbours(writer.ids(linked.dag.children(number)))))?;
    out.value("group_map", &writer.group_map())?;
    for name in ["saved_queries", "semantic_models"] {
        out.value(name, &empty())?;
    }
    out.nodes("unit_tests", &writer, &unit_tests, &|number| writer.entry(number))?;
    out.value("functions", &empty())?;
    out.end()
}

fn writer<'a>(
    compilation: &'a Compilation,
    compiled: &'a BTreeMap<UniqueId, Compiled>,
    files: &'a dyn Files,
    metadata: &'a Metadata,
) -> Writer<'a> {
    let linked = &compilation.manifest;
    let macro_ids = linked.macros.iter().map(|found| &*found.id).collect();
    Writer { compilation, files, metadata, compiled, macro_ids, key_tests: key_tests(linked) }
}

/// The entries of nodes, by their numbers.
pub fn describe_nodes(compilation: &Compilation, files: &dyn Files, metadata: &Metadata, numbers: &[usize]) -> Vec<Value> {
    let compiled = BTreeMap::new();
    let writer = writer(compilation, &compiled, files, metadata);
    let entry = |number: &usize| writer.entry(*number).and_then(|entry| serde_json::to_value(entry).ok());
    numbers.iter().filter_map(entry).collect()
}

/// The project as its manifest describes it, for comparison with an earlier one.
///
/// # Errors
/// `invalid-state`, when it cannot be read back.
pub fn describe_state(compilation: &Compilation, files: &dyn Files, metadata: &Metadata) -> Result<StateManifest, Diagnostic> {
    let mut text = Vec::new();
    let written = write_manifest(compilation, &BTreeMap::new(), files, metadata, &mut text);
    written.map_err(|error| Diagnostic::new(&codes::INVALID_STATE, format!("the manifest cannot be written: {error}")))?;
    StateManifest::read(&text, "manifest.json")
}

/// What stands under a node's id in one of the sections.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Entry<'a> {
    Node(NodeEntry<'a>),
    /// A source or an exposure.
    Value(Value),
    Neighbours(Vec<&'a str>),
}

/// The sections of the manifest, written one after the other.
struct Sections<'o> {
    out: &'o mut (dyn Write + Send),
    first: bool,
}

impl Sections<'_> {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        self.out.write_all(if self.first { b"{" } else { b"," })?;
        self.first = false;
        serde_json::to_writer(&mut *self.out, name)?;
        self.out.write_all(b":")
    }

    fn value(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.begin(name)?;
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    /// A mapping from the ids of nodes to entries. While one batch is written the next one is made, in the room of the one before.
    fn nodes<'a>(
        &mut self,
        name: &str,
        writer: &Writer<'a>,
        numbers: &[usize],
        entry: &(dyn Fn(usize) -> Option<Entry<'a>> + Sync),
    ) -> io::Result<()> {
        self.begin(name)?;
        let piece = |numbers: &[usize], text: &mut Vec<u8>| -> io::Result<()> {
            for number in numbers {
                if let (Some(node), Some(entry)) = (writer.compilation.manifest.nodes.get(*number), entry(*number)) {
                    text.push(b',');
                    serde_json::to_writer(&mut *text, &*node.id)?;
                    text.push(b':');
                    serde_json::to_writer(&mut *text, &entry)?;
                }
            }
            Ok(())
        };
        let make = |batch: &[usize], pieces: &mut Vec<Vec<u8>>| -> io::Result<()> {
            pieces.iter_mut().for_each(Vec::clear);
            pieces.resize_with(batch.len().div_ceil(PIECE), Vec::new);
            batch.par_chunks(PIECE).zip(pieces).try_for_each(|(numbers, text)| piece(numbers, text))
        };
        let mut opened = false;
        let (mut ready, mut spare): (Vec<Vec<u8>>, Vec<Vec<u8>>) = Default::default();
        for batch in numbers.chunks(PIECE * PIECES) {
            let (written, made) = rayon::join(|| write_pieces(self.out, &ready, &mut opened), || make(batch, &mut spare));
            written?;
            made?;
            std::mem::swap(&mut ready, &mut spare);
        }
        write_pieces(self.out, &ready, &mut opened)?;
        self.out.write_all(if opened { b"}" } else { b"{}" })
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"}")
    }
}

/// Each entry begins with a comma, but for the first of all, whose place the brace takes.
fn write_pieces(out: &mut (dyn Write + Send), pieces: &[Vec<u8>], opened: &mut bool) -> io::Result<()> {
    for piece in pieces {
        match piece.split_first() {
            Some((_, rest)) if !*opened => {
                out.write_all(b"{")?;
                out.write_all(rest)?;
                *opened = true;
            }
            _ => out.write_all(piece)?,
        }
    }
    Ok(())
}

fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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

impl<'a> Writer<'a> {
    pub(super) fn sources(&self) -> &'a Sources {
        &self.compilation.project.sources
    }

    fn entry(&self, number: usize) -> Option<Entry<'_>> {
        let node = self.compilation.manifest.nodes.get(number)?;
        Some(self.node_entry(node, self.compiled.get(&node.id)))
    }

    fn node_entry<'w>(&'w self, node: &'w Node, compiled: Option<&'w Compiled>) -> Entry<'w> {
        match &node.detail {
            Detail::Source(table) => Entry::Value(self.source(node, table)),
            Detail::Exposure(exposure) => Entry::Value(self.exposure(node, exposure)),
            Detail::UnitTest(test) => Entry::Value(self.unit_test(node, test)),
            _ => Entry::Node(NodeEntry { writer: self, node, compiled }),
        }
    }

    fn metadata(&self) -> Value {
        let project = &self.compilation.project;
        let mut metadata = object(self.metadata.describe("manifest/v12"));
        let quoting = project.packages.first().map(|package| package.quoting.clone()).unwrap_or_default();
        metadata.extend(object(json!({
            "project_name": &*project.name,
            "project_id": md5_hex(project.name.as_bytes()),
            "user_id": null,
            "send_anonymous_usage_stats": false,
            "adapter_type": project.target.adapter,
            "quoting": {
                "database": quoting.get("database").unwrap_or(&true), "schema": quoting.get("schema").unwrap_or(&true),
                "identifier": quoting.get("identifier").unwrap_or(&true), "column": quoting.get("column"),
            },
            "run_started_at": self.metadata.started_at,
        })));
        Value::Object(metadata)
    }

    fn ids(&self, numbers: Vec<usize>) -> Vec<&'a str> {
        numbers.into_iter().filter_map(|number| self.compilation.manifest.nodes.get(number)).map(|node| &*node.id).collect()
    }

    fn disabled(&self) -> BTreeMap<&str, Vec<Entry<'_>>> {
        let mut disabled: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
        for node in &self.compilation.manifest.disabled {
            disabled.entry(&node.id).or_default().push(self.node_entry(node, None));
        }
        disabled
    }

    fn groups(&self) -> BTreeMap<String, Value> {
        let entry = |group: &Group| {
            json!({
                "name": group.name,
                "resource_type": "group",
                "package_name": &*group.package,
                "path": self.path_in_package(self.sources().path(group.span.file), &group.package),
                "original_file_path": self.path_in_package(self.sources().path(group.span.file), &group.package),
                "unique_id": group.id(),
                "owner": {"email": group.owner.get("email"), "name": group.owner.get("name")},
                "description": group.description,
                "config": {"meta": group.meta},
            })
        };
        self.compilation.project.groups.iter().map(|group| (group.id(), entry(group))).collect()
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
    pub(super) fn original_path<'n>(&self, node: &'n Node) -> &'n str
    where
        'a: 'n,
    {
        let path = match &node.detail {
            Detail::Seed { path } => path,
            _ => self.sources().path(node.origin.file),
        };
        self.path_in_package(path, &node.package)
    }

    pub(super) fn path_in_package<'p>(&self, path: &'p str, package: &str) -> &'p str {
        self.compilation.path_in_package(path, package)
    }

    /// The properties file that describes something.
    pub(super) fn patch_path(&self, span: Span, package: &str) -> String {
        format!("{package}://{}", self.path_in_package(self.sources().path(span.file), package))
    }

    /// The path inside of whichever folder of the package holds it.
    pub(super) fn path_in_any_folder<'p>(&self, path: &'p str, package: &str) -> &'p str {
        let folders = self.package(package).into_iter().flat_map(|package| package.paths.values().flatten());
        let inside = |folder: &String| path.strip_prefix(folder.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        folders.filter_map(inside).min_by_key(|rest| rest.len()).unwrap_or(path)
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
        let path = folders.into_iter().flatten().find_map(inside).unwrap_or(path);
        match node.detail {
            Detail::Analysis => format!("analysis/{path}"),
            // One of several that a properties file may hold.
            Detail::Snapshot { relation: Some(_) } => format!("{path}/{}.sql", node.name),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_one_mapping() {
        let write = |batches: &[&[&str]]| {
            let (mut out, mut opened) = (Vec::new(), false);
            for batch in batches {
                let pieces: Vec<Vec<u8>> = batch.iter().map(|piece| piece.as_bytes().to_vec()).collect();
                write_pieces(&mut out, &pieces, &mut opened).unwrap();
            }
            (String::from_utf8(out).unwrap(), opened)
        };
        assert_eq!(write(&[&[], &["", ",a:1,b:2"], &[",c:3", ",d:4"]]), ("{a:1,b:2,c:3,d:4".to_owned(), true));
        assert_eq!(write(&[&[], &[""]]), (String::new(), false));
    }
}

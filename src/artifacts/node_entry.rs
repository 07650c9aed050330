//! The manifest's entry of a model, seed, snapshot, test or analysis. Nearly all of a manifest is such entries, so they are written
//! as they are read off the node, with no tree of values between.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::contract::{constraint_entry, contract};
use super::manifest::{Compiled, Writer};
use super::node_config::NodeConfig;
use crate::base::{Relation, ResourceType};
use crate::plan::failures_kept;
use crate::project::{Column, Detail, GenericTest, Node, RefCall, SourceCall};

/// Seeds above this size have their path for a checksum, as in dbt.
const LARGEST_HASHED_SEED: usize = 1 << 20;

pub(super) struct NodeEntry<'a> {
    pub(super) writer: &'a Writer<'a>,
    pub(super) node: &'a Node,
    pub(super) compiled: Option<&'a Compiled>,
}

impl Serialize for NodeEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_map(None)?;
        self.identity(&mut entry)?;
        self.description(&mut entry)?;
        if matches!(self.node.detail, Detail::Seed { .. }) {
            entry.serialize_entry("root_path", &Value::Null)?;
            entry.serialize_entry("depends_on", &json!({"macros": []}))?;
        } else {
            self.references(&mut entry)?;
            self.compiled_part(&mut entry)?;
        }
        self.detail(&mut entry)?;
        entry.end()
    }
}

impl NodeEntry<'_> {
    fn identity<M: SerializeMap>(&self, entry: &mut M) -> Result<(), M::Error> {
        let (node, writer) = (self.node, self.writer);
        let target = &writer.compilation.project.target;
        let relation = node.relation.as_ref();
        entry.serialize_entry("database", relation.map_or(&*target.database, |relation| &*relation.database))?;
        entry.serialize_entry("schema", relation.map_or(&*target.schema, |relation| &*relation.schema))?;
        entry.serialize_entry("name", &node.name)?;
        entry.serialize_entry("resource_type", node.resource.as_str())?;
        entry.serialize_entry("package_name", &*node.package)?;
        entry.serialize_entry("path", &writer.path_in_folder(node))?;
        entry.serialize_entry("original_file_path", writer.original_path(node))?;
        entry.serialize_entry("unique_id", &*node.id)?;
        entry.serialize_entry("fqn", &node.fqn)?;
        entry.serialize_entry("alias", node.alias.as_deref().unwrap_or(&node.name))
    }

    fn description<M: SerializeMap>(&self, entry: &mut M) -> Result<(), M::Error> {
        let (node, writer) = (self.node, self.writer);
        entry.serialize_entry("checksum", &self.checksum())?;
        entry.serialize_entry("config", &NodeConfig(node))?;
        entry.serialize_entry("tags", &node.tags())?;
        entry.serialize_entry("description", &node.description)?;
        entry.serialize_entry("columns", &Columns(&node.columns))?;
        match node.config.get("meta") {
            Some(meta) => entry.serialize_entry("meta", meta)?,
            None => entry.serialize_entry("meta", &json!({}))?,
        }
        entry.serialize_entry("group", node.config.get("group").unwrap_or(&Value::Null))?;
        entry.serialize_entry("docs", &docs(node))?;
        entry.serialize_entry("patch_path", &self.patch_path())?;
        entry.serialize_entry("build_path", &Value::Null)?;
        entry.serialize_entry("unrendered_config", &writer.unrendered_config(node))?;
        entry.serialize_entry("created_at", &writer.metadata.created_at)?;
        entry.serialize_entry("relation_name", &writer.relation_name(node))?;
        match node.made_template() {
            Some((text, _)) => entry.serialize_entry("raw_code", &format!("{text}{}", self.config_call()))?,
            None => entry.serialize_entry("raw_code", self.raw_code())?,
        }
        entry.serialize_entry("doc_blocks", &node.doc_blocks)
    }

    fn references<M: SerializeMap>(&self, entry: &mut M) -> Result<(), M::Error> {
        let node = self.node;
        entry.serialize_entry("language", "sql")?;
        entry.serialize_entry("refs", &Refs(&node.refs))?;
        entry.serialize_entry("sources", &SourceCalls(&node.source_calls))?;
        entry.serialize_entry("metrics", &json!([]))?;
        entry.serialize_entry("functions", &json!([]))?;
        entry.serialize_entry("depends_on", &Reads { macros: &node.macros, nodes: &node.depends_on })
    }

    fn compiled_part<M: SerializeMap>(&self, entry: &mut M) -> Result<(), M::Error> {
        entry.serialize_entry("compiled_path", &self.compiled.and_then(|compiled| compiled.path.as_deref()))?;
        entry.serialize_entry("contract", &contract(self.node))?;
        if let Some(compiled) = self.compiled {
            entry.serialize_entry("compiled", &true)?;
            entry.serialize_entry("compiled_code", compiled.sql.trim_end())?;
            entry.serialize_entry("extra_ctes_injected", &true)?;
            entry.serialize_entry("extra_ctes", &json!([]))?;
        }
        Ok(())
    }

    /// Keys that only one type of node has.
    fn detail<M: SerializeMap>(&self, entry: &mut M) -> Result<(), M::Error> {
        match &self.node.detail {
            Detail::Model(model) => {
                entry.serialize_entry("access", self.node.config.str("access").unwrap_or("protected"))?;
                let constraints: Vec<Value> = self.node.constraints().iter().map(|constraint| constraint_entry(constraint, true)).collect();
                entry.serialize_entry("constraints", &constraints)?;
                entry.serialize_entry("version", &model.version.as_deref().map(number_or_text))?;
                entry.serialize_entry("latest_version", &model.latest_version.as_deref().map(number_or_text))?;
                entry.serialize_entry("deprecation_date", &model.deprecation_date.as_deref().map(deprecation_date))?;
                entry.serialize_entry("time_spine", &Value::Null)?;
                entry.serialize_entry("primary_key", &self.primary_key(&model.constraints))
            }
            Detail::GenericTest(test) => {
                entry.serialize_entry("column_name", &test.column)?;
                // dbt attaches tests to what is built only.
                let attached = Some(&*test.attached).filter(|id| !id.starts_with("source."));
                entry.serialize_entry("attached_node", &attached)?;
                entry.serialize_entry("test_metadata", &TestMetadata(test))?;
                entry.serialize_entry("file_key_name", &self.file_key(&test.attached))
            }
            Detail::Seed { .. }
            | Detail::Snapshot { .. }
            | Detail::Analysis
            | Detail::SingularTest
            | Detail::UnitTest(_)
            | Detail::Source(_)
            | Detail::Exposure(_)
            | Detail::Operation => Ok(()),
        }
    }

    fn patch_path(&self) -> Option<String> {
        let node = self.node;
        let span = node.properties.filter(|_| !matches!(node.detail, Detail::GenericTest(_)))?;
        Some(self.writer.patch_path(span, &node.package))
    }

    /// dbt configures a test by a call behind its template.
    fn config_call(&self) -> &str {
        match &self.node.detail {
            Detail::GenericTest(test) => &test.config_call,
            _ => "",
        }
    }

    /// The columns that identify a row: as constraints say, or else those that are tested to be unique, best of all not null too.
    fn primary_key<'n>(&'n self, constraints: &'n [Value]) -> Vec<&'n str> {
        let node = self.node;
        let is_key = |constraint: &&Value| constraint.get("type").and_then(Value::as_str) == Some("primary_key");
        if let Some(Value::Array(columns)) = constraints.iter().find(is_key).and_then(|constraint| constraint.get("columns")) {
            return columns.iter().filter_map(Value::as_str).collect();
        }
        if let Some(column) = node.columns.iter().find(|column| column.constraints.iter().any(|constraint| is_key(&constraint))) {
            return vec![&column.name];
        }
        let tested = self.writer.key_tests.get(&*node.id);
        let columns = |test: &str| -> BTreeSet<&str> {
            tested.into_iter().flatten().filter(|(name, _)| *name == test).map(|(_, column)| *column).collect()
        };
        let (not_null, unique) = (columns("not_null"), columns("unique"));
        let both: Vec<&str> = unique.intersection(&not_null).copied().collect();
        if both.is_empty() { unique.into_iter().collect() } else { both }
    }

    /// The section and name under which a properties file describes what a test is attached to.
    fn file_key(&self, attached: &str) -> Option<String> {
        let node = self.writer.compilation.manifest.node(attached)?;
        Some(match &node.detail {
            Detail::Source(source) => format!("sources.{}", source.source_name),
            _ => format!("{}s.{}", node.resource, node.name),
        })
    }

    /// The template as the file holds it, of a node that has one there.
    fn raw_code(&self) -> &str {
        let text = |body| self.writer.sources().text(body);
        match (&self.node.detail, self.node.body) {
            (Detail::Snapshot { .. }, Some(body)) => text(body),
            (_, Some(body)) => text(body).trim_end(),
            (_, None) => "",
        }
    }

    fn checksum(&self) -> Checksum<String> {
        let hashed = |bytes: &[u8]| Checksum { name: "sha256", checksum: hex(&Sha256::digest(bytes)) };
        match &self.node.detail {
            Detail::GenericTest(_) => Checksum { name: "none", checksum: String::new() },
            Detail::Seed { path } => match self.writer.files.read(path) {
                Ok(bytes) if bytes.len() <= LARGEST_HASHED_SEED => hashed(bytes.trim_ascii()),
                _ => Checksum { name: "path", checksum: path.clone() },
            },
            _ => hashed(self.writer.sources().file(self.node.origin.file).text.trim().as_bytes()),
        }
    }
}

#[derive(Serialize)]
struct Checksum<T> {
    name: &'static str,
    checksum: T,
}

#[derive(Serialize)]
struct Reads<'a> {
    macros: &'a [crate::base::UniqueId],
    nodes: &'a [crate::base::UniqueId],
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The `ref()` calls of a node, as the manifest lists them.
pub(super) struct Refs<'a>(pub(super) &'a [RefCall]);

impl Serialize for Refs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Ref<'a> {
            name: &'a str,
            package: Option<&'a str>,
            version: Option<Value>,
        }
        serializer.collect_seq(self.0.iter().map(|call| Ref {
            name: &call.name,
            package: call.package.as_deref(),
            version: call.version.as_deref().map(number_or_text),
        }))
    }
}

/// The `source()` calls of a node, as the manifest lists them.
pub(super) struct SourceCalls<'a>(pub(super) &'a [SourceCall]);

impl Serialize for SourceCalls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|call| [&call.source, &call.table]))
    }
}

/// What a test tests, with its arguments by name; `column_name` and `model` are among them.
struct TestMetadata<'a>(&'a GenericTest);

impl Serialize for TestMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Arguments<'a>(&'a GenericTest);
        impl Serialize for Arguments<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let test = self.0;
                let made = |name: &str| name == "model" || (name == "column_name" && test.column.is_some());
                let mut arguments = serializer.serialize_map(None)?;
                for (name, value) in test.arguments.iter().filter(|(name, _)| !made(name)) {
                    arguments.serialize_entry(name, value)?;
                }
                if let Some(column) = &test.column {
                    arguments.serialize_entry("column_name", column)?;
                }
                arguments.serialize_entry("model", &format!("{{{{ get_where_subquery({}) }}}}", test.model_expression))?;
                arguments.end()
            }
        }
        let mut metadata = serializer.serialize_map(Some(3))?;
        metadata.serialize_entry("name", &self.0.test)?;
        metadata.serialize_entry("kwargs", &Arguments(self.0))?;
        metadata.serialize_entry("namespace", &self.0.namespace)?;
        metadata.end()
    }
}

/// Columns by their names. Where a version of a model describes a column of the model anew, the later description counts.
pub(super) struct Columns<'a>(pub(super) &'a [Column]);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.0;
        let mut entries = serializer.serialize_map(None)?;
        for (at, column) in columns.iter().enumerate() {
            let same = |other: &&Column| other.name == column.name;
            if columns.iter().take(at).any(|other| same(&other)) {
                continue;
            }
            let last = columns.iter().skip(at + 1).rev().find(same).unwrap_or(column);
            entries.serialize_entry(&column.name, &ColumnEntry(last))?;
        }
        entries.end()
    }
}

struct ColumnEntry<'a>(&'a Column);

impl Serialize for ColumnEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let column = self.0;
        let mut entry = serializer.serialize_map(None)?;
        entry.serialize_entry("name", &column.name)?;
        entry.serialize_entry("description", &column.description)?;
        entry.serialize_entry("meta", &column.meta)?;
        entry.serialize_entry("data_type", &column.data_type)?;
        entry.serialize_entry("quote", &column.quote)?;
        entry.serialize_entry("tags", &column.tags)?;
        let constraints: Vec<Value> = column.constraints().iter().map(|constraint| constraint_entry(constraint, false)).collect();
        entry.serialize_entry("constraints", &constraints)?;
        entry.serialize_entry("config", &ColumnConfig { meta: &column.meta, tags: &column.tags })?;
        entry.serialize_entry("doc_blocks", &column.doc_blocks)?;
        entry.serialize_entry("granularity", &Value::Null)?;
        entry.end()
    }
}

#[derive(Serialize)]
struct ColumnConfig<'a> {
    meta: &'a BTreeMap<String, Value>,
    tags: &'a [String],
}

#[derive(Serialize)]
struct Docs<'a> {
    show: &'a Value,
    node_color: Option<&'a Value>,
}

fn docs(node: &Node) -> Docs<'_> {
    let held = node.config.get("docs");
    let get = |key: &str| held.and_then(|docs| docs.get(key));
    Docs { show: get("show").unwrap_or(&Value::Bool(true)), node_color: get("node_color") }
}

/// dbt writes a moment.
fn deprecation_date(written: &str) -> String {
    let (date, time) = written.split_at_checked(10).unwrap_or((written, ""));
    let time = time.trim_start_matches(['T', 't', ' ']);
    match time {
        "" => format!("{date}T00:00:00+00:00"),
        // Hours that no zone goes with are those of the world.
        time if !time.contains(['+', '-', 'Z', 'z']) => format!("{date}T{time}+00:00"),
        time => format!("{date}T{}", time.replace(['Z', 'z'], "+00:00")),
    }
}

fn number_or_text(version: &str) -> Value {
    version.parse::<i64>().map(Value::from).or_else(|_| version.parse::<f64>().map(Value::from)).unwrap_or_else(|_| Value::from(version))
}

impl Writer<'_> {
    pub(super) fn relation_name(&self, node: &Node) -> Option<String> {
        let is_stored = node.resource != ResourceType::Test || failures_kept(node, false).is_some();
        node.relation.as_ref().filter(|_| !node.is_ephemeral() && is_stored).map(Relation::quoted)
    }
}

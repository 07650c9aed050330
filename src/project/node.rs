//! What a project consists of: models, seeds, snapshots, tests, sources, exposures, macros, doc blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Config, External, Landing, UnitTest};
use crate::base::{Relation, ResourceType, Span, UniqueId};

/// One node of the graph. It can be written down, so that a later run need not read its files again.
///
/// The project floor fills everything that the files say. Rendering adds what templates say: the in-file `config()`,
/// `refs`, `source_calls`, `macros`; resolving adds `alias`, `relation` and `depends_on`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    pub id: UniqueId,
    pub resource: ResourceType,
    pub name: String,
    pub package: Arc<str>,
    /// dbt's fully qualified name: package, folders, (file,) name.
    pub fqn: Vec<String>,
    /// The file that holds the body; for sources, exposures and generic tests the properties file.
    pub origin: Span,
    /// The template text: the whole file, or the inside of a `{% snapshot %}` block. `None` where there is none
    /// (sources, exposures, seeds) or where it is made from something else (generic tests, snapshots of YAML alone).
    pub body: Option<Span>,
    /// Where the properties YAML names this node.
    pub properties: Option<Span>,
    pub description: String,
    pub columns: Vec<Column>,
    /// `dbt_project.yml` and properties merged; after rendering also the in-file `config()`.
    pub config: Config,
    /// What the root project's `dbt_project.yml` says about a node of another package: it wins over all else, so it is merged
    /// into `config` already and once more after the in-file `config()`. Empty for nodes of the root package.
    pub root_config: Config,
    pub detail: Detail,
    pub refs: Vec<RefCall>,
    pub source_calls: Vec<SourceCall>,
    /// Macros called while the body was rendered, as unique ids in ascending order.
    pub macros: Vec<UniqueId>,
    /// Name of the relation in the database, where it differs from `name`.
    pub alias: Option<String>,
    /// Where it is built or found; `None` for tests, analyses and exposures.
    pub relation: Option<Relation>,
    /// Nodes that this one reads, ascending.
    pub depends_on: Vec<UniqueId>,
    /// The doc blocks that its description takes in.
    pub doc_blocks: Vec<UniqueId>,
}

/// What only one resource type has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Detail {
    Model(ModelDetail),
    Seed {
        path: String,
    },
    Snapshot {
        /// The `ref()` or `source()` of a snapshot that is nothing but YAML: all rows of that relation. It has no body.
        relation: Option<(String, Span)>,
    },
    Analysis,
    SingularTest,
    GenericTest(Box<GenericTest>),
    UnitTest(Box<UnitTest>),
    Source(Box<SourceTable>),
    Exposure(Box<Exposure>),
    /// An `on-run-start`, `on-run-end` hook or the body of `run-operation`.
    Operation,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ModelDetail {
    pub version: Option<String>,
    pub latest_version: Option<String>,
    /// A date, perhaps with a time: `2026-01-31`.
    pub deprecation_date: Option<String>,
    /// YAML list of constraints on the whole relation, as written.
    pub constraints: Vec<Value>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub span: Option<Span>,
    pub description: String,
    pub data_type: Option<String>,
    pub data_type_span: Option<Span>,
    /// Where `meta` says its unit.
    pub unit_span: Option<Span>,
    pub quote: Option<bool>,
    pub meta: BTreeMap<String, Value>,
    pub tags: Vec<String>,
    pub constraints: Vec<Value>,
    /// The doc blocks that its description takes in.
    pub doc_blocks: Vec<UniqueId>,
}

/// One use of a generic test in a properties file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenericTest {
    /// Name after `test_`, without its namespace: `not_null`.
    pub test: String,
    /// `dbt_utils` of `dbt_utils.equal_rowcount`.
    pub namespace: Option<String>,
    /// Arguments as written, without `model`, `column_name`, `config`, `name`, `description`; strings may hold Jinja.
    pub arguments: BTreeMap<String, Value>,
    /// The template expression for argument `model`: `ref('orders')`, `source('shop', 'orders')`.
    pub model_expression: String,
    /// The node that the test is attached to.
    pub attached: UniqueId,
    /// Argument `column_name`: in quotes where the column says `quote: true`.
    pub column: Option<String>,
    /// Where the column is named.
    pub column_span: Option<Span>,
    /// Where the test is named.
    pub span: Span,
    /// Tags of what is tested and of the use itself: those of the project file are in the configuration only.
    pub tags: Vec<String>,
    /// The call of `config()` by which dbt hands on what the use configures, for the manifest; empty for none.
    pub config_call: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceTable {
    pub source_name: String,
    pub source_description: String,
    pub loader: String,
    pub identifier: String,
    pub database: Option<String>,
    pub schema: String,
    pub loaded_at_field: Option<String>,
    /// `freshness` as written and merged, for the artefacts and `source freshness`.
    pub freshness: Option<Value>,
    pub loaded_at_query: Option<String>,
    /// Merged `quoting` of source and table.
    pub quoting: BTreeMap<String, bool>,
    pub meta: BTreeMap<String, Value>,
    pub source_meta: BTreeMap<String, Value>,
    pub tags: Vec<String>,
    /// `meta.landing`, checked.
    pub landing: Option<Landing>,
    /// `meta.external_schema` and what `external` says in it, checked.
    pub external: Option<External>,
    /// `external` with the keys that dbt has, for the manifest.
    pub described_external: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exposure {
    pub kind: String,
    pub label: Option<String>,
    pub maturity: Option<String>,
    pub url: Option<String>,
    pub owner_name: Option<String>,
    pub owner_email: Option<String>,
    /// `ref('x')`, `source('a', 'b')` as written, with places.
    pub depends_on: Vec<(String, Span)>,
}

/// One `ref()` in a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefCall {
    pub package: Option<String>,
    pub name: String,
    pub version: Option<String>,
    /// The macros through which the template came to the call, outermost first; empty where the body itself calls.
    pub via: Vec<UniqueId>,
}

/// One `source()` in a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCall {
    pub source: String,
    pub table: String,
    /// As in [`RefCall`].
    pub via: Vec<UniqueId>,
}

/// A `{% macro %}`, `{% test %}` or `{% materialization %}` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Macro {
    /// `macro.<package>.<name>`; tests are named `test_<name>`, materializations `materialization_<name>_<adapter>`.
    pub id: UniqueId,
    pub package: Arc<str>,
    pub name: String,
    pub kind: MacroKind,
    pub name_span: Span,
    pub parameters: Vec<Parameter>,
    /// The text between the opening and the closing tag, white-space control applied.
    pub body: Span,
    /// Where the properties YAML names it.
    pub properties: Option<Span>,
    pub description: String,
    pub meta: BTreeMap<String, Value>,
    /// `arguments` of the properties YAML, as written.
    pub arguments: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MacroKind {
    Macro,
    Test,
    Materialization,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    /// The expression of the default value.
    pub default: Option<Span>,
}

/// A `{% docs name %}` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DocBlock {
    pub package: Arc<str>,
    pub name: String,
    pub name_span: Span,
    pub text: Span,
}

impl Node {
    /// Whether its query is written anew for the engine, where its configuration says so.
    pub fn says_portable(&self) -> Option<bool> {
        self.config.get("meta")?.get("portable")?.as_bool()
    }

    /// A node with nothing but its identity.
    pub fn new(resource: ResourceType, package: &Arc<str>, name: &str, fqn: Vec<String>, origin: Span, detail: Detail) -> Node {
        Node {
            id: format!("{resource}.{package}.{name}").into(),
            resource,
            name: name.to_owned(),
            package: Arc::clone(package),
            fqn,
            origin,
            body: None,
            properties: None,
            description: String::new(),
            columns: Vec::new(),
            config: Config::default(),
            root_config: Config::default(),
            detail,
            refs: Vec::new(),
            source_calls: Vec::new(),
            macros: Vec::new(),
            alias: None,
            relation: None,
            depends_on: Vec::new(),
            doc_blocks: Vec::new(),
        }
    }

    /// The materialization, lower-cased: for models `view` where nothing is said.
    pub fn materialized(&self) -> &str {
        let default = match self.detail {
            Detail::Model(_) => "view",
            Detail::Seed { .. } => "seed",
            Detail::Snapshot { .. } => "snapshot",
            Detail::SingularTest | Detail::GenericTest(_) => "test",
            Detail::UnitTest(_) => "unit",
            Detail::Analysis | Detail::Source(_) | Detail::Exposure(_) | Detail::Operation => "",
        };
        self.config.str("materialized").unwrap_or(default)
    }

    pub fn is_ephemeral(&self) -> bool {
        self.resource == ResourceType::Model && self.materialized() == "ephemeral"
    }

    /// What selection goes by. A test has those of its column or source too, which its configuration lacks.
    pub fn tags(&self) -> Vec<String> {
        let configured = self.config_tags();
        match &self.detail {
            Detail::GenericTest(test) => {
                let more = configured.into_iter().filter(|tag| !test.tags.contains(tag));
                test.tags.iter().cloned().chain(more).collect()
            }
            _ => configured,
        }
    }

    pub fn config_tags(&self) -> Vec<String> {
        match &self.detail {
            Detail::Source(source) => source.tags.clone(),
            _ => self.config.strings("tags"),
        }
    }

    /// The template of a node that has no body of its own but is made from a call; `None` for all others.
    pub fn made_template(&self) -> Option<(String, Span)> {
        match &self.detail {
            Detail::GenericTest(test) => {
                let namespace = test.namespace.as_deref().map_or_else(String::new, |namespace| format!("{namespace}."));
                Some((format!("{{{{ {namespace}test_{}(**_dbt_generic_test_kwargs) }}}}", test.test), test.span))
            }
            Detail::Snapshot { relation: Some((call, span)) } => Some((format!("select * from {{{{ {call} }}}}"), *span)),
            _ => None,
        }
    }

    /// Whether acca runs something for it in the graph.
    pub fn is_runnable(&self) -> bool {
        match &self.detail {
            Detail::Model(_) => !self.is_ephemeral(),
            Detail::Source(source) => source.landing.is_some() || source.external.is_some(),
            Detail::Seed { .. } | Detail::Snapshot { .. } | Detail::SingularTest | Detail::GenericTest(_) | Detail::UnitTest(_) => true,
            Detail::Analysis | Detail::Exposure(_) | Detail::Operation => false,
        }
    }
}

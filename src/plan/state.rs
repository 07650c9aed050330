//! What an earlier invocation left behind, for comparison and deferral: its manifest, its results, the freshness that it found.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::BatchResults;
use crate::base::{Relation, Window, parse_moment};
use crate::diag::{Diagnostic, codes};

/// The versions of a manifest that hold everything that is compared.
const MANIFESTS: std::ops::RangeInclusive<u32> = 9..=12;
const RUN_RESULTS: std::ops::RangeInclusive<u32> = 4..=6;
const SOURCES: std::ops::RangeInclusive<u32> = 3..=3;

/// The earlier invocation, as far as it was asked for.
#[derive(Debug, Default)]
pub struct State {
    pub previous: Option<StateManifest>,
    /// The project as it is now, described in the same way.
    pub current: Option<StateManifest>,
    /// Status by node.
    pub results: Option<BTreeMap<String, String>>,
    /// Sources that are fresher now than they were.
    pub fresher: Option<BTreeSet<String>>,
}

/// A manifest, reduced to what is compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StateManifest {
    nodes: BTreeMap<String, StateNode>,
    sources: BTreeMap<String, StateNode>,
    exposures: BTreeMap<String, StateNode>,
    unit_tests: BTreeMap<String, StateNode>,
    pub(super) macros: BTreeMap<String, StateMacro>,
}

/// A node, source, exposure or unit test.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StateNode {
    pub(super) resource_type: String,
    pub(super) fqn: Vec<String>,
    pub(super) raw_code: Option<String>,
    pub(super) checksum: Value,
    pub(super) unrendered_config: Map<String, Value>,
    pub(super) config: StateConfig,
    pub(super) description: Option<String>,
    pub(super) columns: BTreeMap<String, StateColumn>,
    pub(super) database: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) access: Option<String>,
    pub(super) version: Value,
    pub(super) latest_version: Value,
    pub(super) deprecation_date: Value,
    pub(super) contract: StateContract,
    pub(super) constraints: Value,
    pub(super) depends_on: StateReads,
    pub(super) identifier: Option<String>,
    pub(super) quoting: Value,
    pub(super) freshness: Value,
    pub(super) loaded_at_field: Option<String>,
    pub(super) external: Value,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) owner: Value,
    pub(super) maturity: Option<String>,
    pub(super) url: Option<String>,
    pub(super) label: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateConfig {
    pub(super) materialized: Option<String>,
    pub(super) persist_docs: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateColumn {
    pub(super) description: Option<String>,
    pub(super) data_type: Option<String>,
    pub(super) constraints: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateContract {
    pub(super) enforced: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateReads {
    pub(super) macros: Vec<Option<String>>,
    pub(super) nodes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateMacro {
    pub(super) macro_sql: String,
    pub(super) depends_on: StateReads,
}

impl StateManifest {
    /// Reads a `manifest.json`; `path` is for people.
    ///
    /// # Errors
    /// `invalid-state`.
    pub fn read(bytes: &[u8], path: &str) -> Result<StateManifest, Diagnostic> {
        read(bytes, path, "manifest", MANIFESTS)
    }

    pub fn node(&self, id: &str) -> Option<&StateNode> {
        [&self.nodes, &self.sources, &self.exposures, &self.unit_tests].into_iter().find_map(|section| section.get(id))
    }

    pub(super) fn models(&self) -> impl Iterator<Item = (&str, &StateNode)> {
        self.nodes.iter().filter(|(_, node)| node.resource_type == "model").map(|(id, node)| (id.as_str(), node))
    }

    /// Where a model, seed or snapshot was built.
    pub fn relation(&self, id: &str) -> Option<Relation> {
        let node = self.nodes.get(id)?;
        let is_built = matches!(node.resource_type.as_str(), "model" | "seed" | "snapshot");
        if !is_built || node.config.materialized.as_deref() == Some("ephemeral") {
            return None;
        }
        Some(Relation::new(node.database.as_deref().unwrap_or_default(), node.schema.as_deref()?, node.alias.as_deref()?))
    }
}

/// The last run, as `retry` needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StateResults {
    pub metadata: StateMetadata,
    pub results: Vec<StateResult>,
    pub args: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StateMetadata {
    pub invocation_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StateResult {
    pub unique_id: String,
    pub status: String,
    pub batch_results: Option<StateBatches>,
}

/// Batches of a model, each with its beginning and its end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StateBatches {
    pub successful: Vec<(String, String)>,
    pub failed: Vec<(String, String)>,
}

impl StateBatches {
    /// The same as times; `None` where one cannot be read.
    pub fn results(&self) -> Option<BatchResults> {
        let window = |(start, end): &(String, String)| Some(Window { start: parse_moment(start)?, end: parse_moment(end)? });
        let all = |listed: &[(String, String)]| listed.iter().map(window).collect::<Option<Vec<_>>>();
        Some(BatchResults { successful: all(&self.successful)?, failed: all(&self.failed)? })
    }
}

impl StateResults {
    /// Reads a `run_results.json`.
    ///
    /// # Errors
    /// `invalid-state`.
    pub fn read(bytes: &[u8], path: &str) -> Result<StateResults, Diagnostic> {
        read(bytes, path, "run-results", RUN_RESULTS)
    }

    pub fn by_node(self) -> BTreeMap<String, String> {
        self.results.into_iter().map(|result| (result.unique_id, result.status)).collect()
    }
}

/// When the rows of each source were loaded last, as text that sorts by time; `None` where it could not be found out.
#[derive(Debug, Default)]
pub struct StateFreshness(BTreeMap<String, Option<String>>);

impl StateFreshness {
    /// Reads a `sources.json`.
    ///
    /// # Errors
    /// `invalid-state`.
    pub fn read(bytes: &[u8], path: &str) -> Result<StateFreshness, Diagnostic> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Found {
            unique_id: String,
            max_loaded_at: Option<String>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Artefact {
            results: Vec<Found>,
        }
        let artefact: Artefact = read(bytes, path, "sources", SOURCES)?;
        Ok(StateFreshness(artefact.results.into_iter().map(|found| (found.unique_id, found.max_loaded_at)).collect()))
    }

    /// The sources with newer rows than before, and those that were not looked at before.
    pub fn fresher_than(&self, before: &StateFreshness) -> BTreeSet<String> {
        let is_fresher = |(id, now): &(&String, &Option<String>)| match (now, before.0.get(*id)) {
            (Some(now), Some(Some(before))) => comparable(now) > comparable(before),
            (Some(_), None) => true,
            _ => false,
        };
        self.0.iter().filter(is_fresher).map(|(id, _)| id.clone()).collect()
    }
}

/// Times of one zone, with or without fractions.
fn comparable(time: &str) -> &str {
    time.trim_end_matches("+00:00").trim_end_matches('Z')
}

fn read<T: DeserializeOwned>(bytes: &[u8], path: &str, schema: &str, known: std::ops::RangeInclusive<u32>) -> Result<T, Diagnostic> {
    #[derive(Deserialize)]
    struct Described {
        dbt_schema_version: String,
    }
    #[derive(Deserialize)]
    struct Artefact {
        metadata: Described,
    }
    let unreadable = |error: serde_json::Error| {
        Diagnostic::new(&codes::INVALID_STATE, format!("'{path}' cannot be read: {error}"))
            .help("write it again with 'acca parse' or a run")
    };
    let artefact: Artefact = serde_json::from_slice(bytes).map_err(unreadable)?;
    let named = artefact.metadata.dbt_schema_version;
    let prefix = format!("/{schema}/v");
    let version = named.rsplit_once(&prefix).and_then(|(_, rest)| rest.trim_end_matches(".json").parse().ok());
    match version {
        Some(version) if known.contains(&version) => serde_json::from_slice(bytes).map_err(unreadable),
        Some(version) => {
            let (first, last) = (known.start(), known.end());
            let problem = Diagnostic::new(&codes::INVALID_STATE, format!("'{path}' is of version {version} of its format"));
            let read = if first == last { format!("version {last}") } else { format!("versions {first} to {last}") };
            Err(problem.note(format!("acca reads {read}")).help("write it again, with the project as it was then and a newer program"))
        }
        None => Err(Diagnostic::new(&codes::INVALID_STATE, format!("'{path}' is no {schema} artefact"))
            .note(format!("its schema is '{named}'"))
            .help("name the folder that a parse or a run has written")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(version: &str) -> Result<StateManifest, Diagnostic> {
        let text = format!(r#"{{"metadata": {{"dbt_schema_version": "https://schemas.getdbt.com/dbt/{version}.json"}}}}"#);
        StateManifest::read(text.as_bytes(), "prod/manifest.json")
    }

    #[test]
    fn artefacts_of_other_versions_are_refused() {
        assert!(manifest("manifest/v12").is_ok());
        assert_eq!(manifest("manifest/v4").unwrap_err().message, "'prod/manifest.json' is of version 4 of its format");
        assert_eq!(manifest("manifest/v13").unwrap_err().message, "'prod/manifest.json' is of version 13 of its format");
        assert_eq!(manifest("catalog/v1").unwrap_err().message, "'prod/manifest.json' is no manifest artefact");
        assert!(StateManifest::read(b"{", "x").unwrap_err().message.starts_with("'x' cannot be read: EOF"));
        assert!(StateManifest::read(b"{}", "x").unwrap_err().message.contains("missing field `metadata`"));
    }

    #[test]
    fn fresher_is_what_has_newer_rows() {
        let read = |found: &str| {
            let text = format!(
                r#"{{"metadata": {{"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json"}}, "results": [{found}]}}"#
            );
            StateFreshness::read(text.as_bytes(), "sources.json").unwrap()
        };
        let before = read(
            r#"{"unique_id": "a", "max_loaded_at": "2026-01-01T00:00:00Z"}, {"unique_id": "b", "max_loaded_at": "2026-01-01T00:00:00.5Z"},
               {"unique_id": "d", "error": "x"}"#,
        );
        let now = read(
            r#"{"unique_id": "a", "max_loaded_at": "2026-01-01T00:00:00.25+00:00"}, {"unique_id": "b", "max_loaded_at": "2026-01-01T00:00:00.5Z"},
               {"unique_id": "c", "max_loaded_at": "2026-01-01T00:00:00Z"}, {"unique_id": "d", "max_loaded_at": "2026-01-01T00:00:00Z"},
               {"unique_id": "e", "error": "x"}"#,
        );
        assert_eq!(now.fresher_than(&before).into_iter().collect::<Vec<_>>(), ["a", "c"]);
    }
}

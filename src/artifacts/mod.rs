//! Floor 7: the files that other tools read: dbt's `manifest.json` (v12), `run_results.json` (v6), `catalog.json` (v1) and
//! `sources.json` (v3).
//!
//! Values only; nothing here holds a secret: of the profile only its name and the adapter's type are written.

mod catalog;
mod contract;
mod entry;
mod file;
mod manifest;
mod node_config;
mod node_entry;
mod run_results;
mod site;
mod sources;
mod timings;
mod unit_test;
mod unrendered;

pub use catalog::{catalog, is_catalogued};
pub use file::{write_atomically, write_atomically_with};
pub use manifest::{Compiled, describe_nodes, describe_state, write_manifest};
pub use run_results::write_run_results;
pub use site::{SITE, static_site};
pub use sources::sources;
pub use timings::{Timings, read_timings, updated_timings};

use serde_json::{Value, json};

use crate::jinja::DBT_VERSION;

/// What an artefact says about the invocation that wrote it.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// UUID.
    pub invocation_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub generated_at: String,
    /// Seconds since 1970.
    pub created_at: f64,
}

impl Metadata {
    fn describe(&self, schema: &str) -> Value {
        json!({
            "dbt_schema_version": format!("https://schemas.getdbt.com/dbt/{schema}.json"),
            // Readers take it for the version of the format.
            "dbt_version": DBT_VERSION,
            "generated_at": self.generated_at,
            "invocation_id": self.invocation_id,
            "invocation_started_at": self.started_at,
            "env": {},
        })
    }
}

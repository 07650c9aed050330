//! From a profile's target to an engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Adapter, AdapterError, DuckDb, MEMORY, PgSettings, Postgres};
use crate::diag::{Diagnostic, codes};
use crate::dialect::Engine;
use crate::jinja::Empty;
use crate::project::Target;

/// An engine ready for sessions, and whose SQL it speaks.
pub struct Connected {
    pub adapter: Arc<dyn Adapter>,
    pub engine: Engine,
}

/// The engine of a target, by its `type`.
///
/// # Errors
/// `invalid-profile` for a type that acca does not know.
pub fn engine_of(target: &Target) -> Result<Engine, Diagnostic> {
    match target.adapter.as_str() {
        "duckdb" => Ok(Engine::DuckDb),
        "postgres" => Ok(Engine::Postgres),
        "redshift" => Ok(Engine::Redshift),
        other => Err(Diagnostic::new(&codes::INVALID_PROFILE, format!("target '{}' has the unknown type '{other}'", target.name))
            .at_opt(target.span)
            .did_you_mean(other, ["duckdb", "postgres", "redshift"])
            .help("acca connects to duckdb and postgres")),
    }
}

/// The adapter's own name and those whose macros it falls back on, nearest first: dbt's dispatch prefixes.
pub fn adapter_chain(adapter: &str) -> Vec<String> {
    let chain: &[&str] = if adapter == "redshift" { &["redshift", "postgres"] } else { &[adapter] };
    chain.iter().map(|name| (*name).to_owned()).collect()
}

/// The adapter in whose SQL portable models are written.
pub const PORTABLE_ADAPTER: &str = "postgres";

/// How a relation without rows prints: PostgreSQL before version 16 wants every subquery to have an alias.
pub fn empty_form(adapter: &str) -> Empty {
    if adapter == "duckdb" { Empty::Bare } else { Empty::Aliased }
}

/// Whether the engine of a target lowers names that are not quoted.
pub fn lowers_names(target: &Target) -> bool {
    engine_of(target).is_ok_and(crate::dialect::lowers_names)
}

/// Whether projects of the engine are worked on where it cannot be reached: behind the network of a company, with credentials that
/// only a few hold.
pub fn may_be_out_of_reach(target: &Target) -> bool {
    engine_of(target).is_ok_and(|engine| engine == Engine::Redshift)
}

/// Opens the engine of a target. A DuckDB file is opened (and locked) at once, relative to `root`; PostgreSQL is not connected yet.
///
/// # Errors
/// `invalid-profile` for what the profile says wrongly, `connection-failed` for what the engine refuses.
pub fn open(target: &Target, root: &Path) -> Result<Connected, Diagnostic> {
    let engine = engine_of(target)?;
    let failed = |error: AdapterError| connection_failed(target, &error);
    let adapter: Arc<dyn Adapter> = match engine {
        Engine::DuckDb => Arc::new(open_duckdb(&target.settings, root).map_err(failed)?),
        Engine::Postgres => Arc::new(Postgres::new(pg_settings(target)).map_err(failed)?),
        Engine::Redshift => open_redshift(target)?,
    };
    Ok(Connected { adapter, engine })
}

#[cfg(feature = "redshift")]
fn open_redshift(target: &Target) -> Result<Arc<dyn Adapter>, Diagnostic> {
    let adapter = super::Redshift::new(super::RedshiftSettings::of(target)?);
    Ok(Arc::new(adapter.map_err(|error| connection_failed(target, &error))?))
}

#[cfg(not(feature = "redshift"))]
fn open_redshift(target: &Target) -> Result<Arc<dyn Adapter>, Diagnostic> {
    let message = format!("target '{}' is a Redshift warehouse, and this acca was built without its adapter", target.name);
    Err(Diagnostic::new(&codes::INVALID_PROFILE, message)
        .at_opt(target.span)
        .help("build it with its default features; ./acca does so with ACCA_REDSHIFT=1")
        .help("commands that need no connection work: parse, compile, explain --offline, ls"))
}

/// A connection error as a diagnostic with the adapter's hints.
pub fn connection_failed(target: &Target, error: &AdapterError) -> Diagnostic {
    let hints = match error {
        AdapterError::Connection { hints, .. } | AdapterError::Statement { hints, .. } => hints.clone(),
        AdapterError::Cancelled | AdapterError::Io(_) => Vec::new(),
    };
    let message = format!("target '{}' cannot be used: {error}", target.name);
    hints.into_iter().fold(Diagnostic::new(&codes::CONNECTION_FAILED, message).at_opt(target.span), Diagnostic::help)
}

fn open_duckdb(settings: &Map<String, Value>, root: &Path) -> Result<DuckDb, AdapterError> {
    let path = settings.get("path").and_then(Value::as_str).unwrap_or(MEMORY);
    let place =
        if path == MEMORY || Path::new(path).is_absolute() { path.to_owned() } else { root.join(path).to_string_lossy().into_owned() };
    let options: BTreeMap<String, String> = settings
        .get("settings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    DuckDb::open(&place, None, &options)
}

fn pg_settings(target: &Target) -> PgSettings {
    let settings = &target.settings;
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| settings.get(*name)).filter(|value| !value.is_null());
        found.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).filter(|text| !text.is_empty())
    };
    let number = |name: &str| text(&[name]).and_then(|text| text.parse::<u64>().ok());
    let defaults = PgSettings::default();
    PgSettings {
        host: text(&["host"]).unwrap_or(defaults.host),
        port: number("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(defaults.port),
        user: text(&["user", "username"]).unwrap_or_default(),
        password: text(&["password", "pass"]),
        dbname: text(&["dbname", "database"]).unwrap_or(defaults.dbname),
        sslmode: text(&["sslmode"]),
        sslrootcert: text(&["sslrootcert"]),
        sslcert: text(&["sslcert"]),
        sslkey: text(&["sslkey"]),
        connect_timeout: number("connect_timeout").map_or(defaults.connect_timeout, Duration::from_secs),
        keepalives_idle: number("keepalives_idle").and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds > 0),
        search_path: text(&["search_path"]),
        role: text(&["role"]),
        application_name: defaults.application_name,
    }
}

/// Whether two targets are one database, as far as their settings tell.
pub fn is_one_database(one: &Target, other: &Target) -> bool {
    one.adapter == other.adapter && database_of(one) == database_of(other)
}

/// What tells one database from another, in one spelling; nothing is asked of the network.
fn database_of(target: &Target) -> [String; 8] {
    const PLACE: [&str; 8] = ["host", "port", "path", "cluster_id", "serverless_work_group", "endpoint", "region", "database"];
    PLACE.map(|key| {
        let value = target.settings.get(key).filter(|value| !value.is_null());
        let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
        match key {
            "host" => host(&text),
            "port" if text.is_empty() && engine_of(target).is_ok_and(|engine| engine == Engine::Postgres) => "5432".to_owned(),
            "path" => Path::new(&text).components().collect::<PathBuf>().display().to_string(),
            _ => text,
        }
    })
}

/// Names and addresses of this machine are one.
fn host(name: &str) -> String {
    let plain = name.trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
    let is_loopback = plain.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_loopback || plain.is_empty() { "localhost".to_owned() } else { plain }
}

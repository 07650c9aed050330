//! Floor 7: runs what the dialect printed. The only floor that talks to a database.

mod adapter;
mod catalog;
mod comment;
mod connect;
mod contract;
mod duckdb;
mod freshness;
mod hook;
pub mod load;
mod load_source;
mod node;
mod observed;
mod postgres;
mod prepare;
mod priority;
mod report;
mod run;
mod schedule;
mod statement;
mod warehouse;
mod watchdog;

pub use adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
pub use catalog::read_catalog;
pub use comment::Comment;
pub use connect::{Connected, adapter_chain, connection_failed, engine_of, open};
pub use duckdb::{DuckDb, MEMORY};
pub use freshness::{FreshnessRun, check_freshness};
pub use node::artifact_path;
pub use observed::observed;
pub use postgres::{PgSettings, Postgres};
pub use prepare::{RunJob, RunOptions};
pub use report::{Event, Interrupt, Reporter};
pub use run::{NodeExplanation, explain, run};
pub use warehouse::LazyWarehouse;

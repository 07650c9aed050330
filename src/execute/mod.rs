//! Floor 7: runs what the dialect printed. The only floor that talks to a database.

mod adapter;
mod connect;
mod contract;
mod duckdb;
mod hook;
pub mod load;
mod load_source;
mod node;
mod postgres;
mod prepare;
mod report;
mod run;
mod schedule;
mod statement;
mod warehouse;

pub use adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
pub use connect::{Connected, adapter_chain, connection_failed, engine_of, open};
pub use duckdb::{DuckDb, MEMORY};
pub use node::artifact_path;
pub use postgres::{PgSettings, Postgres};
pub use prepare::{RunJob, RunOptions};
pub use report::{Event, Interrupt, Reporter};
pub use run::{NodeExplanation, explain, run};
pub use warehouse::LazyWarehouse;

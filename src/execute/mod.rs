//! Floor 7: runs what the dialect printed. The only floor that talks to a database.

mod adapter;
mod arrival;
mod assumed;
#[cfg(feature = "redshift")]
mod aws;
mod bound_views;
mod buckets;
mod catalog;
mod clean_up;
mod comment;
mod connect;
mod contract;
mod copied_rows;
mod duckdb;
mod exchange;
mod external;
mod external_parts;
mod freshness;
mod guarded_keys;
mod hidden;
mod hook;
mod limits;
pub mod load;
mod load_source;
mod microbatch;
mod node;
mod observed;
mod operation;
mod overrides;
mod partitions;
mod postgres;
mod prepare;
mod priority;
mod publication;
#[cfg(feature = "redshift")]
mod redshift;
mod report;
mod run;
mod run_hooks;
mod schedule;
mod sql_files;
mod unit_test;
mod unloaded;
mod warehouse;
mod watchdog;
mod workers;

pub use adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
pub use arrival::{Origin, Origins};
pub use assumed::{Assumption, expect_columns, explain_assuming};
pub use buckets::{Buckets, Object};
pub use catalog::read_catalog;
pub use comment::Comment;
pub use connect::{
    Connected, PORTABLE_ADAPTER, adapter_chain, connection_failed, empty_form, engine_of, is_one_database, lowers_names,
    may_be_out_of_reach, open,
};
pub use duckdb::{DuckDb, MEMORY};
pub use exchange::{Exchange, Partner, partners};
pub use freshness::{FreshnessRun, check_freshness};
pub use observed::observed;
pub use operation::{find_operation, run_operation};
pub use postgres::{PgSettings, Postgres};
pub use prepare::{RunJob, RunOptions, Served, node_fits};
#[cfg(feature = "redshift")]
pub use redshift::{Redshift, RedshiftSettings};
pub use report::{Event, Interrupt, Reporter};
pub use run::{NodeExplanation, explain, run};
pub use sql_files::{artifact_path, write_sql};
pub use warehouse::LazyWarehouse;

//! Floor 7: runs what the dialect printed. The only floor that talks to a database.

mod adapter;
mod duckdb;
pub mod load;
mod postgres;
mod report;
mod statement;

pub use adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, DependentView, Session, Table};
pub use duckdb::{DuckDb, MEMORY};
pub use postgres::{PgSettings, Postgres};
pub use report::{Event, Interrupt, Reporter};

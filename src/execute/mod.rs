//! Floor 7: runs what the dialect printed. The only floor that talks to a database.

mod adapter;

pub use adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, DependentView, Session, Table};

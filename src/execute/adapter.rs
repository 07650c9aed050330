//! The outside edge: what an engine must be able to do. Everything above speaks SQL text that [`crate::dialect`] printed.

use std::io::Read;
use std::sync::Arc;

use super::Comment;
pub use crate::base::{ColumnInfo, Datum, Table};
use crate::base::{Relation, RelationKind, quote_ident};
use crate::plan::{Attachments, Privilege};

/// Why a statement or a connection failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdapterError {
    /// The server cannot be reached, refuses the credentials, or went away in the middle.
    #[error("{message}")]
    Connection { message: String, hints: Vec<String> },
    /// The engine refused a statement.
    #[error("{message}")]
    Statement {
        message: String,
        /// The engine's own code: SQLSTATE (`42703`), or DuckDB's kind of exception (`Binder Error`).
        code: Option<String>,
        /// Byte offset in the statement, where the engine tells.
        offset: Option<usize>,
        /// The engine's detail and hint lines.
        hints: Vec<String>,
    },
    /// Ctrl-C or a timeout ended the statement.
    #[error("cancelled")]
    Cancelled,
    /// A local file or stream failed during a load.
    #[error("{0}")]
    Io(String),
}

impl AdapterError {
    /// Whether the engine ended the transaction only because another was in its way, so that trying again may help: a deadlock
    /// (40P01), a conflict of serializable transactions (40001), or an entry of the catalogue that another changed at the same time.
    pub fn is_conflict(&self) -> bool {
        let AdapterError::Statement { code: Some(code), message, .. } = self else { return false };
        matches!(code.as_str(), "40P01" | "40001") || code == "XX000" && message.starts_with("tuple concurrently ")
    }

    /// Whether a lock was not to be had in the time that was set for it.
    pub(super) fn is_lock_timeout(&self) -> bool {
        matches!(self, AdapterError::Statement { code: Some(code), .. } if code == "55P03")
    }
}

/// A relation that exists in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogRelation {
    pub relation: Relation,
    pub kind: RelationKind,
    /// The role that owns it; `None` on engines that bind nothing to a relation by identity.
    pub owner: Option<String>,
}

/// One engine with its connection settings. Cheap to share; sessions do the work.
pub trait Adapter: Send + Sync {
    /// Opens a session. For PostgreSQL a connection; for DuckDB another handle on the one open database.
    ///
    /// # Errors
    /// `Connection` with hints on what to check.
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError>;

    /// Version and place of the engine, without secrets: for `acca debug`.
    ///
    /// # Errors
    /// As [`Adapter::connect`].
    fn describe(&self) -> Result<String, AdapterError>;
}

/// Ends the statement that its session is running, from another thread.
pub trait Cancel: Send + Sync {
    fn cancel(&self);
}

/// One connection. Not shared between threads at the same time.
pub trait Session: Send {
    /// Runs one or more statements; the number of rows that the last one changed.
    ///
    /// # Errors
    /// `Statement`, `Cancelled` or `Connection`. An open transaction is then to be rolled back.
    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError>;

    /// Runs one query and returns at most `limit` rows (`None`: all).
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError>;

    /// The first value of the first row of a query that has few: a count. `None` when it has no row.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn value(&mut self, sql: &str) -> Result<Option<Datum>, AdapterError> {
        Ok(self.query(sql, None)?.rows.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// The columns that one query would give, without running it.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn describe(&mut self, query: &str) -> Result<Vec<ColumnInfo>, AdapterError>;

    /// Types as the engine spells them.
    ///
    /// # Errors
    /// As [`Session::execute`], when one of them is no type.
    fn spelled(&mut self, types: &[String]) -> Result<Vec<String>, AdapterError> {
        let column = |(at, data_type): (usize, &String)| format!("cast(null as {data_type}) as {}", quote_ident(&format!("column_{at}")));
        let list: Vec<String> = types.iter().enumerate().map(column).collect();
        let columns = self.describe(&format!("select {}", list.join(", ")))?;
        Ok(columns.into_iter().map(|column| column.data_type).collect())
    }

    /// PostgreSQL: feeds `data` to a `COPY … FROM STDIN` statement; the number of rows. Other engines refuse.
    ///
    /// # Errors
    /// As [`Session::execute`], and `Io` when reading `data` fails (nothing of it is kept then).
    fn copy_in(&mut self, sql: &str, data: &mut dyn Read) -> Result<u64, AdapterError>;

    /// All relations of the named schemas, in ascending order. A schema that does not exist has none.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError>;

    /// The columns of a relation in order; none when it does not exist.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError>;

    /// What is bound to `live` by identity, for a relation of that kind, now at `staged`, that will take its place. Engines that
    /// bind views by name (DuckDB, Redshift's late-binding views) have none.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn attachments(&mut self, live: &Relation, staged: &Relation, kind: RelationKind) -> Result<Attachments, AdapterError>;

    /// As [`Session::attachments`], without what is true only while nobody changes it: no definitions and no settings.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn readers(&mut self, live: &Relation) -> Result<Attachments, AdapterError>;

    /// Who besides the owner may do what with a relation; engines without privileges have none.
    ///
    /// # Errors
    /// As [`Session::execute`].
    fn privileges(&mut self, relation: &Relation) -> Result<Vec<Privilege>, AdapterError>;

    /// What to put on every statement from now on. A session that puts nothing on statements ignores it.
    fn comment(&mut self, _comment: &Comment) {}

    /// A handle that ends the running statement from another thread.
    fn cancel_handle(&self) -> Arc<dyn Cancel>;
}

//! What templates may ask of the database while they run. Implemented by the floor that talks to it.

use crate::base::{Relation, RelationKind};

/// Rows that a statement returned, and how the engine described what it did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatementResult {
    pub columns: Vec<String>,
    /// The engine's names of the columns' types; may be empty.
    pub types: Vec<String>,
    /// One JSON value a cell; exact decimals as text.
    pub rows: Vec<Vec<serde_json::Value>>,
    pub rows_affected: u64,
}

/// The database of the current target, as macros see it. Errors are the engine's own words.
pub trait Warehouse: Send + Sync {
    /// Whether a database answers, so that what it says is good for all that is read later too.
    fn is_asked(&self) -> bool {
        true
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// The engine's message.
    fn statement(&self, sql: &str, fetch: bool) -> Result<StatementResult, String>;

    /// What stands under that name, if anything.
    ///
    /// # Errors
    /// The engine's message.
    fn relation_kind(&self, relation: &Relation) -> Result<Option<RelationKind>, String>;

    /// All relations of a schema.
    ///
    /// # Errors
    /// The engine's message.
    fn relations(&self, schema: &str) -> Result<Vec<(Relation, RelationKind)>, String>;

    /// Names and types of the columns in order.
    ///
    /// # Errors
    /// The engine's message.
    fn columns(&self, relation: &Relation) -> Result<Vec<(String, String)>, String>;

    /// Names and types of the columns that a query would give.
    ///
    /// # Errors
    /// The engine's message.
    fn describe(&self, query: &str) -> Result<Vec<(String, String)>, String>;
}

//! What an engine's own catalogue says of relations.

/// A relation of the database with its columns, for the catalogue of the documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelationFacts {
    pub database: String,
    pub schema: String,
    pub name: String,
    /// `BASE TABLE`, `VIEW`, `MATERIALIZED VIEW`, as the information schema spells it.
    pub kind: String,
    pub comment: Option<String>,
    /// The role that it belongs to; `None` on engines without roles.
    pub owner: Option<String>,
    /// Rows, as the engine estimates them.
    pub rows: Option<i64>,
    /// What it takes on disk, indexes included.
    pub bytes: Option<i64>,
    /// In their order.
    pub columns: Vec<ColumnFacts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnFacts {
    pub name: String,
    /// As the engine spells it.
    pub data_type: String,
    /// From 1; a gap where a column was dropped.
    pub index: i64,
    pub comment: Option<String>,
}

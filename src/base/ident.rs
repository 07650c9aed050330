//! Names: of resources in the project and of relations in a database.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// dbt's `unique_id`: resource type, package and name joined by dots (`model.shop.orders`).
pub type UniqueId = Arc<str>;

/// What kind of thing a node of the project is. The order is that of dbt's listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    Model,
    Analysis,
    Test,
    Snapshot,
    Operation,
    UnitTest,
    Seed,
    Source,
    Exposure,
    Macro,
    #[serde(rename = "doc")]
    DocBlock,
}

impl ResourceType {
    /// Whether it is there to find mistakes, and comes along with what it tests.
    pub fn is_test(self) -> bool {
        matches!(self, ResourceType::Test | ResourceType::UnitTest)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            ResourceType::Model => "model",
            ResourceType::Analysis => "analysis",
            ResourceType::Test => "test",
            ResourceType::Snapshot => "snapshot",
            ResourceType::Operation => "operation",
            ResourceType::UnitTest => "unit_test",
            ResourceType::Seed => "seed",
            ResourceType::Source => "source",
            ResourceType::Exposure => "exposure",
            ResourceType::Macro => "macro",
            ResourceType::DocBlock => "doc",
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a relation is in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    Table,
    View,
    MaterializedView,
    /// Foreign tables and whatever else a catalogue lists.
    External,
}

impl RelationKind {
    pub fn as_str(self) -> &'static str {
        match self {
            RelationKind::Table => "table",
            RelationKind::View => "view",
            RelationKind::MaterializedView => "materialized_view",
            RelationKind::External => "external",
        }
    }
}

/// The full name of a relation in a database, each part as it stands in the catalogue (not quoted).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Relation {
    pub database: Arc<str>,
    pub schema: Arc<str>,
    pub identifier: Arc<str>,
}

impl Relation {
    pub fn new(database: &str, schema: &str, identifier: &str) -> Relation {
        Relation { database: database.into(), schema: schema.into(), identifier: identifier.into() }
    }

    /// From the database to the relation.
    pub fn parts(&self) -> [&Arc<str>; 3] {
        [&self.database, &self.schema, &self.identifier]
    }

    /// The same place with another last name.
    pub fn with_identifier(&self, identifier: &str) -> Relation {
        Relation { identifier: identifier.into(), ..self.clone() }
    }

    /// `"database"."schema"."identifier"`, quotes inside doubled: how every engine that acca knows reads a name exactly.
    pub fn quoted(&self) -> String {
        [&self.database, &self.schema, &self.identifier].map(|part| quote_ident(part)).join(".")
    }

    /// `schema.identifier`, for people.
    pub fn display(&self) -> String {
        format!("{}.{}", self.schema, self.identifier)
    }
}

/// The identifier in double quotes, a quote inside doubled.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

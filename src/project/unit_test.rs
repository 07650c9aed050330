//! What a unit test consists of: rows that a model reads, and the rows that it is to give then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::node::{RefCall, SourceCall};
use crate::base::{Span, UniqueId};

/// One unit test of one model (of one version of it).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnitTest {
    /// The model's name, as written, and where.
    pub model: String,
    pub model_span: Span,
    /// The node that it tests.
    pub tested: UniqueId,
    pub version: Option<String>,
    pub given: Vec<UnitInput>,
    pub expect: UnitRows,
    pub expect_span: Span,
    pub overrides: UnitOverrides,
    /// `versions` as written.
    pub versions: Option<Value>,
}

/// Rows that stand for a relation which the model reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnitInput {
    /// `ref('orders')`, `source('shop', 'orders')` or `this`, as written.
    pub call: String,
    pub span: Span,
    pub rows: UnitRows,
    /// What the call names; found when the call is evaluated.
    pub reads: Option<InputCall>,
    /// The node that it is; found when the project is linked.
    pub node: Option<UniqueId>,
}

/// What the `input` of a unit test names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputCall {
    Ref(RefCall),
    Source(SourceCall),
    /// The model itself, as it stands before the run.
    This,
}

/// Rows of a fixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UnitRows {
    Listed {
        rows: Vec<UnitRow>,
        csv: bool,
        fixture: Option<String>,
    },
    /// A query that gives them.
    Sql {
        query: String,
        span: Span,
        fixture: Option<String>,
    },
    /// Nothing is said of rows: those of the seed itself.
    OfSeed,
}

/// One row: columns with their values, in the order of writing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitRow {
    pub cells: Vec<(String, Cell)>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cell {
    Null,
    Bool(bool),
    /// As it is written: a decimal loses no digit.
    Number(String),
    Text(String),
}

/// What templates get instead of what they ask for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitOverrides {
    /// By name, also `package.name`.
    pub macros: BTreeMap<String, Value>,
    pub vars: BTreeMap<String, Value>,
    pub env_vars: BTreeMap<String, Value>,
}

impl UnitTest {
    /// Whether `is_incremental()` is said to be true or false; `None`: nothing is said.
    pub fn incremental(&self) -> Option<bool> {
        self.overrides.macros.get("is_incremental").and_then(Value::as_bool)
    }
}

impl UnitRows {
    /// As the manifest holds them: `format`, `rows` and `fixture`.
    pub fn to_json(&self) -> Value {
        match self {
            UnitRows::Listed { rows, csv, fixture } => {
                let format = if *csv { "csv" } else { "dict" };
                json!({"rows": rows.iter().map(UnitRow::to_json).collect::<Vec<_>>(), "format": format, "fixture": fixture})
            }
            UnitRows::Sql { query, fixture, .. } => json!({"rows": query, "format": "sql", "fixture": fixture}),
            UnitRows::OfSeed => json!({"rows": null, "format": "dict", "fixture": null}),
        }
    }
}

impl UnitRow {
    fn to_json(&self) -> Value {
        Value::Object(self.cells.iter().map(|(name, cell)| (name.clone(), cell.to_json())).collect::<Map<_, _>>())
    }
}

impl Cell {
    fn to_json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Bool(truth) => Value::Bool(*truth),
            Cell::Number(digits) => serde_json::from_str(digits).unwrap_or_else(|_| Value::from(digits.as_str())),
            Cell::Text(text) => Value::from(text.as_str()),
        }
    }
}

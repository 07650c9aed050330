//! Rows that came back from an engine.

use std::fmt;

use serde::Serialize;

/// A value as the engine returned it. Exact decimals stay text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An exact decimal or an integer of more than 64 bits, as its digits.
    Decimal(String),
    Text(String),
}

/// The rows that a query returned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names and the engine's type names, in order.
    pub columns: Vec<ColumnInfo>,
    pub rows: Vec<Vec<Datum>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnInfo {
    pub name: String,
    /// As the engine spells it: `numeric(12,2)`, `DECIMAL(12,2)`.
    pub data_type: String,
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datum::Null => f.write_str("NULL"),
            Datum::Bool(truth) => write!(f, "{truth}"),
            Datum::Int(whole) => write!(f, "{whole}"),
            Datum::Float(fraction) => write!(f, "{fraction}"),
            Datum::Decimal(text) | Datum::Text(text) => f.write_str(text),
        }
    }
}

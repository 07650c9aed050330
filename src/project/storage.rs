//! How a relation is stored, in words that dbt does not have: compression, numbered columns, partitions. They stand in the configuration,
//! or under its `meta`, where a project may write what dbt does not know.

use serde_json::Value;

use super::node::{Column, Detail, Node};
use super::partitions::PartitionBy;
use crate::base::{ResourceType, Span};
use crate::diag::{Diagnostic, codes};

/// Redshift's encodings (`c_Compression_encodings`), ascending.
const ENCODINGS: [&str; 13] =
    ["az64", "bytedict", "delta", "delta32k", "lzo", "mostly16", "mostly32", "mostly8", "raw", "runlength", "text255", "text32k", "zstd"];

/// A column that the database numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As it is written.
    pub column: String,
    pub start: i64,
    pub step: i64,
}

/// How a column is compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// As it is written.
    pub column: String,
    /// One of Redshift's words, in lower case.
    pub word: String,
}

impl Node {
    /// A key of the configuration, or of its `meta`.
    pub fn stored(&self, key: &str) -> Option<&Value> {
        let own = self.config.get(key).filter(|value| !value.is_null());
        own.or_else(|| self.config.get("meta")?.get(key).filter(|value| !value.is_null()))
    }

    /// Where that key is written, as near as is known.
    pub fn stored_at(&self, key: &str) -> Span {
        let own = self.config.get(key).filter(|value| !value.is_null()).and_then(|_| self.config.span(key));
        own.or_else(|| self.config.span("meta")).or(self.properties).or(self.body).unwrap_or(self.origin)
    }

    /// The columns of its query: all declared ones but those that the database numbers.
    pub fn query_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.is_identity())
    }

    /// Columns that the database numbers, in the order of the declaration.
    ///
    /// # Errors
    /// `invalid-config` for what is no start and step.
    pub fn identities(&self) -> Result<Vec<Identity>, Diagnostic> {
        self.columns.iter().filter(|column| column.is_identity()).map(|column| identity(self, column)).collect()
    }

    /// How its columns are compressed; none where the engine is to choose.
    ///
    /// # Errors
    /// `invalid-config` for what is no encoding.
    pub fn encodings(&self) -> Result<Vec<Encoding>, Diagnostic> {
        let mut found: Vec<Encoding> = Vec::new();
        let of_model = |why: String| invalid(self, "encode", why).help("write it like {amount: az64, note: zstd}, or auto");
        match self.stored("encode") {
            None => {}
            Some(Value::String(word)) if word.eq_ignore_ascii_case("auto") => {}
            Some(Value::Object(columns)) => {
                for (column, word) in columns {
                    let word = word.as_str().ok_or_else(|| of_model(format!("'encode' of '{}' has no word for '{column}'", self.name)))?;
                    found.push(encoding(self, column, word, self.stored_at("encode"))?);
                }
            }
            Some(_) => return Err(of_model(format!("'encode' of '{}' is neither a mapping of columns nor auto", self.name))),
        }
        for column in &self.columns {
            let Some(word) = column.meta.get("encode") else { continue };
            let place = column.span.or(self.properties).unwrap_or(self.origin);
            let Some(word) = word.as_str() else {
                let message = format!("'encode' of column '{}' of '{}' is no word", column.name, self.name);
                return Err(Diagnostic::new(&codes::INVALID_CONFIG, message).at(place));
            };
            found.retain(|held| !held.column.eq_ignore_ascii_case(&column.name));
            found.push(encoding(self, &column.name, word, place)?);
        }
        found.sort_by(|one, other| one.column.cmp(&other.column));
        Ok(found)
    }
}

impl Column {
    /// `meta: {identity: true}`, or with a start and a step.
    pub fn is_identity(&self) -> bool {
        !matches!(self.meta.get("identity"), None | Some(Value::Null | Value::Bool(false)))
    }
}

fn invalid(node: &Node, key: &str, message: String) -> Diagnostic {
    Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.stored_at(key))
}

fn encoding(node: &Node, column: &str, written: &str, place: Span) -> Result<Encoding, Diagnostic> {
    let word = written.trim().to_ascii_lowercase();
    if ENCODINGS.contains(&word.as_str()) {
        return Ok(Encoding { column: column.to_owned(), word });
    }
    let message = format!("'{written}', the encoding of column '{column}' of '{}', is none of Redshift's", node.name);
    let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(place).did_you_mean(&word, ENCODINGS);
    Err(problem.help(format!("they are {}", ENCODINGS.join(", "))))
}

fn identity(node: &Node, column: &Column) -> Result<Identity, Diagnostic> {
    let invalid = |why: String| {
        let place = column.span.or(node.properties).unwrap_or(node.origin);
        Diagnostic::new(&codes::INVALID_CONFIG, why).at(place).help("write it like identity: true, or identity: {start: 1, step: 1}")
    };
    let named = |what: &str| format!("'identity' of column '{}' of '{}' {what}", column.name, node.name);
    if !matches!(node.detail, Detail::Model(_)) || !matches!(node.materialized(), "table" | "incremental") {
        return Err(invalid(named("needs a model that is a table or incremental")));
    }
    let (start, step) = match column.meta.get("identity") {
        Some(Value::Bool(true)) => (1, 1),
        Some(Value::Object(given)) => {
            if let Some(other) = given.keys().find(|key| !matches!(key.as_str(), "start" | "step")) {
                return Err(invalid(named(&format!("has the unknown key '{other}'"))).did_you_mean(other, ["start", "step"]));
            }
            let number = |key: &str| given.get(key).map_or(Some(1), Value::as_i64);
            number("start").zip(number("step")).ok_or_else(|| invalid(named("has a start or step that is no whole number")))?
        }
        _ => return Err(invalid(named("is neither true nor a start and a step"))),
    };
    if step == 0 {
        return Err(invalid(named("has a step of 0")));
    }
    Ok(Identity { column: column.name.clone(), start, step })
}

/// What is wrong with the words that are acca's own, on whatever engine.
pub fn check_storage(node: &Node) -> Vec<Diagnostic> {
    if !matches!(node.resource, ResourceType::Model | ResourceType::Snapshot | ResourceType::Seed) {
        return Vec::new();
    }
    [node.encodings().err(), node.identities().err(), PartitionBy::of(node).err()].into_iter().flatten().collect()
}

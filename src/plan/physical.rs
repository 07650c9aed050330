//! How a table is stored, as the configuration asks for it: each engine takes what it has.

use serde_json::Value;

use crate::base::ResourceType;
use crate::diag::{Diagnostic, codes};
use crate::project::{Encoding, Identity, Node, PartitionBy};

/// dbt's `dist`, `sort`, `sort_type` and `backup`, what acca adds to them, and what PostgreSQL has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Physical {
    /// A crash may empty the table.
    pub unlogged: bool,
    /// How rows are spread over nodes; `None`: as the engine likes.
    pub distribution: Option<Distribution>,
    pub sort: Option<Sort>,
    /// Left out of snapshots of the cluster.
    pub no_backup: bool,
    /// How columns are compressed; those that are not named as the engine likes.
    pub encodings: Vec<Encoding>,
    /// Columns that the database numbers, in front of those of the query.
    pub identities: Vec<Identity>,
    pub partition_by: Option<PartitionBy>,
    /// Of a materialized view: whether the engine brings it up to date by itself.
    pub auto_refresh: Option<bool>,
}

/// What an engine has of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageFeatures {
    /// Rows are spread over nodes, kept in an order, and columns are compressed by names of methods.
    pub columnar: bool,
    /// It numbers rows by itself.
    pub identity: bool,
    /// It cuts tables into partitions.
    pub partitions: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution {
    Auto,
    Even,
    All,
    /// By the values of one column, as it is written.
    Key(String),
}

/// The order in which rows are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sort {
    Auto,
    Keys { interleaved: bool, columns: Vec<String> },
}

/// Columns that a sort key may have, by kind: Amazon's limits.
const MOST_COMPOUND: usize = 400;
const MOST_INTERLEAVED: usize = 8;

impl Physical {
    /// What the engine has of what the configuration asks for.
    ///
    /// # Errors
    /// `invalid-config` for a word that is none of its key's, `unsupported-in-dialect` for what would change the columns and is not to be had.
    pub fn of(node: &Node, has: StorageFeatures) -> Result<Physical, Diagnostic> {
        let unlogged = node.resource == ResourceType::Model && node.config.bool("unlogged") == Some(true);
        let identities = node.identities()?;
        if let (Some(first), false) = (identities.first(), has.identity) {
            let message = format!("this engine numbers no rows, and column '{}' of '{}' is an identity", first.column, node.name);
            let place = node.columns.iter().find(|column| column.name == first.column).and_then(|column| column.span);
            let problem = Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).at(place.unwrap_or(node.origin));
            return Err(problem.help("number the rows in the query with row_number(), or make a key of the columns that tell rows apart"));
        }
        let partition_by = if has.partitions { PartitionBy::of(node)? } else { None };
        let every = Physical { unlogged, identities, partition_by, ..Physical::default() };
        if !has.columnar {
            return Ok(every);
        }
        Ok(Physical {
            distribution: distribution(node)?,
            sort: sort(node)?,
            no_backup: node.stored("backup").and_then(Value::as_bool) == Some(false),
            encodings: encodings(node)?,
            auto_refresh: auto_refresh(node)?,
            ..every
        })
    }

    /// Of a table that lives as long as its session: nobody backs it up, and it has no more than the rows.
    #[must_use]
    pub fn temporary(self) -> Physical {
        Physical { distribution: self.distribution, sort: self.sort, ..Physical::default() }
    }

    /// Whether the table is made of columns that are written out, as no query can say this.
    pub fn is_declared(&self) -> bool {
        !self.encodings.is_empty() || !self.identities.is_empty()
    }

    /// Whether what is said of columns is said of columns that there are, and of a kind that takes it.
    ///
    /// # Errors
    /// `invalid-config` for the first that is not.
    pub fn check_columns(&self, node: &Node, columns: &[(&str, &str)]) -> Result<(), Diagnostic> {
        for encoding in &self.encodings {
            let Some((name, data_type)) = columns.iter().find(|(name, _)| same(&encoding.column, name)) else {
                if self.numbers(&encoding.column) {
                    continue;
                }
                let message = format!("'encode' of '{}' names '{}', which is no column of it", node.name, encoding.column);
                return Err(invalid(node, "encode", message).did_you_mean(&encoding.column, columns.iter().map(|(name, _)| *name)));
            };
            if !takes(&encoding.word, data_type) {
                let message = format!("column '{name}' of '{}' is {data_type}, which is not encoded as {}", node.name, encoding.word);
                let fitting = ["az64", "bytedict", "lzo", "runlength", "zstd"].into_iter().filter(|word| takes(word, data_type));
                let help = format!("write one of {}, or leave it to Redshift", fitting.collect::<Vec<_>>().join(", "));
                return Err(invalid(node, "encode", message).help(help));
            }
        }
        Ok(())
    }

    /// Columns that the configuration names, each with the key that names it.
    pub(super) fn named_columns(&self) -> Vec<(&'static str, String)> {
        let mut named = Vec::new();
        if let Some(Distribution::Key(column)) = &self.distribution {
            named.push(("dist", column.clone()));
        }
        if let Some(Sort::Keys { columns, .. }) = &self.sort {
            named.extend(columns.iter().map(|column| ("sort", column.clone())));
        }
        named.extend(self.encodings.iter().map(|encoding| ("encode", encoding.column.clone())));
        named.extend(self.partition_by.iter().map(|by| ("partition_by", by.column.clone())));
        named
    }

    /// Whether the database numbers the column of that name.
    pub fn numbers(&self, column: &str) -> bool {
        self.identities.iter().any(|identity| same(&identity.column, column))
    }
}

/// Whether a name as it is written in the configuration is that of a column, on engines that fold the case of letters.
fn same(written: &str, column: &str) -> bool {
    written.trim_matches('"').eq_ignore_ascii_case(column)
}

/// Whether values of a type can be encoded so (`c_Compression_encodings`).
fn takes(encoding: &str, data_type: &str) -> bool {
    let name = data_type.split('(').next().unwrap_or(data_type).trim().to_ascii_lowercase();
    let whole = matches!(name.as_str(), "smallint" | "int2" | "integer" | "int" | "int4" | "bigint" | "int8");
    let small = matches!(name.as_str(), "smallint" | "int2");
    let wide = matches!(name.as_str(), "bigint" | "int8");
    let exact = matches!(name.as_str(), "numeric" | "decimal");
    let moment = name == "date" || name.starts_with("time");
    let text = matches!(name.as_str(), "varchar" | "character varying" | "nvarchar" | "text" | "string");
    let letters = text || matches!(name.as_str(), "char" | "character" | "bpchar" | "nchar");
    let float = matches!(name.as_str(), "real" | "float4" | "double precision" | "float8" | "float");
    if !(whole || exact || moment || letters || float || matches!(name.as_str(), "boolean" | "bool" | "super")) {
        // Nothing is known of it that would refuse it.
        return true;
    }
    match encoding {
        "raw" | "zstd" => true,
        "runlength" => name != "super",
        "az64" => whole || exact || moment,
        "bytedict" => whole || exact || moment || letters || float,
        "lzo" => whole || exact || moment || letters || name == "super",
        "delta" => whole || exact || moment,
        "delta32k" | "mostly16" if small => false,
        "delta32k" => whole || exact || moment,
        "mostly8" | "mostly16" => whole || exact,
        "mostly32" => wide || exact,
        "text255" | "text32k" => text,
        _ => true,
    }
}

/// The encoding of a column.
pub fn encoding_of<'p>(physical: &'p Physical, column: &str) -> Option<&'p str> {
    physical.encodings.iter().find(|encoding| same(&encoding.column, column)).map(|encoding| encoding.word.as_str())
}

fn invalid(node: &Node, key: &str, message: String) -> Diagnostic {
    Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.stored_at(key))
}

fn auto_refresh(node: &Node) -> Result<Option<bool>, Diagnostic> {
    match node.stored("auto_refresh") {
        None => Ok(None),
        Some(Value::Bool(refresh)) => Ok(Some(*refresh)),
        Some(_) => Err(invalid(node, "auto_refresh", format!("'auto_refresh' of '{}' is neither true nor false", node.name))),
    }
}

fn distribution(node: &Node) -> Result<Option<Distribution>, Diagnostic> {
    let written = match node.stored("dist") {
        None => return Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim(),
        Some(_) => return Err(invalid(node, "dist", format!("'dist' of '{}' is no word and no name of a column", node.name))),
    };
    Ok(Some(match written.to_ascii_lowercase().as_str() {
        "auto" => Distribution::Auto,
        "even" => Distribution::Even,
        "all" => Distribution::All,
        _ => Distribution::Key(written.to_owned()),
    }))
}

fn sort(node: &Node) -> Result<Option<Sort>, Diagnostic> {
    let kind = node.stored("sort_type").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let interleaved = match kind.as_deref() {
        None | Some("compound") => false,
        Some("interleaved") => true,
        Some(other) => {
            let message = format!("'sort_type' of '{}' is '{other}', and there are compound and interleaved", node.name);
            return Err(invalid(node, "sort_type", message).did_you_mean(other, ["compound", "interleaved"]));
        }
    };
    let columns: Vec<String> = match node.stored("sort") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    if columns.is_empty() {
        return Ok(None);
    }
    if let [only] = columns.as_slice()
        && only.eq_ignore_ascii_case("auto")
    {
        return Ok(Some(Sort::Auto));
    }
    let most = if interleaved { MOST_INTERLEAVED } else { MOST_COMPOUND };
    if columns.len() > most {
        let message = format!("'sort' of '{}' has {} columns, and a key of this type has at most {most}", node.name, columns.len());
        return Err(invalid(node, "sort", message));
    }
    Ok(Some(Sort::Keys { interleaved, columns }))
}

/// Only what is made of declared columns can say how they are compressed.
fn encodings(node: &Node) -> Result<Vec<Encoding>, Diagnostic> {
    let found = node.encodings()?;
    let is_table = matches!(node.materialized(), "table" | "incremental" | "seed");
    if is_table || found.is_empty() || node.resource == ResourceType::Seed {
        return Ok(found);
    }
    let message = format!("'encode' of '{}' says nothing: a {} is made by its query, which cannot say it", node.name, node.materialized());
    Err(invalid(node, "encode", message).help("leave it out, so that Redshift chooses, or make it a table"))
}

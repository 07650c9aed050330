//! How a table is stored, as the configuration asks for it: each engine takes what it has.

use serde_json::Value;

use super::materialize::invalid;
use crate::base::ResourceType;
use crate::diag::Diagnostic;
use crate::project::Node;

/// dbt's `dist`, `sort`, `sort_type` and `backup`, and what PostgreSQL has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Physical {
    /// A crash may empty the table.
    pub unlogged: bool,
    /// How rows are spread over nodes; `None`: as the engine likes.
    pub distribution: Option<Distribution>,
    pub sort: Option<Sort>,
    /// Left out of snapshots of the cluster.
    pub no_backup: bool,
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
    /// # Errors
    /// `invalid-config` for a word that is none of its key's.
    pub fn of(node: &Node) -> Result<Physical, Diagnostic> {
        Ok(Physical {
            distribution: distribution(node)?,
            sort: sort(node)?,
            no_backup: node.config.bool("backup") == Some(false),
            ..Physical::of_any(node)
        })
    }

    /// Without what only some engines have, which is not looked at.
    pub fn of_any(node: &Node) -> Physical {
        let unlogged = node.resource == ResourceType::Model && node.config.bool("unlogged") == Some(true);
        Physical { unlogged, ..Physical::default() }
    }

    /// Of a table that lives as long as its session: nobody backs it up.
    #[must_use]
    pub fn temporary(self) -> Physical {
        Physical { unlogged: false, no_backup: false, ..self }
    }
}

fn distribution(node: &Node) -> Result<Option<Distribution>, Diagnostic> {
    let written = match node.config.get("dist") {
        None | Some(Value::Null) => return Ok(None),
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
    let interleaved = match node.config.str("sort_type").map(str::to_ascii_lowercase).as_deref() {
        None | Some("compound") => false,
        Some("interleaved") => true,
        Some(other) => {
            let message = format!("'sort_type' of '{}' is '{other}', and there are compound and interleaved", node.name);
            return Err(invalid(node, "sort_type", message));
        }
    };
    let columns = node.config.strings("sort");
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

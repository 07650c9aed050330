//! Why a load did not happen, in words for the person who owns the files.

use std::fmt;

use super::rows::Reject;
use crate::base::Relation;
use crate::execute::adapter::AdapterError;

/// Why nothing of a file was loaded.
#[derive(Debug)]
pub enum LoadError {
    Engine(AdapterError),
    /// The file as a whole cannot be loaded: missing, not complete, other columns, unknown encoding.
    File {
        file: String,
        message: String,
        help: Vec<String>,
    },
    /// The raw table has other columns than are declared.
    TableDiffers {
        table: Relation,
        differences: Vec<String>,
    },
    /// More malformed rows than the source allows. They are in the reject table.
    Rejected {
        file: String,
        /// How many were found until the load gave up: at least.
        rejected: u64,
        allowed: usize,
        /// The first of them.
        first: Vec<Reject>,
        rejects_table: Relation,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Engine(error) => error.fmt(f),
            LoadError::File { file, message, .. } => write!(f, "'{file}' cannot be loaded: {message}"),
            LoadError::TableDiffers { table, differences } => {
                write!(f, "the raw table '{}' differs from its declaration: {}", table.display(), differences.join(", "))
            }
            LoadError::Rejected { file, rejected, allowed, .. } => {
                let rows = if *rejected == 1 { "row" } else { "rows" };
                write!(f, "'{file}' has {rejected} malformed {rows} and may have {allowed}; nothing of it is loaded")
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl LoadError {
    /// What to do about it, and the first rejects with file and line.
    pub fn details(&self) -> Vec<String> {
        match self {
            LoadError::Engine(AdapterError::Connection { hints, .. } | AdapterError::Statement { hints, .. }) => hints.clone(),
            LoadError::Engine(AdapterError::Cancelled | AdapterError::Io(_)) => Vec::new(),
            LoadError::File { help, .. } => help.clone(),
            LoadError::TableDiffers { table, .. } => {
                vec![format!("change the declaration, or load '{}' anew with --full-refresh", table.display())]
            }
            LoadError::Rejected { file, first, rejects_table, .. } => {
                let mut lines: Vec<String> = first.iter().map(|reject| format!("{file}:{}: {}", reject.line, reject.reason)).collect();
                lines.push(format!("all of them are in the table '{}'", rejects_table.display()));
                lines.push("correct the file, or raise 'max_rejects' of the source's landing".to_owned());
                lines
            }
        }
    }
}

impl From<AdapterError> for LoadError {
    fn from(error: AdapterError) -> LoadError {
        LoadError::Engine(error)
    }
}

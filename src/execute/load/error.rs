//! Why a load did not happen, in words for the person who owns the files.

use std::fmt;

use super::rows::Reject;
use crate::base::Relation;
use crate::execute::adapter::AdapterError;

/// What can be done about a raw table that differs from its declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Every loaded file is still there, or has not been looked for: a full refresh can make the table anew.
    Refresh,
    /// Nothing says that acca made the table, so it is never dropped.
    NotOwn,
    /// Rows of files that are gone cannot be loaded anew.
    FilesGone(Vec<String>),
    /// Views that read it keep it from being dropped.
    ReadBy(Vec<String>),
}

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
        remedy: Remedy,
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
            LoadError::TableDiffers { table, differences, .. } => {
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

impl Remedy {
    fn details(&self, table: &Relation) -> Vec<String> {
        const SHOWN_FILES: usize = 5;
        let table = table.display();
        match self {
            Remedy::Refresh => vec![format!("change the declaration, or load '{table}' anew with --full-refresh")],
            Remedy::NotOwn => vec![
                format!("no file is recorded as loaded into '{table}', so others may have made it: it is not dropped"),
                "change the declaration, give the source another 'identifier', or drop the table by hand".to_owned(),
            ],
            Remedy::ReadBy(views) => {
                let shown = views.iter().map(|view| format!("'{view}'")).collect::<Vec<_>>().join(", ");
                vec![
                    format!("these views read it, so it cannot be dropped to be made anew: {shown}"),
                    "drop them, load again with --full-refresh, and build them again".to_owned(),
                ]
            }
            Remedy::FilesGone(files) => {
                let shown = files.iter().take(SHOWN_FILES).map(|file| format!("'{file}'")).collect::<Vec<_>>().join(", ");
                let more = files.len().saturating_sub(SHOWN_FILES);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                vec![
                    format!("rows of '{table}' came from files that are gone and cannot be loaded anew: {shown}{more}"),
                    "put the files back or change the declaration; --full-refresh --prune makes the table anew without their rows"
                        .to_owned(),
                ]
            }
        }
    }
}

impl LoadError {
    /// What to do about it, and the first rejects with file and line.
    pub fn details(&self) -> Vec<String> {
        match self {
            LoadError::Engine(AdapterError::Connection { hints, .. } | AdapterError::Statement { hints, .. }) => hints.clone(),
            LoadError::Engine(AdapterError::Cancelled | AdapterError::Io(_)) => Vec::new(),
            LoadError::File { help, .. } => help.clone(),
            LoadError::TableDiffers { table, remedy, .. } => remedy.details(table),
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

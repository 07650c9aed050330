//! Where the files of a source table lie and how they are written (`meta.landing`).

use crate::base::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Csv,
    /// One JSON object a line.
    Ndjson,
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
}

/// A checked `meta.landing` mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// Glob over paths relative to the project's root, `/` between the parts (`data/bets/*.csv.gz`, `**` for any depth).
    pub path: String,
    /// Where the pattern is written.
    pub path_span: Span,
    pub format: FileFormat,
    /// `None`: told from each file's suffix (`.gz`).
    pub compression: Option<Compression>,
    /// Whether CSV files have a row of column names (after `header_lines`); columns are then matched by name,
    /// letter case ignored, otherwise by position.
    pub header: bool,
    pub delimiter: u8,
    /// `None`: no quoting.
    pub quote: Option<u8>,
    /// A WHATWG label: `utf-8`, `windows-1252`, `utf-16le`.
    pub encoding: String,
    /// The text that stands for NULL (unquoted or quoted alike).
    pub null_text: String,
    /// Fixed lines before the header row (or before the first record).
    pub header_lines: usize,
    /// Fixed lines at the end of the file.
    pub trailer_lines: usize,
    /// How many malformed rows a file may have; with more, nothing of that file is loaded.
    pub max_rejects: usize,
}

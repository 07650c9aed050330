//! The one pass over a file: records in, checked rows out, malformed ones put aside with their reason.

use std::borrow::Cow;
use std::io::{self, Read};

use super::check::{check, quoted};
use super::columns::{LoadColumn, Misfit, match_by_name};
use super::conversions::converted;
use super::csv::{CsvReader, Head, Punctuation};
use super::ndjson::NdjsonReader;
use crate::dialect::load::NULL_MARK;
use crate::project::{Conversions, FileFormat, Landing};

/// How many rejects of one file are kept with their text; the count goes on.
pub(super) const KEPT_REJECTS: usize = 10_000;
/// How much of a malformed row's text is kept.
const KEPT_CHARACTERS: usize = 1_000;
/// Bytes of a text that Redshift holds.
const MOST_FOR_COPY: usize = 65_535;
/// How many bytes of rows are made at a time.
const BLOCK: usize = 128 * 1024;

/// A malformed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The physical line (Parquet: the row) on which it starts, from 1.
    pub line: u64,
    /// Names the column, its value and its type.
    pub reason: String,
    /// The row as it stands in the file, clipped.
    pub raw: String,
}

/// How the accepted rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Nowhere: only checked and counted.
    Nothing,
    /// PostgreSQL's COPY text format.
    CopyText,
    /// Comma and line feed; every value in quotes, NULL as nothing between the commas.
    Csv,
    /// As [`Output::Csv`] for Redshift's COPY: a mark for NULL, as an empty text is a value there.
    CsvForCopy,
}

/// What the pass has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) rejected: u64,
    /// The first [`KEPT_REJECTS`].
    pub(super) rejects: Vec<Reject>,
    /// The longest record, bytes.
    pub(super) longest: usize,
    /// Whether a value holds a line end.
    pub(super) spans_lines: bool,
}

/// Why the pass stopped before the end of the file.
#[derive(Debug)]
pub(super) enum Stop {
    TooManyRejects,
    Cancelled,
    File(io::Error),
}

/// Which values of a CSV file are NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    /// Those of this text, in quotes or not.
    Text(Vec<u8>),
    /// Empty ones without quotes.
    UnquotedEmpty,
}

enum Records {
    Csv { reader: CsvReader<Box<dyn Read>>, places: Vec<usize>, width: usize, nulls: Nulls },
    Ndjson(NdjsonReader<Box<dyn Read>>),
}

/// Gives the accepted rows as bytes of `output`.
pub(super) struct RowStream<'a> {
    records: Records,
    columns: &'a [LoadColumn],
    /// What is done to values; `None`: nothing.
    conversions: Option<Conversions>,
    output: Output,
    encoding: &'static str,
    row_end: Vec<u8>,
    max_rejects: Option<usize>,
    count_rows: bool,
    interrupted: &'a dyn Fn() -> bool,
    block: Vec<u8>,
    given: usize,
    scratch: Vec<u8>,
    ended: bool,
    pub(super) tally: Tally,
    pub(super) stop: Option<Stop>,
}

/// What the pass is to do.
pub(super) struct Pass<'a, 'p> {
    pub(super) landing: &'p Landing,
    pub(super) columns: &'a [LoadColumn],
    pub(super) encoding: &'static str,
    pub(super) output: Output,
    pub(super) nulls: Nulls,
    /// What [`Output::CopyText`] writes behind the values of each row: the name of the file.
    pub(super) last_value: Option<&'a str>,
    /// Rejects are numbered by row instead of by line.
    pub(super) count_rows: bool,
    pub(super) interrupted: &'a dyn Fn() -> bool,
}

impl<'a> RowStream<'a> {
    /// Reads the header row, if there is one, and binds the columns.
    ///
    /// # Errors
    /// The file cannot be read, or its columns are not the declared ones.
    pub(super) fn new(source: Box<dyn Read>, pass: &Pass<'a, '_>) -> io::Result<Result<RowStream<'a>, Misfit>> {
        let first_line = u64::try_from(pass.landing.header_lines).unwrap_or(0) + 1;
        let records = match pass.landing.format {
            FileFormat::Ndjson => Records::Ndjson(NdjsonReader::new(source, pass.columns, first_line)),
            FileFormat::Csv | FileFormat::Parquet => match csv_records(source, pass, first_line)? {
                Ok(records) => records,
                Err(misfit) => return Ok(Err(misfit)),
            },
        };
        Ok(Ok(RowStream {
            records,
            columns: pass.columns,
            conversions: Some(pass.landing.conversions.clone()).filter(|conversions| !conversions.is_empty()),
            output: pass.output,
            encoding: pass.encoding,
            row_end: row_end(pass),
            max_rejects: Some(pass.landing.max_rejects),
            count_rows: pass.count_rows,
            interrupted: pass.interrupted,
            block: Vec::with_capacity(2 * BLOCK),
            given: 0,
            scratch: Vec::new(),
            ended: false,
            tally: Tally::default(),
            stop: None,
        }))
    }

    /// For each place of a CSV file the declared column that it is bound to.
    pub(super) fn places(&self) -> &[usize] {
        match &self.records {
            Records::Csv { places, .. } => places,
            Records::Ndjson(_) => &[],
        }
    }

    /// Goes on to the end without giving rows, until enough rejects are kept.
    pub(super) fn collect_rejects(&mut self) {
        self.output = Output::Nothing;
        self.max_rejects = None;
        self.stop = None;
        while !self.ended && self.tally.rejects.len() < KEPT_REJECTS && self.stop.is_none() {
            self.make_block();
        }
    }

    /// Reads the first rows for the tally only.
    pub(super) fn begin(&mut self) {
        self.make_block();
    }

    /// Reads to the end of the file for the tally only.
    pub(super) fn drain(&mut self) {
        while !self.ended && self.stop.is_none() {
            self.make_block();
        }
    }

    /// What was made and not given yet: to the end of a row.
    pub(super) fn rest_of_block(&mut self, rest: &mut Vec<u8>) {
        rest.extend_from_slice(self.block.get(self.given..).unwrap_or(&[]));
        self.given = self.block.len();
    }

    fn make_block(&mut self) {
        self.block.clear();
        self.given = 0;
        if (self.interrupted)() {
            self.stop = Some(Stop::Cancelled);
            return;
        }
        let mut seen = 0;
        while self.block.len() < BLOCK && seen < BLOCK {
            match self.next_row() {
                Ok(Some(length)) => seen += length + 1,
                Ok(None) => {
                    self.ended = true;
                    return;
                }
                Err(error) => {
                    self.stop = Some(Stop::File(error));
                    return;
                }
            }
            if self.max_rejects.is_some_and(|most| self.tally.rejected > u64::try_from(most).unwrap_or(u64::MAX)) {
                self.stop = Some(Stop::TooManyRejects);
                return;
            }
        }
    }

    /// Reads one record and appends its row to the block; the length of the record, `None` at the end.
    fn next_row(&mut self) -> io::Result<Option<usize>> {
        let Some((head, fault)) = self.records.advance()? else { return Ok(None) };
        let raw = self.records.raw();
        let length = raw.len();
        self.tally.longest = self.tally.longest.max(length);
        let mends = self.conversions.as_ref().is_some_and(|conversions| conversions.replace_invalid.is_some());
        let fault = match (std::str::from_utf8(raw), fault) {
            (Err(_), None) if mends => self.append(),
            (Err(_), _) => Some(format!("the row is not valid {} text", self.encoding)),
            (Ok(_), Some(fault)) => Some(fault),
            (Ok(_), None) => self.append(),
        };
        match fault {
            None => {
                self.tally.rows += 1;
                self.tally.spans_lines |= self.records.spans_lines();
            }
            Some(reason) => {
                let line = if self.count_rows { self.tally.rows + self.tally.rejected + 1 } else { head.line };
                self.reject(line, reason);
            }
        }
        Ok(Some(length))
    }

    /// Appends the row of the record; what is wrong with it.
    fn append(&mut self) -> Option<String> {
        let start = self.block.len();
        let rules = Rules { columns: self.columns, conversions: self.conversions.as_ref(), output: self.output };
        let fault = append_row(&self.records, &rules, &mut self.scratch, &mut self.block).err();
        match (&fault, self.output) {
            (Some(_), _) => self.block.truncate(start),
            (None, Output::Nothing) => {}
            (None, Output::CopyText | Output::Csv | Output::CsvForCopy) => self.block.extend_from_slice(&self.row_end),
        }
        fault
    }

    fn reject(&mut self, line: u64, reason: String) {
        self.tally.rejected += 1;
        if self.tally.rejects.len() < KEPT_REJECTS {
            let raw = String::from_utf8_lossy(self.records.raw()).chars().take(KEPT_CHARACTERS).collect::<String>();
            self.tally.rejects.push(Reject { line, reason: storable(&reason), raw: storable(&raw) });
        }
    }
}

/// PostgreSQL stores no NUL character.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

impl Read for RowStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.block.len() {
            if self.ended {
                return Ok(0);
            }
            if self.stop.is_none() {
                self.make_block();
            }
            if self.stop.is_some() {
                return Err(io::Error::other("the load was stopped"));
            }
        }
        let mut rest = self.block.get(self.given..).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

fn csv_records(source: Box<dyn Read>, pass: &Pass<'_, '_>, first_line: u64) -> io::Result<Result<Records, Misfit>> {
    let landing = pass.landing;
    let punctuation = Punctuation { delimiter: landing.delimiter, quote: landing.quote };
    let mut reader = CsvReader::new(source, punctuation, first_line);
    let width = pass.columns.len();
    let mut places: Vec<usize> = (0..width).collect();
    if landing.header {
        let Some(head) = reader.advance()? else {
            let message = "the file has no header row".to_owned();
            return Ok(Err(Misfit { message, help: vec!["is it complete? a file without rows still names its columns".to_owned()] }));
        };
        if let Some(reason) = head.broken {
            return Ok(Err(Misfit { message: format!("the header row (line {}) is broken: {reason}", head.line), help: Vec::new() }));
        }
        let mut scratch = Vec::new();
        let names: Vec<String> =
            (0..reader.width()).map(|at| String::from_utf8_lossy(reader.value(at, &mut scratch)).into_owned()).collect();
        match match_by_name(pass.columns, &names) {
            Ok(found) => places = found,
            Err(misfit) => return Ok(Err(misfit)),
        }
    }
    Ok(Ok(Records::Csv { reader, places, width, nulls: pass.nulls.clone() }))
}

impl Records {
    fn advance(&mut self) -> io::Result<Option<(Head, Option<String>)>> {
        match self {
            Records::Ndjson(reader) => reader.advance(),
            Records::Csv { reader, width, .. } => {
                let Some(head) = reader.advance()? else { return Ok(None) };
                let fault = match head.broken {
                    Some(reason) => Some(reason.to_owned()),
                    None if reader.width() == 1 => (*width != 1).then(|| format!("the row has 1 value and must have {width}")),
                    None if reader.width() != *width => Some(format!("the row has {} values and must have {width}", reader.width())),
                    None => None,
                };
                Ok(Some((head, fault)))
            }
        }
    }

    fn raw(&self) -> &[u8] {
        match self {
            Records::Csv { reader, .. } => reader.raw(),
            Records::Ndjson(reader) => reader.raw(),
        }
    }

    fn spans_lines(&self) -> bool {
        match self {
            Records::Csv { reader, .. } => reader.spans_lines(),
            Records::Ndjson(_) => false,
        }
    }

    /// The text of a column's value; `None` is NULL.
    fn value<'a>(&'a self, column: usize, scratch: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>, String> {
        match self {
            Records::Csv { reader, places, nulls, .. } => {
                let place = places.get(column).copied().unwrap_or(usize::MAX);
                let value = reader.value(place, scratch);
                let is_null = match nulls {
                    Nulls::Text(text) => value == text.as_slice(),
                    Nulls::UnquotedEmpty => value.is_empty() && !reader.is_quoted(place),
                };
                Ok((!is_null).then_some(value))
            }
            Records::Ndjson(reader) => reader.value(column, scratch),
        }
    }
}

/// How values become a row.
struct Rules<'r> {
    columns: &'r [LoadColumn],
    conversions: Option<&'r Conversions>,
    output: Output,
}

/// What is said of a value. Messages go into logs and artefacts, where nobody's data belongs; the row as it is stands in the reject table.
fn told(column: &LoadColumn, value: &[u8], reason: &str) -> String {
    let reason = if column.personal { reason.replacen(&quoted(value), "a personal value", 1) } else { reason.to_owned() };
    format!("column '{}': {reason}", column.name)
}

/// Checks every value of the record and writes the row.
fn append_row(records: &Records, rules: &Rules<'_>, scratch: &mut Vec<u8>, block: &mut Vec<u8>) -> Result<(), String> {
    let Rules { columns, conversions, output } = *rules;
    for (at, column) in columns.iter().enumerate() {
        let value = records.value(at, scratch).map_err(|reason| format!("column '{}': {reason}", column.name))?;
        let converted = match (value, conversions) {
            (Some(value), Some(conversions)) => {
                converted(conversions, column.data_type, value).map_err(|reason| told(column, value, &reason))?
            }
            (value, _) => value.map(Cow::Borrowed),
        };
        let value = converted.as_deref();
        if let Some(value) = value {
            check(column.data_type, value).map_err(|reason| told(column, value, &reason))?;
        }
        match output {
            Output::Nothing => {}
            Output::CopyText => append_copy_text(block, at > 0, value),
            Output::Csv => append_csv(block, at > 0, value),
            Output::CsvForCopy => match value {
                None => append_mark(block, at > 0),
                Some(value) if value == NULL_MARK.as_bytes() => {
                    return Err(format!("column '{}': '{NULL_MARK}' is what acca writes for NULL on the way to Redshift", column.name));
                }
                Some(value) if value.len() > MOST_FOR_COPY => {
                    return Err(format!(
                        "column '{}': the value has {} bytes, and Redshift takes {MOST_FOR_COPY}",
                        column.name,
                        value.len()
                    ));
                }
                value => append_csv(block, at > 0, value),
            },
        }
    }
    Ok(())
}

fn row_end(pass: &Pass<'_, '_>) -> Vec<u8> {
    let mut end = Vec::new();
    if let Some(text) = pass.last_value {
        append_copy_text(&mut end, true, Some(text.as_bytes()));
    }
    end.push(b'\n');
    end
}

fn append_copy_text(block: &mut Vec<u8>, separated: bool, value: Option<&[u8]>) {
    if separated {
        block.push(b'\t');
    }
    let Some(value) = value else { return block.extend_from_slice(b"\\N") };
    if !value.iter().any(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r')) {
        return block.extend_from_slice(value);
    }
    for byte in value {
        match byte {
            b'\\' => block.extend_from_slice(b"\\\\"),
            b'\t' => block.extend_from_slice(b"\\t"),
            b'\n' => block.extend_from_slice(b"\\n"),
            b'\r' => block.extend_from_slice(b"\\r"),
            other => block.push(*other),
        }
    }
}

fn append_csv(block: &mut Vec<u8>, separated: bool, value: Option<&[u8]>) {
    if separated {
        block.push(b',');
    }
    let Some(value) = value else { return };
    block.push(b'"');
    for byte in value {
        if *byte == b'"' {
            block.push(b'"');
        }
        block.push(*byte);
    }
    block.push(b'"');
}

/// A row as [`Output::CsvForCopy`].
pub(super) fn append_for_copy(block: &mut Vec<u8>, row: &[Option<String>]) {
    for (at, value) in row.iter().enumerate() {
        match value {
            None => append_mark(block, at > 0),
            Some(value) => append_csv(block, at > 0, Some(value.as_bytes())),
        }
    }
    block.push(b'\n');
}

fn append_mark(block: &mut Vec<u8>, separated: bool) {
    if separated {
        block.push(b',');
    }
    block.extend_from_slice(NULL_MARK.as_bytes());
}

/// For messages: `line 7: column 'stake': …`.
impl std::fmt::Display for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

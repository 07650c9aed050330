//! Landing files into raw tables: each file in one transaction, exactly once, malformed rows put aside.
//!
//! Every row is checked here, by one set of rules, before an engine sees it: what one engine loads the other loads too.
//! PostgreSQL gets the rows by COPY while the file is read. DuckDB reads a file that was found clean by itself, and
//! otherwise a cleaned copy of it.

mod check;
mod columns;
mod csv;
mod input;
mod into_duckdb;
mod into_postgres;
mod ndjson;
mod parquet;
mod rows;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use encoding_rs::Encoding;

use self::columns::Misfit;
use self::input::{Fingerprint, Seal};
use self::rows::{Nulls, Output, Pass, RowStream, Stop, Tally};
use super::adapter::{AdapterError, Datum, Session};
use crate::base::Relation;
use crate::dialect::load::{self as sql, FILE_COLUMN, LOADED_AT_COLUMN, ManifestEntry, RawColumn, RejectRow};
use crate::dialect::{ColumnType, Engine};
use crate::project::Landing;

pub use self::columns::LoadColumn;
pub use self::rows::Reject;

/// One file to be loaded.
#[derive(Clone, Copy)]
pub struct LoadJob<'a> {
    /// Unique id of the source table.
    pub source: &'a str,
    /// The raw table.
    pub relation: &'a Relation,
    pub columns: &'a [LoadColumn],
    pub landing: &'a Landing,
    /// Where the file lies.
    pub path: &'a Path,
    /// The path that is recorded: relative to the project's root, `/` between the parts.
    pub recorded_as: &'a str,
    pub run_id: &'a str,
    /// Asked now and then; when it is true the load ends as cancelled.
    pub interrupted: &'a dyn Fn() -> bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadOutcome {
    /// This content of the file is loaded already.
    Unchanged,
    Loaded(Loaded),
}

/// What a load did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub rows: u64,
    pub rejected: u64,
    pub bytes: u64,
    pub sha256: String,
    /// Whether rows of an older version of the file were taken out.
    pub replaced: bool,
    /// Whether the engine's own reader took the file as it lies there.
    pub direct: bool,
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

/// How many rejects an error shows.
const SHOWN_REJECTS: usize = 5;

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

/// Sessions of DuckDB create schemas and tables one after the other: at the same time they would conflict.
static CREATION: Mutex<()> = Mutex::new(());

/// Creates schema `_acca` and its tables, where they are missing. Safe from several sessions and processes at once.
///
/// # Errors
/// Those of the engine.
pub fn ensure_state(session: &mut dyn Session, engine: Engine) -> Result<(), AdapterError> {
    let _turn = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    in_transaction(session, |session| session.execute(&sql::create_state(engine)))?;
    Ok(())
}

/// Creates the raw table and its reject table, where they are missing, and checks that an existing one is as declared.
///
/// # Errors
/// `TableDiffers`, or those of the engine.
pub fn ensure_raw_table(session: &mut dyn Session, engine: Engine, table: &Relation, columns: &[LoadColumn]) -> Result<(), LoadError> {
    let raw = raw_columns(columns);
    let turn = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    in_transaction(session, |session| session.execute(&sql::create_raw(engine, table, &raw)))?;
    drop(turn);
    let mut expected: Vec<(String, String)> =
        raw.iter().map(|column| (column.name.clone(), column.data_type.catalogue_name(engine))).collect();
    expected.push((FILE_COLUMN.to_owned(), ColumnType::Text.catalogue_name(engine)));
    expected.push((LOADED_AT_COLUMN.to_owned(), ColumnType::Timestamptz.catalogue_name(engine)));
    let found: Vec<(String, String)> = session.columns(table)?.into_iter().map(|column| (column.name, column.data_type)).collect();
    let differences = differences(&expected, &found);
    if differences.is_empty() { Ok(()) } else { Err(LoadError::TableDiffers { table: table.clone(), differences }) }
}

/// Drops the raw table and its rejects and forgets its files: the next load takes all of them.
///
/// # Errors
/// Those of the engine; PostgreSQL refuses while views read the table.
pub fn reset_source(session: &mut dyn Session, source: &str, table: &Relation) -> Result<(), AdapterError> {
    in_transaction(session, |session| session.execute(&sql::drop_raw(source, table)))?;
    Ok(())
}

fn differences(expected: &[(String, String)], found: &[(String, String)]) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, data_type) in expected {
        match found.iter().find(|(other, _)| other == name) {
            None => differences.push(format!("it lacks the column '{name}'")),
            Some((_, other)) if other != data_type => differences.push(format!("its column '{name}' is {other} instead of {data_type}")),
            Some(_) => {}
        }
    }
    for (name, _) in found {
        if !expected.iter().any(|(other, _)| other == name) {
            differences.push(format!("its column '{name}' is not declared"));
        }
    }
    differences
}

/// Loads one file, unless this content of it is loaded already. The session must not be in a transaction; the tables must
/// exist ([`ensure_state`], [`ensure_raw_table`]).
///
/// # Errors
/// Then nothing has changed, but for rejects of the file in the reject table.
pub fn load_file(session: &mut dyn Session, engine: Engine, job: &LoadJob<'_>) -> Result<LoadOutcome, LoadError> {
    let loaded = session.query(&sql::select_checksum(job.source, job.recorded_as), None)?;
    let known = match loaded.rows.first().and_then(|row| row.first()) {
        Some(Datum::Text(sha256)) => Some(sha256.as_str()),
        _ => None,
    };
    if let Some(known) = known
        && input::fingerprint(job.path).map_err(|error| unreadable(job, &error))?.sha256 == known
    {
        return Ok(LoadOutcome::Unchanged);
    }
    let loaded = match engine {
        Engine::Postgres => into_postgres::load(session, job)?,
        Engine::DuckDb => into_duckdb::load(session, job, known.is_some())?,
        Engine::Redshift => {
            let message = "files are loaded into Redshift from S3, which this version does not do".to_owned();
            return Err(LoadError::File { file: job.recorded_as.to_owned(), message, help: Vec::new() });
        }
    };
    Ok(LoadOutcome::Loaded(loaded))
}

fn raw_columns(columns: &[LoadColumn]) -> Vec<RawColumn> {
    columns.iter().map(|column| RawColumn { name: column.stored_name(), data_type: column.data_type }).collect()
}

fn unreadable(job: &LoadJob<'_>, error: &std::io::Error) -> LoadError {
    LoadError::File { file: job.recorded_as.to_owned(), message: error.to_string(), help: Vec::new() }
}

fn misfit(job: &LoadJob<'_>, misfit: Misfit) -> LoadError {
    LoadError::File { file: job.recorded_as.to_owned(), message: misfit.message, help: misfit.help }
}

fn encoding(job: &LoadJob<'_>) -> Result<&'static Encoding, LoadError> {
    input::encoding(job.landing).map_err(|message| LoadError::File {
        file: job.recorded_as.to_owned(),
        message,
        help: vec!["'encoding' of the landing is a WHATWG label, as in utf-8, windows-1252, utf-16le".to_owned()],
    })
}

/// Opens the pass over a CSV or NDJSON file.
fn open_rows<'a>(job: &LoadJob<'a>, output: Output) -> Result<(RowStream<'a>, Seal), LoadError> {
    let encoding = encoding(job)?;
    let (source, seal) = input::open(job.path, job.landing, encoding).map_err(|error| unreadable(job, &error))?;
    let nulls = Nulls::Text(job.landing.null_text.clone().into_bytes());
    Ok((rows(job, job.landing, source, encoding.name(), nulls, output)?, seal))
}

/// Opens the pass over the CSV form of a Parquet file.
fn open_parquet_rows<'a>(job: &LoadJob<'a>, plain: &Landing, csv: &Path, output: Output) -> Result<RowStream<'a>, LoadError> {
    let file = std::fs::File::open(csv).map_err(|error| unreadable(job, &error))?;
    rows(job, plain, Box::new(file), "UTF-8", Nulls::UnquotedEmpty, output)
}

fn rows<'a>(
    job: &LoadJob<'a>,
    landing: &Landing,
    source: Box<dyn Read>,
    encoding: &'static str,
    nulls: Nulls,
    output: Output,
) -> Result<RowStream<'a>, LoadError> {
    let count_rows = nulls == Nulls::UnquotedEmpty;
    let last_value = (output == Output::CopyText).then_some(job.recorded_as);
    let pass = Pass { landing, columns: job.columns, encoding, output, nulls, last_value, count_rows, interrupted: job.interrupted };
    RowStream::new(source, &pass).map_err(|error| unreadable(job, &error))?.map_err(|found| misfit(job, found))
}

/// The landing of a CSV file as DuckDB writes it of a Parquet file.
fn plain_csv(landing: &Landing) -> Landing {
    Landing { header: false, delimiter: b',', quote: Some(b'"'), header_lines: 0, trailer_lines: 0, ..landing.clone() }
}

/// The error for a pass that stopped; when there are too many rejects they are kept.
fn stopped(session: &mut dyn Session, job: &LoadJob<'_>, stream: &mut RowStream<'_>, stop: Stop) -> LoadError {
    match stop {
        Stop::Cancelled => LoadError::Engine(AdapterError::Cancelled),
        Stop::File(error) => unreadable(job, &error),
        Stop::TooManyRejects => {
            stream.collect_rejects();
            let tally = &stream.tally;
            if let Err(error) = in_transaction(session, |session| replace_rejects(session, job, tally)) {
                return LoadError::Engine(error);
            }
            LoadError::Rejected {
                file: job.recorded_as.to_owned(),
                rejected: tally.rejected,
                allowed: job.landing.max_rejects,
                first: tally.rejects.iter().take(SHOWN_REJECTS).cloned().collect(),
                rejects_table: sql::rejects_of(job.relation),
            }
        }
    }
}

/// Notes the rejects of this version of the file in place of those of an older one.
fn replace_rejects(session: &mut dyn Session, job: &LoadJob<'_>, tally: &Tally) -> Result<(), AdapterError> {
    const ROWS_A_STATEMENT: usize = 500;
    session.execute(&sql::delete_rejects(job.relation, job.recorded_as))?;
    for part in tally.rejects.chunks(ROWS_A_STATEMENT) {
        let rows: Vec<RejectRow<'_>> =
            part.iter().map(|reject| RejectRow { line: reject.line, reason: &reject.reason, raw: &reject.raw }).collect();
        session.execute(&sql::insert_rejects(job.relation, job.recorded_as, &rows))?;
    }
    Ok(())
}

fn manifest_entry(job: &LoadJob<'_>, fingerprint: &Fingerprint, tally: &Tally) -> ManifestEntry {
    ManifestEntry {
        source: job.source.to_owned(),
        file: job.recorded_as.to_owned(),
        sha256: fingerprint.sha256.clone(),
        bytes: fingerprint.bytes,
        rows: tally.rows,
        rejected: tally.rejected,
        run_id: job.run_id.to_owned(),
    }
}

/// Runs `body` between BEGIN and COMMIT; after an error everything is rolled back.
fn in_transaction<T, E: From<AdapterError>>(
    session: &mut dyn Session,
    body: impl FnOnce(&mut dyn Session) -> Result<T, E>,
) -> Result<T, E> {
    session.execute("BEGIN")?;
    let done = body(session).and_then(|value| {
        session.execute("COMMIT")?;
        Ok(value)
    });
    if done.is_err() {
        // The first error counts; a connection that is gone has rolled back by itself.
        let _ = session.execute("ROLLBACK");
    }
    done
}

/// The engine counted other rows than were checked: a fault of acca, for which nothing must be kept.
fn miscounted(job: &LoadJob<'_>, checked: u64, loaded: u64) -> LoadError {
    LoadError::File {
        file: job.recorded_as.to_owned(),
        message: format!("{checked} rows were checked and the engine took {loaded}"),
        help: vec!["was the file written to while it was read? load again once it is complete".to_owned()],
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::base::{FileId, Span};
    use crate::project::FileFormat;

    /// CSV with a header, comma and quotes, UTF-8, the empty text NULL.
    pub(crate) fn landing() -> Landing {
        Landing {
            path: String::new(),
            path_span: Span::new(FileId(0), 0, 0),
            format: FileFormat::Csv,
            compression: None,
            header: true,
            delimiter: b',',
            quote: Some(b'"'),
            encoding: "utf-8".to_owned(),
            null_text: String::new(),
            header_lines: 0,
            trailer_lines: 0,
            max_rejects: 0,
        }
    }
}

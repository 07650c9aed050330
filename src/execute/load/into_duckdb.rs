//! DuckDB: a first pass checks and hashes the file. A clean file in UTF-8 is then read by DuckDB's own parallel reader;
//! of any other a cleaned copy is made and read.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::SystemTime;

use encoding_rs::UTF_8;
use tempfile::TempDir;

use super::input::{self, Fingerprint};
use super::rows::{Output, RowStream, Tally};
use super::table::in_transaction;
use super::{
    LoadError, LoadJob, Loaded, encoding, manifest_entry, miscounted, misfit, open_parquet_rows, open_rows, parquet, plain_csv,
    raw_columns, replace_rejects, stopped, unreadable,
};
use crate::dialect::Engine;
use crate::dialect::load::{self as sql, CsvScan, ManifestEntry, ParquetColumn, RawColumn};
use crate::execute::adapter::Session;
use crate::project::{FileFormat, Landing};

/// What the first pass found.
struct Checked {
    tally: Tally,
    fingerprint: Fingerprint,
    /// For each declared column its place in the file.
    places: Vec<usize>,
}

/// Files made on the way; gone when the load ends.
struct Scratch {
    folder: TempDir,
}

impl Scratch {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The cleaned copy.
    fn rows(&self) -> String {
        self.path("rows.csv").to_string_lossy().into_owned()
    }
}

pub(super) fn load(session: &mut dyn Session, job: &LoadJob<'_>) -> Result<Loaded, LoadError> {
    let scratch = Scratch { folder: tempfile::tempdir().map_err(|error| unreadable(job, &error))? };
    let before = version(job)?;
    let (checked, insert) = match job.landing.format {
        FileFormat::Parquet => prepare_parquet(session, job, &scratch)?,
        FileFormat::Csv | FileFormat::Ndjson => prepare_text(session, job, &scratch)?,
    };
    let mut done = store(session, job, &checked, &insert.statement, before);
    if let Ok(loaded) = &mut done {
        loaded.direct = insert.direct;
    }
    if done.is_err() && insert.direct && checked.tally.rows > 0 {
        // DuckDB reads the file otherwise than it was checked: the copy leaves it nothing to interpret.
        write_copy(session, job, &scratch)?;
        done = store(session, job, &checked, &insert_from_copy(job, &scratch.rows(), &checked), before);
    }
    done
}

/// Size and time of change: the same before and after when nobody wrote to the file.
type Version = (u64, Option<SystemTime>);

fn version(job: &LoadJob<'_>) -> Result<Version, LoadError> {
    let metadata = std::fs::metadata(job.path).map_err(|error| unreadable(job, &error))?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// The statement that fills the raw table, and whether it reads the landing file itself.
struct Insert {
    statement: String,
    direct: bool,
}

fn prepare_text(session: &mut dyn Session, job: &LoadJob<'_>, scratch: &Scratch) -> Result<(Checked, Insert), LoadError> {
    let landing = job.landing;
    let plain = landing.format == FileFormat::Csv && is_read_as_it_is(landing) && encoding(job)? == UTF_8;
    let output = if plain { Output::Nothing } else { Output::Csv };
    let (mut stream, seal) = open_rows(job, output)?;
    if plain {
        stream.drain();
    } else {
        write_rows(session, job, &mut stream, &scratch.path("rows.csv"))?;
    }
    if let Some(stop) = stream.stop.take() {
        return Err(stopped(session, Engine::DuckDb, job, &mut stream, stop));
    }
    let checked = Checked { fingerprint: seal.fingerprint(), places: stream.places().to_vec(), tally: stream.tally };
    if plain && checked.tally.rejected == 0 && !checked.tally.spans_lines {
        let statement = insert_from_file(job, &path_for_duckdb(job, scratch)?, &checked);
        return Ok((checked, Insert { statement, direct: true }));
    }
    if plain {
        write_copy(session, job, scratch)?;
    }
    let statement = insert_from_copy(job, &scratch.rows(), &checked);
    Ok((checked, Insert { statement, direct: false }))
}

/// Whether DuckDB can be told how the file is written.
fn is_read_as_it_is(landing: &Landing) -> bool {
    landing.header_lines == 0 && landing.trailer_lines == 0 && landing.conversions.is_empty()
}

fn prepare_parquet(session: &mut dyn Session, job: &LoadJob<'_>, scratch: &Scratch) -> Result<(Checked, Insert), LoadError> {
    let path = path_for_duckdb(job, scratch)?;
    let fingerprint = input::fingerprint(job.path).map_err(|error| unreadable(job, &error))?;
    let columns: Vec<ParquetColumn> = parquet::bind(session, &path, job.columns)?.map_err(|found| misfit(job, found))?;
    session.execute(&sql::parquet_to_csv(&columns, &path, &scratch.path("parquet.csv").to_string_lossy()))?;
    let mut stream = open_parquet_rows(job, &plain_csv(job.landing), &scratch.path("parquet.csv"), Output::Nothing)?;
    stream.drain();
    if let Some(stop) = stream.stop.take() {
        return Err(stopped(session, Engine::DuckDb, job, &mut stream, stop));
    }
    let checked = Checked { tally: stream.tally, fingerprint, places: Vec::new() };
    if checked.tally.rejected == 0 {
        let statement = sql::insert_from_parquet(job.relation, &columns, job.recorded_as, &path);
        return Ok((checked, Insert { statement, direct: true }));
    }
    write_copy(session, job, scratch)?;
    let statement = insert_from_copy(job, &scratch.rows(), &checked);
    Ok((checked, Insert { statement, direct: false }))
}

/// A second pass over the file that writes its accepted rows.
fn write_copy(session: &mut dyn Session, job: &LoadJob<'_>, scratch: &Scratch) -> Result<(), LoadError> {
    let mut stream = match job.landing.format {
        FileFormat::Parquet => open_parquet_rows(job, &plain_csv(job.landing), &scratch.path("parquet.csv"), Output::Csv)?,
        FileFormat::Csv | FileFormat::Ndjson => open_rows(job, Output::Csv)?.0,
    };
    write_rows(session, job, &mut stream, &scratch.path("rows.csv"))
}

fn write_rows(session: &mut dyn Session, job: &LoadJob<'_>, stream: &mut RowStream<'_>, path: &Path) -> Result<(), LoadError> {
    let written = File::create(path).map(BufWriter::new).and_then(|mut file| {
        io::copy(stream, &mut file)?;
        file.flush()
    });
    match (stream.stop.take(), written) {
        (Some(stop), _) => Err(stopped(session, Engine::DuckDb, job, stream, stop)),
        (None, Err(error)) => Err(unreadable(job, &error)),
        (None, Ok(())) => Ok(()),
    }
}

fn path_for_duckdb(job: &LoadJob<'_>, scratch: &Scratch) -> Result<String, LoadError> {
    input::path_for_duckdb(job.path, scratch.folder.path()).map_err(|error| unreadable(job, &error))
}

/// What fills the raw table from a clean file whose columns are in the order of their declaration; of NDJSON from its cleaned copy.
pub(super) fn statement(job: &LoadJob<'_>) -> String {
    let path = job.path.to_string_lossy();
    let bytes = std::fs::metadata(job.path).map_or(0, |metadata| metadata.len());
    let fingerprint = Fingerprint { sha256: String::new(), bytes };
    let checked = Checked { tally: Tally::default(), fingerprint, places: (0..job.columns.len()).collect() };
    match job.landing.format {
        FileFormat::Csv if is_read_as_it_is(job.landing) => insert_from_file(job, &path, &checked),
        FileFormat::Csv | FileFormat::Ndjson => insert_from_copy(job, &format!("cleaned copy of {path}"), &checked),
        FileFormat::Parquet => {
            let columns = raw_columns(job.columns).into_iter();
            let columns: Vec<ParquetColumn> = columns.map(|column| ParquetColumn { in_file: column.name.clone(), column }).collect();
            sql::insert_from_parquet(job.relation, &columns, job.recorded_as, &path)
        }
    }
}

fn insert_from_file(job: &LoadJob<'_>, path: &str, checked: &Checked) -> String {
    let columns = raw_columns(job.columns);
    let mut in_file: Vec<(usize, &RawColumn)> = checked.places.iter().copied().zip(&columns).collect();
    in_file.sort_by_key(|(place, _)| *place);
    let scan = CsvScan {
        path,
        columns: in_file.into_iter().map(|(_, column)| column.clone()).collect(),
        header: job.landing.header,
        delimiter: job.landing.delimiter,
        quote: job.landing.quote,
        null_text: &job.landing.null_text,
        quoted_nulls: true,
        gzip: input::is_gzip(job.landing, job.path),
        longest: checked.tally.longest,
        bytes: checked.fingerprint.bytes,
    };
    sql::insert_from_csv(job.relation, &columns, job.recorded_as, &scan)
}

fn insert_from_copy(job: &LoadJob<'_>, path: &str, checked: &Checked) -> String {
    let columns = raw_columns(job.columns);
    let scan = CsvScan {
        path,
        columns: columns.clone(),
        header: false,
        delimiter: b',',
        quote: Some(b'"'),
        null_text: "",
        quoted_nulls: false,
        gzip: false,
        longest: checked.tally.longest,
        bytes: checked.fingerprint.bytes,
    };
    sql::insert_from_csv(job.relation, &columns, job.recorded_as, &scan)
}

/// Rows, rejects and the manifest's row in one transaction.
fn store(session: &mut dyn Session, job: &LoadJob<'_>, checked: &Checked, insert: &str, before: Version) -> Result<Loaded, LoadError> {
    let tally = &checked.tally;
    in_transaction(session, |session| {
        if job.known {
            session.execute(&sql::delete_file(job.relation, job.recorded_as))?;
        }
        let inserted = if tally.rows == 0 { 0 } else { session.execute(insert)? };
        if inserted != tally.rows || before != version(job)? {
            return Err(miscounted(job, tally.rows, inserted));
        }
        replace_rejects(session, Engine::DuckDb, job, tally)?;
        let entry = manifest_entry(job, &checked.fingerprint, tally);
        session.execute(&sql::write_manifest(Engine::DuckDb, &entry, job.known))?;
        let ManifestEntry { rows, rejected, bytes, sha256, .. } = entry;
        Ok(Loaded { rows, rejected, bytes, sha256, replaced: job.known, direct: false })
    })
}

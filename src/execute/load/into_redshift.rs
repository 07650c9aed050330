//! Redshift: the checked rows go through a bucket where the target has one. Without, they become statements that insert many of them, in
//! one transaction a file.

use std::io::{BufRead, BufReader};

use super::rows::Output;
use super::table::in_transaction;
use super::{
    LoadError, LoadJob, Loaded, copy, input, manifest_entry, miscounted, misfit, open_parquet_rows, open_rows, parquet, plain_csv,
    raw_columns, replace_rejects, stopped, unreadable,
};
use crate::dialect::Engine;
use crate::dialect::load::{self as sql, ManifestEntry, RowInserts};
use crate::execute::adapter::{Adapter, AdapterError, Session};
use crate::execute::duckdb::{DuckDb, MEMORY};
use crate::execute::load::input::Fingerprint;
use crate::execute::load::rows::RowStream;
use crate::project::FileFormat;

pub(super) fn load(session: &mut dyn Session, job: &LoadJob<'_>) -> Result<Loaded, LoadError> {
    if job.recorded_as.contains('\\') {
        let message = "the name of a file that is loaded into Redshift may not have a backslash".to_owned();
        return Err(LoadError::File { file: job.recorded_as.to_owned(), message, help: Vec::new() });
    }
    let output = if job.bucket.is_some() { Output::CsvForCopy } else { Output::CopyText };
    if job.landing.format == FileFormat::Parquet {
        let fingerprint = input::fingerprint(job.path).map_err(|error| unreadable(job, &error))?;
        let folder = tempfile::tempdir().map_err(|error| unreadable(job, &error))?;
        let csv = folder.path().join("rows.csv");
        let path = input::path_for_duckdb(job.path, folder.path()).map_err(|error| unreadable(job, &error))?;
        let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new())?.connect()?;
        let columns = parquet::bind(&mut *duckdb, &path, job.columns)?.map_err(|found| misfit(job, found))?;
        duckdb.execute(&sql::parquet_to_csv(&columns, &path, &csv.to_string_lossy()))?;
        let mut stream = open_parquet_rows(job, &plain_csv(job.landing), &csv, output)?;
        return store(session, job, &mut stream, || fingerprint);
    }
    let (mut stream, seal) = open_rows(job, output)?;
    store(session, job, &mut stream, || seal.fingerprint())
}

/// The fingerprint is known once the file is read.
fn store(
    session: &mut dyn Session,
    job: &LoadJob<'_>,
    stream: &mut RowStream<'_>,
    fingerprint: impl FnOnce() -> Fingerprint,
) -> Result<Loaded, LoadError> {
    let done = match job.bucket {
        Some(bucket) => copy::load(session, job, bucket, stream, fingerprint),
        None => insert(session, job, stream, fingerprint),
    };
    match stream.stop.take() {
        Some(stop) => Err(stopped(session, Engine::Redshift, job, stream, stop)),
        None => done,
    }
}

/// Everything of one file in one transaction.
fn insert(
    session: &mut dyn Session,
    job: &LoadJob<'_>,
    stream: &mut RowStream<'_>,
    fingerprint: impl FnOnce() -> Fingerprint,
) -> Result<Loaded, LoadError> {
    in_transaction(session, |session| {
        if job.known {
            session.execute(&sql::delete_file(job.relation, job.recorded_as))?;
        }
        let inserted = insert_rows(session, job, stream)?;
        if inserted != stream.tally.rows {
            return Err(miscounted(job, stream.tally.rows, inserted));
        }
        let fingerprint = fingerprint();
        let entry = manifest_entry(job, &fingerprint, &stream.tally);
        replace_rejects(session, Engine::Redshift, job, &stream.tally)?;
        session.execute(&sql::write_manifest(Engine::Redshift, &entry, true))?;
        let ManifestEntry { rows, rejected, bytes, sha256, .. } = entry;
        Ok(Loaded { rows, rejected, bytes, sha256, replaced: job.known, direct: false })
    })
}

/// How many rows came in.
fn insert_rows(session: &mut dyn Session, job: &LoadJob<'_>, stream: &mut RowStream<'_>) -> Result<u64, LoadError> {
    let mut rows = RowInserts::new(job.relation, &raw_columns(job.columns));
    let mut reader = BufReader::new(stream);
    let (mut line, mut inserted) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(|error| AdapterError::Io(error.to_string()))?;
        if read == 0 {
            break;
        }
        if let Some(statement) = rows.push(&fields(line.strip_suffix(b"\n").unwrap_or(&line))) {
            inserted += session.execute(&statement)?;
        }
    }
    if let Some(statement) = rows.finish() {
        inserted += session.execute(&statement)?;
    }
    Ok(inserted)
}

/// The values of a row in COPY's text format.
fn fields(line: &[u8]) -> Vec<Option<String>> {
    line.split(|byte| *byte == b'\t').map(field).collect()
}

fn field(written: &[u8]) -> Option<String> {
    if written == b"\\N" {
        return None;
    }
    let mut value = Vec::with_capacity(written.len());
    let mut bytes = written.iter();
    while let Some(byte) = bytes.next() {
        value.push(match (byte, byte == &b'\\') {
            (byte, false) => *byte,
            (_, true) => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(other) => *other,
                None => b'\\',
            },
        });
    }
    Some(String::from_utf8_lossy(&value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(fields(b"1\t\\N\t\ta\\tb\\\\N\\n"), [text("1"), None, text(""), text("a\tb\\N\n")]);
    }
}

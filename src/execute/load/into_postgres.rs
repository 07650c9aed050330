//! PostgreSQL: rows go into `COPY … FROM STDIN` while the file is read.

use super::rows::{Output, RowStream, Tally};
use super::table::in_transaction;
use super::{
    LoadError, LoadJob, Loaded, input, manifest_entry, miscounted, misfit, open_parquet_rows, open_rows, parquet, plain_csv, raw_columns,
    replace_rejects, stopped, unreadable,
};
use crate::dialect::Engine;
use crate::dialect::load::{self as sql, ManifestEntry};
use crate::execute::adapter::{Adapter, AdapterError, Datum, Session};
use crate::execute::duckdb::{DuckDb, MEMORY};
use crate::execute::load::input::Fingerprint;
use crate::project::FileFormat;

pub(super) fn load(session: &mut dyn Session, job: &LoadJob<'_>) -> Result<Loaded, LoadError> {
    if job.landing.format == FileFormat::Parquet {
        return load_parquet(session, job);
    }
    let (mut stream, seal) = open_rows(job, Output::CopyText)?;
    copy(session, job, &mut stream, || seal.fingerprint())
}

fn load_parquet(session: &mut dyn Session, job: &LoadJob<'_>) -> Result<Loaded, LoadError> {
    let fingerprint = input::fingerprint(job.path).map_err(|error| unreadable(job, &error))?;
    let folder = tempfile::tempdir().map_err(|error| unreadable(job, &error))?;
    let csv = folder.path().join("rows.csv");
    let path = input::path_for_duckdb(job.path, folder.path()).map_err(|error| unreadable(job, &error))?;
    let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new())?.connect()?;
    let columns = parquet::bind(&mut *duckdb, &path, job.columns)?.map_err(|found| misfit(job, found))?;
    duckdb.execute(&sql::parquet_to_csv(&columns, &path, &csv.to_string_lossy()))?;
    let mut stream = open_parquet_rows(job, &plain_csv(job.landing), &csv, Output::CopyText)?;
    copy(session, job, &mut stream, || fingerprint)
}

/// Everything of one file in one transaction. The fingerprint is known once the file is read.
fn copy(
    session: &mut dyn Session,
    job: &LoadJob<'_>,
    stream: &mut RowStream<'_>,
    fingerprint: impl FnOnce() -> Fingerprint,
) -> Result<Loaded, LoadError> {
    let done = in_transaction(session, |session| {
        let replaced = claim(session, job)? || job.known;
        if replaced {
            session.execute(&sql::delete_file(job.relation, job.recorded_as))?;
        }
        let statement = sql::copy_from_stdin(job.relation, &raw_columns(job.columns));
        let copied = session.copy_in(&statement, stream).map_err(LoadError::Engine)?;
        if copied != stream.tally.rows {
            return Err(miscounted(job, stream.tally.rows, copied));
        }
        let fingerprint = fingerprint();
        let entry = manifest_entry(job, &fingerprint, &stream.tally);
        replace_rejects(session, Engine::Postgres, job, &stream.tally)?;
        session.execute(&sql::write_manifest(Engine::Postgres, &entry, true))?;
        let ManifestEntry { rows, rejected, bytes, sha256, .. } = entry;
        Ok(Loaded { rows, rejected, bytes, sha256, replaced, direct: false })
    });
    match stream.stop.take() {
        Some(stop) => Err(stopped(session, Engine::Postgres, job, stream, stop)),
        None => done,
    }
}

/// Writes the manifest's row before anything else, so that a second process that loads the same file waits, and tells
/// whether rows of the file may be in the table.
pub(super) fn claim(session: &mut dyn Session, job: &LoadJob<'_>) -> Result<bool, AdapterError> {
    let nothing = Fingerprint { sha256: String::new(), bytes: 0 };
    let claim = manifest_entry(job, &nothing, &Tally::default());
    let table = session.query(&sql::write_manifest(Engine::Postgres, &claim, true), None)?;
    Ok(table.rows.first().and_then(|row| row.first()) == Some(&Datum::Bool(true)))
}

//! Whether files fit their declaration, as far as their columns and first rows tell: asked before a table that holds rows is dropped for it.

use std::path::Path;

use super::rows::{Output, Stop};
use super::{LandingFile, LoadError, LoadJob, RawTable, Refresh, direct, files, input, misfit, open_rows, parquet, stopped, unreadable};
use crate::dialect::Engine;
use crate::execute::adapter::{Adapter, AdapterError, Session};
use crate::execute::buckets::{Buckets, Object};
use crate::execute::duckdb::{DuckDb, MEMORY};
use crate::project::{FileFormat, Landing};

/// A larger object is not copied for it: its first bytes tell.
const HEAD: u64 = 1024 * 1024;

/// # Errors
/// That of the first file that cannot be loaded, as the load would say it.
pub(super) fn check_files(
    session: &mut dyn Session,
    engine: Engine,
    table: &RawTable<'_>,
    refresh: Refresh<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), LoadError> {
    let RawTable { source, relation, columns, landing, run_id } = *table;
    let folder = tempfile::tempdir().map_err(|error| AdapterError::Io(error.to_string()))?;
    for file in refresh.files {
        if interrupted() {
            return Err(AdapterError::Cancelled.into());
        }
        let (recorded_as, path) = (file.recorded_as(), Path::new(""));
        let (version, bucket, known, noted) = (None, None, false, true);
        let job = LoadJob { source, relation, columns, landing, run_id, path, recorded_as, version, bucket, known, noted, interrupted };
        match (file, refresh.buckets) {
            (LandingFile::Local { path, .. }, _) => check_whole(session, engine, &LoadJob { path, ..job }, folder.path())?,
            (LandingFile::OnS3(object), Some(buckets)) if object.bytes <= HEAD => {
                let path = files::fetch(buckets, object, folder.path(), interrupted)?;
                check_whole(session, engine, &LoadJob { path: &path, ..job }, folder.path())?;
            }
            (LandingFile::OnS3(object), Some(buckets)) => check_part(session, engine, &job, buckets, object)?,
            (LandingFile::OnS3(object), None) => return Err(AdapterError::Io(format!("nothing reaches '{}'", object.url)).into()),
        }
    }
    Ok(())
}

fn check_whole(session: &mut dyn Session, engine: Engine, job: &LoadJob<'_>, scratch: &Path) -> Result<(), LoadError> {
    if job.landing.format == FileFormat::Parquet {
        let path = input::path_for_duckdb(job.path, scratch).map_err(|error| unreadable(job, &error))?;
        return check_parquet(job, &path);
    }
    let (mut stream, _) = open_rows(job, Output::Nothing)?;
    stream.begin();
    match stream.stop.take() {
        Some(stop) => Err(stopped(session, engine, job, &mut stream, stop)),
        None => Ok(()),
    }
}

/// By the first bytes of the object, or the last ones of Parquet. What they leave open the load finds out.
fn check_part(session: &mut dyn Session, engine: Engine, job: &LoadJob<'_>, buckets: &Buckets, object: &Object) -> Result<(), LoadError> {
    if job.landing.format == FileFormat::Parquet {
        return match direct::end_of_parquet(buckets, object)? {
            Some(copy) => check_parquet(job, &copy.path().to_string_lossy()),
            None => Ok(()),
        };
    }
    let suffix = if input::is_gzip(job.landing, Path::new(&object.url)) { ".gz" } else { "" };
    let copy = tempfile::Builder::new().suffix(suffix).tempfile().map_err(|error| unreadable(job, &error))?;
    std::fs::write(copy.path(), buckets.part(object, 0, HEAD)?).map_err(|error| unreadable(job, &error))?;
    // The last line is cut.
    let landing = Landing { trailer_lines: job.landing.trailer_lines + 1, ..job.landing.clone() };
    let job = LoadJob { path: copy.path(), landing: &landing, ..*job };
    let (mut stream, _) = open_rows(&job, Output::Nothing)?;
    if landing.format == FileFormat::Ndjson {
        stream.begin();
    }
    match stream.stop.take() {
        Some(Stop::File(_)) | None => Ok(()),
        Some(stop) => Err(stopped(session, engine, &job, &mut stream, stop)),
    }
}

fn check_parquet(job: &LoadJob<'_>, path: &str) -> Result<(), LoadError> {
    let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new())?.connect()?;
    match parquet::bind(&mut *duckdb, path, job.columns) {
        Ok(bound) => bound.map(|_| ()).map_err(|found| misfit(job, found)),
        Err(AdapterError::Statement { message, .. }) => {
            Err(LoadError::File { file: job.recorded_as.to_owned(), message, help: Vec::new() })
        }
        Err(error) => Err(error.into()),
    }
}

//! Objects on S3 that the warehouse reads by itself, by Redshift's COPY or PostgreSQL's aws_s3: nothing but their first or last bytes comes by here. Where anything speaks
//! against it, or a value is not plainly one of its column, nothing has happened, and acca's own pass takes the object, which says of
//! every malformed row where it is and why.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::copy::{CopyBucket, Uploaded};
use super::rows::{Output, Tally};
use super::table::in_transaction;
use super::{
    LoadError, LoadJob, Loaded, input::Fingerprint, into_postgres, manifest_entry, misfit, open_rows, parquet, raw_columns, replace_rejects,
};
use crate::dialect::load::{self as sql, DirectCopy, DirectFormat, RawColumn, type_for_parquet};
use crate::dialect::{ColumnType, Engine};
use crate::execute::adapter::{Adapter, AdapterError, Datum, Session};
use crate::execute::buckets::{Buckets, Object};
use crate::execute::duckdb::{DuckDb, MEMORY};
use crate::project::FileFormat;

/// How the warehouse reads.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    Copy(&'a CopyBucket),
    /// By the extension of PostgreSQL.
    Import(&'a Buckets),
}

/// So much of an object tells its columns; what has more of them is left to acca's own pass.
const HEAD: u64 = 128 * 1024;

/// What came of it.
pub(super) enum Direct {
    Loaded(Loaded),
    /// The object is left to acca's own pass, here with what the warehouse says of it.
    Left(Option<String>),
}

pub(super) fn load(
    session: &mut dyn Session,
    job: &LoadJob<'_>,
    way: Way<'_>,
    buckets: &Buckets,
    object: &Object,
) -> Result<Direct, LoadError> {
    if !is_plain(job) || object.bytes == 0 || job.recorded_as.contains('\\') {
        return Ok(Direct::Left(None));
    }
    let columns = raw_columns(job.columns);
    let described = match job.landing.format {
        FileFormat::Csv => csv(job, buckets, object)?,
        FileFormat::Parquet if matches!(way, Way::Copy(_)) => parquet(job, buckets, object)?,
        FileFormat::Parquet | FileFormat::Ndjson => None,
    };
    let Some((order, format)) = described else { return Ok(Direct::Left(None)) };
    let engine = way.engine();
    let direct = DirectCopy { engine, table: job.relation, columns: &columns, order, file: job.recorded_as, format };
    match stored(session, job, way, buckets, object, &direct) {
        // The pass finds out what is wrong, or that nothing is.
        Err(LoadError::Engine(AdapterError::Statement { message, .. })) => Ok(Direct::Left(Some(message))),
        done => done.map(|loaded| loaded.map_or(Direct::Left(None), Direct::Loaded)),
    }
}

/// Whether COPY can be told how the file is written. It passes over keys of JSON that it does not know, skips no trailers, and does not
/// tell a blank line from a row of one empty value.
fn is_plain(job: &LoadJob<'_>) -> bool {
    let landing = job.landing;
    let is_text = landing.format == FileFormat::Csv
        && landing.quote == Some(b'"')
        && landing.trailer_lines == 0
        && landing.conversions.is_empty()
        && landing.encoding.eq_ignore_ascii_case("utf-8")
        && job.columns.len() > 1
        && !job.columns.iter().any(|column| matches!(column.data_type, ColumnType::Json | ColumnType::Jsonb));
    landing.max_rejects == 0 && (is_text || landing.format == FileFormat::Parquet)
}

type Described<'a> = Option<(Vec<usize>, DirectFormat<'a>)>;

/// The columns of a file of text, from its header row.
fn csv<'a>(job: &LoadJob<'a>, buckets: &Buckets, object: &Object) -> Result<Described<'a>, LoadError> {
    let head = buckets.part(object, 0, HEAD)?;
    let landing = job.landing;
    let lines = landing.header_lines + usize::from(landing.header);
    if lines == 0 && head.starts_with(b"\xEF\xBB\xBF") {
        return Ok(None);
    }
    let path = Path::new(&object.url);
    let gzip = super::input::is_gzip(landing, path);
    let mut order: Vec<usize> = (0..job.columns.len()).collect();
    if landing.header {
        let Ok(folder) = tempfile::tempdir() else { return Ok(None) };
        let copy = folder.path().join(if gzip { "head.gz" } else { "head" });
        if std::fs::write(&copy, &head).is_err() {
            return Ok(None);
        }
        // A header that does not fit is told of by the pass over the whole file.
        let Ok((stream, _)) = open_rows(&LoadJob { path: &copy, ..*job }, Output::Nothing) else { return Ok(None) };
        order.sort_by_key(|column| stream.places().get(*column).copied());
    }
    let nothing = format!("@acca:{}:null@", job.run_id);
    let format = DirectFormat::Csv { delimiter: landing.delimiter, header_lines: lines, gzip, null_text: &landing.null_text, nothing };
    Ok(Some((order, format)))
}

/// The columns of a Parquet file, from its end.
fn parquet<'a>(job: &LoadJob<'a>, buckets: &Buckets, object: &Object) -> Result<Described<'a>, LoadError> {
    let Some(copy) = end_of_parquet(buckets, object)? else { return Ok(None) };
    let path = copy.path().to_string_lossy().into_owned();
    let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new())?.connect()?;
    let present = match duckdb.query(&sql::describe_parquet(&path), Some(0)) {
        Ok(table) => table.columns,
        Err(AdapterError::Statement { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bound = parquet::bind(&mut *duckdb, &path, job.columns)?.map_err(|found| misfit(job, found))?;
    let place = |column: &sql::ParquetColumn| present.iter().position(|found| found.name == column.in_file);
    let Some(places) = bound.iter().map(place).collect::<Option<Vec<usize>>>() else { return Ok(None) };
    let types = places.iter().map(|place| type_for_parquet(&present.get(*place)?.data_type)).collect::<Option<Vec<String>>>();
    let Some(types) = types else { return Ok(None) };
    let mut order: Vec<usize> = (0..job.columns.len()).collect();
    order.sort_by_key(|column| places.get(*column).copied());
    Ok(Some((order, DirectFormat::Parquet { types })))
}

/// A file of the object's size with nothing in it but its end, where Parquet says what its columns are.
pub(super) fn end_of_parquet(buckets: &Buckets, object: &Object) -> Result<Option<tempfile::NamedTempFile>, LoadError> {
    let mut from = object.bytes.saturating_sub(HEAD);
    let mut end = buckets.part(object, from, HEAD)?;
    let Some(([.., a, b, c, d], magic)) = end.split_last_chunk::<4>().map(|(rest, magic)| (rest, *magic)) else { return Ok(None) };
    let footer = u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + 8;
    if magic != *b"PAR1" || footer > object.bytes {
        return Ok(None);
    }
    if footer > HEAD {
        from = object.bytes - footer;
        end = buckets.part(object, from, footer)?;
    }
    let written = tempfile::Builder::new().suffix(".parquet").tempfile().and_then(|mut file| {
        file.as_file().set_len(object.bytes)?;
        if from > 0 {
            file.write_all(b"PAR1")?;
        }
        file.seek(SeekFrom::Start(from))?;
        file.write_all(&end)?;
        file.flush()?;
        Ok(file)
    });
    Ok(written.ok())
}

impl Way<'_> {
    fn engine(self) -> Engine {
        match self {
            Way::Copy(_) => Engine::Redshift,
            Way::Import(_) => Engine::Postgres,
        }
    }

    /// What fills the table of the session, and what lies in a bucket for it meanwhile.
    fn read(self, job: &LoadJob<'_>, object: &Object, direct: &DirectCopy<'_>) -> Result<Option<(String, Option<Uploaded>)>, AdapterError> {
        match self {
            Way::Copy(bucket) => {
                let kind = match direct.format {
                    DirectFormat::Csv { .. } => FileFormat::Csv,
                    DirectFormat::Parquet { .. } => FileFormat::Parquet,
                };
                let mut uploaded = Uploaded::new(bucket, job)?;
                let manifest = uploaded.put_manifest(&[(object.url.clone(), object.bytes)], kind, job.interrupted)?;
                let region = bucket.buckets()?.other_region(&object.url);
                Ok(direct.copy(&manifest, bucket.iam_role.clone(), region).ok().map(|copy| (copy, Some(uploaded))))
            }
            Way::Import(buckets) => Ok(direct.import(&buckets.region(&object.url)).map(|import| (import, None))),
        }
    }
}

/// Everything in one transaction; nothing where a value is doubtful.
fn stored(
    session: &mut dyn Session,
    job: &LoadJob<'_>,
    way: Way<'_>,
    buckets: &Buckets,
    object: &Object,
    direct: &DirectCopy<'_>,
) -> Result<Option<Loaded>, LoadError> {
    let Some((read, _uploaded)) = way.read(job, object, direct)? else { return Ok(None) };
    let mut doubtful = false;
    let done = in_transaction(session, |session| {
        let replaced = (way.engine() == Engine::Postgres && into_postgres::claim(session, job)?) || job.known;
        session.execute(&direct.create())?;
        session.query(&read, None)?;
        let counts = session.query(&direct.check(), None)?.rows.into_iter().next().unwrap_or_default();
        let [rows, doubts] = [counts.first(), counts.get(1)].map(count);
        doubtful = doubts != Some(0);
        if doubtful {
            // Takes everything back.
            return Err(LoadError::Engine(AdapterError::Cancelled));
        }
        if replaced {
            session.execute(&sql::delete_file(job.relation, job.recorded_as))?;
        }
        let tally = Tally { rows: session.execute(&direct.insert())?, ..Tally::default() };
        if rows != Some(tally.rows) {
            return Err(super::miscounted(job, rows.unwrap_or(0), tally.rows));
        }
        session.execute(&direct.drop())?;
        replace_rejects(session, way.engine(), job, &tally)?;
        let entry = manifest_entry(job, &Fingerprint { sha256: String::new(), bytes: object.bytes }, &tally);
        session.execute(&sql::write_manifest(way.engine(), &entry, true))?;
        if buckets.find(&object.url)?.map(|found| found.version()) != Some(object.version()) {
            let message = "it was changed while it was loaded".to_owned();
            return Err(LoadError::File { file: job.recorded_as.to_owned(), message, help: vec!["load again".to_owned()] });
        }
        let sql::ManifestEntry { rows, rejected, bytes, sha256, .. } = entry;
        Ok(Loaded { rows, rejected, bytes, sha256, replaced, direct: true })
    });
    if doubtful { Ok(None) } else { done.map(Some) }
}

fn count(value: Option<&Datum>) -> Option<u64> {
    match value {
        Some(Datum::Int(count)) => u64::try_from(*count).ok(),
        Some(Datum::Decimal(text) | Datum::Text(text)) => text.parse().ok(),
        _ => None,
    }
}

/// The statements for people; columns in the order of their declaration. `bucket`: that of Redshift, else PostgreSQL reads.
pub(super) fn shown(job: &LoadJob<'_>, bucket: Option<&CopyBucket>) -> Option<Result<String, String>> {
    if !is_plain(job) || job.landing.format == FileFormat::Ndjson {
        return None;
    }
    let columns: Vec<RawColumn> = raw_columns(job.columns);
    let landing = job.landing;
    let format = if landing.format == FileFormat::Parquet {
        DirectFormat::Parquet { types: columns.iter().map(|column| column.data_type.print(Engine::Redshift)).collect() }
    } else {
        DirectFormat::Csv {
            delimiter: landing.delimiter,
            header_lines: landing.header_lines + usize::from(landing.header),
            gzip: super::input::is_gzip(landing, Path::new(job.recorded_as)),
            null_text: &landing.null_text,
            nothing: "@acca:…:null@".to_owned(),
        }
    };
    let order = (0..columns.len()).collect();
    let engine = if bucket.is_some() { Engine::Redshift } else { Engine::Postgres };
    let direct = DirectCopy { engine, table: job.relation, columns: &columns, order, file: job.recorded_as, format };
    let delete = job.known.then(|| sql::delete_file(job.relation, job.recorded_as));
    let read = match bucket {
        Some(bucket) => direct.copy(&bucket.shown_manifest(), bucket.iam_role.clone(), None),
        None => Ok(direct.import("…")?),
    };
    Some(read.map(|read| {
        let first = [direct.create(), read, direct.check()];
        first.into_iter().chain(delete).chain([direct.insert(), direct.drop()]).collect::<Vec<_>>().join(";\n")
    }))
}

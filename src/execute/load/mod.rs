//! Landing files into raw tables: each file in one transaction, exactly once, malformed rows put aside.
//!
//! Every row is checked here, by one set of rules, before an engine sees it: what one engine loads the other loads too.
//! PostgreSQL gets the rows by COPY while the file is read. DuckDB reads a file that was found clean by itself, and
//! otherwise a cleaned copy of it.

mod check;
mod columns;
mod conversions;
mod copy;
mod csv;
mod direct;
mod error;
mod files;
mod fit;
mod input;
mod into_duckdb;
mod into_postgres;
mod into_redshift;
mod ndjson;
mod parquet;
mod rows;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use encoding_rs::Encoding;

use self::columns::Misfit;
use self::direct::{Direct, Way};
use self::files::FileState;
use self::input::{Fingerprint, Seal};
use self::rows::{Nulls, Output, Pass, RowStream, Stop, Tally};
use self::table::{ensure_raw, in_transaction};
use super::adapter::{AdapterError, Datum, Session};
use super::buckets::{Buckets, Object};
use crate::base::Relation;
use crate::dialect::load::{self as sql, ManifestEntry, RawColumn, RejectRow, StagedCopy};
use crate::dialect::{Engine, max_statement};
use crate::plan::{LandingFiles, NodePlan, plan_load};
use crate::project::{Conversions, Landing};

pub use self::columns::LoadColumn;
pub use self::copy::CopyBucket;
pub use self::error::{LoadError, Remedy};
pub use self::files::LandingFile;
pub use self::rows::Reject;
pub use self::table::ensure_state;

/// A source table whose files are to be loaded.
#[derive(Clone, Copy)]
pub struct RawTable<'a> {
    /// Unique id of the source table.
    pub source: &'a str,
    pub relation: &'a Relation,
    pub columns: &'a [LoadColumn],
    pub landing: &'a Landing,
    pub run_id: &'a str,
}

/// A full refresh: every file is loaded, changed or not.
#[derive(Clone, Copy)]
pub struct Refresh<'a> {
    /// All files that are there.
    pub files: &'a [LandingFile],
    /// Those of the files on S3.
    pub buckets: Option<&'a Buckets>,
    /// Whether the rows of files that are gone go too. Landing folders are emptied into archives, so that has to be asked for.
    pub prune: bool,
}

impl Refresh<'_> {
    /// The files that are there, as they are recorded.
    fn present(&self) -> BTreeSet<&str> {
        self.files.iter().map(LandingFile::recorded_as).collect()
    }
}

/// What a full refresh found of files that are not there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    pub kept: usize,
    pub removed: usize,
}

/// Loads the files of one source table, one after the other.
pub struct Loader<'a> {
    engine: Engine,
    table: RawTable<'a>,
    interrupted: &'a dyn Fn() -> bool,
    refresh: Option<Refresh<'a>>,
    bucket: Option<&'a CopyBucket>,
    /// PostgreSQL reads objects by its extension.
    imports: bool,
    /// Why the warehouse did not read an object itself that seemed plain: the first that it said.
    detour: Option<String>,
    /// The checksum of the loaded version of each file, or what S3 calls it.
    loaded: BTreeMap<String, String>,
    /// Files that this loader loaded, with at least one row, in that order.
    fresh: Vec<String>,
    /// With `refresh`: files with rows in the raw table when it was opened, which the manifest may have lost.
    stored: BTreeSet<String>,
    /// Files with rows in the reject table.
    noted: BTreeSet<String>,
}

/// One file to be loaded.
#[derive(Clone, Copy)]
struct LoadJob<'a> {
    source: &'a str,
    relation: &'a Relation,
    columns: &'a [LoadColumn],
    landing: &'a Landing,
    run_id: &'a str,
    path: &'a Path,
    recorded_as: &'a str,
    /// What the manifest keeps of the content instead of its checksum.
    version: Option<&'a str>,
    /// Redshift: by which rows go.
    bucket: Option<&'a CopyBucket>,
    /// Whether rows of a version of the file may be in the raw table.
    known: bool,
    /// Whether the reject table has rows of the file.
    noted: bool,
    interrupted: &'a dyn Fn() -> bool,
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

impl<'a> Loader<'a> {
    /// Makes the raw table where it is missing and reads which files are loaded; schema `_acca` must exist
    /// ([`ensure_state`]). With `refresh` every file is loaded, also an unchanged one, and replaces its older rows; a table of acca's
    /// own that differs from its declaration is dropped first, unless rows would be lost for good or a file does not fit the declaration. `interrupted` is asked now and then; when it is true a load ends as
    /// cancelled.
    ///
    /// # Errors
    /// `TableDiffers`, that of a file that does not fit, or those of the engine.
    pub fn open(
        session: &mut dyn Session,
        engine: Engine,
        table: RawTable<'a>,
        refresh: Option<Refresh<'a>>,
        interrupted: &'a dyn Fn() -> bool,
    ) -> Result<Loader<'a>, LoadError> {
        ensure_raw(session, engine, &table, refresh, interrupted)?;
        let stored = if refresh.is_some() { names(session, &sql::select_stored_files(table.relation))? } else { BTreeSet::new() };
        let loaded = loaded_files(session, table.relation)?;
        let noted = names(session, &sql::select_rejected_files(table.relation))?;
        Ok(Loader {
            engine,
            table,
            interrupted,
            refresh,
            bucket: None,
            imports: false,
            detour: None,
            loaded,
            fresh: Vec::new(),
            stored,
            noted,
        })
    }

    /// The same, with a bucket by which rows go into Redshift, or objects that PostgreSQL reads by its extension.
    #[must_use]
    pub fn through(self, bucket: Option<&'a CopyBucket>, imports: bool) -> Loader<'a> {
        Loader { bucket, imports, ..self }
    }

    /// What the warehouse said when it did not read an object itself that seemed plain, and acca did.
    pub fn detour(&self) -> Option<&str> {
        self.detour.as_deref()
    }

    /// As [`Loader::load`], wherever the file is. `buckets` are those of the files on S3.
    ///
    /// # Errors
    /// As [`Loader::load`].
    pub fn load_file(
        &mut self,
        session: &mut dyn Session,
        file: &LandingFile,
        buckets: Option<&Buckets>,
    ) -> Result<LoadOutcome, LoadError> {
        if self.refresh.is_none() && file.state(&self.loaded)? == FileState::Unchanged {
            return Ok(LoadOutcome::Unchanged);
        }
        match (file, buckets) {
            (LandingFile::OnS3(object), Some(buckets)) => {
                if let Some(loaded) = self.load_directly(session, object, buckets)? {
                    return Ok(loaded);
                }
                let folder = tempfile::tempdir().map_err(|error| file.unreadable(&error))?;
                let path = files::fetch(buckets, object, folder.path(), self.interrupted)?;
                self.load_version(session, &path, &object.url, Some(&object.version()))
            }
            (LandingFile::Local { path, recorded_as }, _) => self.load_version(session, path, recorded_as, None),
            // Whoever listed the object had a client.
            (LandingFile::OnS3(object), None) => Err(AdapterError::Io(format!("nothing reaches '{}'", object.url)).into()),
        }
    }

    /// Loads the file at `path` in a transaction of its own, unless this content of it is loaded already and no refresh is wanted.
    /// `recorded_as` is its path relative to the project's root, `/` between the parts.
    ///
    /// # Errors
    /// Then nothing has changed, but for rejects of the file in the reject table.
    pub fn load(&mut self, session: &mut dyn Session, path: &Path, recorded_as: &str) -> Result<LoadOutcome, LoadError> {
        self.load_file(session, &LandingFile::Local { path: path.to_owned(), recorded_as: recorded_as.to_owned() }, None)
    }

    /// By the warehouse itself, where it is told to and can; `None` where not.
    fn load_directly(&mut self, session: &mut dyn Session, object: &Object, buckets: &Buckets) -> Result<Option<LoadOutcome>, LoadError> {
        let way = match (self.engine, self.bucket) {
            (Engine::Redshift, Some(bucket)) => Way::Copy(bucket),
            (Engine::Postgres, _) if self.imports => Way::Import(buckets),
            _ => return Ok(None),
        };
        let version = object.version();
        let done = direct::load(session, &self.job(Path::new(""), &object.url, Some(&version)), way, buckets, object);
        match done? {
            Direct::Loaded(loaded) => Ok(Some(self.note(&object.url, Ok(loaded))?)),
            Direct::Left(why) => {
                self.detour = self.detour.take().or(why);
                Ok(None)
            }
        }
    }

    fn job<'j>(&'j self, path: &'j Path, recorded_as: &'j str, version: Option<&'j str>) -> LoadJob<'j> {
        let RawTable { source, relation, columns, landing, run_id } = self.table;
        let known = self.loaded.contains_key(recorded_as) || self.stored.contains(recorded_as);
        let noted = self.noted.contains(recorded_as);
        let (bucket, interrupted) = (self.bucket, self.interrupted);
        LoadJob { source, relation, columns, landing, run_id, path, recorded_as, version, bucket, known, noted, interrupted }
    }

    /// Keeps in mind what came of a file.
    fn note(&mut self, recorded_as: &str, done: Result<Loaded, LoadError>) -> Result<LoadOutcome, LoadError> {
        match &done {
            Ok(loaded) if loaded.rejected == 0 => self.noted.remove(recorded_as),
            Ok(_) | Err(LoadError::Rejected { .. }) => self.noted.insert(recorded_as.to_owned()),
            Err(_) => false,
        };
        let loaded = done?;
        self.loaded.insert(recorded_as.to_owned(), loaded.sha256.clone());
        if loaded.rows > 0 {
            self.fresh.push(recorded_as.to_owned());
        }
        Ok(LoadOutcome::Loaded(loaded))
    }

    fn load_version(
        &mut self,
        session: &mut dyn Session,
        path: &Path,
        recorded_as: &str,
        version: Option<&str>,
    ) -> Result<LoadOutcome, LoadError> {
        let job = self.job(path, recorded_as, version);
        let done = match self.engine {
            Engine::Postgres => into_postgres::load(session, &job),
            Engine::DuckDb => into_duckdb::load(session, &job),
            Engine::Redshift => into_redshift::load(session, &job),
        };
        self.note(recorded_as, done)
    }

    /// Ends a refresh after which every file that is present is loaded: with `prune` takes out rows, rejects and manifest entries
    /// of all other files, in one transaction. Without a refresh nothing is done.
    ///
    /// # Errors
    /// Those of the engine; then nothing has changed.
    pub fn settle_gone(&mut self, session: &mut dyn Session) -> Result<Gone, LoadError> {
        let Some(refresh) = self.refresh else { return Ok(Gone::default()) };
        let present = refresh.present();
        let all = self.loaded.keys().chain(&self.stored).chain(&self.noted);
        let gone: BTreeSet<String> = all.filter(|file| !present.contains(file.as_str())).cloned().collect();
        if !refresh.prune || gone.is_empty() {
            return Ok(Gone { kept: gone.len(), removed: 0 });
        }
        in_transaction(session, |session| session.execute(&sql::remove_files(self.table.relation, &gone)))?;
        self.loaded.retain(|file, _| !gone.contains(file));
        self.stored.retain(|file| !gone.contains(file));
        self.noted.retain(|file| !gone.contains(file));
        Ok(Gone { kept: 0, removed: gone.len() })
    }

    /// Files that this loader loaded although the same bytes are in the raw table under another name: each with that name. To be
    /// asked last, since a file loaded later may have taken the other's place. Files without rows do not count.
    pub fn duplicates(&self) -> Vec<(&str, &str)> {
        let fresh: BTreeSet<&str> = self.fresh.iter().map(String::as_str).collect();
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for (file, sha256) in self.loaded.iter().filter(|(file, _)| !fresh.contains(file.as_str())) {
            first.entry(sha256).or_insert(file);
        }
        let mut duplicates = Vec::new();
        for file in &self.fresh {
            let Some(sha256) = self.loaded.get(file) else { continue };
            let other = *first.entry(sha256).or_insert(file);
            if other != file {
                duplicates.push((file.as_str(), other));
            }
        }
        duplicates
    }
}

/// The plan of what [`Loader`] would do with these files. Only reads, so the raw table and schema `_acca` need not be there.
///
/// # Errors
/// A file cannot be read, or those of the engine.
pub fn plan(
    session: &mut dyn Session,
    engine: Engine,
    table: RawTable<'_>,
    files: &[LandingFile],
    refresh: bool,
    (bucket, imports): (Option<&CopyBucket>, bool),
) -> Result<NodePlan, LoadError> {
    let mut loaded = BTreeMap::new();
    if !session.columns(table.relation)?.is_empty() && !session.columns(&sql::manifest_relation(table.relation))?.is_empty() {
        loaded = loaded_files(session, table.relation)?;
    }
    let mut states = LandingFiles { refresh, ..LandingFiles::default() };
    let mut first = None;
    for file in files {
        let state = file.state(&loaded)?;
        let names = match state {
            FileState::New => &mut states.new,
            FileState::Changed => &mut states.changed,
            FileState::Unchanged => &mut states.unchanged,
        };
        names.push(file.recorded_as().to_owned());
        if refresh || state != FileState::Unchanged {
            first.get_or_insert((file, state != FileState::New));
        }
    }
    let statement = first.map(|(file, known)| statement(engine, table, file, known, (bucket, imports))).transpose()?;
    Ok(plan_load(table.landing, sql::create_raw(engine, table.relation, &raw_columns(table.columns)), states, statement))
}

/// What is sent for a file. `known`: rows of an older version of it are there.
fn statement(
    engine: Engine,
    table: RawTable<'_>,
    file: &LandingFile,
    known: bool,
    (bucket, imports): (Option<&CopyBucket>, bool),
) -> Result<String, LoadError> {
    let RawTable { source, relation, columns, landing, run_id } = table;
    let recorded_as = file.recorded_as();
    // An object is copied to disk first.
    let path = match file {
        LandingFile::Local { path, .. } => path.as_path(),
        LandingFile::OnS3(object) => Path::new(&object.url),
    };
    let (version, noted, interrupted) = (None, false, &|| false);
    let job = LoadJob { source, relation, columns, landing, run_id, path, recorded_as, version, bucket, known, noted, interrupted };
    let unprintable = |message: String| LoadError::File { file: recorded_as.to_owned(), message, help: Vec::new() };
    Ok(match (engine, bucket) {
        (Engine::DuckDb, _) => into_duckdb::statement(&job),
        (Engine::Postgres, _) => {
            let reads = imports && matches!(file, LandingFile::OnS3(_));
            let directly = if reads { direct::shown(&job, None) } else { None };
            directly.unwrap_or_else(|| Ok(sql::copy_from_stdin(relation, &raw_columns(columns)))).map_err(unprintable)?
        }
        (Engine::Redshift, None) => sql::RowInserts::new(relation, &raw_columns(columns)).shown(),
        (Engine::Redshift, Some(bucket)) => {
            let own = || bucket.shown(StagedCopy { table: relation, columns: &raw_columns(columns), file: recorded_as }, known);
            let directly = if matches!(file, LandingFile::OnS3(_)) { direct::shown(&job, Some(bucket)) } else { None };
            directly.unwrap_or_else(own).map_err(unprintable)?
        }
    })
}

/// The loaded files of a raw table with the checksum of their content.
fn loaded_files(session: &mut dyn Session, table: &Relation) -> Result<BTreeMap<String, String>, AdapterError> {
    let rows = session.query(&sql::select_files(table), None)?.rows;
    Ok(rows.into_iter().filter_map(|row| <[Datum; 2]>::try_from(row).ok()).map(|pair| pair.map(text).into()).collect())
}

fn text(value: Datum) -> String {
    if let Datum::Text(text) = value { text } else { String::new() }
}

/// The texts of a query's only column.
fn names(session: &mut dyn Session, query: &str) -> Result<BTreeSet<String>, AdapterError> {
    Ok(session.query(query, None)?.rows.concat().into_iter().map(text).collect())
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
    Landing {
        header: false,
        delimiter: b',',
        quote: Some(b'"'),
        header_lines: 0,
        trailer_lines: 0,
        conversions: Conversions::default(),
        ..landing.clone()
    }
}

/// How many rejects an error shows.
const SHOWN_REJECTS: usize = 5;

/// The error for a pass that stopped; when there are too many rejects they are kept.
fn stopped(session: &mut dyn Session, engine: Engine, job: &LoadJob<'_>, stream: &mut RowStream<'_>, stop: Stop) -> LoadError {
    match stop {
        Stop::Cancelled => LoadError::Engine(AdapterError::Cancelled),
        Stop::File(error) => unreadable(job, &error),
        Stop::TooManyRejects => {
            stream.collect_rejects();
            let tally = &stream.tally;
            if let Err(error) = in_transaction(session, |session| replace_rejects(session, engine, job, tally)) {
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
fn replace_rejects(session: &mut dyn Session, engine: Engine, job: &LoadJob<'_>, tally: &Tally) -> Result<(), AdapterError> {
    // Where statements have a limit, long rows are cut, so that some of them are one.
    let (most, longest) = if max_statement(engine).is_some() { (5, 4000) } else { (500, usize::MAX) };
    if job.noted {
        session.execute(&sql::delete_rejects(job.relation, job.recorded_as))?;
    }
    for part in tally.rejects.chunks(most) {
        let rows: Vec<RejectRow<'_>> =
            part.iter().map(|reject| RejectRow { line: reject.line, reason: &reject.reason, raw: cut(&reject.raw, longest) }).collect();
        session.execute(&sql::insert_rejects(engine, job.relation, job.recorded_as, &rows))?;
    }
    Ok(())
}

/// The first so many characters.
fn cut(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

fn manifest_entry(job: &LoadJob<'_>, fingerprint: &Fingerprint, tally: &Tally) -> ManifestEntry {
    ManifestEntry {
        relation: job.relation.clone(),
        file: job.recorded_as.to_owned(),
        source: job.source.to_owned(),
        sha256: job.version.map_or_else(|| fingerprint.sha256.clone(), str::to_owned),
        bytes: fingerprint.bytes,
        rows: tally.rows,
        rejected: tally.rejected,
        run_id: job.run_id.to_owned(),
    }
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
            conversions: Conversions::default(),
        }
    }
}

//! Redshift with a bucket: the checked rows of a file become objects in the bucket, which COPY reads into a table of the session; from
//! there they go into the raw table with the name of their file. COPY could read many files at once, but does not tell their rows
//! apart, and a file is whole or not there: so it is one COPY a file, in the transaction of the file.

use std::io::{Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::rows::{RowStream, append_for_copy};
use super::{LoadError, LoadJob, manifest_entry, miscounted, raw_columns, replace_rejects, unreadable};
use super::{Loaded, input::Fingerprint, table::in_transaction};
use crate::base::bucket_and_key;
use crate::dialect::load::{self as sql, StagedCopy};
use crate::dialect::{Engine, S3Format, s3_manifest};
use crate::execute::adapter::{AdapterError, Session};
use crate::execute::buckets::Buckets;
use crate::plan::BucketFiles;
use crate::project::{FileFormat, Target};

/// How many bytes of rows go into one object, which is packed in memory: the nodes of a warehouse read several at the same time.
const PART: usize = 16 * 1024 * 1024;

/// Where files for COPY are put, and by which right the warehouse reads them.
pub struct CopyBucket {
    target: Target,
    /// `s3://bucket/folder`, no slash at its end.
    folder: String,
    pub(super) iam_role: Option<String>,
}

impl CopyBucket {
    /// From `load_bucket` and `iam_role` of the target; `None` where it has no bucket.
    ///
    /// # Errors
    /// `Connection` where the key is no place on S3.
    pub fn of(target: &Target) -> Result<Option<CopyBucket>, AdapterError> {
        let text = |name: &str| target.settings.get(name).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
        let Some(place) = text("load_bucket") else { return Ok(None) };
        let folder = place.trim_end_matches('/').to_owned();
        if bucket_and_key(&format!("{folder}/")).is_none() {
            return Err(AdapterError::Connection {
                message: format!("'load_bucket' of target '{}' is no place on S3: '{place}'", target.name),
                hints: vec!["write it as in 'load_bucket: s3://bucket/folder'".to_owned()],
            });
        }
        Ok(Some(CopyBucket { target: target.clone(), folder, iam_role: text("iam_role").map(str::to_owned) }))
    }

    pub(super) fn buckets(&self) -> Result<Arc<Buckets>, AdapterError> {
        Buckets::of(&self.target)
    }

    pub fn role(&self) -> Option<String> {
        self.iam_role.clone()
    }

    /// Rows, of a run and for something of that name, as objects.
    ///
    /// # Errors
    /// What S3 says.
    pub fn upload_rows(
        &self,
        run_id: &str,
        name: &str,
        rows: &[Vec<Option<String>>],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Uploaded, AdapterError> {
        let folder = format!("{}/{run_id}/{:08x}", self.folder, crc32fast::hash(name.as_bytes()));
        let mut uploaded = Uploaded { buckets: self.buckets()?, folder, files: Vec::new(), manifest: String::new() };
        let (mut number, mut block) = (0, Vec::new());
        for (at, row) in rows.iter().enumerate() {
            append_for_copy(&mut block, row);
            if block.len() < PART && at + 1 < rows.len() {
                continue;
            }
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            let content = packed.write_all(&block).and_then(|()| packed.finish()).map_err(|error| AdapterError::Io(error.to_string()))?;
            uploaded.put(&format!("rows-{number:05}.csv.gz"), content, interrupted)?;
            block.clear();
            number += 1;
        }
        let files = uploaded.files.clone();
        uploaded.manifest = uploaded.put_manifest(&files, FileFormat::Csv, interrupted)?;
        Ok(uploaded)
    }

    /// A folder of that name, with a slash at its end.
    pub fn folder(&self, name: &str) -> String {
        format!("{}/{name}/", self.folder)
    }

    /// Deletes all that lies in a folder of [`CopyBucket::folder`].
    ///
    /// # Errors
    /// What S3 says.
    pub fn empty(&self, folder: &str) -> Result<(), AdapterError> {
        let Some((bucket, prefix)) = bucket_and_key(folder) else { return Ok(()) };
        let buckets = self.buckets()?;
        buckets.list(bucket, prefix)?.iter().try_for_each(|object| buckets.delete(&object.url))
    }

    /// Where a manifest will be, for people.
    pub fn shown_manifest(&self) -> String {
        format!("{}/…/manifest.json", self.folder)
    }

    /// The statements of a load, for people. `known`: rows of an older version of the file are there.
    pub(super) fn shown(&self, staged: StagedCopy<'_>, known: bool) -> Result<String, String> {
        let copy = staged.copy(&self.shown_manifest(), self.iam_role.clone(), None)?;
        let delete = known.then(|| sql::delete_file(staged.table, staged.file));
        Ok(delete.into_iter().chain([staged.create(), copy, staged.insert(), staged.drop()]).collect::<Vec<_>>().join(";\n"))
    }
}

/// Objects that are deleted when this value goes.
pub struct Uploaded {
    buckets: Arc<Buckets>,
    folder: String,
    files: Vec<(String, u64)>,
    manifest: String,
}

impl Uploaded {
    /// Nothing yet. The names are those of one file in one run.
    pub(super) fn new(bucket: &CopyBucket, job: &LoadJob<'_>) -> Result<Uploaded, AdapterError> {
        let digest = crc32fast::hash(format!("{} {}", job.source, job.recorded_as).as_bytes());
        let folder = format!("{}/{}/{}-{digest:08x}", bucket.folder, job.run_id, job.relation.identifier);
        Ok(Uploaded { buckets: bucket.buckets()?, folder, files: Vec::new(), manifest: String::new() })
    }

    /// What COPY is to read.
    pub fn files(&self, bucket: &CopyBucket) -> BucketFiles {
        let region = self.buckets.other_region(&self.manifest);
        BucketFiles { manifest: self.manifest.clone(), iam_role: bucket.role(), region }
    }

    fn put(&mut self, name: &str, content: Vec<u8>, interrupted: &dyn Fn() -> bool) -> Result<String, AdapterError> {
        let url = format!("{}/{name}", self.folder);
        // Also one that came in without an answer.
        self.files.push((url.clone(), content.len() as u64));
        self.buckets.put(&url, content, interrupted)?;
        Ok(url)
    }

    /// The place of a manifest of those files.
    pub(super) fn put_manifest(
        &mut self,
        files: &[(String, u64)],
        format: FileFormat,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<String, AdapterError> {
        let format = if format == FileFormat::Parquet { S3Format::Parquet } else { S3Format::Json };
        self.put("manifest.json", s3_manifest(files, &format).into_bytes(), interrupted)
    }
}

impl Drop for Uploaded {
    fn drop(&mut self) {
        // What is left over says by its name where it is from.
        self.buckets.delete_soon(self.files.iter().map(|(url, _)| url.as_str()));
    }
}

/// Everything of one file in one transaction. The fingerprint is known once the file is read.
pub(super) fn load(
    session: &mut dyn Session,
    job: &LoadJob<'_>,
    bucket: &CopyBucket,
    stream: &mut RowStream<'_>,
    fingerprint: impl FnOnce() -> Fingerprint,
) -> Result<Loaded, LoadError> {
    let mut uploaded = Uploaded::new(bucket, job)?;
    upload(job, stream, &mut uploaded)?;
    // What was uploaded is a part of the file: nothing of the older version may go for it. Why it stopped, says the caller.
    if stream.stop.is_some() {
        return Err(AdapterError::Io("the load was stopped".to_owned()).into());
    }
    let fingerprint = fingerprint();
    let manifest = if stream.tally.rows == 0 {
        None
    } else {
        let files = uploaded.files.clone();
        Some(uploaded.put_manifest(&files, FileFormat::Csv, job.interrupted)?)
    };
    in_transaction(session, |session| {
        if job.known {
            session.execute(&sql::delete_file(job.relation, job.recorded_as))?;
        }
        let columns = raw_columns(job.columns);
        let staged = StagedCopy { table: job.relation, columns: &columns, file: job.recorded_as };
        if let Some(manifest) = &manifest {
            let region = uploaded.buckets.other_region(manifest);
            let copy = staged.copy(manifest, bucket.iam_role.clone(), region).map_err(|why| LoadError::File {
                file: job.recorded_as.to_owned(),
                message: why,
                help: Vec::new(),
            })?;
            session.execute(&staged.create())?;
            session.execute(&copy)?;
            let copied = session.execute(&staged.insert())?;
            if copied != stream.tally.rows {
                return Err(miscounted(job, stream.tally.rows, copied));
            }
            session.execute(&staged.drop())?;
        }
        let entry = manifest_entry(job, &fingerprint, &stream.tally);
        replace_rejects(session, Engine::Redshift, job, &stream.tally)?;
        session.execute(&sql::write_manifest(Engine::Redshift, &entry, true))?;
        Ok(Loaded {
            rows: entry.rows,
            rejected: entry.rejected,
            bytes: entry.bytes,
            sha256: entry.sha256,
            replaced: job.known,
            direct: false,
        })
    })
}

/// The rows as packed objects, until the stream ends or stops.
fn upload(job: &LoadJob<'_>, stream: &mut RowStream<'_>, uploaded: &mut Uploaded) -> Result<(), LoadError> {
    let mut block = vec![0; 128 * 1024];
    let mut number = 0;
    loop {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        // A row is in one object: what is read last may end within one.
        let mut written = 0;
        let mut rest: Vec<u8> = Vec::new();
        let mut ended = false;
        while written < PART {
            let read = match stream.read(&mut block) {
                Ok(read) => read,
                // Why, says the stream.
                Err(_) if stream.stop.is_some() => return Ok(()),
                Err(error) => return Err(unreadable(job, &error)),
            };
            if read == 0 {
                ended = true;
                break;
            }
            packed.write_all(block.get(..read).unwrap_or(&[])).map_err(|error| unreadable(job, &error))?;
            written += read;
        }
        if !ended {
            stream.rest_of_block(&mut rest);
            packed.write_all(&rest).map_err(|error| unreadable(job, &error))?;
        }
        if written > 0 {
            let content = packed.finish().map_err(|error| unreadable(job, &error))?;
            uploaded.put(&format!("rows-{number:05}.csv.gz"), content, job.interrupted)?;
            number += 1;
        }
        if ended {
            return Ok(());
        }
    }
}

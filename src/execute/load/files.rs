//! Where landing files are: on disk, or in a bucket of S3, from which one is copied to disk to be loaded.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{LoadError, input};
use crate::execute::adapter::AdapterError;
use crate::execute::buckets::{Buckets, Object};

/// A landing file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LandingFile {
    /// `recorded_as` is its path relative to the project's root, `/` between the parts.
    Local { path: PathBuf, recorded_as: String },
    /// Recorded as its URL.
    OnS3(Object),
}

/// A file beside what is recorded of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    New,
    Changed,
    Unchanged,
}

impl LandingFile {
    pub fn recorded_as(&self) -> &str {
        match self {
            LandingFile::Local { recorded_as, .. } => recorded_as,
            LandingFile::OnS3(object) => &object.url,
        }
    }

    /// `loaded`: what is recorded of the content of each file. A file on disk is read for it; S3 tells without.
    pub(super) fn state(&self, loaded: &BTreeMap<String, String>) -> Result<FileState, LoadError> {
        let Some(known) = loaded.get(self.recorded_as()) else { return Ok(FileState::New) };
        let version = match self {
            LandingFile::Local { path, .. } => input::fingerprint(path).map_err(|error| self.unreadable(&error))?.sha256,
            LandingFile::OnS3(object) => object.version(),
        };
        Ok(if version == *known { FileState::Unchanged } else { FileState::Changed })
    }

    pub(super) fn unreadable(&self, error: &std::io::Error) -> LoadError {
        LoadError::File { file: self.recorded_as().to_owned(), message: error.to_string(), help: Vec::new() }
    }
}

/// Copies an object into `folder`, under a name that tells as much of its format as its key.
pub(super) fn fetch(buckets: &Buckets, object: &Object, folder: &Path, interrupted: &dyn Fn() -> bool) -> Result<PathBuf, AdapterError> {
    let is_packed = object.url.to_ascii_lowercase().ends_with(".gz");
    let path = folder.join(if is_packed { "landed.gz" } else { "landed" });
    let unwritable = |error: std::io::Error| AdapterError::Io(format!("a copy of '{}' cannot be written: {error}", object.url));
    let mut file = BufWriter::new(std::fs::File::create(&path).map_err(unwritable)?);
    buckets.download(object, &mut file, interrupted)?;
    file.flush().map_err(unwritable)?;
    Ok(path)
}

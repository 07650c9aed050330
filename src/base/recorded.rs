//! What a compile asked of the outside world, kept so that a later one can ask again.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::{any::Any, mem};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Files;

/// How names of variables of the environment begin that hold secrets, as in dbt.
const SECRET: &str = "DBT_ENV_SECRET";

/// The first half of a SHA-256 sum.
pub type Digest = [u8; 16];

pub fn digest(bytes: &[u8]) -> Digest {
    let sum = Sha256::digest(bytes);
    sum.first_chunk().copied().unwrap_or_default()
}

/// Questions with the digests of their answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// By folder.
    lists: BTreeMap<String, Option<Digest>>,
    exists: BTreeMap<String, bool>,
    /// By path; `None` for files that could not be read.
    pub reads: BTreeMap<String, Option<Digest>>,
    /// By name; `None` for what is not set.
    env: BTreeMap<String, Option<Digest>>,
}

/// A file that was read again.
pub struct Reread {
    pub bytes: Vec<u8>,
    /// Whether it is what it was.
    pub same: bool,
}

impl Asked {
    /// Adds what was asked besides.
    pub fn add(&mut self, other: Asked) {
        self.lists.extend(other.lists);
        self.exists.extend(other.exists);
        self.reads.extend(other.reads);
        self.env.extend(other.env);
    }

    /// Asks everything again and returns the files that were read, by path. `None` when an answer is another one,
    /// but for the text of a file of which `may_change` says that it matters to nobody else.
    pub fn again(&self, files: &dyn Files, may_change: &(dyn Fn(&str) -> bool + Sync)) -> Option<BTreeMap<&str, Reread>> {
        let same = self.exists.iter().all(|(path, held)| files.exists(path) == *held)
            && self.env.iter().all(|(name, held)| env_digest(files, name) == *held)
            && self.lists.iter().all(|(folder, held)| list_digest(&files.list(folder)) == *held);
        if !same {
            return None;
        }
        let reads: Vec<(&String, &Option<Digest>)> = self.reads.iter().collect();
        let read = reads.par_iter().map(|(path, held)| match (files.read(path), held) {
            (Ok(bytes), Some(held)) => {
                let same = digest(&bytes) == *held;
                (same || may_change(path)).then_some((path.as_str(), Some(Reread { bytes, same })))
            }
            (Err(_), None) => Some((path.as_str(), None)),
            _ => None,
        });
        let read: Option<Vec<_>> = read.collect();
        Some(read?.into_iter().filter_map(|(path, reread)| Some((path, reread?))).collect())
    }
}

fn env_digest(files: &dyn Files, name: &str) -> Option<Digest> {
    files.env(name).map(|value| digest(value.as_bytes()))
}

fn list_digest(listed: &io::Result<Vec<String>>) -> Option<Digest> {
    listed.as_ref().ok().map(|paths| digest(paths.join("\0").as_bytes()))
}

/// Files that note what is asked of them, until [`Recorded::take`].
pub struct Recorded {
    files: Arc<dyn Files>,
    asked: Mutex<Option<Asked>>,
}

impl Recorded {
    pub fn new(files: Arc<dyn Files>) -> Recorded {
        Recorded { files, asked: Mutex::new(Some(Asked::default())) }
    }

    /// The same files, unrecorded: for what holds secrets.
    pub fn unrecorded(&self) -> &dyn Files {
        &*self.files
    }

    /// From now on, questions are noted again.
    pub fn resume(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Asked::default());
    }

    /// What was asked so far. Nothing is noted from now on.
    pub fn take(&self) -> Asked {
        mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Notes an answer, computed outside of the lock, and only while there is somebody to note it.
    fn note<T>(&self, part: fn(&mut Asked) -> &mut BTreeMap<String, T>, question: &str, answer: impl FnOnce() -> T) {
        let lock = || self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().is_none() {
            return;
        }
        let answer = answer();
        if let Some(asked) = &mut *lock() {
            part(asked).insert(question.to_owned(), answer);
        }
    }
}

impl Files for Recorded {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let listed = self.files.list(folder);
        self.note(|asked| &mut asked.lists, folder, || list_digest(&listed));
        listed
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let read = self.files.read(path);
        self.note(|asked| &mut asked.reads, path, || read.as_ref().ok().map(|bytes| digest(bytes)));
        read
    }

    fn exists(&self, path: &str) -> bool {
        let exists = self.files.exists(path);
        self.note(|asked| &mut asked.exists, path, || exists);
        exists
    }

    fn env(&self, name: &str) -> Option<String> {
        let value = self.files.env(name);
        // Only what is read anew in each run may use one.
        if name.starts_with(SECRET) {
            return value;
        }
        self.note(|asked| &mut asked.env, name, || value.as_ref().map(|value| digest(value.as_bytes())));
        value
    }

    fn now(&self) -> jiff::Timestamp {
        self.files.now()
    }

    fn reached(&self, stage: &'static str) {
        self.files.reached(stage);
    }

    fn working_on(&self, work: &'static str, name: &str) -> Option<Box<dyn Any>> {
        self.files.working_on(work, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MemoryFiles;

    #[test]
    fn an_answer_that_changed_is_seen() {
        let before = MemoryFiles::default().with("a/x", "1").with("a/y", "2").with("b", "3");
        let recorded = Recorded::new(Arc::new(before.clone()));
        recorded.list("a").unwrap();
        recorded.read("a/x").unwrap();
        recorded.read("none").unwrap_err();
        assert!(recorded.exists("b"));
        recorded.env("HOME");
        let asked = recorded.take();
        recorded.read("a/y").unwrap();
        assert_eq!(recorded.take(), Asked::default());

        let again = |files: &MemoryFiles, free: &str| asked.again(files, &|path| path == free).map(|read| read.len());
        assert_eq!(again(&before, ""), Some(1));
        assert_eq!(again(&before.clone().with("a/y", "other"), ""), Some(1));
        assert_eq!(again(&before.clone().with("a/x", "other"), ""), None);
        let read = before.clone().with("a/x", "other");
        assert!(!asked.again(&read, &|_| true).unwrap()["a/x"].same);
        assert_eq!(again(&before.clone().with("a/z", ""), ""), None);
        assert_eq!(again(&before.clone().with("none", ""), ""), None);
        let mut gone = before.clone();
        gone.files.remove("b");
        assert_eq!(again(&gone, ""), None);
        let mut other = before;
        other.env.insert("HOME".to_owned(), String::new());
        assert_eq!(again(&other, ""), None);
    }
}

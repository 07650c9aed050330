//! The outside world as the compiler sees it: files by path, and environment variables.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;

/// What the lower floors may know of the outside world. The command line gives them the disk, tests give them memory.
///
/// Paths are relative to the project's root, with `/` between the parts. An absolute path stands for itself
/// (a package or a profile outside the project).
pub trait Files: Send + Sync {
    /// All files under `folder`, at any depth, as full paths in ascending order. A folder that does not exist has none.
    /// Entries whose name starts with `.` are left out.
    ///
    /// # Errors
    /// When a folder exists and cannot be read.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// The bytes of one file.
    ///
    /// # Errors
    /// When it does not exist or cannot be read.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    fn exists(&self, path: &str) -> bool;

    /// The value of an environment variable; `None` where it is not set or is not Unicode.
    fn env(&self, name: &str) -> Option<String>;

    /// What the clock says. In memory it stands still.
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::constant(1_767_225_600, 0)
    }

    /// Told at the end of each stage of a compile, with its name: who measures can look at a clock, the lower floors cannot.
    fn reached(&self, _stage: &'static str) {}

    /// Held while one file or node is worked on, by whatever thread: who measures counts the time until it is dropped.
    fn working_on(&self, _work: &'static str, _name: &str) -> Option<Box<dyn Any>> {
        None
    }
}

/// Files and environment in memory, for tests and for tools that hold unsaved text.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    pub files: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
}

impl MemoryFiles {
    pub fn with(mut self, path: &str, text: &str) -> MemoryFiles {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }
}

impl Files for MemoryFiles {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let hidden = |path: &str| path.get(prefix.len()..).is_some_and(|rest| rest.split('/').any(|part| part.starts_with('.')));
        Ok(self.files.keys().filter(|path| path.starts_with(&prefix) && !hidden(path)).cloned().collect())
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.files.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }
}

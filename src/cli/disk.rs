//! The disk and the environment of the process, as the compiler sees them.

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use super::trace::Trace;
use crate::base::Files;

/// Files below the folder of a project.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    trace: Option<Arc<Trace>>,
}

impl Disk {
    pub fn new(root: impl Into<PathBuf>) -> Disk {
        Disk { root: root.into(), trace: None }
    }

    /// Remembers when each stage ended.
    pub(super) fn traced(self) -> Disk {
        Disk { trace: Some(Arc::default()), ..self }
    }

    pub(super) fn trace(&self) -> Option<&Arc<Trace>> {
        self.trace.as_ref()
    }

    fn place(&self, path: &str) -> PathBuf {
        // An absolute path replaces the root.
        self.root.join(path)
    }
}

impl Files for Disk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let start = self.place(folder);
        if !start.exists() {
            return Ok(Vec::new());
        }
        let hidden = |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        let mut found = Vec::new();
        for entry in WalkDir::new(&start).follow_links(true).into_iter().filter_entry(|entry| !hidden(entry)) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => found.push(named(entry.path(), &start, folder)),
                Ok(_) => {}
                // A link into a folder above itself, or one that leads nowhere, holds no file of its own.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) if error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.place(path))
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn exists(&self, path: &str) -> bool {
        self.place(path).exists()
    }

    fn env(&self, name: &str) -> Option<String> {
        // A name that holds `=` or a zero byte is no name.
        if name.is_empty() || name.contains(['=', '\0']) {
            return None;
        }
        std::env::var(name).ok()
    }

    fn reached(&self, stage: &'static str) {
        if let Some(trace) = &self.trace {
            trace.reached(stage);
        }
    }

    fn working_on(&self, work: &'static str, name: &str) -> Option<Box<dyn Any>> {
        self.trace.as_ref().map(|trace| Box::new(trace.begin(work, name)) as Box<dyn Any>)
    }
}

/// The path as the folder was named, with `/` between the parts.
fn named(path: &Path, start: &Path, folder: &str) -> String {
    let inside = path.strip_prefix(start).unwrap_or(path);
    let inside = inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    match folder.trim_end_matches('/') {
        "" if folder.starts_with('/') => format!("/{inside}"),
        "" | "." => inside,
        folder => format!("{folder}/{inside}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lists_files_in_order_without_hidden_ones() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["models/b.sql", "models/a/z.sql", "models/.git/x.sql", "models/.hidden.sql", "seeds/s.csv"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let disk = Disk::new(folder.path());
        assert_eq!(disk.list("models").unwrap(), ["models/a/z.sql", "models/b.sql"]);
        assert_eq!(disk.list("models/").unwrap(), ["models/a/z.sql", "models/b.sql"]);
        assert_eq!(disk.list("").unwrap(), ["models/a/z.sql", "models/b.sql", "seeds/s.csv"]);
        assert_eq!(disk.list("macros").unwrap(), Vec::<String>::new());
        let absolute = folder.path().join("seeds").to_string_lossy().into_owned();
        assert_eq!(disk.list(&absolute).unwrap(), [format!("{absolute}/s.csv")]);
        assert!(disk.exists("seeds/s.csv") && disk.read("seeds/t.csv").is_err());
        assert_eq!(disk.env("A=B"), None);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_end() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("shared")).unwrap();
        fs::write(folder.path().join("shared/a.sql"), "x").unwrap();
        fs::create_dir_all(folder.path().join("models")).unwrap();
        for (to, link) in [("../shared", "models/linked"), ("..", "models/up"), ("nowhere", "models/dead")] {
            std::os::unix::fs::symlink(to, folder.path().join(link)).unwrap();
        }
        let found = Disk::new(folder.path()).list("models").unwrap();
        assert!(found.contains(&"models/linked/a.sql".to_owned()), "{found:?}");
    }
}

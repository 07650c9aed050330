//! The SQL of nodes, written into the target folder for people to read.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::analysis::Compilation;
use crate::project::{Detail, Node};

/// `<target>/compiled/<package>/<path of the file>`; a generic test lies in a folder of its properties file's name.
pub fn artifact_path(compilation: &Compilation, target_path: &Path, node: &Node, folder: &str) -> PathBuf {
    let file = compilation.path_in_package(compilation.project.sources.path(node.origin.file), &node.package);
    // Whatever a path says, nothing is written outside of the folder: above all not over the file that it names.
    let inside = Path::new(file).components().filter(|part| matches!(part, Component::Normal(_)));
    let path = target_path.join(folder).join(&*node.package).join(inside.collect::<PathBuf>());
    match node.detail {
        // The alias of a test with a very long name is short enough for a file.
        Detail::GenericTest(_) | Detail::UnitTest(_) | Detail::Snapshot { .. } => {
            path.join(format!("{}.sql", node.alias.as_deref().unwrap_or(&node.name).replace(['/', '\\'], "_")))
        }
        _ => path,
    }
}

/// Writes a file and the folders above it. A file that holds the text already is left alone: mostly a run writes what the one
/// before it has written.
///
/// # Errors
/// What the disk refuses.
pub fn write_sql(path: &Path, sql: &str) -> io::Result<()> {
    if holds(path, sql) {
        return Ok(());
    }
    match (fs::write(path, sql), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            fs::write(path, sql)
        }
        (done, _) => done,
    }
}

/// A text for a file.
struct Text {
    path: PathBuf,
    /// Bytes of the file that stay in front of it.
    kept: usize,
    sql: Arc<str>,
}

/// The way to the thread that writes the files of a run: a node waits for its engine, not for the disk.
pub(super) struct SqlFiles(SyncSender<Option<Text>>);

/// The other end.
pub(super) struct SqlWriter(Receiver<Option<Text>>);

/// Texts that wait for a slow disk.
const MOST_WAITING: usize = 1024;

pub(super) fn sql_files() -> (SqlFiles, SqlWriter) {
    let (sender, receiver) = sync_channel(MOST_WAITING);
    (SqlFiles(sender), SqlWriter(receiver))
}

impl SqlFiles {
    /// As [`write_sql`], or behind the first `kept` bytes of the file that is there, soon. Texts for one file are written in the order
    /// in which they come.
    pub(super) fn write(&self, path: PathBuf, kept: usize, sql: Arc<str>) {
        let _ = self.0.send(Some(Text { path, kept, sql }));
    }

    /// Ends the writer when the guard goes, whatever becomes of the run.
    pub(super) fn ended_at_the_end(&self) -> impl Drop {
        struct End<'f>(&'f SqlFiles);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                let _ = self.0.0.send(None);
            }
        }
        End(self)
    }
}

impl SqlWriter {
    /// Writes what comes until the end. Returns the files that the disk refused.
    pub(super) fn run(self) -> BTreeSet<PathBuf> {
        let mut refused = BTreeSet::new();
        for Text { path, kept, sql } in self.0.into_iter().map_while(|text| text) {
            let done = match kept {
                0 => write_sql(&path, &sql),
                // Nothing goes on behind a beginning that is not there.
                _ if refused.contains(&path) => continue,
                kept => continue_sql(&path, kept, &sql),
            };
            match done {
                Ok(()) => refused.remove(&path),
                Err(_) => refused.insert(path),
            };
        }
        refused
    }
}

/// Writes a text behind the first bytes of a file, in place of what comes after them.
///
/// # Errors
/// What the disk refuses.
fn continue_sql(path: &Path, kept: usize, sql: &str) -> io::Result<()> {
    let mut file = fs::File::options().write(true).open(path)?;
    if file.metadata()?.len() < kept as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.set_len(kept as u64)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(sql.as_bytes())
}

fn holds(path: &Path, sql: &str) -> bool {
    let same_length = fs::metadata(path).is_ok_and(|held| held.is_file() && held.len() == sql.len() as u64);
    same_length && fs::read(path).is_ok_and(|held| held == sql.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_already_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.sql");
        write_sql(&path, "select 1").unwrap();
        let written = || fs::metadata(&path).unwrap().modified().unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
        fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        write_sql(&path, "select 1").unwrap();
        assert_eq!(written(), long_ago);
        write_sql(&path, "select 2").unwrap();
        assert!(written() > long_ago);
        assert_eq!(fs::read_to_string(&path).unwrap(), "select 2");
        assert!(write_sql(&path.join("below"), "x").is_err());
        continue_sql(&path, 7, "3 as three").unwrap();
        continue_sql(&path, 7, "4").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "select 4");
    }

    #[test]
    fn the_writer_keeps_the_order_and_tells_what_the_disk_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let (path, taken) = (folder.path().join("a.sql"), folder.path().join("taken"));
        fs::create_dir(&taken).unwrap();
        let (files, writer) = sql_files();
        let ended = files.ended_at_the_end();
        for (kept, sql) in [(0, "select 1; "), (0, "select 2; "), (10, "select 3")] {
            files.write(path.clone(), kept, sql.into());
        }
        files.write(taken.clone(), 0, "x".into());
        let short = folder.path().join("short.sql");
        files.write(short.clone(), 0, "short".into());
        files.write(short.clone(), 9, "behind nothing".into());
        drop(ended);
        files.write(path.clone(), 0, "too late".into());
        assert_eq!(writer.run(), BTreeSet::from([taken, short.clone()]));
        assert_eq!(fs::read_to_string(&short).unwrap(), "short");
        assert_eq!(fs::read_to_string(&path).unwrap(), "select 2; select 3");
    }
}

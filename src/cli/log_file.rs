//! The file of `--log-path`: everything that is said, also what the screen does not show.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::arguments::{LogFormat, LogLevel};

/// A file that has grown beyond this is moved aside before a new one is begun.
const MOST_BYTES: u64 = 10 << 20;

pub(super) struct LogFile {
    file: Mutex<File>,
    pub(super) format: LogFormat,
    pub(super) level: LogLevel,
}

impl LogFile {
    /// Opens `acca.log` in the folder, to write behind what is there.
    pub(super) fn open(folder: &Path, format: LogFormat, level: LogLevel) -> io::Result<LogFile> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("acca.log");
        if std::fs::metadata(&path).is_ok_and(|found| found.len() > MOST_BYTES) {
            std::fs::rename(&path, folder.join("acca.log.1"))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(LogFile { file: Mutex::new(file), format, level })
    }

    /// A line that cannot be written is dropped: the work goes on.
    pub(super) fn write(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_and_a_large_file_is_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["one", "two"] {
            LogFile::open(folder.path(), LogFormat::Debug, LogLevel::Debug).unwrap().write(line);
        }
        let path = folder.path().join("acca.log");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        File::options().write(true).open(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
        LogFile::open(folder.path(), LogFormat::Debug, LogLevel::Debug).unwrap().write("three");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        assert!(folder.path().join("acca.log.1").exists());
    }
}

//! Files that a reader never sees half-written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

/// Writes a file, and the folders above it, beside its place first and then renames it.
///
/// # Errors
/// What the disk refuses; the old file is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))
}

/// As [`write_atomically`], for a file that is too large to be in memory as a whole.
///
/// # Errors
/// What the disk refuses and what `write` fails with; the old file is then untouched.
pub fn write_atomically_with(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // The process id keeps two runs at the same time apart.
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let fill = |file: File| {
        let reserved = reserve(&file, path);
        let mut file = BufWriter::with_capacity(1 << 16, file);
        write(&mut file)?;
        let written = file.stream_position()?;
        // Room that was not needed is given back.
        if reserved > written { file.get_ref().set_len(written) } else { Ok(()) }
    };
    let written = File::create(&beside).and_then(fill).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Asks for room as large as the file that is replaced. A file system that chooses places late would otherwise choose them for all of
/// a large file while it is renamed. Where this cannot be done, it only takes longer. Returns how many bytes there is room for.
#[cfg(target_os = "linux")]
fn reserve(file: &File, replaced: &Path) -> u64 {
    use rustix::fs::{FallocateFlags, fallocate};
    let length = fs::metadata(replaced).ok().map(|held| held.len()).filter(|length| *length > LARGE);
    length.filter(|length| fallocate(file, FallocateFlags::KEEP_SIZE, 0, *length).is_ok()).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: &Path) -> u64 {
    0
}

/// Bytes from which on it pays.
#[cfg(target_os = "linux")]
const LARGE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
        for length in [3 << 20, 2 << 20, 10] {
            write_atomically(&path, &vec![b'x'; length]).unwrap();
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
        fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(write_atomically(&folder.path().join("taken"), b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

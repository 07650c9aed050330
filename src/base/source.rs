//! The files that the user wrote, and places in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Names one file of a [`Sources`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A range of bytes in one file. `start <= end`; an empty range is a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        Span { file, start, end: end.max(start) }
    }

    /// The range that starts at `offset` bytes into this span and is `len` bytes long, clipped to the span.
    pub fn sub(self, offset: usize, len: usize) -> Span {
        let start = (self.start as usize + offset).min(self.end as usize);
        let end = (start + len).min(self.end as usize);
        Span::new(self.file, start, end)
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place as editors count it: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// One file: its path relative to the project's root, with `/` between the parts, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub path: Arc<str>,
    pub text: Arc<str>,
}

impl SourceFile {
    /// The range within the text, widened to whole characters: engines and template languages may count otherwise.
    pub fn characters(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let (mut start, mut end) = (range.start.min(self.text.len()), range.end.min(self.text.len()));
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        start..end.max(start)
    }

    /// Line and column (both from 1) of the byte at `offset`; past the end it is the end.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = self.text.get(..offset).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count()) + 1;
        Position { line: before.matches('\n').count() + 1, column }
    }
}

/// All files that were read, in the order of reading.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    pub fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { path: path.into(), text: text.into() });
        id
    }

    /// # Panics
    /// When `id` was made by another table: ids are only ever made by [`Sources::add`].
    pub fn file(&self, id: FileId) -> &SourceFile {
        match self.files.get(id.0 as usize) {
            Some(file) => file,
            None => panic!("{id:?} belongs to another table of sources"),
        }
    }

    pub fn path(&self, id: FileId) -> &str {
        &self.file(id).path
    }

    /// The text under `span`; empty where the span does not fall on characters.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.range()).unwrap_or("")
    }

    /// The span of the whole file.
    pub fn whole(&self, id: FileId) -> Span {
        Span::new(id, 0, self.file(id).text.len())
    }

    pub fn find(&self, path: &str) -> Option<FileId> {
        let at = self.files.iter().position(|file| &*file.path == path)?;
        Some(FileId(u32::try_from(at).ok()?))
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0u32..).map(FileId).zip(&self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("a.sql", "é x\nselect");
        assert_eq!(sources.file(id).position(0), Position { line: 1, column: 1 });
        assert_eq!(sources.file(id).position(3), Position { line: 1, column: 3 });
        assert_eq!(sources.file(id).position(5), Position { line: 2, column: 1 });
        assert_eq!(sources.file(id).position(999), Position { line: 2, column: 7 });
    }
}

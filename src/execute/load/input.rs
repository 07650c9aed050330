//! From the bytes of a landing file to the text of its records: hashed, decompressed, decoded, without fixed header and
//! trailer lines. One pass, bounded memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::project::{Compression, Landing};

const BLOCK: usize = 128 * 1024;

/// What identifies the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Lower-case hexadecimal.
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// The SHA-256 and length of what was read through it so far.
struct Hashing {
    file: File,
    state: Arc<Mutex<(Sha256, u64)>>,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(buffer.get(..count).unwrap_or(&[]));
        state.1 += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }
}

/// The fingerprint that a [`Hashing`] reader collects.
#[derive(Clone)]
pub(super) struct Seal(Arc<Mutex<(Sha256, u64)>>);

impl Seal {
    /// That of the whole file, once it was read to its end.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sha256 = state.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Fingerprint { sha256, bytes: state.1 }
    }
}

/// Reads the whole file only to know its fingerprint.
pub(super) fn fingerprint(path: &Path) -> io::Result<Fingerprint> {
    let (mut reader, seal) = open_raw(path)?;
    let mut block = vec![0; BLOCK];
    while reader.read(&mut block)? > 0 {}
    Ok(seal.fingerprint())
}

/// The path under which DuckDB can be told of the file: a copy in `scratch` where no pattern stands for the name alone. In a pattern
/// DuckDB takes a backslash for the sign between folders.
pub(super) fn path_for_duckdb(path: &Path, scratch: &Path) -> io::Result<String> {
    let text = path.to_str();
    if let Some(text) = text.filter(|text| !(text.contains('\\') && text.contains(['*', '?', '[']))) {
        return Ok(text.to_owned());
    }
    let copy = scratch.join("landed");
    std::fs::copy(path, &copy)?;
    Ok(copy.to_string_lossy().into_owned())
}

fn open_raw(path: &Path) -> io::Result<(Hashing, Seal)> {
    let state = Arc::new(Mutex::new((Sha256::new(), 0)));
    Ok((Hashing { file: File::open(path)?, state: Arc::clone(&state) }, Seal(state)))
}

pub(super) fn is_gzip(landing: &Landing, path: &Path) -> bool {
    match landing.compression {
        Some(compression) => compression == Compression::Gzip,
        None => path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("gz")),
    }
}

/// The encoding by its label.
///
/// # Errors
/// The sentence for a label that no encoding has.
pub(super) fn encoding(landing: &Landing) -> Result<&'static Encoding, String> {
    Encoding::for_label(landing.encoding.as_bytes()).ok_or_else(|| format!("the encoding '{}' is not known", landing.encoding))
}

/// The file's text as UTF-8 from its first record (or header row) to its last. A byte sequence that the encoding does not
/// have comes through as a byte that UTF-8 does not have, so that its record can be rejected.
pub(super) fn open(path: &Path, landing: &Landing, encoding: &'static Encoding) -> io::Result<(Box<dyn Read>, Seal)> {
    let (raw, seal) = open_raw(path)?;
    let mut reader: Box<dyn Read> = Box::new(raw);
    if is_gzip(landing, path) {
        reader = Box::new(Gzip(MultiGzDecoder::new(BufReader::with_capacity(BLOCK, reader))));
    }
    reader = if encoding == UTF_8 { Box::new(WithoutMark::new(reader)) } else { Box::new(Decoding::new(reader, encoding)) };
    if landing.header_lines > 0 {
        reader = Box::new(WithoutHead { source: reader, lines: landing.header_lines });
    }
    if landing.trailer_lines > 0 {
        reader = Box::new(WithoutTail::new(reader, landing.trailer_lines));
    }
    Ok((reader, seal))
}

/// Says what is wrong in words of the user's file.
struct Gzip<R>(MultiGzDecoder<R>);

impl<R: io::BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the gzip data breaks off: the file is not complete"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(error.kind(), format!("no valid gzip data: {error}"))
            }
            _ => error,
        })
    }
}

/// UTF-8 without its byte order mark.
struct WithoutMark<R> {
    source: R,
    /// The first bytes, until they are handed out.
    head: VecDeque<u8>,
    started: bool,
}

impl<R: Read> WithoutMark<R> {
    fn new(source: R) -> WithoutMark<R> {
        WithoutMark { source, head: VecDeque::new(), started: false }
    }
}

impl<R: Read> Read for WithoutMark<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.started {
            self.started = true;
            let mut head = Vec::new();
            self.source.by_ref().take(3).read_to_end(&mut head)?;
            if head != b"\xEF\xBB\xBF" {
                self.head.extend(head);
            }
        }
        if self.head.is_empty() { self.source.read(buffer) } else { self.head.read(buffer) }
    }
}

/// Any encoding to UTF-8.
struct Decoding<R> {
    source: R,
    decoder: Decoder,
    input: Vec<u8>,
    /// What of `input` is not yet decoded.
    pending: (usize, usize),
    ended: bool,
    output: Vec<u8>,
    given: usize,
}

/// No UTF-8 text holds this byte.
const NOT_UTF8: u8 = 0xFF;

impl<R: Read> Decoding<R> {
    fn new(source: R, encoding: &'static Encoding) -> Decoding<R> {
        let decoder = encoding.new_decoder_with_bom_removal();
        Decoding { source, decoder, input: vec![0; BLOCK], pending: (0, 0), ended: false, output: Vec::new(), given: 0 }
    }

    /// Decodes the next block into `output`; leaves it empty at the end.
    fn decode_block(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() && !(self.ended && self.pending.0 == self.pending.1) {
            if self.pending.0 == self.pending.1 {
                let count = self.source.read(&mut self.input)?;
                self.pending = (0, count);
                self.ended = count == 0;
            }
            self.decode_pending();
            if self.ended {
                self.pending = (0, 0);
            }
        }
        Ok(())
    }

    fn decode_pending(&mut self) {
        loop {
            let input = self.input.get(self.pending.0..self.pending.1).unwrap_or(&[]);
            let room = self.decoder.max_utf8_buffer_length_without_replacement(input.len()).unwrap_or(4 * BLOCK).max(16);
            let start = self.output.len();
            self.output.resize(start + room, 0);
            let space = self.output.get_mut(start..).unwrap_or(&mut []);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, space, self.ended);
            self.output.truncate(start + written);
            self.pending.0 += read;
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.output.push(NOT_UTF8),
            }
        }
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() {
            self.decode_block()?;
        }
        let mut rest = self.output.get(self.given..).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

/// Leaves out the first `lines` lines.
struct WithoutHead<R> {
    source: R,
    lines: usize,
}

impl<R: Read> Read for WithoutHead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.source.read(buffer)?;
            let mut start = 0;
            while self.lines > 0
                && let Some(offset) = memchr::memchr(b'\n', buffer.get(start..count).unwrap_or(&[]))
            {
                start += offset + 1;
                self.lines -= 1;
            }
            if self.lines == 0 {
                buffer.copy_within(start..count, 0);
                if start < count || count == 0 {
                    return Ok(count - start);
                }
            } else if count == 0 {
                return Ok(0);
            }
        }
    }
}

/// Leaves out the last `lines` lines; blank lines at the very end do not count.
struct WithoutTail<R> {
    source: R,
    lines: usize,
    held: Vec<u8>,
    /// How much of `held` is certainly no trailer, and how much of that was given.
    free: usize,
    given: usize,
    ended: bool,
}

impl<R: Read> WithoutTail<R> {
    fn new(source: R, lines: usize) -> WithoutTail<R> {
        WithoutTail { source, lines, held: Vec::new(), free: 0, given: 0, ended: false }
    }

    fn read_block(&mut self) -> io::Result<()> {
        self.held.drain(..self.given);
        self.free -= self.given;
        self.given = 0;
        let before = self.held.len();
        self.held.resize(before + BLOCK, 0);
        let count = self.source.read(self.held.get_mut(before..).unwrap_or(&mut []))?;
        self.held.truncate(before + count);
        self.ended = count == 0;
        self.free = start_of_last_lines(&self.held, self.lines);
        Ok(())
    }
}

/// Where the last `lines` lines start that are not blank lines at the end. What stands before is final even when more text
/// comes: more lines only move the place on.
fn start_of_last_lines(text: &[u8], lines: usize) -> usize {
    let mut end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    for _ in 0..lines {
        match memchr::memrchr(b'\n', text.get(..end).unwrap_or(&[])) {
            Some(at) => end = at,
            None => return 0,
        }
    }
    end + 1
}

impl<R: Read> Read for WithoutTail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.free && !self.ended {
            self.read_block()?;
        }
        let mut rest = self.held.get(self.given..self.free).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time.
    struct Trickle(VecDeque<u8>);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(5);
            self.0.read(&mut buffer[..count])
        }
    }

    fn trickle(bytes: &[u8]) -> Trickle {
        Trickle(bytes.iter().copied().collect())
    }

    fn text(mut reader: impl Read) -> Vec<u8> {
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        found
    }

    #[test]
    fn fixed_lines_are_left_out() {
        for (given, head, tail, expected) in [
            ("a\nb\nc\n", 1, 0, "b\nc\n"),
            ("a\nb\nc\n", 0, 1, "a\nb\n"),
            ("a\nb\nc", 0, 2, "a\n"),
            ("header line\r\nrow one\r\nrow two\r\nTRAILER;2\r\n\r\n\n", 1, 1, "row one\r\nrow two\r\n"),
            ("a\nb\n", 3, 0, ""),
            ("a\nb\n", 0, 3, ""),
            ("a\nb\n", 1, 1, ""),
            ("a\n\n\nz", 0, 1, "a\n\n\n"),
        ] {
            let reader = WithoutTail::new(WithoutHead { source: trickle(given.as_bytes()), lines: head }, tail);
            let found = if tail == 0 { text(WithoutHead { source: trickle(given.as_bytes()), lines: head }) } else { text(reader) };
            assert_eq!(String::from_utf8_lossy(&found), expected, "{given:?} {head} {tail}");
        }
    }

    #[test]
    fn decodes_and_marks_what_the_encoding_does_not_have() {
        let decoded = |label: &str, bytes: &[u8]| text(Decoding::new(trickle(bytes), Encoding::for_label(label.as_bytes()).unwrap()));
        assert_eq!(decoded("windows-1252", b"caf\xE9 \x80 and more than five"), "café € and more than five".as_bytes());
        assert_eq!(decoded("utf-16le", b"\xFF\xFEa\0\xE9\0\n\0"), "aé\n".as_bytes());
        assert_eq!(decoded("shift_jis", b"ab\x81\xFFcd"), b"ab\xFFcd");
        assert_eq!(decoded("utf-16le", b"a\0\x00"), b"a\xFF");
        assert_eq!(text(WithoutMark::new(trickle(b"\xEF\xBB\xBFabc"))), b"abc");
        assert_eq!(text(WithoutMark::new(trickle(b"ab"))), b"ab");
    }

    #[test]
    fn the_seal_covers_the_bytes_as_they_lie_on_disk() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv.gz");
        let mut members = Vec::new();
        for part in ["a,b\n", "1,2\n"] {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(part.as_bytes()).unwrap();
            members.extend(encoder.finish().unwrap());
        }
        std::fs::write(&path, &members).unwrap();
        let landing = crate::execute::load::tests::landing();
        let (reader, seal) = open(&path, &landing, UTF_8).unwrap();
        assert_eq!(text(reader), b"a,b\n1,2\n");
        assert_eq!(seal.fingerprint(), fingerprint(&path).unwrap());
        assert_eq!(seal.fingerprint().bytes, u64::try_from(members.len()).unwrap());
        std::fs::write(&path, &members[..members.len() - 3]).unwrap();
        let (mut reader, _) = open(&path, &landing, UTF_8).unwrap();
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("breaks off"), "{error}");
    }
}

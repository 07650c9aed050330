//! Delimited text, record by record, strictly by RFC 4180: a value is quoted as a whole or not at all, a quote inside is
//! doubled. A record that breaks the rules is handed out as broken and reading goes on with the next line.

use std::io::{self, Read};

/// How values are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Punctuation {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
}

/// A longer record is taken for a quote that is never closed.
const LONGEST_RECORD: usize = 16 * 1024 * 1024;
const FIRST_BUFFER: usize = 256 * 1024;

pub(super) const NEVER_CLOSED: &str = "a quote is opened and never closed";
const AFTER_QUOTE: &str = "a closing quote is followed by more text (a quote inside a quoted value must be doubled)";
const INSIDE: &str = "a quote stands inside a value that is not quoted (set 'quote' of the landing to none when the file does not quote)";
const TOO_LONG: &str = "the line is longer than 16 MiB";

/// Where a value lies in its record, without its quotes.
#[derive(Clone, Copy, Debug)]
struct Field {
    start: usize,
    end: usize,
    quoted: bool,
    /// Whether it holds doubled quotes.
    doubled: bool,
}

/// A record: the physical line (from 1) that it starts on, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) line: u64,
    pub(super) broken: Option<&'static str>,
}

/// Reads records from UTF-8 or any text in which the punctuation is ASCII. Blank lines are skipped.
pub(super) struct CsvReader<R> {
    source: R,
    punctuation: Punctuation,
    buffer: Vec<u8>,
    /// The current record is `record.0..record.1`; what is not yet read begins at `next`.
    record: (usize, usize),
    next: usize,
    filled: usize,
    ended: bool,
    line: u64,
    fields: Vec<Field>,
    spans_lines: bool,
}

enum Scan {
    /// A record that ends before the first offset; the next one starts at the second. Both from the start of the record.
    Record(usize, usize),
    Broken(&'static str, usize),
    NeedsMore,
}

impl<R: Read> CsvReader<R> {
    /// `line` is the number of the first line that `source` gives.
    pub(super) fn new(source: R, punctuation: Punctuation, line: u64) -> CsvReader<R> {
        CsvReader {
            source,
            punctuation,
            buffer: vec![0; FIRST_BUFFER],
            record: (0, 0),
            next: 0,
            filled: 0,
            ended: false,
            line,
            fields: Vec::new(),
            spans_lines: false,
        }
    }

    /// Moves to the next record; `None` at the end.
    pub(super) fn advance(&mut self) -> io::Result<Option<Head>> {
        loop {
            self.skip_blank_lines();
            let line = self.line;
            match self.scan() {
                Scan::Record(0, 0) if self.ended => return Ok(None),
                Scan::Record(end, next) => {
                    self.take(end, next);
                    return Ok(Some(Head { line, broken: None }));
                }
                Scan::Broken(reason, from) => {
                    if self.take_line(from) {
                        return Ok(Some(Head { line, broken: Some(reason) }));
                    }
                }
                Scan::NeedsMore => {}
            }
            if self.filled - self.next >= LONGEST_RECORD {
                return self.give_up(line).map(Some);
            }
            self.fill()?;
        }
    }

    /// The record as it stands in the file, without its line end.
    pub(super) fn raw(&self) -> &[u8] {
        self.buffer.get(self.record.0..self.record.1).unwrap_or(&[])
    }

    /// How many values the record has.
    pub(super) fn width(&self) -> usize {
        self.fields.len()
    }

    /// Whether the value at `index` stands in quotes.
    pub(super) fn is_quoted(&self, index: usize) -> bool {
        self.fields.get(index).is_some_and(|field| field.quoted)
    }

    /// Whether a value of the record holds a line end.
    pub(super) fn spans_lines(&self) -> bool {
        self.spans_lines
    }

    /// The value at `index`; empty when the record has fewer. `scratch` holds it where quotes had to be undoubled.
    pub(super) fn value<'a>(&'a self, index: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let Some(field) = self.fields.get(index) else { return &[] };
        let value = self.buffer.get(self.record.0 + field.start..self.record.0 + field.end).unwrap_or(&[]);
        let Some(quote) = self.punctuation.quote.filter(|_| field.doubled) else { return value };
        scratch.clear();
        let mut rest = value;
        while let Some(at) = memchr::memchr(quote, rest) {
            scratch.extend_from_slice(rest.get(..=at).unwrap_or(rest));
            rest = rest.get(at + 2..).unwrap_or(&[]);
        }
        scratch.extend_from_slice(rest);
        scratch
    }

    fn skip_blank_lines(&mut self) {
        loop {
            match self.buffer.get(self.next..self.filled) {
                Some([b'\n', ..]) => self.next += 1,
                Some([b'\r', b'\n', ..]) => self.next += 2,
                Some([b'\r']) if self.ended => self.next += 1,
                _ => return,
            }
            self.line += 1;
        }
    }

    /// Finds the fields of the record at `next`.
    fn scan(&mut self) -> Scan {
        let Punctuation { delimiter, quote } = self.punctuation;
        let data = self.buffer.get(self.next..self.filled).unwrap_or(&[]);
        self.fields.clear();
        self.spans_lines = false;
        let mut at = 0;
        loop {
            let rest = data.get(at..).unwrap_or(&[]);
            if quote.is_some() && rest.first().copied() == quote {
                match quoted_field(rest, self.punctuation, self.ended) {
                    Quoted::Field { end, doubled, after, last } => {
                        let inside = rest.get(1..end).unwrap_or(&[]);
                        self.spans_lines |= memchr::memchr(b'\n', inside).is_some();
                        self.fields.push(Field { start: at + 1, end: at + end, quoted: true, doubled });
                        if last {
                            return Scan::Record(at + end + 1, at + after);
                        }
                        at += after;
                    }
                    Quoted::NeverClosed => return Scan::Broken(NEVER_CLOSED, 0),
                    Quoted::TextBehind(offset) => return Scan::Broken(AFTER_QUOTE, at + offset),
                    Quoted::NeedsMore => return Scan::NeedsMore,
                }
                continue;
            }
            let found = memchr::memchr3(delimiter, b'\n', quote.unwrap_or(b'\n'), rest);
            match found.and_then(|offset| Some((offset, *rest.get(offset)?))) {
                Some((offset, b'\n')) => {
                    let end = at + offset - usize::from(offset > 0 && rest.get(offset - 1) == Some(&b'\r'));
                    self.fields.push(Field { start: at, end, quoted: false, doubled: false });
                    return Scan::Record(end, at + offset + 1);
                }
                Some((offset, byte)) if byte == delimiter => {
                    self.fields.push(Field { start: at, end: at + offset, quoted: false, doubled: false });
                    at += offset + 1;
                }
                Some((offset, _)) => return Scan::Broken(INSIDE, at + offset),
                None if !self.ended => return Scan::NeedsMore,
                None => {
                    let end = data.len() - usize::from(rest.last() == Some(&b'\r'));
                    self.fields.push(Field { start: at, end, quoted: false, doubled: false });
                    return Scan::Record(end, data.len());
                }
            }
        }
    }

    fn take(&mut self, end: usize, next: usize) {
        self.record = (self.next, self.next + end);
        let lines = if self.spans_lines { memchr::memchr_iter(b'\n', self.raw()).count() } else { 0 };
        self.line += 1 + u64::try_from(lines).unwrap_or(0);
        self.next += next;
    }

    /// Takes everything to the first line end at or behind `from`, when it is in the buffer.
    fn take_line(&mut self, from: usize) -> bool {
        let data = self.buffer.get(self.next..self.filled).unwrap_or(&[]);
        let end = match memchr::memchr(b'\n', data.get(from..).unwrap_or(&[])) {
            Some(offset) => from + offset,
            None if self.ended => data.len(),
            None => return false,
        };
        self.spans_lines = true;
        let next = (end + 1).min(data.len());
        let carriage = usize::from(end > 0 && data.get(end - 1) == Some(&b'\r'));
        self.take(end - carriage, next);
        true
    }

    /// The buffer is at its greatest and holds no whole record: an unclosed quote costs its line only, a line without end
    /// is skipped.
    fn give_up(&mut self, line: u64) -> io::Result<Head> {
        if self.take_line(0) {
            return Ok(Head { line, broken: Some(NEVER_CLOSED) });
        }
        self.record = (self.next, (self.next + 4096).min(self.filled));
        let shown = self.raw().to_vec();
        loop {
            self.next = self.filled;
            self.fill()?;
            if let Some(offset) = memchr::memchr(b'\n', self.buffer.get(self.next..self.filled).unwrap_or(&[])) {
                self.next += offset + 1;
                break;
            }
            if self.ended {
                self.next = self.filled;
                break;
            }
        }
        // The start of the line stands where `raw` finds it, in front of what is still to be read.
        let rest = self.buffer.get(self.next..self.filled).unwrap_or(&[]).to_vec();
        self.buffer.clear();
        self.buffer.extend_from_slice(&shown);
        self.buffer.extend_from_slice(&rest);
        (self.record, self.next, self.filled) = ((0, shown.len()), shown.len(), self.buffer.len());
        self.buffer.resize(self.filled.max(FIRST_BUFFER), 0);
        self.line += 1;
        Ok(Head { line, broken: Some(TOO_LONG) })
    }

    /// Reads more, behind what is not yet taken.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.next..self.filled, 0);
        self.filled -= self.next;
        self.next = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while let Some(space) = self.buffer.get_mut(self.filled..).filter(|space| !space.is_empty()) {
            match self.source.read(space) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

enum Quoted {
    /// The closing quote is at `end`; the next value (or, when `last`, the next record) starts at `after`.
    Field {
        end: usize,
        doubled: bool,
        after: usize,
        last: bool,
    },
    NeverClosed,
    /// Text follows the closing quote at this offset.
    TextBehind(usize),
    NeedsMore,
}

/// Reads a quoted value from its opening quote.
fn quoted_field(data: &[u8], punctuation: Punctuation, ended: bool) -> Quoted {
    let Some(quote) = punctuation.quote else { return Quoted::NeverClosed };
    let mut from = 1;
    let mut doubled = false;
    loop {
        let Some(offset) = memchr::memchr(quote, data.get(from..).unwrap_or(&[])) else {
            return if ended { Quoted::NeverClosed } else { Quoted::NeedsMore };
        };
        let end = from + offset;
        let field = |after: usize, last: bool| Quoted::Field { end, doubled, after, last };
        return match data.get(end + 1..).unwrap_or(&[]) {
            [next, ..] if *next == quote => {
                doubled = true;
                from = end + 2;
                continue;
            }
            [next, ..] if *next == punctuation.delimiter => field(end + 2, false),
            [b'\n', ..] => field(end + 2, true),
            [b'\r', b'\n', ..] => field(end + 3, true),
            [] | [b'\r'] if !ended => Quoted::NeedsMore,
            [] | [b'\r'] => field(data.len(), true),
            _ => Quoted::TextBehind(end + 1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, so that records cross the reads.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(3).min(self.0.len());
            let (head, tail) = self.0.split_at(count);
            buffer[..count].copy_from_slice(head);
            self.0 = tail;
            Ok(count)
        }
    }

    fn read(text: &str) -> Vec<String> {
        let mut reader = CsvReader::new(Trickle(text.as_bytes()), Punctuation { delimiter: b',', quote: Some(b'"') }, 1);
        reader.buffer = vec![0; 4];
        let mut found = Vec::new();
        let mut scratch = Vec::new();
        while let Some(head) = reader.advance().unwrap() {
            let values: Vec<String> =
                (0..reader.width()).map(|at| String::from_utf8_lossy(reader.value(at, &mut scratch)).into_owned()).collect();
            found.push(match head.broken {
                Some(reason) => format!("{} broken: {} [{}]", head.line, &reason[..16], String::from_utf8_lossy(reader.raw())),
                None => format!("{} {}", head.line, values.join("|")),
            });
        }
        found
    }

    #[test]
    fn splits_records_and_counts_physical_lines() {
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(read("a,b\n1,2\n"), ["1 a|b", "2 1|2"]);
        assert_eq!(read("a,b\r\n1,\r\n,2"), ["1 a|b", "2 1|", "3 |2"]);
        assert_eq!(read("\n\na\r\n\r\nb\n\n"), ["3 a", "5 b"]);
        assert_eq!(read("\"a\"\"b\",\"c\nd\"\r\nx,\"\"\n"), ["1 a\"b|c\nd", "3 x|"]);
        assert_eq!(read("1,\"2\"\r"), ["1 1|2"]);
        assert_eq!(read("\"\"\"\""), ["1 \""]);
        assert_eq!(read(","), ["1 |"]);
    }

    #[test]
    fn goes_on_behind_a_broken_record() {
        assert_eq!(read("1,\"a\"b\n2,c\n"), ["1 broken: a closing quote  [1,\"a\"b]", "2 2|c"]);
        assert_eq!(read("1,a\"b\r\n2,c\n"), ["1 broken: a quote stands i [1,a\"b]", "2 2|c"]);
        assert_eq!(read("0,x\n1,\"a\n2,c\n3,d\n"), ["1 0|x", "2 broken: a quote is opene [1,\"a]", "3 2|c", "4 3|d"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_line_of_a_huge_file() {
        let text = format!("1,\"open\n{}", "2,row\n".repeat(4_000_000));
        let mut reader = CsvReader::new(text.as_bytes(), Punctuation { delimiter: b',', quote: Some(b'"') }, 1);
        assert_eq!(reader.advance().unwrap(), Some(Head { line: 1, broken: Some(NEVER_CLOSED) }));
        let mut rows = 0;
        while let Some(head) = reader.advance().unwrap() {
            assert_eq!(head.broken, None);
            rows += 1;
        }
        assert_eq!(rows, 4_000_000);
        assert!(reader.buffer.len() <= 2 * LONGEST_RECORD);
    }

    #[test]
    fn a_line_without_end_is_skipped() {
        let text = format!("1,{}\n2,row\n", "x".repeat(2 * LONGEST_RECORD));
        let mut reader = CsvReader::new(text.as_bytes(), Punctuation { delimiter: b',', quote: None }, 1);
        assert_eq!(reader.advance().unwrap(), Some(Head { line: 1, broken: Some(TOO_LONG) }));
        assert!(reader.raw().starts_with(b"1,xxx"));
        assert_eq!(reader.advance().unwrap(), Some(Head { line: 2, broken: None }));
        assert_eq!(reader.raw(), b"2,row");
        assert_eq!(reader.advance().unwrap(), None);
    }
}

//! One JSON object a line: cut into its top-level keys and the text of their values, so that numbers keep every digit.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::de::IgnoredAny;

use super::check::json_fault;
use super::columns::LoadColumn;
use super::csv::{CsvReader, Head, Punctuation};
use crate::diag::nearest;
use crate::dialect::ColumnType;

/// Lines as records of one value: nothing else ends a value.
const LINES: Punctuation = Punctuation { delimiter: b'\n', quote: None };

/// Reads objects and binds their keys to the declared columns, letter case ignored.
pub(super) struct NdjsonReader<R> {
    lines: CsvReader<R>,
    columns: Vec<LoadColumn>,
    by_key: BTreeMap<String, usize>,
    /// For each column the place of its value in the line; `None` when the key is missing.
    values: Vec<Option<(usize, usize)>>,
    /// The keys of the line before, in order, and their columns: files mostly repeat them.
    remembered: Vec<(Vec<u8>, usize)>,
}

impl<R: Read> NdjsonReader<R> {
    pub(super) fn new(source: R, columns: &[LoadColumn], line: u64) -> NdjsonReader<R> {
        let by_key = columns.iter().enumerate().map(|(at, column)| (column.name.to_lowercase(), at)).collect();
        NdjsonReader {
            lines: CsvReader::new(source, LINES, line),
            columns: columns.to_vec(),
            by_key,
            values: Vec::new(),
            remembered: Vec::new(),
        }
    }

    /// Moves to the next line; the reason why it cannot be read, if so, in the second place.
    pub(super) fn advance(&mut self) -> io::Result<Option<(Head, Option<String>)>> {
        let Some(head) = self.lines.advance()? else { return Ok(None) };
        let fault = match head.broken {
            Some(reason) => Some(reason.to_owned()),
            None => self.bind().err(),
        };
        Ok(Some((head, fault)))
    }

    pub(super) fn raw(&self) -> &[u8] {
        self.lines.raw()
    }

    /// The text of the column's value; `None` for null and for a missing key.
    pub(super) fn value<'a>(&'a self, column: usize, scratch: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>, String> {
        let Some((start, end)) = self.values.get(column).copied().flatten() else { return Ok(None) };
        let raw = self.lines.raw().get(start..end).unwrap_or(&[]);
        let keeps_json = self.columns.get(column).is_some_and(|column| matches!(column.data_type, ColumnType::Json | ColumnType::Jsonb));
        match raw.first() {
            Some(b'n') => Ok(None),
            Some(b'"') if !keeps_json => string(raw, scratch).map(Some),
            _ => Ok(Some(raw)),
        }
    }

    /// Finds the value of each column in the current line.
    fn bind(&mut self) -> Result<(), String> {
        let line = self.lines.raw();
        if std::str::from_utf8(line).is_err() {
            // The caller says so; an encoding is not a matter of JSON.
            return Ok(());
        }
        serde_json::from_slice::<IgnoredAny>(line).map_err(|error| format!("the line is {}", json_fault(&error)))?;
        if line.trim_ascii_start().first() != Some(&b'{') {
            return Err("the line is not a JSON object".to_owned());
        }
        self.values.clear();
        self.values.resize(self.columns.len(), None);
        for (nth, (key, value)) in members(line).enumerate() {
            let key = line.get(key.0..key.1).unwrap_or(&[]);
            let column = match self.remembered.get(nth) {
                Some((known, column)) if known == key => *column,
                _ => {
                    let column = column_of_key(&self.by_key, key)?;
                    self.remembered.truncate(nth);
                    self.remembered.push((key.to_vec(), column));
                    column
                }
            };
            if let Some(slot) = self.values.get_mut(column)
                && slot.replace(value).is_some()
            {
                return Err(format!("the key {} appears twice", String::from_utf8_lossy(key)));
            }
        }
        Ok(())
    }
}

fn column_of_key(by_key: &BTreeMap<String, usize>, key: &[u8]) -> Result<usize, String> {
    let name: String = serde_json::from_slice(key).map_err(|error| format!("a key is not valid text: {error}"))?;
    by_key.get(&name.to_lowercase()).copied().ok_or_else(|| match nearest(&name, by_key.keys().map(String::as_str)) {
        Some(near) => format!("the key '{name}' is not a declared column; did you mean '{near}'?"),
        None => format!("the key '{name}' is not a declared column"),
    })
}

/// The text of a JSON string.
fn string<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Ok(raw.get(1..raw.len().saturating_sub(1)).unwrap_or(&[]));
    }
    let text: String = serde_json::from_slice(raw).map_err(|error| format!("the text is not valid: {error}"))?;
    *scratch = text.into_bytes();
    Ok(scratch)
}

type Range = (usize, usize);

/// The members of a valid JSON object: the ranges of each key (with its quotes) and value.
fn members(line: &[u8]) -> impl Iterator<Item = (Range, Range)> + '_ {
    let mut at = memchr::memchr(b'{', line).map_or(line.len(), |brace| brace + 1);
    std::iter::from_fn(move || {
        at = skip(line, at, |byte| byte.is_ascii_whitespace() || byte == b',');
        if line.get(at) != Some(&b'"') {
            return None;
        }
        let key = (at, end_of_value(line, at));
        let value_start = skip(line, key.1, |byte| byte.is_ascii_whitespace() || byte == b':');
        let value = (value_start, end_of_value(line, value_start));
        at = value.1;
        Some((key, value))
    })
}

fn skip(line: &[u8], from: usize, is_skipped: impl Fn(u8) -> bool) -> usize {
    let rest = line.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|byte| !is_skipped(*byte)).unwrap_or(rest.len())
}

/// The offset behind the value that starts at `from`.
fn end_of_value(line: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(line, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' | b' ' | b'\t' | b'\r' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn end_of_string(line: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(offset) = memchr::memchr2(b'"', b'\\', line.get(at..).unwrap_or(&[])) {
        at += offset;
        if line.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let columns = ["id bigint", "amount numeric(9,2)", "name text", "extra jsonb"].map(|column| {
            let (name, data_type) = column.split_once(' ').unwrap();
            LoadColumn { name: name.to_owned(), quoted: false, data_type: ColumnType::parse(data_type).unwrap(), personal: false }
        });
        let mut reader = NdjsonReader::new(text.as_bytes(), &columns, 1);
        let mut found = Vec::new();
        while let Some((head, fault)) = reader.advance().unwrap() {
            let mut scratch = Vec::new();
            let mut value = |at: usize| match reader.value(at, &mut scratch) {
                Ok(Some(value)) => String::from_utf8_lossy(value).into_owned(),
                Ok(None) => "NULL".to_owned(),
                Err(reason) => reason,
            };
            found.push(match fault {
                Some(reason) => format!("{} {reason}", head.line),
                None => format!("{} {}", head.line, (0..4).map(&mut value).collect::<Vec<_>>().join("|")),
            });
        }
        found
    }

    #[test]
    fn values_keep_their_digits_and_nested_ones_their_text() {
        assert_eq!(
            read(concat!(
                "{\"id\": 9223372036854775807, \"amount\":12.50,\"name\":\"a \\\"b\\\" \\u00e9\", \"extra\": {\"x\": [1, \"}\"]}}\n",
                "\n",
                "{\"name\":null,\"ID\":\"7\"}\r\n",
                "{\"name\":[1, 2],\"extra\":\"x\" }\n",
                "{}\n",
            )),
            [
                "1 9223372036854775807|12.50|a \"b\" é|{\"x\": [1, \"}\"]}",
                "3 7|NULL|NULL|NULL",
                "4 NULL|NULL|[1, 2]|\"x\"",
                "5 NULL|NULL|NULL|NULL",
            ]
        );
    }

    #[test]
    fn lines_that_are_no_objects_say_why() {
        let found = read("{\"id\": 1,}\n[1]\n{\"id\": 1, \"Id\": 2}\n{\"amout\": 1}\n{\"zzz\": 1}\nx\n");
        assert_eq!(
            found[1..5],
            [
                "2 the line is not a JSON object",
                "3 the key \"Id\" appears twice",
                "4 the key 'amout' is not a declared column; did you mean 'amount'?",
                "5 the key 'zzz' is not a declared column",
            ]
        );
        assert!(found[0].starts_with("1 the line is not valid JSON: key must be a string at column 10"), "{}", found[0]);
        assert!(found[5].starts_with("6 the line is not valid JSON"), "{}", found[5]);
    }
}

//! YAML with places: a small tree built from the events of `saphyr-parser`, read as PyYAML's safe loader reads it.
//!
//! Bounded on hostile input: nesting is limited, aliases may not multiply a file beyond a fixed budget, and nothing recurses
//! while parsing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::yaml_scalar::{plain_scalar, tagged_scalar};
use crate::base::{FileId, Span};
use crate::diag::{Diagnostic, codes};

/// How deep lists and mappings may be nested.
const MAX_DEPTH: usize = 128;
/// How many values all aliases of one file may add up to.
const MAX_ALIASED: usize = 1_000_000;
/// How many equal keys of one mapping are reported.
const MAX_DUPLICATES_TOLD: usize = 10;

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Yaml {
    pub value: YamlValue,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum YamlValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<Entry>),
}

/// One pair of a mapping, in the order of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Yaml,
}

impl Yaml {
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            YamlValue::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Yaml]> {
        match &self.value {
            YamlValue::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            YamlValue::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        self.value == YamlValue::Null
    }

    /// The value of a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        find(self.as_map()?, key).map(|entry| &entry.value)
    }

    /// A text, number or boolean as the text that stands for it in a name; `None` for the rest.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.value {
            YamlValue::Text(text) => Some(text.clone()),
            YamlValue::Int(number) => Some(number.to_string()),
            YamlValue::Float(_) | YamlValue::Bool(_) => Some(super::python::str_of(&self.to_json())),
            YamlValue::Null | YamlValue::List(_) | YamlValue::Map(_) => None,
        }
    }

    /// What it is, in the words of a message.
    pub fn kind(&self) -> &'static str {
        match self.value {
            YamlValue::Null => "empty",
            YamlValue::Bool(_) => "a boolean",
            YamlValue::Int(_) | YamlValue::Float(_) => "a number",
            YamlValue::Text(_) => "a text",
            YamlValue::List(_) => "a list",
            YamlValue::Map(_) => "a mapping",
        }
    }

    pub fn to_json(&self) -> Value {
        match &self.value {
            YamlValue::Null => Value::Null,
            YamlValue::Bool(value) => Value::Bool(*value),
            YamlValue::Int(value) => Value::from(*value),
            // Neither infinity nor NaN is a JSON number; Python prints them as these texts.
            YamlValue::Float(value) => {
                serde_json::Number::from_f64(*value).map_or_else(|| Value::from(value.to_string().to_lowercase()), Value::Number)
            }
            YamlValue::Text(text) => Value::from(text.as_str()),
            YamlValue::List(items) => items.iter().map(Yaml::to_json).collect(),
            YamlValue::Map(entries) => Value::Object(to_json_map(entries)),
        }
    }

    /// A tree in which every value has the same place: what a template rendered to.
    pub fn from_json(value: Value, span: Span) -> Yaml {
        let value = match value {
            Value::Null => YamlValue::Null,
            Value::Bool(value) => YamlValue::Bool(value),
            Value::Number(number) => number
                .as_i64()
                .map(YamlValue::Int)
                .or_else(|| number.as_f64().map(YamlValue::Float))
                .unwrap_or_else(|| YamlValue::Text(number.to_string())),
            Value::String(text) => YamlValue::Text(text),
            Value::Array(items) => YamlValue::List(items.into_iter().map(|item| Yaml::from_json(item, span)).collect()),
            Value::Object(entries) => YamlValue::Map(
                entries.into_iter().map(|(key, value)| Entry { key, key_span: span, value: Yaml::from_json(value, span) }).collect(),
            ),
        };
        Yaml { value, span }
    }

    /// Number of values in the tree, this one included.
    fn size(&self) -> usize {
        match &self.value {
            YamlValue::List(items) => 1 + items.iter().map(Yaml::size).sum::<usize>(),
            YamlValue::Map(entries) => 1 + entries.iter().map(|entry| entry.value.size()).sum::<usize>(),
            _ => 1,
        }
    }

    fn depth(&self) -> usize {
        match &self.value {
            YamlValue::List(items) => 1 + items.iter().map(Yaml::depth).max().unwrap_or(0),
            YamlValue::Map(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// The entry of that key.
pub(super) fn find<'y>(entries: &'y [Entry], key: &str) -> Option<&'y Entry> {
    entries.iter().find(|entry| entry.key == key)
}

pub(super) fn to_json_map(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
}

/// A file that could be read, with what is doubtful about it.
#[derive(Debug)]
pub struct ParsedYaml {
    /// `Null` for an empty file.
    pub root: Yaml,
    pub warnings: Vec<Diagnostic>,
}

/// Reads the one document of a YAML text.
///
/// # Errors
/// `invalid-yaml` at the place where reading stopped.
pub fn parse_yaml(file: FileId, text: &str) -> Result<ParsedYaml, Diagnostic> {
    let shift = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = text.get(shift..).unwrap_or("");
    let mut builder = Builder {
        offsets: Offsets::new(file, text, shift),
        text,
        shift,
        stack: Vec::new(),
        anchors: HashMap::new(),
        aliased: 0,
        root: None,
        documents: 0,
        warnings: Vec::new(),
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, builder.offsets.span(span.start, span.end))?,
            Err(error) => return Err(builder.scan_error(&error)),
        }
    }
    let root = builder.root.unwrap_or(Yaml { value: YamlValue::Null, span: Span::new(file, shift, shift) });
    Ok(ParsedYaml { root, warnings: builder.warnings })
}

/// Turns the parser's offsets, counted in characters, into bytes.
struct Offsets {
    file: FileId,
    /// Bytes cut off in front (a byte order mark).
    shift: usize,
    len: usize,
    /// Byte offset of every character, `None` where each is one byte.
    bytes: Option<Vec<u32>>,
}

impl Offsets {
    fn new(file: FileId, text: &str, shift: usize) -> Offsets {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX)).collect());
        Offsets { file, shift, len: text.len(), bytes }
    }

    fn byte(&self, marker: Marker) -> usize {
        match &self.bytes {
            None => marker.index().min(self.len),
            Some(bytes) => bytes.get(marker.index()).map_or(self.len, |at| *at as usize),
        }
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        Span::new(self.file, self.byte(start) + self.shift, self.byte(end) + self.shift)
    }
}

/// A list or mapping that is not finished.
struct Frame {
    anchor: usize,
    start: Span,
    items: Items,
}

enum Items {
    List(Vec<Yaml>),
    Map {
        entries: Vec<Entry>,
        /// The key whose value comes next.
        key: Option<(String, Span)>,
        /// Values of `<<`, nearest first.
        merged: Vec<Entry>,
    },
}

struct Builder<'t> {
    offsets: Offsets,
    text: &'t str,
    shift: usize,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Yaml>,
    aliased: usize,
    root: Option<Yaml>,
    documents: usize,
    warnings: Vec<Diagnostic>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    1 => Ok(()),
                    _ => Err(invalid("a second YAML document starts here", span).help("keep one document a file: remove the '---' line")),
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(fitted_text(text), style, tag.as_deref(), span)?;
                self.finish(Yaml { value, span }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, span, Items::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.open(anchor, span, Items::Map { entries: Vec::new(), key: None, merged: Vec::new() }),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => {
                let Some(mut value) = self.anchors.get(&anchor).cloned() else {
                    return Err(invalid("this alias stands inside the value that it names", span));
                };
                self.aliased += value.size();
                if self.aliased > MAX_ALIASED || self.stack.len() + value.depth() > MAX_DEPTH {
                    return Err(invalid("the aliases of this file expand to too many values", span));
                }
                value.span = span;
                self.finish(value, 0)
            }
        }
    }

    fn open(&mut self, anchor: usize, start: Span, items: Items) -> Result<(), Diagnostic> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(invalid(&format!("lists and mappings are nested more than {MAX_DEPTH} deep"), start));
        }
        if let Some(Frame { items: Items::Map { key: None, .. }, start: outer, .. }) = self.stack.last() {
            return Err(match self.template_at(*outer) {
                Some(template) => invalid("a template stands outside of quotes", template).help(JINJA_HELP),
                None => invalid("a key is a text, not a list or a mapping", start).help(JINJA_HELP),
            });
        }
        self.stack.push(Frame { anchor, start, items });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Diagnostic> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let (value, first, last) = match frame.items {
            Items::List(items) => {
                let ends = (items.first().map(|item| item.span.start), items.last().map(|item| item.span.end));
                (YamlValue::List(fitted(items)), ends.0, ends.1)
            }
            Items::Map { entries, merged, .. } => {
                let ends = (entries.first().map(|entry| entry.key_span.start), entries.last().map(|entry| entry.value.span.end));
                let entries = self.without_duplicates(entries);
                (YamlValue::Map(fitted(with_merged(entries, merged))), ends.0, ends.1)
            }
        };
        // A block's own end mark lies where the next token starts; a flow's is its bracket.
        let flow = end.end > end.start;
        let start = first.map_or(frame.start.start, |first| first.min(frame.start.start));
        let end = if flow { end.end } else { last.unwrap_or(frame.start.end) };
        let span = Span { file: self.offsets.file, start, end: end.max(start) };
        self.finish(Yaml { value, span }, frame.anchor)
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, value: Yaml, anchor: usize) -> Result<(), Diagnostic> {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match &mut frame.items {
            Items::List(items) => items.push(value),
            Items::Map { entries, key, merged } => match key.take() {
                None => *key = Some(key_text(value, self.text, self.shift)?),
                Some((key, key_span)) if key == "<<" && !is_quoted(self.text, key_span, self.shift) => {
                    merge(merged, value, key_span)?;
                }
                Some((key, key_span)) => entries.push(Entry { key, key_span, value }),
            },
        }
        Ok(())
    }

    /// The last of several equal keys counts, as in PyYAML.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        // Nearly all mappings are small and have no key twice: those are told without a table.
        let repeats = |(at, entry): (usize, &Entry)| entries.iter().take(at).any(|other| other.key == entry.key);
        if entries.len() < 12 && !entries.iter().enumerate().any(repeats) {
            return entries;
        }
        let mut last: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        let mut dropped = vec![false; entries.len()];
        let mut told = 0;
        for (at, second) in entries.iter().enumerate() {
            let Some(earlier) = last.insert(&second.key, at) else { continue };
            if let (Some(first), Some(drop)) = (entries.get(earlier), dropped.get_mut(earlier)) {
                *drop = true;
                told += 1;
                if told <= MAX_DUPLICATES_TOLD {
                    self.warnings.push(duplicate_key(first, second));
                }
            }
        }
        if told == 0 {
            return entries;
        }
        entries.into_iter().zip(dropped).filter(|(_, drop)| !drop).map(|(entry, _)| entry).collect()
    }

    /// The `{{ … }}` that YAML takes for two mappings, up to the end of its line.
    fn template_at(&self, mapping: Span) -> Option<Span> {
        let rest = self.text.get(mapping.start as usize - self.shift..).filter(|rest| rest.starts_with("{{"))?;
        let line = rest.lines().next()?;
        let len = line.find("}}").map_or(line.len(), |at| at + 2);
        Some(Span::new(mapping.file, mapping.start as usize, mapping.start as usize + len))
    }

    fn scan_error(&self, error: &ScanError) -> Diagnostic {
        let at = self.offsets.byte(*error.marker());
        let span = Span::new(self.offsets.file, at + self.shift, at + self.shift);
        let line_start = self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let line = self.text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let diagnostic = invalid(&format!("this is not YAML: {}", error.info()), span);
        match scan_help(line, error.info()) {
            Some(help) => diagnostic.help(help),
            None => diagnostic.help("check the indentation and the quotes of this line and of the one before it"),
        }
    }
}

const JINJA_HELP: &str = "put quotes around a value that starts with '{{' or '{%'";

fn scan_help(line: &str, info: &str) -> Option<&'static str> {
    let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or("");
    let value = line.split_once(": ").map_or("", |(_, value)| value.trim_start());
    if indent.contains('\t') || line.starts_with('\t') {
        Some("indent with spaces: YAML does not allow tabs")
    } else if value.starts_with("{{") || value.starts_with("{%") {
        Some(JINJA_HELP)
    } else if value.starts_with(['@', '`', '%', '*', '&', '!']) {
        Some("put quotes around a value that starts with a sign that YAML uses itself")
    } else if info.contains("mapping values are not allowed") {
        Some("put quotes around a text that holds ': '")
    } else {
        None
    }
}

fn invalid(message: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&codes::INVALID_YAML, message).at(span)
}

/// The text in no more room than it needs. The trees of all files are in memory at once, and most of their room would be left
/// from growing.
fn fitted_text(text: Cow<'_, str>) -> String {
    match text {
        Cow::Owned(text) if text.capacity() == text.len() => text,
        text => (*text).to_owned(),
    }
}

/// As [`fitted_text`]. Giving room back in place would leave up to half of it with the allocator.
fn fitted<T>(items: Vec<T>) -> Vec<T> {
    if items.capacity() == items.len() {
        return items;
    }
    let mut exact = Vec::with_capacity(items.len());
    exact.extend(items);
    exact
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<YamlValue, Diagnostic> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() => {
            tagged_scalar(text, &tag.suffix).map_err(|kind| invalid(&format!("this value is not {kind}, which its tag says"), span))
        }
        Some(tag) if !(tag.handle.is_empty() && tag.suffix == "!") => {
            Err(invalid(&format!("the tag '{tag}' means nothing here"), span).help("remove the tag, or put quotes around the value"))
        }
        _ if style == ScalarStyle::Plain => Ok(plain_scalar(text)),
        _ => Ok(YamlValue::Text(text)),
    }
}

/// A key as it is written: `on:` and `1:` are the texts `on` and `1`.
fn key_text(key: Yaml, text: &str, shift: usize) -> Result<(String, Span), Diagnostic> {
    let written = || text.get(key.span.start as usize - shift..key.span.end as usize - shift).unwrap_or("").trim().to_owned();
    match key.value {
        YamlValue::Text(text) => Ok((text, key.span)),
        YamlValue::Null | YamlValue::Bool(_) | YamlValue::Int(_) | YamlValue::Float(_) => Ok((written(), key.span)),
        YamlValue::List(_) | YamlValue::Map(_) => Err(invalid("a key is a text, not a list or a mapping", key.span).help(JINJA_HELP)),
    }
}

fn is_quoted(text: &str, key: Span, shift: usize) -> bool {
    text.get(key.start as usize - shift..).is_some_and(|rest| rest.starts_with(['"', '\'']))
}

/// Collects the pairs of a `<<` value: a mapping, or a list of mappings of which the first wins.
fn merge(merged: &mut Vec<Entry>, value: Yaml, key_span: Span) -> Result<(), Diagnostic> {
    let maps = match value.value {
        YamlValue::Map(entries) => vec![entries],
        YamlValue::List(items) => items
            .into_iter()
            .map(|item| match item.value {
                YamlValue::Map(entries) => Ok(entries),
                _ => Err(invalid("'<<' merges mappings, and this is none", item.span)),
            })
            .collect::<Result<Vec<_>, _>>()?,
        YamlValue::Null => Vec::new(),
        _ => return Err(invalid("'<<' merges mappings, and its value is none", key_span)),
    };
    merged.extend(maps.into_iter().flatten());
    Ok(())
}

/// Merged pairs come first; a key written in the mapping itself wins over them, and the first of several merged ones.
fn with_merged(entries: Vec<Entry>, merged: Vec<Entry>) -> Vec<Entry> {
    if merged.is_empty() {
        return entries;
    }
    let mut seen: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let mut all: Vec<Entry> = merged.into_iter().filter(|entry| seen.insert(entry.key.clone())).collect();
    all.extend(entries);
    all
}

fn duplicate_key(first: &Entry, second: &Entry) -> Diagnostic {
    Diagnostic::new(&codes::DUPLICATE_KEY, format!("the key '{}' is written twice in one mapping", second.key))
        .labelled(second.key_span, "this one counts")
        .also(first.key_span, "this one is ignored")
        .help("remove one of them")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Sources;

    fn parse(text: &str) -> Result<ParsedYaml, Diagnostic> {
        parse_yaml(FileId(0), text)
    }

    fn value(text: &str) -> Value {
        parse(text).unwrap().root.to_json()
    }

    /// Every value of the tree as `path=the text under its span`.
    fn spans(text: &str) -> Vec<String> {
        fn walk(yaml: &Yaml, path: &str, text: &str, out: &mut Vec<String>) {
            out.push(format!("{path}={}", &text[yaml.span.range()]));
            for (at, item) in yaml.as_list().into_iter().flatten().enumerate() {
                walk(item, &format!("{path}[{at}]"), text, out);
            }
            for entry in yaml.as_map().into_iter().flatten() {
                assert!(text[entry.key_span.range()].contains(&entry.key));
                walk(&entry.value, &format!("{path}.{}", entry.key), text, out);
            }
        }
        let mut out = Vec::new();
        walk(&parse(text).unwrap().root, "", text, &mut out);
        out
    }

    /// `line:column message`, then the helps.
    fn error(text: &str) -> Vec<String> {
        let problem = parse(text).unwrap_err();
        let mut sources = Sources::default();
        let file = sources.add("x.yml", text);
        let position = sources.file(file).position(problem.primary.as_ref().unwrap().span.start as usize);
        let mut lines = vec![format!("{}:{} {}", position.line, position.column, problem.message)];
        lines.extend(problem.help);
        lines
    }

    #[test]
    fn values() {
        let cases = [
            ("", json!(null)),
            ("# only a comment\n", json!(null)),
            ("a: 1\nb: [x, 'y', \"z\\n\"]\nc:\n", json!({"a": 1, "b": ["x", "y", "z\n"], "c": null})),
            ("a: yes\nyes: a\n1: b\n'on': c", json!({"a": true, "yes": "a", "1": "b", "on": "c"})),
            ("a: 'yes'\nb: !!str 12\nc: \"1\"", json!({"a": "yes", "b": "12", "c": "1"})),
            ("a: |\n  one\n   two\n\nb: >-\n  x\n  y\n", json!({"a": "one\n two\n", "b": "x y"})),
            ("- a\n-\n  - b\n- {c: d}", json!(["a", ["b"], {"c": "d"}])),
            ("---\na: 1\n...\n", json!({"a": 1})),
            ("\u{feff}a: 1", json!({"a": 1})),
            (
                "x: &x {a: 1, b: 2}\ny: *x\nz: {<<: *x, b: 3, c: 4}",
                json!({"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 2}, "z": {"a": 1, "b": 3, "c": 4}}),
            ),
            (
                "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}\nq: {'<<': 1}",
                json!({"x": {"a": 1}, "y": {"a": 2, "b": 2}, "z": {"a": 1, "b": 2}, "q": {"<<": 1}}),
            ),
            ("a: 1\nb: 2\na: 3", json!({"b": 2, "a": 3})),
            ("a: .inf", json!({"a": "inf"})),
            ("a: x # comment\nb: 'it''s'", json!({"a": "x", "b": "it's"})),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn spans_are_exact_bytes() {
        let text = "é: ü\nlist:\n  - one\n  - 'two'\nmap: {a: [1, 2]}\nempty:\nblock: |\n  x\nlast: end\n";
        assert_eq!(
            spans(text),
            [
                format!("={}", text.trim_end()),
                ".é=ü".to_owned(),
                ".list=- one\n  - 'two'".to_owned(),
                ".list[0]=one".to_owned(),
                ".list[1]='two'".to_owned(),
                ".map={a: [1, 2]}".to_owned(),
                ".map.a=[1, 2]".to_owned(),
                ".map.a[0]=1".to_owned(),
                ".map.a[1]=2".to_owned(),
                ".empty=".to_owned(),
                ".block=x\n".to_owned(),
                ".last=end".to_owned(),
            ]
        );
        assert_eq!(spans("\u{feff}a: b"), ["=a: b", ".a=b"]);
    }

    #[test]
    fn errors_point_and_help() {
        let cases: [(&str, &[&str]); 13] = [
            ("a: {{ x }}\n", &["1:4 a template stands outside of quotes", JINJA_HELP]),
            ("a: {{ x }} and more\n", &["1:4 a template stands outside of quotes", JINJA_HELP]),
            (
                "a: b: c\n",
                &["1:5 this is not YAML: mapping values are not allowed in this context", "put quotes around a text that holds ': '"],
            ),
            (
                "a:\n\tb: 1\n",
                &[
                    "2:2 this is not YAML: tabs disallowed within this context (block indentation)",
                    "indent with spaces: YAML does not allow tabs",
                ],
            ),
            (
                "a: @x\n",
                &[
                    "1:4 this is not YAML: unexpected character: `@'",
                    "put quotes around a value that starts with a sign that YAML uses itself",
                ],
            ),
            (
                "a: 'open\nb: 1\n",
                &[
                    "1:4 this is not YAML: invalid indentation in quoted scalar",
                    "check the indentation and the quotes of this line and of the one before it",
                ],
            ),
            (
                "a:\n  - x\n - y\n",
                &[
                    "3:2 this is not YAML: while parsing a block mapping, did not find expected key",
                    "check the indentation and the quotes of this line and of the one before it",
                ],
            ),
            ("a: 1\n---\nb: 2\n", &["2:1 a second YAML document starts here", "keep one document a file: remove the '---' line"]),
            ("a: &x [*x]", &["1:8 this alias stands inside the value that it names"]),
            (
                "a: *nope",
                &[
                    "1:4 this is not YAML: while parsing node, found unknown anchor",
                    "put quotes around a value that starts with a sign that YAML uses itself",
                ],
            ),
            ("a: !!int x", &["1:4 this value is not an integer, which its tag says"]),
            ("a: !vault x", &["1:4 the tag '!vault' means nothing here", "remove the tag, or put quotes around the value"]),
            ("a:\n  <<: 1\n", &["2:3 '<<' merges mappings, and its value is none"]),
        ];
        for (text, expected) in cases {
            assert_eq!(error(text), expected, "{text}");
        }
    }

    #[test]
    fn hostile_input_ends_soon() {
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err());
        let deep: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert_eq!(parse(&deep).unwrap_err().message, "lists and mappings are nested more than 128 deep");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..40 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert_eq!(parse(&bomb).unwrap_err().message, "the aliases of this file expand to too many values");
        let keys: String = (0..20_000).map(|key| format!("k{key}: 1\n")).collect();
        assert_eq!(parse(&keys).unwrap().root.as_map().unwrap().len(), 20_000);
        let same = parse(&"k: 1\n".repeat(20_000)).unwrap();
        assert_eq!((same.root.as_map().unwrap().len(), same.warnings.len()), (1, MAX_DUPLICATES_TOLD));
    }

    #[test]
    fn duplicate_keys_are_told() {
        let text = "a: 1\nb: 2\na: 3\n";
        let parsed = parse(text).unwrap();
        let [warning] = parsed.warnings.as_slice() else { panic!("{:?}", parsed.warnings) };
        assert_eq!(warning.code.name, "duplicate-key");
        assert_eq!(warning.primary.as_ref().unwrap().span.range(), 10..11);
        assert_eq!(warning.secondary[0].span.range(), 0..1);
    }
}

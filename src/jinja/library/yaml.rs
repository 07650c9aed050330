//! YAML as PyYAML reads and writes it.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use crate::base::FileId;
use crate::jinja::python::{float_text, items, named, printed};
use crate::jinja::values::{from_json, operation};
use crate::project::parse_yaml;

const MAX_DEPTH: usize = 100;
/// Longer lines are folded at blanks.
const WIDTH: usize = 80;

/// The value of a document; `None` when it cannot be read.
pub(super) fn parsed(text: &str) -> Option<Value> {
    let parsed = parse_yaml(FileId(0), text).ok()?;
    Some(from_json(&parsed.root.to_json()))
}

/// # Errors
/// For values that YAML's plain schema has no form for.
pub(super) fn yaml_text(value: &Value, sort_keys: bool) -> Result<String, Error> {
    let mut out = String::new();
    let writer = Writer { sort_keys };
    if is_block(value) {
        writer.block(&mut out, value, 0, 0)?;
        return Ok(out);
    }
    let scalar = writer.scalar(value, 0)?;
    out.push_str(&scalar);
    let plain = !scalar.starts_with(['\'', '"', '{', '[']);
    out.push_str(if plain { "\n...\n" } else { "\n" });
    Ok(out)
}

struct Writer {
    sort_keys: bool,
}

/// Whether a value is written over lines of its own.
fn is_block(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Seq => value.len() != Some(0),
        ValueKind::Map => value.len().is_some_and(|len| len > 0),
        _ => false,
    }
}

impl Writer {
    /// Writes a collection whose first line may already have its indent.
    fn block(&self, out: &mut String, value: &Value, indent: usize, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(operation("the value is nested too deeply for YAML"));
        }
        let blanks = " ".repeat(indent);
        if value.kind() == ValueKind::Seq {
            for (index, item) in items(value)?.iter().enumerate() {
                if index > 0 {
                    out.push_str(&blanks);
                }
                out.push_str("- ");
                if is_block(item) {
                    self.block(out, item, indent + 2, depth + 1)?;
                } else {
                    out.push_str(&self.scalar(item, indent + 2)?);
                    out.push('\n');
                }
            }
            return Ok(());
        }
        let mut keys = items(value)?;
        if self.sort_keys {
            keys.sort();
        }
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                out.push_str(&blanks);
            }
            out.push_str(&self.scalar(key, indent)?);
            out.push(':');
            let item = value.get_item(key)?;
            if !is_block(&item) {
                out.push(' ');
                out.push_str(&self.scalar(&item, indent + 2)?);
                out.push('\n');
            } else if item.kind() == ValueKind::Seq {
                // Lists are not indented below their key.
                out.push('\n');
                out.push_str(&blanks);
                self.block(out, &item, indent, depth + 1)?;
            } else {
                out.push('\n');
                out.push_str(&" ".repeat(indent + 2));
                self.block(out, &item, indent + 2, depth + 1)?;
            }
        }
        Ok(())
    }

    fn scalar(&self, value: &Value, indent: usize) -> Result<String, Error> {
        Ok(match value.kind() {
            ValueKind::None => "null".to_owned(),
            ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
            ValueKind::Number if value.is_integer() => printed(value),
            ValueKind::Number => float(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
            ValueKind::String => text(value.as_str().unwrap_or_default(), indent),
            ValueKind::Seq => "[]".to_owned(),
            ValueKind::Map if value.len().is_some() => "{}".to_owned(),
            _ => return Err(operation(format!("{} cannot be written as YAML", named(value)))),
        })
    }
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = float_text(value);
    // PyYAML reads a number with an exponent only behind a point.
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

fn text(held: &str, indent: usize) -> String {
    let special = |c: char| (c < ' ' && c != '\n') || c == '\u{7f}' || !c.is_ascii();
    if held.chars().any(special) || held.lines().any(|line| line.starts_with(' ') && held.contains('\n')) {
        return double_quoted(held);
    }
    if !held.is_empty() && is_plain(held) {
        return folded(held, indent);
    }
    single_quoted(held, indent)
}

/// Whether a text can stand without quotes and is read back as a text.
fn is_plain(held: &str) -> bool {
    let first = held.chars().next().unwrap_or(' ');
    let indicator = matches!(first, '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`');
    let second_blank = held.chars().nth(1).is_none_or(char::is_whitespace);
    let dashed = matches!(first, '?' | '-' | ':') && second_blank;
    let marks = held.starts_with("---") || held.starts_with("...");
    let inside = held.contains(": ") || held.contains(" #") || held.ends_with(':') || held.contains('\n');
    let blanks = held.starts_with(' ') || held.ends_with(' ') || held == "=" || held == "<<";
    let is_text = parse_yaml(FileId(0), held).is_ok_and(|parsed| parsed.root.to_json() == serde_json::Value::String(held.to_owned()));
    !(indicator || dashed || marks || inside || blanks) && is_text && !looks_like_a_date(held)
}

fn looks_like_a_date(held: &str) -> bool {
    let shape: String = held.chars().take(10).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    shape == "9999-99-99"
}

/// Breaks at a blank once the line is full.
fn folded(held: &str, indent: usize) -> String {
    let mut out = String::with_capacity(held.len());
    let mut column = indent;
    for (index, word) in held.split(' ').enumerate() {
        if index > 0 {
            if column > WIDTH && !word.is_empty() && !out.ends_with(' ') {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += word.chars().count();
    }
    out
}

fn single_quoted(held: &str, indent: usize) -> String {
    let lines: Vec<String> = held.replace('\'', "''").split('\n').map(|line| folded(line, indent)).collect();
    // A line break is written as an empty line.
    let joint = format!("\n\n{}", " ".repeat(indent));
    format!("'{}'", lines.join(&joint))
}

fn double_quoted(held: &str) -> String {
    let mut out = String::from("\"");
    for c in held.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            ' '..='~' => out.push(c),
            c if (c as u32) <= 0xff => out.push_str(&format!("\\x{:02X}", c as u32)),
            c if (c as u32) <= 0xffff => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push_str(&format!("\\U{:08X}", c as u32)),
        }
    }
    out.push('"');
    out
}

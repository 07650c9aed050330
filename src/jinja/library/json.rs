//! JSON as Python's `json.dumps` writes it.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use crate::jinja::python::{float_text, named, number_of, printed};
use crate::jinja::values::operation;

/// Deeper values hold themselves.
const MAX_DEPTH: usize = 200;

/// # Errors
/// For values that JSON has no form for: decimals, dates, functions.
pub(in crate::jinja) fn json_text(value: &Value, sort_keys: bool, indent: Option<usize>) -> Result<String, Error> {
    let mut out = String::new();
    Writer { sort_keys, indent }.write(&mut out, value, 0)?;
    Ok(out)
}

struct Writer {
    sort_keys: bool,
    indent: Option<usize>,
}

impl Writer {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(operation("the value holds itself and cannot be written as JSON"));
        }
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
            ValueKind::Number => out.push_str(&float(f64::try_from(value.clone()).unwrap_or(f64::NAN))),
            ValueKind::String => quoted(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.group(out, ['[', ']'], depth, &items, |out, item| self.write(out, item, depth + 1))?;
            }
            ValueKind::Map if value.len().is_some() => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.sort_keys {
                    keys.sort();
                }
                self.group(out, ['{', '}'], depth, &keys, |out, key| {
                    quoted(out, &key_text(key)?);
                    out.push_str(": ");
                    self.write(out, &value.get_item(key)?, depth + 1)
                })?;
            }
            _ => return Err(operation(format!("{} cannot be written as JSON", named(value)))),
        }
        Ok(())
    }

    fn group(
        &self,
        out: &mut String,
        brackets: [char; 2],
        depth: usize,
        items: &[Value],
        write: impl Fn(&mut String, &Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let line = |out: &mut String, depth: usize| {
            if let Some(indent) = self.indent.filter(|_| !items.is_empty()) {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent * depth));
            }
        };
        out.extend(brackets.first());
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(if self.indent.is_some() { "," } else { ", " });
            }
            line(out, depth + 1);
            write(out, item)?;
        }
        line(out, depth);
        out.extend(brackets.last());
        Ok(())
    }
}

fn key_text(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number if number_of(key).is_some() => Ok(printed(key)),
        _ => Err(operation(format!("{} cannot be a key in JSON", named(key)))),
    }
}

fn float(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        _ => float_text(value),
    }
}

/// All but ASCII is escaped.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

//! How values print, alone (`str`) and within others (`repr`).

use std::fmt::{self, Display, Write};

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, Output, Value};

use super::number::float_text;

/// Writes a value into the output of a template.
pub(super) fn print(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    let failed = |_| Error::new(ErrorKind::WriteFailure, "the output cannot be written");
    if let Some(text) = value.as_str() {
        return out.write_str(text).map_err(failed);
    }
    match value.kind() {
        ValueKind::Undefined => Ok(()),
        ValueKind::Number if !value.is_integer() => out.write_str(&printed(value)).map_err(failed),
        _ => write!(out, "{}", Printed(value)).map_err(failed),
    }
}

/// `str(value)`
pub(in crate::jinja) fn printed(value: &Value) -> String {
    Printed(value).to_string()
}

/// `repr(value)`
pub(in crate::jinja) fn repr(value: &Value) -> String {
    Repr(value).to_string()
}

struct Printed<'v>(&'v Value);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        match value.kind() {
            ValueKind::Number if !value.is_integer() => f.write_str(&float_text(f64::try_from(value.clone()).unwrap_or(f64::NAN))),
            ValueKind::Seq if value.is_tuple() => Repr(value).fmt(f),
            _ => write!(f, "{value}"),
        }
    }
}

/// Prints within a container.
pub(super) struct Repr<'v>(pub(super) &'v Value);

impl fmt::Display for Repr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        match value.kind() {
            ValueKind::Undefined => f.write_str("Undefined"),
            ValueKind::Number => Printed(value).fmt(f),
            ValueKind::String => quoted(value.as_str().unwrap_or_default(), f),
            ValueKind::Seq if value.is_tuple() => {
                let items: &[Value] = value.downcast_object_ref::<Tuple>().map_or(&[], |tuple| tuple);
                f.write_char('(')?;
                write_items(f, items)?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            // What prints otherwise alone prints its own name here.
            ValueKind::Plain => match value.as_object() {
                Some(object) => write!(f, "{object:?}"),
                None => write!(f, "{value:?}"),
            },
            _ => write!(f, "{value:?}"),
        }
    }
}

pub(super) fn write_items(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        Repr(item).fmt(f)?;
    }
    Ok(())
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c as u32 == 0xad => write!(f, "\\x{:02x}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}

//! Jinja2's and dbt's filters that the engine lacks or names differently.

use minijinja::{Environment, Error, Value};

use super::values::{from_json, operation, to_json};

pub(super) fn add_filters(env: &mut Environment<'static>) {
    env.add_filter("tojson", |value: Value| to_json_text(&value));
    env.add_filter("fromjson", |text: String| from_json_text(&text));
    env.add_filter("as_text", |value: Value| value);
    env.add_filter("as_native", |value: Value| value);
    env.add_filter("as_bool", |value: Value| as_bool(&value));
    env.add_filter("as_number", |value: Value| as_number(&value));
}

/// As Python's `json.dumps`: a blank after each comma and colon.
pub(super) fn to_json_text(value: &Value) -> Result<String, Error> {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
            writer.write_all(b": ")
        }
    }
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    serde::Serialize::serialize(&to_json(value), &mut serializer).map_err(|error| operation(error.to_string()))?;
    String::from_utf8(out).map_err(|error| operation(error.to_string()))
}

pub(super) fn from_json_text(text: &str) -> Result<Value, Error> {
    let parsed: serde_json::Value = serde_json::from_str(text).map_err(|error| operation(format!("not JSON: {error}")))?;
    Ok(from_json(&parsed))
}

fn as_bool(value: &Value) -> Result<Value, Error> {
    match value.to_string().to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Value::from(true)),
        "false" | "0" | "no" | "off" => Ok(Value::from(false)),
        other => Err(operation(format!("'{other}' is not a boolean"))),
    }
}

fn as_number(value: &Value) -> Result<Value, Error> {
    let text = value.to_string();
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Value::from(whole));
    }
    text.parse::<f64>().map(Value::from).map_err(|_| operation(format!("'{text}' is not a number")))
}

//! Jinja2's and dbt's filters and tests, as Python has them.

mod numbers;
mod pretty;
mod sequences;
mod tests;
mod texts;
mod web;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, State, Value};

use super::library;
use super::python::{bind, printed};
use super::values::operation;

/// A filter: its value first, then its arguments.
type Filter = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// The engine's own filters that Jinja2 does not have.
const FOREIGN: [&str; 4] = ["split", "lines", "bool", "chain"];

pub(super) fn add_filters(env: &mut Environment<'static>) {
    for name in FOREIGN {
        env.remove_filter(name);
    }
    let all = [sequences::FILTERS, texts::FILTERS, numbers::FILTERS, web::FILTERS, OTHERS];
    for (name, filter) in all.into_iter().flatten() {
        let filter = *filter;
        env.add_filter(*name, move |state: &mut State<'_, '_>, args: Rest<Value>, named: Kwargs| filter(state, &joined(args, named)));
    }
    tests::add_tests(env);
}

/// The names of all filters.
pub(super) fn filter_names() -> impl Iterator<Item = &'static str> {
    [sequences::FILTERS, texts::FILTERS, numbers::FILTERS, web::FILTERS, OTHERS].into_iter().flatten().map(|(name, _)| *name)
}

/// The names of all tests.
pub(super) fn test_names() -> impl Iterator<Item = &'static str> {
    tests::names()
}

/// The arguments as methods of objects get them: named ones behind the others, as one value.
pub(super) fn joined(args: Rest<Value>, named: Kwargs) -> Vec<Value> {
    let mut all = args.0;
    let any = named.args().next().is_some();
    all.extend(any.then(|| Value::from(named)));
    all
}

/// The filters by which YAML files say what type a value has.
pub(super) fn add_native_filters(env: &mut Environment<'static>) {
    env.add_filter("as_bool", |value: Value| as_bool(&value));
    env.add_filter("as_number", |value: Value| as_number(&value));
    env.add_filter("as_text", |value: Value| printed(&value));
}

const OTHERS: &[(&str, Filter)] = &[
    ("default", default),
    ("d", default),
    ("attr", attr),
    ("tojson", |_, args| {
        let [value, indent] = bind("tojson", args, ["value", "indent"], 1)?;
        let indent = indent.filter(|indent| !indent.is_none()).and_then(|indent| indent.as_usize());
        let text = library::json_text(&value.unwrap_or_default(), true, indent)?;
        // Safe within HTML, as Jinja2 makes it.
        let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
        Ok(Value::from(text))
    }),
    ("pprint", |_, args| {
        let [value] = bind("pprint", args, ["value"], 1)?;
        Ok(Value::from(pretty::pretty(&value.unwrap_or_default())))
    }),
    ("as_text", itself),
    ("as_native", itself),
    ("as_bool", itself),
    ("as_number", itself),
    ("is_list", |_, args| {
        let [value] = bind("is_list", args, ["value"], 1)?;
        Ok(Value::from(value.is_some_and(|value| value.kind() == ValueKind::Seq && !value.is_tuple())))
    }),
];

/// In templates of text dbt's type filters say nothing.
fn itself(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("as_native", args, ["value"], 1)?;
    Ok(value.unwrap_or_default())
}

fn default(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, fallback, boolean] = bind("default", args, ["value", "default_value", "boolean"], 1)?;
    let value = value.unwrap_or_default();
    let replaced = value.is_undefined() || (boolean.is_some_and(|boolean| boolean.is_true()) && !value.is_true());
    Ok(if replaced { fallback.unwrap_or_else(|| Value::from("")) } else { value })
}

/// An attribute, never an item: dictionaries have none.
fn attr(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, name] = bind("attr", args, ["obj", "name"], 2)?;
    let (value, name) = (value.unwrap_or_default(), name.unwrap_or_default());
    match value.kind() {
        ValueKind::Map if value.downcast_object_ref::<super::python::Dict>().is_some() => Ok(Value::UNDEFINED),
        ValueKind::Undefined => Ok(Value::UNDEFINED),
        _ => value.get_attr(&name.to_string()),
    }
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

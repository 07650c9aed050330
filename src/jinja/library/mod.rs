//! Functions of dbt's and Jinja2's that need nothing of the render they are called in.

mod iterators;
mod json;
mod range;
mod yaml;

use std::fmt;
use std::sync::Arc;

use md5::{Digest, Md5};
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Environment, Error, State, Value};

pub(super) use json::json_text;

use super::python::{Dict, List, Set, bind, items, printed, tuple};
use super::values::{from_json, operation, split_args};

/// A function with its arguments.
type Function = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// The names of all functions here.
pub(super) const NAMES: [&str; 15] = [
    "cycler",
    "dict",
    "diff_of_two_dicts",
    "fromjson",
    "fromyaml",
    "joiner",
    "local_md5",
    "namespace",
    "range",
    "set",
    "set_strict",
    "tojson",
    "toyaml",
    "zip",
    "zip_strict",
];

const FUNCTIONS: &[(&str, Function)] = &[
    ("cycler", |_, args| Ok(iterators::cycler(split_args(args).0))),
    ("joiner", |_, args| {
        let [separator] = bind("joiner", args, ["sep"], 0)?;
        Ok(iterators::joiner(separator.map_or_else(|| ", ".to_owned(), |separator| printed(&separator))))
    }),
    ("dict", |_, args| Dict::from_arguments(args)),
    ("range", |_, args| range::range(args)),
    ("set", |_, args| {
        let [value, default] = bind("set", args, ["value", "default"], 1)?;
        Ok(to_set(&value.unwrap_or_default()).unwrap_or_else(|_| default.unwrap_or(Value::from(()))))
    }),
    ("set_strict", |_, args| {
        let [value] = bind("set_strict", args, ["value"], 1)?;
        to_set(&value.unwrap_or_default())
    }),
    ("zip", |_, args| {
        let (positional, named) = split_args(args);
        let default = named.into_iter().find(|(key, _)| key.as_str() == Some("default")).map(|(_, value)| value);
        Ok(zip(positional).unwrap_or_else(|_| default.unwrap_or(Value::from(()))))
    }),
    ("zip_strict", |_, args| zip(split_args(args).0)),
    ("tojson", |_, args| {
        let [value, default, sort_keys] = bind("tojson", args, ["value", "default", "sort_keys"], 1)?;
        let sort = sort_keys.is_some_and(|sort| sort.is_true());
        json_text(&value.unwrap_or_default(), sort, None).map(Value::from).or_else(|error| default.ok_or(error))
    }),
    ("fromjson", |_, args| {
        let [text, default] = bind("fromjson", args, ["string", "default"], 1)?;
        let parsed = serde_json::from_str::<serde_json::Value>(&text.unwrap_or_default().to_string());
        Ok(parsed.map_or_else(|_| default.unwrap_or(Value::from(())), |parsed| from_json(&parsed)))
    }),
    ("toyaml", |_, args| {
        let [value, default, sort_keys] = bind("toyaml", args, ["value", "default", "sort_keys"], 1)?;
        let sort = sort_keys.is_some_and(|sort| sort.is_true());
        Ok(yaml::yaml_text(&value.unwrap_or_default(), sort).map_or_else(|_| default.unwrap_or(Value::from(())), Value::from))
    }),
    ("fromyaml", |_, args| {
        let [text, default] = bind("fromyaml", args, ["value", "default"], 1)?;
        let text = text.unwrap_or_default().to_string();
        Ok(yaml::parsed(&text).unwrap_or_else(|| default.unwrap_or(Value::from(()))))
    }),
    ("local_md5", |_, args| {
        let [value] = bind("local_md5", args, ["value"], 1)?;
        let sum = Md5::digest(printed(&value.unwrap_or_default()).as_bytes());
        Ok(Value::from(sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    }),
    ("diff_of_two_dicts", |_, args| {
        let [left, right] = bind("diff_of_two_dicts", args, ["dict_a", "dict_b"], 2)?;
        difference(&left.unwrap_or_default(), &right.unwrap_or_default())
    }),
];

pub(super) fn add_functions(env: &mut Environment<'static>) {
    for (name, function) in FUNCTIONS {
        env.add_global(*name, value_of(*function));
    }
    env.remove_global("debug");
}

/// A function as a value.
struct FunctionValue(Function);

impl fmt::Debug for FunctionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<function>")
    }
}

impl Object for FunctionValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.0)(state, args)
    }
}

fn value_of(function: Function) -> Value {
    Value::from_object(FunctionValue(function))
}

/// The function of that name as a value.
pub(super) fn function(name: &str) -> Option<Value> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| value_of(*function))
}

fn to_set(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(operation("an undefined value cannot be made a set")),
        _ => Set::value(items(value)?),
    }
}

fn zip(lists: &[Value]) -> Result<Value, Error> {
    let columns: Vec<Vec<Value>> = lists.iter().map(items).collect::<Result<_, _>>()?;
    let shortest = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok(List::value((0..shortest).map(|row| tuple(columns.iter().filter_map(|column| column.get(row).cloned())))))
}

/// The entries of the first that the second lacks, without regard to the case of letters.
fn difference(left: &Value, right: &Value) -> Result<Value, Error> {
    let folded = |value: &Value| printed(value).to_lowercase();
    let mut known: Vec<(String, Vec<String>)> = Vec::new();
    for key in items(right)? {
        known.push((folded(&key), items(&right.get_item(&key)?)?.iter().map(folded).collect()));
    }
    let mut found = Vec::new();
    for key in items(left)? {
        let held = left.get_item(&key)?;
        match known.iter().find(|(other, _)| *other == folded(&key)) {
            None => found.push((key, held)),
            Some((_, others)) => {
                let rest: Vec<Value> = items(&held)?.into_iter().filter(|item| !others.contains(&folded(item))).collect();
                if !rest.is_empty() {
                    found.push((key, List::value(rest)));
                }
            }
        }
    }
    Ok(Dict::value(found))
}

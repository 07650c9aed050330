//! Python's dictionary, in the order of insertion.

use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, State, Value};

use super::arguments::bind;
use super::list::within;
use super::text::{Repr, write_items};
use super::{items, no_method, tuple};
use crate::jinja::values::{locked, operation, split_args};

/// A dictionary that can be changed.
#[derive(Default)]
pub(in crate::jinja) struct Dict(Mutex<IndexMap<Value, Value>>);

impl Dict {
    pub(in crate::jinja) fn value(items: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::from_object(Dict(Mutex::new(items.into_iter().collect())))
    }

    /// `dict(…)`
    pub(in crate::jinja) fn from_arguments(args: &[Value]) -> Result<Value, Error> {
        Ok(Dict::value(added(args)?))
    }

    fn held(&self) -> IndexMap<Value, Value> {
        locked(&self.0).clone()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        within(std::ptr::from_ref(self).cast(), || {
            f.write_str("{")?;
            for (index, (key, value)) in self.held().iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                write!(f, "{comma}{}: {}", Repr(key), Repr(value))?;
            }
            f.write_str("}")
        })
        .unwrap_or_else(|| f.write_str("{...}"))
    }
}

const METHODS: &[&str] = &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        locked(&self.0).get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(locked(&self.0).keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(locked(&self.0).len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "get" => {
                let [key, default] = bind(method, args, ["key", "default"], 1)?;
                let found = locked(&self.0).get(&key.unwrap_or_default()).cloned();
                return Ok(found.or(default).unwrap_or(Value::from(())));
            }
            "update" => {
                let added = added(args)?;
                locked(&self.0).extend(added);
            }
            "pop" => {
                let [key, default] = bind(method, args, ["key", "default"], 1)?;
                let key = key.unwrap_or_default();
                let removed = locked(&self.0).shift_remove(&key);
                return removed.or(default).ok_or_else(|| operation(format!("the dictionary has no key {}", super::repr(&key))));
            }
            "popitem" => {
                let last = locked(&self.0).pop();
                return last.map(|(key, value)| tuple([key, value])).ok_or_else(|| operation("popitem(): the dictionary is empty"));
            }
            "setdefault" => {
                let [key, default] = bind(method, args, ["key", "default"], 1)?;
                let default = default.unwrap_or(Value::from(()));
                return Ok(locked(&self.0).entry(key.unwrap_or_default()).or_insert(default).clone());
            }
            "clear" => locked(&self.0).clear(),
            "copy" => return Ok(Dict::value(self.held())),
            "items" | "keys" | "values" => {
                let [] = bind(method, args, [], 0)?;
                let part = match method {
                    "items" => Part::Items,
                    "keys" => Part::Keys,
                    _ => Part::Values,
                };
                return Ok(Value::from_object(View { dict: self.clone(), part }));
            }
            "fromkeys" => {
                let [keys, value] = bind(method, args, ["iterable", "value"], 1)?;
                let value = value.unwrap_or(Value::from(()));
                return Ok(Dict::value(items(&keys.unwrap_or_default())?.into_iter().map(|key| (key, value.clone()))));
            }
            _ => {
                // A function that the dictionary holds.
                return match self.get_value(&Value::from(method)) {
                    Some(held) => held.call(state, args),
                    None => Err(no_method(&Value::from_dyn_object(self.clone()), method, METHODS)),
                };
            }
        }
        Ok(Value::from(()))
    }
}

/// The entries that `update()` and `dict()` are given: of mappings, of pairs, of named arguments.
pub(super) fn added(args: &[Value]) -> Result<Vec<(Value, Value)>, Error> {
    let (positional, named) = split_args(args);
    let mut added: Vec<(Value, Value)> = Vec::new();
    for other in positional {
        added.extend(pairs(other)?);
    }
    added.extend(named);
    Ok(added)
}

/// Key and value of each entry of any mapping, or the pairs of a sequence.
fn pairs(entries: &Value) -> Result<Vec<(Value, Value)>, Error> {
    let wrong = || operation(format!("a dictionary or pairs are needed, not {}", super::with_article(super::type_name(entries))));
    match entries.kind() {
        ValueKind::Map => entries.try_iter()?.map(|key| entries.get_item(&key).map(|value| (key, value))).collect(),
        ValueKind::Seq | ValueKind::Iterable => entries
            .try_iter()?
            .map(|pair| {
                let mut parts = pair.try_iter()?;
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(key), Some(value), None) => Ok((key, value)),
                    _ => Err(wrong()),
                }
            })
            .collect(),
        _ => Err(wrong()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Items,
    Keys,
    Values,
}

/// What `items()`, `keys()` and `values()` give: it changes with the dictionary.
struct View {
    dict: Arc<Dict>,
    part: Part,
}

impl View {
    fn items(&self) -> Vec<Value> {
        let held = self.dict.held();
        match self.part {
            Part::Items => held.into_iter().map(|(key, value)| tuple([key, value])).collect(),
            Part::Keys => held.into_keys().collect(),
            Part::Values => held.into_values().collect(),
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.part {
            Part::Items => "dict_items",
            Part::Keys => "dict_keys",
            Part::Values => "dict_values",
        };
        write!(f, "{name}([")?;
        write_items(f, &self.items())?;
        f.write_str("])")
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, _key: &Value) -> Option<Value> {
        None
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(locked(&self.dict.0).len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !locked(&self.dict.0).is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

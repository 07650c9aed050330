//! Python's set. Items come in the order in which they were added; Python promises none.

use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexSet;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, State, Value};

use super::arguments::bind;
use super::text::write_items;
use super::{items, no_method};
use crate::jinja::values::{locked, operation, split_args};

/// A set that can be changed.
#[derive(Default)]
pub(in crate::jinja) struct Set(Mutex<IndexSet<Value>>);

impl Set {
    /// # Errors
    /// When an item can be changed, and so cannot be in a set.
    pub(in crate::jinja) fn value(items: impl IntoIterator<Item = Value>) -> Result<Value, Error> {
        items.into_iter().map(hashable).collect::<Result<IndexSet<Value>, Error>>().map(Set::of)
    }

    fn of(items: IndexSet<Value>) -> Value {
        Value::from_object(Set(Mutex::new(items)))
    }

    fn held(&self) -> IndexSet<Value> {
        locked(&self.0).clone()
    }

    pub(super) fn equals(&self, other: &Set) -> bool {
        self.held() == other.held()
    }

    pub(super) fn is_within(&self, other: &Set) -> bool {
        self.held().is_subset(&other.held())
    }

    /// `-`, `|`, `&` and `^` under their methods' names.
    pub(super) fn combined(&self, method: &str, other: &Set) -> Value {
        combine(self.held(), method, other.held())
    }
}

fn combine(mut left: IndexSet<Value>, method: &str, right: IndexSet<Value>) -> Value {
    Set::of(match method {
        "difference" => left.difference(&right).cloned().collect(),
        "intersection" => left.intersection(&right).cloned().collect(),
        "symmetric_difference" => left.symmetric_difference(&right).cloned().collect(),
        _ => {
            left.extend(right);
            left
        }
    })
}

fn hashable(item: Value) -> Result<Value, Error> {
    let changeable = match item.kind() {
        ValueKind::Seq => !item.is_tuple(),
        ValueKind::Map => item.downcast_object_ref::<super::Dict>().is_some(),
        _ => false,
    };
    if changeable {
        return Err(operation(format!("{} cannot be an item of a set", super::with_article(super::type_name(&item)))));
    }
    Ok(item)
}

fn taken(value: &Value) -> Result<IndexSet<Value>, Error> {
    items(value)?.into_iter().map(hashable).collect()
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: Vec<Value> = self.held().into_iter().collect();
        if items.is_empty() {
            return f.write_str("set()");
        }
        f.write_str("{")?;
        write_items(f, &items)?;
        f.write_str("}")
    }
}

const METHODS: &[&str] = &[
    "add",
    "clear",
    "copy",
    "difference",
    "difference_update",
    "discard",
    "intersection",
    "intersection_update",
    "isdisjoint",
    "issubset",
    "issuperset",
    "pop",
    "remove",
    "symmetric_difference",
    "symmetric_difference_update",
    "union",
    "update",
];

impl Object for Set {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, _key: &Value) -> Option<Value> {
        None
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.held().into_iter().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(locked(&self.0).len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !locked(&self.0).is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "add" => {
                let [item] = bind(method, args, ["item"], 1)?;
                let item = hashable(item.unwrap_or_default())?;
                locked(&self.0).insert(item);
            }
            "discard" | "remove" => {
                let [item] = bind(method, args, ["item"], 1)?;
                let item = item.unwrap_or_default();
                if !locked(&self.0).shift_remove(&item) && method == "remove" {
                    return Err(operation(format!("remove(): {} is not in the set", super::repr(&item))));
                }
            }
            "pop" => {
                let first = locked(&self.0).shift_remove_index(0);
                return first.ok_or_else(|| operation("pop() from an empty set"));
            }
            "clear" => locked(&self.0).clear(),
            "copy" => return Ok(Set::of(self.held())),
            "union" | "intersection" | "difference" => {
                let mut found = Set::of(self.held());
                for other in split_args(args).0 {
                    let held = taken(&found)?;
                    found = combine(held, method, taken(other)?);
                }
                return Ok(found);
            }
            "symmetric_difference" => {
                let [other] = bind(method, args, ["other"], 1)?;
                return Ok(combine(self.held(), method, taken(&other.unwrap_or_default())?));
            }
            "update" | "intersection_update" | "difference_update" | "symmetric_difference_update" => {
                let combination = method.strip_suffix("_update").unwrap_or("union");
                for other in split_args(args).0 {
                    let changed = taken(&combine(self.held(), combination, taken(other)?))?;
                    *locked(&self.0) = changed;
                }
            }
            "issubset" | "issuperset" | "isdisjoint" => {
                let [other] = bind(method, args, ["other"], 1)?;
                let (held, other) = (self.held(), taken(&other.unwrap_or_default())?);
                return Ok(Value::from(match method {
                    "issubset" => held.is_subset(&other),
                    "issuperset" => held.is_superset(&other),
                    _ => held.is_disjoint(&other),
                }));
            }
            _ => return Err(no_method(&Value::from_dyn_object(self.clone()), method, METHODS)),
        }
        Ok(Value::from(()))
    }
}

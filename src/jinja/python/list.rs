//! Python's list.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::arguments::{bind, whole, whole_or};
use super::compare::{equal, nested, order};
use super::text::write_items;
use super::{items, no_method};
use crate::jinja::values::{locked, operation};

/// A list that can be changed.
#[derive(Default)]
pub(in crate::jinja) struct List(Mutex<Vec<Value>>);

impl List {
    pub(in crate::jinja) fn value(items: impl IntoIterator<Item = Value>) -> Value {
        Value::from_object(List(Mutex::new(items.into_iter().collect())))
    }

    /// A copy, so that no lock is held while items are looked at: one of them may be the list itself.
    pub(in crate::jinja) fn items(&self) -> Vec<Value> {
        locked(&self.0).clone()
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        within(std::ptr::from_ref(self).cast(), || {
            f.write_str("[")?;
            write_items(f, &self.items())?;
            f.write_str("]")
        })
        .unwrap_or_else(|| f.write_str("[...]"))
    }
}

/// Runs `print`, unless that object is being printed already: it holds itself.
pub(super) fn within<T>(object: *const (), print: impl FnOnce() -> T) -> Option<T> {
    thread_local!(static PRINTING: std::cell::RefCell<Vec<usize>> = const { std::cell::RefCell::new(Vec::new()) });
    let address = object.addr();
    PRINTING.with(|printing| {
        if printing.borrow().contains(&address) {
            return None;
        }
        printing.borrow_mut().push(address);
        let done = print();
        printing.borrow_mut().pop();
        Some(done)
    })
}

/// A Python index, negative from the end, as an offset.
pub(super) fn offset(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { usize::try_from(i64::try_from(len).ok()? + index).ok()? } else { usize::try_from(index).ok()? };
    (at < len).then_some(at)
}

/// A Python bound of a range, cut to what there is.
pub(super) fn bound(index: i64, len: usize) -> usize {
    let len_i = i64::try_from(len).unwrap_or(i64::MAX);
    let at = if index < 0 { (len_i + index).max(0) } else { index.min(len_i) };
    usize::try_from(at).unwrap_or(len)
}

/// In order, with `key` applied first when there is one.
pub(in crate::jinja) fn sorted(
    state: &mut State<'_, '_>,
    items: Vec<Value>,
    key: Option<&Value>,
    reverse: bool,
) -> Result<Vec<Value>, Error> {
    let mut keyed: Vec<(Value, Value)> = Vec::with_capacity(items.len());
    for item in items {
        let by = match key {
            Some(key) if !key.is_none() => key.call(state, std::slice::from_ref(&item))?,
            _ => item.clone(),
        };
        keyed.push((by, item));
    }
    sort_keyed(&mut keyed, reverse)?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// Sorts by the first of each pair, keeping the order of equals.
pub(in crate::jinja) fn sort_keyed(keyed: &mut [(Value, Value)], reverse: bool) -> Result<(), Error> {
    let mut failed = None;
    keyed.sort_by(|(left, _), (right, _)| {
        let found = if failed.is_some() { Ok(None) } else { order("<", left, right) };
        let found = found.unwrap_or_else(|error| {
            failed = Some(error);
            None
        });
        let found = found.unwrap_or(Ordering::Equal);
        if reverse { found.reverse() } else { found }
    });
    failed.map_or(Ok(()), Err)
}

const METHODS: &[&str] = &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];

/// The methods that change nothing, of lists and tuples alike.
pub(super) fn look(held: &[Value], method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match method {
        "count" => {
            let [item] = bind("count", args, ["value"], 1)?;
            let item = item.unwrap_or_default();
            Ok(Some(Value::from(held.iter().filter(|held| equal(held, &item)).count())))
        }
        "index" => {
            let [item, start, stop] = bind("index", args, ["value", "start", "stop"], 1)?;
            let item = item.unwrap_or_default();
            let from = bound(whole_or("index", "start", start.as_ref(), 0)?, held.len());
            let to = bound(whole_or("index", "stop", stop.as_ref(), i64::MAX)?, held.len());
            let found = (from..to).find(|at| held.get(*at).is_some_and(|held| equal(held, &item)));
            found.map(|at| Some(Value::from(at))).ok_or_else(|| operation(format!("{} is not in the list", super::repr(&item))))
        }
        _ => Ok(None),
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let items = locked(&self.0);
        items.get(offset(key.as_i64()?, items.len())?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(locked(&self.0).len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "append" => {
                let [item] = bind(method, args, ["object"], 1)?;
                locked(&self.0).extend(item);
            }
            "extend" => {
                let [more] = bind(method, args, ["iterable"], 1)?;
                let more = items(&more.unwrap_or_default())?;
                locked(&self.0).extend(more);
            }
            "insert" => {
                let [index, item] = bind(method, args, ["index", "object"], 2)?;
                let index = whole(method, "index", &index.unwrap_or_default())?;
                let mut held = locked(&self.0);
                let at = bound(index, held.len());
                held.insert(at, item.unwrap_or_default());
            }
            "pop" => {
                let [index] = bind(method, args, ["index"], 0)?;
                let index = whole_or(method, "index", index.as_ref(), -1)?;
                let mut held = locked(&self.0);
                let empty = if held.is_empty() { "pop() from an empty list" } else { "pop() beyond the end of the list" };
                let at = offset(index, held.len()).ok_or_else(|| operation(empty))?;
                return Ok(held.remove(at));
            }
            "remove" => {
                let [item] = bind(method, args, ["value"], 1)?;
                let item = item.unwrap_or_default();
                let found = self.items().iter().position(|held| equal(held, &item));
                let at = found.ok_or_else(|| operation(format!("remove(): {} is not in the list", super::repr(&item))))?;
                locked(&self.0).remove(at);
            }
            "clear" => locked(&self.0).clear(),
            "reverse" => locked(&self.0).reverse(),
            "sort" => {
                let [key, reverse] = bind(method, args, ["key", "reverse"], 0)?;
                let done = sorted(state, self.items(), key.as_ref(), reverse.is_some_and(|reverse| reverse.is_true()))?;
                *locked(&self.0) = done;
            }
            "copy" => return Ok(List::value(self.items())),
            _ => {
                let found = look(&self.items(), method, args)?;
                return found.ok_or_else(|| no_method(&Value::from_dyn_object(self.clone()), method, METHODS));
            }
        }
        Ok(Value::from(()))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<List>()?;
        Some(nested(|| self.items().cmp(&other.items())).unwrap_or(Ordering::Equal))
    }
}

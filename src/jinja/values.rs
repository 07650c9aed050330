//! Python's mutable lists and dictionaries for templates, and the bridge to JSON.
//!
//! The engine's own lists and maps cannot be changed; dbt's macros append and update all the time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{DynObject, Enumerator, Kwargs, Object, ObjectRepr, Serde, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

/// A list that can be changed, as Python's.
#[derive(Default)]
pub(super) struct List(Mutex<Vec<Value>>);

/// A dictionary that can be changed, as Python's; keeps the order of insertion.
#[derive(Default)]
pub(super) struct Dict(Mutex<IndexMap<Value, Value>>);

/// A template never panics while it holds the lock, so a poisoned one is still whole.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl List {
    pub(super) fn value(items: impl IntoIterator<Item = Value>) -> Value {
        Value::from_object(List(Mutex::new(items.into_iter().collect())))
    }
}

impl Dict {
    pub(super) fn value(items: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::from_object(Dict(Mutex::new(items.into_iter().collect())))
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(locked(&self.0).iter()).finish()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(locked(&self.0).iter()).finish()
    }
}

/// A Python index, negative from the end, as an offset.
fn offset(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { usize::try_from(i64::try_from(len).ok()? + index).ok()? } else { usize::try_from(index).ok()? };
    (at < len).then_some(at)
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
        Enumerator::Values(locked(&self.0).clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(locked(&self.0).len())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "append" => {
                let (item,): (Value,) = from_args(args)?;
                locked(&self.0).push(item);
            }
            "extend" => {
                let (items,): (Value,) = from_args(args)?;
                let items: Vec<Value> = items.try_iter()?.collect();
                locked(&self.0).extend(items);
            }
            "insert" => {
                let (index, item): (i64, Value) = from_args(args)?;
                let mut items = locked(&self.0);
                let len = items.len();
                let at = if index < 0 { offset(index, len).unwrap_or(0) } else { usize::try_from(index).unwrap_or(len).min(len) };
                items.insert(at, item);
            }
            "pop" => {
                let (index,): (Option<i64>,) = from_args(args)?;
                let mut items = locked(&self.0);
                let at = offset(index.unwrap_or(-1), items.len()).ok_or_else(|| operation("pop from an empty list or past its end"))?;
                return Ok(items.remove(at));
            }
            "remove" => {
                let (item,): (Value,) = from_args(args)?;
                let mut items = locked(&self.0);
                let at = items.iter().position(|held| *held == item).ok_or_else(|| operation("list.remove(x): x is not in the list"))?;
                items.remove(at);
            }
            "clear" => locked(&self.0).clear(),
            "reverse" => locked(&self.0).reverse(),
            "sort" => locked(&self.0).sort(),
            "copy" => return Ok(List::value(locked(&self.0).clone())),
            "index" => {
                let (item,): (Value,) = from_args(args)?;
                let at = locked(&self.0).iter().position(|held| *held == item);
                return at.map(Value::from).ok_or_else(|| operation("the value is not in the list"));
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        let other = other.downcast_ref::<List>()?;
        if std::ptr::eq(Arc::as_ptr(self), other) {
            return Some(std::cmp::Ordering::Equal);
        }
        let theirs = locked(&other.0).clone();
        Some(locked(&self.0).cmp(&theirs))
    }
}

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

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "update" => {
                let (positional, named) = split_args(args);
                let mut added: Vec<(Value, Value)> = Vec::new();
                for other in positional {
                    added.extend(pairs(other)?);
                }
                added.extend(named);
                locked(&self.0).extend(added);
            }
            "pop" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let removed = locked(&self.0).shift_remove(&key);
                return removed.or(default).ok_or_else(|| operation(format!("the dictionary has no key {key:?}")));
            }
            "popitem" => {
                let last = locked(&self.0).pop();
                return last.map(|(key, value)| List::value([key, value])).ok_or_else(|| operation("popitem(): the dictionary is empty"));
            }
            "setdefault" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                return Ok(locked(&self.0).entry(key).or_insert_with(|| default.unwrap_or(Value::from(()))).clone());
            }
            "clear" => locked(&self.0).clear(),
            "copy" => return Ok(Dict::value(locked(&self.0).clone())),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}

/// Key and value of each entry of any mapping.
fn pairs(mapping: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if mapping.kind() != ValueKind::Map {
        return Err(operation("update() takes a dictionary"));
    }
    mapping.try_iter()?.map(|key| mapping.get_item(&key).map(|value| (key, value))).collect()
}

pub(super) fn operation(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Positional arguments, and named ones in the order in which they were written.
pub(super) fn split_args(args: &[Value]) -> (&[Value], Vec<(Value, Value)>) {
    match args.split_last() {
        Some((last, positional)) if last.is_kwargs() => {
            let named =
                last.try_iter().into_iter().flatten().filter_map(|key| last.get_item(&key).ok().map(|value| (key, value))).collect();
            (positional, named)
        }
        _ => (args, Vec::new()),
    }
}

/// Named arguments as the engine passes them.
pub(super) fn kwargs(named: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::from(named.into_iter().collect::<Kwargs>())
}

/// A JSON value for templates; lists and objects can be changed there.
pub(super) fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Value::from(whole),
            (None, Some(whole), _) => Value::from(whole),
            (None, None, Some(fraction)) => Value::from(fraction),
            (None, None, None) => Value::from(number.to_string()),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => List::value(items.iter().map(from_json)),
        serde_json::Value::Object(entries) => Dict::value(entries.iter().map(|(key, item)| (Value::from(key.as_str()), from_json(item)))),
    }
}

/// A template's value as JSON; what JSON cannot hold (functions, relations) becomes its text, undefined becomes null.
pub(super) fn to_json(value: &Value) -> serde_json::Value {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => serde_json::Value::Null,
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter().map_or(serde_json::Value::Null, |items| items.map(|item| to_json(&item)).collect())
        }
        ValueKind::Map if value.downcast_object_ref::<super::relation::RelationValue>().is_some() => {
            serde_json::Value::String(value.to_string())
        }
        ValueKind::Map => value.try_iter().map_or(serde_json::Value::Null, |keys| {
            keys.map(|key| (key.to_string(), value.get_item(&key).map_or(serde_json::Value::Null, |item| to_json(&item)))).collect()
        }),
        ValueKind::Bool | ValueKind::Number | ValueKind::String => {
            serde_json::to_value(Serde(value).0).unwrap_or_else(|_| serde_json::Value::String(value.to_string()))
        }
        _ => serde_json::Value::String(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_dictionaries_change_in_place() {
        let mut env = minijinja::Environment::new();
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        let text = "{% do l.append(3) %}{% do l.insert(0, 'a') %}{{ l }} {{ l.pop() }} {{ l | length }} {{ l[-1] }} \
                    {% do d.update({'x': 1}, y=2) %}{{ d }} {{ d.get('x') }} {{ d.pop('x') }} {{ d.items() | list }} {{ l == ['a', 1] }}";
        let context = minijinja::context! { l => List::value([Value::from(1)]), d => Dict::value([]) };
        let rendered = env.render_str(text, context).unwrap();
        assert_eq!(rendered, "['a', 1, 3] 3 2 1 {'x': 1, 'y': 2} 1 1 [('y', 2)] True");
    }

    #[test]
    fn json_round_trip() {
        let json = serde_json::json!({"a": [1, 2.5, null, true], "b": {"c": "x"}});
        assert_eq!(to_json(&from_json(&json)), json);
    }
}

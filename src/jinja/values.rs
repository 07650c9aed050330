//! Arguments of calls, and the bridge to JSON.

use std::sync::{Mutex, MutexGuard, PoisonError};

use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{Error, ErrorKind, Value};

pub(super) use super::python::{Dict, List};

/// A template never panics while it holds the lock, so a poisoned one is still whole.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    json_at(value, 0)
}

/// What holds itself is cut off.
fn json_at(value: &Value, depth: usize) -> serde_json::Value {
    const MAX_DEPTH: usize = 200;
    if depth > MAX_DEPTH {
        return serde_json::Value::Null;
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => serde_json::Value::Null,
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter().map_or(serde_json::Value::Null, |items| items.map(|item| json_at(&item, depth + 1)).collect())
        }
        ValueKind::Map if value.downcast_object_ref::<super::relation::RelationValue>().is_some() => {
            serde_json::Value::String(value.to_string())
        }
        ValueKind::Map => value.try_iter().map_or(serde_json::Value::Null, |keys| {
            keys.map(|key| (key.to_string(), value.get_item(&key).map_or(serde_json::Value::Null, |item| json_at(&item, depth + 1))))
                .collect()
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

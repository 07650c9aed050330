//! `pprint`: keys in order, and one item a line where a line would be longer than 80 characters.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::jinja::python::repr;

const WIDTH: usize = 80;
/// What holds itself is printed so deep.
const MAX_DEPTH: usize = 40;

pub(super) fn pretty(value: &Value) -> String {
    written(value, 0, 0)
}

fn entries(value: &Value) -> Vec<(Value, Value)> {
    let keys: Vec<Value> = value.try_iter().map(Iterator::collect).unwrap_or_default();
    let mut entries: Vec<(Value, Value)> = keys.into_iter().map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    entries
}

fn one_line(value: &Value, depth: usize) -> String {
    match value.kind() {
        _ if depth > MAX_DEPTH => repr(value),
        ValueKind::Map if value.len().is_some() => {
            let parts = entries(value).into_iter().map(|(key, item)| format!("{}: {}", repr(&key), one_line(&item, depth + 1)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Seq if !value.is_tuple() => {
            let items = value.try_iter().into_iter().flatten();
            format!("[{}]", items.map(|item| one_line(&item, depth + 1)).collect::<Vec<_>>().join(", "))
        }
        _ => repr(value),
    }
}

fn written(value: &Value, indent: usize, depth: usize) -> String {
    let line = one_line(value, 0);
    if line.chars().count() + indent <= WIDTH || depth > MAX_DEPTH {
        return line;
    }
    let joint = format!(",\n{}", " ".repeat(indent + 1));
    match value.kind() {
        ValueKind::Map if value.len().is_some() => {
            let parts = entries(value).into_iter().map(|(key, item)| {
                let key = repr(&key);
                format!("{key}: {}", written(&item, indent + key.chars().count() + 3, depth + 1))
            });
            format!("{{{}}}", parts.collect::<Vec<_>>().join(&joint))
        }
        ValueKind::Seq if !value.is_tuple() => {
            let items = value.try_iter().into_iter().flatten();
            format!("[{}]", items.map(|item| written(&item, indent + 1, depth + 1)).collect::<Vec<_>>().join(&joint))
        }
        _ => line,
    }
}

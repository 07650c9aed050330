//! Filters on sequences and dictionaries.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::Filter;
use crate::jinja::python::{List, add, bind, equal, items, order, printed, repr, sort_keyed, text_or, tuple, whole_or};
use crate::jinja::values::{operation, split_args};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("batch", batch),
    ("slice", slice),
    ("groupby", group_by),
    ("map", map),
    ("select", |state, args| choose(state, args, "select", false, true)),
    ("reject", |state, args| choose(state, args, "reject", false, false)),
    ("selectattr", |state, args| choose(state, args, "selectattr", true, true)),
    ("rejectattr", |state, args| choose(state, args, "rejectattr", true, false)),
    ("sort", sort),
    ("unique", unique),
    ("min", |_, args| extreme(args, "min")),
    ("max", |_, args| extreme(args, "max")),
    ("sum", sum),
    ("join", join),
    ("first", |_, args| Ok(all("first", args)?.into_iter().next().unwrap_or_default())),
    ("last", |_, args| Ok(all("last", args)?.into_iter().next_back().unwrap_or_default())),
    ("random", |state, args| {
        // Noted as something that belongs to the moment, as this is.
        let _ = state.lookup("invocation_id");
        let items = all("random", args)?;
        let chosen = rand::random_range(0..items.len().max(1));
        Ok(items.into_iter().nth(chosen).unwrap_or_default())
    }),
    ("reverse", reverse),
    ("length", length),
    ("count", length),
    ("list", |_, args| all("list", args).map(List::value)),
    ("items", pairs),
    ("dictsort", dict_sort),
];

/// The items of the filter's only value.
fn all(function: &str, args: &[Value]) -> Result<Vec<Value>, Error> {
    let [value] = bind(function, args, ["value"], 1)?;
    items(&value.unwrap_or_default())
}

/// `a.b.0`: what to look up, one after the other.
fn path(attribute: &Value) -> Vec<Value> {
    match attribute.as_str() {
        Some(names) => {
            let part = |name: &str| match name.parse::<u32>() {
                Ok(index) if name.bytes().all(|byte| byte.is_ascii_digit()) => Value::from(index),
                _ => Value::from(name),
            };
            names.split('.').map(part).collect()
        }
        None if attribute.is_none() => Vec::new(),
        None => vec![attribute.clone()],
    }
}

fn at_path(item: &Value, path: &[Value], default: Option<&Value>) -> Result<Value, Error> {
    let mut found = item.clone();
    for key in path {
        found = if found.is_none() { Value::UNDEFINED } else { found.get_item(key)? };
        if found.is_undefined()
            && let Some(default) = default
        {
            found = default.clone();
        }
    }
    Ok(found)
}

/// Texts without regard to the case of letters, when asked for.
fn folded(value: Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value,
    }
}

fn is_set(value: Option<Value>) -> bool {
    value.is_some_and(|value| value.is_true())
}

fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_none())
}

fn batch(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, count, fill] = bind("batch", args, ["value", "linecount", "fill_with"], 2)?;
    let count = usize::try_from(whole_or("batch", "linecount", count.as_ref(), 1)?).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| operation("batch takes a positive number"))?;
    let all = items(&value.unwrap_or_default())?;
    let fill = given(fill);
    let rows = all.chunks(count).map(|row| {
        let missing = count - row.len();
        let filled = fill.iter().flat_map(|fill| std::iter::repeat_n(fill.clone(), missing));
        List::value(row.iter().cloned().chain(filled))
    });
    Ok(List::value(rows))
}

fn slice(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, count, fill] = bind("slice", args, ["value", "slices", "fill_with"], 2)?;
    let count = usize::try_from(whole_or("slice", "slices", count.as_ref(), 1)?).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| operation("slice takes a positive number"))?;
    let all = items(&value.unwrap_or_default())?;
    let fill = given(fill);
    let (each, longer) = (all.len() / count, all.len() % count);
    let mut rest = all.into_iter();
    let columns = (0..count).map(|number| {
        let mut column: Vec<Value> = rest.by_ref().take(each + usize::from(number < longer)).collect();
        if longer > 0 && number >= longer {
            column.extend(fill.clone());
        }
        List::value(column)
    });
    Ok(List::value(columns))
}

/// What `groupby` gives for each group: a pair with names.
struct Group {
    grouper: Value,
    list: Value,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", repr(&self.grouper), repr(&self.list))
    }
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), key.as_i64()) {
            (Some("grouper"), _) | (_, Some(0)) => Some(self.grouper.clone()),
            (Some("list"), _) | (_, Some(1)) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn group_by(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, attribute, default, case_sensitive] = bind("groupby", args, ["value", "attribute", "default", "case_sensitive"], 2)?;
    let (path, default, case_sensitive) = (path(&attribute.unwrap_or_default()), given(default), is_set(case_sensitive));
    let mut keyed = Vec::new();
    for item in items(&value.unwrap_or_default())? {
        keyed.push((folded(at_path(&item, &path, default.as_ref())?, case_sensitive), item));
    }
    sort_keyed(&mut keyed, false)?;
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in keyed {
        match groups.last_mut() {
            Some((last, held)) if equal(last, &key) => held.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let groups: Result<Vec<Value>, Error> = groups
        .into_iter()
        .map(|(key, held)| {
            // The first of a group lends it its spelling.
            let grouper = match held.first() {
                Some(first) if !case_sensitive => at_path(first, &path, default.as_ref())?,
                _ => key,
            };
            Ok(Value::from_object(Group { grouper, list: List::value(held) }))
        })
        .collect();
    groups.map(List::value)
}

/// As Jinja2 has it: `map`, `select` and their kin take everything that is not true, none too, for an empty list.
fn items_if_any(value: Option<&Value>) -> Result<Vec<Value>, Error> {
    value.filter(|value| value.is_true()).map_or_else(|| Ok(Vec::new()), items)
}

fn map(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let option = |name: &str| named.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone());
    let all = items_if_any(positional.first())?;
    if let (Some(attribute), [_]) = (option("attribute"), positional) {
        let (path, default) = (path(&attribute), option("default"));
        let found: Result<Vec<Value>, Error> = all.iter().map(|item| at_path(item, &path, default.as_ref())).collect();
        return found.map(List::value);
    }
    let (Some(filter), rest) = (positional.get(1), args.get(2..).unwrap_or(&[])) else {
        return Err(operation("map needs the name of a filter, or 'attribute'"));
    };
    let filter = filter.as_str().ok_or_else(|| operation("map takes the name of a filter"))?;
    let mut found = Vec::with_capacity(all.len());
    for item in all {
        let args: Vec<Value> = [item].into_iter().chain(rest.iter().cloned()).collect();
        found.push(state.apply_filter(filter, &args)?);
    }
    Ok(List::value(found))
}

/// `select`, `reject` and their kin for an attribute.
fn choose(state: &mut State<'_, '_>, args: &[Value], function: &str, by_attribute: bool, wanted: bool) -> Result<Value, Error> {
    let all = items_if_any(args.first())?;
    let mut rest = args.get(1..).unwrap_or(&[]);
    let mut attribute = None;
    if by_attribute {
        let (first, others) = rest.split_first().ok_or_else(|| operation(format!("{function} needs the name of an attribute")))?;
        attribute = Some(path(first));
        rest = others;
    }
    let test = match rest.first() {
        Some(name) => Some(name.as_str().ok_or_else(|| operation(format!("{function} takes the name of a test")))?),
        None => None,
    };
    let mut kept = Vec::new();
    for item in all {
        let subject = match &attribute {
            Some(path) => at_path(&item, path, None)?,
            None => item.clone(),
        };
        let holds = match test {
            Some(test) => {
                let args: Vec<Value> = [subject].into_iter().chain(rest.iter().skip(1).cloned()).collect();
                state.perform_test(test, &args)?
            }
            None => subject.is_true(),
        };
        if holds == wanted {
            kept.push(item);
        }
    }
    Ok(List::value(kept))
}

fn sort(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, reverse, case_sensitive, attribute] = bind("sort", args, ["value", "reverse", "case_sensitive", "attribute"], 1)?;
    let case_sensitive = is_set(case_sensitive);
    let attributes: Option<Vec<Vec<Value>>> = given(attribute).map(|attribute| match attribute.as_str() {
        Some(names) => names.split(',').map(|name| path(&Value::from(name))).collect(),
        None => vec![path(&attribute)],
    });
    let mut keyed = Vec::new();
    for item in items(&value.unwrap_or_default())? {
        let key = match &attributes {
            None => folded(item.clone(), case_sensitive),
            Some(attributes) => {
                let keys: Result<Vec<Value>, Error> =
                    attributes.iter().map(|path| at_path(&item, path, None).map(|key| folded(key, case_sensitive))).collect();
                tuple(keys?)
            }
        };
        keyed.push((key, item));
    }
    sort_keyed(&mut keyed, is_set(reverse))?;
    Ok(List::value(keyed.into_iter().map(|(_, item)| item)))
}

fn unique(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, case_sensitive, attribute] = bind("unique", args, ["value", "case_sensitive", "attribute"], 1)?;
    let (case_sensitive, path) = (is_set(case_sensitive), given(attribute).map(|attribute| path(&attribute)).unwrap_or_default());
    let mut seen = indexmap::IndexSet::new();
    let mut kept = Vec::new();
    for item in items(&value.unwrap_or_default())? {
        if seen.insert(folded(at_path(&item, &path, None)?, case_sensitive)) {
            kept.push(item);
        }
    }
    Ok(List::value(kept))
}

fn extreme(args: &[Value], function: &str) -> Result<Value, Error> {
    let [value, case_sensitive, attribute] = bind(function, args, ["value", "case_sensitive", "attribute"], 1)?;
    let (case_sensitive, path) = (is_set(case_sensitive), given(attribute).map(|attribute| path(&attribute)).unwrap_or_default());
    let operator = if function == "min" { "<" } else { ">" };
    let mut best: Option<(Value, Value)> = None;
    for item in items(&value.unwrap_or_default())? {
        let key = folded(at_path(&item, &path, None)?, case_sensitive);
        let better = match &best {
            None => true,
            Some((held, _)) => {
                let found = order(operator, &key, held)?;
                if function == "min" { found.is_some_and(|found| found.is_lt()) } else { found.is_some_and(|found| found.is_gt()) }
            }
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Value::UNDEFINED, |(_, item)| item))
}

fn sum(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, attribute, start] = bind("sum", args, ["iterable", "attribute", "start"], 1)?;
    let path = given(attribute).map(|attribute| path(&attribute)).unwrap_or_default();
    let mut total = start.unwrap_or_else(|| Value::from(0));
    for item in items(&value.unwrap_or_default())? {
        total = add(&total, &at_path(&item, &path, None)?)?;
    }
    Ok(total)
}

fn join(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, separator, attribute] = bind("join", args, ["value", "d", "attribute"], 1)?;
    let path = given(attribute).map(|attribute| path(&attribute)).unwrap_or_default();
    let separator = separator.map_or_else(String::new, |separator| printed(&separator));
    let mut out = String::new();
    for (index, item) in items(&value.unwrap_or_default())?.iter().enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        out.push_str(&printed(&at_path(item, &path, None)?));
    }
    Ok(Value::from(out))
}

fn reverse(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("reverse", args, ["value"], 1)?;
    let value = value.unwrap_or_default();
    if let Some(text) = value.as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut all = items(&value)?;
    all.reverse();
    Ok(List::value(all))
}

fn length(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("length", args, ["value"], 1)?;
    let value = value.unwrap_or_default();
    match value.len() {
        Some(length) => Ok(Value::from(length)),
        None if matches!(value.kind(), ValueKind::Iterable | ValueKind::Undefined) => Ok(Value::from(items(&value)?.len())),
        None => Err(operation(format!("{} has no length", crate::jinja::python::named(&value)))),
    }
}

fn entries(function: &str, value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(Vec::new()),
        ValueKind::Map => value.try_iter()?.map(|key| value.get_item(&key).map(|item| (key, item))).collect(),
        _ => Err(Error::new(ErrorKind::InvalidOperation, format!("{function} takes a dictionary"))),
    }
}

fn pairs(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("items", args, ["value"], 1)?;
    let entries = entries("items", &value.unwrap_or_default())?;
    Ok(List::value(entries.into_iter().map(|(key, item)| tuple([key, item]))))
}

fn dict_sort(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, case_sensitive, by, reverse] = bind("dictsort", args, ["value", "case_sensitive", "by", "reverse"], 1)?;
    let case_sensitive = is_set(case_sensitive);
    let by_key = match text_or("dictsort", "by", by.as_ref(), "key")? {
        "key" => true,
        "value" => false,
        other => return Err(operation(format!("dictsort sorts by 'key' or 'value', not by '{other}'"))),
    };
    let mut keyed: Vec<(Value, Value)> = entries("dictsort", &value.unwrap_or_default())?
        .into_iter()
        .map(|(key, item)| {
            let by = if by_key { key.clone() } else { item.clone() };
            (folded(by, case_sensitive), tuple([key, item]))
        })
        .collect();
    sort_keyed(&mut keyed, is_set(reverse))?;
    Ok(List::value(keyed.into_iter().map(|(_, pair)| pair)))
}

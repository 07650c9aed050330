//! `modules.itertools`: the functions give lists, which loops read as they read iterators.

use minijinja::{Error, State, Value};

use super::Members;
use crate::jinja::python::{List, add, bind, int, items, number_of, tuple, whole, whole_or};
use crate::jinja::values::{operation, split_args};

pub(super) const MEMBERS: Members = &[
    "accumulate",
    "chain",
    "combinations",
    "combinations_with_replacement",
    "compress",
    "count",
    "cycle",
    "dropwhile",
    "filterfalse",
    "groupby",
    "islice",
    "pairwise",
    "permutations",
    "product",
    "repeat",
    "starmap",
    "takewhile",
    "tee",
    "zip_longest",
];

/// Longer results are a mistake; what never ends is given so far.
const MOST: usize = 100_000;

pub(super) fn call(state: &mut State<'_, '_>, name: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    Some(match name {
        "accumulate" => accumulate(state, args),
        "chain" => chain(args),
        "combinations" => choices(name, args, |at, last| at > last),
        "combinations_with_replacement" => choices(name, args, |at, last| at >= last),
        "permutations" => permutations(args),
        "product" => product(args),
        "compress" => compress(args),
        "count" => count(args),
        "cycle" => cycle(args),
        "repeat" => repeat(args),
        "dropwhile" | "takewhile" | "filterfalse" => by_predicate(state, name, args),
        "groupby" => group_by(state, args),
        "islice" => slice(args),
        "pairwise" => pairwise(args),
        "starmap" => star_map(state, args),
        "tee" => tee(args),
        "zip_longest" => zip_longest(args),
        _ => return None,
    })
}

fn too_many(name: &str) -> Error {
    operation(format!("{name}() would give more than {MOST} items"))
}

fn accumulate(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [list, function, initial] = bind("accumulate", args, ["iterable", "func", "initial"], 1)?;
    let function = function.filter(|function| !function.is_none());
    let mut total = initial.filter(|initial| !initial.is_none());
    let mut found: Vec<Value> = total.iter().cloned().collect();
    for item in items(&list.unwrap_or_default())? {
        let next = match (&total, &function) {
            (None, _) => item,
            (Some(total), None) => add(total, &item)?,
            (Some(total), Some(function)) => function.call(state, &[total.clone(), item])?,
        };
        found.push(next.clone());
        total = Some(next);
    }
    Ok(List::value(found))
}

fn chain(args: &[Value]) -> Result<Value, Error> {
    let mut found = Vec::new();
    for list in split_args(args).0 {
        found.extend(items(list)?);
    }
    Ok(List::value(found))
}

/// Choices in the order of the items; `follows` says which position may come after which.
fn choices(name: &str, args: &[Value], follows: fn(usize, usize) -> bool) -> Result<Value, Error> {
    let [list, length] = bind(name, args, ["iterable", "r"], 2)?;
    let all = items(&list.unwrap_or_default())?;
    let length = usize::try_from(whole(name, "r", &length.unwrap_or_default())?).map_err(|_| operation("r must not be negative"))?;
    selections(name, &all, length, &|chosen, at| chosen.last().is_none_or(|last| follows(at, *last)))
}

fn permutations(args: &[Value]) -> Result<Value, Error> {
    let [list, length] = bind("permutations", args, ["iterable", "r"], 1)?;
    let all = items(&list.unwrap_or_default())?;
    let length = whole_or("permutations", "r", length.as_ref(), i64::try_from(all.len()).unwrap_or(0))?;
    let length = usize::try_from(length).map_err(|_| operation("r must not be negative"))?;
    selections("permutations", &all, length, &|chosen, at| !chosen.contains(&at))
}

fn selections(name: &str, all: &[Value], length: usize, may: &dyn Fn(&[usize], usize) -> bool) -> Result<Value, Error> {
    let mut partial: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..length {
        let mut longer = Vec::new();
        for chosen in &partial {
            for at in (0..all.len()).filter(|at| may(chosen, *at)) {
                longer.push(chosen.iter().copied().chain([at]).collect());
                if longer.len() > MOST {
                    return Err(too_many(name));
                }
            }
        }
        partial = longer;
    }
    Ok(List::value(partial.into_iter().map(|chosen| tuple(chosen.into_iter().filter_map(|at| all.get(at).cloned())))))
}

fn product(args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let times = match named.iter().find(|(key, _)| key.as_str() == Some("repeat")) {
        Some((_, times)) => usize::try_from(whole("product", "repeat", times)?).unwrap_or(0),
        None => 1,
    };
    let lists: Vec<Vec<Value>> = positional.iter().map(items).collect::<Result<_, _>>()?;
    let mut found: Vec<Vec<Value>> = vec![Vec::new()];
    for _ in 0..times {
        for list in &lists {
            if found.len().saturating_mul(list.len()) > MOST {
                return Err(too_many("product"));
            }
            found =
                found.iter().flat_map(|start| list.iter().map(move |item| start.iter().cloned().chain([item.clone()]).collect())).collect();
        }
    }
    Ok(List::value(found.into_iter().map(tuple)))
}

fn compress(args: &[Value]) -> Result<Value, Error> {
    let [data, selectors] = bind("compress", args, ["data", "selectors"], 2)?;
    let (data, selectors) = (items(&data.unwrap_or_default())?, items(&selectors.unwrap_or_default())?);
    Ok(List::value(data.into_iter().zip(selectors).filter(|(_, chosen)| chosen.is_true()).map(|(item, _)| item)))
}

fn count(args: &[Value]) -> Result<Value, Error> {
    let [start, step] = bind("count", args, ["start", "step"], 0)?;
    let number = |value: Option<Value>, default: i64| {
        let value = value.unwrap_or_else(|| Value::from(default));
        number_of(&value).map(|_| value).ok_or_else(|| operation("count() takes numbers"))
    };
    let (start, step) = (number(start, 0)?, number(step, 1)?);
    let (first, by) = (start.as_i64(), step.as_i64());
    if let (Some(first), Some(by)) = (first, by) {
        return Ok(endless(move |at| int(i128::from(first) + i128::from(by) * at as i128)));
    }
    let as_float = |value: &Value| number_of(value).map_or(0.0, |number| number.to_f64());
    let (first, by) = (as_float(&start), as_float(&step));
    Ok(endless(move |at| if at == 0 { start.clone() } else { Value::from(first + by * at as f64) }))
}

/// Items without end, of which a loop takes what it wants.
fn endless(item: impl Fn(usize) -> Value + Send + Sync + Clone + 'static) -> Value {
    Value::make_iterable(move || {
        let item = item.clone();
        (0..MOST).map(item)
    })
}

fn cycle(args: &[Value]) -> Result<Value, Error> {
    let [list] = bind("cycle", args, ["iterable"], 1)?;
    let all = items(&list.unwrap_or_default())?;
    if all.is_empty() {
        return Ok(List::value([]));
    }
    Ok(endless(move |at| all.get(at % all.len()).cloned().unwrap_or_default()))
}

fn repeat(args: &[Value]) -> Result<Value, Error> {
    let [item, times] = bind("repeat", args, ["object", "times"], 1)?;
    let item = item.unwrap_or_default();
    let Some(times) = times.filter(|times| !times.is_none()) else { return Ok(endless(move |_| item.clone())) };
    let times = usize::try_from(whole("repeat", "times", &times)?).unwrap_or(0);
    if times > MOST { Err(too_many("repeat")) } else { Ok(List::value(std::iter::repeat_n(item, times))) }
}

fn by_predicate(state: &mut State<'_, '_>, name: &str, args: &[Value]) -> Result<Value, Error> {
    let [predicate, list] = bind(name, args, ["predicate", "iterable"], 2)?;
    let predicate = predicate.filter(|predicate| !predicate.is_none());
    let mut found = Vec::new();
    let mut dropping = true;
    for item in items(&list.unwrap_or_default())? {
        let holds = match &predicate {
            Some(predicate) => predicate.call(state, std::slice::from_ref(&item))?.is_true(),
            None => item.is_true(),
        };
        dropping &= holds;
        match name {
            "takewhile" if !holds => break,
            "dropwhile" if dropping => {}
            "filterfalse" if holds => {}
            _ => found.push(item),
        }
    }
    Ok(List::value(found))
}

fn group_by(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [list, key] = bind("groupby", args, ["iterable", "key"], 1)?;
    let key = key.filter(|key| !key.is_none());
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in items(&list.unwrap_or_default())? {
        let by = match &key {
            Some(key) => key.call(state, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        match groups.last_mut() {
            Some((last, held)) if crate::jinja::python::equal(last, &by) => held.push(item),
            _ => groups.push((by, vec![item])),
        }
    }
    Ok(List::value(groups.into_iter().map(|(by, held)| tuple([by, List::value(held)]))))
}

fn slice(args: &[Value]) -> Result<Value, Error> {
    let (positional, _) = split_args(args);
    let bound = |at: usize| -> Result<Option<usize>, Error> {
        match positional.get(at) {
            Some(value) if !value.is_none() => {
                let index = whole("islice", "stop", value)?;
                usize::try_from(index).map(Some).map_err(|_| operation("islice() takes no negative numbers"))
            }
            _ => Ok(None),
        }
    };
    let list = positional.first().ok_or_else(|| operation("islice() takes an iterable"))?;
    let (start, stop) = if positional.len() == 2 { (None, bound(1)?) } else { (bound(1)?, bound(2)?) };
    let step = bound(3)?.unwrap_or(1);
    if step == 0 {
        return Err(operation("the step of islice() must not be zero"));
    }
    let start = start.unwrap_or(0);
    let taken = list.try_iter()?.take(stop.unwrap_or(usize::MAX)).skip(start).step_by(step);
    Ok(List::value(taken))
}

fn pairwise(args: &[Value]) -> Result<Value, Error> {
    let [list] = bind("pairwise", args, ["iterable"], 1)?;
    let all = items(&list.unwrap_or_default())?;
    Ok(List::value(all.windows(2).map(|pair| tuple(pair.iter().cloned()))))
}

fn star_map(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [function, list] = bind("starmap", args, ["function", "iterable"], 2)?;
    let function = function.unwrap_or_default();
    let mut found = Vec::new();
    for args in items(&list.unwrap_or_default())? {
        found.push(function.call(state, &items(&args)?)?);
    }
    Ok(List::value(found))
}

fn tee(args: &[Value]) -> Result<Value, Error> {
    let [list, times] = bind("tee", args, ["iterable", "n"], 1)?;
    let all = items(&list.unwrap_or_default())?;
    let times = usize::try_from(whole_or("tee", "n", times.as_ref(), 2)?).unwrap_or(0).min(1_000);
    Ok(tuple((0..times).map(|_| List::value(all.iter().cloned()))))
}

fn zip_longest(args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let fill = named.into_iter().find(|(key, _)| key.as_str() == Some("fillvalue")).map_or(Value::from(()), |(_, fill)| fill);
    let lists: Vec<Vec<Value>> = positional.iter().map(items).collect::<Result<_, _>>()?;
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| tuple(lists.iter().map(|list| list.get(at).cloned().unwrap_or_else(|| fill.clone())));
    Ok(List::value((0..longest).map(row)))
}

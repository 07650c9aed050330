//! Python's rules for the arguments of functions and methods.

use minijinja::{Error, Value};

use crate::diag::{codes, nearest};
use crate::jinja::failure::{raise, raise_with};
use crate::jinja::values::split_args;

/// The arguments by the names of the parameters; the first `required` of them must be given.
pub(in crate::jinja) fn bind<const N: usize>(
    function: &str,
    args: &[Value],
    names: [&str; N],
    required: usize,
) -> Result<[Option<Value>; N], Error> {
    let mut bound: [Option<Value>; N] = std::array::from_fn(|_| None);
    let (positional, named) = split_args(args);
    if positional.len() > N {
        let most = match N {
            0 => "no arguments".to_owned(),
            1 => "1 argument".to_owned(),
            many => format!("{many} arguments"),
        };
        return Err(raise(&codes::WRONG_ARGUMENTS, format!("{function}() takes at most {most}, {} are given", positional.len())));
    }
    for (slot, value) in bound.iter_mut().zip(positional) {
        *slot = Some(value.clone());
    }
    for (key, value) in named {
        let name = key.as_str().unwrap_or_default();
        let Some(at) = names.iter().position(|known| *known == name) else {
            let near = nearest(name, names.iter().copied());
            let help = near.map(|near| format!("did you mean '{near}'?")).into_iter().collect();
            return Err(raise_with(&codes::WRONG_ARGUMENTS, format!("{function}() has no argument '{name}'"), help));
        };
        match bound.get_mut(at) {
            Some(slot) if slot.is_none() => *slot = Some(value),
            _ => return Err(raise(&codes::WRONG_ARGUMENTS, format!("{function}() is given argument '{name}' twice"))),
        }
    }
    let missing = names.iter().zip(&bound).take(required).find(|(_, value)| value.is_none());
    match missing {
        Some((name, _)) => Err(raise(&codes::WRONG_ARGUMENTS, format!("{function}() needs the argument '{name}'"))),
        None => Ok(bound),
    }
}

/// A whole number that an argument must be.
pub(in crate::jinja) fn whole(function: &str, name: &str, value: &Value) -> Result<i64, Error> {
    value.as_i64().ok_or_else(|| {
        raise(&codes::WRONG_ARGUMENTS, format!("{function}() takes an integer as '{name}', not {}", super::type_name(value)))
    })
}

/// As [`whole`], of an argument that may be left out or none.
pub(in crate::jinja) fn whole_or(function: &str, name: &str, value: Option<&Value>, default: i64) -> Result<i64, Error> {
    match value {
        Some(value) if !value.is_none() => whole(function, name, value),
        _ => Ok(default),
    }
}

/// A text that an argument must be.
pub(in crate::jinja) fn text<'v>(function: &str, name: &str, value: &'v Value) -> Result<&'v str, Error> {
    value
        .as_str()
        .ok_or_else(|| raise(&codes::WRONG_ARGUMENTS, format!("{function}() takes a string as '{name}', not {}", super::type_name(value))))
}

/// As [`text`], of an argument that may be left out or none.
pub(in crate::jinja) fn text_or<'v>(function: &str, name: &str, value: Option<&'v Value>, default: &'v str) -> Result<&'v str, Error> {
    match value {
        Some(value) if !value.is_none() => text(function, name, value),
        _ => Ok(default),
    }
}

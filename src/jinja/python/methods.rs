//! Methods of values that are not objects of ours: texts, numbers, tuples and what the engine makes itself.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, State, Value};

use super::arguments::bind;
use super::number::{self, Number, int};
use super::{Dict, List, list, no_method, string, tuple, undefined};
use crate::diag::codes;
use crate::jinja::failure::raise;
use crate::jinja::values::operation;

/// What the engine asks when a value has no method of that name.
pub(super) fn unknown_method(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if matches!(value.kind(), ValueKind::Map | ValueKind::Plain)
        && let Ok(held) = value.get_attr(method)
        && !held.is_undefined()
    {
        return held.call(state, args);
    }
    match value.kind() {
        ValueKind::String => string::method(value.as_str().unwrap_or_default(), method, args),
        ValueKind::Number | ValueKind::Bool => number_method(value, method, args),
        ValueKind::Undefined => Err(undefined(value).unwrap_or_else(|| operation("an undefined value has no methods"))),
        ValueKind::Seq if value.is_tuple() => {
            let held: &[Value] = value.downcast_object_ref::<Tuple>().map_or(&[], |tuple| tuple);
            list::look(held, method, args)?.ok_or_else(|| no_method(value, method, &["count", "index"]))
        }
        ValueKind::Seq => List::value(value.try_iter()?).call_method(state, method, args),
        ValueKind::Map if value.downcast_object_ref::<Dict>().is_none() && value.len().is_some() => {
            let entries: Result<Vec<_>, Error> = value.try_iter()?.map(|key| value.get_item(&key).map(|item| (key, item))).collect();
            Dict::value(entries?).call_method(state, method, args)
        }
        ValueKind::None => Err(raise(&codes::JINJA_ERROR, format!("None has no method '{method}'"))),
        _ => Err(no_method(value, method, &[])),
    }
}

const INT_METHODS: &[&str] = &["bit_length", "bit_count", "conjugate", "as_integer_ratio", "is_integer"];
const FLOAT_METHODS: &[&str] = &["is_integer", "conjugate", "as_integer_ratio", "hex"];

fn number_method(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let [] = bind(method, args, [], 0)?;
    match (number::of(value), method) {
        (Some(number), "conjugate") => Ok(number.into_value()),
        (Some(Number::Int(whole)), "bit_length") => Ok(Value::from(128 - whole.unsigned_abs().leading_zeros())),
        (Some(Number::Int(whole)), "bit_count") => Ok(Value::from(whole.unsigned_abs().count_ones())),
        (Some(Number::Int(whole)), "as_integer_ratio") => Ok(tuple([int(whole), Value::from(1)])),
        (Some(Number::Int(_)), "is_integer") => Ok(Value::from(true)),
        (Some(Number::Float(fraction)), "is_integer") => Ok(Value::from(fraction.is_finite() && fraction.fract() == 0.0)),
        (Some(Number::Float(fraction)), "as_integer_ratio") => integer_ratio(fraction),
        (Some(Number::Int(_)), _) => Err(no_method(value, method, INT_METHODS)),
        _ => Err(no_method(value, method, FLOAT_METHODS)),
    }
}

fn integer_ratio(fraction: f64) -> Result<Value, Error> {
    let mut denominator: i128 = 1;
    let mut numerator = fraction;
    while numerator.is_finite() && numerator.fract() != 0.0 && denominator < (1 << 100) {
        numerator *= 2.0;
        denominator *= 2;
    }
    if !numerator.is_finite() || numerator.abs() > 1e37 {
        return Err(operation("the number is no ratio of integers that fit"));
    }
    Ok(tuple([int(numerator as i128), int(denominator)]))
}

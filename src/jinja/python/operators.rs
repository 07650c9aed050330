//! Python's operators, under the names by which templates are rewritten to call them.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, Value};

use super::compare::compare;
use super::decimal::Decimal;
use super::list::{List, bound};
use super::number::{self, Number, int};
use super::set::Set;
use super::{Dict, no_operator, tuple, undefined};
use crate::jinja::values::operation;

/// Longer results are a mistake, or a way to fill the memory.
const LONGEST: usize = 100_000_000;

pub(super) fn add_operators(env: &mut Environment<'static>) {
    env.add_function("__list", |items: Value| -> Result<Value, Error> { Ok(List::value(items.try_iter()?)) });
    env.add_function("__dict", |items: Value| -> Result<Value, Error> {
        let keys: Vec<Value> = items.try_iter()?.collect();
        let pairs: Result<Vec<_>, _> = keys.into_iter().map(|key| items.get_item(&key).map(|value| (key, value))).collect();
        Ok(Dict::value(pairs?))
    });
    env.add_function("__do", |_: Value| "");
    env.add_function("__add", |left: Value, right: Value| add(&left, &right));
    env.add_function("__sub", |left: Value, right: Value| subtract(&left, &right));
    env.add_function("__mul", |left: Value, right: Value| multiply(&left, &right));
    env.add_function("__div", |left: Value, right: Value| divide(&left, &right));
    env.add_function("__floordiv", |left: Value, right: Value| floor_divide(&left, &right));
    env.add_function("__mod", |left: Value, right: Value| modulo(&left, &right));
    env.add_function("__pow", |left: Value, right: Value| power(&left, &right));
    env.add_function("__neg", |value: Value| negate(&value));
    env.add_function("__pos", |value: Value| match number::of(&value) {
        Some(_) => Ok(value),
        None => Err(undefined(&value).unwrap_or_else(|| operation(format!("'+' does not work on {}", super::type_name(&value))))),
    });
    for (name, operator) in [("__eq", "=="), ("__ne", "!="), ("__lt", "<"), ("__le", "<="), ("__gt", ">"), ("__ge", ">=")] {
        env.add_function(name, move |left: Value, right: Value| compare(operator, &left, &right));
    }
    env.add_function("__compare", |parts: Rest<Value>| chain(&parts));
    env.add_function("__slice", |value: Value, start: Value, stop: Value, step: Value| slice(&value, &start, &stop, &step));
}

/// `a < b <= c`, as operands with operators between them.
fn chain(parts: &[Value]) -> Result<bool, Error> {
    for triple in parts.windows(3).step_by(2) {
        if let [left, operator, right] = triple
            && !compare(operator.as_str().unwrap_or("=="), left, right)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_list(value: &Value) -> bool {
    value.kind() == ValueKind::Seq && !value.is_tuple()
}

fn too_large() -> Error {
    operation("the result of the calculation is too large")
}

/// Both operands as decimals, when one is and the other may be used with it.
fn decimals(left: &Number, right: &Number) -> Option<(Decimal, Decimal)> {
    match (left, right) {
        (Number::Decimal(left), Number::Decimal(right)) => Some((left.clone(), right.clone())),
        (Number::Decimal(left), Number::Int(right)) => Some((left.clone(), Decimal::from_int(*right))),
        (Number::Int(left), Number::Decimal(right)) => Some((Decimal::from_int(*left), right.clone())),
        _ => None,
    }
}

/// Python keeps exact and binary fractions apart.
fn mixed(operator: &str, left: &Value, right: &Value) -> Error {
    use crate::diag::codes;
    use crate::jinja::failure::raise_with;
    let message = format!("'{operator}' does not work between {} and {}", super::type_name(left), super::type_name(right));
    raise_with(&codes::JINJA_ERROR, message, vec!["convert one of them: '| float' of the Decimal".to_owned()])
}

fn arithmetic(
    operator: &str,
    left: &Value,
    right: &Value,
    ints: impl FnOnce(i128, i128) -> Result<Value, Error>,
    floats: impl FnOnce(f64, f64) -> Result<Value, Error>,
    exact: impl FnOnce(&Decimal, &Decimal) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let (Some(a), Some(b)) = (number::of(left), number::of(right)) else {
        let dated = super::datetime::operate(operator, left, right);
        return dated.unwrap_or_else(|| Err(no_operator(operator, left, right)));
    };
    match (&a, &b) {
        (Number::Int(a), Number::Int(b)) => ints(*a, *b),
        (Number::Decimal(_), Number::Float(_)) | (Number::Float(_), Number::Decimal(_)) => Err(mixed(operator, left, right)),
        _ => match decimals(&a, &b) {
            Some((a, b)) => exact(&a, &b),
            None => floats(a.to_f64(), b.to_f64()),
        },
    }
}

/// `left + right`
pub(in crate::jinja) fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(Value::from(format!("{left}{right}")));
    }
    if is_list(left) && is_list(right) {
        return Ok(List::value(left.try_iter()?.chain(right.try_iter()?)));
    }
    if left.is_tuple() && right.is_tuple() {
        return Ok(tuple(left.try_iter()?.chain(right.try_iter()?)));
    }
    arithmetic(
        "+",
        left,
        right,
        |a, b| a.checked_add(b).map(int).ok_or_else(too_large),
        |a, b| Ok(Value::from(a + b)),
        |a, b| Ok(a.add(b).into_value()),
    )
}

fn subtract(left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(lefts), Some(rights)) = (left.downcast_object_ref::<Set>(), right.downcast_object_ref::<Set>()) {
        return Ok(lefts.combined("difference", rights));
    }
    arithmetic(
        "-",
        left,
        right,
        |a, b| a.checked_sub(b).map(int).ok_or_else(too_large),
        |a, b| Ok(Value::from(a - b)),
        |a, b| Ok(a.sub(b).into_value()),
    )
}

fn multiply(left: &Value, right: &Value) -> Result<Value, Error> {
    for (value, times) in [(left, right), (right, left)] {
        if matches!(times.kind(), ValueKind::Number | ValueKind::Bool)
            && let Some(times) = number::of(times)
            && let Some(repeated) = repeat(value, &times)?
        {
            return Ok(repeated);
        }
    }
    arithmetic(
        "*",
        left,
        right,
        |a, b| a.checked_mul(b).map(int).ok_or_else(too_large),
        |a, b| Ok(Value::from(a * b)),
        |a, b| Ok(a.mul(b).into_value()),
    )
}

/// A text or sequence so many times behind itself.
fn repeat(value: &Value, times: &Number) -> Result<Option<Value>, Error> {
    let Number::Int(times) = times else { return Ok(None) };
    let times = usize::try_from((*times).max(0)).map_err(|_| too_large())?;
    let fits = |len: usize| if len.saturating_mul(times) > LONGEST { Err(too_large()) } else { Ok(()) };
    if let Some(text) = value.as_str() {
        fits(text.len())?;
        return Ok(Some(Value::from(text.repeat(times))));
    }
    if value.kind() != ValueKind::Seq {
        return Ok(None);
    }
    let items: Vec<Value> = value.try_iter()?.collect();
    fits(items.len())?;
    let repeated = std::iter::repeat_n(&items, times).flatten().cloned();
    Ok(Some(if value.is_tuple() { tuple(repeated) } else { List::value(repeated) }))
}

fn by_zero() -> Error {
    operation("division by zero")
}

fn divide(left: &Value, right: &Value) -> Result<Value, Error> {
    let floats = |a: f64, b: f64| if b == 0.0 { Err(by_zero()) } else { Ok(Value::from(a / b)) };
    arithmetic("/", left, right, |a, b| floats(a as f64, b as f64), floats, |a, b| a.div(b).map(Decimal::into_value).ok_or_else(by_zero))
}

/// Quotient rounded down, and the rest with the sign of the divisor.
fn floor_parts(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = ((a - rest) / b).round();
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if rest == 0.0 {
        rest = 0.0_f64.copysign(b);
    }
    (quotient, rest)
}

fn floor_divide(left: &Value, right: &Value) -> Result<Value, Error> {
    arithmetic(
        "//",
        left,
        right,
        |a, b| {
            let quotient = a.checked_div_euclid(b).ok_or_else(by_zero)?;
            // Euclid's quotient rounds so that the rest is positive, Python's rounds down.
            let down = if b < 0 && a.rem_euclid(b) != 0 { quotient - 1 } else { quotient };
            Ok(int(down))
        },
        |a, b| if b == 0.0 { Err(by_zero()) } else { Ok(Value::from(floor_parts(a, b).0)) },
        |a, b| a.div_rem(b).map(|(quotient, _)| quotient.into_value()).ok_or_else(by_zero),
    )
}

/// `left % right`
pub(in crate::jinja) fn modulo(left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(format) = left.as_str() {
        return super::format::percent(format, right).map(Value::from);
    }
    arithmetic(
        "%",
        left,
        right,
        |a, b| {
            let rest = a.checked_rem_euclid(b).ok_or_else(by_zero)?;
            Ok(int(if b < 0 && rest != 0 { rest + b } else { rest }))
        },
        |a, b| if b == 0.0 { Err(by_zero()) } else { Ok(Value::from(floor_parts(a, b).1)) },
        |a, b| a.div_rem(b).map(|(_, rest)| rest.into_value()).ok_or_else(by_zero),
    )
}

fn power(left: &Value, right: &Value) -> Result<Value, Error> {
    let floats = |a: f64, b: f64| {
        if a == 0.0 && b < 0.0 {
            return Err(by_zero());
        }
        let raised = a.powf(b);
        if raised.is_nan() && !a.is_nan() && !b.is_nan() {
            return Err(operation("a negative number is raised to a fraction"));
        }
        if raised.is_infinite() && a.is_finite() && b.is_finite() { Err(too_large()) } else { Ok(Value::from(raised)) }
    };
    arithmetic(
        "**",
        left,
        right,
        |a, b| {
            if b < 0 {
                return floats(a as f64, b as f64);
            }
            u32::try_from(b).ok().and_then(|b| a.checked_pow(b)).map(int).ok_or_else(too_large)
        },
        floats,
        |a, b| {
            let whole = b.to_int(super::Rounding::Down).filter(|whole| Decimal::from_int(*whole).compare(b).is_eq());
            let whole = whole.and_then(|whole| i64::try_from(whole).ok());
            let raised = match whole {
                Some(whole) => a.pow(whole),
                None => Decimal::parse(&number::float_text(a.to_f64().powf(b.to_f64()))),
            };
            raised.map(Decimal::into_value).ok_or_else(too_large)
        },
    )
}

fn negate(value: &Value) -> Result<Value, Error> {
    match number::of(value) {
        Some(Number::Int(whole)) => whole.checked_neg().map(int).ok_or_else(too_large),
        Some(Number::Float(fraction)) => Ok(Value::from(-fraction)),
        Some(Number::Decimal(decimal)) => Ok(decimal.neg().into_value()),
        None if super::datetime::DeltaValue::of(value).is_some() => multiply(value, &Value::from(-1)),
        None => Err(undefined(value).unwrap_or_else(|| operation(format!("'-' does not work on {}", super::type_name(value))))),
    }
}

/// `value[start:stop:step]`
fn slice(value: &Value, start: &Value, stop: &Value, step: &Value) -> Result<Value, Error> {
    let part = |value: &Value| -> Result<Option<i64>, Error> {
        if value.is_none() {
            return Ok(None);
        }
        value.as_i64().map(Some).ok_or_else(|| operation(format!("a slice takes integers, not {}", super::type_name(value))))
    };
    let (start, stop, step) = (part(start)?, part(stop)?, part(step)?.unwrap_or(1));
    if step == 0 {
        return Err(operation("the step of a slice cannot be zero"));
    }
    if let Some(text) = value.as_str() {
        let chars: Vec<char> = text.chars().collect();
        let chosen: String = chosen(chars.len(), start, stop, step).filter_map(|at| chars.get(at)).collect();
        return Ok(Value::from(chosen));
    }
    match value.kind() {
        // dbt's undefined values give themselves for every key.
        ValueKind::Undefined => Ok(value.clone()),
        ValueKind::Seq | ValueKind::Iterable if value.downcast_object_ref::<Set>().is_none() => {
            let items: Vec<Value> = value.try_iter()?.collect();
            let found = chosen(items.len(), start, stop, step).filter_map(|at| items.get(at).cloned());
            Ok(if value.is_tuple() { tuple(found) } else { List::value(found) })
        }
        _ => Err(operation(format!("{} cannot be sliced", super::with_article(super::type_name(value))))),
    }
}

/// The offsets that a slice chooses.
fn chosen(len: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> Box<dyn Iterator<Item = usize>> {
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    if step > 0 {
        let from = start.map_or(0, |start| bound(start, len));
        let to = stop.map_or(len, |stop| bound(stop, len));
        return Box::new((from..to.max(from)).step_by(stride));
    }
    // Backwards the bounds lie one lower: before the first, or on the last.
    let len_i = i64::try_from(len).unwrap_or(i64::MAX);
    let clamp = |index: i64| if index < 0 { (len_i + index).max(-1) } else { index.min(len_i - 1) };
    let from = start.map_or(len_i - 1, clamp);
    let to = stop.map_or(-1, clamp);
    let count = usize::try_from(from - to).unwrap_or(0);
    Box::new((0..count).step_by(stride).filter_map(move |down| usize::try_from(from - i64::try_from(down).ok()?).ok()))
}

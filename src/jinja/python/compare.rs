//! Python's comparisons.

use std::cell::Cell;
use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::decimal::Decimal;
use super::number::{self, Number};
use super::set::Set;
use super::{no_operator, undefined};

/// `left == right`
pub(in crate::jinja) fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return left == right;
    }
    match (left.kind(), right.kind()) {
        (ValueKind::Number | ValueKind::Bool, ValueKind::Number | ValueKind::Bool) => left == right,
        (ValueKind::Plain, ValueKind::Number | ValueKind::Bool) | (ValueKind::Number | ValueKind::Bool, ValueKind::Plain) => {
            matches!((number::of(left), number::of(right)), (Some(left), Some(right)) if numbers(&left, &right) == Some(Ordering::Equal))
        }
        (ValueKind::Seq | ValueKind::Iterable, ValueKind::Seq | ValueKind::Iterable) => sequences_equal(left, right),
        (ValueKind::Map, ValueKind::Map) => left == right || maps_equal(left, right),
        (ValueKind::Undefined, ValueKind::None) | (ValueKind::None, ValueKind::Undefined) => false,
        _ => left == right,
    }
}

fn sequences_equal(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (left.downcast_object_ref::<Set>(), right.downcast_object_ref::<Set>()) {
        return left.equals(right);
    }
    let is_set = |value: &Value| value.downcast_object_ref::<Set>().is_some();
    if left.is_tuple() != right.is_tuple() || is_set(left) != is_set(right) || left.len() != right.len() {
        return false;
    }
    let (Ok(lefts), Ok(rights)) = (left.try_iter(), right.try_iter()) else { return false };
    nested(|| lefts.zip(rights).all(|(left, right)| equal(&left, &right))).unwrap_or(false)
}

fn maps_equal(left: &Value, right: &Value) -> bool {
    let (Ok(mut keys), true) = (left.try_iter(), left.len() == right.len()) else { return false };
    let same = |key: Value| match (left.get_item(&key), right.get_item(&key)) {
        (Ok(left), Ok(right)) => !right.is_undefined() && equal(&left, &right),
        _ => false,
    };
    nested(|| keys.all(same)).unwrap_or(false)
}

/// A list that holds itself would be compared for ever.
pub(super) fn nested<T>(compare: impl FnOnce() -> T) -> Option<T> {
    const MOST: usize = 200;
    thread_local!(static DEPTH: Cell<usize> = const { Cell::new(0) });
    DEPTH.with(|depth| {
        if depth.get() >= MOST {
            return None;
        }
        depth.set(depth.get() + 1);
        let found = compare();
        depth.set(depth.get() - 1);
        Some(found)
    })
}

/// `None` for what has no order: not-a-number.
pub(super) fn numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => Some(left.cmp(right)),
        (Number::Float(left), Number::Float(right)) => left.partial_cmp(right),
        (Number::Float(left), other) => float_against(*left, other),
        (other, Number::Float(right)) => float_against(*right, other).map(Ordering::reverse),
        (left, right) => Some(decimal(left)?.compare(&decimal(right)?)),
    }
}

fn float_against(float: f64, other: &Number) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    match Decimal::from_float_exactly(float) {
        Some(exact) => Some(exact.compare(&decimal(other)?)),
        None => Some(if float > 0.0 { Ordering::Greater } else { Ordering::Less }),
    }
}

fn decimal(number: &Number) -> Option<Decimal> {
    match number {
        Number::Int(whole) => Some(Decimal::from_int(*whole)),
        Number::Decimal(decimal) => Some(decimal.clone()),
        Number::Float(_) => None,
    }
}

/// The order of two values, which must be of comparable types. `operator` is for the message.
pub(in crate::jinja) fn order(operator: &str, left: &Value, right: &Value) -> Result<Option<Ordering>, Error> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(Some(left.cmp(right)));
    }
    if let (Some(left), Some(right)) = (number::of(left), number::of(right)) {
        return Ok(numbers(&left, &right));
    }
    let sequence = |value: &Value| value.kind() == ValueKind::Seq;
    if sequence(left) && sequence(right) && left.is_tuple() == right.is_tuple() {
        let (lefts, rights) = (left.try_iter()?, right.try_iter()?);
        return nested(|| {
            for (left, right) in lefts.zip(rights) {
                if !equal(&left, &right) {
                    return order(operator, &left, &right);
                }
            }
            Ok(Some(left.len().cmp(&right.len())))
        })
        .unwrap_or(Ok(None));
    }
    if left.kind() == ValueKind::Plain
        && let (Some(left), Some(right)) = (left.as_object(), right.as_object())
        && let Some(ordering) = super::ordered_objects(left, right)
    {
        return Ok(Some(ordering));
    }
    Err(no_operator(operator, left, right))
}

/// One comparison by its operator.
pub(in crate::jinja) fn compare(operator: &str, left: &Value, right: &Value) -> Result<bool, Error> {
    match operator {
        "==" => return Ok(equal(left, right)),
        "!=" => return Ok(!equal(left, right)),
        _ => {}
    }
    if let Some(error) = undefined(left).or_else(|| undefined(right)) {
        return Err(error);
    }
    if let (Some(lefts), Some(rights)) = (left.downcast_object_ref::<Set>(), right.downcast_object_ref::<Set>()) {
        return Ok(match operator {
            "<" => lefts.is_within(rights) && !lefts.equals(rights),
            "<=" => lefts.is_within(rights),
            ">" => rights.is_within(lefts) && !lefts.equals(rights),
            _ => rights.is_within(lefts),
        });
    }
    let found = order(operator, left, right)?;
    Ok(match operator {
        "<" => found == Some(Ordering::Less),
        "<=" => matches!(found, Some(Ordering::Less | Ordering::Equal)),
        ">" => found == Some(Ordering::Greater),
        _ => matches!(found, Some(Ordering::Greater | Ordering::Equal)),
    })
}

/// `value in container`
///
/// # Errors
/// When the container cannot hold anything.
pub(in crate::jinja) fn contains(container: &Value, value: &Value) -> Result<bool, Error> {
    match container.kind() {
        ValueKind::String => match (container.as_str(), value.as_str()) {
            (Some(container), Some(value)) => Ok(container.contains(value)),
            _ => Err(no_operator("in", value, container)),
        },
        ValueKind::Map => Ok(!container.get_item(value)?.is_undefined()),
        ValueKind::Seq | ValueKind::Iterable => Ok(container.try_iter()?.any(|item| equal(&item, value))),
        ValueKind::Undefined => Ok(false),
        _ => Err(no_operator("in", value, container)),
    }
}

/// `left is right`
pub(in crate::jinja) fn same(left: &Value, right: &Value) -> bool {
    match (left.as_object(), right.as_object()) {
        (Some(lefts), Some(rights)) => std::ptr::addr_eq(address(lefts), address(rights)),
        (None, None) => left.kind() == right.kind() && left.is_integer() == right.is_integer() && left == right,
        _ => false,
    }
}

fn address(object: &minijinja::value::DynObject) -> *const () {
    std::ptr::from_ref(object).cast()
}

//! Python's dates and times.

mod calendar;
mod moment;
mod span;
mod text;
mod zone;

use minijinja::{Error, Value};

pub(in crate::jinja) use calendar::{DateValue, TimeValue, from_ordinal, zone};
pub(in crate::jinja) use moment::DateTimeValue;
pub(in crate::jinja) use span::DeltaValue;
pub(in crate::jinja) use text::{parse_date, parse_datetime, parse_format, parse_time, strftime};
pub(in crate::jinja) use zone::{Zone, names as zone_names};

use crate::jinja::python::no_operator;
use crate::jinja::values::operation;

/// Arithmetic with dates and times; `None` when neither operand is one.
pub(super) fn operate(operator: &str, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let is_one = |value: &Value| {
        DateValue::of(value).is_some()
            || DateTimeValue::of(value).is_some()
            || TimeValue::of(value).is_some()
            || DeltaValue::of(value).is_some()
    };
    if !is_one(left) && !is_one(right) {
        return None;
    }
    Some(calculate(operator, left, right).unwrap_or_else(|| Err(no_operator(operator, left, right))))
}

fn calculate(operator: &str, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let (left_span, right_span) = (DeltaValue::of(left), DeltaValue::of(right));
    if let (Some(at), "-") = (DateTimeValue::of(left), operator)
        && let Some(other) = DateTimeValue::of(right)
    {
        return Some(at.since(&other).map(DeltaValue::into_value));
    }
    if let (Some(at), "-") = (DateValue::of(left), operator)
        && let Some(other) = DateValue::of(right)
    {
        return Some(Ok(at.since(&other).into_value()));
    }
    let moved = match (operator, &left_span, &right_span) {
        ("+" | "-", None, Some(span)) => Some((left, if operator == "-" { span.negated() } else { span.clone() })),
        ("+", Some(span), None) => Some((right, span.clone())),
        _ => None,
    };
    if let Some((at, span)) = moved {
        if let Some(at) = DateTimeValue::of(at) {
            return Some(at.moved(&span).map(DateTimeValue::into_value));
        }
        if let Some(at) = DateValue::of(at) {
            return Some(at.moved(&span).map(DateValue::into_value));
        }
    }
    span::calculate(operator, left, right)
}

/// A moment of UTC.
pub(in crate::jinja) fn moment_value(at: jiff::civil::DateTime) -> Value {
    match jiff::tz::Offset::UTC.to_timestamp(at) {
        Ok(instant) => DateTimeValue::at(instant, &Zone::utc()).into_value(),
        Err(_) => Value::from(crate::base::utc_text(at)),
    }
}

fn out_of_range() -> Error {
    operation("the date is beyond the years 1 to 9999")
}

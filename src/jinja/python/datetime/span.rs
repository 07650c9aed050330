//! `timedelta`

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use crate::jinja::python::{Number, bind, int, no_method, number_of};
use crate::jinja::values::operation;

/// A length of time in microseconds.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::jinja) struct DeltaValue {
    micros: i128,
}

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;
/// Python's limit, in days.
const MOST_DAYS: i128 = 999_999_999;

impl DeltaValue {
    pub(in crate::jinja) fn new(micros: i128) -> DeltaValue {
        DeltaValue { micros }
    }

    pub(in crate::jinja) fn of(value: &Value) -> Option<DeltaValue> {
        value.downcast_object_ref::<DeltaValue>().cloned()
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    pub(in crate::jinja) fn micros(&self) -> i128 {
        self.micros
    }

    pub(super) fn negated(&self) -> DeltaValue {
        DeltaValue { micros: -self.micros }
    }

    /// `timedelta(days=…, …)`
    pub(in crate::jinja) fn construct(args: &[Value]) -> Result<Value, Error> {
        let names = ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"];
        let units = [DAY, SECOND, 1, 1_000, 60 * SECOND, 3_600 * SECOND, 7 * DAY];
        let given = bind("timedelta", args, names, 0)?;
        let mut micros: i128 = 0;
        for ((value, unit), name) in given.iter().zip(units).zip(names) {
            let Some(value) = value else { continue };
            let wrong = || operation(format!("timedelta() takes a number of {name}"));
            micros += match number_of(value).ok_or_else(wrong)? {
                Number::Int(whole) => whole.checked_mul(unit).ok_or_else(too_long)?,
                other => round_half_even(other.to_f64() * unit as f64),
            };
        }
        checked(micros).map(DeltaValue::into_value)
    }

    fn parts(&self) -> (i128, i128, i128) {
        let rest = self.micros.rem_euclid(DAY);
        (self.micros.div_euclid(DAY), rest / SECOND, rest % SECOND)
    }
}

fn too_long() -> Error {
    operation("the timedelta is too long")
}

fn checked(micros: i128) -> Result<DeltaValue, Error> {
    if micros.div_euclid(DAY).abs() > MOST_DAYS { Err(too_long()) } else { Ok(DeltaValue { micros }) }
}

fn round_half_even(value: f64) -> i128 {
    let floor = value.floor();
    let above = value - floor;
    let floor_is_even = (floor / 2.0).fract() == 0.0;
    let rounded = if above > 0.5 || (above == 0.5 && !floor_is_even) { floor + 1.0 } else { floor };
    rounded as i128
}

pub(super) fn calculate(operator: &str, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let spans = (DeltaValue::of(left), DeltaValue::of(right));
    let made = |micros: i128| Some(checked(micros).map(DeltaValue::into_value));
    let by_zero = || Some(Err(operation("division by zero")));
    match (operator, spans) {
        ("+", (Some(left), Some(right))) => made(left.micros + right.micros),
        ("-", (Some(left), Some(right))) => made(left.micros - right.micros),
        ("/" | "//" | "%", (_, Some(right))) if right.micros == 0 => by_zero(),
        ("/", (Some(left), Some(right))) => Some(Ok(Value::from(left.micros as f64 / right.micros as f64))),
        ("//", (Some(left), Some(right))) => {
            let (quotient, rest) = (left.micros.div_euclid(right.micros), left.micros.rem_euclid(right.micros));
            Some(Ok(int(if right.micros < 0 && rest != 0 { quotient - 1 } else { quotient })))
        }
        ("%", (Some(left), Some(right))) => {
            let rest = left.micros.rem_euclid(right.micros);
            made(if right.micros < 0 && rest != 0 { rest + right.micros } else { rest })
        }
        ("*", (Some(span), None)) => times(&span, &number_of(right)?),
        ("*", (None, Some(span))) => times(&span, &number_of(left)?),
        ("/" | "//", (Some(span), None)) => match number_of(right)? {
            Number::Int(0) => by_zero(),
            Number::Int(by) if operator == "//" => {
                let rest = span.micros.rem_euclid(by);
                let quotient = span.micros.div_euclid(by);
                made(if by < 0 && rest != 0 { quotient - 1 } else { quotient })
            }
            Number::Int(by) => made(round_half_even(span.micros as f64 / by as f64)),
            Number::Float(by) if operator == "/" && by != 0.0 => made(round_half_even(span.micros as f64 / by)),
            Number::Float(_) => by_zero(),
            Number::Decimal(_) => None,
        },
        _ => None,
    }
}

fn times(span: &DeltaValue, by: &Number) -> Option<Result<Value, Error>> {
    let micros = match by {
        Number::Int(by) => match span.micros.checked_mul(*by) {
            Some(micros) => micros,
            None => return Some(Err(too_long())),
        },
        Number::Float(by) => round_half_even(span.micros as f64 * by),
        Number::Decimal(_) => return None,
    };
    Some(checked(micros).map(DeltaValue::into_value))
}

impl fmt::Display for DeltaValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds, micros) = self.parts();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros == 0 { Ok(()) } else { write!(f, ".{micros:06}") }
    }
}

impl fmt::Debug for DeltaValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds, micros) = self.parts();
        let parts: Vec<String> = [("days", days), ("seconds", seconds), ("microseconds", micros)]
            .into_iter()
            .filter(|(_, count)| *count != 0)
            .map(|(name, count)| format!("{name}={count}"))
            .collect();
        write!(f, "datetime.timedelta({})", if parts.is_empty() { "0".to_owned() } else { parts.join(", ") })
    }
}

impl Object for DeltaValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.micros != 0
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.micros.cmp(&other.downcast_ref::<DeltaValue>()?.micros))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (days, seconds, micros) = self.parts();
        Some(int(match key.as_str()? {
            "days" => days,
            "seconds" => seconds,
            "microseconds" => micros,
            _ => return None,
        }))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "total_seconds" => {
                let [] = bind(method, args, [], 0)?;
                Ok(Value::from(self.micros as f64 / SECOND as f64))
            }
            _ => Err(no_method(&Value::from_dyn_object(self.clone()), method, &["total_seconds"])),
        }
    }
}

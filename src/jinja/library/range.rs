//! `range()`: numbers that are counted, not held.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use crate::diag::codes;
use crate::jinja::failure::raise;
use crate::jinja::python::{bind, no_method, whole};
use crate::jinja::values::{operation, split_args};

/// As many as Jinja2's sandbox allows.
const MOST: u64 = 100_000;

struct Range {
    start: i64,
    stop: i64,
    step: i64,
}

pub(super) fn range(args: &[Value]) -> Result<Value, Error> {
    let positional = split_args(args).0;
    let number = |at: usize, name: &str| positional.get(at).map(|value| whole("range", name, value)).transpose();
    let (first, second, third) = (number(0, "start")?, number(1, "stop")?, number(2, "step")?);
    let (start, stop) = match (first, second) {
        (Some(stop), None) => (0, stop),
        (Some(start), Some(stop)) => (start, stop),
        _ => return Err(raise(&codes::WRONG_ARGUMENTS, "range() takes one to three integers")),
    };
    let range = Range { start, stop, step: third.unwrap_or(1) };
    if range.step == 0 {
        return Err(operation("the step of range() cannot be zero"));
    }
    if range.length() > MOST {
        return Err(operation(format!("range() gives at most {MOST} numbers, not {}", range.length())));
    }
    Ok(Value::from_object(range))
}

impl Range {
    fn length(&self) -> u64 {
        let distance = if self.step > 0 { self.stop.saturating_sub(self.start) } else { self.start.saturating_sub(self.stop) };
        u64::try_from(distance).unwrap_or(0).div_ceil(self.step.unsigned_abs())
    }

    fn at(&self, index: u64) -> Option<Value> {
        let index = i64::try_from(index).ok().filter(|_| index < self.length())?;
        Some(Value::from(self.start + index * self.step))
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = if self.step == 1 { String::new() } else { format!(", {}", self.step) };
        write!(f, "range({}, {}{step})", self.start, self.stop)
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("start") => Some(Value::from(self.start)),
            Some("stop") => Some(Value::from(self.stop)),
            Some("step") => Some(Value::from(self.step)),
            Some(_) => None,
            None => self.at(u64::try_from(key.as_i64()?).ok()?),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(usize::try_from(self.length()).unwrap_or(0))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        usize::try_from(self.length()).ok()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let position = |value: &Value| -> Option<u64> {
            let value = value.as_i64()?;
            (0..self.length()).find(|index| self.at(*index).and_then(|held| held.as_i64()) == Some(value))
        };
        let [value] = bind(method, args, ["value"], 1)?;
        let value = value.unwrap_or_default();
        match method {
            "count" => Ok(Value::from(u64::from(position(&value).is_some()))),
            "index" => position(&value).map(Value::from).ok_or_else(|| operation("the value is not in the range")),
            _ => Err(no_method(&Value::from_dyn_object(self.clone()), method, &["count", "index"])),
        }
    }
}

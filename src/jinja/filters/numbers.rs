//! Filters on numbers.

use minijinja::{Error, State, Value};

use super::Filter;
use crate::jinja::python::{Decimal, Number, Rounding, bind, int, no_operator, number_of, printed, text_or, whole_or};
use crate::jinja::values::operation;

pub(super) const FILTERS: &[(&str, Filter)] =
    &[("abs", abs), ("int", to_int), ("float", to_float), ("round", round), ("filesizeformat", file_size)];

fn abs(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("abs", args, ["value"], 1)?;
    let value = value.unwrap_or_default();
    match number_of(&value) {
        Some(Number::Int(whole)) => Ok(int(whole.saturating_abs())),
        Some(Number::Float(fraction)) => Ok(Value::from(fraction.abs())),
        Some(Number::Decimal(decimal)) => Ok(decimal.abs().into_value()),
        None => Err(no_operator("abs", &value, &value)),
    }
}

fn to_int(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, default, base] = bind("int", args, ["value", "default", "base"], 1)?;
    let value = value.unwrap_or_default();
    let default = default.unwrap_or_else(|| Value::from(0));
    let base = u32::try_from(whole_or("int", "base", base.as_ref(), 10)?).unwrap_or(10);
    let found = match value.as_str() {
        Some(text) => parsed_int(text, base).or_else(|| float_of(text).and_then(truncated)),
        None => match number_of(&value) {
            Some(Number::Int(whole)) => Some(whole),
            Some(Number::Float(fraction)) => truncated(fraction),
            Some(Number::Decimal(decimal)) => decimal.to_int(Rounding::Down),
            None => None,
        },
    };
    Ok(found.map_or(default, int))
}

fn truncated(fraction: f64) -> Option<i128> {
    (fraction.is_finite() && fraction.abs() < 1e38).then(|| fraction.trunc() as i128)
}

/// `int(text, base)`
pub(in crate::jinja) fn parsed_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match (base, lower.get(..2)) {
        (16 | 0, Some("0x")) => (16, lower.get(2..)?),
        (8 | 0, Some("0o")) => (8, lower.get(2..)?),
        (2 | 0, Some("0b")) => (2, lower.get(2..)?),
        (0, _) => (10, lower.as_str()),
        (2..=36, _) => (base, lower.as_str()),
        _ => return None,
    };
    let usable = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__") && !digits.starts_with(['+', '-']);
    let magnitude = i128::from_str_radix(&digits.replace('_', ""), base).ok().filter(|_| usable)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// `float(text)`
pub(in crate::jinja) fn float_of(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse().ok()
}

fn to_float(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, default] = bind("float", args, ["value", "default"], 1)?;
    let value = value.unwrap_or_default();
    let found = match value.as_str() {
        Some(text) => float_of(text),
        None => number_of(&value).map(|number| number.to_f64()),
    };
    Ok(found.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from))
}

fn round(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, precision, method] = bind("round", args, ["value", "precision", "method"], 1)?;
    let value = value.unwrap_or_default();
    let precision = whole_or("round", "precision", precision.as_ref(), 0)?.clamp(-300, 300);
    let method = text_or("round", "method", method.as_ref(), "common")?;
    let number = number_of(&value).ok_or_else(|| no_operator("round", &value, &value))?;
    match method {
        "common" => Ok(rounded(&number, precision)),
        "ceil" | "floor" => {
            let unit = 10f64.powi(i32::try_from(precision).unwrap_or(0));
            let scaled = number.to_f64() * unit;
            Ok(Value::from(if method == "ceil" { scaled.ceil() } else { scaled.floor() } / unit))
        }
        other => Err(operation(format!("round() knows the methods 'common', 'ceil' and 'floor', not '{other}'"))),
    }
}

/// `round(number, precision)`
pub(in crate::jinja) fn rounded(number: &Number, precision: i64) -> Value {
    let exactly = |decimal: &Decimal| decimal.quantized(-precision, Rounding::HalfEven);
    match number {
        Number::Decimal(decimal) => exactly(decimal).into_value(),
        Number::Int(whole) if precision >= 0 => int(*whole),
        Number::Int(whole) => exactly(&Decimal::from_int(*whole)).to_int(Rounding::HalfEven).map_or(Value::from(0), int),
        Number::Float(fraction) if !fraction.is_finite() || precision > 20 => Value::from(*fraction),
        Number::Float(fraction) => Decimal::from_float_exactly(*fraction)
            .map_or(Value::from(*fraction), |decimal| Value::from(exactly(&decimal).to_f64().copysign(*fraction))),
    }
}

fn file_size(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, binary] = bind("filesizeformat", args, ["value", "binary"], 1)?;
    let value = value.unwrap_or_default();
    let binary = binary.is_some_and(|binary| binary.is_true());
    let bytes = match value.as_str() {
        Some(text) => float_of(text),
        None => number_of(&value).map(|number| number.to_f64()),
    };
    let bytes = bytes.ok_or_else(|| operation(format!("filesizeformat takes a number of bytes, not '{}'", printed(&value))))?;
    let (base, units) = if binary {
        (1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
    } else {
        (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
    };
    if (bytes - 1.0).abs() < f64::EPSILON {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", bytes.trunc())));
    }
    let mut scaled = bytes / base;
    let mut units = units.iter();
    let mut unit = units.next();
    while scaled >= base
        && let Some(larger) = units.next()
    {
        scaled /= base;
        unit = Some(larger);
    }
    Ok(Value::from(format!("{scaled:.1} {}", unit.unwrap_or(&""))))
}

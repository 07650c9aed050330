//! Numbers: what counts as one, and how Python prints it.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::decimal::Decimal;

/// A number of any of Python's kinds.
#[derive(Clone, Debug)]
pub(in crate::jinja) enum Number {
    Int(i128),
    Float(f64),
    Decimal(Decimal),
}

/// The number that a value is. Truth values count as 0 and 1.
pub(in crate::jinja) fn of(value: &Value) -> Option<Number> {
    match value.kind() {
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Number::Int),
        ValueKind::Number => f64::try_from(value.clone()).ok().map(Number::Float),
        ValueKind::Bool => Some(Number::Int(i128::from(value.is_true()))),
        ValueKind::Plain => Decimal::of(value).map(Number::Decimal),
        _ => None,
    }
}

impl Number {
    pub(in crate::jinja) fn to_f64(&self) -> f64 {
        match self {
            Number::Int(whole) => *whole as f64,
            Number::Float(fraction) => *fraction,
            Number::Decimal(decimal) => decimal.to_f64(),
        }
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        match self {
            Number::Int(whole) => int(whole),
            Number::Float(fraction) => Value::from(fraction),
            Number::Decimal(decimal) => decimal.into_value(),
        }
    }
}

/// An integer in the engine's usual form.
pub(in crate::jinja) fn int(whole: i128) -> Value {
    match i64::try_from(whole) {
        Ok(whole) => Value::from(whole),
        Err(_) => Value::from(whole),
    }
}

/// A binary fraction as Python prints it: the fewest digits that lead back to it, with an exponent from 1e16 and below 1e-4.
pub(in crate::jinja) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let text = value.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        let cases = [(1.0, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1.5e-5, "1.5e-05"), (123456789.125, "123456789.125"), (-0.0, "-0.0")];
        for (value, expected) in cases {
            assert_eq!(float_text(value), expected);
        }
    }
}

//! What a plain scalar means, by the rules of YAML 1.1 as PyYAML has them: `yes` and `off` are booleans, `010` is octal, `1e5` a text.

use super::yaml::YamlValue;

/// The value of an unquoted scalar. Dates stay texts: dbt turns them back into texts.
pub(super) fn plain_scalar(text: String) -> YamlValue {
    let first = text.as_bytes().first().copied();
    match first {
        None => YamlValue::Null,
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => number(&text).unwrap_or(YamlValue::Text(text)),
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O') => word(&text).unwrap_or(YamlValue::Text(text)),
        Some(_) => YamlValue::Text(text),
    }
}

/// The value of a scalar with a tag of the core schema (`!!str 1`); an error names what it should have been.
pub(super) fn tagged_scalar(text: String, tag: &str) -> Result<YamlValue, &'static str> {
    match tag {
        "str" => Ok(YamlValue::Text(text)),
        "null" => Ok(YamlValue::Null),
        "bool" => word(&text).filter(|value| matches!(value, YamlValue::Bool(_))).ok_or("a boolean"),
        "int" => integer(&text).ok_or("an integer"),
        "float" => match number(&text) {
            Some(YamlValue::Int(value)) => Ok(YamlValue::Float(value as f64)),
            Some(value) => Ok(value),
            None => text.parse().map(YamlValue::Float).map_err(|_| "a number"),
        },
        _ => Ok(plain_scalar(text)),
    }
}

fn word(text: &str) -> Option<YamlValue> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(YamlValue::Null),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(YamlValue::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(YamlValue::Bool(false)),
        _ => None,
    }
}

fn number(text: &str) -> Option<YamlValue> {
    integer(text).or_else(|| float(text).map(YamlValue::Float))
}

fn split_sign(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn all(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || allowed(c))
}

fn radix(digits: &str, base: u32) -> Option<i64> {
    i64::from_str_radix(&digits.replace('_', ""), base).ok()
}

/// Integers beyond 64 bits have no value here and stay texts, so that no digit is lost.
fn integer(text: &str) -> Option<YamlValue> {
    let (sign, digits) = split_sign(text);
    let value = if let Some(rest) = digits.strip_prefix("0b") {
        all(rest, |c| matches!(c, '0' | '1')).then(|| radix(rest, 2))??
    } else if let Some(rest) = digits.strip_prefix("0x") {
        all(rest, |c| c.is_ascii_hexdigit()).then(|| radix(rest, 16))??
    } else if digits == "0" {
        0
    } else if let Some(rest) = digits.strip_prefix('0') {
        all(rest, |c| c.is_digit(8)).then(|| radix(rest, 8))??
    } else if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else {
        all(digits, |c| c.is_ascii_digit()).then(|| radix(digits, 10))??
    };
    Some(YamlValue::Int(sign * value))
}

/// `1:30` is ninety.
fn sexagesimal(digits: &str) -> Option<i64> {
    let mut total: i64 = 0;
    for (at, part) in digits.split(':').enumerate() {
        let fits = if at == 0 { all(part, |c| c.is_ascii_digit()) } else { (1..=2).contains(&part.len()) };
        let value = radix(part, 10).filter(|value| fits && (at == 0 || (0..60).contains(value)))?;
        total = total.checked_mul(60)?.checked_add(value)?;
    }
    Some(total)
}

fn float(text: &str) -> Option<f64> {
    let (sign, body) = split_sign(text);
    let sign = sign as f64;
    match body {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if body.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    let (whole, rest) = body.split_once('.')?;
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at)?, Some(rest.get(at + 1..)?)),
        None => (rest, None),
    };
    let digits = |part: &str| part.is_empty() || all(part, |c| c.is_ascii_digit());
    let starts_right = if whole.is_empty() {
        fraction.starts_with(|c: char| c.is_ascii_digit()) && sign > 0.0 && body.len() == text.len()
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit())
    };
    // PyYAML wants a sign in the exponent: `1.0e5` is a text.
    let signed =
        |exponent: &str| exponent.strip_prefix(['+', '-']).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if !starts_right || !digits(whole) || !digits(fraction) || !exponent.is_none_or(signed) {
        return None;
    }
    body.replace('_', "").parse::<f64>().ok().map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_as_pyyaml_reads_them() {
        use YamlValue::{Bool, Float, Int, Null, Text};
        let cases = [
            ("", Null),
            ("~", Null),
            ("null", Null),
            ("nULL", Text("nULL".into())),
            ("yes", Bool(true)),
            ("Off", Bool(false)),
            ("y", Text("y".into())),
            ("12", Int(12)),
            ("-1_000", Int(-1000)),
            ("+7", Int(7)),
            ("010", Int(8)),
            ("08", Text("08".into())),
            ("0x1F", Int(31)),
            ("0b101", Int(5)),
            ("1:30", Int(90)),
            ("12:99", Text("12:99".into())),
            ("1.50", Float(1.5)),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            ("1e5", Text("1e5".into())),
            ("1.0e5", Text("1.0e5".into())),
            ("1.0e+5", Float(1.0e5)),
            ("-.inf", Float(f64::NEG_INFINITY)),
            ("1.2.3", Text("1.2.3".into())),
            ("2024-01-31", Text("2024-01-31".into())),
            ("-", Text("-".into())),
            ("99999999999999999999", Text("99999999999999999999".into())),
        ];
        for (text, expected) in cases {
            assert_eq!(plain_scalar(text.to_owned()), expected, "{text}");
        }
    }
}

//! Literals, and whether the text of one can be read as the type that it is given.

use sqlparser::ast::{Expr, Value};

use crate::analysis::catalogue::{TypeId, catalogue};
use crate::analysis::facts::Facts;
use crate::analysis::units::Measure;
use crate::syntax::marked_expression;

pub(super) fn literal(value: &Value) -> Facts {
    let known = &catalogue().known;
    let not_null = |id: TypeId| Facts::of(Some(id.into()), false);
    match value {
        Value::Number(text, _) => not_null(number_type(text)).measured(Measure::Number),
        Value::SingleQuotedString(_) | Value::DollarQuotedString(_) | Value::EscapedStringLiteral(_) | Value::UnicodeStringLiteral(_) => {
            not_null(known.unknown)
        }
        Value::NationalStringLiteral(_) => not_null(known.bpchar),
        Value::SingleQuotedByteStringLiteral(_) | Value::HexStringLiteral(_) => not_null(known.bit),
        Value::Boolean(_) => not_null(known.bool),
        Value::Null => Facts::of(Some(known.unknown.into()), true),
        _ => Facts::unknown(),
    }
}

/// The smallest of `int4`, `int8` and `numeric` that holds it.
pub(super) fn number_type(text: &str) -> TypeId {
    let known = &catalogue().known;
    let digits = text.replace('_', "");
    let (digits, radix) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (digits.get(2..).unwrap_or(""), 16),
        _ => (digits.as_str(), 10),
    };
    match i64::from_str_radix(digits, radix) {
        Ok(number) if i32::try_from(number).is_ok() => known.int4,
        Ok(_) => known.int8,
        Err(_) => known.numeric,
    }
}

/// The text of a literal in quotes.
pub(super) fn quoted(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Nested(inner) => quoted(inner),
        Expr::Function(_) => marked_expression(expression).and_then(quoted),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a text is certainly none of the type. Types whose input is open to settings are given the benefit of the doubt.
pub(super) fn is_refused(text: &str, id: TypeId) -> bool {
    let text = text.trim();
    let lower = text.to_lowercase();
    let digits = || text.bytes().any(|byte| byte.is_ascii_digit());
    // Later versions read other bases and underscores.
    if digits() && (text.contains('_') || ["0x", "0o", "0b"].iter().any(|base| lower.contains(base))) {
        return false;
    }
    match catalogue().entry(id).name {
        "int2" => text.parse::<i16>().is_err(),
        "int4" => text.parse::<i32>().is_err(),
        "int8" => text.parse::<i64>().is_err(),
        "numeric" | "float4" | "float8" => {
            text.parse::<f64>().is_err() && !matches!(lower.trim_start_matches(['-', '+']), "infinity" | "inf" | "nan")
        }
        "bool" => {
            let words = ["true", "false", "yes", "no", "on", "off", "1", "0"];
            lower.is_empty() || lower == "o" || !words.iter().any(|word| word.starts_with(&lower))
        }
        "date" | "timestamp" | "timestamptz" => {
            let words = ["epoch", "infinity", "-infinity", "+infinity", "now", "today", "tomorrow", "yesterday"];
            (!digits() && !words.iter().any(|word| lower.contains(word))) || is_no_day(text)
        }
        "uuid" => {
            let hexadecimal = lower.bytes().filter(|byte| byte.is_ascii_hexdigit()).count();
            hexadecimal != 32 || lower.bytes().any(|byte| !byte.is_ascii_hexdigit() && !matches!(byte, b'-' | b'{' | b'}'))
        }
        _ => false,
    }
}

/// Whether a text begins with a day of ISO 8601 that no calendar has. Days that are written in another order are not looked at.
fn is_no_day(text: &str) -> bool {
    let (day, _) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    let parts: Vec<&str> = day.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    if year.len() != 4 || !parts.iter().all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())) {
        return false;
    }
    match (year.parse(), month.parse(), day.parse()) {
        (Ok(year), Ok(month), Ok(day)) => jiff::civil::Date::new(year, month, day).is_err(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_refused_only_where_that_is_certain() {
        let id = |name: &str| catalogue().type_named(name).unwrap();
        for (text, name, refused) in [
            (" 12 ", "int4", false),
            ("1.0", "int4", true),
            ("0x1F", "int4", false),
            ("1_000", "int8", false),
            ("3000000000", "int4", true),
            ("1e5", "numeric", false),
            ("-Infinity", "numeric", false),
            ("abc", "numeric", true),
            ("tr", "bool", false),
            ("o", "bool", true),
            ("maybe", "bool", true),
            ("31 January 2026", "date", false),
            ("tomorrow", "date", false),
            ("monday", "date", true),
            ("2025-13-01", "date", true),
            ("2025-02-29 10:00", "timestamp", true),
            ("2024-2-29T10:00:00Z", "timestamptz", false),
            ("31-12-2025", "date", false),
            ("2025-12-01-03", "timestamp", false),
            ("x", "text", false),
            ("{1,2}", "_int4", false),
        ] {
            assert_eq!(is_refused(text, id(name)), refused, "{text} as {name}");
        }
    }
}

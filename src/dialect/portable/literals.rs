//! Literals. Redshift reads a backslash in a plain literal as the beginning of an escape; the other two read it as itself.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_pattern-matching-conditions.html>

use sqlparser::ast::{Expr, Value};
use sqlparser::tokenizer::Span;

use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::dialect::{Engine, quote_text};

impl Writer<'_> {
    pub(super) fn value(&mut self, value: &Value, span: Span) -> Sql {
        let text = match value {
            Value::Number(text, _) if is_plain_number(text) => match text.split_once(['e', 'E']) {
                // A number with an exponent is a binary float elsewhere.
                Some((mantissa, exponent)) if !self.is(Engine::Postgres) => match without_exponent(mantissa, exponent) {
                    Some(text) => text,
                    None => return self.refuse(span, "a number of so many digits is not the same on all engines", "cast it from text"),
                },
                // PostgreSQL takes more digits for an exact number, DuckDB for an integer of its own.
                _ if self.is(Engine::DuckDb) && text.len() >= INT8_DIGITS && text.parse::<i64>().is_err() && is_whole(text) => {
                    format!("{text}.")
                }
                _ => text.clone(),
            },
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => self.text(text),
            Value::DollarQuotedString(text) => self.text(&text.value),
            Value::Boolean(truth) => truth.to_string(),
            Value::Null => "null".to_owned(),
            _ => {
                return self.refuse(
                    span,
                    "this kind of literal is not the same on all engines",
                    "write a plain number or text in single quotes",
                );
            }
        };
        Sql::atom(self.marked(span, &text))
    }

    /// A text as a literal.
    pub(super) fn text(&mut self, text: &str) -> String {
        if self.is(Engine::Redshift) && text.contains('\\') && self.rewrites(Rewrite::Backslash) {
            return quote_text(&text.replace('\\', "\\\\"));
        }
        quote_text(text)
    }
}

/// Whether a moment has a seventh digit of a second, of which PostgreSQL makes a sixth, DuckDB nothing.
pub(super) fn has_fine_seconds(moment: &str) -> bool {
    moment.split_once('.').is_some_and(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count() > 6)
}

/// `2024-01-31`, with `13:14`, `:15`, `.678901` and, behind seconds, `Z`, `+02` or `+02:30`.
pub(super) fn is_moment(text: &str) -> Option<()> {
    let (year, rest) = digits(text, 4..=4)?;
    let (_, rest) = digits(rest.strip_prefix('-')?, 2..=2)?;
    let (_, rest) = digits(rest.strip_prefix('-')?, 2..=2)?;
    if rest.is_empty() {
        return (year != "0000").then_some(());
    }
    let (_, rest) = digits(rest.strip_prefix([' ', 'T'])?, 2..=2)?;
    let (_, rest) = digits(rest.strip_prefix(':')?, 2..=2)?;
    let Some(rest) = rest.strip_prefix(':') else { return rest.is_empty().then_some(()) };
    let (_, rest) = digits(rest, 2..=2)?;
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => digits(fraction, 1..=6)?.1,
        None => rest,
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    match rest.strip_prefix(['+', '-']) {
        None => matches!(rest, "" | "Z").then_some(()),
        Some(zone) => {
            let (_, rest) = digits(zone, 2..=2)?;
            let minutes = rest.strip_prefix(':').map(|rest| digits(rest, 2..=2));
            (rest.is_empty() || matches!(minutes, Some(Some((_, ""))))).then_some(())
        }
    }
}

/// The digits that a text begins with, if there are so many, and what is behind them.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    if count.contains(&end) { text.split_at_checked(end) } else { None }
}

/// The least that may be too many for `bigint`.
const INT8_DIGITS: usize = 19;

fn is_whole(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1.25e2` as `125.`, which is no integer either, `1e-2` as `0.01`; `None` beyond 38 digits.
pub(super) fn without_exponent(mantissa: &str, exponent: &str) -> Option<String> {
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= 38)?;
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{behind}");
    let point = i32::try_from(before.len()).ok()? + exponent;
    let text = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}.", "0".repeat(point - digits.len())),
        Ok(point) if point > 0 => format!("{}.{}", digits.get(..point)?, digits.get(point..)?),
        _ => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
    };
    Some(text)
}

fn is_plain_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    digits(&mantissa.replacen('.', "", 1)) && digits(exponent)
}

impl Writer<'_> {
    /// `null`, or a cast of it.
    pub(super) fn is_null_literal(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => self.is_null_literal(inner),
            Expr::Value(value) => value.value == Value::Null,
            _ => false,
        }
    }
}

/// The text of a literal in quotes.
pub(super) fn plain_text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Nested(inner) => plain_text(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => Some(text),
            Value::DollarQuotedString(text) => Some(&text.value),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_of_one_form() {
        for text in
            ["2024-01-31", "2024-01-31 13:14", "2024-01-31T13:14:15.678901Z", "2024-01-31 13:14:15+02:30", "2024-01-31 13:14:15 -05"]
        {
            assert!(is_moment(text).is_some(), "{text}");
        }
        for text in [
            "24-01-31",
            "20240131",
            "01/31/2024",
            "2024-01-31 13:14+00",
            "2024-01-31 13:14:15.1234567",
            "2024-01-31 13:14:15 Europe/Berlin",
            "infinity",
            "0000-01-01",
        ] {
            assert!(is_moment(text).is_none(), "{text}");
        }
    }
}

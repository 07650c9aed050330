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

/// `1.25e2` as `125`, `1e-2` as `0.01`; `None` beyond 38 digits.
fn without_exponent(mantissa: &str, exponent: &str) -> Option<String> {
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= 38)?;
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{behind}");
    let point = i32::try_from(before.len()).ok()? + exponent;
    let text = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
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

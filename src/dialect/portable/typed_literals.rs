//! Literals in quotes where PostgreSQL reads them as something other than text: beside a number, a moment, a truth. DuckDB gives some of them
//! the type of what stands beside them with all its limits (`numeric(10,2)`, so that they are rounded), and others none; Redshift refuses
//! some. They are written as what they are.
//!
//! - <https://www.postgresql.org/docs/15/typeconv.html>
//! - <https://duckdb.org/docs/stable/sql/data_types/typecasting>

use sqlparser::ast::Expr;

use super::casts::{FALSE, TRUE};
use super::digits::MOST_DIGITS;
use super::literals::{has_fine_seconds, plain_text, without_exponent};
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::analysis::{SqlType, Typed};
use crate::dialect::Engine;

impl Writer<'_> {
    /// The type that a literal in quotes is read as; `None` of text, and of anything else.
    pub(super) fn read_as(&self, expression: &Expr) -> Option<SqlType> {
        plain_text(expression)?;
        read_as(expression, &self.typed(expression))
    }

    /// Whether it is text in quotes, and no other type that is written so.
    pub(super) fn is_text_literal(&self, expression: &Expr) -> bool {
        plain_text(expression).is_some() && self.read_as(expression).is_none()
    }

    pub(super) fn literal(&mut self, expression: &Expr) -> Sql {
        let Expr::Value(value) = expression else { return Sql::atom("null") };
        let kind = self.read_as(expression).filter(|_| !self.is(Engine::Postgres) && self.rewrites(Rewrite::TypedLiteral));
        let (Some(kind), Some(text)) = (kind, plain_text(expression)) else { return self.value(&value.value, value.span) };
        let text = text.trim();
        let spelled = || if self.is(Engine::DuckDb) { "double" } else { "double precision" };
        let written = match kind.name() {
            // A sum with a plain number would be wider.
            "int2" => whole(text).map(|number| Sql::atom(format!("cast({} as smallint)", number.text))),
            "int4" | "int8" => whole(text),
            "numeric" => exact(text),
            "float4" => exact(text).map(|_| Sql::atom(format!("cast('{text}' as real)"))),
            "float8" => exact(text).map(|_| Sql::atom(format!("cast('{text}' as {})", spelled()))),
            "bool" => truth(text),
            "uuid" => {
                return if self.is(Engine::Redshift) {
                    self.uuid_literal(&value.value, value.span)
                } else {
                    self.value(&value.value, value.span)
                };
            }
            "time" => (!has_fine_seconds(text)).then(|| Sql::atom(format!("cast('{text}' as time)"))),
            name => Writer::is_moment(text).then(|| Sql::atom(format!("cast('{text}' as {name})"))),
        };
        written.unwrap_or_else(|| {
            let is_length = text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(|c: char| c.is_ascii_alphabetic());
            let help = match kind.name() {
                "date" | "timestamp" | "timestamptz" if is_length => "for a length of time write interval '7 days'",
                "date" | "timestamp" | "timestamptz" => "write it as 2024-01-31 or 2024-01-31 12:00:00",
                "time" => "write six digits of a second at most",
                _ => "write it without quotes",
            };
            self.refuse(span_of(expression), format!("'{text}', read as {kind}, is not the same on all engines"), help)
        })
    }
}

/// As [`Writer::read_as`], of something whose type was looked up.
pub(super) fn read_as(expression: &Expr, typed: &Typed) -> Option<SqlType> {
    plain_text(expression)?;
    let kind = SqlType::from(typed.wanted?);
    let is_read = matches!(
        kind.name(),
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "bool" | "date" | "timestamp" | "timestamptz" | "time" | "uuid"
    );
    is_read.then_some(kind)
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn with_sign(negative: bool, digits: &str) -> Sql {
    if negative { Sql::loose(format!("-{digits}")) } else { Sql::atom(digits) }
}

fn whole(text: &str) -> Option<Sql> {
    let (negative, digits) = signed(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| with_sign(negative, digits))
}

/// `5.549`, `-.5`, `1e3`
fn exact(text: &str) -> Option<Sql> {
    let (negative, number) = signed(text);
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let plain = digits > 0 && mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && mantissa.matches('.').count() < 2;
    if !plain || i32::try_from(digits).is_ok_and(|digits| digits > MOST_DIGITS) {
        return None;
    }
    let written = if number.contains(['e', 'E']) { without_exponent(mantissa, exponent)? } else { mantissa.to_owned() };
    Some(with_sign(negative, &written))
}

pub(super) fn truth(text: &str) -> Option<Sql> {
    let word = text.to_ascii_lowercase();
    let is_one_of = |words: &[&str]| words.contains(&word.as_str());
    match (is_one_of(TRUE), is_one_of(FALSE)) {
        (true, _) => Some(Sql::atom("true")),
        (_, true) => Some(Sql::atom("false")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_quotes_lose_them() {
        let read = |text: &str| exact(text).map(|sql| sql.text);
        assert_eq!(read("5.549").as_deref(), Some("5.549"));
        assert_eq!(read("-.5").as_deref(), Some("-.5"));
        assert_eq!(read("+1.5e2").as_deref(), Some("150."));
        assert_eq!(read("NaN"), None);
        assert_eq!(read("0x5"), None);
        assert_eq!(read("1_0"), None);
        assert_eq!(read("1.2.3"), None);
        assert_eq!(whole("1.0").map(|sql| sql.text), None);
        assert_eq!(whole("-7").map(|sql| sql.text).as_deref(), Some("-7"));
        assert_eq!(truth("ON").map(|sql| sql.text).as_deref(), Some("true"));
    }
}

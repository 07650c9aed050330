//! How many digits exact numbers have, and what is lost of them where several values become one: the results of CASE, the cells of a column of
//! VALUES, the sides of a set operation. DuckDB keeps 38 digits of such a column, and takes what is too much from behind the point.
//!
//! - <https://duckdb.org/docs/stable/sql/data_types/numeric>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html>

use sqlparser::ast::{Expr, UnaryOperator, Value};

use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::analysis::{SqlType, Typed};
use crate::dialect::Engine;

/// The most digits that exact numbers have on DuckDB and Redshift.
pub(super) const MOST_DIGITS: i32 = 38;
/// Digits before the point that a number on Redshift has room for, of which nobody says how many it has there: more are an error.
const ROOM: i32 = 15;

/// Digits of a whole number of a type; `None` of other types.
pub(super) fn digits_of_integer(kind: &str) -> Option<i32> {
    Some(match kind {
        "int2" => 5,
        "int4" => 10,
        "int8" => 19,
        _ => return None,
    })
}

pub(super) fn is_integer(kind: &str) -> bool {
    digits_of_integer(kind).is_some()
}

/// Whether numbers of a type have all their digits.
pub(super) fn is_exact(kind: &str) -> bool {
    kind == "numeric" || is_integer(kind)
}

/// Digits of an exact number at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// The point.
    pub(super) before: i32,
    pub(super) behind: i32,
}

impl Size {
    /// A number that is written, in whatever form.
    fn of_literal(text: &str) -> Option<Size> {
        let text = text.trim().trim_start_matches(['-', '+']).replace('_', "");
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_plain = !mantissa.is_empty() && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let length = |text: &str| i32::try_from(text.len()).ok();
        let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() < 1000 && is_plain)?;
        Some(Size { before: (length(whole)? + exponent).max(0), behind: (length(fraction)? - exponent).max(0) })
    }

    pub(super) fn all(self) -> i32 {
        self.before + self.behind
    }

    fn with(self, other: Size) -> Size {
        Size { before: self.before.max(other.before), behind: self.behind.max(other.behind) }
    }
}

/// What is known of one of several values that become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It takes the digits of the others.
    Null,
    Exact(Size),
    /// An exact number of which nobody knows the digits behind the point.
    Unknown,
    /// No exact number, and beside one it makes all of them that.
    Other,
}

impl Part {
    pub(super) fn with(self, other: Part) -> Part {
        match (self, other) {
            (Part::Null, part) | (part, Part::Null) => part,
            (Part::Other, _) | (_, Part::Other) => Part::Other,
            (Part::Unknown, _) | (_, Part::Unknown) => Part::Unknown,
            (Part::Exact(one), Part::Exact(other)) => Part::Exact(one.with(other)),
        }
    }

    /// The digits behind the point that all of them have to get; `None` where 38 digits are enough.
    pub(super) fn lost(self) -> Option<i32> {
        match self {
            Part::Exact(size) => (size.all() > MOST_DIGITS).then_some(size.behind),
            _ => None,
        }
    }
}

impl Writer<'_> {
    pub(super) fn part_of(&self, expression: &Expr) -> Part {
        let kind = self.type_of(expression);
        let of_type = self.part_of_type(kind, self.typed(expression));
        match (self.size_of_literal(expression), of_type) {
            (Some(size), Part::Exact(of_type)) if kind.is_some_and(|kind| is_integer(kind.name())) => Part::Exact(size.with(of_type)),
            // A whole number that is written has a type of its own on DuckDB.
            (Some(Size { before, behind: 0 }), _) if self.is(Engine::DuckDb) => {
                let kind = ["int4", "int8"].into_iter().filter_map(digits_of_integer).find(|digits| before < *digits);
                Part::Exact(Size { before: kind.unwrap_or(MOST_DIGITS), behind: 0 })
            }
            (Some(size), _) => Part::Exact(size),
            (None, Part::Null) if plain_text(expression).is_some() => Part::Other,
            (None, part) => part,
        }
    }

    /// Of a column, of which no more is known than its type.
    pub(super) fn part_of_column(&self, column: Typed) -> Part {
        self.part_of_type(column.sql_type, column)
    }

    fn part_of_type(&self, kind: Option<SqlType>, typed: Typed) -> Part {
        let name = kind.map_or("", SqlType::name);
        let is_redshift = self.is(Engine::Redshift);
        let size = match (name, typed.digits) {
            ("unknown", _) => return Part::Null,
            // Few of them are as large as can be.
            ("int8", _) if is_redshift => Size { before: ROOM, behind: 0 },
            ("numeric", None) => return Part::Unknown,
            ("numeric", Some(behind)) => match kind.and_then(SqlType::precision) {
                Some(precision) => Size { before: precision - behind, behind },
                None if is_redshift => Size { before: ROOM, behind },
                None => Size { before: MOST_DIGITS - behind, behind },
            },
            (name, _) => match digits_of_integer(name) {
                Some(before) => Size { before, behind: 0 },
                None => return Part::Other,
            },
        };
        Part::Exact(size)
    }

    /// Of a literal, whatever its type may hold.
    fn size_of_literal(&self, expression: &Expr) -> Option<Size> {
        match expression {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => {
                self.size_of_literal(inner)
            }
            Expr::Cast { expr, .. } if is_integer(self.type_name(expression)) => self.size_of_literal(expr).filter(|size| size.behind == 0),
            Expr::Value(value) => match &value.value {
                Value::Number(text, _) => Size::of_literal(text),
                _ if self.read_as(expression).is_some_and(|kind| is_exact(kind.name())) => Size::of_literal(plain_text(expression)?),
                _ => None,
            },
            _ => None,
        }
    }

    /// Digits in all that a number may have.
    pub(super) fn precision(&self, expression: &Expr) -> i32 {
        self.size_of_literal(expression).map_or_else(|| self.precision_of_type(expression), Size::all)
    }

    /// Digits in all that a number of this type may have, whatever a literal has of them.
    pub(super) fn precision_of_type(&self, expression: &Expr) -> i32 {
        let kind = self.type_of(expression);
        kind.and_then(|kind| digits_of_integer(kind.name()).or(kind.precision())).unwrap_or(MOST_DIGITS)
    }

    /// The digits behind the point that DuckDB would lose where these values become one; `None` where nothing is lost.
    pub(super) fn common_digits(&self, parts: &[&Expr]) -> Option<i32> {
        if !self.is(Engine::DuckDb) {
            return None;
        }
        parts.iter().fold(Part::Null, |all, part| all.with(self.part_of(part))).lost()
    }

    /// One of these numbers, with so many digits behind the point.
    pub(super) fn aligned(&mut self, expression: &Expr, digits: Option<i32>) -> Sql {
        let written = self.expression(expression);
        match digits {
            Some(digits) if is_exact(self.type_name(expression)) && self.rewrites(Rewrite::Product) => {
                Sql::atom(format!("cast({} as decimal({MOST_DIGITS},{digits}))", written.text))
            }
            _ => written,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_have_the_digits_that_are_written() {
        let size = |text: &str| Size::of_literal(text).map(|size| (size.before, size.behind));
        assert_eq!(size("0.005"), Some((1, 3)));
        assert_eq!(size("-12.5e3"), Some((5, 0)));
        assert_eq!(size("1e-2"), Some((0, 2)));
        assert_eq!(size("9223372036854775808"), Some((19, 0)));
        assert_eq!(size("NaN"), None);
        assert_eq!(size(""), None);
    }
}

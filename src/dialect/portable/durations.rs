//! Intervals that are compared: `ended - started > interval '30 minutes'`. Redshift's intervals are of two kinds that do not meet, so
//! both sides become microseconds there. PostgreSQL compares in the same way, with days of 24 hours and months of 30 days.
//!
//! - <https://www.postgresql.org/docs/15/datatype-datetime.html#DATATYPE-INTERVAL-INPUT>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html>

use sqlparser::ast::{BinaryOperator, Expr};

use super::intervals::scaled;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

impl Writer<'_> {
    /// `None` where no intervals are compared, or the engine does it as PostgreSQL does.
    pub(super) fn durations_compared(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Sql> {
        let both = self.type_name(left) == "interval" && self.type_name(right) == "interval";
        if !both || !self.is(Engine::Redshift) || !self.rewrites(Rewrite::Duration) {
            return None;
        }
        let [left, right] = [left, right].map(|side| self.duration(side));
        Some(Sql::loose(format!("{left} {op} {right}")))
    }

    pub(super) fn duration_between(&mut self, value: &Expr, low: &Expr, high: &Expr, negated: bool) -> Option<Sql> {
        if self.type_name(value) != "interval" || !self.is(Engine::Redshift) || !self.rewrites(Rewrite::Duration) {
            return None;
        }
        let [value, low, high] = [value, low, high].map(|part| self.duration(part));
        let not = if negated { "not " } else { "" };
        Some(Sql::loose(format!("{value} {not}between {low} and {high}")))
    }

    /// An interval in microseconds.
    fn duration(&mut self, expression: &Expr) -> String {
        if let Expr::Nested(inner) = expression {
            return self.duration(inner);
        }
        if let Some((span, times)) = scaled(expression) {
            let micros = span.in_micros();
            return match times {
                None => micros.to_string(),
                Some(times) if matches!(self.type_name(times), "int2" | "int4" | "int8") => {
                    format!("({micros} * {})", self.expression(times).part())
                }
                Some(times) => self.lacks(span_of(times), "an interval times a fraction", "take whole numbers of a smaller unit").text,
            };
        }
        if let Expr::BinaryOp { left, op: BinaryOperator::Minus, right } = expression
            && let Some((later, earlier)) = self.moments_apart(left, right)
        {
            return format!("datediff(microsecond, {earlier}, {later})");
        }
        let help = "compare the difference of two timestamps with an interval literal, or take extract(epoch from a - b)";
        self.lacks(span_of(expression), "this interval in a comparison", help).text
    }

    /// Two moments that are subtracted, as one type; `None` where they are something else.
    pub(super) fn moments_apart(&mut self, later: &Expr, earlier: &Expr) -> Option<(String, String)> {
        let kind = match (self.type_name(later), self.type_name(earlier)) {
            (one @ ("timestamp" | "timestamptz"), other) if one == other || other == "date" => one,
            ("date", other @ ("timestamp" | "timestamptz")) => other,
            _ => return None,
        };
        let [later, earlier] = [later, earlier].map(|side| {
            let written = self.expression(side).text;
            if self.type_name(side) == "date" { format!("cast({written} as {kind})") } else { written }
        });
        Some((later, earlier))
    }
}

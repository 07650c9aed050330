//! Division. PostgreSQL and Redshift divide integers without a fraction, DuckDB with `//` only. Quotients of exact numbers have as many
//! digits as each engine likes (DuckDB takes binary floats), so their number is the same everywhere here, and more are computed than
//! kept. Division by zero is an error in PostgreSQL and Redshift; DuckDB gives null or infinity.
//!
//! - <https://www.postgresql.org/docs/15/functions-math.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html>
//! - <https://duckdb.org/docs/stable/sql/functions/numeric>

use sqlparser::ast::{BinaryOperator, Expr, Function, FunctionArguments, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::calls::plain_arguments;
use super::digits::{MOST_DIGITS, is_exact, is_integer};
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::analysis::quotient_digits;
use crate::dialect::Engine;

/// Digits of a quotient that PostgreSQL computes before it is rounded: so many that rounding twice never shows.
const COMPUTED: i32 = 38;
/// Digits before the point that a number should have at least, so that ordinary amounts fit.
const ROOM: i32 = 9;

/// An exact number that is divided, or that divides.
pub(super) struct Exact {
    pub sql: Sql,
    /// Digits behind the point.
    pub digits: i32,
}

impl Writer<'_> {
    pub(super) fn division(&mut self, left: &Expr, right: &Expr) -> Sql {
        let (one, other) = (self.type_name(left), self.type_name(right));
        let is_float = |name: &str| matches!(name, "float4" | "float8");
        if is_integer(one) && is_integer(other) {
            let operator = if self.is(Engine::DuckDb) && self.rewrites(Rewrite::Division) { "//" } else { "/" };
            let (dividend, divisor) = (self.widened(left, other), self.widened(right, one));
            let divisor = self.not_zero(left, right, divisor);
            return Sql::loose(format!("{} {operator} {divisor}", dividend.part()));
        }
        if is_float(one) || is_float(other) {
            let (dividend, divisor) = (self.widened(left, other), self.widened(right, one));
            let divisor = self.not_zero(left, right, divisor);
            return Sql::loose(format!("{} / {divisor}", dividend.part()));
        }
        let (dividend, divisor) = (self.expression(left), self.expression(right));
        if !is_exact(one) || !is_exact(other) {
            let help = "divide numbers; of an interval, take extract(epoch from …) first";
            return self.refuse(span_of(left), format!("{one} divided by {other} is not the same on all engines"), help);
        }
        let digits = (self.typed(left).digits, self.typed(right).digits);
        let (Some(first), Some(second)) = digits else {
            let unsure = if digits.0.is_none() { left } else { right };
            return self.unknown_digits(span_of(unsure));
        };
        let guarded = if self.is(Engine::DuckDb) { Sql::atom(self.not_zero(left, right, divisor)) } else { divisor };
        self.quotient(Exact { sql: dividend, digits: first }, Exact { sql: guarded, digits: second }, span_of(left))
    }

    pub(super) fn unknown_digits(&mut self, span: Span) -> Sql {
        let message = "how many digits this number has behind the point is not known, so it cannot be divided alike on all engines";
        self.refuse(span, message, "cast it to numeric(p,s) first, or declare it so")
    }

    /// Exactly, to as many digits behind the point as [`quotient_digits`] says.
    pub(super) fn quotient(&mut self, dividend: Exact, divisor: Exact, span: Span) -> Sql {
        let digits = quotient_digits(divisor.digits);
        if !self.rewrites(Rewrite::Division) {
            return Sql::loose(format!("{} / {}", dividend.sql.part(), divisor.sql.part()));
        }
        match self.target() {
            Engine::Postgres => Sql::atom(format!("round(round({}, {COMPUTED}) / {}, {digits})", dividend.sql.text, divisor.sql.part())),
            Engine::DuckDb => Sql::atom(by_integers(dividend, divisor, digits)),
            Engine::Redshift => self.by_wide_decimals(dividend, divisor, digits, span),
        }
    }

    /// Redshift gives a quotient `s1 + p2 - s2 + 1` digits behind the point and `p1 - s1 + s2` before it, 38 in all at most.
    fn by_wide_decimals(&mut self, dividend: Exact, divisor: Exact, digits: i32, span: Span) -> Sql {
        let before_of_divisor = (digits - dividend.digits).max(ROOM);
        let before_of_dividend = MOST_DIGITS - 1 - dividend.digits - divisor.digits - before_of_divisor;
        if before_of_dividend < ROOM {
            let message =
                format!("Redshift's 38 digits are not enough to divide by a number with {} digits behind the point", divisor.digits);
            return self.refuse(span, message, "round the divisor, or cast one side to double precision");
        }
        let cast = |exact: Exact, before: i32| format!("cast({} as decimal({},{}))", exact.sql.text, before + exact.digits, exact.digits);
        Sql::atom(format!(
            "cast(round({} / {}, {digits}) as decimal(38,{digits}))",
            cast(dividend, before_of_dividend),
            cast(divisor, before_of_divisor),
        ))
    }

    /// The divisor, or an error where it is zero and the engine would say nothing. A null is divided by anything.
    pub(super) fn not_zero(&mut self, dividend: &Expr, divisor: &Expr, written: Sql) -> String {
        if !self.is(Engine::DuckDb) || is_never_zero(divisor) || !self.rewrites(Rewrite::Division) {
            return written.part();
        }
        let part = written.part();
        let is_there = self.and_is_there(dividend);
        format!("(case when {part} = 0{is_there} then error('division by zero') else {part} end)")
    }

    /// ` and x is not null`, of each part of arithmetic that may be null; nothing where none may.
    pub(super) fn and_is_there(&mut self, dividend: &Expr) -> String {
        let mut parts = Vec::new();
        strict_parts(dividend, &mut parts);
        let mut asked: Vec<&Expr> = Vec::new();
        for part in parts.into_iter().filter(|part| self.typed(part).nullable) {
            if !asked.contains(&part) {
                asked.push(part);
            }
        }
        asked.into_iter().map(|part| format!(" and {} is not null", self.expression(part).part())).collect()
    }
}

/// DuckDB's integers of 128 bits: the quotient with one digit more, cut, then rounded.
fn by_integers(dividend: Exact, divisor: Exact, digits: i32) -> String {
    let shift = digits + 1 + divisor.digits - dividend.digits;
    let (dividend, divisor) = (whole(dividend), whole(divisor));
    let dividend = match shift {
        0 => dividend,
        1.. => format!("{dividend} * {}", power_of_ten(shift)),
        _ => format!("{dividend} // {}", power_of_ten(-shift)),
    };
    let smallest = format!("0.{}1", "0".repeat(usize::try_from(digits).unwrap_or(0)));
    format!("round(cast(({dividend}) // {divisor} as decimal(38,0)) * {smallest}, {digits})")
}

/// The number without its point.
fn whole(exact: Exact) -> String {
    match exact.digits {
        0 => format!("cast({} as hugeint)", exact.sql.text),
        digits @ 1..=6 => format!("cast(cast({} as decimal(38,{digits})) * {} as hugeint)", exact.sql.text, power_of_ten(digits)),
        // So many zeros more would not fit.
        digits => format!("cast(replace(cast(cast({} as decimal(38,{digits})) as varchar), '.', '') as hugeint)", exact.sql.text),
    }
}

fn power_of_ten(power: i32) -> String {
    format!("1{}", "0".repeat(usize::try_from(power).unwrap_or(0)))
}

/// What arithmetic is made of: it is null where one of these is.
fn strict_parts<'e>(expression: &'e Expr, parts: &mut Vec<&'e Expr>) {
    use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || match expression {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => strict_parts(inner, parts),
        Expr::BinaryOp { left, op: Plus | Minus | Multiply | Divide | Modulo, right } => {
            strict_parts(left, parts);
            strict_parts(right, parts);
        }
        Expr::Cast { expr: inner, .. } | Expr::Ceil { expr: inner, .. } | Expr::Floor { expr: inner, .. } => strict_parts(inner, parts),
        Expr::Function(call) if matches!(&*call.name.to_string().to_lowercase(), "abs" | "round" | "trunc") => {
            plain_arguments(call).into_iter().for_each(|argument| strict_parts(argument, parts));
        }
        other => parts.push(other),
    });
}

/// A number other than zero, or `nullif(…, 0)`.
pub(super) fn is_never_zero(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => is_never_zero(inner),
        Expr::Value(value) => matches!(&value.value, Value::Number(text, _) if text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))),
        // A fraction may be rounded to zero.
        Expr::Cast { expr, .. } => is_never_zero(expr) && is_whole(expr),
        Expr::Function(call) => is_nullif_zero(call),
        _ => false,
    }
}

fn is_whole(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if matches!(&value.value, Value::Number(text, _) if text.bytes().all(|byte| byte.is_ascii_digit())))
}

fn is_nullif_zero(call: &Function) -> bool {
    let FunctionArguments::List(list) = &call.args else { return false };
    call.name.to_string().eq_ignore_ascii_case("nullif") && list.args.last().is_some_and(|argument| argument.to_string() == "0")
}

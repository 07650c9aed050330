//! Binary floats that are too large. PostgreSQL and Redshift give an error, DuckDB an infinite number. What is not finite stays so through
//! sums, products and dividends, so that it is enough to look at the end of such a tree; divisors and arguments are trees of their own.
//!
//! - <https://www.postgresql.org/docs/15/datatype-numeric.html#DATATYPE-FLOAT>
//! - <https://duckdb.org/docs/stable/sql/data_types/numeric>

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Function, UnaryOperator, Value, visit_expressions};

use super::calls::{name_of, plain_arguments};
use super::digits::{MOST_DIGITS, digits_of_integer};
use super::json::is_json_text;
use super::lateral::is_of_several_rows;
use super::lateral_keys::is_query;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, length};
use crate::dialect::Engine;

const OUT_OF_RANGE: &str = "error('value out of range: overflow or underflow')";
/// A longer expression is written once, inside of a list, and not several times, which would grow with each level of them.
const SHORT: usize = 300;
/// Decimal digits of a number of rows that nobody has.
const ROWS: f64 = 15.0;

/// What a kind of binary float holds, as powers of ten.
#[derive(Clone, Copy)]
struct Limits {
    largest: f64,
    smallest: f64,
    /// So much smaller, and adding it to the largest changes nothing.
    negligible: f64,
}

const DOUBLE: Limits = Limits { largest: 308.25, smallest: -324.0, negligible: 290.0 };
const REAL: Limits = Limits { largest: 38.53, smallest: -46.0, negligible: 30.0 };

impl Writer<'_> {
    /// An expression of which the value may be too large for a binary float: an error on DuckDB too.
    pub(super) fn finite(&mut self, expression: &Expr) -> Sql {
        if !self.is(Engine::DuckDb) || !self.is_float(expression) || !self.computes(expression) {
            return self.expression_kind(expression);
        }
        let is_covered = self.covered.remove(&std::ptr::from_ref(expression).addr());
        if is_covered || !self.may_overflow(expression) || !self.rewrites(Rewrite::FloatOverflow) {
            return self.expression_kind(expression);
        }
        self.cover(expression);
        match self.made_small_of(expression).filter(|_| stands_in_a_list(expression)) {
            Some(of) => self.with_once(of, |writer| writer.checked(expression)),
            None => self.checked(expression),
        }
    }

    fn checked(&mut self, expression: &Expr) -> Sql {
        let written = self.expression_kind(expression);
        // Zero is an error where the number was none before.
        let is_none = match (self.made_small_of(expression), expression) {
            (Some(text), Expr::Cast { .. }) => Some(format!("regexp_matches({}, '^[^eE]*[1-9]')", self.expression(text).text)),
            (Some(base), _) => Some(format!("{} <> 0", self.expression(base).part())),
            (None, Expr::Function(call)) if name_of(call) == "exp" => Some("true".to_owned()),
            _ => None,
        };
        once(&written, "acca_x", |value| {
            let vanishes = match is_none.as_deref() {
                None => String::new(),
                Some("true") => format!(" or {value} = 0"),
                Some(is_none) => format!(" or {value} = 0 and {is_none}"),
            };
            format!("case when not isfinite({value}){vanishes} then {OUT_OF_RANGE} else {value} end")
        })
    }

    /// What a number is made of that may become too small.
    fn made_small_of<'e>(&self, expression: &'e Expr) -> Option<&'e Expr> {
        match expression {
            Expr::Function(call) => match (name_of(call).as_str(), plain_arguments(call).as_slice()) {
                ("power", [base, _]) => Some(base),
                _ => None,
            },
            Expr::Cast { expr, .. } if matches!(self.type_name(expr), "text" | "varchar") && !is_json_text(expr) => Some(expr),
            _ => None,
        }
    }

    /// What is written with a part of it in several places, where that part stands once if it is long.
    fn with_once(&mut self, part: &Expr, write: impl FnOnce(&mut Self) -> Sql) -> Sql {
        let written = self.expression(part);
        if length(&written.text) <= SHORT {
            return write(self);
        }
        self.named.push((std::ptr::from_ref(part).addr(), "acca_y"));
        let whole = write(self);
        self.named.pop();
        Sql::atom(format!("list_transform([{}], lambda acca_y: {})[1]", written.text, whole.text))
    }

    /// The name that stands for a part, within what is written of it.
    pub(super) fn named_part(&self, expression: &Expr) -> Option<Sql> {
        let place = std::ptr::from_ref(expression).addr();
        self.named.iter().rev().find(|(of, _)| *of == place).map(|(_, name)| Sql::atom(*name))
    }

    /// A double as a real, of which DuckDB says itself that it is too large.
    pub(super) fn as_real(&mut self, inner: &Expr, spelled: &str) -> Sql {
        let written = self.expression(inner);
        if number(inner).is_some() || !self.rewrites(Rewrite::FloatOverflow) {
            return Sql::atom(format!("cast({} as {spelled})", written.text));
        }
        once(&Sql::atom(written.part()), "acca_x", |value| {
            let cast = format!("cast({value} as {spelled})");
            format!("case when {cast} = 0 and {value} <> 0 then {OUT_OF_RANGE} else {cast} end")
        })
    }

    fn is_float(&self, expression: &Expr) -> bool {
        matches!(self.type_name(expression), "float4" | "float8")
    }

    /// Whether a float is computed here that no part of the expression is.
    fn computes(&self, expression: &Expr) -> bool {
        match expression {
            Expr::BinaryOp { op, .. } => is_arithmetic(op) || *op == BinaryOperator::PGExp,
            Expr::Function(call) => matches!(name_of(call).as_str(), "exp" | "power" | "degrees" | "sum" | "avg"),
            Expr::Cast { expr, .. } => matches!(self.type_name(expr), "text" | "varchar"),
            _ => false,
        }
    }

    /// What is infinite in these parts is so in the whole.
    fn cover(&mut self, expression: &Expr) {
        match expression {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => self.cover_part(inner),
            Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
                self.cover_part(left);
                if *op != BinaryOperator::Divide {
                    self.cover_part(right);
                }
            }
            _ => {}
        }
    }

    fn cover_part(&mut self, part: &Expr) {
        match part {
            Expr::Nested(_) | Expr::UnaryOp { .. } => self.cover(part),
            // A real is checked where it becomes a double.
            Expr::BinaryOp { op, .. } if is_arithmetic(op) && self.type_name(part) == "float8" => {
                self.covered.insert(std::ptr::from_ref(part).addr());
                self.cover(part);
            }
            _ => {}
        }
    }

    fn may_overflow(&self, expression: &Expr) -> bool {
        let mut overflows = false;
        self.reach(expression, &mut overflows);
        overflows
    }

    /// The power of ten that a number stays below; notes whether the way there may be too large.
    fn reach(&self, expression: &Expr, overflows: &mut bool) -> f64 {
        let limits = if self.type_name(expression) == "float4" { REAL } else { DOUBLE };
        let reached = match expression {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => {
                return self.reach(inner, overflows);
            }
            Expr::Value(_) => number(expression).map_or(limits.largest, |number| number.abs().log10().max(0.0)),
            Expr::BinaryOp { left, op, right } if self.is_float(expression) => {
                let (one, other) = (self.reach(left, overflows), self.reach(right, overflows));
                match op {
                    BinaryOperator::Plus | BinaryOperator::Minus if one.min(other) < limits.negligible => one.max(other),
                    BinaryOperator::Plus | BinaryOperator::Minus => one.max(other) + 1.0,
                    BinaryOperator::Multiply => one + factor(left, one).min(0.0) + other + factor(right, other).min(0.0),
                    BinaryOperator::Divide => one - self.least(right),
                    BinaryOperator::PGExp => self.power(one, right),
                    _ => limits.largest,
                }
            }
            Expr::Cast { expr, .. } if matches!(self.type_name(expr), "text" | "varchar") => limits.largest + 1.0,
            Expr::Cast { expr, .. } if self.is_float(expression) => self.reach(expr, overflows).min(limits.largest),
            Expr::Extract { .. } => 15.0,
            Expr::Function(call) => self.reach_of_call(call, expression, overflows),
            _ => self.reach_of_type(expression),
        };
        if self.is_float(expression) && reached > limits.largest {
            *overflows = true;
        }
        reached.min(limits.largest)
    }

    fn reach_of_call(&self, call: &Function, expression: &Expr, overflows: &mut bool) -> f64 {
        let parts = plain_arguments(call);
        let mut of = |at: usize| parts.get(at).map_or(0.0, |part| self.reach(part, overflows));
        match name_of(call).as_str() {
            "sqrt" => of(0) / 2.0,
            "ln" | "log" => 3.0,
            "sin" | "cos" | "random" => 0.0,
            "pi" => 1.0,
            "tan" => 17.0,
            "date_part" => 15.0,
            "abs" | "round" | "trunc" | "ceil" | "ceiling" | "floor" | "min" | "max" | "nullif" | "radians" => of(0),
            "coalesce" | "greatest" | "least" => (0..parts.len()).map(of).fold(0.0, f64::max),
            "degrees" => of(0) + 2.0,
            // Squares go into an average of PostgreSQL's, but not far enough for ordinary numbers.
            "sum" | "avg" => of(0) + ROWS,
            // Of 700 or less it is neither too large nor too small.
            "exp" if of(0) <= 2.8 => 305.0,
            "exp" => DOUBLE.largest + 1.0,
            "power" => {
                let base = of(0);
                parts.get(1).map_or(DOUBLE.largest, |exponent| self.power(base, exponent))
            }
            _ => self.reach_of_type(expression),
        }
    }

    fn power(&self, base: f64, exponent: &Expr) -> f64 {
        match number(exponent) {
            Some(exponent) if exponent >= 0.0 && base < DOUBLE.negligible => base * exponent,
            _ => DOUBLE.largest + 1.0,
        }
    }

    fn reach_of_type(&self, expression: &Expr) -> f64 {
        match self.type_name(expression) {
            "numeric" => f64::from(MOST_DIGITS),
            "float4" => REAL.largest,
            kind => digits_of_integer(kind).map_or(DOUBLE.largest, f64::from),
        }
    }

    /// The power of ten that a divisor is not below, as it is not zero.
    fn least(&self, divisor: &Expr) -> f64 {
        match (divisor, self.type_name(divisor)) {
            (Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. }, _) => self.least(inner),
            (Expr::Value(_), _) => number(divisor).filter(|number| *number != 0.0).map_or(0.0, |number| number.abs().log10()),
            (Expr::Function(call), _) if name_of(call) == "nullif" => {
                plain_arguments(call).first().map_or(DOUBLE.smallest, |part| self.least(part))
            }
            (_, "int2" | "int4" | "int8") => 0.0,
            (_, "numeric") => self.typed(divisor).digits.map_or(-38.0, |digits| -f64::from(digits)),
            (Expr::Cast { expr, .. }, _) if !matches!(self.type_name(expr), "text" | "varchar") => self.least(expr),
            (_, "float4") => REAL.smallest,
            _ => DOUBLE.smallest,
        }
    }
}

/// Whether what else a call reads may stand where a part of it has a name, as an aggregate may not.
fn stands_in_a_list(expression: &Expr) -> bool {
    let Expr::Function(call) = expression else { return true };
    let is_query = |part: &Expr| if is_query(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    plain_arguments(call)
        .iter()
        .skip(1)
        .all(|argument| !is_of_several_rows(argument) && visit_expressions(*argument, is_query).is_continue())
}

/// What is written of a value in several places, in which it stands once if it is long.
fn once(value: &Sql, name: &str, write: impl Fn(&str) -> String) -> Sql {
    match length(&value.text) {
        ..=SHORT => Sql::loose(write(&value.text)),
        _ => Sql::atom(format!("list_transform([{}], lambda {name}: {})[1]", value.text, write(name))),
    }
}

/// What a factor adds where it is a number that is written: one below 1 makes a product smaller, which [`Writer::reach`] rounds up.
fn factor(factor: &Expr, reached: f64) -> f64 {
    number(factor).filter(|number| *number != 0.0).map_or(0.0, |number| number.abs().log10() - reached)
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide)
}

fn number(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Nested(inner) => number(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => number(expr).map(|number| -number),
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

//! Rounding, and functions of binary floats.
//!
//! PostgreSQL rounds exact numbers away from zero at a half and binary ones to the even neighbour; DuckDB rounds both away from zero; what
//! Redshift does with binary ones is not said. Logarithms and powers of exact numbers have as many digits as each engine likes.
//!
//! - <https://www.postgresql.org/docs/15/functions-math.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_ROUND.html>
//! - <https://duckdb.org/docs/stable/sql/functions/numeric>

use sqlparser::ast::{Expr, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::calls::Call;
use super::digits::MOST_DIGITS;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

impl Writer<'_> {
    /// `round`, `trunc`, `ceil`, `floor` and `sign`.
    pub(super) fn rounding(&mut self, call: &Call<'_>) -> Sql {
        let name = if call.name == "ceiling" { "ceil" } else { call.name.as_str() };
        self.rounded(name, &call.arguments, call.span)
    }

    /// A quotient of exact numbers that is rounded. Redshift leaves it all its digits, which then have no room beside others.
    fn of_digits(&mut self, value: &Expr, places: i64, rounded: Sql) -> Sql {
        let is_long = self.type_of(value).is_some_and(|kind| kind.name() == "numeric" && kind.precision().is_none())
            && self.typed(value).digits.is_some_and(|digits| i64::from(digits) > places);
        if !is_long || places < 0 || !self.is(Engine::Redshift) || !self.rewrites(Rewrite::Division) {
            return rounded;
        }
        Sql::atom(format!("cast({} as decimal({MOST_DIGITS},{places}))", rounded.text))
    }

    pub(super) fn rounded(&mut self, name: &str, arguments: &[&Expr], span: Span) -> Sql {
        let (value, digits) = match arguments {
            [value] => (*value, None),
            [value, digits] => (*value, Some(*digits)),
            _ => return self.refuse(span, format!("'{name}' takes a number, and digits at most"), "write round(x, 2)"),
        };
        if let (Some(digits), Some(float), "round", false) = (digits, unsized_cast(value), name, self.is(Engine::Postgres))
            && matches!(self.type_name(float), "float4" | "float8")
            && let Some(places @ 0..=18) = whole_number(digits)
        {
            // `round(x::numeric, 2)` is the same as a cast to that many digits.
            return self.rounded_float(float, places);
        }
        let written = self.expression(value);
        let kind = self.type_name(value);
        if let Some(digits) = digits {
            let Some(places) = whole_number(digits) else {
                return self.refuse(span_of(digits), "the number of digits is to be a number", "write it as a literal");
            };
            // A whole number is rounded as an exact one.
            let exact = if matches!(kind, "int2" | "int4" | "int8") && !self.is(Engine::Postgres) {
                format!("cast({} as decimal(38,0))", written.text)
            } else {
                written.text
            };
            return self.of_digits(value, places, Sql::atom(format!("{name}({exact}, {places})")));
        }
        match kind {
            // DuckDB gives the smallest of its integers.
            "numeric" if name == "sign" && self.is(Engine::DuckDb) => Sql::atom(format!("cast(sign({}) as decimal(38,0))", written.text)),
            "numeric" => self.of_digits(value, 0, Sql::atom(format!("{name}({})", written.text))),
            "int2" | "int4" | "int8" | "float4" | "float8" if self.is(Engine::Postgres) => Sql::atom(format!("{name}({})", written.text)),
            "int2" | "int4" | "int8" => Sql::atom(format!("cast({name}({}) as {})", written.text, self.double())),
            "float4" | "float8" if name == "round" => self.round_float(span, &written.text),
            "float4" | "float8" => Sql::atom(format!("cast({name}({}) as {})", written.text, self.double())),
            other => self.refuse(span, format!("'{name}' of {other} is not the same on all engines"), "round numbers"),
        }
    }

    fn round_float(&mut self, span: Span, written: &str) -> Sql {
        if self.is(Engine::Redshift) {
            return self.lacks(
                span,
                "rounding binary floats to the even neighbour",
                "cast it to numeric(p,s) first: round(x::numeric(18,4))",
            );
        }
        let name = if self.rewrites(Rewrite::Rounding) { "round_even" } else { "round" };
        let digits = if name == "round" { "" } else { ", 0" };
        Sql::atom(format!("cast({name}({written}{digits}) as double)"))
    }

    pub(super) fn double(&self) -> &'static str {
        if self.is(Engine::DuckDb) { "double" } else { "double precision" }
    }

    /// Functions that PostgreSQL has for exact numbers too, with digits of its own.
    pub(super) fn of_float(&mut self, call: &Call<'_>) -> Sql {
        if call.arguments.iter().any(|argument| self.type_name(argument) == "numeric") {
            let message = format!("'{}' of exact numbers has other digits on every engine", call.name);
            return self.refuse(call.span, message, "cast the argument to double precision");
        }
        if call.name == "log" && call.arguments.len() != 1 {
            return self.wrong_arguments(call);
        }
        let arguments: Vec<String> = call.arguments.iter().map(|argument| self.expression(argument).text).collect();
        let cast = |text: &String| if self.is(Engine::Redshift) { format!("cast({text} as double precision)") } else { text.clone() };
        Sql::atom(format!("{}({})", call.name, arguments.iter().map(cast).collect::<Vec<_>>().join(", ")))
    }

    /// `greatest` and `least` are the same everywhere but for the order of text.
    pub(super) fn extreme_of(&mut self, call: &Call<'_>) -> Sql {
        self.refuse_json_compared(&call.arguments);
        let is_text = |argument: &&Expr| self.is_text(argument) || self.is_text_literal(argument);
        let texts = call.arguments.iter().any(|argument| self.is_text(argument)) || call.arguments.iter().all(is_text);
        let (digits, integers) = (self.common_digits(&call.arguments), self.are_integers(&call.arguments));
        let arguments: Vec<String> = call
            .arguments
            .iter()
            .map(|argument| if texts { self.ordered_side(argument) } else { self.one_of(argument, digits, integers).text })
            .collect();
        let found = format!("{}({})", call.name, arguments.join(", "));
        let marked = self.is(Engine::Redshift) && texts;
        if marked {
            Sql::atom(format!("rtrim({found}, chr(1))"))
        } else if texts {
            self.plain_letters(Sql::atom(found))
        } else {
            Sql::atom(found)
        }
    }

    /// On Redshift the result of `coalesce` has 19 digits at most; that of a CASE has as many as there are.
    pub(super) fn coalesce(&mut self, call: &Call<'_>) -> Sql {
        let exact = call.arguments.iter().any(|argument| self.type_name(argument) == "numeric");
        if let Some(digits) = self.common_digits(&call.arguments) {
            let arguments: Vec<String> = call.arguments.iter().map(|argument| self.aligned(argument, Some(digits)).text).collect();
            return Sql::atom(format!("coalesce({})", arguments.join(", ")));
        }
        if self.are_integers(&call.arguments) {
            let arguments: Vec<String> = call.arguments.iter().map(|argument| self.one_of(argument, None, true).text).collect();
            return Sql::atom(format!("coalesce({})", arguments.join(", ")));
        }
        self.refuse_json_null(&call.arguments);
        if !self.is(Engine::Redshift) || !exact || !self.rewrites(Rewrite::WideCoalesce) {
            return self.plain_call(call, "coalesce");
        }
        let Some((last, others)) = call.arguments.split_last() else { return self.wrong_arguments(call) };
        let mut text = "case".to_owned();
        for argument in others {
            let written = self.expression(argument);
            text.push_str(&format!(" when {} is not null then {}", written.clone().part(), written.text));
        }
        Sql::loose(format!("{text} else {} end", self.expression(last).text))
    }
}

/// What `x::numeric` casts.
fn unsized_cast(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Nested(inner) => unsized_cast(inner),
        Expr::Cast { expr, data_type, .. } => {
            matches!(data_type.to_string().to_lowercase().as_str(), "numeric" | "decimal").then_some(&**expr)
        }
        _ => None,
    }
}

/// `3`, `-2`
pub(super) fn whole_number(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Nested(inner) => whole_number(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole_number(expr).map(|number| -number),
        _ => None,
    }
}

//! The text of exact numbers. PostgreSQL writes as many zeros at the end as a value carries with it, the others as many as the type has: they
//! are the same where every value of an expression has one scale.
//!
//! - <https://www.postgresql.org/docs/15/datatype-numeric.html#DATATYPE-NUMERIC-DECIMAL>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html>

use sqlparser::ast::{BinaryOperator, Expr, Function, UnaryOperator, Value};

use super::calls::{all_arguments, name_of};
use super::dates::WHOLE_PARTS;
use super::digits::is_integer;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::analysis::SqlType;
use crate::dialect::Engine;

impl Writer<'_> {
    /// Digits behind the point that all values of an expression have in PostgreSQL; `None` where they differ, or nobody knows.
    pub(super) fn scale_of(&self, expression: &Expr) -> Option<i32> {
        let kind = self.type_of(expression);
        match kind.map(SqlType::name)? {
            "numeric" => {}
            kind => return is_integer(kind).then_some(0),
        }
        match expression {
            Expr::Nested(inner) => self.scale_of(inner),
            Expr::Value(value) => match &value.value {
                Value::Number(text, _) if !text.contains(['e', 'E']) => {
                    i32::try_from(text.split_once('.').map_or(0, |(_, fraction)| fraction.len())).ok()
                }
                _ => None,
            },
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => self.scale_of(expr),
            Expr::BinaryOp { left, op, right } => {
                let (one, other) = (self.scale_of(left)?, self.scale_of(right)?);
                match op {
                    BinaryOperator::Plus | BinaryOperator::Minus => Some(one.max(other)),
                    BinaryOperator::Multiply => Some(one + other),
                    _ => None,
                }
            }
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref());
                self.one_scale(results.filter(|result| !is_null(result)))
            }
            Expr::Extract { field, .. } => {
                let field = field.to_string().to_lowercase();
                (WHOLE_PARTS.contains(&field.as_str()) || field.starts_with("iso")).then_some(0)
            }
            Expr::Function(call) => self.scale_of_call(call).or_else(|| declared(kind)),
            _ => declared(kind),
        }
    }

    /// Whether a number is one of several, each of which has its own scale.
    pub(super) fn chooses(&self, expression: &Expr) -> bool {
        choices(expression).is_some_and(|choices| {
            let known = |choice: &&Expr| is_null(choice) || self.scale_of(choice).is_some() || self.chooses(choice);
            choices.iter().all(known)
        })
    }

    /// The text of such a number: that of the one which is chosen.
    pub(super) fn text_of_choice(&mut self, expression: &Expr) -> Sql {
        if self.is(Engine::Postgres) || !self.rewrites(Rewrite::ExactText) {
            let written = self.expression(expression).text;
            return Sql::atom(format!("cast({written} as {})", self.text_type_of(expression)));
        }
        match expression {
            Expr::Nested(inner) => self.text_of_choice(inner),
            Expr::Case { .. } => self.case_of(expression, &mut Self::text_or_null),
            _ => {
                let texts: Vec<String> =
                    choices(expression).unwrap_or_default().into_iter().map(|choice| self.text_or_null(choice)).collect();
                Sql::atom(format!("coalesce({})", texts.join(", ")))
            }
        }
    }

    fn text_or_null(&mut self, choice: &Expr) -> String {
        if is_null(choice) { "null".to_owned() } else { self.as_text(choice).text }
    }

    fn scale_of_call(&self, call: &Function) -> Option<i32> {
        let arguments = all_arguments(call)?;
        match (name_of(call).as_str(), arguments.as_slice()) {
            ("round" | "trunc", [_, digits]) => i32::try_from(whole_number(digits)?).ok().map(|digits| digits.max(0)),
            ("round" | "trunc" | "ceil" | "ceiling" | "floor", [_]) => Some(0),
            ("sum" | "min" | "max" | "abs" | "first_value" | "last_value" | "nullif", [value, ..])
            | ("lag" | "lead", [value] | [value, _]) => self.scale_of(value),
            ("lag" | "lead", [value, _, default]) => self.one_scale([*value, *default].into_iter()),
            ("coalesce" | "greatest" | "least", values) => self.one_scale(values.iter().copied()),
            _ => None,
        }
    }

    fn one_scale<'e>(&self, mut parts: impl Iterator<Item = &'e Expr>) -> Option<i32> {
        let first = self.scale_of(parts.next()?)?;
        parts.all(|part| self.scale_of(part) == Some(first)).then_some(first)
    }
}

/// What CASE and COALESCE choose from.
fn choices(expression: &Expr) -> Option<Vec<&Expr>> {
    match expression {
        Expr::Nested(inner) => choices(inner),
        Expr::Case { conditions, else_result, .. } => {
            Some(conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref()).collect())
        }
        Expr::Function(call) if call.over.is_none() && name_of(call) == "coalesce" => all_arguments(call),
        _ => None,
    }
}

fn declared(kind: Option<SqlType>) -> Option<i32> {
    kind?.scale()
}

fn is_null(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if value.value == Value::Null)
}

//! Which side of AND and OR is computed for which rows. PostgreSQL stops where the first side decides, and people guard a division or a cast so.
//! DuckDB does the same in WHERE, HAVING, ON and WHEN; anywhere else it computes both sides for all rows, which a CASE keeps it from.
//!
//! <https://duckdb.org/docs/stable/sql/expressions/case>

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Visit, visit_expressions};

use super::rewrite::Rewrite;
use super::writer::{Form, Sql, Writer};
use crate::dialect::Engine;

/// Functions that are no error for any value.
const SAFE: &[&str] = &[
    "btrim", "coalesce", "concat", "count", "greatest", "least", "length", "lower", "ltrim", "max", "md5", "min", "nullif", "rtrim",
    "upper",
];

impl Writer<'_> {
    /// A condition of WHERE, HAVING, ON or WHEN.
    pub(super) fn condition(&mut self, condition: &Expr) -> Sql {
        if self.is(Engine::DuckDb) {
            self.note_turns(condition);
        }
        self.expression(condition)
    }

    fn note_turns(&mut self, condition: &Expr) {
        match condition {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => self.note_turns(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                self.in_turn.insert(std::ptr::from_ref(condition).addr());
                self.note_turns(left);
                self.note_turns(right);
            }
            _ => {}
        }
    }

    /// AND or OR; `None` where the engine goes by turns itself, or the second side is no error for any row.
    pub(super) fn second_in_turn(&mut self, expression: &Expr, one: &Sql, op: &BinaryOperator, right: &Expr, other: &Sql) -> Option<Sql> {
        let guards = self.is(Engine::DuckDb) && !self.in_turn.contains(&std::ptr::from_ref(expression).addr());
        if !guards || !self.may_fail(right, &other.text) || !self.rewrites(Rewrite::Turns) {
            return None;
        }
        let (first, both) = (one.clone().part(), [one.clone().part(), other.clone().part()]);
        let text = match op {
            BinaryOperator::And => format!("case when not {first} then false else {} end", both.join(" and ")),
            _ => format!("case when {} then true else {} end", one.text, both.join(" or ")),
        };
        Some(Sql { text, form: Form::Loose })
    }

    /// Whether there are values for which something is an error, as it is in the query or as it is written.
    pub(super) fn may_fail(&self, part: &impl Visit, written: &str) -> bool {
        let fails = |part: &Expr| match part {
            Expr::Cast { expr, .. } => matches!(self.type_name(expr), "text" | "varchar" | "unknown" | "json" | "jsonb"),
            Expr::Function(call) => !SAFE.contains(&call.name.to_string().to_lowercase().as_str()),
            _ => false,
        };
        let look = |part: &Expr| if fails(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        written.contains("error(") || visit_expressions(part, look).is_break()
    }
}

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

    /// AND or OR of any number of sides; `None` where the engine goes by turns itself.
    pub(super) fn in_turns(&mut self, expression: &Expr, op: &BinaryOperator) -> Option<Sql> {
        if !self.is(Engine::DuckDb) || self.in_turn.contains(&std::ptr::from_ref(expression).addr()) {
            return None;
        }
        let (form, word) = if *op == BinaryOperator::And { (Form::And, " and ") } else { (Form::Or, " or ") };
        let mut sides = Vec::new();
        sides_of(expression, op, &mut sides);
        let written: Vec<Sql> = sides.iter().map(|side| self.expression(side)).collect();
        let part = |sql: &Sql| if sql.form == form { sql.text.clone() } else { sql.clone().part() };
        let whole = written.iter().map(part).collect::<Vec<_>>().join(word);
        let guarded = sides.iter().zip(&written).rposition(|(side, sql)| self.may_fail(*side, &sql.text)).unwrap_or_default();
        if guarded == 0 || !self.rewrites(Rewrite::Turns) {
            return Some(Sql { text: whole, form });
        }
        // Each side stands here twice at most, however many there are.
        let turns = written.into_iter().take(guarded).map(|side| match form {
            Form::And => format!(" when not {} then false", side.part()),
            _ => format!(" when {} then true", side.text),
        });
        Some(Sql::loose(format!("case{} else {whole} end", turns.collect::<String>())))
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

fn sides_of<'e>(expression: &'e Expr, of: &BinaryOperator, sides: &mut Vec<&'e Expr>) {
    match unnested(expression) {
        Expr::BinaryOp { left, op, right } if op == of => {
            sides_of(left, of, sides);
            sides_of(right, of, sides);
        }
        _ => sides.push(expression),
    }
}

pub(super) fn unnested(expression: &Expr) -> &Expr {
    if let Expr::Nested(inner) = expression { unnested(inner) } else { expression }
}

//! Widths of integers on DuckDB. What counts characters or rows is a BIGINT there and an integer in PostgreSQL; a literal beside a smallint is a
//! smallint there. A sum would overflow elsewhere, a date takes no BIGINT, and a table made of it would have other columns.
//!
//! - <https://duckdb.org/docs/stable/sql/functions/text>
//! - <https://duckdb.org/docs/stable/sql/data_types/numeric>

use sqlparser::ast::{BinaryOperator, Expr, Function};

use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::dialect::Engine;

/// Functions whose values are integers of 64 bits on DuckDB, and of 32 in PostgreSQL.
const COUNTING: &[&str] = &["char_length", "character_length", "length", "octet_length", "position", "regexp_count", "strpos"];

impl Writer<'_> {
    /// A call as it is written, of the width that it has in PostgreSQL.
    pub(super) fn of_width(&mut self, name: &str, function: &Function, written: Sql) -> Sql {
        let counts = self.is(Engine::DuckDb) && COUNTING.contains(&name);
        if !counts || self.bare.contains(&std::ptr::from_ref(function).addr()) {
            return written;
        }
        self.integer(written)
    }

    pub(super) fn integer(&mut self, written: Sql) -> Sql {
        if self.rewrites(Rewrite::IntegerWidth) { Sql::atom(format!("cast({} as integer)", written.text)) } else { written }
    }

    /// Notes calls that are compared with something in a condition on rows: there the width says nothing.
    pub(super) fn note_compared(&mut self, condition: &Expr) {
        let mut parts = vec![condition];
        while let Some(part) = parts.pop() {
            match part {
                Expr::Nested(inner) => parts.push(inner),
                Expr::Between { expr, .. } | Expr::InList { expr, .. } => self.note_bare(expr),
                Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => parts.extend([&**left, &**right]),
                Expr::BinaryOp {
                    left,
                    op:
                        BinaryOperator::Eq
                        | BinaryOperator::NotEq
                        | BinaryOperator::Lt
                        | BinaryOperator::LtEq
                        | BinaryOperator::Gt
                        | BinaryOperator::GtEq,
                    right,
                } => {
                    self.note_bare(left);
                    self.note_bare(right);
                }
                _ => {}
            }
        }
    }

    fn note_bare(&mut self, side: &Expr) {
        if let Expr::Function(function) = side {
            self.bare.insert(std::ptr::from_ref(function).addr());
        }
    }

    /// Whether values that become one are a smallint and a wider integer, which may be a literal.
    pub(super) fn are_integers(&self, parts: &[&Expr]) -> bool {
        let has = |kind: &str| parts.iter().any(|part| self.type_name(part) == kind);
        self.is(Engine::DuckDb) && has("int2") && has("int4")
    }

    /// One of these values.
    pub(super) fn one_of(&mut self, expression: &Expr, digits: Option<i32>, integers: bool) -> Sql {
        let written = self.aligned(expression, digits);
        if integers && self.type_name(expression) == "int2" { self.integer(written) } else { written }
    }
}

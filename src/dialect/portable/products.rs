//! Products and sums of exact numbers. DuckDB gives a product of two numbers of up to 18 digits 18 digits again, and fails where they are
//! not enough; Redshift takes digits behind the point away where both numbers have more than 38 together.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html>
//! - <https://duckdb.org/docs/stable/sql/data_types/numeric>

use sqlparser::ast::{BinaryOperator, Expr};

use super::digits::{MOST_DIGITS, Part, is_exact};
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::analysis::SqlType;
use crate::dialect::Engine;

/// Digits that DuckDB keeps in 64 bits.
const NARROW: i32 = 18;
/// Digits that the factors of a product have together on Redshift at most: it counts one more.
const FACTORS: i32 = 37;

/// Whether a `real` stands among other numbers: engines differ in whether they compare with its bits or with twice as many.
pub(super) fn has_real_and_other(kinds: &[Option<SqlType>]) -> bool {
    let is_real = |kind: &Option<SqlType>| kind.is_some_and(|kind| kind.name() == "float4");
    kinds.iter().any(is_real) && kinds.iter().any(|kind| kind.is_some_and(|kind| kind.name() != "float4"))
}

impl Writer<'_> {
    /// `+`, `-` or `*` of numbers.
    pub(super) fn arithmetic(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Sql {
        let (one, other) = (self.type_name(left), self.type_name(right));
        let (first, second) = (self.widened(left, other), self.widened(right, one));
        let plain = |first: Sql, second: Sql| Sql::loose(format!("{} {op} {}", first.part(), second.part()));
        let are_exact = is_exact(one) && is_exact(other) && (one == "numeric" || other == "numeric");
        let (Some(before), Some(behind), true) = (self.typed(left).digits, self.typed(right).digits, are_exact) else {
            return plain(first, second);
        };
        let (wide, narrow) = (self.precision(left), self.precision(right));
        let is_product = *op == BinaryOperator::Multiply;
        let is_tight = if is_product { wide + narrow > NARROW } else { wide.max(narrow) >= NARROW };
        match self.target() {
            Engine::DuckDb if is_product && before + behind > MOST_DIGITS => {
                self.lacks(span_of(left), "a product of so many digits", "cast one side to fewer digits, such as numeric(18,4)")
            }
            Engine::DuckDb if is_tight && self.rewrites(Rewrite::Product) => {
                plain(Sql::atom(format!("cast({} as decimal({MOST_DIGITS},{before}))", first.text)), second)
            }
            Engine::Redshift if is_product && wide + narrow > FACTORS && self.rewrites(Rewrite::Product) => {
                // Where one is known to be short, the other may have the rest.
                let (kept, rest) = if narrow <= NARROW { (FACTORS - narrow, narrow) } else { (FACTORS - NARROW, NARROW) };
                let (kept, rest) = if wide <= NARROW { (wide, FACTORS - wide) } else { (kept, rest) };
                if kept < before || rest < behind {
                    let help = "cast one side to fewer digits, such as numeric(18,4)";
                    return self.lacks(span_of(left), "a product of so many digits", help);
                }
                let cast =
                    |sql: Sql, precision: i32, digits: i32| Sql::atom(format!("cast({} as decimal({precision},{digits}))", sql.text));
                plain(cast(first, kept, before), cast(second, rest, behind))
            }
            _ => plain(first, second),
        }
    }

    /// A `real` beside another number: PostgreSQL computes with twice its bits, DuckDB with its own.
    pub(super) fn widened(&mut self, expression: &Expr, other: &str) -> Sql {
        let written = self.expression(expression);
        let (own, duckdb) = (self.type_name(expression), self.is(Engine::DuckDb));
        if duckdb && own == "float4" && !matches!(other, "float4" | "unknown" | "") {
            return Sql::atom(format!("cast({} as double)", written.text));
        }
        // DuckDB takes a literal for as small a number as what stands beside it.
        if duckdb && own == "int2" && other == "int4" {
            return self.integer(written);
        }
        written
    }

    /// Values that are compared with one another, of which `real` gets twice its bits where other numbers are among them.
    pub(super) fn compared<const N: usize>(&mut self, parts: [&Expr; N]) -> [Sql; N] {
        let kinds = parts.map(|part| self.type_name(part));
        let other = kinds.iter().find(|kind| !matches!(**kind, "float4" | "unknown" | "")).copied().unwrap_or("");
        parts.map(|part| self.widened(part, if self.type_name(part) == "float4" { other } else { "" }))
    }

    /// Exact numbers of which one has so many digits behind the point that few are left before it: DuckDB casts the other ones to that, which
    /// may not fit.
    pub(super) fn are_wide(&mut self, parts: &[&Expr]) -> bool {
        if !self.is(Engine::DuckDb) {
            return false;
        }
        match parts.iter().fold(Part::Null, |all, part| all.with(self.part_of(part))) {
            Part::Exact(size) => {
                let room = MOST_DIGITS - size.behind;
                room < NARROW && size.before > room && self.rewrites(Rewrite::Product)
            }
            _ => false,
        }
    }

    /// Such numbers, compared. What does not fit is larger than all that do.
    pub(super) fn wide_compared(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Sql> {
        let (Part::Exact(one), Part::Exact(other)) = (self.part_of(left), self.part_of(right)) else { return None };
        let coarse = if one.behind < other.behind { one } else { other };
        let room = MOST_DIGITS - one.behind.max(other.behind);
        if one.behind == other.behind || coarse.before <= room || !self.are_wide(&[left, right]) {
            return None;
        }
        let [first, second] = [left, right].map(|side| self.expression(side).part());
        let limit = format!("1{}", "0".repeat(usize::try_from(room).unwrap_or_default()));
        let (large, is_known, beyond) = if one.behind < other.behind {
            (&first, &second, format!("{first} {op} 0"))
        } else {
            (&second, &first, format!("0 {op} {second}"))
        };
        let beyond = format!("case when {is_known} is not null then {beyond} end");
        let is_large = format!("{large} >= {limit} or {large} <= -{limit}");
        Some(Sql::loose(format!("case when {is_large} then {beyond} else {first} {op} {second} end")))
    }

    /// Whether a `real` stands among other numbers.
    pub(super) fn mixes_real(&self, parts: &[&Expr]) -> bool {
        let kinds: Vec<_> = parts.iter().filter(|part| self.type_name(part) != "unknown").map(|part| self.type_of(part)).collect();
        has_real_and_other(&kinds)
    }
}

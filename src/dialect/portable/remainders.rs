//! Remainders. DuckDB takes exact numbers that need more than 38 digits together for binary floats; Redshift wants both sides to be of one
//! type, and gives an integer where one side is an integer and the other a `bigint`.
//!
//! - <https://www.postgresql.org/docs/15/functions-math.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_MOD.html>
//! - <https://duckdb.org/docs/stable/sql/functions/numeric>

use sqlparser::ast::Expr;

use super::calls::Call;
use super::digits::{MOST_DIGITS, is_integer};
use super::division::is_never_zero;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn remainder_call(&mut self, call: &Call<'_>) -> Sql {
        match call.arguments.as_slice() {
            [one, other] => self.remainder(one, other),
            _ => self.wrong_arguments(call),
        }
    }

    pub(super) fn remainder(&mut self, left: &Expr, right: &Expr) -> Sql {
        let kinds = [left, right].map(|side| self.type_name(side));
        let common = if kinds.contains(&"numeric") {
            match self.common_decimal(left, right) {
                Ok(common) => common,
                Err(unsure) => {
                    let message =
                        "how many digits this number has behind the point is not known, so its remainder is not the same on all engines";
                    return self.refuse(span_of(unsure), message, "cast it to numeric(p,s) first, or declare it so");
                }
            }
        } else {
            // One side of 64 bits makes the remainder one.
            let is_mixed = self.is(Engine::Redshift) && kinds[0] != kinds[1] && kinds.contains(&"int8");
            is_mixed.then(|| "bigint".to_owned())
        };
        let common = common.filter(|_| self.rewrites(Rewrite::Remainder));
        let [dividend, divisor] = match common.as_deref() {
            Some(common) => [left, right].map(|side| self.of_common(side, common)),
            None => [self.widened(left, kinds[1]), self.widened(right, kinds[0])],
        };
        let divisor = match self.divisor_of_integers([left, right], divisor.clone(), kinds) {
            Some(divisor) => divisor,
            None => self.not_zero(left, right, divisor),
        };
        Sql::loose(format!("{} % {divisor}", dividend.part()))
    }

    /// The divisor of whole numbers, or an error where it is zero. DuckDB divides the smallest integer by -1, which is too large, before it takes
    /// the remainder, which is that of 1.
    fn divisor_of_integers(&mut self, [dividend, divisor]: [&Expr; 2], written: Sql, kinds: [&str; 2]) -> Option<String> {
        if !self.is(Engine::DuckDb) || kinds.iter().any(|kind| !is_integer(kind)) {
            return None;
        }
        match whole_number(divisor) {
            Some(-1) => self.rewrites(Rewrite::Remainder).then(|| "1".to_owned()),
            None if !is_never_zero(divisor) && self.rewrites(Rewrite::Remainder) => {
                let part = written.part();
                let is_there = self.and_is_there(dividend);
                Some(format!("(case when {part} = 0{is_there} then error('division by zero') when {part} = -1 then 1 else {part} end)"))
            }
            _ => None,
        }
    }

    /// The decimal that holds both numbers, where an engine has to be told; a number that does not fit is an error while it runs. The side of
    /// which nobody knows the digits, where there is one.
    fn common_decimal<'e>(&self, left: &'e Expr, right: &'e Expr) -> Result<Option<String>, &'e Expr> {
        let (one, other) = (self.typed(left).digits.ok_or(left)?, self.typed(right).digits.ok_or(right)?);
        let behind = one.max(other);
        let whole = (self.precision_of_type(left) - one).max(self.precision_of_type(right) - other);
        let fits = whole + behind <= MOST_DIGITS;
        Ok(match self.target() {
            Engine::DuckDb if !fits => Some(format!("decimal({MOST_DIGITS},{behind})")),
            Engine::Redshift => Some(format!("decimal({},{behind})", (whole + behind).min(MOST_DIGITS))),
            Engine::DuckDb | Engine::Postgres => None,
        })
    }

    fn of_common(&mut self, side: &Expr, common: &str) -> Sql {
        let written = self.expression(side);
        let own = self.type_of(side).map(|kind| (kind.name(), kind.precision(), kind.scale()));
        let own = match own {
            Some(("numeric", Some(precision), Some(scale))) => format!("decimal({precision},{scale})"),
            Some(("int8", ..)) => "bigint".to_owned(),
            _ => String::new(),
        };
        if own == common { written } else { Sql::atom(format!("cast({} as {common})", written.text)) }
    }
}

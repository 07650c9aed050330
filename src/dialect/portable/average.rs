//! `avg`: PostgreSQL's average of integers and exact numbers is exact, Redshift's has the digits of its argument (none for integers),
//! DuckDB's is a binary float.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html>
//! - <https://duckdb.org/docs/stable/sql/functions/aggregates>

use super::calls::Call;
use super::division::Exact;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn average(&mut self, call: &Call<'_>) -> Sql {
        let Some(argument) = call.only() else { return self.wrong_arguments(call) };
        match self.type_name(argument) {
            "int2" | "int4" | "int8" | "numeric" => {}
            "float4" | "float8" => {
                let written = self.expression(argument).text;
                return self.aggregate(call, "avg", written);
            }
            other => {
                let message = format!("the average of {other} is not the same on all engines");
                return self.refuse(call.span, message, "take the average of numbers");
            }
        }
        let Some(digits) = self.typed(argument).digits else { return self.unknown_digits(call.span) };
        let written = self.expression(argument).text;
        if !self.rewrites(Rewrite::Average) {
            return self.aggregate(call, "avg", written);
        }
        // A sum of bigint is one on Redshift, and may be too large for it.
        let wide = self.is(Engine::Redshift) && self.type_name(argument) == "int8";
        let summand = if wide { format!("cast({written} as decimal(38,0))") } else { written.clone() };
        let sum = self.aggregate(call, "sum", summand);
        let count = self.aggregate(call, "count", written);
        self.quotient(Exact { sql: sum, digits }, Exact { sql: count, digits: 0 }, call.span)
    }
}

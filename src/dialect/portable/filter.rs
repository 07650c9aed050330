//! `FILTER (WHERE …)`, which Redshift does not have: what does not count becomes null, which aggregates leave out. DuckDB has it, but computes
//! the argument for rows that do not count too, where it may be an error.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/filter>

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Function, Visit, visit_expressions};

use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    /// What is aggregated and what follows the call, for an aggregate with a filter. `*` counts rows.
    pub(super) fn filtered(&mut self, call: &Function, argument: String) -> (String, String) {
        let Some(filter) = &call.filter else { return (argument, String::new()) };
        let condition = self.expression(filter).text;
        if self.fails_outside(call, &argument) && self.rewrites(Rewrite::Filter) {
            let counted = if argument == "*" { "1" } else { &argument };
            // It keeps nulls, but for rows that do not count.
            let keeps_nulls = call.name.to_string().eq_ignore_ascii_case("array_agg");
            let filter = if keeps_nulls { format!(" filter (where {condition})") } else { String::new() };
            (counts_if(&condition, counted), filter)
        } else {
            (argument, format!(" filter (where {condition})"))
        }
    }

    /// What else a row brings along: another argument, or a key of the order.
    pub(super) fn filtered_too(&mut self, call: &Function, part: &Expr, written: String) -> String {
        let Some(filter) = &call.filter else { return written };
        if self.is(Engine::Postgres) || !(self.may_fail(part, &written) || computes(part)) {
            return written;
        }
        let condition = self.expression(filter).text;
        if self.rewrites(Rewrite::Filter) { counts_if(&condition, &written) } else { written }
    }

    /// Whether a CASE has to keep the engine from what does not count.
    fn fails_outside(&self, call: &Function, written: &str) -> bool {
        match self.target() {
            Engine::Postgres => false,
            Engine::DuckDb => self.may_fail(&call.args, written) || computes(&call.args) || self.may_fail(&call.within_group, written),
            Engine::Redshift => true,
        }
    }
}

fn counts_if(condition: &str, value: &str) -> String {
    format!("case when {condition} then {value} end")
}

/// Whether there is arithmetic or a cast, whose results may be out of range.
pub(super) fn computes(arguments: &impl Visit) -> bool {
    let look = |part: &Expr| match part {
        Expr::BinaryOp {
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo,
            ..
        }
        | Expr::Cast { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    visit_expressions(arguments, look).is_break()
}

//! `FILTER (WHERE …)`, which Redshift does not have: what does not count becomes null, which aggregates leave out. DuckDB has it, but computes
//! the argument for rows that do not count too, where it may be an error.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/filter>

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, visit_expressions};

use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    /// What is aggregated and what follows the call, for an aggregate with a filter. `*` counts rows.
    pub(super) fn filtered(&mut self, call: &Function, argument: String) -> (String, String) {
        let Some(filter) = &call.filter else { return (argument, String::new()) };
        let condition = self.expression(filter).text;
        let in_argument = match self.target() {
            Engine::Postgres => false,
            Engine::DuckDb => (self.may_fail(&call.args, &argument) || computes(&call.args)) && !orders_each_once(call),
            Engine::Redshift => true,
        };
        if in_argument && self.rewrites(Rewrite::Filter) {
            let counted = if argument == "*" { "1" } else { &argument };
            // It keeps nulls, but for rows that do not count.
            let keeps_nulls = call.name.to_string().eq_ignore_ascii_case("array_agg");
            let filter = if keeps_nulls { format!(" filter (where {condition})") } else { String::new() };
            (format!("case when {condition} then {counted} end"), filter)
        } else {
            (argument, format!(" filter (where {condition})"))
        }
    }
}

/// Texts each once, in an order, which has to be that of the argument as it stands.
fn orders_each_once(call: &Function) -> bool {
    match &call.args {
        FunctionArguments::List(list) => list.duplicate_treatment == Some(DuplicateTreatment::Distinct) && !list.clauses.is_empty(),
        _ => false,
    }
}

/// Whether there is arithmetic or a cast, whose results may be out of range.
fn computes(arguments: &FunctionArguments) -> bool {
    let look = |part: &Expr| match part {
        Expr::BinaryOp { op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply, .. } | Expr::Cast { .. } => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    };
    visit_expressions(arguments, look).is_break()
}

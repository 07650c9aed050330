//! `FILTER (WHERE …)`, which Redshift does not have: what does not count becomes null, which aggregates leave out. DuckDB has it, but computes
//! the argument for rows that do not count too, where it may be an error.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/filter>

use std::ops::ControlFlow;

use sqlparser::ast::{DuplicateTreatment, Expr, Function, FunctionArguments, visit_expressions};

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
            Engine::DuckDb => self.may_fail(call, &argument) && !orders_each_once(call),
            Engine::Redshift => true,
        };
        if in_argument && self.rewrites(Rewrite::Filter) {
            let counted = if argument == "*" { "1" } else { &argument };
            (format!("case when {condition} then {counted} end"), String::new())
        } else {
            (argument, format!(" filter (where {condition})"))
        }
    }

    /// Whether there are values for which an argument is an error.
    fn may_fail(&self, call: &Function, written: &str) -> bool {
        let fails = |part: &Expr| match part {
            Expr::Cast { expr, .. } => {
                matches!(self.type_name(expr), "text" | "varchar" | "unknown" | "json" | "jsonb" | "float8" | "float4" | "numeric")
            }
            Expr::Function(inner) => !SAFE.contains(&inner.name.to_string().to_lowercase().as_str()),
            _ => false,
        };
        let look = |part: &Expr| if fails(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        written.contains("error(") || visit_expressions(&call.args, look).is_break()
    }
}

/// Functions that are no error for any value.
const SAFE: &[&str] = &["coalesce", "nullif", "greatest", "least", "lower", "upper", "length", "btrim", "ltrim", "rtrim", "concat", "md5"];

/// Texts each once, in an order, which has to be that of the argument as it stands.
fn orders_each_once(call: &Function) -> bool {
    match &call.args {
        FunctionArguments::List(list) => list.duplicate_treatment == Some(DuplicateTreatment::Distinct) && !list.clauses.is_empty(),
        _ => false,
    }
}

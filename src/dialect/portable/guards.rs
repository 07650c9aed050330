//! Subqueries that a CASE looks up for some rows only. DuckDB and Redshift compute them for all rows, as a join, so that what the CASE keeps from
//! a division or a cast stands in the WHERE of the subquery too: rows that it leaves out have none there, and nobody asks for those.
//!
//! <https://duckdb.org/docs/stable/sql/expressions/subqueries>

use std::ops::ControlFlow;

use sqlparser::ast::{CaseWhen, Expr, Query, SelectItem, SetExpr, visit_expressions};

use super::distinct_on::has_aggregate;
use super::filter::computes;
use super::lateral_keys::{Outside, is_query};
use super::rewrite::Rewrite;
use super::walk::{entry_name, factors, outside_of_queries};
use super::writer::Writer;
use crate::dialect::Engine;

/// A condition, and whether it holds where a result of the CASE is taken, or does not.
pub(super) type Guard<'e> = (&'e Expr, bool);

impl Writer<'_> {
    /// Whether subqueries of a CASE have to be guarded.
    pub(super) fn guards_lookups(&self, operand: Option<&Expr>) -> bool {
        operand.is_none() && self.is(Engine::DuckDb) && self.types.has_dependent_queries()
    }

    /// Notes what keeps the subqueries of a result from being computed.
    pub(super) fn guard(&mut self, result: &Expr, guards: &[(Guard<'_>, String)]) {
        outside_of_queries(result, |part| {
            let Expr::Subquery(query) = part else { return };
            let SetExpr::Select(select) = &*query.body else { return };
            let written: Vec<String> =
                guards.iter().filter(|(guard, _)| self.can_guard(guard.0, query)).map(|((_, holds), text)| asked(text, *holds)).collect();
            if written.is_empty() || !self.rewrites(Rewrite::Turns) {
                return;
            }
            let guard = written.join(" and ");
            if let [item @ (SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. })] = select.projection.as_slice()
                && has_aggregate(value)
            {
                // Where there are no rows, an aggregate still gives one.
                self.guards.entry(std::ptr::from_ref(item).addr()).or_insert_with(|| guard.clone());
            }
            self.guards.entry(std::ptr::from_ref(&**select).addr()).or_insert(guard);
        });
    }

    /// Whether a condition may stand in a subquery that may be an error: it reads nothing but what the subquery reads from outside.
    pub(super) fn can_guard(&self, condition: &Expr, query: &Query) -> bool {
        let (SetExpr::Select(select), Some(columns)) = (&*query.body, self.types.outer_columns(query)) else { return false };
        let outside = Outside(columns);
        let is_hidden =
            |entry: &Option<String>| entry.as_ref().is_none_or(|entry| factors(select).filter_map(entry_name).any(|name| name == *entry));
        let is_foreign = |part: &Expr| match part {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => outside.column(part).is_none_or(|column| is_hidden(&column.entry)),
            Expr::Function(call) => call.over.is_some(),
            other => is_query(other),
        };
        let look = |part: &Expr| if is_foreign(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        (self.may_fail(query, "") || computes(query)) && !has_aggregate(condition) && visit_expressions(condition, look).is_continue()
    }

    /// Calls `look` for each subquery that stands in a result of a CASE, with what keeps it from being computed, and for all others.
    pub(super) fn each_lookup(&mut self, expression: &Expr, look: &mut dyn FnMut(&mut Self, &Query, &[Guard<'_>])) {
        outside_of_queries(expression, |part| match part {
            Expr::Case { operand: None, conditions, else_result, .. } => {
                for (at, result) in conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref()).enumerate() {
                    outside_of_queries(result, |part| {
                        if let Expr::Subquery(query) = part {
                            look(self, query, &guards_of(conditions, at));
                        }
                    });
                }
            }
            Expr::Subquery(query) => look(self, query, &[]),
            _ => {}
        });
    }
}

/// What is known where the result of a branch is taken.
fn guards_of(conditions: &[CaseWhen], at: usize) -> Vec<Guard<'_>> {
    let fails = conditions.iter().take(at).map(|branch| (&branch.condition, false));
    fails.chain(conditions.get(at).map(|branch| (&branch.condition, true))).collect()
}

/// A null does not hold either.
pub(super) fn asked(condition: &str, holds: bool) -> String {
    if holds { format!("({condition})") } else { format!("({condition}) is not true") }
}

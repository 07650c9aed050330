//! Subqueries that a CASE looks up for some rows only. DuckDB computes them for all rows, as a join, so that what the CASE keeps from a division
//! or a cast stands in the WHERE of the subquery too: rows that it leaves out have none there, and nobody asks for those. Redshift takes few
//! forms of conditions on the row outside, so that only what [`super::lookups`] joins is guarded there.
//!
//! <https://duckdb.org/docs/stable/sql/expressions/subqueries>

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Query, Select, SelectItem, SetExpr, visit_expressions};

use super::distinct_on::has_aggregate;
use super::filter::computes;
use super::lateral_columns::is_random;
use super::lateral_keys::{Outside, is_query};
use super::rewrite::Rewrite;
use super::turns::unnested;
use super::walk::{entry_name, factors, outside_of_queries};
use super::writer::Writer;
use crate::dialect::Engine;

/// Each subquery says again what it is guarded by, so that a long CASE would grow by the square of its length.
const MOST: usize = 8;

/// What is known where a result of a CASE is taken.
#[derive(Clone, Copy)]
pub(super) struct Guard<'e> {
    /// What the condition is compared with, in `case x when`.
    operand: Option<&'e Expr>,
    condition: &'e Expr,
    /// A null does not hold either.
    holds: bool,
}

impl<'e> Guard<'e> {
    /// What is known of the result of a branch; of ELSE, where there is no such branch.
    fn all(operand: Option<&'e Expr>, conditions: &'e [CaseWhen], at: usize) -> Vec<Guard<'e>> {
        let mut guards = Vec::new();
        for (number, branch) in conditions.iter().enumerate().take(at + 1) {
            Guard { operand, condition: &branch.condition, holds: number == at }.add_parts(&mut guards);
        }
        guards
    }

    /// Each side of an AND that holds, and of an OR that does not: where one cannot be asked, the other still can.
    fn add_parts(self, guards: &mut Vec<Guard<'e>>) {
        let word = if self.holds { BinaryOperator::And } else { BinaryOperator::Or };
        match (self.operand, unnested(self.condition)) {
            (None, Expr::BinaryOp { left, op, right }) if *op == word => {
                Guard { condition: left, ..self }.add_parts(guards);
                Guard { condition: right, ..self }.add_parts(guards);
            }
            _ => guards.push(self),
        }
    }

    fn parts(&self) -> impl Iterator<Item = &'e Expr> + use<'e> {
        self.operand.into_iter().chain([self.condition])
    }

    /// What equals one literal equals no other, so that nothing has to be said of those.
    fn is_implied_by(&self, other: &Guard<'_>) -> bool {
        match (self.equality(), other.equality()) {
            (Some((one, literal)), Some((same, another))) => !self.holds && other.holds && one == same && literal != another,
            _ => false,
        }
    }

    fn equality(&self) -> Option<(&'e Expr, &'e Expr)> {
        let (one, other) = match (self.operand, self.condition) {
            (Some(operand), condition) => (operand, condition),
            (None, Expr::BinaryOp { left, op: BinaryOperator::Eq, right }) => (&**left, &**right),
            _ => return None,
        };
        let is_column = matches!(one, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        (is_column && matches!(other, Expr::Value(_))).then_some((one, other))
    }
}

impl Writer<'_> {
    /// Writes a result of a CASE, with what keeps its subqueries from being computed. `at` is that of its branch, behind the last one for ELSE.
    pub(super) fn guarded(&mut self, case: &Expr, at: usize, result: &Expr, write: &mut dyn FnMut(&mut Self, &Expr) -> String) -> String {
        let Expr::Case { operand, conditions, .. } = case else { return write(self, result) };
        if !self.is(Engine::DuckDb) || !self.types.has_dependent_queries() {
            return write(self, result);
        }
        let mut places = Vec::new();
        outside_of_queries(result, |part| {
            let Some(query) = subquery_of(part) else { return };
            let guards = Guard::all(operand.as_deref(), conditions, at);
            let mut selects = Vec::new();
            selects_of(&query.body, &mut selects);
            for select in selects {
                places.extend(self.guard(query, select, &guards));
            }
        });
        let written = write(self, result);
        for place in places {
            self.guards.get_mut(&place).and_then(Vec::pop);
        }
        written
    }

    /// Notes what is asked first in a SELECT, in its WHERE and around its aggregates, and gives the places where it is noted.
    fn guard(&mut self, query: &Query, select: &Select, guards: &[Guard<'_>]) -> Vec<usize> {
        let Some(columns) = self.types.outer_columns(query) else { return Vec::new() };
        let guards = self.guards_of(query, select, guards);
        if guards.is_empty() || !self.rewrites(Rewrite::Turns) {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.outside, columns);
        let written: Vec<String> = guards.iter().map(|guard| self.asked(guard)).collect();
        self.outside = before;
        let guard = written.join(" and ");
        let value = |item: &SelectItem| match item {
            // Where there are no rows, an aggregate still gives one.
            SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } if has_aggregate(value) => {
                Some(std::ptr::from_ref(value).addr())
            }
            _ => None,
        };
        let places: Vec<usize> =
            std::iter::once(std::ptr::from_ref(select).addr()).chain(select.projection.iter().filter_map(value)).collect();
        for place in &places {
            self.guards.entry(*place).or_default().push(guard.clone());
        }
        places
    }

    /// What is asked first of something, in the order of the CASEs.
    pub(super) fn guard_at<T>(&self, part: &T) -> Option<String> {
        let guards = self.guards.get(&std::ptr::from_ref(part).addr()).filter(|guards| !guards.is_empty())?;
        Some(guards.join(" and "))
    }

    /// What may stand in a subquery that may be an error. What may be one itself only stands behind all that is asked before it.
    pub(super) fn guards_of<'e>(&self, query: &Query, select: &Select, guards: &[Guard<'e>]) -> Vec<Guard<'e>> {
        let Some(columns) = self.types.outer_columns(query).filter(|columns| !columns.is_empty()) else { return Vec::new() };
        if !(self.may_fail(query, "") || computes(query)) {
            return Vec::new();
        }
        let outside = Outside(columns);
        // The join that Redshift gets knows columns of the row outside by the names that the subquery gives them.
        let is_around = self.is(Engine::DuckDb);
        let own = || guards.iter().rev().take_while(|guard| guard.holds);
        let fails = |guard: &Guard<'_>| guard.parts().any(|part| computes(part) || self.may_fail(part, ""));
        let (mut kept, mut is_whole) = (Vec::new(), true);
        for guard in guards.iter().filter(|guard| !own().any(|own| guard.is_implied_by(own))) {
            let has_room = guard.holds || kept.len() < MOST;
            if has_room && can_guard(guard, &outside, select, is_around) && (is_whole || !fails(guard)) {
                kept.push(*guard);
            } else {
                is_whole = false;
            }
        }
        kept
    }

    /// A condition of a CASE, where its result is computed.
    pub(super) fn asked(&mut self, guard: &Guard<'_>) -> String {
        let condition = match guard.operand {
            Some(operand) => self.comparison(operand, &BinaryOperator::Eq, guard.condition).text,
            None => self.condition(guard.condition).text,
        };
        if guard.holds { format!("({condition})") } else { format!("({condition}) is not true") }
    }

    /// Calls `look` for each subquery that stands in a result of a CASE, with what keeps it from being computed, and for all others.
    pub(super) fn each_lookup(&mut self, expression: &Expr, look: &mut dyn FnMut(&mut Self, &Query, &[Guard<'_>])) {
        outside_of_queries(expression, |part| match part {
            Expr::Case { operand, conditions, else_result, .. } => {
                for (at, result) in conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref()).enumerate() {
                    outside_of_queries(result, |part| {
                        if let Expr::Subquery(query) = part {
                            look(self, query, &Guard::all(operand.as_deref(), conditions, at));
                        }
                    });
                }
            }
            Expr::Subquery(query) => look(self, query, &[]),
            _ => {}
        });
    }
}

/// Whether a condition reads nothing but what the subquery reads from outside, and is the same each time that it is asked.
fn can_guard(guard: &Guard<'_>, outside: &Outside<'_>, select: &Select, is_around: bool) -> bool {
    let column_of = |part: &Expr| if is_around { outside.column_around(part) } else { outside.column(part) };
    let is_hidden =
        |entry: &Option<String>| entry.as_ref().is_none_or(|entry| factors(select).filter_map(entry_name).any(|name| name == *entry));
    let is_foreign = |part: &Expr| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => column_of(part).is_none_or(|column| is_hidden(&column.entry)),
        Expr::Function(call) => call.over.is_some() || is_random(part).is_break(),
        other => is_query(other),
    };
    let look = |part: &Expr| if is_foreign(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    guard.parts().all(|part| !has_aggregate(part) && visit_expressions(part, look).is_continue())
}

fn subquery_of(part: &Expr) -> Option<&Query> {
    match part {
        Expr::Subquery(query) | Expr::Exists { subquery: query, .. } | Expr::InSubquery { subquery: query, .. } => Some(query),
        _ => None,
    }
}

/// The sides of a set operation.
fn selects_of<'e>(body: &'e SetExpr, selects: &mut Vec<&'e Select>) {
    match body {
        SetExpr::Select(select) => selects.push(select),
        SetExpr::Query(query) => selects_of(&query.body, selects),
        SetExpr::SetOperation { left, right, .. } => {
            selects_of(left, selects);
            selects_of(right, selects);
        }
        _ => {}
    }
}

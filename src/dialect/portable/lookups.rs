//! Subqueries that depend on the row in a way that Redshift refuses. One that takes the first match by LIMIT is found for all rows at once,
//! and joined.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html>

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, SelectItem, Spanned, TableWithJoins, visit_expressions};

use super::calls::name_of;
use super::distinct_on::grouping_is_empty;
use super::functions::is_aggregate;
use super::guards::Guard;
use super::lateral::Search;
use super::lateral_columns::{is_random, makes_nulls_before};
use super::rewrite::Rewrite;
use super::walk::outside_of_queries;
use super::writer::Writer;
use crate::dialect::{Engine, correlated};

impl Writer<'_> {
    /// What else of the manual's list a whole query has, once it is written.
    pub(super) fn refuse_correlations(&mut self, query: &Query) {
        // Hardly any query has one, and this is another walk over all of it.
        if !self.is(Engine::Redshift) || !(self.has_subquery || self.has_refused()) {
            return;
        }
        for pattern in correlated::refused(query) {
            self.lacks(pattern.span, pattern.what, correlated::WAY_OUT);
        }
    }

    /// Puts lookups of a SELECT's list and condition beside its FROM.
    pub(super) fn look_at_lookups(&mut self, select: &Select) {
        if !self.types.has_dependent_queries() {
            return;
        }
        let can_be_joined = select.from.split_first().is_some_and(|(_, behind)| behind.iter().all(goes_left));
        let groups = !grouping_is_empty(select) || select.having.is_some();
        let expressions = || expressions(select);
        let is_limited = |part: &Expr| match part {
            Expr::Subquery(query) if query.limit_clause.is_some() || query.fetch.is_some() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let has_lookups = || expressions().any(|expression| visit_expressions(expression, is_limited).is_break());
        if !can_be_joined || groups || self.levels_mut().is_some() || !has_lookups() || expressions().any(aggregates) {
            return;
        }
        self.note_relations(select);
        for expression in expressions() {
            self.each_lookup(expression, &mut |writer, query, guards| {
                let _ = writer.look_up(query, guards);
            });
        }
    }

    /// `(select … from r where r.k = outer.k order by … limit 1)`
    fn look_up(&mut self, query: &Query, guards: &[Guard<'_>]) -> Option<()> {
        if self.looked_up(query).is_some() {
            return None;
        }
        let search =
            Search::read(query).filter(|search| matches!(search.limit, Some((_, Some(1)))) && search.select.projection.len() == 1)?;
        let is_dependent = self.types.outer_columns(query).is_some_and(|columns| !columns.is_empty());
        let draws = visit_expressions(query, is_random).is_break();
        if !is_dependent || draws || !self.rewrites(Rewrite::Lateral) {
            return None;
        }
        self.refuse_chosen_rows(query);
        let name = format!("acca_lookup_{}", self.sources.last()?.lookups.len() + 1);
        let value = |writer: &mut Self, item: &SelectItem| match item {
            SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } => {
                format!("{} as acca_value", writer.expression(value).text)
            }
            _ => String::new(),
        };
        let (found, on) = self.found(query, &search, &name, guards, value)?;
        let join = format!("left join ({found}) as {name} on {}", on.join(" and "));
        let sources = self.sources.last_mut()?;
        sources.lookups.push((std::ptr::from_ref(query) as usize, join));
        sources.adds = true;
        Some(())
    }

    /// What stands for a subquery that was looked up.
    pub(super) fn looked_up(&self, query: &Query) -> Option<String> {
        let place = std::ptr::from_ref(query) as usize;
        let at = self.sources.last()?.lookups.iter().position(|(of, _)| *of == place)?;
        Some(format!("acca_lookup_{}.acca_value", at + 1))
    }

    pub(super) fn refuse_limited_lookup(&mut self, query: &Query, help: &str) {
        let limited = query.limit_clause.is_some() || query.fetch.is_some();
        let depends = self.types.outer_columns(query).is_none_or(|columns| !columns.is_empty());
        if self.is(Engine::Redshift) && limited && depends {
            self.lacks(query.span(), "a subquery with LIMIT that depends on the row, in this place", help);
        }
    }
}

/// The way out for a value that is looked up.
pub(super) const JOIN_THE_FIRST: &str = "take min() or max(), or join the first row: left join lateral (… limit 1) as x on true; of several relations \
                                         that it reads, make one in a CTE before";

/// Whether a list of FROM can be written as joins.
pub(super) fn goes_left(relation: &TableWithJoins) -> bool {
    !relation.joins.iter().any(|join| makes_nulls_before(&join.join_operator))
}

/// Whether an expression puts rows together.
fn aggregates(expression: &Expr) -> bool {
    let mut found = false;
    outside_of_queries(expression, |part| {
        found |= matches!(part, Expr::Function(call) if call.over.is_none() && is_aggregate(&name_of(call)));
    });
    found
}

fn expressions(select: &Select) -> impl Iterator<Item = &Expr> {
    let items = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    });
    items.chain(&select.selection)
}

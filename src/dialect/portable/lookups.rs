//! Subqueries that depend on the row in a way that Redshift refuses. One that takes the first match by LIMIT is found for all rows at once,
//! and joined.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html>

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, SelectItem, SetExpr, Spanned, TableFactor, TableWithJoins, Visit, Visitor, visit_expressions};

use super::distinct_on::{grouping_is_empty, has_aggregate};
use super::lateral::Search;
use super::rewrite::Rewrite;
use super::using::folded;
use super::writer::Writer;
use crate::dialect::{Engine, correlated};

impl Writer<'_> {
    /// What else of the manual's list a whole query has.
    pub(super) fn refuse_correlations(&mut self, query: &Query) {
        if !self.is(Engine::Redshift) {
            return;
        }
        for pattern in correlated::refused(query) {
            self.lacks(pattern.span, pattern.what, correlated::WAY_OUT);
        }
    }

    /// Puts lookups of a SELECT's list and condition beside its FROM.
    pub(super) fn look_at_lookups(&mut self, select: &Select) {
        let is_alone = |relation: &TableWithJoins| relation.joins.is_empty();
        let can_be_joined = select.from.split_first().is_some_and(|(_, behind)| behind.iter().all(is_alone));
        let groups = !grouping_is_empty(select) || select.having.is_some();
        let expressions = || expressions(select);
        let is_limited = |part: &Expr| match part {
            Expr::Subquery(query) if query.limit_clause.is_some() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let has_lookups = || expressions().any(|expression| visit_expressions(expression, is_limited).is_break());
        if !can_be_joined || groups || self.levels_mut().is_some() || !has_lookups() || expressions().any(has_aggregate) {
            return;
        }
        self.note_relations(select);
        for expression in expressions() {
            let _ = expression.visit(&mut Lookups { writer: self, queries: 0 });
        }
    }

    /// `(select … from r where r.k = outer.k order by … limit 1)`
    fn look_up(&mut self, query: &Query) -> Option<()> {
        let search = Search::read(query).filter(|search| search.limit == Some((0, Some(1))) && search.select.projection.len() == 1)?;
        let is_dependent = self.types.outer_columns(query).is_some_and(|columns| !columns.is_empty());
        if !is_dependent || !self.rewrites(Rewrite::Lateral) {
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
        let (found, on) = self.found(query, &search, &name, value)?;
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

    pub(super) fn refuse_limited_lookup(&mut self, query: &Query) {
        let SetExpr::Select(select) = &*query.body else { return };
        let limited = query.limit_clause.is_some() || query.fetch.is_some();
        if !self.is(Engine::Redshift) || !limited {
            return;
        }
        let own = own_names(&select.from);
        if expressions(select).any(|part| depends(part, &own)) {
            let help = "take min() or max(), or join the first row: left join lateral (… limit 1) as x on true";
            self.lacks(query.span(), "a subquery with LIMIT that depends on the row", help);
        }
    }
}

/// The subqueries of an expression that stand for values, but not those within them.
struct Lookups<'w, 'q> {
    writer: &'w mut Writer<'q>,
    queries: usize,
}

impl Visitor for Lookups<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let (Expr::Subquery(query), 0) = (expression, self.queries) {
            let _ = self.writer.look_up(query);
        }
        ControlFlow::Continue(())
    }
}

fn expressions(select: &Select) -> impl Iterator<Item = &Expr> {
    let items = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    });
    items.chain(&select.selection)
}

/// The names by which relations of FROM can be named before a point.
fn own_names(from: &[TableWithJoins]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for relation in from {
        for factor in std::iter::once(&relation.relation).chain(relation.joins.iter().map(|join| &join.relation)) {
            match factor {
                TableFactor::Table { alias: Some(alias), .. }
                | TableFactor::Derived { alias: Some(alias), .. }
                | TableFactor::Function { alias: Some(alias), .. }
                | TableFactor::UNNEST { alias: Some(alias), .. } => {
                    names.insert(folded(&alias.name));
                }
                TableFactor::Table { name, alias: None, .. } => {
                    names.extend(name.0.last().and_then(|part| part.as_ident()).map(folded));
                }
                TableFactor::NestedJoin { table_with_joins, .. } => {
                    names.extend(own_names(std::slice::from_ref(table_with_joins)));
                }
                _ => {}
            }
        }
    }
    names
}

/// Whether an expression names a column of something else. A name alone is taken for one of its own: where it is none, Redshift says so.
fn depends(expression: &Expr, own: &BTreeSet<String>) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::CompoundIdentifier(parts) if parts.iter().rev().nth(1).is_some_and(|name| !own.contains(&folded(name))) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

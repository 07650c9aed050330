//! Subqueries that depend on the row in a way that Redshift refuses, such as those which take its first match by LIMIT.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html>

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, SelectItem, SetExpr, Spanned, TableFactor, TableWithJoins, visit_expressions};

use super::using::folded;
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

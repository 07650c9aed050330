//! Ways through the tree of a query.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, TableFactor, TableWithJoins, Visit, Visitor};

use super::using::folded;

/// Calls `look` for each expression, but not for those of queries within.
pub(super) fn outside_of_queries(part: &impl Visit, look: impl FnMut(&Expr)) {
    let _ = part.visit(&mut OutsideOfQueries { look, queries: 0 });
}

struct OutsideOfQueries<F> {
    look: F,
    queries: usize,
}

impl<F: FnMut(&Expr)> Visitor for OutsideOfQueries<F> {
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
        if self.queries == 0 {
            (self.look)(expression);
        }
        ControlFlow::Continue(())
    }
}

/// The entries of FROM, joined or not.
pub(super) fn factors(select: &Select) -> impl Iterator<Item = &TableFactor> {
    select.from.iter().flat_map(|from: &TableWithJoins| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
}

/// The name by which the columns of an entry of FROM can be named before a point.
pub(super) fn entry_name(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { name, alias: None, .. } => name.0.last().and_then(|part| part.as_ident()).map(folded),
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. }
        | TableFactor::NestedJoin { alias: Some(alias), .. } => Some(folded(&alias.name)),
        _ => None,
    }
}

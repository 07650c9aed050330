//! Ways through the tree of a query.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, TableFactor, TableWithJoins, Visit, Visitor, visit_expressions};

use super::lateral_columns::is_random;
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

/// Whether the queries of WITH give the same rows each time: nothing is drawn, and no LIMIT chooses among rows that are alike in its order.
pub(super) fn is_repeatable(query: &Query) -> bool {
    query.visit(&mut Repeatable).is_continue()
}

struct Repeatable;

impl Visitor for Repeatable {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let chooses = |query: &Query| query.limit_clause.is_some() || query.fetch.is_some();
        let named = query.with.iter().flat_map(|with| &with.cte_tables);
        if named.into_iter().any(|cte| chooses(&cte.query)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        is_random(expression)
    }
}

/// What names of columns there are in something.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    entries: Vec<String>,
    /// A name without an entry before it.
    alone: bool,
}

impl Origins {
    pub(super) fn of(part: &impl Visit) -> Origins {
        let mut origins = Origins::default();
        let _ = visit_expressions(part, |expression| {
            match expression {
                Expr::Identifier(_) => origins.alone = true,
                Expr::CompoundIdentifier(parts) => origins.entries.extend(parts.iter().rev().nth(1).map(folded)),
                _ => {}
            }
            ControlFlow::<()>::Continue(())
        });
        origins
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.entries.is_empty() && !self.alone
    }

    /// Whether they would mean something else where these entries stand nearer.
    pub(super) fn are_hidden_by(&self, names: &[String]) -> bool {
        self.alone || self.entries.iter().any(|entry| names.contains(entry))
    }
}

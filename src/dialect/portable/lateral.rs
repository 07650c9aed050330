//! `LATERAL` on Redshift, which has none: the first rows of each group are numbered once for all groups, and joined by the keys of the
//! group. What else is lateral stands in `lateral_columns`, or is refused.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html>

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, JoinConstraint, JoinOperator, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    Value, visit_expressions,
};

use super::distinct_on::{grouping_is_empty, has_aggregate};
use super::guards::Guard;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

/// A subquery that looks for rows.
pub(super) struct Search<'e> {
    pub select: &'e Select,
    order_by: &'e [OrderByExpr],
    /// Rows that are passed over, and those that are taken then.
    pub limit: Option<(i64, Option<i64>)>,
}

impl Writer<'_> {
    /// A lateral entry of FROM, as a join; `None` where it is none, or has no equivalent.
    pub(super) fn lateral(&mut self, operator: &JoinOperator, factor: &TableFactor) -> Option<String> {
        if !self.is(Engine::Redshift) {
            return None;
        }
        match factor {
            TableFactor::Derived { lateral: true, subquery, alias: Some(alias), sample: None } => {
                self.lateral_join(operator, subquery, alias)
            }
            _ => None,
        }
        .or_else(|| self.lateral_columns(operator, factor))
    }

    /// `join lateral (select … from r where r.k = outer.k order by … limit n) as x on true`
    fn lateral_join(&mut self, operator: &JoinOperator, query: &Query, alias: &TableAlias) -> Option<String> {
        let (word, condition) = join_word(operator)?;
        let Some(search) = Search::read(query) else {
            let has_star = matches!(&*query.body, SetExpr::Select(select) if select.projection.iter().any(is_star));
            return has_star
                .then(|| self.lacks(alias.name.span, "LATERAL whose columns are not named", "name each column of its list").text);
        };
        let is_named = |item: &SelectItem| {
            matches!(item, SelectItem::ExprWithAlias { .. } | SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
        };
        if !search.select.projection.iter().all(is_named) || !alias.columns.is_empty() || !self.rewrites(Rewrite::Lateral) {
            return None;
        }
        self.refuse_chosen_rows(query);
        let name = self.name(&alias.name);
        let (found, mut on) = self.found(query, &search, &name, &[], |writer, item| writer.item(item))?;
        on.extend(condition.map(|condition| self.expression(condition).part()));
        let on = if on.is_empty() { "true".to_owned() } else { on.join(" and ") };
        Some(format!("{word} ({found}) as {name} on {on}"))
    }

    /// The rows that are found for each row outside, all at once, and the conditions that join them, called `name`, to it.
    pub(super) fn found(
        &mut self,
        query: &Query,
        search: &Search<'_>,
        name: &str,
        guards: &[Guard<'_>],
        write: impl Fn(&mut Self, &SelectItem) -> String,
    ) -> Option<(String, Vec<String>)> {
        self.tied(query, search.select, search.order_by, |writer, tied| {
            let mut items: Vec<String> = search.select.projection.iter().map(|item| write(writer, item)).collect();
            items.extend(tied.items());
            let mut on = tied.on(name);
            if let Some((offset, limit)) = search.limit {
                let groups = tied.groups();
                let partition = if groups.is_empty() { String::new() } else { format!("partition by {}", groups.join(", ")) };
                let order = writer.inner_order_keys(search.order_by, search.select);
                let order = if order.is_empty() { order } else { format!(" order by {order}") };
                items.push(format!("row_number() over ({partition}{order}) as acca_rank"));
                on.extend((offset > 0).then(|| format!("{name}.acca_rank > {offset}")));
                on.extend(limit.map(|limit| format!("{name}.acca_rank <= {}", offset.saturating_add(limit))));
            }
            let mut filter = tied.filter.clone();
            let guards = if tied.by_values { writer.guards_of(query, search.select, guards) } else { Vec::new() };
            for guard in guards {
                filter.push_str(if filter.is_empty() { " where " } else { " and " });
                filter.push_str(&writer.asked(&guard));
            }
            (format!("select {} from {}{filter}", items.join(", "), tied.from), on)
        })
    }
}

impl<'e> Search<'e> {
    pub(super) fn read(query: &'e Query) -> Option<Search<'e>> {
        let SetExpr::Select(select) = &*query.body else { return None };
        let limit = match &query.limit_clause {
            None => None,
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                let offset = offset.as_ref().map_or(Some(0), |offset| whole_number(&offset.value))?;
                let limit = limit.as_ref().map(|limit| whole_number(limit).ok_or(())).transpose().ok()?;
                Some((offset, limit))
            }
            Some(_) => return None,
        };
        let limit = match (&query.fetch, limit) {
            (None, limit) => limit,
            (Some(fetch), None | Some((_, None))) if !fetch.with_ties && !fetch.percent => {
                let rows = fetch.quantity.as_ref().map_or(Some(1), whole_number)?;
                Some((limit.map_or(0, |(offset, _)| offset), Some(rows)))
            }
            (Some(_), _) => return None,
        };
        let order_by = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[],
            Some(OrderByKind::Expressions(keys)) => keys.as_slice(),
            Some(_) => return None,
        };
        let plain = select.distinct.is_none()
            && select.having.is_none()
            && grouping_is_empty(select)
            && query.with.is_none()
            && !select.from.is_empty();
        let is_plain = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr) => !is_of_several_rows(expr),
            _ => false,
        };
        let fits = plain && select.projection.iter().all(is_plain) && !order_by.iter().any(|key| is_of_several_rows(&key.expr));
        fits.then_some(Search { select, order_by, limit })
    }
}

fn is_star(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

/// An aggregate gives a row where there is none to aggregate, and a window would see the rows of all groups.
pub(super) fn is_of_several_rows(expression: &Expr) -> bool {
    has_aggregate(expression) || has_window(expression)
}

pub(super) fn has_window(expression: &Expr) -> bool {
    let is_window = |part: &Expr| match part {
        Expr::Function(call) if call.over.is_some() => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    visit_expressions(expression, is_window).is_break()
}

/// The join of everything with everything, or what is left of it, and what else is asked of its rows; `None` for other joins.
pub(super) fn join_word(operator: &JoinOperator) -> Option<(&'static str, Option<&Expr>)> {
    let (word, constraint) = match operator {
        JoinOperator::CrossJoin(constraint) | JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => ("join", constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("left join", constraint),
        _ => return None,
    };
    match (constraint, operator) {
        (JoinConstraint::None, JoinOperator::CrossJoin(_)) => Some((word, None)),
        (JoinConstraint::On(condition), _) => Some((word, Some(condition).filter(|condition| !is_true(condition)))),
        _ => None,
    }
}

fn is_true(condition: &Expr) -> bool {
    matches!(condition, Expr::Value(value) if value.value == Value::Boolean(true))
}

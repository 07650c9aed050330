//! `LATERAL` on Redshift, which has none: the first rows of each group are numbered once for all groups, and joined by the keys of the
//! group. Anything else that is lateral is refused.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html>

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, JoinConstraint, JoinOperator, LimitClause, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
};

use super::distinct_on::{grouping_is_empty, has_aggregate};
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::Writer;

/// A condition that ties a row of the subquery to one outside: the column within, and what it equals.
pub(super) type Tie<'e> = (&'e Expr, &'e Expr);

impl Writer<'_> {
    /// `join lateral (select … from r where r.k = outer.k order by … limit n) as x on true`; `None` where it is something else.
    pub(super) fn lateral_join(&mut self, operator: &JoinOperator, query: &Query, alias: &TableAlias) -> Option<String> {
        let word = join_word(operator)?;
        let SetExpr::Select(select) = &*query.body else { return None };
        self.refuse_chosen_rows(query);
        let limit = match &query.limit_clause {
            None => None,
            Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by }) if limit_by.is_empty() => {
                Some(whole_number(limit)?)
            }
            Some(_) => return None,
        };
        let plain = select.distinct.is_none()
            && select.having.is_none()
            && grouping_is_empty(select)
            && query.with.is_none()
            && query.fetch.is_none();
        // An aggregate gives a row where there is none to aggregate.
        let aggregates = select.projection.iter().any(|item| match item {
            SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } => has_aggregate(value),
            _ => true,
        });
        if aggregates {
            return None;
        }
        let relation = only_relation(select)?;
        let named = select.projection.iter().all(|item| {
            matches!(item, SelectItem::ExprWithAlias { .. } | SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
        });
        if !plain || !named || self.is_starred() || !alias.columns.is_empty() || !self.rewrites(Rewrite::Lateral) {
            return None;
        }
        let (ties, conditions) = split(select.selection.as_ref(), relation)?;
        Some(self.numbered(word, select, query, alias, limit, &ties, &conditions))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one join")]
    fn numbered(
        &mut self,
        word: &str,
        select: &Select,
        query: &Query,
        alias: &TableAlias,
        limit: Option<i64>,
        ties: &[Tie<'_>],
        conditions: &[&Expr],
    ) -> String {
        let name = self.name(&alias.name);
        self.look_at_sources(select);
        let mut items: Vec<String> = select.projection.iter().map(|item| self.item(item)).collect();
        let mut on = Vec::new();
        let mut keys = Vec::new();
        for (at, (within, outside)) in ties.iter().enumerate() {
            let key = format!("acca_key_{}", at + 1);
            items.push(format!("{} as {key}", self.expression(within).text));
            keys.push(self.equal_text(within).text);
            let mark = if self.is_text(within) || self.is_text(outside) { " || '.'" } else { "" };
            on.push(format!("({name}.{key}{mark}) = ({}{mark})", self.expression(outside).part()));
        }
        if let Some(limit) = limit {
            let partition = if keys.is_empty() { String::new() } else { format!("partition by {}", keys.join(", ")) };
            let order = match query.order_by.as_ref().map(|order| &order.kind) {
                Some(sqlparser::ast::OrderByKind::Expressions(keys)) => format!(" order by {}", self.order_keys_of(keys, Some(select))),
                _ => String::new(),
            };
            items.push(format!("row_number() over ({partition}{order}) as acca_rank"));
            on.push(format!("{name}.acca_rank <= {limit}"));
        }
        let from = self.from(&select.from);
        let filters: Vec<String> = conditions.iter().map(|condition| self.expression(condition).part()).collect();
        let filter = if filters.is_empty() { String::new() } else { format!(" where {}", filters.join(" and ")) };
        let on = if on.is_empty() { "true".to_owned() } else { on.join(" and ") };
        self.sources.pop();
        format!("{word} (select {} from {from}{filter}) as {name} on {on}", items.join(", "))
    }
}

/// The join of everything with everything, or what is left of it; `None` where there is a condition.
pub(super) fn join_word(operator: &JoinOperator) -> Option<&'static str> {
    match operator {
        JoinOperator::CrossJoin(JoinConstraint::None) => Some("join"),
        JoinOperator::Join(JoinConstraint::On(condition)) | JoinOperator::Inner(JoinConstraint::On(condition)) if is_true(condition) => {
            Some("join")
        }
        JoinOperator::Left(JoinConstraint::On(condition)) | JoinOperator::LeftOuter(JoinConstraint::On(condition))
            if is_true(condition) =>
        {
            Some("left join")
        }
        _ => None,
    }
}

fn is_true(condition: &Expr) -> bool {
    condition.to_string().eq_ignore_ascii_case("true")
}

/// The name of the only relation of FROM.
pub(super) fn only_relation(select: &Select) -> Option<String> {
    let [from] = select.from.as_slice() else { return None };
    match (&from.relation, from.joins.is_empty()) {
        (TableFactor::Table { name, alias, args: None, .. }, true) => {
            let ident = alias.as_ref().map_or_else(|| name.0.last().and_then(|part| part.as_ident()), |alias| Some(&alias.name))?;
            Some(ident.value.to_lowercase())
        }
        _ => None,
    }
}

/// Ties to what is outside, and conditions of the relation alone; `None` where a condition is neither.
pub(super) fn split(condition: Option<&Expr>, relation: String) -> Option<(Vec<Tie<'_>>, Vec<&Expr>)> {
    let mut ties = Vec::new();
    let mut own = Vec::new();
    let mut rest: Vec<&Expr> = condition.into_iter().collect();
    while let Some(part) = rest.pop() {
        match part {
            Expr::Nested(inner) => rest.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => rest.extend([&**right, &**left]),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_of(left, &relation) && is_outside(right, &relation) => {
                ties.push((&**left, &**right))
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_of(right, &relation) && is_outside(left, &relation) => {
                ties.push((&**right, &**left))
            }
            other if all_columns(other, &|column| qualifier(column).is_none_or(|name| name == relation)) => own.push(other),
            _ => return None,
        }
    }
    Some((ties, own))
}

fn qualifier(parts: &[Ident]) -> Option<String> {
    parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(|ident| ident.value.to_lowercase())
}

fn is_of(expression: &Expr, relation: &str) -> bool {
    matches!(expression, Expr::CompoundIdentifier(parts) if qualifier(parts).as_deref() == Some(relation))
}

fn is_outside(expression: &Expr, relation: &str) -> bool {
    matches!(expression, Expr::CompoundIdentifier(parts) if qualifier(parts).is_some_and(|name| name != relation))
}

fn all_columns(expression: &Expr, holds: &dyn Fn(&[Ident]) -> bool) -> bool {
    let found = sqlparser::ast::visit_expressions(expression, |part| match part {
        Expr::CompoundIdentifier(parts) if !holds(parts) => std::ops::ControlFlow::Break(()),
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_continue()
}

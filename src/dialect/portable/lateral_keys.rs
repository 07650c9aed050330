//! How the rows of a lateral subquery on Redshift are tied to the rows outside. Where conditions like `inner.k = outer.k` are all that ties
//! them, these are the keys of a join. Otherwise the subquery is run for every combination of values that the columns have which it reads
//! from outside, each combination once, and these columns are the keys.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, JoinOperator, OrderByExpr, Query, Select, SetExpr, Spanned, TableFactor, Visit, visit_expressions,
};

use super::using::folded;
use super::walk::{entry_name, factors};
use super::writer::{Writer, print_name};
use crate::analysis::OuterColumn;

/// The values from outside.
const OUTER: &str = "acca_outer";

/// FROM and WHERE of a subquery, for all rows outside at once.
pub(super) struct Tied {
    pub from: String,
    pub filter: String,
    keys: Vec<Key>,
}

/// What tells for which rows outside a row of the subquery is.
struct Key {
    within: String,
    outside: String,
    is_text: bool,
    /// A null outside has rows too.
    with_null: bool,
}

impl Tied {
    /// The keys, for the list of the subquery.
    pub(super) fn items(&self) -> impl Iterator<Item = String> {
        self.keys.iter().enumerate().map(|(at, key)| format!("{} as acca_key_{}", key.within, at + 1))
    }

    /// By what rows are grouped that belong to one row outside.
    pub(super) fn groups(&self) -> Vec<String> {
        let groups = self.keys.iter().flat_map(|key| {
            let exact = key.is_text.then(|| format!("{} || '.'", key.within));
            std::iter::once(key.within.clone()).chain(exact)
        });
        groups.collect()
    }

    /// What joins the subquery to the rows outside.
    pub(super) fn on(&self, alias: &str) -> Vec<String> {
        let condition = |(at, key): (usize, &Key)| {
            let (within, mark) = (format!("{alias}.acca_key_{}", at + 1), if key.is_text { " || '.'" } else { "" });
            let equal = format!("({within}{mark}) = ({}{mark})", key.outside);
            if key.with_null { format!("({equal} or ({within} is null and {} is null))", key.outside) } else { equal }
        };
        self.keys.iter().enumerate().map(condition).collect()
    }
}

/// The columns that a lateral subquery reads from outside.
struct Outside<'t>(&'t [OuterColumn]);

impl Outside<'_> {
    /// `outer.k`, or `k` alone
    fn column(&self, expression: &Expr) -> Option<&OuterColumn> {
        match expression {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(name) => self.0.iter().find(|column| column.alone && column.name == folded(name)),
            Expr::CompoundIdentifier(parts) => {
                let [.., entry, name] = parts.as_slice() else { return None };
                self.0.iter().find(|column| column.entry.as_ref() == Some(&folded(entry)) && column.name == folded(name))
            }
            _ => None,
        }
    }

    fn is_read_by(&self, part: &impl Visit) -> bool {
        let is_outer =
            |expression: &Expr| if self.column(expression).is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        visit_expressions(part, is_outer).is_break()
    }
}

impl Writer<'_> {
    /// DuckDB runs no outer join within a lateral subquery whose condition reads from outside.
    pub(super) fn refuse_outer_join(&mut self, query: &Query) {
        let (SetExpr::Select(select), Some(columns)) = (&*query.body, self.types.outer_columns(query)) else { return };
        let outside = Outside(columns);
        for join in select.from.iter().flat_map(|from| &from.joins) {
            let (JoinOperator::Left(condition) | JoinOperator::LeftOuter(condition)) = &join.join_operator else { continue };
            if outside.is_read_by(condition) {
                let help = "put the condition into WHERE, or into a subquery that is joined";
                self.lacks(join.relation.span(), "a left join within LATERAL whose condition reads from outside", help);
            }
        }
    }

    /// The rows of a subquery that is one SELECT, tied to those outside; `None` where that is not known. Its own FROM is the innermost from
    /// then on.
    pub(super) fn tied(&mut self, query: &Query, select: &Select, order_by: &[OrderByExpr]) -> Option<Tied> {
        let columns = self.types.outer_columns(query)?;
        let outside = Outside(columns);
        let is_hidden = |column: &OuterColumn| {
            column.entry.as_ref().is_none_or(|entry| factors(select).filter_map(entry_name).any(|name| name == *entry))
        };
        if columns.iter().any(is_hidden) {
            return None;
        }
        let parts = conjuncts(select.selection.as_ref());
        let pairs: Vec<Option<(&Expr, &Expr)>> = parts.iter().map(|part| tie(part, &outside)).collect();
        let own = || parts.iter().zip(&pairs).filter(|(_, pair)| pair.is_none()).map(|(part, _)| *part);
        let reads = outside.is_read_by(&select.from)
            || outside.is_read_by(&select.projection)
            || order_by.iter().any(|key| outside.is_read_by(&key.expr))
            || own().any(|part| outside.is_read_by(part));
        if reads {
            return self.tied_by_values(select, &outside, &pairs);
        }
        self.look_at_sources(select);
        let mut keys = Vec::new();
        for (within, other) in pairs.iter().flatten() {
            let is_text = self.is_text(within) || self.is_text(other);
            keys.push(Key { within: self.expression(within).part(), outside: self.outside(other), is_text, with_null: false });
        }
        let from = self.from(&select.from);
        let filter = self.all_of(own());
        Some(Tied { from, filter, keys })
    }

    /// Of one relation outside only: of several there would be too many combinations.
    fn tied_by_values(&mut self, select: &Select, outside: &Outside<'_>, pairs: &[Option<(&Expr, &Expr)>]) -> Option<Tied> {
        let entry = outside.0.first()?.entry.clone()?;
        let is_comparable = |column: &OuterColumn| {
            column.typed.sql_type.is_some_and(|kind| !matches!(kind.name(), "json" | "jsonb")) && column.entry.as_ref() == Some(&entry)
        };
        let [from] = select.from.as_slice() else { return None };
        let goes_left = |join: &sqlparser::ast::Join| {
            !matches!(join.join_operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_))
        };
        if !outside.0.iter().all(is_comparable) || !from.joins.iter().all(goes_left) || has_queries(select) {
            return None;
        }
        let relation = self.sources.last()?.relations.get(&entry)?.clone();
        let is_tied = |column: &OuterColumn| {
            pairs.iter().flatten().any(|(_, other)| outside.column(other).is_some_and(|held| std::ptr::eq(held, column)))
        };
        self.look_at_sources(select);
        let mut values = Tied { from: relation, filter: String::new(), keys: Vec::new() };
        let mut keys = Vec::new();
        for (at, column) in outside.0.iter().enumerate() {
            let outer = format!("{}.{}", print_name(&entry), print_name(&column.name));
            let within = format!("{OUTER}.acca_key_{}", at + 1);
            let is_text = column.typed.sql_type.is_some_and(|kind| matches!(kind.name(), "text" | "varchar" | "bpchar"));
            if let Some(sources) = self.sources.last_mut() {
                sources.stands_for(&entry, &column.name, within.clone(), column.alone);
            }
            values.keys.push(Key { within: outer.clone(), outside: String::new(), is_text, with_null: false });
            keys.push(Key { within, outside: outer, is_text, with_null: column.typed.nullable && !is_tied(column) });
        }
        let (items, groups) = (values.items().collect::<Vec<_>>().join(", "), values.groups().join(", "));
        let inner = self.from(&select.from);
        let from = format!("(select {items} from {} group by {groups}) as {OUTER} cross join {inner}", values.from);
        let filter = self.all_of(select.selection.iter());
        Some(Tied { from, filter, keys })
    }

    fn all_of<'e>(&mut self, conditions: impl Iterator<Item = &'e Expr>) -> String {
        let conditions: Vec<String> = conditions.map(|condition| self.expression(condition).part()).collect();
        if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) }
    }

    /// A column of the row outside, while the relations within are written.
    fn outside(&mut self, column: &Expr) -> String {
        let within = self.sources.pop();
        let written = self.expression(column).part();
        self.sources.extend(within);
        written
    }
}

/// `inner.k = outer.k`, inner first.
fn tie<'e>(condition: &'e Expr, outside: &Outside<'_>) -> Option<(&'e Expr, &'e Expr)> {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return None };
    let is_column = |side: &Expr| matches!(side, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    match (outside.column(left).is_some(), outside.column(right).is_some()) {
        (false, true) if is_column(left) => Some((&**left, &**right)),
        (true, false) if is_column(right) => Some((&**right, &**left)),
        _ => None,
    }
}

/// The parts of a condition that all have to hold.
fn conjuncts(condition: Option<&Expr>) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut rest: Vec<&Expr> = condition.into_iter().collect();
    while let Some(part) = rest.pop() {
        match part {
            Expr::Nested(inner) => rest.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => rest.extend([&**right, &**left]),
            other => parts.push(other),
        }
    }
    parts
}

/// A name within a further query could not be told what stands for it.
fn has_queries(select: &Select) -> bool {
    let is_query = |expression: &Expr| match expression {
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    visit_expressions(select, is_query).is_break() || factors(select).any(|factor| !matches!(factor, TableFactor::Table { args: None, .. }))
}

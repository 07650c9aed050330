//! How the rows of a lateral subquery on Redshift are tied to the rows outside. Where conditions like `inner.k = outer.k` are all that ties
//! them, these are the keys of a join. Otherwise the subquery is run for every combination of values that the columns have which it reads
//! from outside, each combination once, and these columns are the keys.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinOperator, OrderByExpr, Query, Select, SetExpr, Spanned, TableFactor, Visit, visit_expressions,
};

use super::lateral_columns::makes_nulls_before;
use super::using::folded;
use super::walk::{entry_name, factors};
use super::writer::{Selected, Writer, print_name};
use crate::analysis::{OuterColumn, SqlType};

/// The values from outside.
const OUTER: &str = "acca_outer";

/// FROM and WHERE of a subquery, for all rows outside at once.
pub(super) struct Tied {
    pub from: String,
    pub filter: String,
    keys: Vec<Key>,
    /// The subquery is run for each combination of values, so that it can name them.
    pub by_values: bool,
}

/// The columns of a table outside that a subquery reads, and whether a condition of it equals each.
struct Values<'t> {
    entry: String,
    relation: String,
    conditions: Vec<String>,
    columns: Vec<(&'t OuterColumn, bool)>,
}

/// What tells for which rows outside a row of the subquery is.
struct Key {
    within: String,
    outside: String,
    kind: Kind,
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
            let exact = key.kind.is_text().then(|| format!("{} || '.'", key.within));
            std::iter::once(key.within.clone()).chain(exact)
        });
        groups.collect()
    }

    /// What joins the subquery to the rows outside.
    pub(super) fn on(&self, alias: &str) -> Vec<String> {
        let condition = |(at, key): (usize, &Key)| key.equals(&format!("{alias}.acca_key_{}", at + 1));
        self.keys.iter().enumerate().map(condition).collect()
    }
}

impl Key {
    /// Nulls are equal where they have rows: by equalities alone, which can be hashed.
    fn equals(&self, within: &str) -> String {
        let (outside, mark) = (&self.outside, if self.kind.is_text() { " || '.'" } else { "" });
        let equal = format!("({within}{mark}) = ({outside}{mark})");
        let is_null = |value: &str| format!("case when {value} is null then 1 else 0 end");
        match (self.with_null, self.kind.some_value()) {
            (false, _) => equal,
            (true, Some(some)) => {
                format!(
                    "coalesce({within}{mark}, {some}) = coalesce({outside}{mark}, {some}) and {} = {}",
                    is_null(within),
                    is_null(outside)
                )
            }
            (true, None) => format!("({equal} or ({within} is null and {outside} is null))"),
        }
    }
}

/// What is compared.
#[derive(Clone, Copy)]
struct Kind(&'static str);

impl Kind {
    fn is_text(self) -> bool {
        matches!(self.0, "text" | "varchar" | "bpchar")
    }

    /// A value of it, whichever.
    fn some_value(self) -> Option<&'static str> {
        match self.0 {
            "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => Some("0"),
            "date" => Some("date '2000-01-01'"),
            "timestamp" => Some("timestamp '2000-01-01'"),
            _ if self.is_text() => Some("''"),
            _ => None,
        }
    }
}

/// The columns that a lateral subquery reads from outside.
pub(super) struct Outside<'t>(pub &'t [OuterColumn]);

impl<'t> Outside<'t> {
    /// `outer.k`, or `k` alone
    pub(super) fn column(&self, expression: &Expr) -> Option<&OuterColumn> {
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

    /// The same where the expression stands around the subquery.
    pub(super) fn column_around(&self, expression: &Expr) -> Option<&OuterColumn> {
        match expression {
            Expr::Identifier(name) => self.named_around(name),
            other => self.column(other),
        }
    }

    pub(super) fn named_around(&self, name: &Ident) -> Option<&'t OuterColumn> {
        self.0.iter().find(|column| column.known_alone && column.name == folded(name))
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

    /// What is written of a subquery that is one SELECT, within it, with its rows tied to those outside; `None` where that is not known.
    pub(super) fn tied<T>(
        &mut self,
        query: &Query,
        select: &Select,
        order_by: &[OrderByExpr],
        write: impl FnOnce(&mut Self, &Tied) -> T,
    ) -> Option<T> {
        let columns = self.types.outer_columns(query)?;
        let outside = Outside(columns);
        let is_hidden = |column: &OuterColumn| {
            column.entry.as_ref().is_none_or(|entry| factors(select).filter_map(entry_name).any(|name| name == *entry))
        };
        if columns.iter().any(is_hidden) {
            return None;
        }
        self.refuse_foreign(query);
        self.refuse_foreign_clauses(select);
        let parts = conjuncts(select.selection.as_ref());
        let pairs: Vec<Option<(&Expr, &Expr)>> = parts.iter().map(|part| tie(part, &outside)).collect();
        let own = || parts.iter().zip(&pairs).filter(|(_, pair)| pair.is_none()).map(|(part, _)| *part);
        let reads = outside.is_read_by(&select.from)
            || outside.is_read_by(&select.projection)
            || order_by.iter().any(|key| outside.is_read_by(&key.expr))
            || own().any(|part| outside.is_read_by(part));
        let values = if reads { Some(self.values_outside(select, &outside, &pairs)?) } else { None };
        self.enter_select(Selected { aliases: self.aliases_of(select), ..Selected::default() });
        self.look_at_sources(select);
        let tied = match values {
            Some(values) => self.tied_by_values(select, values),
            None => {
                let mut keys = Vec::new();
                for (within, other) in pairs.iter().flatten() {
                    let kind = if self.is_text(other) { "text" } else { self.type_name(within) };
                    keys.push(Key {
                        within: self.expression(within).part(),
                        outside: self.outside(other),
                        kind: Kind(kind),
                        with_null: false,
                    });
                }
                let from = self.from(&select.from);
                let filter = self.all_of(own());
                Tied { from, filter, keys, by_values: false }
            }
        };
        let written = write(self, &tied);
        self.sources.pop();
        self.leave_select();
        Some(written)
    }

    /// The values that a subquery reads from outside; `None` where it cannot be run for them. Of one table only: of several there would be too
    /// many combinations. It is read twice, so that has to give the same rows.
    fn values_outside<'t>(&mut self, select: &Select, outside: &Outside<'t>, pairs: &[Option<(&Expr, &Expr)>]) -> Option<Values<'t>> {
        let entry = outside.0.first()?.entry.clone()?;
        let is_comparable = |column: &OuterColumn| {
            column.typed.sql_type.is_some_and(|kind| !matches!(kind.name(), "json" | "jsonb")) && column.entry.as_ref() == Some(&entry)
        };
        let [from] = select.from.as_slice() else { return None };
        let goes_right = |join: &Join| makes_nulls_before(&join.join_operator);
        if !outside.0.iter().all(is_comparable) || from.joins.iter().any(goes_right) || has_queries(select) || !self.is_repeatable() {
            return None;
        }
        let (relation, conditions) = self.sources.last()?.relations.get(&entry)?.clone();
        let is_tied = |column: &OuterColumn| {
            pairs.iter().flatten().any(|(_, other)| outside.column(other).is_some_and(|held| std::ptr::eq(held, column)))
        };
        let columns = outside.0.iter().map(|column| (column, is_tied(column))).collect();
        Some(Values { entry, relation, conditions, columns })
    }

    fn tied_by_values(&mut self, select: &Select, values: Values<'_>) -> Tied {
        let Values { entry, relation, conditions, columns } = values;
        let mut outer = Tied { from: relation, filter: String::new(), keys: Vec::new(), by_values: true };
        let mut keys = Vec::new();
        for (at, (column, is_tied)) in columns.into_iter().enumerate() {
            let outside = format!("{}.{}", print_name(&entry), print_name(&column.name));
            let within = format!("{OUTER}.acca_key_{}", at + 1);
            let kind = Kind(column.typed.sql_type.map_or("", SqlType::name));
            if let Some(sources) = self.sources.last_mut() {
                sources.stands_for(&entry, &column.name, within.clone(), column.alone);
            }
            outer.keys.push(Key { within: outside.clone(), outside: String::new(), kind, with_null: false });
            keys.push(Key { within, outside, kind, with_null: column.typed.nullable && !is_tied });
        }
        let (items, groups) = (outer.items().collect::<Vec<_>>().join(", "), outer.groups().join(", "));
        let filter = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
        let inner = self.from(&select.from);
        let from = format!("(select {items} from {}{filter} group by {groups}) as {OUTER} cross join {inner}", outer.from);
        let filter = self.all_of(select.selection.iter());
        Tied { from, filter, keys, by_values: true }
    }

    fn all_of<'e>(&mut self, conditions: impl Iterator<Item = &'e Expr>) -> String {
        let conditions: Vec<String> = conditions.map(|condition| self.expression(condition).part()).collect();
        if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) }
    }

    /// A column of the row outside, while the relations within are written.
    fn outside(&mut self, column: &Expr) -> String {
        let (within, select) = (self.sources.pop(), self.leave_select());
        let written = self.expression(column).part();
        self.sources.extend(within);
        select.into_iter().for_each(|select| self.enter_select(select));
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
pub(super) fn conjuncts(condition: Option<&Expr>) -> Vec<&Expr> {
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
    let looks = |expression: &Expr| if is_query(expression) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    visit_expressions(select, looks).is_break() || factors(select).any(|factor| !matches!(factor, TableFactor::Table { args: None, .. }))
}

pub(super) fn is_query(expression: &Expr) -> bool {
    matches!(expression, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. })
}

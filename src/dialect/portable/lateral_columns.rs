//! `LATERAL` on Redshift where no row has to be looked for: columns that are computed from the row outside, a list of VALUES of such
//! columns, and aggregates over the rows that belong to the one outside. Every place that names such a column, queries within too, names what it stands for.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html>

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, JoinOperator, Query, Select, SelectItem, SetExpr, TableAlias,
    TableFactor, Value, Values, visit_expressions,
};

use super::calls::name_of;
use super::distinct_on::{grouping_is_empty, item_expression};
use super::functions::is_aggregate;
use super::lateral::{is_of_several_rows, join_word};
use super::lateral_keys::{conjuncts, is_query};
use super::rewrite::Rewrite;
use super::series::RowSeries;
use super::using::folded;
use super::walk::{Origins, entry_name, factors};
use super::writer::{Writer, print_name, span_of};
use crate::dialect::Engine;

/// What a lateral entry of FROM is written as.
enum Lateral<'e> {
    /// Nothing: its columns are computed where they are named.
    Columns(Vec<&'e Expr>),
    /// A row for each of a list.
    Rows(&'e Values),
    /// Groups, joined by their keys.
    Groups(&'e Select),
}

/// A lateral entry of FROM.
pub(super) struct LateralEntry<'e> {
    query: &'e Query,
    alias: &'e TableAlias,
}

impl<'e> LateralEntry<'e> {
    pub(super) fn of(factor: &'e TableFactor) -> Option<LateralEntry<'e>> {
        match factor {
            TableFactor::Derived { lateral: true, subquery, alias: Some(alias), sample: None } => {
                Some(LateralEntry { query: subquery, alias })
            }
            _ => None,
        }
    }

    fn read(&self) -> Option<Lateral<'e>> {
        let query = self.query;
        let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none() && query.order_by.is_none();
        match &*query.body {
            SetExpr::Values(values) if plain => Some(Lateral::Rows(values)),
            SetExpr::Select(select) if plain => {
                let bare = select.distinct.is_none() && select.having.is_none() && grouping_is_empty(select);
                let items: Vec<&Expr> = select.projection.iter().map(item_expression).collect::<Option<_>>()?;
                if !bare {
                    return None;
                }
                if select.from.is_empty() {
                    let computed = select.selection.is_none() && !items.iter().any(|item| is_of_several_rows(item));
                    return computed.then_some(Lateral::Columns(items));
                }
                items.iter().all(|item| of_nothing(item).is_some()).then_some(Lateral::Groups(select))
            }
            _ => None,
        }
    }

    /// The names of its columns, as they are printed.
    fn names(&self) -> Vec<String> {
        let own: Vec<String> = match &*self.query.body {
            SetExpr::Select(select) => select.projection.iter().map(item_name).collect(),
            SetExpr::Values(values) => {
                (1..=values.rows.first().map_or(0, |row| row.content.len())).map(|at| format!("column{at}")).collect()
            }
            _ => Vec::new(),
        };
        let given = self.alias.columns.iter().map(|column| folded(&column.name));
        given.chain(own.into_iter().skip(self.alias.columns.len())).collect()
    }
}

/// Whether a join gives rows in which what stands before it is null.
pub(super) fn makes_nulls_before(join: &JoinOperator) -> bool {
    matches!(join, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_))
}

pub(super) fn is_lateral(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Derived { lateral: true, .. })
}

/// What is computed wherever it is named would be drawn anew there.
pub(super) fn is_random(expression: &Expr) -> ControlFlow<()> {
    match expression {
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("random") => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    }
}

impl Writer<'_> {
    /// Notes what the columns of lateral entries stand for, in their order: one may read those before it.
    pub(super) fn look_at_laterals(&mut self, select: &Select) {
        if !self.is(Engine::Redshift) {
            return;
        }
        if factors(select).any(is_lateral) {
            self.note_relations(select);
        }
        let joined = |from: &'_ sqlparser::ast::TableWithJoins| {
            let turned = |joins: &[sqlparser::ast::Join]| joins.iter().any(|join| makes_nulls_before(&join.join_operator));
            let behind = from.joins.iter().enumerate().map(|(at, _)| from.joins.get(at + 1..).is_some_and(turned)).collect::<Vec<_>>();
            std::iter::once(turned(&from.joins)).chain(behind).collect::<Vec<_>>()
        };
        let factors = select.from.iter().flat_map(|from| {
            let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
            factors.zip(joined(from))
        });
        for (factor, may_be_missing) in factors {
            if let Some(series) = RowSeries::of(factor) {
                self.look_at_series(&series);
            }
            let Some(entry) = LateralEntry::of(factor) else { continue };
            if visit_expressions(entry.query, is_random).is_break() {
                self.lacks(entry.alias.name.span, "LATERAL with random()", "draw the number in a subquery in FROM");
            }
            let Some(read) = entry.read() else {
                // Rows that are looked for come with the keys by which they are joined.
                if let Some(sources) = self.sources.last_mut() {
                    sources.entries.insert(folded(&entry.alias.name));
                    sources.adds = true;
                }
                continue;
            };
            if !self.rewrites(Rewrite::Lateral) {
                continue;
            }
            if may_be_missing {
                let help = "put the lateral columns into a subquery in FROM, and join that";
                self.lacks(entry.alias.name.span, "LATERAL before a RIGHT or FULL JOIN", help);
            }
            let alias = folded(&entry.alias.name);
            let texts = self.columns_stand_for(&read, &alias, &entry.names());
            let origins = Origins::of(entry.query);
            let Some(sources) = self.sources.last_mut() else { continue };
            if !matches!(read, Lateral::Groups(_)) {
                sources.origins.insert(alias.clone(), origins);
            }
            for (name, text) in texts {
                sources.stands_for(&alias, &name, text, true);
            }
        }
    }

    /// The tables that subqueries can be run for. Where a join may leave one out, it has a row of nulls that it does not hold.
    pub(super) fn note_relations(&mut self, select: &Select) {
        let all_joins = || select.from.iter().flat_map(|from| &from.joins);
        if all_joins().any(|join| makes_nulls_before(&join.join_operator)) {
            return;
        }
        let is_whole = |join: &&sqlparser::ast::Join| !matches!(join.join_operator, JoinOperator::Left(_) | JoinOperator::LeftOuter(_));
        let whole = select.from.iter().map(|from| &from.relation).chain(all_joins().filter(is_whole).map(|join| &join.relation));
        let is_table = |factor: &&TableFactor| matches!(factor, TableFactor::Table { args: None, .. });
        for factor in whole.filter(is_table) {
            let Some(name) = entry_name(factor) else { continue };
            let written = self.factor(factor);
            let conditions = self.conditions_of(&name, select);
            if let Some(sources) = self.sources.last_mut() {
                sources.relations.insert(name, (written, conditions));
            }
        }
    }

    /// The parts of a condition that tell of one entry alone: what they keep out is not to be computed.
    fn conditions_of(&mut self, entry: &str, select: &Select) -> Vec<String> {
        let others = || factors(select).filter(|factor| entry_name(factor).is_none_or(|name| name != entry));
        let is_of_entry = |condition: &&Expr| {
            let mut names = 0_usize;
            let other = visit_expressions(*condition, |part| match part {
                Expr::CompoundIdentifier(parts) if matches!(parts.as_slice(), [name, _] if folded(name) == entry) => {
                    names += 1;
                    ControlFlow::Continue(())
                }
                Expr::Identifier(name)
                    if self.types.entry_of(std::slice::from_ref(name)).is_none()
                        && others().all(|factor| lacks_column(factor, &folded(name))) =>
                {
                    names += 1;
                    ControlFlow::Continue(())
                }
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                other if is_query(other) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            });
            other.is_continue() && names > 0
        };
        conjuncts(select.selection.as_ref()).into_iter().filter(is_of_entry).map(|part| self.expression(part).part()).collect()
    }

    /// A series of the row outside that is counted.
    fn row_series<'e>(&mut self, factor: &'e TableFactor) -> Option<RowSeries<'e>> {
        RowSeries::of(factor).filter(|_| self.is(Engine::Redshift) && self.rewrites(Rewrite::Series))
    }

    /// In PostgreSQL the name of a series is that of its column too.
    fn look_at_series(&mut self, series: &RowSeries<'_>) {
        let alias = folded(&series.alias.name);
        let column = series.alias.columns.first().map_or_else(|| alias.clone(), |column| folded(&column.name));
        if !self.rewrites(Rewrite::Series) {
            return;
        }
        if let Some((value, _)) = self.series_of_row(series)
            && let Some(sources) = self.sources.last_mut()
        {
            sources.stands_for(&alias, &column, format!("({value})"), true);
        }
    }

    fn columns_stand_for(&mut self, read: &Lateral<'_>, alias: &str, names: &[String]) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        match read {
            Lateral::Columns(items) => {
                for (name, item) in names.iter().zip(items) {
                    let written = self.expression(item).part();
                    // A number alone would be a place in the list to ORDER BY and GROUP BY.
                    let kind = self.type_of(item).filter(|_| Origins::of(*item).is_nothing());
                    let kind = kind.map(|kind| {
                        if kind.name() == "unknown" {
                            "varchar(65535)".to_owned()
                        } else {
                            self.print_type(kind, self.typed(item).digits, span_of(item))
                        }
                    });
                    texts.insert(name.clone(), kind.map_or_else(|| written.clone(), |kind| format!("cast({written} as {kind})")));
                }
            }
            Lateral::Rows(values) => {
                for (at, name) in names.iter().enumerate() {
                    let mut text = "(case".to_owned();
                    for (row, cells) in values.rows.iter().enumerate() {
                        let Some(cell) = cells.content.get(at) else { continue };
                        text.push_str(&format!(" when {}.acca_row = {} then {}", print_name(alias), row + 1, self.expression(cell).text));
                    }
                    texts.insert(name.clone(), text + " end)");
                }
            }
            Lateral::Groups(select) => {
                for (name, item) in names.iter().zip(select.projection.iter().filter_map(item_expression)) {
                    let column = format!("{}.{}", print_name(alias), print_name(name));
                    let text = of_nothing(item).flatten().map(|value| {
                        let value = value.map_or_else(|| "0".to_owned(), |value| self.expression(value).text);
                        format!("coalesce({column}, {value})")
                    });
                    texts.insert(name.clone(), text.unwrap_or(column));
                }
            }
        }
        texts
    }

    /// A join with such an entry; `None` where it is something else. Nothing is written for columns that are computed.
    pub(super) fn lateral_columns(&mut self, operator: &JoinOperator, factor: &TableFactor) -> Option<String> {
        let (word, None) = join_word(operator)? else { return None };
        match self.row_series(factor) {
            Some(series) => Some(format!("{word} {}", self.series_of_row(&series)?.1)),
            None => self.lateral_entry(factor),
        }
    }

    pub(super) fn lateral_entry(&mut self, factor: &TableFactor) -> Option<String> {
        if let Some(series) = self.row_series(factor) {
            return Some(format!("join {}", self.series_of_row(&series)?.1));
        }
        let entry = LateralEntry::of(factor).filter(|_| self.is(Engine::Redshift))?;
        let read = entry.read()?;
        if !self.rewrites(Rewrite::Lateral) {
            return None;
        }
        let alias = self.name(&entry.alias.name);
        Some(match read {
            Lateral::Columns(_) => String::new(),
            Lateral::Rows(values) => {
                let rows: Vec<String> = (1..=values.rows.len())
                    .map(|row| if row == 1 { "select 1 as acca_row".to_owned() } else { format!("select {row}") })
                    .collect();
                format!("cross join ({}) as {alias}", rows.join(" union all "))
            }
            Lateral::Groups(select) => self.grouped(select, &entry, &alias)?,
        })
    }

    /// The rows of each group are aggregated once for all groups.
    fn grouped(&mut self, select: &Select, entry: &LateralEntry<'_>, alias: &str) -> Option<String> {
        self.tied(entry.query, select, &[], |writer, tied| {
            let mut items: Vec<String> = Vec::new();
            for (name, item) in entry.names().iter().zip(select.projection.iter().filter_map(item_expression)) {
                let aggregate = within_coalesce(item).map_or(item, |(aggregate, _)| aggregate);
                items.push(format!("{} as {}", writer.expression(aggregate).text, print_name(name)));
            }
            items.extend(tied.items());
            let (groups, on) = (tied.groups(), tied.on(alias));
            let group_by = if groups.is_empty() { String::new() } else { format!(" group by {}", groups.join(", ")) };
            let on = if on.is_empty() { "true".to_owned() } else { on.join(" and ") };
            format!("left join (select {} from {}{}{group_by}) as {alias} on {on}", items.join(", "), tied.from, tied.filter)
        })
    }
}

fn item_name(item: &SelectItem) -> String {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => folded(alias),
        SelectItem::UnnamedExpr(expression) => crate::analysis::output_name(expression),
        _ => String::new(),
    }
}

fn aggregate_of(expression: &Expr) -> Option<&Function> {
    match expression {
        Expr::Nested(inner) => aggregate_of(inner),
        Expr::Function(call) if call.over.is_none() && is_aggregate(&name_of(call)) => Some(call),
        _ => None,
    }
}

/// `coalesce(aggregate, literal)`
fn within_coalesce(expression: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::Function(call) = expression else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(aggregate)), FunctionArg::Unnamed(FunctionArgExpr::Expr(literal))]
            if call.name.to_string().eq_ignore_ascii_case("coalesce") =>
        {
            let is_literal = matches!(literal, Expr::Value(value) if value.value != Value::Null);
            (aggregate_of(aggregate).is_some() && is_literal).then_some((aggregate, literal))
        }
        _ => None,
    }
}

/// What an item gives where there are no rows: nothing, zero or a literal; `None` where that is not known.
fn of_nothing(expression: &Expr) -> Option<Option<Option<&Expr>>> {
    let counts = |call: &Function| call.name.to_string().eq_ignore_ascii_case("count");
    if let Some(call) = aggregate_of(expression) {
        return Some(counts(call).then_some(None));
    }
    let (aggregate, literal) = within_coalesce(expression)?;
    // A count is never null.
    Some(Some(Some(literal).filter(|_| !aggregate_of(aggregate).is_some_and(counts))))
}

/// Whether an entry is a subquery that names all of its columns, none of them so.
fn lacks_column(factor: &TableFactor, name: &str) -> bool {
    let TableFactor::Derived { subquery, alias: Some(alias), .. } = factor else { return false };
    let SetExpr::Select(select) = &*subquery.body else { return false };
    let is_other = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => folded(alias) != name,
        SelectItem::UnnamedExpr(Expr::Identifier(own)) => folded(own) != name,
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().is_some_and(|own| folded(own) != name),
        _ => false,
    };
    alias.columns.is_empty() && select.projection.iter().all(is_other)
}

//! A SELECT in two levels. Some values Redshift computes only from values that it has computed before, and others not beside each other.
//! Then inner SELECTs give all that can be had at once, each value as a column, and an outer one puts them together.
//!
//! An expression is written outside when something in it has to be ([`Levels::outside`]); everything else goes inside as a whole.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, GroupByExpr, OrderByExpr, Query,
    Select, SelectItem, Spanned, Visit, Visitor, visit_expressions,
};

use super::distinct_on::Distinction;
use super::rewrite::Rewrite;
use super::using::folded;
use super::walk::outside_of_queries;
use super::windows::is_running;
use super::writer::{Sql, Writer, print_name, unmarked};

/// What is known of a SELECT that is written in two levels.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    /// Places in memory of what is written outside although it could stand inside: the calls that need the levels.
    calls: HashSet<usize>,
    /// These, and all that contains them.
    outside: HashSet<usize>,
    /// What the inner SELECT gives: texts, each with its name.
    columns: Vec<Column>,
    /// The inner SELECTs beside the first, each for an order within groups.
    orders: Vec<String>,
    taken: BTreeSet<String>,
    /// What is written now belongs to an inner SELECT.
    is_inside: bool,
}

/// A value that an inner SELECT gives.
#[derive(Clone, Debug)]
struct Column {
    text: String,
    name: String,
    /// Which of the inner SELECTs.
    of: usize,
}

impl Levels {
    /// The name of a value outside, which the inner SELECT gives.
    pub(super) fn column(&mut self, written: &str, name: Option<String>) -> String {
        self.column_of(0, written, name)
    }

    fn column_of(&mut self, of: usize, written: &str, name: Option<String>) -> String {
        let text = unmarked(written).sql;
        if let Some(column) = self.columns.iter().find(|column| column.of == of && unmarked(&column.text).sql == text) {
            return column.name.clone();
        }
        let name = name.filter(|name| !self.taken.contains(name)).unwrap_or_else(|| {
            let free = |number: &usize| !self.taken.contains(&format!("acca_{number}"));
            format!("acca_{}", (1..).find(free).unwrap_or_default())
        });
        self.taken.insert(name.clone());
        self.columns.push(Column { text: written.to_owned(), name: name.clone(), of });
        name
    }

    /// The name of an aggregate that wants its groups in an order.
    fn ordered(&mut self, order: String, written: &str) -> String {
        let of = self.orders.iter().position(|held| *held == order).unwrap_or_else(|| {
            self.orders.push(order);
            self.orders.len() - 1
        });
        self.column_of(of + 1, written, None)
    }
}

impl Writer<'_> {
    /// The levels that a SELECT needs.
    pub(super) fn levels_of(&mut self, select: &Select, order_by: &[OrderByExpr], keys: Option<&[String]>) -> Option<Levels> {
        let running = |call: &Function| is_running(call, select, keys);
        // Most have no such call, and are looked through once.
        self.levels_for(select, order_by, &|call| running(call) || is_ordered(call))?;
        self.levels_for(select, order_by, &running).or_else(|| self.levels_of_orders(select, order_by))
    }

    /// The levels of a SELECT in which there are such calls.
    fn levels_for(&mut self, select: &Select, order_by: &[OrderByExpr], needs: &dyn Fn(&Function) -> bool) -> Option<Levels> {
        let mut found = Above { needs, above: Vec::new(), queries: 0, levels: Levels::default() };
        for item in &select.projection {
            let _ = item.visit(&mut found);
        }
        if let Some(sqlparser::ast::Distinct::On(keys)) = &select.distinct {
            let _ = keys.visit(&mut found);
        }
        for key in order_by {
            let _ = key.visit(&mut found);
        }
        let mut levels = found.levels;
        if levels.calls.is_empty() {
            return None;
        }
        levels.taken.extend(self.starred_names(select).unwrap_or_default().iter().map(|name| print_name(name)));
        Some(levels)
    }

    /// The levels of a SELECT whose aggregates want their groups in several orders.
    fn levels_of_orders(&mut self, select: &Select, order_by: &[OrderByExpr]) -> Option<Levels> {
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
        let plain = modifiers.is_empty() && !keys.iter().any(|key| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)));
        if !plain {
            return None;
        }
        let orders = RefCell::new(BTreeSet::new());
        let needs = |call: &Function| {
            let order = order_within(call);
            orders.borrow_mut().extend(order.clone());
            order.is_some()
        };
        let mut in_having = false;
        outside_of_queries(&select.having, |part| {
            in_having |= matches!(part, Expr::Function(call) if order_within(call).is_some());
        });
        let levels = self.levels_for(select, order_by, &needs)?;
        (orders.borrow().len() > 1 && !in_having && self.rewrites(Rewrite::SeveralOrders)).then_some(levels)
    }

    /// An expression of a SELECT in two levels; `None` where it is written as it stands.
    pub(super) fn on_its_level(&mut self, expression: &Expr) -> Option<Sql> {
        let levels = self.levels_mut().filter(|levels| !levels.is_inside)?;
        let place = std::ptr::from_ref(expression).addr();
        if levels.calls.contains(&place) {
            // The call itself says what of it stands inside, unless all of it does.
            let before = self.sources.last_mut().and_then(|sources| sources.order_within_groups.take());
            let written = self.inside(|writer| writer.expression_kind(expression));
            let order = self.sources.last_mut().and_then(|sources| std::mem::replace(&mut sources.order_within_groups, before));
            return Some(match (order, self.levels_mut()) {
                (Some(order), Some(levels)) => Sql::atom(levels.ordered(order, &written.text)),
                _ => written,
            });
        }
        if levels.outside.contains(&place) || is_constant(expression) {
            return None;
        }
        let name = match expression {
            Expr::Identifier(name) => Some(print_name(&folded(name))),
            Expr::CompoundIdentifier(parts) => parts.last().map(|name| print_name(&folded(name))),
            _ => None,
        };
        let written = self.inside(|writer| writer.expression_kind(expression));
        Some(Sql::atom(self.levels_mut()?.column(&written.text, name)))
    }

    /// Whether what is written belongs to an outer SELECT.
    pub(super) fn is_outside(&mut self) -> bool {
        self.levels_mut().is_some_and(|levels| !levels.is_inside)
    }

    pub(super) fn inside<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.levels_mut().map(|levels| std::mem::replace(&mut levels.is_inside, true));
        let written = write(self);
        if let (Some(levels), Some(before)) = (self.levels_mut(), before) {
            levels.is_inside = before;
        }
        written
    }

    /// A query inside of what is written outside would not find its columns.
    pub(super) fn refuse_query_outside(&mut self, query: &Query) {
        if self.is_outside() {
            let help = "compute the running aggregate in a query of its own";
            self.lacks(query.span(), "a subquery beside a running aggregate in one expression", help);
        }
    }

    pub(super) fn two_levels(&mut self, select: &Select, order_by: &[OrderByExpr]) -> String {
        let distinction = self.distinction(select, order_by);
        let mut inner = Vec::new();
        let items: Vec<String> = select.projection.iter().flat_map(|item| self.outer_items(item, select, &mut inner)).collect();
        // What rows are ordered by, so that the inner SELECT gives it. The keys themselves are written behind all.
        self.order_keys_of(order_by, Some(select));
        let rest = self.indented(|writer| writer.inside(|writer| writer.behind(select, Distinction::default())));
        let from = self.inner_selects(select, inner, &rest);
        let mut text = format!("select{}{}{line}from {from}", distinction.word, self.listed(&items), line = self.line());
        let line = self.line();
        if let Some(keys) = distinction.group_by {
            text.push_str(&format!("{line}group by {keys}"));
        }
        if let Some(condition) = distinction.qualify {
            // QUALIFY right behind a relation would be taken for its name.
            text.push_str(&format!("{line}where true{line}qualify {condition}"));
        }
        text
    }

    /// The inner SELECTs, joined by the number of the group where there are several.
    fn inner_selects(&mut self, select: &Select, mut first: Vec<String>, rest: &str) -> String {
        let (columns, count) = self.levels_mut().map(|levels| (levels.columns.clone(), levels.orders.len() + 1)).unwrap_or_default();
        let keys = if count > 1 { self.group_order(select) } else { None };
        let mut from = String::new();
        let mut main: Option<String> = None;
        for of in 0..count {
            let mut items = if of == 0 { std::mem::take(&mut first) } else { Vec::new() };
            let named = |column: &Column| match unmarked(&column.text).sql == column.name {
                true => column.text.clone(),
                false => format!("{} as {}", column.text, column.name),
            };
            items.extend(columns.iter().filter(|column| column.of == of).map(named));
            if items.is_empty() {
                continue;
            }
            items.extend(keys.as_ref().map(|keys| format!("row_number() over (order by {keys}) as acca_group")));
            let inner = self.indented(|writer| format!("{}select{}{rest}", writer.line(), writer.listed(&items)));
            let line = self.line();
            let alias = if of == 0 { "acca_rows".to_owned() } else { format!("acca_rows_{of}") };
            from.push_str(&match (&main, &keys) {
                (None, _) => format!("({inner}{line}) as {alias}"),
                (Some(main), Some(_)) => format!("{line}join ({inner}{line}) as {alias} on {main}.acca_group = {alias}.acca_group"),
                (Some(_), None) => format!("{line}cross join ({inner}{line}) as {alias}"),
            });
            main.get_or_insert(alias);
        }
        from
    }

    /// The keys of the groups, which number them alike in each SELECT.
    fn group_order(&mut self, select: &Select) -> Option<String> {
        let GroupByExpr::Expressions(keys, _) = &select.group_by else { return None };
        let written = |writer: &mut Self, key| {
            let behind = writer.grouped_by(select, key);
            writer.ordered_text(behind)
        };
        let written: Vec<String> = self.inside(|writer| keys.iter().map(|key| written(writer, key)).collect());
        (!written.is_empty()).then(|| written.join(", "))
    }

    /// Items of a list, a line each where there are several.
    fn listed(&mut self, items: &[String]) -> String {
        match items {
            [only] => format!(" {only}"),
            many => self.indented(|writer| many.iter().map(|item| format!("{}{item}", writer.line())).collect::<Vec<_>>().join(",")),
        }
    }

    fn outer_items(&mut self, item: &SelectItem, select: &Select, inner: &mut Vec<String>) -> Vec<String> {
        let (value, name) = match item {
            SelectItem::UnnamedExpr(value) => (value, print_name(&crate::analysis::output_name(value))),
            SelectItem::ExprWithAlias { expr, alias } => (expr, self.name(alias)),
            star => {
                inner.push(self.inside(|writer| writer.item(star)));
                if let Some(names) = self.starred_names(select) {
                    return names.iter().map(|name| print_name(name)).collect();
                }
                self.lacks(star.span(), "* beside a running aggregate here", "name the columns");
                return Vec::new();
            }
        };
        let written = self.expression(value);
        if self.dotted.contains(&std::ptr::from_ref(item).addr()) {
            return vec![format!("{} || '.' as value", written.part())];
        }
        let written = written.text;
        vec![if written == unmarked(&name).sql { written } else { format!("{written} as {name}") }]
    }
}

/// Whether an aggregate wants its group in an order.
fn is_ordered(call: &Function) -> bool {
    let FunctionArguments::List(list) = &call.args else { return false };
    let is_order = |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::OrderBy(_));
    call.over.is_none() && (!call.within_group.is_empty() || list.clauses.iter().any(is_order) || is_distinct_list(call, list))
}

/// Texts that are put together once each are ordered by themselves.
fn is_distinct_list(call: &Function, list: &FunctionArgumentList) -> bool {
    list.duplicate_treatment == Some(DuplicateTreatment::Distinct) && call.name.to_string().eq_ignore_ascii_case("string_agg")
}

/// That order, as it is written.
fn order_within(call: &Function) -> Option<String> {
    let list = match &call.args {
        FunctionArguments::List(list) if call.over.is_none() => list,
        _ => return None,
    };
    if !call.within_group.is_empty() {
        return Some(format!("{:?}", call.within_group.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    if is_distinct_list(call, list) {
        return Some(format!("{list} {:?}", call.filter.as_ref().map(ToString::to_string)));
    }
    list.clauses.iter().find_map(|clause| match clause {
        FunctionArgumentClause::OrderBy(keys) => {
            Some(format!("{:?} {:?}", list.duplicate_treatment, keys.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        _ => None,
    })
}

/// Whether an expression is the same in every row, and as well written here as there.
pub(super) fn is_constant(expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Function(_) | Expr::Subquery(_) | Expr::Exists { .. } => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_continue()
}

/// Looks for calls, and notes what is above each; queries within are another matter.
struct Above<'n> {
    needs: &'n dyn Fn(&Function) -> bool,
    above: Vec<usize>,
    queries: usize,
    levels: Levels,
}

impl Visitor for Above<'_> {
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
        let place = std::ptr::from_ref(expression).addr();
        self.above.push(place);
        if let (Expr::Function(call), 0) = (expression, self.queries)
            && (self.needs)(call)
        {
            self.levels.calls.insert(place);
            self.levels.outside.extend(&self.above);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.above.pop();
        ControlFlow::Continue(())
    }
}

//! Orders in which rows may be alike: among those each engine chooses, so which row comes first is by chance.
//!
//! Nothing is said where the order, with what the rows are parted by, holds columns of which no two rows have the same values, or where all
//! that could differ stands in the order itself.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Join,
    JoinConstraint, JoinOperator, LimitClause, OrderByExpr, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetOperator,
    SetQuantifier, Spanned, TableFactor, UnaryOperator, Visit, Visitor, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};
use sqlparser::tokenizer::Span;

use super::grouping::{ColumnId, Grouping, children, column_id, is_aggregate_call, own_column, spelling};
use super::keys::{Key, constraint_of, product, projected_ids, within};
use super::output_name::output_name;
use super::query::number;
use super::scope::{Item, QueryResult, Scope, fold};
use super::series::told_apart;
use super::unused::gives_rows;
use super::{Inference, path};
use crate::analysis::candidates::is_aggregate;
use crate::diag::{Diagnostic, codes};

/// Functions of windows that tell rows apart by their order.
const OF_PLACES: &[&str] = &["lag", "lead", "ntile", "row_number"];
/// Those that give what their argument is in one row of the frame.
const OF_ONE_ROW: &[&str] = &["first_value", "last_value", "nth_value"];
/// Aggregates that put their rows one behind the other.
const LISTS: &[&str] = &["array_agg", "json_agg", "jsonb_agg", "string_agg"];

/// What is the same in all rows that are alike.
#[derive(Default)]
struct Alike {
    columns: Vec<u32>,
    /// What is no column, in one spelling.
    spelled: Vec<String>,
}

/// What a filter says of columns: those that have one value, and pairs that are equal.
#[derive(Default)]
struct Fixed {
    columns: Vec<u32>,
    equal: Vec<(u32, u32)>,
}

impl Inference<'_> {
    /// Keys of what a join gives: no two rows have the same values in them.
    pub(super) fn joined_unique(&self, join: &Join, left: &[Key], right: &[Key], items: &mut Vec<Item>, split: usize) -> Vec<Key> {
        let Some((constraint, inner)) = constraint_of(&join.join_operator) else {
            return match &join.join_operator {
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_) => product(left, right),
                _ => Vec::new(),
            };
        };
        let Some((bound, _)) = self.bound_of(constraint, items, split) else { return product(left, right) };
        // What is lateral may give the same rows to several.
        let lateral = match &join.relation {
            TableFactor::Derived { lateral, .. } => *lateral,
            TableFactor::Function { .. } | TableFactor::UNNEST { .. } | TableFactor::Table { args: Some(_), .. } => true,
            _ => false,
        };
        let (one_right, one_left) = (within(right, &bound.right), inner && !lateral && within(left, &bound.left));
        match (one_right, one_left) {
            (true, true) => left.iter().chain(right).cloned().collect(),
            (true, false) => left.to_vec(),
            (false, true) => right.to_vec(),
            (false, false) => product(left, right),
        }
    }

    /// Positions of columns in which no two rows of a SELECT have the same values.
    pub(super) fn unique_of_select(
        &self,
        select: &Select,
        scope: &Scope<'_>,
        grouping: &Grouping,
        result: &QueryResult,
    ) -> Vec<Vec<usize>> {
        let one_row = |item: &SelectItem| item_expression(item).is_none_or(|expression| !gives_rows(expression));
        if result.open || !self.tables.is_portable() || !select.projection.iter().all(one_row) {
            return Vec::new();
        }
        if grouping.is_single() || select.from.is_empty() {
            return vec![Vec::new()];
        }
        let fixed = Fixed::of(select, scope);
        let written: Option<Vec<&Expr>> = select.projection.iter().map(item_expression).collect();
        let ids: Vec<u32> = match written {
            Some(written) => written.into_iter().map(|expression| told_apart(expression, scope).unwrap_or(0)).collect(),
            None => projected_ids(select, scope, result),
        };
        let of_column = |id: u32| ids.iter().position(|held| *held != 0 && (*held == id || fixed.are_equal(*held, id)));
        let of_spelling = |text: &String| {
            let place = |item: &SelectItem| item_expression(item).is_some_and(|held| spelling(held, scope) == *text);
            (ids.len() == select.projection.len()).then(|| select.projection.iter().position(place)).flatten()
        };
        let places = |columns: &[u32]| -> Option<Vec<usize>> {
            columns.iter().filter(|id| !fixed.columns.contains(id)).map(|id| of_column(*id)).collect()
        };
        let mut unique: Vec<Vec<usize>> = Vec::new();
        if let Some((columns, expressions)) = grouping.apart() {
            let rest: Option<Vec<usize>> = expressions.iter().map(of_spelling).collect();
            unique.extend(places(columns).zip(rest).map(|(columns, rest)| [columns, rest].concat()));
        } else if !grouping.is_active() {
            unique.extend(scope.unique.iter().filter_map(|key| places(key)));
            unique.extend(select.projection.iter().filter_map(|item| {
                let (name, partition) = numbered(item)?;
                let place = result.columns.iter().position(|column| column.id == 0 && *column.name == *name)?;
                let columns: Vec<u32> = partition.iter().map(|key| told_apart(key, scope)).collect::<Option<_>>()?;
                Some([places(&columns)?, vec![place]].concat())
            }));
        }
        match &select.distinct {
            Some(Distinct::Distinct) => unique.push((0..result.columns.len()).collect()),
            Some(Distinct::On(keys)) => {
                let place = |key: &Expr| {
                    let key = resolved(key, select);
                    told_apart(key, scope).map_or_else(|| of_spelling(&spelling(key, scope)), of_column)
                };
                unique.extend(keys.iter().map(place).collect::<Option<Vec<_>>>());
            }
            _ => {}
        }
        unique
    }

    /// All places of a SELECT where an order decides. `limited`: only the first rows are taken.
    pub(super) fn doubt_ties(
        &mut self,
        select: &Select,
        (orders, limited): (&[OrderByExpr], bool),
        scope: &Scope<'_>,
        grouping: &Grouping,
    ) {
        if !self.is_looked_into || !self.tables.is_portable() || scope.items.iter().any(|item| item.open) {
            return;
        }
        let fixed = Fixed::of(select, scope);
        let ordered = || orders.iter().map(|order| resolved(&order.expr, select));
        let span = || orders.iter().map(|order| order.expr.span()).reduce(|one, other| one.union(&other)).unwrap_or_else(Span::empty);
        let rows = Rows { select, scope, grouping };
        if let Some(Distinct::On(keys)) = &select.distinct {
            let alike = Alike::by(keys.iter().map(|key| resolved(key, select)).chain(ordered()), scope, &fixed);
            if !orders.is_empty() && !rows.are_apart(&alike) && !rows.are_given_alike(&alike) {
                self.doubt_order("which row DISTINCT ON takes", &rows, &alike, span());
            }
        }
        if limited && !orders.is_empty() {
            let alike = Alike::by(ordered(), scope, &fixed);
            let distinct = matches!(select.distinct, Some(Distinct::On(_)));
            if !distinct && !rows.are_apart(&alike) && !rows.are_given_alike(&alike) {
                self.doubt_order("which rows LIMIT takes", &rows, &alike, span());
            }
        }
        let mut calls = Calls { depth: 0, found: Vec::new() };
        for expression in select.projection.iter().filter_map(item_expression).chain(orders.iter().map(|order| &order.expr)) {
            let _ = expression.visit(&mut calls);
        }
        for call in calls.found {
            self.doubt_call(&call, &rows, &fixed);
        }
    }

    fn doubt_call(&mut self, call: &Function, rows: &Rows<'_>, fixed: &Fixed) {
        let name = call.name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
        let Some(over) = &call.over else {
            let (arguments, orders) = parts(call);
            if !orders.is_empty() && LISTS.contains(&name.as_str()) {
                let grouped = rows.grouping.apart().map(|(columns, _)| columns.to_vec()).unwrap_or_default();
                let mut alike = Alike::by(orders.iter().map(|order| &order.expr), rows.scope, fixed);
                alike.columns.extend(grouped);
                let apart = rows.scope.unique.iter().any(|key| key.iter().all(|id| alike.columns.contains(id)));
                if !apart && !arguments.iter().all(|argument| alike.covers(argument, rows.scope)) {
                    let rows = Rows { grouping: &Grouping::default(), ..*rows };
                    self.doubt_order(&format!("how '{name}' puts its values in order"), &rows, &alike, call.span());
                }
            }
            return;
        };
        let Some(spec) = self.window_of(over).filter(|spec| !spec.order_by.is_empty()) else { return };
        let by_rows = spec.window_frame.as_ref().is_some_and(counts_rows);
        let (of_places, of_one_row) = (OF_PLACES.contains(&name.as_str()), OF_ONE_ROW.contains(&name.as_str()));
        if !(of_places || of_one_row || by_rows && is_aggregate(&name)) {
            return;
        }
        let keys = |spec: &WindowSpec| spec.partition_by.iter().chain(spec.order_by.iter().map(|order| &order.expr)).cloned().collect();
        let keys: Vec<Expr> = keys(&spec);
        let alike = Alike::by(keys.iter(), rows.scope, fixed);
        let (arguments, _) = parts(call);
        let same_value = of_one_row && !by_rows && arguments.iter().all(|argument| alike.covers(argument, rows.scope));
        if !same_value && !rows.are_apart(&alike) && !rows.are_given_alike(&alike) {
            self.doubt_order(&format!("in which order '{name}' goes through rows"), rows, &alike, call.span());
        }
    }

    /// LIMIT of a set operation.
    pub(super) fn doubt_ties_of_set(&mut self, query: &Query, result: &QueryResult, orders: &[OrderByExpr]) {
        if !self.is_looked_into || !self.tables.is_portable() || result.open || orders.is_empty() || !is_limited(query) {
            return;
        }
        let place = |order: &OrderByExpr| match (&order.expr, number(&order.expr)) {
            (_, Some(number)) => number.checked_sub(1),
            (Expr::Identifier(name), None) => result.columns.iter().position(|column| *column.name == *fold(name)),
            _ => None,
        };
        let ordered: Vec<usize> = orders.iter().filter_map(place).collect();
        let all: Vec<usize> = (0..result.columns.len()).collect();
        if !result.unique.iter().chain([&all]).any(|key| key.iter().all(|at| ordered.contains(at))) {
            let problem =
                Diagnostic::new(&codes::ORDER_WITH_TIES, "which rows LIMIT takes is left to each engine where the order has ties");
            let span = orders.iter().map(|order| order.expr.span()).reduce(|one, other| one.union(&other));
            self.doubt(span.unwrap_or_else(Span::empty), problem.help("add columns to the order until no two rows are alike in it"));
        }
    }

    fn doubt_order(&mut self, what: &str, rows: &Rows<'_>, alike: &Alike, span: Span) {
        let problem = Diagnostic::new(&codes::ORDER_WITH_TIES, format!("{what} is left to each engine where the order has ties"));
        let help = match rows.missing(alike) {
            Some(missing) => format!("add {missing} to the order: then no two rows are alike in it"),
            None => "add columns to the order until no two rows are alike in it, and say by tests 'unique' and 'not_null' which columns these are"
                .to_owned(),
        };
        self.doubt(span, problem.help(help));
    }
}

/// The rows that a SELECT gives.
#[derive(Clone, Copy)]
struct Rows<'r> {
    select: &'r Select,
    scope: &'r Scope<'r>,
    grouping: &'r Grouping,
}

impl Rows<'_> {
    /// Whether no two rows are alike.
    fn are_apart(&self, alike: &Alike) -> bool {
        let holds = |columns: &[u32]| columns.iter().all(|id| alike.columns.contains(id));
        if self.grouping.is_single() {
            return true;
        }
        let unique = self.scope.unique.iter().filter(|key| holds(key));
        match self.grouping.apart() {
            Some((columns, expressions)) => {
                let all = holds(columns) && expressions.iter().all(|text| alike.spelled.contains(text));
                all || unique.into_iter().any(|key| key.iter().all(|id| columns.contains(id)))
            }
            None => !self.grouping.is_active() && unique.into_iter().next().is_some(),
        }
    }

    /// Whether rows that are alike have the same values in all that the SELECT gives, so that it does not show which is taken.
    fn are_given_alike(&self, alike: &Alike) -> bool {
        let holds = |item: &Item| item.columns.iter().all(|column| alike.columns.contains(&column.id));
        self.select.projection.iter().all(|item| match item {
            SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
                alike.covers(expression, self.scope)
            }
            SelectItem::Wildcard(_) => self.scope.items.iter().filter(|item| item.plain).all(holds),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let parts: Vec<_> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
                path(&parts).last().and_then(|name| self.scope.item(None, name)).is_some_and(|(item, _)| holds(item))
            }
            _ => false,
        })
    }

    /// What the order lacks of the nearest key, as it is written.
    fn missing(&self, alike: &Alike) -> Option<String> {
        let name = |id: &u32| {
            let holds = |item: &&Item| item.named && item.columns.iter().any(|column| column.id == *id);
            let item = self.scope.items.iter().find(holds)?;
            let column = item.columns.iter().find(|column| column.id == *id)?;
            let alone = self.scope.items.iter().filter(|item| item.named).count() == 1;
            Some(if alone { column.name.to_string() } else { format!("{}.{}", item.name.as_deref()?, column.name) })
        };
        let lacks = |key: &[u32]| key.iter().filter(|id| !alike.columns.contains(id)).copied().collect::<Vec<u32>>();
        let columns = match self.grouping.apart() {
            Some((_, expressions)) if expressions.iter().any(|text| !alike.spelled.contains(text)) => {
                return Some("all that is grouped by".to_owned());
            }
            Some((columns, _)) => lacks(columns),
            None if self.grouping.is_active() => return None,
            None => self.scope.unique.iter().map(|key| lacks(key)).min_by_key(Vec::len)?,
        };
        let names: Option<Vec<String>> = columns.iter().map(name).collect();
        Some(names?.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(" and "))
    }
}

impl Alike {
    /// Rows that have the same values in some expressions.
    fn by<'e>(keys: impl Iterator<Item = &'e Expr>, scope: &Scope<'_>, fixed: &Fixed) -> Alike {
        let mut alike = Alike { columns: fixed.columns.clone(), spelled: Vec::new() };
        for key in keys {
            alike.add(key, scope);
        }
        let mut at = 0;
        while let Some(id) = alike.columns.get(at).copied() {
            let equal = fixed.equal.iter().filter_map(|(one, other)| match id {
                _ if id == *one => Some(*other),
                _ if id == *other => Some(*one),
                _ => None,
            });
            let new: Vec<u32> = equal.filter(|id| !alike.columns.contains(id)).collect();
            alike.columns.extend(new);
            at += 1;
        }
        alike
    }

    fn add(&mut self, key: &Expr, scope: &Scope<'_>) {
        self.columns.extend(told_apart(key, scope));
        match (own_column(key, scope), key) {
            (Some(_), _) => {}
            (None, Expr::Tuple(parts)) => parts.iter().for_each(|part| self.add(part, scope)),
            (None, Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus | UnaryOperator::Not, expr }) => self.add(expr, scope),
            (None, other) => self.spelled.push(spelling(other, scope)),
        }
    }

    /// Whether an expression is the same in rows that are alike.
    fn covers(&self, expression: &Expr, scope: &Scope<'_>) -> bool {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || match column_id(expression, scope) {
            ColumnId::Here(id) => self.columns.contains(&id),
            ColumnId::Outer => true,
            ColumnId::Unknown => false,
            ColumnId::None if !self.spelled.is_empty() && self.spelled.contains(&spelling(expression, scope)) => true,
            ColumnId::None => match expression {
                Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => true,
                Expr::Function(call) if is_aggregate_call(call) || matches!(call.over, Some(WindowType::NamedWindow(_))) => false,
                Expr::Function(call) if call.filter.as_deref().is_some_and(|filter| !self.covers(filter, scope)) => false,
                Expr::Function(_) => children(expression).into_iter().all(|child| self.covers(child, scope)),
                Expr::InSubquery { .. } => false,
                other => {
                    let parts = children(other);
                    !parts.is_empty() && parts.into_iter().all(|child| self.covers(child, scope))
                }
            },
        })
    }
}

impl Fixed {
    /// What WHERE and the conditions of inner joins say.
    fn of(select: &Select, scope: &Scope<'_>) -> Fixed {
        let mut fixed = Fixed::default();
        let joins = || select.from.iter().flat_map(|table| &table.joins).map(|join| constraint_of(&join.join_operator));
        // Behind a join that keeps its right side, rows of others may be missing.
        if joins().all(|constraint| constraint.is_some()) {
            for constraint in joins().flatten() {
                if let (JoinConstraint::On(condition), true) = constraint {
                    fixed.read(condition, scope);
                }
            }
        }
        select.selection.iter().for_each(|condition| fixed.read(condition, scope));
        fixed
    }

    fn read(&mut self, condition: &Expr, scope: &Scope<'_>) {
        let constant = |expression: &Expr| {
            let literal = matches!(expression, Expr::Value(_) | Expr::TypedString(_));
            let cast = matches!(expression, Expr::Cast { expr, .. } if matches!(**expr, Expr::Value(_)));
            literal || cast || matches!(column_id(expression, scope), ColumnId::Outer)
        };
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || match condition {
            Expr::Nested(inner) => self.read(inner, scope),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.read(left, scope);
                self.read(right, scope);
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => match (own_column(left, scope), own_column(right, scope)) {
                (Some(one), Some(other)) => self.equal.push((one, other)),
                (Some(id), None) if constant(right) => self.columns.push(id),
                (None, Some(id)) if constant(left) => self.columns.push(id),
                _ => {}
            },
            Expr::IsNull(inner) | Expr::IsTrue(inner) | Expr::IsFalse(inner) => self.columns.extend(own_column(inner, scope)),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.columns.extend(own_column(expr, scope)),
            other => self.columns.extend(own_column(other, scope)),
        });
    }

    fn are_equal(&self, one: u32, other: u32) -> bool {
        self.equal.iter().any(|pair| *pair == (one, other) || *pair == (other, one))
    }
}

/// The calls of an expression itself, not of its subqueries.
struct Calls {
    depth: usize,
    found: Vec<Function>,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expression
            && self.depth == 0
            && (call.over.is_some() || !parts(call).1.is_empty())
        {
            self.found.push(call.clone());
        }
        ControlFlow::Continue(())
    }
}

/// The arguments of a call, and the order within it.
fn parts(call: &Function) -> (Vec<&Expr>, &[OrderByExpr]) {
    let FunctionArguments::List(list) = &call.args else { return (Vec::new(), &[]) };
    let arguments = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    });
    let order = list.clauses.iter().find_map(|clause| match clause {
        FunctionArgumentClause::OrderBy(order) => Some(order.as_slice()),
        _ => None,
    });
    (arguments.collect(), order.unwrap_or_default())
}

/// Whether a frame counts rows, and does not hold all of them.
fn counts_rows(frame: &WindowFrame) -> bool {
    let all = matches!(frame.start_bound, WindowFrameBound::Preceding(None))
        && matches!(frame.end_bound, Some(WindowFrameBound::Following(None)));
    frame.units == WindowFrameUnits::Rows && !all
}

/// `row_number() over (partition by …)` as a column: its name, and what it counts within.
fn numbered(item: &SelectItem) -> Option<(String, &[Expr])> {
    let (name, expression) = match item {
        SelectItem::UnnamedExpr(expression) => (output_name(expression), expression),
        SelectItem::ExprWithAlias { expr, alias } => (fold(alias), expr),
        _ => return None,
    };
    match expression {
        Expr::Function(Function { name: called, over: Some(WindowType::WindowSpec(spec)), .. })
            if called.to_string().eq_ignore_ascii_case("row_number") && spec.window_name.is_none() =>
        {
            Some((name, &spec.partition_by))
        }
        _ => None,
    }
}

fn item_expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    }
}

/// What a key of an order stands for, where it is a number or a name of the list.
fn resolved<'s>(key: &'s Expr, select: &'s Select) -> &'s Expr {
    if let Some(at) = number(key) {
        let starred = select.projection.iter().any(|item| item_expression(item).is_none());
        let item = at.checked_sub(1).and_then(|at| select.projection.get(at)).filter(|_| !starred);
        return item.and_then(item_expression).unwrap_or(key);
    }
    let Expr::Identifier(name) = key else { return key };
    let named = select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if fold(alias) == fold(name) => Some(expr),
        _ => None,
    });
    named.unwrap_or(key)
}

pub(super) fn is_limited(query: &Query) -> bool {
    match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit, offset, .. }) => limit.is_some() || offset.is_some(),
        Some(LimitClause::OffsetCommaLimit { .. }) => true,
        None => query.fetch.as_ref().is_some_and(|fetch| !fetch.with_ties),
    }
}

/// Keys of a set operation, by position.
pub(super) fn unique_of_set(first: &QueryResult, operator: SetOperator, quantifier: SetQuantifier) -> Vec<Vec<usize>> {
    let mut unique = if operator == SetOperator::Union { Vec::new() } else { first.unique.clone() };
    if matches!(quantifier, SetQuantifier::None | SetQuantifier::Distinct) {
        unique.push((0..first.columns.len()).collect());
    }
    unique
}

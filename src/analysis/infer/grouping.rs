//! GROUP BY: what is grouped by, and which columns are neither grouped nor aggregated.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, ObjectName, Query, Select,
    SelectItem, Spanned, Visit, VisitMut, Visitor, VisitorMut, WindowType,
};
use sqlparser::tokenizer::Span;

use super::Inference;
use super::doubts::is_unknown_function;
use super::scope::{Column, Found, Item, Scope, fold};
use crate::analysis::candidates::is_aggregate;
use crate::analysis::other_names::written_instead;
use crate::analysis::sql_type::SqlType;
use crate::diag::{Diagnostic, codes};
use crate::syntax::{mark_of, marked_expression};

/// How a SELECT groups its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Grouping {
    /// Anything but the plain columns of the input.
    active: bool,
    has_keys: bool,
    pub sets: bool,
    /// Which keys there are is not known: nothing is said then.
    pub opaque: bool,
    /// Columns that all rows of a group have in common, by what they are the same as.
    pub keys: Vec<u32>,
    /// `GROUP BY ALL`: the keys are what the query gives beside its aggregates, so no column of those is ungrouped.
    all: bool,
    /// Functions of the engine that may be aggregates.
    foreign: bool,
    /// The model is portable: a function that the catalogue lacks is an error by itself.
    portable: bool,
    /// Keys that are columns, by their ids.
    columns: Vec<u32>,
    /// Other keys, in one spelling.
    expressions: Vec<String>,
}

impl Grouping {
    pub(super) fn of(select: &Select) -> Grouping {
        let (has_keys, all) = match &select.group_by {
            GroupByExpr::Expressions(keys, _) => (!keys.is_empty(), false),
            GroupByExpr::All(_) => (true, true),
        };
        let aggregates = select.projection.iter().any(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => has_aggregate(expr),
            _ => false,
        });
        let having = select.having.is_some();
        Grouping { active: has_keys || aggregates || having, has_keys, opaque: all, all, ..Grouping::default() }
    }

    /// What an engine's own functions are is not known: their arguments may well be aggregated.
    pub(super) fn with_foreign(self, foreign: bool) -> Grouping {
        Grouping { foreign, ..self }
    }

    pub(super) fn with_portable(self, portable: bool) -> Grouping {
        Grouping { portable, ..self }
    }

    /// Whether a call may be an aggregate that another engine has. Where nobody has it, that is said, and not what it is given.
    fn may_be_aggregate(&self, function: &Function) -> bool {
        is_foreign(function) && (self.foreign || self.portable || written_instead(&called(function)).is_some())
    }

    /// Columns that all rows of a group have in common, where it is known what rows are grouped by.
    pub(super) fn in_common(&self) -> Option<Vec<u32>> {
        (self.all || !self.opaque).then(|| self.keys.clone())
    }

    pub(super) fn add(&mut self, key: &Expr, scope: &Scope<'_>) {
        match column_id(key, scope) {
            ColumnId::Here(id) => self.columns.push(id),
            ColumnId::Unknown => self.opaque = true,
            ColumnId::Outer => {}
            ColumnId::None => self.expressions.push(spelling(key, scope)),
        }
    }

    /// One row for each group, and each group has rows.
    pub(super) fn never_empty(&self) -> bool {
        self.has_keys && !self.sets
    }

    /// One row in all.
    pub(super) fn is_single(&self) -> bool {
        self.active && !self.has_keys
    }

    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// The columns that rows are grouped by, where all of it is columns.
    pub(super) fn keys(&self) -> Option<Vec<u32>> {
        (self.never_empty() && !self.opaque && self.expressions.is_empty()).then(|| self.columns.clone())
    }

    /// What rows are grouped by: columns, and other expressions. `None` where groups may be alike in all of it, or it is not known.
    pub(super) fn apart(&self) -> Option<(&[u32], &[String])> {
        (self.never_empty() && !self.opaque).then_some((self.columns.as_slice(), self.expressions.as_slice()))
    }

    pub(super) fn has_sets(&self) -> bool {
        self.sets
    }
}

pub(super) enum ColumnId {
    Here(u32),
    Outer,
    /// A column of something that is not known.
    Unknown,
    /// No column at all.
    None,
}

pub(super) fn column_id(expression: &Expr, scope: &Scope<'_>) -> ColumnId {
    let parts = match expression {
        Expr::Identifier(ident) => std::slice::from_ref(ident),
        Expr::CompoundIdentifier(parts) => parts,
        Expr::Nested(inner) => return column_id(inner, scope),
        other => return marked_expression(other).map_or(ColumnId::None, |inner| column_id(inner, scope)),
    };
    match look_up(parts, scope) {
        Some((id, 0)) => ColumnId::Here(id),
        Some(_) => ColumnId::Outer,
        None => ColumnId::Unknown,
    }
}

/// The id of a column of this very FROM, when the expression is nothing but that.
pub(super) fn own_column(expression: &Expr, scope: &Scope<'_>) -> Option<u32> {
    match column_id(expression, scope) {
        ColumnId::Here(id) => Some(id),
        ColumnId::Outer | ColumnId::Unknown | ColumnId::None => None,
    }
}

fn look_up(parts: &[Ident], scope: &Scope<'_>) -> Option<(u32, usize)> {
    match parts {
        [name] => match scope.column(&fold(name)) {
            Found::Column(column, level) => Some((column.id, level)),
            _ => None,
        },
        [.., relation, name] => {
            let (item, level) = scope.item(None, &fold(relation))?;
            match item.column(&fold(name)) {
                Found::Column(column, ..) => Some((column.id, level)),
                _ => None,
            }
        }
        [] => None,
    }
}

/// The text of an expression in which every column has one name and parentheses do not count.
pub(super) fn spelling(expression: &Expr, scope: &Scope<'_>) -> String {
    struct Rename<'s, 'e>(&'s Scope<'e>);
    impl VisitorMut for Rename<'_, '_> {
        type Break = ();
        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            match expression {
                Expr::Nested(inner) => *expression = (**inner).clone(),
                // What can be written in two ways is the same.
                Expr::Cast { kind, data_type, .. } => {
                    *kind = CastKind::Cast;
                    if let Some(parsed) = SqlType::parse(&data_type.to_string()) {
                        *data_type = DataType::Custom(ObjectName::from(vec![Ident::new(parsed.to_string())]), Vec::new());
                    }
                }
                Expr::Substring { special, .. } => *special = true,
                Expr::Function(_) if marked_expression(expression).is_some() => {
                    if let Some(inner) = marked_expression(expression).cloned() {
                        *expression = inner;
                    }
                }
                _ => {
                    if let ColumnId::Here(id) = column_id(expression, self.0) {
                        *expression = Expr::Identifier(Ident::new(format!("#{id}")));
                    }
                }
            }
            ControlFlow::Continue(())
        }
    }
    let mut copy = expression.clone();
    let _ = VisitMut::visit(&mut copy, &mut Rename(scope));
    copy.to_string().to_lowercase()
}

fn called(function: &Function) -> String {
    function.name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default()
}

pub(super) fn is_aggregate_call(function: &Function) -> bool {
    let name = called(function);
    function.over.is_none() && (is_aggregate(&name) || !function.within_group.is_empty() || function.filter.is_some())
}

/// A function that the catalogue lacks.
fn is_foreign(function: &Function) -> bool {
    mark_of(function).is_none() && is_unknown_function(&called(function))
}

/// Whether an aggregate stands in the expression itself, not in a subquery of it.
pub(super) fn has_aggregate(expression: &Expr) -> bool {
    struct Search(usize);
    impl Visitor for Search {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Function(function) if self.0 == 0 && is_aggregate_call(function) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expression.visit(&mut Search(0)).is_break()
}

impl Inference<'_> {
    /// Finds columns of the input that are neither grouped by nor inside an aggregate.
    pub(super) fn check_grouped(&mut self, expression: &Expr, scope: &Scope<'_>, grouping: &Grouping) {
        if !grouping.active || grouping.opaque {
            return;
        }
        let mut found = Vec::new();
        ungrouped(expression, scope, grouping, &mut found);
        for (id, name, span) in found {
            self.ungrouped_column(id, &name, span, scope, grouping);
        }
    }

    /// The columns of a star, all or those of one entry.
    pub(super) fn check_star(&mut self, scope: &Scope<'_>, grouping: &Grouping, ids: Option<&[u32]>, span: Span) {
        if !grouping.active || grouping.opaque || scope.items.iter().any(|item| item.open) {
            return;
        }
        let columns = scope.items.iter().filter(|item| item.plain || ids.is_some()).flat_map(|item| &item.columns);
        let wanted = columns.filter(|column| ids.is_none_or(|ids| ids.contains(&column.id)) && !grouping.columns.contains(&column.id));
        if let Some((id, name)) = wanted.map(|column| (column.id, column.name.to_string())).next() {
            self.ungrouped_column(id, &name, span, scope, grouping);
        }
    }

    fn ungrouped_column(&mut self, id: u32, name: &str, span: Span, scope: &Scope<'_>, grouping: &Grouping) {
        // Columns depend on a primary key: of a table that may have one, all are there when it is grouped by.
        let holds = |item: &Item| item.columns.iter().any(|column| column.id == id);
        let depends = scope.items.iter().any(|item| item.keyed && holds(item) && may_hold_key(item, &grouping.columns));
        if !depends {
            let problem =
                Diagnostic::new(&codes::UNGROUPED_COLUMN, format!("column '{name}' is neither grouped by nor inside an aggregate"));
            self.find(span, problem.help(format!("add '{name}' to GROUP BY, or aggregate it, as in max({name})")));
        }
    }
}

/// Whether the primary key of a table may be among the columns that are grouped by. Where nothing declares it, it is looked for where
/// it mostly is: in the first column, in one called `id`, or in the only one that is grouped by, when that is called as keys are.
fn may_hold_key(item: &Item, grouped: &[u32]) -> bool {
    let columns: Vec<&Column> = item.columns.iter().filter(|column| grouped.contains(&column.id)).collect();
    let is_first = |column: &&Column| item.columns.first().is_some_and(|first| first.id == column.id);
    let declared = item.keys.iter().any(|key| !key.is_empty() && key.iter().all(|id| grouped.contains(id)));
    let called_so =
        |name: &str| ["id", "key", "code", "uuid", "guid", "no", "nr", "number", "sk", "pk"].iter().any(|end| name.ends_with(end));
    let only = match columns.as_slice() {
        [only] => called_so(&only.name.to_ascii_lowercase()),
        _ => false,
    };
    declared || only || columns.iter().any(|column| is_first(column) || column.name.eq_ignore_ascii_case("id"))
}

fn ungrouped(expression: &Expr, scope: &Scope<'_>, grouping: &Grouping, found: &mut Vec<(u32, String, Span)>) {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
        match column_id(expression, scope) {
            ColumnId::Here(id) => {
                if !grouping.columns.contains(&id) {
                    let name = match expression {
                        Expr::CompoundIdentifier(parts) => parts.last().map(fold).unwrap_or_default(),
                        other => other.to_string(),
                    };
                    found.push((id, name, expression.span()));
                }
                return;
            }
            ColumnId::Outer | ColumnId::Unknown => return,
            ColumnId::None => {}
        }
        if !grouping.expressions.is_empty() && grouping.expressions.contains(&spelling(expression, scope)) {
            return;
        }
        if let Expr::Function(function) = expression
            && (is_aggregate_call(function) || grouping.may_be_aggregate(function))
        {
            return;
        }
        for child in children(expression) {
            ungrouped(child, scope, grouping, found);
        }
    });
}

/// The parts of an expression that are evaluated in the same scope.
pub(super) fn children(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::IsFalse(e)
        | Expr::IsNotFalse(e)
        | Expr::IsTrue(e)
        | Expr::IsNotTrue(e)
        | Expr::IsNull(e)
        | Expr::IsNotNull(e)
        | Expr::IsUnknown(e)
        | Expr::IsNotUnknown(e)
        | Expr::Nested(e) => vec![e],
        Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => vec![a, b],
        Expr::InList { expr, list, .. } => std::iter::once(&**expr).chain(list).collect(),
        Expr::InSubquery { expr, .. }
        | Expr::Cast { expr, .. }
        | Expr::Collate { expr, .. }
        | Expr::UnaryOp { expr, .. }
        | Expr::Extract { expr, .. }
        | Expr::Ceil { expr, .. }
        | Expr::Floor { expr, .. }
        | Expr::IsNormalized { expr, .. } => vec![expr],
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::BinaryOp { left, right, .. } | Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => vec![left, right],
        Expr::Like { expr, pattern, .. } | Expr::ILike { expr, pattern, .. } | Expr::SimilarTo { expr, pattern, .. } => vec![expr, pattern],
        Expr::AtTimeZone { timestamp, time_zone } => vec![timestamp, time_zone],
        Expr::Position { expr, r#in } => vec![expr, r#in],
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            std::iter::once(expr).chain(substring_from).chain(substring_for).map(|part| &**part).collect()
        }
        Expr::Trim { expr, trim_what, .. } => std::iter::once(expr).chain(trim_what).map(|part| &**part).collect(),
        Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            [expr, overlay_what, overlay_from].into_iter().chain(overlay_for).map(|part| &**part).collect()
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let branches = conditions.iter().flat_map(|branch| [&branch.condition, &branch.result]);
            operand.iter().chain(else_result).map(|part| &**part).chain(branches).collect()
        }
        Expr::Tuple(parts) => parts.iter().collect(),
        Expr::Array(array) => array.elem.iter().collect(),
        Expr::Function(function) => function_parts(function),
        Expr::CompoundFieldAccess { root, .. } => vec![root],
        _ => Vec::new(),
    }
}

fn function_parts(function: &Function) -> Vec<&Expr> {
    let mut parts = Vec::new();
    if let FunctionArguments::List(list) = &function.args {
        parts.extend(list.args.iter().filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value))
            | FunctionArg::Named { arg: FunctionArgExpr::Expr(value), .. }
            | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(value), .. } => Some(value),
            _ => None,
        }));
    }
    if let Some(WindowType::WindowSpec(window)) = &function.over {
        parts.extend(window.partition_by.iter().chain(window.order_by.iter().map(|order| &order.expr)));
    }
    parts
}

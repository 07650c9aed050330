//! `DISTINCT ON`, and what stands for it on Redshift: rows are numbered and the first is kept.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html>

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, DataType, Distinct, Expr, Ident, ObjectName, OrderByExpr, Select, SelectItem, Spanned, Value, visit_expressions_mut,
};

use super::calls::name_of;
use super::collation::output_expression;
use super::functions::is_aggregate;
use super::lateral::has_window;
use super::levels::is_constant;
use super::rewrite::Rewrite;
use super::writer::{Writer, lowered, print_name, span_of};
use crate::analysis::{Output, SqlType};
use crate::dialect::Engine;

/// What DISTINCT adds to a SELECT.
#[derive(Default)]
pub(super) struct Distinction {
    /// Behind SELECT.
    pub word: String,
    /// In place of it: keys of GROUP BY.
    pub group_by: Option<String>,
    pub qualify: Option<String>,
}

impl Writer<'_> {
    pub(super) fn distinction(&mut self, select: &Select, order_by: &[OrderByExpr]) -> Distinction {
        match &select.distinct {
            None | Some(Distinct::All) => Distinction::default(),
            Some(Distinct::Distinct) => self.distinct_rows(select),
            Some(Distinct::On(keys)) => self.first_rows(select, keys, order_by),
        }
    }

    /// Where blanks at the end of text do not count, rows are grouped by their text with a point behind it.
    fn distinct_rows(&mut self, select: &Select) -> Distinction {
        let plain = Distinction { word: " distinct".to_owned(), ..Distinction::default() };
        if self.is_around() {
            return Distinction::default();
        }
        if !self.tells_blanks_apart(select) {
            return plain;
        }
        let Some(expressions) = plain_items(select) else {
            let help = "name the columns, each in its own way";
            self.lacks(select.span(), "DISTINCT of text in this form, as blanks at the end do not count there", help);
            return plain;
        };
        let mut keys: Vec<String> = Vec::new();
        for expression in expressions.into_iter().filter(|expression| !is_constant(expression)) {
            keys.push(self.expression(expression).text);
            if self.is_text(expression) {
                keys.push(self.equal_text(expression).text);
            }
        }
        if keys.is_empty() {
            return plain;
        }
        Distinction { group_by: Some(keys.join(", ")), ..Distinction::default() }
    }

    /// Whether rows are to be made distinct by GROUP BY.
    fn tells_blanks_apart(&mut self, select: &Select) -> bool {
        let is_text = |column: &Output| column.typed.sql_type.is_none_or(|kind| matches!(kind.name(), "text" | "varchar"));
        let has_text = self.columns(select).is_none_or(|columns| columns.iter().any(is_text));
        self.is(Engine::Redshift) && has_text && self.rewrites(Rewrite::TrailingBlanks)
    }

    /// The columns of a SELECT whose rows are made distinct by another one around it; `None` where that is not needed.
    pub(super) fn distinct_around(&mut self, select: &Select) -> Option<Vec<Output>> {
        let is_distinct = matches!(select.distinct, Some(Distinct::Distinct));
        if !is_distinct || !self.tells_blanks_apart(select) || plain_items(select).is_some() {
            return None;
        }
        let columns = self.columns(select)?.to_vec();
        let names: BTreeSet<&str> = columns.iter().map(|column| &*column.name).collect();
        (names.len() == columns.len()).then_some(columns)
    }

    /// Rows made distinct by all of their columns.
    pub(super) fn grouped_by_all(&mut self, columns: &[Output], inner: &str) -> String {
        let names: Vec<String> = columns.iter().map(|column| print_name(&column.name)).collect();
        let mut keys = names.clone();
        for (column, name) in columns.iter().zip(&names) {
            if column.typed.sql_type.is_some_and(|kind| matches!(kind.name(), "text" | "varchar")) {
                keys.push(format!("{name} || '.'"));
            }
        }
        let line = self.line();
        format!("select {}{line}from ({inner}{line}) as acca_rows{line}group by {}", names.join(", "), keys.join(", "))
    }

    fn first_rows(&mut self, select: &Select, keys: &[Expr], order_by: &[OrderByExpr]) -> Distinction {
        if order_by.is_empty() {
            let help = "order the rows: the first of each is taken";
            self.refuse(select.span(), "which row DISTINCT ON takes is not said, so each engine chooses", help);
        }
        let is_key = |ordered: &&OrderByExpr| keys.iter().any(|key| are_one(select, key, &ordered.expr));
        if let Some(other) = order_by.iter().take(keys.len()).find(|ordered| !is_key(ordered)) {
            let firsts: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let help = format!("write order by {}, {}", firsts.join(", "), other.expr);
            self.refuse(span_of(&other.expr), "ORDER BY does not begin with the keys of DISTINCT ON", help);
        }
        if self.is(Engine::Redshift) && self.rewrites(Rewrite::DistinctOn) {
            let keys: Vec<String> = keys.iter().map(|key| self.equal_text(output_expression(select, key).unwrap_or(key)).text).collect();
            let order = self.inner_order_keys(order_by, select);
            let first = format!("row_number() over (partition by {} order by {order}) = 1", keys.join(", "));
            return Distinction { qualify: Some(first), ..Distinction::default() };
        }
        let keys: Vec<String> = keys.iter().map(|key| self.ordered_key(key, Some(select))).collect();
        Distinction { word: format!(" distinct on ({})", keys.join(", ")), ..Distinction::default() }
    }
}

/// Whether a key of DISTINCT ON and one of ORDER BY are the same value.
fn are_one(select: &Select, key: &Expr, ordered: &Expr) -> bool {
    let mut sides = [key, ordered].map(|side| output_expression(select, side).unwrap_or(side).clone());
    // A column may be named with its entry and without: where one name is of several entries, it is not the same.
    let mut entries = BTreeSet::new();
    for side in &mut sides {
        let _ = visit_expressions_mut(side, |part| {
            normalize(part);
            if let Expr::CompoundIdentifier(parts) = part {
                entries.insert(parts.clone());
            }
            ControlFlow::<()>::Continue(())
        });
    }
    let is_only_one = |parts: &[Ident]| entries.iter().filter(|held| held.last() == parts.last()).count() == 1;
    for side in &mut sides {
        let _ = visit_expressions_mut(side, |part| {
            if let Expr::CompoundIdentifier(parts) = part
                && is_only_one(parts)
                && let Some(name) = parts.pop()
            {
                *part = Expr::Identifier(name);
            }
            ControlFlow::<()>::Continue(())
        });
    }
    sides[0] == sides[1]
}

/// One form for what can be written in several.
fn normalize(part: &mut Expr) {
    let fold = |name: &mut Ident| *name = Ident::new(lowered(name).into_owned());
    match part {
        Expr::Nested(inner) => {
            let inner = std::mem::replace(&mut **inner, Expr::value(Value::Null));
            *part = inner;
        }
        Expr::Identifier(name) => fold(name),
        Expr::CompoundIdentifier(parts) => {
            parts.iter_mut().for_each(fold);
            // A schema says no more.
            *parts = parts.split_off(parts.len().saturating_sub(2));
        }
        Expr::Function(call) => {
            let parts: Option<Vec<Ident>> = call.name.0.iter().map(|part| part.as_ident().cloned()).collect();
            if let Some(mut parts) = parts {
                parts.iter_mut().for_each(fold);
                call.name = ObjectName::from(parts);
            }
        }
        Expr::Cast { kind: kind @ (CastKind::Cast | CastKind::DoubleColon), data_type, .. } => {
            *kind = CastKind::Cast;
            if let Some(parsed) = SqlType::parse(&data_type.to_string()) {
                *data_type = DataType::Custom(ObjectName::from(vec![Ident::new(parsed.to_string())]), Vec::new());
            }
        }
        _ => {}
    }
}

/// The items of a list that can stand in GROUP BY as they are.
fn plain_items(select: &Select) -> Option<Vec<&Expr>> {
    let expressions: Vec<&Expr> = select.projection.iter().map(item_expression).collect::<Option<_>>()?;
    let is_plain = |expression: &&Expr| !has_window(expression) && !has_aggregate(expression);
    let simple = grouping_is_empty(select) && select.having.is_none();
    (simple && expressions.iter().all(is_plain)).then_some(expressions)
}

pub(super) fn item_expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    }
}

pub(super) fn grouping_is_empty(select: &Select) -> bool {
    matches!(&select.group_by, sqlparser::ast::GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty())
}

pub(super) fn has_aggregate(expression: &Expr) -> bool {
    let found = sqlparser::ast::visit_expressions(expression, |part| match part {
        Expr::Function(call) if is_aggregate(&name_of(call)) => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}

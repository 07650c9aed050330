//! Common table expressions that nothing reads, and columns of them.

use sqlparser::ast::{Cte, Distinct, Expr, GroupByExpr, Ident, Select, SelectItem, SetExpr};
use sqlparser::tokenizer::Span;

use super::Inference;
use super::grouping::{children, has_aggregate};
use super::scope::{Item, QueryResult, Scope, fold};
use crate::diag::{Diagnostic, codes};

/// What is known of the reading of one common table expression.
pub(super) struct CteUse {
    name: String,
    span: Span,
    is_read: bool,
    /// By position: where it is written and how it is called; `None` of what shall not be spoken of.
    columns: Vec<Option<(String, Span)>>,
}

/// The columns that one mention of a common table expression in FROM gives.
pub(super) struct Mention {
    first: u32,
    count: u32,
    cte: usize,
}

/// Functions that give several rows, and so decide how many there are.
const OF_ROWS: &[&str] = &["unnest", "generate_series", "generate_subscripts"];

impl Inference<'_> {
    pub(super) fn declare_cte(&mut self, cte: &Cte, result: &QueryResult) -> usize {
        let name = &cte.alias.name;
        let is_looked_at = self.is_looked_into && cte.alias.columns.is_empty();
        let columns = if is_looked_at { written_columns(cte, result) } else { Vec::new() };
        self.doubts.ctes.push(CteUse { name: fold(name), span: name.span, is_read: false, columns });
        self.doubts.ctes.len() - 1
    }

    pub(super) fn mention_cte(&mut self, cte: usize, item: &Item) {
        if let Some(held) = self.doubts.ctes.get_mut(cte) {
            held.is_read = true;
            if let (Some(first), false) = (item.columns.first(), held.columns.is_empty()) {
                let count = u32::try_from(item.columns.len()).unwrap_or(u32::MAX);
                self.doubts.mentions.push(Mention { first: first.id, count, cte });
            }
        }
    }

    /// A column is read.
    pub(super) fn mark_read(&mut self, id: u32) {
        if self.doubts.mentions.is_empty() {
            return;
        }
        // Ids are given in ascending order.
        let after = self.doubts.mentions.partition_point(|mention| mention.first <= id);
        let Some(mention) = after.checked_sub(1).and_then(|at| self.doubts.mentions.get(at)) else { return };
        let at = id - mention.first;
        if at < mention.count
            && let Some(cte) = self.doubts.ctes.get_mut(mention.cte)
            && let Some(column) = usize::try_from(at).ok().and_then(|at| cte.columns.get_mut(at))
        {
            *column = None;
        }
    }

    pub(super) fn mark_all_read(&mut self, item: &Item) {
        if self.doubts.mentions.is_empty() {
            return;
        }
        item.columns.iter().for_each(|column| self.mark_read(column.id));
    }

    /// A name may be any of these: not all of what FROM holds is known.
    pub(super) fn mark_perhaps_read(&mut self, name: &str, scope: &Scope<'_>) {
        let mut scope = Some(scope);
        while let Some(here) = scope {
            let named = here.items.iter().flat_map(|item| &item.columns).filter(|column| column.name.eq_ignore_ascii_case(name));
            named.for_each(|column| self.mark_read(column.id));
            scope = here.outer;
        }
    }

    /// Says what nothing has read, when all of the query was understood.
    pub(super) fn doubt_unused(&mut self) {
        if !self.is_looked_into || self.doubts.is_blind || !self.findings.is_empty() {
            return;
        }
        for cte in std::mem::take(&mut self.doubts.ctes) {
            if !cte.is_read {
                let problem = Diagnostic::new(&codes::UNUSED_CTE, format!("nothing reads '{}'", cte.name));
                self.doubt(cte.span, problem.help("remove it, or read from it"));
                continue;
            }
            for (name, span) in cte.columns.into_iter().flatten() {
                let problem = Diagnostic::new(&codes::UNUSED_COLUMN, format!("nothing reads column '{name}' of '{}'", cte.name));
                self.doubt(span, problem.help("remove the column"));
            }
        }
    }
}

/// The columns that a SELECT writes down one by one and that could be left out.
fn written_columns(cte: &Cte, result: &QueryResult) -> Vec<Option<(String, Span)>> {
    let query = &cte.query;
    let SetExpr::Select(select) = &*query.body else { return Vec::new() };
    let plain = query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    if !plain || result.open || matches!(&select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
        return Vec::new();
    }
    let stars: Vec<usize> = select.projection.iter().enumerate().filter(|(_, item)| is_star(item)).map(|(at, _)| at).collect();
    let mut columns = vec![None; result.columns.len()];
    for (at, item) in select.projection.iter().enumerate() {
        let position = match stars.as_slice() {
            [] => Some(at),
            [star] if at < *star => Some(at),
            [star] if at > *star => (result.columns.len() + at).checked_sub(select.projection.len()),
            _ => None,
        };
        if let (Some((expression, ident)), Some(position)) = (named_column(item), position)
            && !decides_rows(expression, select)
            && let Some(column) = columns.get_mut(position)
        {
            *column = Some((fold(ident), ident.span));
        }
    }
    columns
}

fn is_star(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

/// A column with a name of its own, and where that is written.
fn named_column(item: &SelectItem) -> Option<(&Expr, &Ident)> {
    match item {
        SelectItem::ExprWithAlias { expr, alias } => Some((expr, alias)),
        SelectItem::UnnamedExpr(expr @ Expr::Identifier(ident)) => Some((expr, ident)),
        SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(parts)) => Some((expr, parts.last()?)),
        _ => None,
    }
}

/// Without it there would be other rows: a key of GROUP BY, or a function that gives several.
fn decides_rows(expression: &Expr, select: &Select) -> bool {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    (grouped && !has_aggregate(expression)) || gives_rows(expression)
}

pub(super) fn gives_rows(expression: &Expr) -> bool {
    if matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) {
        return false;
    }
    let by_name = |name: &str| {
        OF_ROWS.contains(&name)
            || name.contains('_') && ["_elements", "_each", "_to_table", "_matches", "_keys"].iter().any(|end| name.contains(end))
    };
    let mut parts = vec![expression];
    while let Some(part) = parts.pop() {
        if let Expr::Function(function) = part
            && function.name.0.last().and_then(|part| part.as_ident()).is_some_and(|ident| by_name(&fold(ident)))
        {
            return true;
        }
        parts.extend(children(part));
    }
    false
}

//! Which rows are taken, and which comes first, where no order says so: each engine chooses.
//!
//! - <https://www.postgresql.org/docs/15/queries-limit.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html>

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, GroupByExpr, LimitClause, Query, Select, SelectItem, SetExpr, Spanned, visit_expressions};

use super::calls::Call;
use super::functions;
use super::numbers::whole_number;
use super::windows::Window;
use super::writer::Writer;

/// Functions of windows that tell rows apart by their order.
const OF_ORDER: &[&str] = &["first_value", "lag", "last_value", "lead", "nth_value", "ntile", "row_number"];

impl Writer<'_> {
    /// LIMIT, OFFSET and FETCH of rows in no order.
    pub(super) fn refuse_chosen_rows(&mut self, query: &Query) {
        let limits = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                limit.as_ref().is_some_and(|limit| whole_number(limit) != Some(0)) || offset.is_some()
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => true,
            None => query.fetch.is_some(),
        };
        if !limits || query.order_by.is_some() || matches!(&*query.body, SetExpr::Select(select) if is_one_kind(select)) {
            return;
        }
        let help = "write ORDER BY, with keys that have no ties";
        self.refuse(query.span(), "which rows LIMIT takes is not said, so each engine chooses", help);
    }

    /// `row_number() over (partition by x)`
    pub(super) fn refuse_unordered_window(&mut self, call: &Call<'_>, window: &Window) {
        let framed = functions::is_aggregate(&call.name) && window.counts_rows();
        if (framed || OF_ORDER.contains(&call.name.as_str())) && !window.is_ordered() {
            let help = "write ORDER BY in the window, with keys that have no ties";
            self.refuse(
                call.span,
                format!("in which order '{}' goes through the rows is not said, so each engine chooses", call.name),
                help,
            );
        }
    }
}

/// Whether all rows are the same, or there is one only.
fn is_one_kind(select: &Select) -> bool {
    let values: Option<Vec<&Expr>> = select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } => Some(value),
            _ => None,
        })
        .collect();
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let aggregates = |value: &&Expr| {
        visit_expressions(*value, |inner: &Expr| match inner {
            Expr::Function(call) if call.over.is_none() && functions::is_aggregate(&call.name.to_string().to_lowercase()) => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        })
        .is_break()
    };
    let Some(values) = values else { return false };
    select.from.is_empty() || values.iter().all(|value| matches!(value, Expr::Value(_))) || !grouped && values.iter().any(aggregates)
}

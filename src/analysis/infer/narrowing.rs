//! What a condition says of the rows that pass it: columns that are not null any more.

use sqlparser::ast::{BinaryOperator, Expr};

use super::expression::unnested;
use super::grouping::own_column;
use super::scope::Scope;

/// Columns that are not null in any row for which the condition is true.
pub(super) fn narrow(scope: &mut Scope<'_>, condition: &Expr) {
    let mut present: Vec<u32> = Vec::new();
    collect(condition, scope, &mut present);
    if present.is_empty() {
        return;
    }
    for column in scope.items.iter_mut().flat_map(|item| &mut item.columns) {
        if present.contains(&column.id) {
            column.facts.nullable = false;
        }
    }
}

fn collect(condition: &Expr, scope: &Scope<'_>, present: &mut Vec<u32>) {
    let mut take = |expression: &Expr| present.extend(own_column(unnested(expression), scope));
    match condition {
        Expr::Nested(inner) => collect(inner, scope, present),
        Expr::IsNotNull(inner) => take(inner),
        Expr::InList { expr, .. } | Expr::Like { expr, .. } | Expr::ILike { expr, .. } => take(expr),
        Expr::InSubquery { expr, negated: false, .. } => take(expr),
        Expr::Between { expr, low, high, negated: false } => [expr, low, high].into_iter().for_each(|part| take(part)),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            for mut part in [left, right] {
                // Long chains lean to the left.
                while let Expr::Nested(inner) = &**part {
                    part = inner;
                }
                stacker::maybe_grow(64 * 1024, 1024 * 1024, || collect(part, scope, present));
            }
        }
        Expr::BinaryOp { left, op, right } if is_comparison(op) => {
            take(left);
            take(right);
        }
        _ => {}
    }
}

/// Comparisons give NULL where one side is.
pub(super) fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

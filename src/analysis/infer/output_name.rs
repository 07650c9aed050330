//! The name of an output column that has no alias.

use sqlparser::ast::{AccessExpr, DataType, Expr, ObjectName, SelectItem, SetExpr};

use super::scope::fold;
use crate::analysis::catalogue::catalogue;
use crate::analysis::sql_type::SqlType;
use crate::syntax::mark_of;

/// As the database names it: after a column, a function or a type, or `?column?`.
pub fn output_name(expression: &Expr) -> String {
    found(expression).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// The name, and whether it is a good one, which a cast around it keeps.
fn found(expression: &Expr) -> Option<(String, bool)> {
    let good = |name: &str| Some((name.to_owned(), true));
    match expression {
        Expr::Identifier(ident) => Some((fold(ident), true)),
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| (fold(last), true)),
        Expr::CompoundFieldAccess { root, access_chain } => access_chain
            .iter()
            .rev()
            .find_map(|access| match access {
                AccessExpr::Dot(Expr::Identifier(field)) => Some((fold(field), true)),
                _ => None,
            })
            .or_else(|| found(root)),
        Expr::Function(function) if mark_of(function).is_some() => found(mark_of(function)?.1),
        Expr::Function(function) => Some((function_name(&function.name), true)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => found(inner),
        Expr::Cast { expr, data_type, .. } => match found(expr) {
            Some((name, true)) => Some((name, true)),
            _ => Some((type_name(data_type), false)),
        },
        Expr::TypedString(typed) => Some((type_name(&typed.data_type), false)),
        Expr::Interval(_) => Some(("interval".to_owned(), false)),
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(found) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".to_owned(), false)),
        },
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => match select.projection.first()? {
                SelectItem::UnnamedExpr(expression) => Some((output_name(expression), true)),
                SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), true)),
                _ => None,
            },
            SetExpr::Values(_) => good("column1"),
            _ => None,
        },
        Expr::Exists { negated: false, .. } => good("exists"),
        Expr::Array(_) => good("array"),
        Expr::Tuple(_) => good("row"),
        Expr::Extract { .. } => good("extract"),
        Expr::AtTimeZone { .. } => good("timezone"),
        Expr::Ceil { .. } => good("ceil"),
        Expr::Floor { .. } => good("floor"),
        Expr::Position { .. } => good("position"),
        Expr::Substring { shorthand, .. } => good(if *shorthand { "substr" } else { "substring" }),
        Expr::Overlay { .. } => good("overlay"),
        Expr::Trim { trim_where, .. } => good(match trim_where {
            Some(sqlparser::ast::TrimWhereField::Leading) => "ltrim",
            Some(sqlparser::ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::BinaryOp { op: sqlparser::ast::BinaryOperator::Overlaps, .. } => good("overlaps"),
        Expr::IsNormalized { .. } => good("is_normalized"),
        _ => None,
    }
}

fn function_name(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    match ident.map(fold) {
        // Words of the grammar for functions of other names.
        Some(name) => name,
        None => "?column?".to_owned(),
    }
}

/// As in `pg_type`: `int4` of `integer`.
fn type_name(data_type: &DataType) -> String {
    let text = data_type.to_string();
    match SqlType::parse(&text) {
        Some(parsed) => {
            let element = parsed.element().filter(|_| text.ends_with(']') || text.to_lowercase().ends_with(" array"));
            catalogue().entry(element.unwrap_or(parsed).id).name.to_owned()
        }
        None => text.rsplit('.').next().unwrap_or_default().trim_end_matches("[]").trim_matches('"').to_lowercase(),
    }
}

//! Rows that functions give: their fields, several of them side by side, tables that XML and JSON hold.

use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, JsonTableColumn, ObjectName, TableAlias, XmlPassingClause,
    XmlTableColumn, XmlTableColumnOption,
};

use super::expression::unnested;
use super::from::ordinality_column;
use super::scope::{Column, Item, QueryResult, Scope, fold};
use super::{Inference, known, settled};
use crate::analysis::candidates::Call;
use crate::analysis::catalogue::TypeId;
use crate::analysis::facts::Facts;
use crate::analysis::polymorphic::resolve;
use crate::analysis::sql_type::SqlType;
use crate::syntax::{FIELDS, ROWS_FROM};

pub(super) fn is_rows_from(name: &ObjectName) -> bool {
    matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| ident.value == ROWS_FROM))
}

/// `(f(x)).*`
pub(super) fn is_fields(call: &Function) -> bool {
    matches!(call.name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| ident.value == FIELDS))
}

fn arguments(call: &Function) -> Vec<&FunctionArg> {
    if let FunctionArguments::List(list) = &call.args { list.args.iter().collect() } else { Vec::new() }
}

fn value(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(value), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(value), .. } => Some(value),
        _ => None,
    }
}

impl Inference<'_> {
    /// `rows from (f(), g())`: the columns of both beside each other.
    pub(super) fn rows_from(&mut self, calls: &[FunctionArg], ordinality: bool, alias: Option<&TableAlias>, left: &Scope<'_>) -> Item {
        let (mut columns, mut open) = (Vec::new(), false);
        for call in calls.iter().filter_map(value) {
            match call {
                Expr::Function(call) => {
                    let given: Vec<FunctionArg> = arguments(call).into_iter().cloned().collect();
                    let item = self.table_function(&call.name, &given, false, None, left);
                    open |= item.open;
                    columns.extend(item.columns);
                }
                other => {
                    self.expression(other, left);
                    open = true;
                }
            }
        }
        if ordinality {
            columns.push(ordinality_column());
        }
        self.function_item(columns, open, "rows", alias)
    }

    pub(super) fn xml_table(
        &mut self,
        row: &Expr,
        passing: &XmlPassingClause,
        columns: &[XmlTableColumn],
        alias: Option<&TableAlias>,
        left: &Scope<'_>,
    ) -> Item {
        let mut given = vec![self.expression(row, left)];
        given.extend(passing.arguments.iter().map(|argument| self.expression(&argument.expr, left)));
        let columns = columns.iter().map(|column| {
            let (sql_type, nullable) = match &column.option {
                XmlTableColumnOption::ForOrdinality => (Some(known().int4.into()), false),
                XmlTableColumnOption::NamedInfo { r#type, nullable, .. } => (SqlType::parse(&r#type.to_string()), *nullable),
            };
            Column { name: fold(&column.name).into(), facts: Facts::of(sql_type, nullable).reading(&given), id: 0 }
        });
        let columns = columns.collect();
        self.function_item(columns, false, "xmltable", alias)
    }

    pub(super) fn json_table(&mut self, json: &Expr, columns: &[JsonTableColumn], alias: Option<&TableAlias>, left: &Scope<'_>) -> Item {
        let given = self.expression(json, left);
        let mut found = Vec::new();
        json_columns(columns, &given, &mut found);
        self.function_item(found, false, "json_table", alias)
    }

    /// `(f(x)).*` in the list of SELECT.
    pub(super) fn fields_of_call(&mut self, call: &Function, scope: &Scope<'_>, result: &mut QueryResult) {
        let inner = arguments(call).first().copied().and_then(value).map(unnested);
        let Some(Expr::Function(inner)) = inner else {
            inner.into_iter().for_each(|inner| _ = self.expression(inner, scope));
            result.open = true;
            return;
        };
        let given: Vec<FunctionArg> = arguments(inner).into_iter().cloned().collect();
        let item = self.table_function(&inner.name, &given, false, None, scope);
        result.open |= item.open;
        result.columns.extend(item.columns.into_iter().map(|column| Column { id: 0, ..column }));
    }

    /// A field of what a function gives, or of `row(…)`; `None` where the row is something else, which is not walked then.
    pub(super) fn field(&mut self, root: &Expr, access: Option<&AccessExpr>, scope: &Scope<'_>) -> Option<Facts> {
        let Some(AccessExpr::Dot(Expr::Identifier(field))) = access else { return None };
        let name = fold(field);
        let parts: Vec<&Expr> = match unnested(root) {
            Expr::Tuple(parts) => parts.iter().collect(),
            Expr::Function(call) if call.name.0.last()?.as_ident().map(fold)? == "row" => {
                arguments(call).into_iter().filter_map(value).collect()
            }
            Expr::Function(_) => {
                self.row_fields.clear();
                let whole = self.expression(root, scope);
                let sql_type = self.row_fields.iter().find(|(held, _)| *held == name).and_then(|(_, kind)| *kind);
                return Some(Facts { sql_type, nullable: true, ..whole });
            }
            _ => return None,
        };
        let mut values: Vec<Facts> = parts.into_iter().map(|part| self.expression(part, scope)).collect();
        let at = name.strip_prefix('f').and_then(|number| number.parse::<usize>().ok()).and_then(|number| number.checked_sub(1));
        Some(match at.filter(|at| *at < values.len()) {
            Some(at) => {
                let part = values.swap_remove(at);
                Facts { sql_type: settled(part.sql_type), ..part }
            }
            None => Facts::unknown().reading(&values),
        })
    }

    /// Notes the fields of what a function gives, for whoever asks for one of them.
    pub(super) fn note_fields(&mut self, call: &Call, given: &[TypeId]) {
        let fields = call.function.iter().flat_map(|function| function.columns.iter().map(move |column| (function, column)));
        self.row_fields =
            fields.map(|(function, (name, id))| (name.to_string(), resolve(given, &function.arguments, *id).map(SqlType::from))).collect();
    }
}

fn json_columns(columns: &[JsonTableColumn], given: &Facts, found: &mut Vec<Column>) {
    for column in columns {
        let (name, sql_type, nullable) = match column {
            JsonTableColumn::Named(column) => (&column.name, SqlType::parse(&column.r#type.to_string()), true),
            JsonTableColumn::ForOrdinality(name) => (name, Some(known().int4.into()), false),
            JsonTableColumn::Nested(nested) => {
                json_columns(&nested.columns, given, found);
                continue;
            }
        };
        found.push(Column { name: fold(name).into(), facts: Facts::of(sql_type, nullable).reading(std::slice::from_ref(given)), id: 0 });
    }
}

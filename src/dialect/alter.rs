//! Statements that change the columns of a table.

use super::publication::{create_views, drop_views};
use super::{Engine, quote_text};
use crate::base::{Relation, quote_ident};
use crate::plan::AlterColumns;

/// One statement a column, as DuckDB wants it.
pub(super) fn alter_columns(step: &AlterColumns) -> Vec<String> {
    let table = step.table.quoted();
    let add = step.changes.add.iter().map(|column| format!("add column {} {}", quote_ident(&column.name), column.data_type));
    let drop = step.changes.drop.iter().map(|column| format!("drop column {}", quote_ident(column)));
    let retype = step.changes.retype.iter().map(|column| {
        let name = quote_ident(&column.name);
        format!("alter column {name} type {0} using cast({name} as {0})", column.data_type)
    });
    let schema = quote_ident(&step.table.schema);
    let mut statements: Vec<String> = step
        .indexes
        .iter()
        .map(|(name, _)| format!("drop index {}.{schema}.{}", quote_ident(&step.table.database), quote_ident(name)))
        .collect();
    statements.extend(drop_views(&step.readers));
    statements.extend(add.chain(drop).chain(retype).map(|change| format!("alter table {table} {change}")));
    statements.extend(create_views(&step.readers));
    statements.extend(step.indexes.iter().map(|(_, create)| create.trim_end().trim_end_matches(';').to_owned()));
    statements
}

/// The query for names and statements of the indexes that keep the engine from changing the columns of a table: DuckDB changes no
/// table that has one.
pub fn indexes_in_the_way(table: &Relation, engine: Engine) -> Option<String> {
    (engine == Engine::DuckDb).then(|| {
        let [database, schema, name] = [&table.database, &table.schema, &table.identifier].map(|part| quote_text(&part.to_lowercase()));
        format!(
            "select index_name, sql from duckdb_indexes() where lower(database_name) = {database} and lower(schema_name) = {schema} \
             and lower(table_name) = {name} order by 1"
        )
    })
}

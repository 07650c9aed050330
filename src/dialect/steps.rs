//! Prints the steps of a plan as statements.

use super::{Engine, alter, attributes, contract, partitions, publication, quote_text, redshift, snapshot};
use crate::base::{ColumnInfo, Relation, RelationKind, Window, quote_ident, utc_text};
use crate::plan::{Merge, Physical, Step, TableName};

/// One statement as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    /// Byte offset at which the node's own query begins, if it is part of the statement.
    pub query_at: Option<usize>,
    /// What to run instead when the engine refuses this statement with that code. Prepared for by a savepoint.
    pub otherwise: Option<Fallback>,
    /// Takes other people's views along.
    pub rebinds: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// SQLSTATE.
    pub code: &'static str,
    pub statements: Vec<String>,
}

impl Statement {
    pub(super) fn plain(sql: String) -> Statement {
        Statement { sql, query_at: None, otherwise: None, rebinds: false }
    }

    /// For people: the statement, and in comments what is run when it is refused.
    pub fn shown(&self) -> String {
        let Some(fallback) = &self.otherwise else { return self.sql.clone() };
        let commented = |sql: &String| sql.lines().map(|line| format!("-- {line}")).collect::<Vec<_>>().join("\n");
        let instead = fallback.statements.iter().map(commented).collect::<Vec<_>>().join(";\n");
        format!("{};\n-- if that is refused with {}, then instead:\n{instead}", self.sql, fallback.code)
    }

    /// A statement that ends with the node's query.
    fn around(head: String, query: &str) -> Statement {
        Statement { query_at: Some(head.len()), ..Statement::plain(format!("{head}{query}")) }
    }
}

/// The statements of one step, in order. Steps that are no SQL (loading files, the project's own materializations) print none.
pub fn print_step(step: &Step, engine: Engine) -> Vec<Statement> {
    if let (Engine::Redshift, Some(statements)) = (engine, redshift::print(step)) {
        return statements;
    }
    let plain = |sql: String| vec![Statement::plain(sql)];
    let each = |sql: Vec<String>| sql.into_iter().map(Statement::plain).collect();
    match step {
        Step::Statement { sql, .. } | Step::Unload { sql, .. } => plain(sql.clone()),
        Step::CreateTableAs { table, query, physical } => {
            let word = match table {
                TableName::Temporary(_) => "temporary table",
                TableName::Relation(_) => table_word(physical.unlogged, engine),
            };
            vec![Statement::around(format!("create {word} {} as\n", print_table(table)), query)]
        }
        Step::CreateMaterializedView { view, query, .. } => {
            vec![Statement::around(format!("create materialized view {} as\n", view.quoted()), query)]
        }
        // Only Redshift's are bound for good.
        Step::ReplaceView(step) => each(vec![format!("create materialized view {} as\n{}", step.view.quoted(), step.query)]),
        Step::Refresh { view } => plain(format!("refresh materialized view {}", view.quoted())),
        Step::DropIndexes { of, names } => {
            let drop = |name: &String| format!("drop index {}", of.with_identifier(name).quoted());
            each(names.iter().map(drop).collect())
        }
        Step::CreateViewAs { view, query, .. } => {
            vec![Statement::around(format!("create view {} as\n", view.quoted()), query)]
        }
        Step::CreateTable { table, columns, .. } => plain(format!("create table {} (\n{}\n)", table.quoted(), print_columns(columns))),
        Step::CreateLike { table, like, physical } => {
            let clause = partition_clause(physical, engine);
            plain(format!("create table {} (like {}){clause}", table.quoted(), print_table(like)))
        }
        Step::CheckPartitions(step) => plain(partitions::check(step)),
        Step::MakePartitions(step) => plain(partitions::make(step)),
        Step::FillFrom { table, source, columns } => plain(fill_from(table, source, columns)),
        Step::CreateContracted { table, contract } => plain(contract::create(table, contract, engine)),
        Step::InsertQuery { table, columns, query } => vec![insert_query(table, columns, query)],
        Step::InsertRows { table, columns, rows } | Step::CopyRows { table, columns, rows, .. } => each(insert_rows(table, columns, rows)),
        Step::Reserve(step) => each(publication::reserve(step)),
        Step::Publish(step) => publication::publish(step, engine),
        Step::Append { target, source, columns } => {
            let list = print_names(columns);
            plain(format!("insert into {} ({list})\nselect {list}\nfrom {}", target.quoted(), print_table(source)))
        }
        Step::DeleteMatching { target, source, keys, predicates, .. } => plain(delete_matching(target, source, keys, predicates)),
        Step::DeleteWindow { target, column, window, predicates } => plain(delete_window(target, column, *window, predicates)),
        Step::CheckKeys { source, keys } => plain(check_keys(source, keys)),
        Step::Merge(step) => plain(merge(step)),
        Step::Analyze { table } => analyze(table, engine).into_iter().map(Statement::plain).collect(),
        Step::CreateIndexes { table, indexes, published } => each(attributes::create_indexes(table, indexes, *published, engine)),
        Step::Comment(comment) => each(attributes::comment(comment)),
        Step::SetPrivileges { relation, wanted, held, exact } => each(attributes::set_privileges(relation, wanted, held, *exact, engine)),
        Step::AlterColumns(step) => each(alter::alter_columns(step)),
        Step::DropTemporary { name } => plain(format!("drop table {}", quote_ident(name))),
        Step::SnapshotFirst { table, spec, physical } => vec![snapshot::first(table, spec, physical, engine)],
        Step::SnapshotChanges { changes, spec } => vec![snapshot::changes(changes, spec, engine)],
        Step::SnapshotApply { changes, spec } => each(snapshot::apply(changes, spec, engine)),
        Step::SendRows(send) => {
            let counts = send.settings.iter().chain(&send.total).chain([&send.sent]).chain(&send.unsafe_rows);
            each(counts.chain([&send.unload]).cloned().collect())
        }
        Step::FetchRows { sql, .. } => plain(sql.clone()),
        Step::CompareCounts { arrived, .. } => plain(arrived.clone()),
        Step::LoadFiles { statement, .. } => each(statement.iter().cloned().collect()),
        // Rendered and sent when it is its turn.
        Step::Hook(_) | Step::CallMacro(_) | Step::RunMaterialization { .. } => Vec::new(),
    }
}

fn fill_from(table: &Relation, source: &TableName, columns: &[String]) -> String {
    let (list, what) = match columns {
        [] => (String::new(), "*".to_owned()),
        _ => (format!(" ({})", print_names(columns)), print_names(columns)),
    };
    format!("insert into {}{list}\nselect {what}\nfrom {}", table.quoted(), print_table(source))
}

/// What says that a table is cut into partitions.
pub(super) fn partition_clause(physical: &Physical, engine: Engine) -> String {
    let by = physical.partition_by.as_ref().filter(|_| engine == Engine::Postgres);
    by.map_or_else(String::new, partitions::clause)
}

/// PostgreSQL alone has tables of which it keeps no log.
pub(super) fn table_word(unlogged: bool, engine: Engine) -> &'static str {
    if unlogged && engine == Engine::Postgres { "unlogged table" } else { "table" }
}

/// Title and statements of a step; `None` when it does nothing on this engine.
pub fn print_titled(step: &Step, engine: Engine) -> Option<(String, Vec<Statement>)> {
    let statements = print_step(step, engine);
    let acts = !statements.is_empty() || matches!(step, Step::RunMaterialization { .. } | Step::LoadFiles { .. });
    acts.then(|| (step.title(), statements))
}

impl From<(String, usize)> for Statement {
    fn from((sql, query_at): (String, usize)) -> Statement {
        Statement { query_at: Some(query_at), ..Statement::plain(sql) }
    }
}

pub(super) fn print_table(table: &TableName) -> String {
    match table {
        TableName::Relation(relation) => relation.quoted(),
        TableName::Temporary(name) => quote_ident(name),
    }
}

pub(super) fn print_names(columns: &[String]) -> String {
    columns.iter().map(|column| quote_ident(column)).collect::<Vec<_>>().join(", ")
}

fn print_columns(columns: &[ColumnInfo]) -> String {
    columns.iter().map(|column| format!("    {} {}", quote_ident(&column.name), column.data_type)).collect::<Vec<_>>().join(",\n")
}

/// The query is asked for its columns by name: their order is that of the declaration.
fn insert_query(table: &TableName, columns: &[String], query: &str) -> Statement {
    let list = print_names(columns);
    let head = format!("insert into {} ({list})\nselect {list}\nfrom (\n", print_table(table));
    Statement { query_at: Some(head.len()), ..Statement::plain(format!("{head}{query}\n) as contracted")) }
}

/// Rows in batches that keep a statement well below the limits of every engine.
fn insert_rows(table: &Relation, columns: &[ColumnInfo], rows: &[Vec<Option<String>>]) -> Vec<String> {
    const BATCH: usize = 500;
    let names = columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ");
    let cell = |value: &Option<String>, column: &ColumnInfo| match value {
        Some(text) => format!("cast({} as {})", quote_text(text), column.data_type),
        None => format!("cast(null as {})", column.data_type),
    };
    let row = |cells: &Vec<Option<String>>| {
        let printed: Vec<String> = cells.iter().zip(columns).map(|(value, column)| cell(value, column)).collect();
        format!("    ({})", printed.join(", "))
    };
    rows.chunks(BATCH)
        .map(|batch| format!("insert into {} ({names})\nvalues\n{}", table.quoted(), batch.iter().map(row).collect::<Vec<_>>().join(",\n")))
        .collect()
}

/// The names of dbt's for the rows that are there and those that come: predicates of the user's may use them.
const DEST: &str = "DBT_INTERNAL_DEST";
const SOURCE: &str = "DBT_INTERNAL_SOURCE";

/// One key may be an expression of several columns, so it is compared as it is written; more than one are columns.
fn delete_matching(target: &Relation, source: &TableName, keys: &[String], predicates: &[String]) -> String {
    let also: String = predicates.iter().map(|predicate| format!("\n  and ({predicate})")).collect();
    let (target, source) = (target.quoted(), print_table(source));
    if let [key] = keys {
        return format!("delete from {target} as {DEST}\nwhere ({key}) in (\n    select {key}\n    from {source} as {SOURCE}\n){also}");
    }
    let matching = keys.iter().map(|key| format!("{SOURCE}.{key} = {DEST}.{key}")).collect::<Vec<_>>().join("\n      and ");
    format!("delete from {target} as {DEST}\nwhere exists (\n    select 1\n    from {source} as {SOURCE}\n    where {matching}\n){also}")
}

/// What a batch takes the place of.
fn delete_window(target: &Relation, column: &str, window: Window, predicates: &[String]) -> String {
    let also: String = predicates.iter().map(|predicate| format!("\n  and ({predicate})")).collect();
    let (start, end) = (quote_text(&utc_text(window.start)), quote_text(&utc_text(window.end)));
    format!("delete from {} as {DEST}\nwhere {column} >= {start}\n  and {column} < {end}{also}", target.quoted())
}

/// PostgreSQL's own daemon comes a minute later, when the next models have long been planned as if the table were tiny. DuckDB
/// counts as it writes, Redshift in the background.
pub fn analyze(table: &Relation, engine: Engine) -> Option<String> {
    (engine == Engine::Postgres).then(|| format!("analyze {}", table.quoted()))
}

/// What a kind of relation is called in statements.
pub fn relation_word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table => "table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::External => "foreign table",
    }
}

/// One row when a key is there more than once: its parts as text, and how often. A key with a NULL matches nothing.
fn check_keys(source: &TableName, keys: &[String]) -> String {
    let shown = keys.iter().map(|key| format!("cast({key} as varchar) as {key}")).collect::<Vec<_>>().join(", ");
    let known = keys.iter().map(|key| format!("{key} is not null")).collect::<Vec<_>>().join(" and ");
    let grouped = keys.iter().map(|key| format!("changes.{key}")).collect::<Vec<_>>().join(", ");
    let list = keys.join(", ");
    format!(
        "select {shown}, occurrences\nfrom (\n    select {list}, count(*) as occurrences\n    from {} as changes\n    where {known}\n    \
         group by {grouped}\n    having count(*) > 1\n    order by {grouped}\n    limit 1\n) as repeated",
        print_table(source),
    )
}

fn merge(step: &Merge) -> String {
    let mut conditions: Vec<String> = step.keys.iter().map(|key| format!("{DEST}.{key} = {SOURCE}.{key}")).collect();
    conditions.extend(step.predicates.iter().map(|predicate| format!("({predicate})")));
    let on = conditions.join(" and ");
    let update = step.update.iter().map(|column| format!("{0} = {SOURCE}.{0}", quote_ident(column))).collect::<Vec<_>>().join(", ");
    let update = if update.is_empty() { String::new() } else { format!("\nwhen matched then update set {update}") };
    let values = step.columns.iter().map(|column| format!("{SOURCE}.{}", quote_ident(column))).collect::<Vec<_>>().join(", ");
    format!(
        "merge into {} as {DEST}\nusing {} as {SOURCE}\non {on}{update}\nwhen not matched then insert ({}) values ({values})",
        step.target.quoted(),
        print_table(&step.source),
        print_names(&step.columns),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_found_in_its_statement() {
        let step = Step::CreateViewAs { view: Relation::new("d", "s", "v"), query: "select 1".to_owned(), bound: false };
        let statement = print_step(&step, Engine::Postgres).remove(0);
        assert_eq!(statement.query_at.map(|at| &statement.sql[at..]), Some("select 1"));
    }
}

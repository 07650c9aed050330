//! Prints the steps of a plan as statements.

use super::{Engine, attributes, contract, quote_text, snapshot};
use crate::base::{ColumnInfo, Relation, RelationKind, quote_ident};
use crate::plan::{Dependent, Merge, Publish, Step, TableName};

/// One statement as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    /// Byte offset at which the node's own query begins, if it is part of the statement.
    pub query_at: Option<usize>,
    /// What to run instead when the engine refuses this statement with that code. Prepared for by a savepoint.
    pub otherwise: Option<Fallback>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// SQLSTATE.
    pub code: &'static str,
    pub statements: Vec<String>,
}

impl Statement {
    fn plain(sql: String) -> Statement {
        Statement { sql, query_at: None, otherwise: None }
    }

    /// A statement that ends with the node's query.
    fn around(head: String, query: &str) -> Statement {
        Statement { query_at: Some(head.len()), sql: format!("{head}{query}"), otherwise: None }
    }
}

/// The statements of one step, in order. Steps that are no SQL (loading files, the project's own materializations) print none.
pub fn print_step(step: &Step, engine: Engine) -> Vec<Statement> {
    let plain = |sql: String| vec![Statement::plain(sql)];
    let each = |sql: Vec<String>| sql.into_iter().map(Statement::plain).collect();
    match step {
        Step::Statement { sql, .. } => plain(sql.clone()),
        Step::CreateTableAs { table, query } => {
            let temporary = if matches!(table, TableName::Temporary(_)) { "temporary " } else { "" };
            vec![Statement::around(format!("create {temporary}table {} as\n", print_table(table)), query)]
        }
        Step::CreateViewAs { view, query } => {
            vec![Statement::around(format!("create view {} as\n", view.quoted()), query)]
        }
        Step::CreateTable { table, columns } => plain(format!("create table {} (\n{}\n)", table.quoted(), print_columns(columns))),
        Step::CreateContracted { table, contract } => plain(contract::create(table, contract, engine)),
        Step::InsertQuery { table, columns, query } => vec![insert_query(table, columns, query)],
        Step::InsertRows { table, columns, rows } => each(insert_rows(table, columns, rows)),
        Step::Reserve { live, owner } => each(reserve(live, owner).to_vec()),
        Step::Publish(step) => publish(step, engine),
        Step::Append { target, source, columns } => {
            let list = print_names(columns);
            plain(format!("insert into {} ({list})\nselect {list}\nfrom {}", target.quoted(), print_table(source)))
        }
        Step::DeleteMatching { target, source, keys, predicates } => plain(delete_matching(target, source, keys, predicates)),
        Step::CheckKeys { source, keys } => plain(check_keys(source, keys)),
        Step::Merge(step) => plain(merge(step)),
        Step::Analyze { table } => analyze(table, engine).into_iter().map(Statement::plain).collect(),
        Step::CreateIndexes { table, indexes, published } => each(attributes::create_indexes(table, indexes, *published, engine)),
        Step::Comment(comment) => each(attributes::comment(comment)),
        Step::SetPrivileges { relation, wanted, held } => each(attributes::set_privileges(relation, wanted, held, engine)),
        Step::AddColumns { table, columns } => {
            alter_each(table, columns, |column| format!("add column {} {}", quote_ident(&column.name), column.data_type))
        }
        Step::DropColumns { table, columns } => alter_each(table, columns, |column| format!("drop column {}", quote_ident(column))),
        Step::ChangeTypes { table, columns } => alter_each(table, columns, |column| {
            let name = quote_ident(&column.name);
            format!("alter column {name} type {} using cast({name} as {})", column.data_type, column.data_type)
        }),
        Step::DropTemporary { name } => plain(format!("drop table {}", quote_ident(name))),
        Step::SnapshotFirst { table, spec } => vec![snapshot::first(table, spec)],
        Step::SnapshotChanges { changes, spec } => vec![snapshot::changes(changes, spec)],
        Step::SnapshotApply { changes, spec } => each(snapshot::apply(changes, spec)),
        Step::LoadFiles { statement, .. } => each(statement.iter().cloned().collect()),
        // Rendered and sent when it is its turn.
        Step::Hook(_) | Step::RunMaterialization { .. } => Vec::new(),
    }
}

/// Title and statements of a step; `None` when it does nothing on this engine.
pub fn print_titled(step: &Step, engine: Engine) -> Option<(String, Vec<Statement>)> {
    let statements = print_step(step, engine);
    let acts = !statements.is_empty() || matches!(step, Step::RunMaterialization { .. } | Step::LoadFiles { .. });
    acts.then(|| (step.title(), statements))
}

impl From<(String, usize)> for Statement {
    fn from((sql, query_at): (String, usize)) -> Statement {
        Statement { sql, query_at: Some(query_at), otherwise: None }
    }
}

fn print_table(table: &TableName) -> String {
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
    Statement { query_at: Some(head.len()), sql: format!("{head}{query}\n) as contracted"), otherwise: None }
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

/// One key may be an expression of several columns, so it is compared as it is written; more than one are columns.
fn delete_matching(target: &Relation, source: &TableName, keys: &[String], predicates: &[String]) -> String {
    let also: String = predicates.iter().map(|predicate| format!("\n  and ({predicate})")).collect();
    if let [key] = keys {
        return format!("delete from {}\nwhere ({key}) in (\n    select {key}\n    from {}\n){also}", target.quoted(), print_table(source));
    }
    let matching = keys.iter().map(|key| format!("changes.{key} = live.{key}")).collect::<Vec<_>>().join("\n      and ");
    format!(
        "delete from {} as live\nwhere exists (\n    select 1\n    from {} as changes\n    where {matching}\n){also}",
        target.quoted(),
        print_table(source)
    )
}

/// One statement a column, as DuckDB wants it.
fn alter_each<T>(table: &Relation, columns: &[T], change: impl Fn(&T) -> String) -> Vec<Statement> {
    columns.iter().map(|column| Statement::plain(format!("alter table {} {}", table.quoted(), change(column)))).collect()
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

fn rename(kind: RelationKind, from: &Relation, to: &Relation) -> Statement {
    Statement::plain(format!("alter {} {} rename to {}", relation_word(kind), from.quoted(), quote_ident(&to.identifier)))
}

fn drop(kind: RelationKind, relation: &Relation) -> Statement {
    Statement::plain(format!("drop {} {}", relation_word(kind), relation.quoted()))
}

/// One publication at a time: two that bind the same views anew would wait for each other. An owner that stays the same changes
/// nothing, and is the one statement that locks a relation of any kind as a replacement needs it.
fn reserve(live: &Relation, owner: &str) -> [String; 2] {
    [
        format!("select pg_advisory_xact_lock(hashtextextended({}, 0))", quote_text("acca: publication")),
        format!("alter table {} owner to {}", live.quoted(), quote_ident(owner)),
    ]
}

fn publish(step: &Publish, engine: Engine) -> Vec<Statement> {
    let into_place = rename(step.kind, &step.staged, &step.live);
    let Some(replaced) = step.replaced else { return vec![into_place] };
    if engine == Engine::DuckDb {
        // Views are bound by name at each query: nothing holds on to the old relation.
        return vec![drop(replaced, &step.live), into_place];
    }
    let mut statements = vec![rename(replaced, &step.live, &step.retired), into_place];
    statements.extend(step.settings.iter().cloned().map(Statement::plain));
    statements.extend(rebind(step));
    if !step.keep_retired {
        statements.push(drop(replaced, &step.retired));
    }
    statements
}

/// Binds views to the new relation in place, which keeps their privileges. PostgreSQL refuses that with 42P16 when a column's
/// type or name has changed: then the views are dropped and made anew, the last reader first.
fn rebind(step: &Publish) -> Vec<Statement> {
    if step.rebind.is_empty() {
        return Vec::new();
    }
    let drops = step.rebind.iter().rev().map(|view| format!("drop {} {}", relation_word(view.kind), view.relation.quoted()));
    let creates = step.rebind.iter().flat_map(|view| {
        let create = format!("create {} {} as\n{}", relation_word(view.kind), view.relation.quoted(), view.definition);
        [create].into_iter().chain(view.settings.iter().cloned())
    });
    let anew: Vec<String> = drops.chain(creates).collect();
    let direct = step.rebind.iter().filter(|view| view.direct);
    if direct.clone().any(|view| view.kind != RelationKind::View) {
        return anew.into_iter().map(Statement::plain).collect();
    }
    let in_place = direct.map(|view| bind_view(view, &view.definition)).collect::<Vec<_>>().join(";\n");
    vec![Statement { sql: in_place, query_at: None, otherwise: Some(Fallback { code: "42P16", statements: anew }) }]
}

/// `create or replace view` forgets the options that it does not repeat.
fn bind_view(view: &Dependent, definition: &str) -> String {
    let options = if view.options.is_empty() { String::new() } else { format!(" with ({})", view.options) };
    format!("create or replace view {}{options} as\n{definition}", view.relation.quoted())
}

/// Binds a reader of a retired relation to the one in its place, for the end of a run. The retired name exists once in the
/// world: replacing its text cannot hit anything else.
pub fn bind_to_live(view: &Dependent, retired: &Relation, live: &Relation) -> String {
    let name = quote_ident(&live.identifier);
    bind_view(view, &view.definition.replace(&quote_ident(&retired.identifier), &name).replace(&*retired.identifier, &name))
}

pub fn drop_retired(retired: &Relation, kind: RelationKind) -> String {
    format!("drop {} {}", relation_word(kind), retired.quoted())
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
    let mut conditions: Vec<String> = step.keys.iter().map(|key| format!("live.{key} = changes.{key}")).collect();
    conditions.extend(step.predicates.iter().map(|predicate| format!("({predicate})")));
    let on = conditions.join(" and ");
    let update = step.update.iter().map(|column| format!("{0} = changes.{0}", quote_ident(column))).collect::<Vec<_>>().join(", ");
    let update = if update.is_empty() { String::new() } else { format!("\nwhen matched then update set {update}") };
    let values = step.columns.iter().map(|column| format!("changes.{}", quote_ident(column))).collect::<Vec<_>>().join(", ");
    format!(
        "merge into {} as live\nusing {} as changes\non {on}{update}\nwhen not matched then insert ({}) values ({values})",
        step.target.quoted(),
        print_table(&step.source),
        print_names(&step.columns),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish_step(rebind: Vec<Dependent>, keep_retired: bool) -> Step {
        let live = Relation::new("d", "s", "orders");
        Step::Publish(Publish {
            staged: live.with_identifier("orders__acca_stage"),
            retired: live.with_identifier("orders__acca_old_1"),
            live,
            kind: RelationKind::Table,
            replaced: Some(RelationKind::View),
            rebind,
            keep_retired,
            settings: Vec::new(),
        })
    }

    fn printed(step: &Step, engine: Engine) -> String {
        print_step(step, engine).into_iter().map(|statement| statement.sql).collect::<Vec<_>>().join(";\n")
    }

    #[test]
    fn publishing_never_cascades() {
        let view = Dependent {
            relation: Relation::new("d", "s", "v"),
            kind: RelationKind::View,
            direct: true,
            definition: "SELECT 1".to_owned(),
            options: "security_barrier=true".to_owned(),
            settings: Vec::new(),
        };
        insta::assert_snapshot!(printed(&publish_step(vec![view], false), Engine::Postgres), @r#"
        alter view "d"."s"."orders" rename to "orders__acca_old_1";
        alter table "d"."s"."orders__acca_stage" rename to "orders";
        create or replace view "d"."s"."v" with (security_barrier=true) as
        SELECT 1;
        drop view "d"."s"."orders__acca_old_1"
        "#);
        insta::assert_snapshot!(printed(&publish_step(Vec::new(), true), Engine::DuckDb), @r#"
        drop view "d"."s"."orders";
        alter table "d"."s"."orders__acca_stage" rename to "orders"
        "#);
    }

    #[test]
    fn the_query_is_found_in_its_statement() {
        let step = Step::CreateViewAs { view: Relation::new("d", "s", "v"), query: "select 1".to_owned() };
        let statement = print_step(&step, Engine::Postgres).remove(0);
        assert_eq!(statement.query_at.map(|at| &statement.sql[at..]), Some("select 1"));
    }
}

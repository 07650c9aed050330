//! Statements other than queries: definitions and changes of data.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ColumnDef, ColumnOption, CreateTable, CreateTableLikeKind, CreateView, Delete, FromTable, Insert,
    ObjectName, ObjectType, SchemaName, SetExpr, Statement, TableConstraint, TableFactor, TableObject, Truncate, Update,
    UpdateTableFromKind,
};

use super::query::{Column, Scope, Translator, parts, quoted};
use super::typing::Type;
use super::{Failure, definitions, expressions, read};

/// What PostgreSQL is to run for one statement.
pub struct Script {
    pub sql: String,
    /// The columns of the rows that it returns, where it returns rows and their types are known.
    pub columns: Option<Vec<Column>>,
    pub effect: Effect,
    /// The table that rows come into.
    pub grows: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Rows,
    Changes,
    Begin,
    Commit,
    Rollback,
    /// TRUNCATE commits what was open before and itself, fact 193.
    Commits,
}

/// # Errors
/// What Redshift refuses, and what is not imitated.
pub fn translate(statement: &Statement, translator: &mut Translator<'_>, in_transaction: bool) -> Result<Script, Failure> {
    let mut columns = None;
    let (sql, effect) = match statement {
        Statement::Query(query) => {
            let translated = translator.query(query, None)?;
            columns = translated.columns;
            (translated.sql, Effect::Rows)
        }
        Statement::CreateTable(table) => (create_table(table, translator)?, Effect::Changes),
        Statement::CreateView(view) => (create_view(view, translator)?, Effect::Changes),
        Statement::Insert(insert) => (insert_into(insert, translator)?, Effect::Changes),
        Statement::Update(update) => (update_set(update, translator)?, Effect::Changes),
        Statement::Delete(delete) => (delete_from(delete, translator)?, Effect::Changes),
        Statement::CreateSchema { schema_name: SchemaName::Simple(name), or_replace: false, if_not_exists, with: None, .. } => {
            (format!("CREATE SCHEMA {}{}", if *if_not_exists { "IF NOT EXISTS " } else { "" }, schema_name(name)?), Effect::Changes)
        }
        Statement::Drop { object_type, if_exists, names, cascade, restrict: _, purge: false, temporary: false, table: None } => {
            let kind = match object_type {
                ObjectType::Table => "TABLE",
                ObjectType::View => "VIEW",
                ObjectType::MaterializedView => "MATERIALIZED VIEW",
                ObjectType::Schema => "SCHEMA",
                other => return Err(Failure::refused(format!("DROP {other} is not supported"), "0A000")),
            };
            let place = |name| if *object_type == ObjectType::Schema { schema_name(name) } else { translator.place(name) };
            let names = names.iter().map(place).collect::<Result<Vec<_>, _>>()?.join(", ");
            let (exists, cascade) = (if *if_exists { "IF EXISTS " } else { "" }, if *cascade { " CASCADE" } else { "" });
            (format!("DROP {kind} {exists}{names}{cascade}"), Effect::Changes)
        }
        Statement::Truncate(Truncate { table_names, partitions: None, if_exists: false, identity: None, cascade: None, .. }) => {
            match &table_names[..] {
                [target] if !target.only && !target.has_asterisk => {
                    (format!("TRUNCATE {}", translator.place(&target.name)?), Effect::Commits)
                }
                _ => return Err(Failure::refused("TRUNCATE takes one table", "42601")),
            }
        }
        Statement::StartTransaction { .. } => ("BEGIN".to_owned(), Effect::Begin),
        Statement::Commit { chain: false, .. } => ("COMMIT".to_owned(), Effect::Commit),
        Statement::Rollback { chain: false, savepoint: None } => ("ROLLBACK".to_owned(), Effect::Rollback),
        Statement::AlterTable(alter) => (definitions::alter_table(alter, translator, in_transaction)?, Effect::Changes),
        Statement::Grant(grant) if !grant.with_grant_option => {
            (definitions::grant(&grant.privileges, grant.objects.as_ref(), &grant.grantees, false, translator)?, Effect::Changes)
        }
        Statement::Revoke(revoke) => {
            (definitions::grant(&revoke.privileges, revoke.objects.as_ref(), &revoke.grantees, true, translator)?, Effect::Changes)
        }
        Statement::Comment { object_type, object_name, comment, if_exists: false } => {
            (definitions::comment(object_type, object_name, comment.as_deref(), translator)?, Effect::Changes)
        }
        Statement::Merge(merge) => (definitions::merge(merge, translator)?, Effect::Changes),
        Statement::Set(set) => (definitions::set(set)?, Effect::Changes),
        Statement::Savepoint { .. } | Statement::ReleaseSavepoint { .. } => {
            return Err(Failure::refused("SQL command \"SAVEPOINT\" not supported on Redshift", "0A000"));
        }
        other => return Err(Failure::not_imitated(format!("statement {other}"))),
    };
    translator.finish()?;
    let grows = match statement {
        Statement::Insert(Insert { table: TableObject::TableName(name), .. }) => Some(translator.place(name)?),
        _ => None,
    };
    Ok(Script { sql, columns, effect, grows })
}

/// `schema`, or `database.schema`.
fn schema_name(name: &ObjectName) -> Result<String, Failure> {
    Ok(quoted(parts(name)?.last().map_or("", String::as_str)))
}

fn create_table(table: &CreateTable, translator: &mut Translator<'_>) -> Result<String, Failure> {
    let unlike = table.or_replace || table.unlogged || table.external || table.inherits.is_some() || table.partition_by.is_some();
    if unlike || table.partition_of.is_some() {
        return Err(Failure::refused("syntax error in CREATE TABLE", "42601"));
    }
    if table.clone.is_some() || table.on_commit.is_some() {
        return Err(Failure::not_imitated(format!("{table}")));
    }
    let head = format!(
        "CREATE {}TABLE {}{}",
        if table.temporary { "TEMPORARY " } else { "" },
        if table.if_not_exists { "IF NOT EXISTS " } else { "" },
        translator.place(&table.name)?
    );
    if let Some(CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) = &table.like {
        // Lengths in bytes are checks here; keys, defaults and identities stay behind.
        return Ok(format!("{head} (LIKE {} INCLUDING CONSTRAINTS)", translator.place(&like.name)?));
    }
    match &table.query {
        Some(query) if table.columns.is_empty() => {
            let inner = translator.query(query, None)?;
            // The types of the columns are those that Redshift would find, fact 164.
            let made = match inner.columns {
                Some(columns) => {
                    let list: Vec<String> = columns.iter().map(typed_column).collect();
                    format!("{head} AS SELECT {} FROM ({}) q", list.join(", "), inner.sql)
                }
                None => format!("{head} AS {}", inner.sql),
            };
            // CREATE TABLE AS gathers statistics (`r_CTAS_usage_notes`).
            Ok(format!("{made}; ANALYZE {}", translator.place(&table.name)?))
        }
        Some(_) => Err(Failure::refused("syntax error in CREATE TABLE AS", "42601")),
        None => {
            let mut lines = Vec::new();
            for column in &table.columns {
                lines.push(column_definition(column, translator)?);
            }
            for constraint in &table.constraints {
                match constraint {
                    // Told, never enforced, fact 160.
                    TableConstraint::Unique(_) | TableConstraint::ForeignKey(_) => {}
                    TableConstraint::PrimaryKey(key) => {
                        let columns = key.columns.iter().map(|column| translator.expression(&column.column.expr, &Scope::default()));
                        for column in columns {
                            lines.push(format!("CHECK ({} IS NOT NULL)", column?.0));
                        }
                    }
                    // Fact 162.
                    other => return Err(Failure::refused(format!("{other} is not supported"), "0A000")),
                }
            }
            Ok(format!("{head} ({})", lines.join(", ")))
        }
    }
}

fn typed_column(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.of.postgres() {
        Some(of) => format!("{name}::{of} AS {name}"),
        None => name,
    }
}

pub fn column_definition(column: &ColumnDef, translator: &mut Translator<'_>) -> Result<String, Failure> {
    let of = Type::read(&column.data_type)?;
    let name = quoted(&column.name.value);
    let mut text = format!("{name} {}", of.postgres().ok_or_else(|| Failure::not_imitated(format!("{column}")))?);
    match of {
        // Lengths are bytes, fact 3; a CHAR has letters of one byte, fact 6.
        Type::Varchar(bytes) => text += &format!(" CHECK (octet_length({name}) <= {bytes})"),
        Type::Char(bytes) => text += &format!(" CHECK (octet_length({name}) <= {bytes})"),
        _ => {}
    }
    for option in &column.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull | ColumnOption::PrimaryKey(_) => text += " NOT NULL",
            ColumnOption::Unique(_) | ColumnOption::ForeignKey(_) => {}
            ColumnOption::Default(value) => text += &format!(" DEFAULT {}", translator.expression(value, &Scope::default())?.0),
            ColumnOption::Generated { generation_expr: None, .. } => text += &format!(" {}", option.option),
            other => return Err(Failure::refused(format!("{other} is not supported for a column"), "0A000")),
        }
    }
    Ok(text)
}

fn create_view(view: &CreateView, translator: &mut Translator<'_>) -> Result<String, Failure> {
    if view.secure || view.temporary || view.if_not_exists || view.or_alter || view.materialized && view.or_replace {
        return Err(Failure::refused("syntax error in CREATE VIEW", "42601"));
    }
    let name = translator.place(&view.name)?;
    let columns = view.columns.iter().map(|column| quoted(&column.name.value)).collect::<Vec<_>>();
    let list = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    if view.with_no_schema_binding {
        // Read anew whenever it is asked for, fact 184; what it reads need not be there yet.
        let head = if view.or_replace { format!("DROP VIEW IF EXISTS {name}; ") } else { String::new() };
        let body = expressions::literal(&read::written(&view.query));
        return Ok(format!(
            "{head}CREATE VIEW {name} AS SELECT NULL::text AS \"late-binding view\"; \
             INSERT INTO redshift.late_views VALUES ({}::regclass, {body}) ON CONFLICT (relation) DO UPDATE SET body = excluded.body",
            expressions::literal(&name)
        ));
    }
    let inner = translator.query(&view.query, None)?;
    let kind = if view.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
    Ok(format!("CREATE {}{kind} {name}{list} AS {}", if view.or_replace { "OR REPLACE " } else { "" }, inner.sql))
}

fn insert_into(insert: &Insert, translator: &mut Translator<'_>) -> Result<String, Failure> {
    if insert.on.is_some() || insert.returning.is_some() {
        // Facts 150 and 151.
        return Err(Failure::refused("syntax error: INSERT has neither ON CONFLICT nor RETURNING", "42601"));
    }
    let (TableObject::TableName(name), None) = (&insert.table, &insert.table_alias) else {
        return Err(Failure::refused("syntax error in INSERT", "42601"));
    };
    let mut text = format!("INSERT INTO {}", translator.place(name)?);
    let mut columns = Vec::new();
    for column in &insert.columns {
        columns.push(quoted(parts(column)?.last().map_or("", String::as_str)));
    }
    if !columns.is_empty() {
        text += &format!(" ({})", columns.join(", "));
    }
    match &insert.source {
        None => text += " DEFAULT VALUES",
        Some(source) => match &*source.body {
            SetExpr::Values(values) => {
                let mut rows = Vec::new();
                for row in &values.rows {
                    let mut fields = Vec::new();
                    for field in &row.content {
                        fields.push(match field {
                            sqlparser::ast::Expr::Identifier(word) if word.value.eq_ignore_ascii_case("default") => "DEFAULT".to_owned(),
                            // Fact 159.
                            sqlparser::ast::Expr::Subquery(_) if values.rows.len() > 1 => {
                                return Err(Failure::refused("subqueries are not allowed in VALUES of many rows", "0A000"));
                            }
                            other => translator.expression(other, &Scope::default())?.0,
                        });
                    }
                    rows.push(format!("({})", fields.join(", ")));
                }
                text += &format!(" VALUES {}", rows.join(", "));
            }
            _ => text += &format!(" {}", translator.query(source, None)?.sql),
        },
    }
    Ok(text)
}

fn assignments(list: &[Assignment], scope: &Scope<'_>, translator: &mut Translator<'_>) -> Result<String, Failure> {
    let mut texts = Vec::new();
    for Assignment { target, value } in list {
        let AssignmentTarget::ColumnName(name) = target else { return Err(Failure::refused("syntax error in SET", "42601")) };
        let name = parts(name)?;
        // No table before the column, fact 156.
        let [name] = name.as_slice() else {
            return Err(Failure::refused(format!("column {} of SET has a qualifier", name.join(".")), "42703"));
        };
        texts.push(format!("{} = {}", quoted(name), translator.expression(value, scope)?.0));
    }
    Ok(texts.join(", "))
}

fn update_set(update: &Update, translator: &mut Translator<'_>) -> Result<String, Failure> {
    if update.returning.is_some() || !update.order_by.is_empty() || update.limit.is_some() || !update.table.joins.is_empty() {
        return Err(Failure::refused("syntax error in UPDATE", "42601"));
    }
    let mut scope = Scope::default();
    let target = translator.table_factor(&update.table.relation, &mut scope)?;
    let mut from = Vec::new();
    match &update.from {
        None => {}
        Some(UpdateTableFromKind::AfterSet(items)) => {
            for item in items {
                from.push(translator.table_with_joins(item, &mut scope)?);
            }
        }
        Some(UpdateTableFromKind::BeforeSet(_)) => return Err(Failure::refused("syntax error in UPDATE", "42601")),
    }
    let mut text = format!("UPDATE {target} SET {}", assignments(&update.assignments, &scope, translator)?);
    if !from.is_empty() {
        text += &format!(" FROM {}", from.join(", "));
    }
    if let Some(condition) = &update.selection {
        text += &format!(" WHERE {}", translator.condition(condition, &scope)?);
    }
    Ok(text)
}

fn delete_from(delete: &Delete, translator: &mut Translator<'_>) -> Result<String, Failure> {
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
    let [target] = tables.as_slice() else { return Err(Failure::refused("syntax error in DELETE", "42601")) };
    let aliased = matches!(&target.relation, TableFactor::Table { alias: Some(_), .. });
    if delete.returning.is_some() || delete.limit.is_some() || !delete.order_by.is_empty() || !target.joins.is_empty() || aliased {
        // No alias of the target, fact 157.
        return Err(Failure::refused("syntax error in DELETE", "42601"));
    }
    let mut scope = Scope::default();
    let mut text = format!("DELETE FROM {}", translator.table_factor(&target.relation, &mut scope)?);
    let mut using = Vec::new();
    for item in delete.using.iter().flatten() {
        using.push(translator.table_with_joins(item, &mut scope)?);
    }
    if !using.is_empty() {
        text += &format!(" USING {}", using.join(", "));
    }
    if let Some(condition) = &delete.selection {
        text += &format!(" WHERE {}", translator.condition(condition, &scope)?);
    }
    Ok(text)
}

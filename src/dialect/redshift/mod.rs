//! Amazon Redshift where its statements are not those of the other engines. Pages of its Developer Guide are named by their file.

mod copy;
mod direct;
mod dml;
pub mod external;
mod rows;
mod staged;
mod tables;

pub(super) use copy::role;
pub use copy::{CopyFromS3, FilesOnS3, S3Format, Unload, load_errors, manifest};
pub use direct::{DirectCopy, DirectFormat, type_for_parquet};
pub use rows::RowInserts;
pub use staged::{NULL_MARK, StagedCopy};
pub(super) use tables::{attributes, column_attributes, identity, sized_type};

use super::relation_word;
use super::steps::Statement;
use crate::base::{ColumnInfo, Relation, RelationKind, quote_ident};
use crate::plan::{AlterColumns, Comment, Publish, Step};

/// Bytes of a statement that its Data API takes (`data-api-troubleshooting` of the Management Guide says 100 KB).
pub(super) const MAX_STATEMENT: usize = 100_000;

/// A string constant: a backslash escapes here, so it is doubled (`pattern-matching-conditions-posix`).
pub(super) fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// The statements of a step that differ from those of the other engines; `None` for the same ones.
pub(super) fn print(step: &Step) -> Option<Vec<Statement>> {
    let each = |sql: Vec<String>| Some(sql.into_iter().map(Statement::plain).collect());
    match step {
        Step::CreateTableAs { table, query, physical } => Some(vec![tables::create_as(table, query, physical)]),
        Step::CreateTable { table, columns, physical } => each(vec![tables::create(table, columns, physical)]),
        Step::CreateViewAs { view, query, bound } => Some(tables::create_view(view, query, *bound)),
        Step::CreateMaterializedView { view, query, physical } => Some(vec![tables::create_materialized_view(view, query, physical)]),
        Step::ReplaceView(step) => Some(tables::replace_view(step)),
        Step::InsertRows { table, columns, rows } => each(dml::insert_rows(table, columns, rows)),
        Step::CopyRows { table, columns, files, .. } => each(vec![staged::copy_rows(table, columns, files)]),
        Step::Publish(step) => each(publish(step)),
        Step::DeleteMatching { target, source, keys, texts, predicates } => {
            each(vec![dml::delete_matching(target, source, (keys, texts), predicates)])
        }
        Step::DeleteWindow { target, column, window, predicates } => each(vec![dml::delete_window(target, column, *window, predicates)]),
        // MERGE itself refuses two rows for one (`r_MERGE`).
        Step::CheckKeys { .. } => Some(Vec::new()),
        Step::Merge(step) => each(vec![dml::merge(step)]),
        Step::AlterColumns(step) => each(alter_columns(step)),
        Step::Comment(step) => each(comment(step)),
        _ => None,
    }
}

/// Whether two rows have the same key. Blanks at the end of text do not count here, but the length of the text does.
pub(super) fn same_key(one: &str, other: &str, key: &str, texts: &[String]) -> String {
    let equal = format!("{one}.{key} = {other}.{key}");
    let plain = key.trim_matches('"');
    match texts.iter().any(|text| text.trim_matches('"').eq_ignore_ascii_case(plain)) {
        true => format!("{equal} and octet_length({one}.{key}) = octet_length({other}.{key})"),
        false => equal,
    }
}

/// `alter table` renames views too; nothing is dropped with CASCADE (`r_ALTER_TABLE`).
fn publish(step: &Publish) -> Vec<String> {
    let rename = |from: &Relation, to: &Relation| format!("alter table {} rename to {}", from.quoted(), quote_ident(&to.identifier));
    let into_place = rename(&step.staged, &step.live);
    let Some(replaced) = step.replaced else { return vec![into_place] };
    let mut statements = vec![rename(&step.live, &step.retired), into_place];
    statements.extend(step.settings.iter().cloned());
    statements.push(super::drop_retired(&step.retired, replaced));
    statements
}

/// One action a statement. The type of a column cannot be changed in a transaction (`r_ALTER_TABLE`): its values move to a new one.
fn alter_columns(step: &AlterColumns) -> Vec<String> {
    let table = step.table.quoted();
    let add = |name: &str, column: &ColumnInfo| format!("alter table {table} add column {} {}", quote_ident(name), column.data_type);
    let drop = |name: &str| format!("alter table {table} drop column {}", quote_ident(name));
    let mut statements: Vec<String> = step.changes.add.iter().map(|column| add(&column.name, column)).collect();
    statements.extend(step.changes.drop.iter().map(|name| drop(name)));
    for column in &step.changes.retype {
        let moved = format!("{}__acca_new", column.name);
        let (new, old) = (quote_ident(&moved), quote_ident(&column.name));
        statements.push(add(&moved, column));
        statements.push(format!("update {table} set {new} = cast({old} as {})", column.data_type));
        statements.push(drop(&column.name));
        statements.push(format!("alter table {table} rename column {new} to {old}"));
    }
    statements
}

/// Columns of views have no comments: most views here are late-binding ones, which cannot have them.
fn comment(comment: &Comment) -> Vec<String> {
    let name = comment.relation.quoted();
    let of_table = matches!(comment.kind, RelationKind::Table | RelationKind::External);
    let columns = comment.columns.iter().filter(|_| of_table);
    // There is no word for materialized ones (`r_COMMENT`).
    let word = if of_table { relation_word(comment.kind) } else { "view" };
    let own = comment.text.iter().map(|text| format!("comment on {word} {name} is {}", quote_text(text)));
    let text = |text: &Option<String>| text.as_ref().map_or_else(|| "null".to_owned(), |text| quote_text(text));
    own.chain(columns.map(|(column, said)| format!("comment on column {name}.{} is {}", quote_ident(column), text(said)))).collect()
}

/// A grantee as it is written in `grants`: `name`, `group name`, `role name` (or with a colon), `public`.
pub(super) fn grantee(written: &str) -> String {
    if written == "public" {
        return "public".to_owned();
    }
    for kind in ["group", "role", "user"] {
        let rest = written.strip_prefix(kind).and_then(|rest| rest.strip_prefix([' ', ':']));
        if let Some(name) = rest.map(str::trim).filter(|name| !name.is_empty()) {
            let word = if kind == "user" { String::new() } else { format!("{kind} ") };
            return format!("{word}{}", quote_ident(name));
        }
    }
    quote_ident(written)
}

/// The names by which dbt calls the rows that are there; there is no alias for the target here, so they become its own name.
pub(super) fn without_alias(predicate: &str, target: &Relation) -> String {
    let mut text = predicate.to_owned();
    for alias in ["DBT_INTERNAL_DEST", "dbt_internal_dest"] {
        text = text.replace(&format!("{alias}."), &format!("{}.", target.quoted()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_grantees() {
        assert_eq!(quote_text(r"it's \d"), r"'it''s \\d'");
        for (written, printed) in
            [("public", "public"), ("ana", "\"ana\""), ("group: bi", "group \"bi\""), ("role etl", "role \"etl\""), ("group", "\"group\"")]
        {
            assert_eq!(grantee(written), printed);
        }
    }
}

//! Statements that change rows.

use super::{MAX_STATEMENT, quote_text, same_key, without_alias};
use crate::base::{ColumnInfo, Relation, Window, quote_ident, utc_text};
use crate::dialect::steps::{print_names, print_table};
use crate::plan::{Merge, TableName};

/// dbt's name for the rows that come.
const SOURCE: &str = "DBT_INTERNAL_SOURCE";

/// Room for the comment on every statement.
const SPARE: usize = 10_000;

/// Rows in statements that the Data API takes.
pub(super) fn insert_rows(table: &Relation, columns: &[ColumnInfo], rows: &[Vec<Option<String>>]) -> Vec<String> {
    let names = columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ");
    let head = format!("insert into {} ({names})\nvalues", table.quoted());
    let mut statements: Vec<String> = Vec::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(columns).map(|(value, column)| cell(value.as_deref(), &column.data_type)).collect();
        let printed = format!("\n    ({})", cells.join(", "));
        match statements.last_mut() {
            Some(last) if last.len() + printed.len() < MAX_STATEMENT - SPARE => {
                last.push(',');
                last.push_str(&printed);
            }
            _ => statements.push(format!("{head}{printed}")),
        }
    }
    statements
}

/// A value of a column; text is what the column takes anyway.
pub(super) fn cell(value: Option<&str>, data_type: &str) -> String {
    let Some(text) = value else { return "null".to_owned() };
    let name = data_type.split('(').next().unwrap_or(data_type).trim().to_ascii_lowercase();
    let is_number = || text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) && text.parse::<f64>().is_ok();
    match name.as_str() {
        "varchar" | "character varying" | "text" | "char" | "character" => quote_text(text),
        "smallint" | "integer" | "bigint" | "int" | "numeric" | "decimal" if is_number() => text.to_owned(),
        _ => format!("cast({} as {data_type})", quote_text(text)),
    }
}

/// A target has no alias here (`r_DELETE`).
pub(super) fn delete_matching(
    target: &Relation,
    source: &TableName,
    (keys, texts): (&[String], &[String]),
    predicates: &[String],
) -> String {
    let also: String = predicates.iter().map(|predicate| format!("\n  and ({})", without_alias(predicate, target))).collect();
    let (name, source) = (target.quoted(), print_table(source));
    if let ([key], []) = (keys, texts) {
        return format!("delete from {name}\nwhere ({key}) in (\n    select {key}\n    from {source} as {SOURCE}\n){also}");
    }
    let matching = keys.iter().map(|key| same_key(SOURCE, &name, key, texts)).collect::<Vec<_>>().join("\n  and ");
    format!("delete from {name}\nusing {source} as {SOURCE}\nwhere {matching}{also}")
}

pub(super) fn delete_window(target: &Relation, column: &str, window: Window, predicates: &[String]) -> String {
    let also: String = predicates.iter().map(|predicate| format!("\n  and ({})", without_alias(predicate, target))).collect();
    let (start, end) = (quote_text(&utc_text(window.start)), quote_text(&utc_text(window.end)));
    format!("delete from {}\nwhere {column} >= {start}\n  and {column} < {end}{also}", target.quoted())
}

/// One clause for a match and one for none, both of them needed, from a table (`r_MERGE`). Where a match updates nothing, the key
/// gets the value that it has.
pub(super) fn merge(step: &Merge) -> String {
    let target = step.target.quoted();
    let mut conditions: Vec<String> = step.keys.iter().map(|key| same_key(SOURCE, &target, key, &step.texts)).collect();
    conditions.extend(step.predicates.iter().map(|predicate| format!("({})", without_alias(predicate, &step.target))));
    let on = conditions.join(" and ");
    let quoted: Vec<String> = step.update.iter().map(|column| quote_ident(column)).collect();
    let updated = if quoted.is_empty() { step.keys.iter().take(1).cloned().collect() } else { quoted };
    let update = updated.iter().map(|column| format!("{column} = {SOURCE}.{column}")).collect::<Vec<_>>().join(", ");
    let values = step.columns.iter().map(|column| format!("{SOURCE}.{}", quote_ident(column))).collect::<Vec<_>>().join(", ");
    format!(
        "merge into {target}\nusing {} as {SOURCE}\non {on}\nwhen matched then update set {update}\n\
         when not matched then insert ({}) values ({values})",
        print_table(&step.source),
        print_names(&step.columns),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_statements_that_are_taken() {
        let columns = [("id", "integer"), ("name", "varchar(500)")]
            .map(|(name, data_type)| ColumnInfo { name: name.to_owned(), data_type: data_type.to_owned() });
        let rows: Vec<Vec<Option<String>>> = (0..1000).map(|id| vec![Some(id.to_string()), Some("é\\".repeat(160))]).collect();
        let statements = insert_rows(&Relation::new("d", "s", "t"), &columns, &rows);
        assert!(statements.len() > 1);
        assert!(statements.iter().all(|sql| sql.len() <= MAX_STATEMENT - SPARE));
        assert_eq!(statements.iter().map(|sql| sql.matches("\n    (").count()).sum::<usize>(), 1000);
        assert!(insert_rows(&Relation::new("d", "s", "t"), &columns, &[]).is_empty());
        assert_eq!(cell(Some("1e3"), "numeric(9,2)"), "cast('1e3' as numeric(9,2))");
    }
}

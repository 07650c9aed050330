//! Rows of unit tests as queries.

use super::{Engine, literal};
use crate::base::{ColumnInfo, quote_ident};
use crate::project::{Cell, UnitRow};

/// The rows as a query with exactly these columns; a column that a row does not name is NULL.
pub fn rows_query(columns: &[ColumnInfo], rows: &[UnitRow], engine: Engine) -> String {
    let select = |row: Option<&UnitRow>| {
        let cells = columns.iter().map(|column| {
            let cell = row.and_then(|row| row.cells.iter().find(|(name, _)| name.eq_ignore_ascii_case(&column.name))).map(|(_, cell)| cell);
            format!("cast({} as {}) as {}", constant(cell, engine), uncut(&column.data_type, engine), quote_ident(&column.name))
        });
        format!("select {}", cells.collect::<Vec<_>>().join(", "))
    };
    if rows.is_empty() {
        return format!("{}\nwhere 1 = 0", select(None));
    }
    rows.iter().map(|row| select(Some(row))).collect::<Vec<_>>().join("\nunion all\n")
}

/// The columns of a query, by name.
pub fn columns_of(query: &str, columns: &[ColumnInfo]) -> String {
    let list = columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ");
    format!("select {list}\nfrom (\n{query}\n) as rows_of_unit_test")
}

fn constant(cell: Option<&Cell>, engine: Engine) -> String {
    match cell {
        None | Some(Cell::Null) => "null".to_owned(),
        Some(Cell::Bool(truth)) => truth.to_string(),
        Some(Cell::Number(digits)) => digits.clone(),
        Some(Cell::Text(text)) => literal(text, engine),
    }
}

/// A cast to a text of some length cuts what is longer, silently.
fn uncut(data_type: &str, engine: Engine) -> &str {
    match data_type.split_once('(') {
        // Without a length text has 256 bytes there.
        Some((name, _)) if name.to_lowercase().contains("char") && engine == Engine::Redshift => "varchar(65535)",
        Some((name, _)) if name.to_lowercase().contains("char") && !data_type.ends_with(']') => name,
        _ => data_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FileId, Span};

    #[test]
    fn rows_are_cast_to_the_types_of_their_columns() {
        let column = |name: &str, data_type: &str| ColumnInfo { name: name.to_owned(), data_type: data_type.to_owned() };
        let columns = [column("id", "integer"), column("Name", "character varying(3)"), column("at", "date")];
        let cells = vec![("NAME".to_owned(), Cell::Text("it's".to_owned())), ("id".to_owned(), Cell::Number("1.50".to_owned()))];
        let row = UnitRow { cells, span: Span::new(FileId(0), 0, 0) };
        assert_eq!(
            rows_query(&columns, &[row], Engine::Postgres),
            "select cast(1.50 as integer) as \"id\", cast('it''s' as character varying) as \"Name\", cast(null as date) as \"at\""
        );
        assert!(rows_query(&columns, &[], Engine::Redshift).ends_with("where 1 = 0"));
    }
}

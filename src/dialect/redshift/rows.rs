//! Rows of a file as statements: where no bucket is at hand, this is how they come into Redshift.

use super::dml::cell;
use super::{MAX_STATEMENT, quote_text};
use crate::base::{Relation, quote_ident};
use crate::dialect::load::{FILE_COLUMN, RawColumn};
use crate::dialect::{ColumnType, Engine};

/// Bytes of a statement that rows may fill; the rest is for the comment on every statement.
const MOST: usize = MAX_STATEMENT - 10_000;

/// Puts rows of a raw table together to statements that the Data API takes.
pub struct RowInserts {
    head: String,
    types: Vec<ColumnType>,
    statement: String,
}

impl RowInserts {
    pub fn new(table: &Relation, columns: &[RawColumn]) -> RowInserts {
        let names: Vec<String> = columns.iter().map(|column| quote_ident(&column.name)).collect();
        let head = format!("insert into {} ({}, {})\nvalues", table.quoted(), names.join(", "), quote_ident(FILE_COLUMN));
        RowInserts { head, types: columns.iter().map(|column| column.data_type).collect(), statement: String::new() }
    }

    /// Takes a row, its file last; gives a statement when that is full.
    pub fn push(&mut self, fields: &[Option<String>]) -> Option<String> {
        let file = std::iter::once(ColumnType::Text);
        let cells: Vec<String> =
            fields.iter().zip(self.types.iter().copied().chain(file)).map(|(field, kind)| value(field, kind)).collect();
        let row = format!("\n    ({})", cells.join(", "));
        if !self.statement.is_empty() && self.statement.len() + row.len() < MOST {
            self.statement.push(',');
            self.statement.push_str(&row);
            return None;
        }
        let full = std::mem::replace(&mut self.statement, format!("{}{row}", self.head));
        (!full.is_empty()).then_some(full)
    }

    /// The statement with the last rows.
    pub fn finish(self) -> Option<String> {
        (!self.statement.is_empty()).then_some(self.statement)
    }

    /// What the statements look like, for people.
    pub fn shown(&self) -> String {
        format!("-- the rows of each file, in statements of at most {MOST} bytes\n{}", self.head)
    }
}

fn value(field: &Option<String>, kind: ColumnType) -> String {
    match (field, kind) {
        // Text becomes a value of its own kind only so (`r_SUPER_type`).
        (Some(text), ColumnType::Json | ColumnType::Jsonb) => format!("json_parse({})", quote_text(text)),
        // Text there, and equal ones are to be equal.
        (Some(text), ColumnType::Uuid) => cell(Some(&text.to_lowercase()), &kind.print(Engine::Redshift)),
        (field, kind) => cell(field.as_deref(), &kind.print(Engine::Redshift)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_their_columns() {
        let column = |name: &str, data_type| RawColumn { name: name.to_owned(), data_type };
        let columns = [column("id", ColumnType::Bigint), column("doc", ColumnType::Json), column("at", ColumnType::Date)];
        let mut rows = RowInserts::new(&Relation::new("d", "raw", "t"), &columns);
        let fields = |texts: [Option<&str>; 4]| texts.map(|text| text.map(str::to_owned));
        assert_eq!(rows.push(&fields([Some("7"), Some("{\"a\": \"\\n\"}"), Some("2026-02-01"), Some("f.csv")])), None);
        assert_eq!(rows.push(&fields([None, None, None, Some("f.csv")])), None);
        insta::assert_snapshot!(rows.finish().unwrap(), @r#"
        insert into "d"."raw"."t" ("id", "doc", "at", "_acca_file")
        values
            (7, json_parse('{"a": "\\n"}'), cast('2026-02-01' as date), 'f.csv'),
            (null, null, null, 'f.csv')
        "#);
    }
}

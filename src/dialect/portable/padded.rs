//! `char(n)`: PostgreSQL and Redshift fill it up with blanks, which count in some operations and in others do not; DuckDB has text in its
//! place. A query may hand such a column on, and read it as text, without the blanks at its end. Documents of JSON are refused beside it
//! where they would be compared: PostgreSQL compares `jsonb` by what it means and `json` not at all, the other two by its text.
//!
//! - <https://www.postgresql.org/docs/15/datatype-character.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html>
//! - <https://duckdb.org/docs/stable/sql/data_types/text>

use sqlparser::ast::Expr;
use sqlparser::tokenizer::Span;

use super::casts::is_text_type;
use super::writer::{Sql, Writer, span_of};
use crate::analysis::{Output, SqlType};
use crate::dialect::Engine;

/// `json` is a text with its blanks to PostgreSQL.
const NO_EQUALITY: &str = "PostgreSQL does not compare values of json";
const FIELDS: &str = "take the fields out of it that count, as in doc ->> 'id'";
const HELP: &str = "read it as text, which leaves out the blanks at its end: x::text";

impl Writer<'_> {
    /// A column of `char(n)` that is cast to text.
    pub(super) fn padded_as_text(&mut self, inner: &Expr, target: SqlType, spelled: &str) -> Option<Sql> {
        if self.type_name(inner) != "bpchar" || !is_text_type(target) {
            return None;
        }
        let column = match inner {
            Expr::Identifier(name) => self.known_column(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(parts) => self.known_column(parts),
            _ => return None,
        };
        if self.is(Engine::Postgres) {
            return Some(Sql::atom(format!("cast({} as {spelled})", column.text)));
        }
        let text = Sql::atom(format!("rtrim({}, ' ')", column.text));
        Some(if target.length().is_some() { self.limited(text, target, spelled) } else { text })
    }

    pub(super) fn refuse_padded(&mut self, span: Span) -> Sql {
        self.refuse(span, "char(n), which is padded with blanks, is not the same on all engines", HELP)
    }

    /// Rows that are compared with one another.
    pub(super) fn refuse_incomparable_rows(&mut self, columns: Option<&[Output]>, span: Span) {
        let kinds = columns.into_iter().flatten().filter_map(|column| column.typed.sql_type).map(SqlType::name);
        kinds.for_each(|kind| self.refuse_json_of(kind, span));
        self.refuse_padded_rows(columns, || span);
    }

    /// What rows are ordered or grouped by.
    pub(super) fn refuse_json_key(&mut self, key: &Expr) {
        self.refuse_json_of(self.type_name(key), span_of(key));
    }

    /// Values that are compared with one another.
    pub(super) fn refuse_json_compared(&mut self, parts: &[&Expr]) {
        parts.iter().for_each(|part| self.refuse_json_key(part));
    }

    fn refuse_json_of(&mut self, kind: &str, span: Span) {
        match kind {
            "json" => {
                self.refuse(span, NO_EQUALITY, FIELDS);
            }
            "jsonb" if !self.is(Engine::Postgres) => {
                self.lacks(span, "values of jsonb that are compared by what they mean", FIELDS);
            }
            _ => {}
        }
    }

    /// Rows that come out, or are compared with one another.
    pub(super) fn refuse_padded_rows(&mut self, columns: Option<&[Output]>, span: impl FnOnce() -> Span) {
        let is_padded = |column: &&Output| column.typed.sql_type.is_some_and(|kind| kind.name() == "bpchar");
        if let Some(column) = columns.and_then(|columns| columns.iter().find(is_padded)) {
            let message = format!("column '{}' is a char(n), which is padded with blanks and not the same on all engines", column.name);
            self.refuse(span(), message, HELP);
        }
    }
}

//! Redshift has no type for UUIDs: they are text of 36 characters there, in small letters so that equal ones are equal.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html>

use sqlparser::ast::{Expr, Value};
use sqlparser::tokenizer::Span;

use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};

const PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

impl Writer<'_> {
    pub(super) fn uuid_literal(&mut self, value: &Value, span: Span) -> Sql {
        let written = self.value(value, span);
        if self.rewrites(Rewrite::Uuid) { Sql::atom(written.text.to_lowercase()) } else { written }
    }

    /// Text as a UUID of Redshift. PostgreSQL takes spellings with other hyphens and with braces too: these are an error here.
    pub(super) fn text_as_uuid(&mut self, inner: &Expr, spelled: &str) -> Sql {
        let text = self.expression(inner).text;
        if !self.rewrites(Rewrite::Uuid) {
            return Sql::atom(format!("cast({text} as {spelled})"));
        }
        let value = format!("lower({text})");
        // What is no number cannot be cast to one, so the statement fails.
        let wrong = format!("cast(cast('invalid input syntax for type uuid: ' || {value} as integer) as {spelled})");
        Sql::loose(format!("case when {value} ~ '{PATTERN}' then cast({value} as {spelled}) when {value} is not null then {wrong} end"))
    }
}

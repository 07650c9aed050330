//! Trimming. Without a list of characters PostgreSQL and Redshift take blanks away; DuckDB takes whatever Unicode calls a space, such as
//! the no-break space that spreadsheets leave behind.
//!
//! - <https://duckdb.org/docs/stable/sql/functions/text>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_TRIM.html>

use sqlparser::ast::{Expr, TrimWhereField};

use super::calls::Call;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::dialect::Engine;

impl Writer<'_> {
    /// `btrim(text)`, `ltrim(text, characters)`
    pub(super) fn trim_call(&mut self, call: &Call<'_>) -> Sql {
        let name = if call.name == "btrim" { "trim" } else { &call.name };
        self.trimmed(&self.marked(call.span, name), &call.arguments)
    }

    /// `trim(both … from …)`
    pub(super) fn trim(&mut self, expression: &Expr) -> Sql {
        let Expr::Trim { trim_where, trim_what, expr, trim_characters } = expression else { return Sql::atom("null") };
        let name = match (trim_where, self.engine) {
            (Some(TrimWhereField::Leading), _) => "ltrim",
            (Some(TrimWhereField::Trailing), _) => "rtrim",
            (_, Engine::DuckDb) => "trim",
            _ => "btrim",
        };
        let characters = trim_what.iter().map(|part| &**part).chain(trim_characters.iter().flatten());
        self.trimmed(name, &std::iter::once(&**expr).chain(characters).collect::<Vec<_>>())
    }

    fn trimmed(&mut self, name: &str, parts: &[&Expr]) -> Sql {
        let mut arguments: Vec<String> = parts.iter().map(|part| self.expression(part).text).collect();
        if arguments.len() == 1 && self.is(Engine::DuckDb) && self.rewrites(Rewrite::Trim) {
            arguments.push("' '".to_owned());
        }
        Sql::atom(format!("{name}({})", arguments.join(", ")))
    }
}

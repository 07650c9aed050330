//! How many bytes a text gets where a cast to text is written. Redshift keeps a width with every text, 256 bytes where nobody says one, reserves
//! that much while it computes, gives it to the columns of tables that a query makes, and cuts silently in a cast what has more. So a cast
//! has the width of the longest value that the engine's type has at all, whatever was declared about a source; a text stays what it is.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-smallest-column-size.html>

use sqlparser::ast::Expr;

use super::literals::plain_text;
use super::writer::{Sql, Writer};
use crate::analysis::SqlType;
use crate::dialect::Engine;

/// The most that a column of Redshift holds.
const WIDEST: usize = 65_535;

/// Bytes of the longest text of a value of a type; `None` for text, and for types of which that is not known.
fn longest(kind: &str) -> Option<usize> {
    Some(match kind {
        "bool" => 5,
        // A source may be declared as integer and be bigint.
        "int2" | "int4" | "int8" => 20,
        // 38 digits, sign, point, and a zero before the point.
        "numeric" => 41,
        // PostgreSQL's last day has a year of seven digits, and a day before the year 1 has ` BC` behind it.
        "date" => 16,
        "uuid" => 36,
        _ => return None,
    })
}

impl Writer<'_> {
    /// The type of text of so many bytes at most; `None` where nobody knows.
    pub(super) fn text_type(&self, bytes: Option<usize>) -> String {
        match self.engine {
            Engine::Postgres => "text".to_owned(),
            Engine::DuckDb => "varchar".to_owned(),
            Engine::Redshift => format!("varchar({})", bytes.unwrap_or(WIDEST).clamp(1, WIDEST)),
        }
    }

    /// The type of text that every value of an expression fits in.
    pub(super) fn text_type_of(&self, expression: &Expr) -> String {
        self.text_type(longest(self.type_name(expression)))
    }

    /// A cast of a text to text without a length.
    pub(super) fn text_as_text(&mut self, inner: &Expr, spelled: &str) -> Sql {
        let literal = plain_text(inner).map(str::len);
        let written = self.expression(inner);
        match literal {
            Some(bytes) => Sql::atom(format!("cast({} as {})", written.text, self.text_type(Some(bytes)))),
            // The engine knows its width.
            None if self.is(Engine::Redshift) && matches!(self.type_name(inner), "text" | "varchar") => written,
            None => Sql::atom(format!("cast({} as {spelled})", written.text)),
        }
    }

    /// Whether no value of an expression has as many characters as a length cuts off behind.
    pub(super) fn fits(&self, inner: &Expr, target: SqlType) -> bool {
        let length = target.length().and_then(|length| usize::try_from(length).ok());
        length.is_none_or(|length| longest(self.type_name(inner)).is_some_and(|bytes| bytes <= length))
    }
}

//! Digests of text: `encode(sha256(convert_to(x, 'UTF8')), 'hex')` is one function of text elsewhere.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/SHA2.html>
//! - <https://duckdb.org/docs/stable/sql/functions/text>

use sqlparser::ast::Expr;

use super::calls::{Call, all_arguments, name_of};
use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::dialect::Engine;

/// Digests that PostgreSQL has, and their bits.
const DIGESTS: &[(&str, u16)] = &[("sha224", 224), ("sha256", 256), ("sha384", 384), ("sha512", 512)];

impl Writer<'_> {
    pub(super) fn encode(&mut self, call: &Call<'_>) -> Sql {
        let help = "write encode(sha256(convert_to(x, 'UTF8')), 'hex')";
        let digest = match call.arguments.as_slice() {
            [digest, format] if plain_text(format) == Some("hex") => digest_of_text(digest),
            _ => None,
        };
        let Some((name, bits, text)) = digest else {
            return self.refuse(call.span, "'encode' of this is not the same on all engines", help);
        };
        let written = self.expression(text).text;
        match self.target() {
            Engine::Redshift if self.rewrites(Rewrite::Digest) => Sql::atom(format!("sha2({written}, {bits})")),
            Engine::DuckDb if bits != 256 => self.lacks(call.span, &format!("'{name}'"), "take sha256 or md5"),
            Engine::DuckDb if self.rewrites(Rewrite::Digest) => Sql::atom(format!("sha256({written})")),
            _ => Sql::atom(format!("encode({name}(convert_to({written}, 'UTF8')), 'hex')")),
        }
    }
}

/// The name of the digest, its bits, and the text that it is of.
fn digest_of_text(expression: &Expr) -> Option<(&'static str, u16, &Expr)> {
    let (name, arguments) = plain_call(expression)?;
    let (known, bits) = DIGESTS.iter().find(|(known, _)| *known == name)?;
    let [bytes] = arguments.as_slice() else { return None };
    match plain_call(bytes)? {
        (function, converted) if function == "convert_to" => match converted.as_slice() {
            [text, encoding] if plain_text(encoding).is_some_and(|name| matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8")) => {
                Some((known, *bits, text))
            }
            _ => None,
        },
        _ => None,
    }
}

fn plain_call(expression: &Expr) -> Option<(String, Vec<&Expr>)> {
    match expression {
        Expr::Function(call) if call.filter.is_none() && call.over.is_none() => Some((name_of(call), all_arguments(call)?)),
        _ => None,
    }
}

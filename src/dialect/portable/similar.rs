//! `SIMILAR TO`: DuckDB reads a plain regular expression there, without `%` and `_`.
//!
//! - <https://www.postgresql.org/docs/15/functions-matching.html#FUNCTIONS-SIMILARTO-REGEXP>
//! - <https://duckdb.org/docs/stable/sql/functions/pattern_matching>

use sqlparser::ast::Expr;

use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn similar_to(&mut self, expression: &Expr) -> Sql {
        let Expr::SimilarTo { negated, expr, pattern, escape_char } = expression else { return Sql::atom("null") };
        let escape = match escape_char.as_ref().map(|escape| plain_text(escape)) {
            None => Some('\\'),
            Some(Some(text)) if text.chars().count() <= 1 => text.chars().next(),
            Some(_) => return self.lacks(span_of(expr), "this escape character", "write one character"),
        };
        let translated = plain_text(pattern).and_then(|text| translate(text, escape));
        let Some(translated) = translated else {
            let help = "write a literal with %, _, groups, lists of characters and repetitions";
            return self.refuse(span_of(pattern), "this pattern of SIMILAR TO is not the same on all engines", help);
        };
        let value = self.expression(expr);
        let not = if *negated { "not " } else { "" };
        if self.is(Engine::DuckDb) && self.rewrites(Rewrite::SimilarTo) {
            return Sql::loose(format!("{not}regexp_full_match({}, {})", value.text, self.text(&format!("(?s){translated}"))));
        }
        let pattern = self.expression(pattern).part();
        let escape = match escape_char {
            Some(_) => format!(" escape {}", self.text(&escape.map(String::from).unwrap_or_default())),
            None => String::new(),
        };
        Sql::loose(format!("{} {not}similar to {pattern}{escape}", value.part()))
    }
}

/// As a regular expression of RE2; `None` for what PostgreSQL reads by the locale.
fn translate(pattern: &str, escape: Option<char>) -> Option<String> {
    let mut text = String::new();
    let mut chars = pattern.chars();
    let mut in_list = false;
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == escape => {
                let next = chars.next().filter(|next| !next.is_alphanumeric())?;
                text.push('\\');
                text.push(next);
            }
            '[' if in_list => return None,
            ']' => {
                in_list = false;
                text.push(c);
            }
            '\\' => text.push_str("\\\\"),
            _ if in_list => text.push(c),
            '[' => {
                in_list = true;
                text.push(c);
            }
            '%' => text.push_str(".*"),
            '_' => text.push('.'),
            '(' => text.push_str("(?:"),
            '.' | '^' | '$' => {
                text.push('\\');
                text.push(c);
            }
            c => text.push(c),
        }
    }
    (!in_list).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_translated() {
        assert_eq!(translate("(a|b)%", Some('\\')).as_deref(), Some("(?:a|b).*"));
        assert_eq!(translate("1.5$_\\%", Some('\\')).as_deref(), Some("1\\.5\\$.\\%"));
        assert_eq!(translate("[a-c]!_", Some('!')).as_deref(), Some("[a-c]\\_"));
        assert_eq!(translate("[[:alpha:]]", Some('\\')), None);
        assert_eq!(translate("[a", Some('\\')), None);
    }
}

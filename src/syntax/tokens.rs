//! Questions that the tokens of a statement answer.

use sqlparser::dialect::{Dialect, PostgreSqlDialect};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// All tokens but white space and comments; none when the text cannot be split.
fn significant(sql: &str) -> Vec<TokenWithSpan> {
    let tokens = Tokenizer::new(&*sql_dialect(), sql).tokenize_with_location().unwrap_or_default();
    tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect()
}

/// The language of models.
pub(super) fn sql_dialect() -> Box<dyn Dialect> {
    Box::new(PostgreSqlDialect {})
}

/// The tokenizer counts lines and characters from one.
fn byte_offset(sql: &str, location: Location) -> usize {
    let line_start: usize = sql.split_inclusive('\n').take((location.line as usize).saturating_sub(1)).map(str::len).sum();
    let rest = sql.get(line_start..).unwrap_or("");
    let column = (location.column as usize).saturating_sub(1);
    line_start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

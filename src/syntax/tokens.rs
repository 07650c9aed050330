//! Questions that the tokens of a statement answer.

use sqlparser::dialect::{Dialect, PostgreSqlDialect};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// Where further common table expressions go into a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CteInsertion {
    /// Byte offset at which they are put.
    pub offset: usize,
    /// Whether the query begins with `WITH` already: the new ones then come first, followed by a comma.
    pub has_with: bool,
}

/// Looks past comments for a leading `WITH [RECURSIVE]`. A text that cannot be split into tokens counts as having none.
pub fn cte_insertion(sql: &str) -> CteInsertion {
    let mut words = significant(sql).into_iter();
    let first = words.next();
    match &first {
        Some(token) if is_keyword(token, Keyword::WITH) => {
            let last = words.next().filter(|token| is_keyword(token, Keyword::RECURSIVE)).or_else(|| first.clone());
            let end = last.map_or(Location::empty(), |token| token.span.end);
            CteInsertion { offset: byte_offset(sql, end), has_with: true }
        }
        Some(token) => CteInsertion { offset: byte_offset(sql, token.span.start), has_with: false },
        None => CteInsertion { offset: 0, has_with: false },
    }
}

fn is_keyword(token: &TokenWithSpan, keyword: Keyword) -> bool {
    matches!(&token.token, Token::Word(word) if word.keyword == keyword && word.quote_style.is_none())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_place_for_common_table_expressions() {
        let split = |sql: &str| {
            let found = cte_insertion(sql);
            format!("{}|{}", &sql[..found.offset], &sql[found.offset..])
        };
        assert_eq!(split("-- é with\n  select 1"), "-- é with\n  |select 1");
        assert_eq!(split("/* x */ with recursive a as (select 1) select 2"), "/* x */ with recursive| a as (select 1) select 2");
        assert_eq!(split("WITH a as (select 1) select 2"), "WITH| a as (select 1) select 2");
        assert_eq!(split(""), "|");
    }
}

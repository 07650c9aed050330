//! SQL as a tree, and where its parts stand in the text.

use std::ops::Range;

use sqlparser::ast::{Query, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use super::dialect::Sql;
use super::respelling::{Respelled, may_be_misread, respelled};
use super::tokens::plain_tokens;

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Such as `expected an expression, found ','`.
    pub why: String,
    /// The bytes at which the parser stopped; `None` at the end of the text, or where it does not say.
    pub range: Option<Range<usize>>,
}

/// The tree of a text that is one query; `None` where it is none that can be read.
pub fn parse_query(sql: &str) -> Option<Box<Query>> {
    try_parse_query(sql).ok().flatten()
}

/// The tree of a text; `None` where it is read, and is something else than one query.
///
/// # Errors
/// Where the text cannot be read, and why.
pub fn try_parse_query(sql: &str) -> Result<Option<Box<Query>>, Unread> {
    if let Some(read) = read_plain(sql) {
        return Ok(read);
    }
    let tokens = || tokens_of(sql).map_err(|error| unread(sql, &error));
    read_tokens(tokens()?, sql).or_else(|first| match respelled(tokens()?, Respelled::All) {
        Some(tokens) => parse_tokens(tokens).map_err(|error| unread(sql, &error)),
        None => Err(unread(sql, &first)),
    })
}

/// As [`try_parse_query`], for whoever writes the tree again: nothing that the parser lacks is read as something that only means the same
/// to the checks.
///
/// # Errors
/// Where the text cannot be read, and why.
pub fn try_parse_exact(sql: &str) -> Result<Option<Box<Query>>, Unread> {
    if let Some(read) = read_plain(sql) {
        return Ok(read);
    }
    let read = tokens_of(sql).and_then(|tokens| read_tokens(tokens, sql));
    read.or_else(|error| match respelled(tokens_of(sql)?, Respelled::Exactly) {
        Some(tokens) => parse_tokens(tokens),
        None => Err(error),
    })
    .map_err(|error| unread(sql, &error))
}

/// The short way. What cannot be read is read again by all of its tokens, so that there is one place that tells why.
fn read_plain(sql: &str) -> Option<Option<Box<Query>>> {
    read_tokens(plain_tokens(sql)?, sql).ok()
}

/// The tree of tokens of a text; what the parser would read as something else is put in other words first.
fn read_tokens(tokens: Vec<TokenWithSpan>, sql: &str) -> Result<Option<Box<Query>>, ParserError> {
    match may_be_misread(sql) {
        true => parse_tokens(respelled(tokens.clone(), Respelled::Misread).unwrap_or(tokens)),
        false => parse_tokens(tokens),
    }
}

/// The tree of tokens of a text that are changed already.
pub(super) fn read_changed(tokens: Vec<TokenWithSpan>, sql: &str) -> Option<Box<Query>> {
    read_tokens(tokens.clone(), sql).or_else(|error| respelled(tokens, Respelled::All).map_or(Err(error), parse_tokens)).ok().flatten()
}

pub(super) fn tokens_of(sql: &str) -> Result<Vec<TokenWithSpan>, ParserError> {
    // Blanks are tokens too. A list of large tokens that grew would be moved again and again, and lists of many sizes would not take the
    // memory of one another.
    let mut tokens = Vec::with_capacity((sql.len() / 3).next_power_of_two().max(1024));
    Tokenizer::new(&Sql, sql).tokenize_with_location_into_buf(&mut tokens)?;
    Ok(tokens)
}

fn parse_tokens(tokens: Vec<TokenWithSpan>) -> Result<Option<Box<Query>>, ParserError> {
    let parser = Parser::new(&Sql).with_recursion_limit(400);
    let mut statements = parser.with_tokens_with_locations(tokens).parse_statements()?;
    Ok(match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Some(query),
        _ => None,
    })
}

/// The parser tells the place in its message only: `Expected: …, found: … at Line: 1, Column: 15`.
fn told(error: &ParserError) -> (&str, Option<Location>) {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.as_str(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply",
    };
    let place = |place: &str| {
        let (line, column) = place.split_once(", Column: ")?;
        Some(Location { line: line.parse().ok()?, column: column.parse().ok()? })
    };
    message.rsplit_once(" at Line: ").map_or((message, None), |(said, at)| (said, place(at)))
}

/// What is wrong within a CASE: the parser takes the word for a column then, and stops right behind it.
fn within_case(sql: &str, error: &ParserError) -> Option<ParserError> {
    let blank = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let mut place = told(error).1?;
    let mut tokens: Vec<TokenWithSpan> = tokens_of(sql).ok()?.into_iter().filter(|token| !blank(token)).collect();
    let mut found = None;
    loop {
        let Some(at) = tokens.iter().position(|token| token.span.start == place) else { return found };
        let is_case = |token: &TokenWithSpan| matches!(&token.token, Token::Word(word) if word.keyword == Keyword::CASE);
        let Some(case) = (at.saturating_sub(2)..at).rev().find(|case| tokens.get(*case).is_some_and(is_case)) else { return found };
        tokens.drain(..case);
        let mut parser = Parser::new(&Sql).with_recursion_limit(400).with_tokens_with_locations(tokens.clone());
        parser.advance_token();
        let Err(error) = parser.parse_case_expr() else { return found };
        let deeper = told(&error).1.filter(|deeper| *deeper > place);
        found = Some(error);
        match deeper {
            Some(deeper) => place = deeper,
            None => return found,
        }
    }
}

fn unread(sql: &str, error: &ParserError) -> Unread {
    let within = within_case(sql, error);
    let (said, place) = told(within.as_ref().unwrap_or(error));
    // The parser shows itself in this one.
    let said = if said.starts_with("No infix parser") { "what stands there is no operator" } else { said };
    let range = place.and_then(|place| Lines::new(sql).offset(place)).and_then(|start| {
        let rest = sql.get(start..).filter(|rest| !rest.is_empty())?;
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(start..start + word.max(rest.chars().next().map_or(0, char::len_utf8)))
    });
    Unread {
        why: said
            .replace("Expected: ", "expected ")
            .replace("Expected an ", "expected an ")
            .replace(", found: EOF", ", and the query ends")
            .replace(", found: ", ", found "),
        range,
    }
}

/// A text without its comments, and with nothing in quotes: what stands there is no grammar.
pub fn without_texts(sql: &str) -> String {
    let Ok(tokens) = tokens_of(sql) else { return sql.to_owned() };
    let plain = |token: TokenWithSpan| match token.token {
        Token::Whitespace(_) => " ".to_owned(),
        Token::Word(word) if word.quote_style.is_some() => "\"\"".to_owned(),
        Token::SingleQuotedString(_) => "''".to_owned(),
        other => other.to_string(),
    };
    tokens.into_iter().map(plain).collect()
}

/// Where `==` stands as an operator; a tree does not tell it from `=`.
pub fn double_equals(sql: &str) -> Vec<Range<usize>> {
    if !sql.contains("==") {
        return Vec::new();
    }
    let lines = Lines::new(sql);
    let tokens = tokens_of(sql).unwrap_or_default();
    tokens.iter().filter(|token| token.token == Token::DoubleEq).filter_map(|token| lines.range(token.span)).collect()
}

/// Turns lines and columns into bytes.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Characters are bytes.
    is_ascii: bool,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Lines<'t> {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Lines { text, starts, is_ascii: text.is_ascii() }
    }

    /// The bytes of a part of a tree; `None` where its place is not known.
    pub fn range(&self, span: Span) -> Option<Range<usize>> {
        if span == Span::empty() {
            return None;
        }
        let (start, end) = (self.offset(span.start)?, self.offset(span.end)?);
        (start <= end).then_some(start..end)
    }

    /// The sign of an operator between its sides: the last one before the right side, of which a tree tells only the value in `date '…'`.
    pub fn sign_between(&self, left: Span, right: Span, sign: &str) -> Option<Range<usize>> {
        let (from, to) = (self.range(left)?.start, self.range(right)?.start);
        let at = from + self.text.get(from..to)?.rfind(sign)?;
        Some(at..at + sign.len())
    }

    /// Columns are counted in characters from one.
    fn offset(&self, location: Location) -> Option<usize> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        let start = *self.starts.get(line)?;
        let rest = self.text.get(start..)?;
        if self.is_ascii {
            return Some((start + column).min(self.text.len()));
        }
        Some(rest.char_indices().nth(column).map_or(self.text.len(), |(at, _)| start + at))
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::ast::{SetExpr, Spanned};

    use super::*;

    #[test]
    fn places_are_bytes_of_the_text() {
        let sql = "select 'é' as é,\n  lower(\n  name ) from t";
        let query = parse_query(sql).unwrap();
        let SetExpr::Select(select) = *query.body else { panic!() };
        let lines = Lines::new(sql);
        let places: Vec<&str> = select.projection.iter().map(|item| &sql[lines.range(item.span()).unwrap()]).collect();
        assert_eq!(places, ["'é' as é", "lower(\n  name"]);
    }

    #[test]
    fn only_one_query_is_a_query() {
        assert!(parse_query("with a as (select 1) select * from a;").is_some());
        assert!(parse_query("select 1; select 2").is_none());
        assert!(parse_query("drop table x").is_none());
        assert!(parse_query("select 1 from").is_none());
    }

    #[test]
    fn why_a_text_is_not_read() {
        let told = |sql: &str| {
            let unread = try_parse_query(sql).unwrap_err();
            format!("{} | {}", unread.why, unread.range.map_or("-", |range| &sql[range]))
        };
        assert_eq!(told("select 1 as é,\n , 2 as b"), "expected an expression, found , | ,");
        assert_eq!(told("select * from a whre b = 1"), "expected end of statement, found b | b");
        assert_eq!(told("select a from b where (a = 1"), "expected ), and the query ends | -");
        assert_eq!(try_parse_query("drop table x"), Ok(None));
    }

    #[test]
    fn what_is_wrong_in_a_case_is_told_where_it_stands() {
        let told = |sql: &str| {
            let unread = try_parse_query(sql).unwrap_err();
            format!("{} | {}", unread.why, unread.range.map_or("-", |range| &sql[range.start..]))
        };
        assert_eq!(told("select case when id = = 1 then 'a' end"), "expected an expression, found = | = 1 then 'a' end");
        assert_eq!(told("select case id when 1 the 'a' end from t"), "expected THEN, found the | the 'a' end from t");
        assert_eq!(told("select 1 from t where case when (case when a then b end) c then d end"), "expected THEN, found c | c then d end");
        assert_eq!(
            told("select case when case when a = = 1 then b end then c end"),
            "expected an expression, found = | = 1 then b end then c end"
        );
        assert_eq!(told("select case when a then b from t"), "expected END, found from | from t");
        assert_eq!(told("select case when a then b"), "expected END, and the query ends | -");
        assert_eq!(told("select case when a then b end c d from t"), "expected end of statement, found d | d from t");
    }

    #[test]
    fn what_the_parser_lacks_is_read_too() {
        for sql in [
            "select trim(leading from v), x is not document from t",
            "select x is document, trim(both from 'a')",
            "select sum(i) over (order by d rows 1 preceding exclude current row) from t",
        ] {
            let query = parse_query(sql);
            assert!(query.is_some(), "{sql}");
        }
        assert!(parse_query("select x is documented").is_none());
    }
}

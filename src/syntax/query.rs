//! SQL as a tree, and where its parts stand in the text.

use std::ops::Range;

use sqlparser::ast::{Query, Statement};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span};

use super::tokens::{respelled, sql_dialect};

/// The tree of a text that is one query; `None` where it is none that can be read.
pub fn parse_query(sql: &str) -> Option<Box<Query>> {
    read_query(sql).or_else(|| read_query(&respelled(sql)?))
}

fn read_query(sql: &str) -> Option<Box<Query>> {
    let dialect = sql_dialect();
    let parser = Parser::new(&*dialect).with_recursion_limit(400);
    let mut statements = parser.try_with_sql(sql).ok()?.parse_statements().ok()?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Some(query),
        _ => None,
    }
}

/// Turns lines and columns into bytes.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Lines<'t> {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Lines { text, starts }
    }

    /// The bytes of a part of a tree; `None` where its place is not known.
    pub fn range(&self, span: Span) -> Option<Range<usize>> {
        if span == Span::empty() {
            return None;
        }
        let (start, end) = (self.offset(span.start)?, self.offset(span.end)?);
        (start <= end).then_some(start..end)
    }

    /// Columns are counted in characters from one.
    fn offset(&self, location: Location) -> Option<usize> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        let start = *self.starts.get(line)?;
        let rest = self.text.get(start..)?;
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

//! Ranges of a text that become calls in its tree, so that whoever walks the tree sees where they begin and end.

use std::ops::{ControlFlow, Range};

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, VisitMut, VisitorMut};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::query::{Lines, parse_query, read_changed, tokens_of};

/// A range of bytes that is to be an argument of a call of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub range: Range<usize>,
    pub name: String,
}

/// What the names of marks begin with; no function of a database is called so.
pub const MARK_PREFIX: &str = "__acca_";

/// The tree of a query in which each mark is a call around what stands in its range. The marks are nested or apart, and outer ones
/// come first. `None` where a range holds no expression of its own: a piece of one, or something else.
pub fn parse_marked(sql: &str, marks: &[Mark]) -> Option<Box<Query>> {
    let tokens = tokens_of(sql).ok()?;
    let lines = Lines::new(sql);
    let places: Vec<Option<Range<usize>>> = tokens.iter().map(|token| lines.range(token.span)).collect();
    let solid: Vec<usize> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
        .map(|(at, _)| at)
        .collect();
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for mark in marks {
        let inside = |at: &&usize| {
            places
                .get(**at)
                .is_some_and(|place| place.as_ref().is_some_and(|place| place.start >= mark.range.start && place.end <= mark.range.end))
        };
        let (first, last) = (solid.iter().find(inside)?, solid.iter().rev().find(inside)?);
        ends.push((*first, *last));
    }
    let mut marked: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() + 3 * marks.len());
    for (at, token) in tokens.into_iter().enumerate() {
        let (start, end) = (token.span.start, token.span.end);
        for (mark, _) in marks.iter().zip(&ends).filter(|(_, (first, _))| *first == at) {
            let span = Span::new(start, start);
            marked.push(TokenWithSpan { token: Token::make_word(&mark.name, None), span });
            marked.push(TokenWithSpan { token: Token::LParen, span });
        }
        marked.push(token);
        for _ in ends.iter().filter(|(_, last)| *last == at) {
            marked.push(TokenWithSpan { token: Token::RParen, span: Span::new(end, end) });
        }
    }
    let query = read_changed(marked, sql)?;
    // Without the marks it must be what it was: `a + 1` of a macro is not one thing in `2 * a + 1`.
    let mut plain = query.clone();
    let _ = VisitMut::visit(&mut plain, &mut Unmark);
    (parse_query(sql)? == plain).then_some(query)
}

struct Unmark;

impl VisitorMut for Unmark {
    type Break = ();
    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Some(inner) = marked_expression(expression) {
            *expression = inner.clone();
        }
        ControlFlow::Continue(())
    }
}

/// What stands inside of a mark; `None` for anything else.
pub fn marked_expression(expression: &Expr) -> Option<&Expr> {
    let Expr::Function(function) = expression else { return None };
    mark_of(function).map(|(_, inner)| inner)
}

/// The name and the inside of a call that is a mark.
pub fn mark_of(function: &Function) -> Option<(&str, &Expr)> {
    let name = function.name.0.first()?.as_ident()?.value.as_str();
    if !name.starts_with(MARK_PREFIX) {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] => Some((name, inner)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(sql: &str, texts: &[(&str, &str)]) -> Option<String> {
        let mark = |(name, text): &(&str, &str)| {
            let start = sql.find(text).unwrap();
            Mark { range: start..start + text.len(), name: (*name).to_owned() }
        };
        parse_marked(sql, &texts.iter().map(mark).collect::<Vec<_>>()).map(|query| query.to_string())
    }

    #[test]
    fn marks_are_calls() {
        let marks = [("__acca_c", "\n cast(x as int) "), ("__acca_a", "x")];
        assert_eq!(
            marked("select a, \n cast(x as int) from t", &marks).as_deref(),
            Some("SELECT a, __acca_c(CAST(__acca_a(x) AS INT)) FROM t")
        );
    }

    #[test]
    fn what_is_no_expression_of_its_own() {
        assert_eq!(marked("select 2 * a + 1 from t", &[("__acca_c", "a + 1")]), None);
        assert_eq!(marked("select a, b from t", &[("__acca_c", ", b")]), None);
        assert_eq!(marked("select a from t", &[("__acca_c", " ")]), None);
        assert_eq!(marked("select 2 * (a + 1) from t", &[("__acca_c", "a + 1")]).as_deref(), Some("SELECT 2 * (__acca_c(a + 1)) FROM t"));
    }
}

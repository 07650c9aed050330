//! Finds where a template calls a function: for labels, after something went wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use minijinja::machinery::{Span, Token, tokenize};

/// The range of the first call of `function` whose leading arguments are the texts `arguments`, in the template's text.
pub(super) fn find_call(text: &str, function: &str, arguments: &[&str]) -> Option<Range<usize>> {
    if !text.contains(function) {
        return None;
    }
    let mut tokens = Tokens { read: Vec::new(), rest: tokenize(text, false, Default::default()).map_while(Result::ok) };
    let mut index = 0;
    while let Some((token, span)) = tokens.get(index) {
        let start = span.start_offset as usize;
        let named = matches!(token, Token::Ident(name) if *name == function);
        index += 1;
        if !named || !matches!(tokens.get(index), Some((Token::ParenOpen, _))) {
            continue;
        }
        if let Some(end) = arguments_match(&mut tokens, index + 1, arguments) {
            return Some(start..end);
        }
    }
    None
}

/// Where each named argument of `config()` is written, by its name.
pub(super) fn config_keys(text: &str) -> BTreeMap<String, Range<usize>> {
    let mut found = BTreeMap::new();
    let Some(call) = find_call(text, "config", &[]) else { return found };
    let mut depth = 0;
    let mut name: Option<(&str, Range<usize>)> = None;
    for (token, span) in tokenize(text, false, Default::default()).map_while(Result::ok) {
        let range = span.start_offset as usize..span.end_offset as usize;
        if range.end > call.end {
            break;
        }
        if range.start < call.start {
            continue;
        }
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => depth -= 1,
            Token::Assign if depth == 1 => found.extend(name.take().map(|(name, range)| (name.to_owned(), range))),
            _ => {}
        }
        name = if let Token::Ident(word) = token { Some((word, range)) } else { None };
    }
    found
}

/// The tokens of a template, read as far as they are asked for: calls are mostly near its start.
struct Tokens<'a, I> {
    read: Vec<(Token<'a>, Span)>,
    rest: I,
}

impl<'a, I: Iterator<Item = (Token<'a>, Span)>> Tokens<'a, I> {
    fn get(&mut self, at: usize) -> Option<&(Token<'a>, Span)> {
        while self.read.len() <= at {
            self.read.push(self.rest.next()?);
        }
        self.read.get(at)
    }
}

/// Where the call ends when its arguments begin with the given texts.
fn arguments_match<'a, I>(tokens: &mut Tokens<'a, I>, mut at: usize, arguments: &[&str]) -> Option<usize>
where
    I: Iterator<Item = (Token<'a>, Span)>,
{
    for (number, wanted) in arguments.iter().enumerate() {
        if number > 0 {
            matches!(tokens.get(at), Some((Token::Comma, _))).then_some(())?;
            at += 1;
        }
        let same = match tokens.get(at).map(|(token, _)| token) {
            Some(Token::Str(text)) => text == wanted,
            Some(Token::String(text)) => &**text == *wanted,
            _ => false,
        };
        same.then_some(())?;
        at += 1;
    }
    let mut depth = 1;
    while let Some((token, span)) = tokens.get(at) {
        match token {
            Token::ParenOpen => depth += 1,
            Token::ParenClose => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(span.end_offset as usize);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_calls_by_their_arguments() {
        let text = "select {# ref('b') #} * from {{ ref( 'a' ) }} join {{ ref('p', \"b\", v=2) }} {{ f(1, g(2)) }}";
        let found = |function, arguments: &[&str]| find_call(text, function, arguments).map(|range| &text[range]);
        assert_eq!(found("ref", &["a"]), Some("ref( 'a' )"));
        assert_eq!(found("ref", &["p", "b"]), Some("ref('p', \"b\", v=2)"));
        assert_eq!(found("ref", &["b"]), None);
        assert_eq!(found("f", &[]), Some("f(1, g(2))"));
    }

    #[test]
    fn finds_the_keys_of_the_configuration() {
        let text = "{{ config(materialized='table', meta={'a': f(b=1)}, tags=['x']) }} {{ g(c=1) }}";
        let keys: Vec<String> = config_keys(text).into_iter().map(|(name, range)| format!("{name}={}", &text[range])).collect();
        assert_eq!(keys, ["materialized=materialized", "meta=meta", "tags=tags"]);
    }
}

//! Questions that the tokens of a statement answer.

use sqlparser::dialect::{Dialect, PostgreSqlDialect};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// All tokens but white space and comments; none when the text cannot be split.
fn significant(sql: &str) -> Vec<TokenWithSpan> {
    let tokens = Tokenizer::new(&*sql_dialect(), sql).tokenize_with_location().unwrap_or_default();
    tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect()
}

/// Spellings that the parser lacks in ones of the same meaning and length, so that all places stay what they are; `None` where
/// there are none.
pub(super) fn respelled(sql: &str) -> Option<String> {
    let tokens = significant(sql);
    let mut text = sql.to_owned();
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let follows = |words: &[&str]| before.is_some_and(|before| words.iter().any(|word| is_word(before, word)));
        let replacement = if is_word(token, "from") && follows(&["leading", "trailing", "both"]) {
            // `trim(leading from x)`
            "    "
        } else if is_word(token, "distinct") && follows(&["by"]) {
            "        "
        } else if is_word(token, "document") && follows(&["is", "not"]) {
            // A test of a value of another kind with the same result.
            "json    "
        } else if is_word(token, "exclude") && !follows(&["as"]) && tokens.get(at + 1).is_some_and(is_excluded) {
            // Part of a window's frame, which changes no type.
            let words = if tokens.get(at + 1).is_some_and(|next| is_word(next, "ties") || is_word(next, "group")) { 1 } else { 2 };
            let end = tokens.get(at + words).map_or(sql.len(), |last| byte_offset(sql, last.span.end));
            let start = byte_offset(sql, token.span.start);
            let blanks: String = sql.get(start..end)?.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            text.replace_range(start..end, &blanks);
            continue;
        } else {
            continue;
        };
        let start = byte_offset(sql, token.span.start);
        text.replace_range(start..start + replacement.len(), replacement);
    }
    (text != sql).then_some(text)
}

fn is_word(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(held) if held.quote_style.is_none() && held.value.eq_ignore_ascii_case(word))
}

/// `current row`, `group`, `ties`, `no others`
fn is_excluded(token: &TokenWithSpan) -> bool {
    ["current", "group", "ties", "no"].iter().any(|word| is_word(token, word))
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

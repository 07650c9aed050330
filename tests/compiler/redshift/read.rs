//! From text to trees, with Redshift's own rules of letters: backslashes escape, names fold to lower case even in quotes.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Statement, Value, VisitMut, VisitorMut};
use sqlparser::dialect::{Dialect, RedshiftSqlDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Word};

use super::Failure;

/// The parser's dialect, with what it lacks: grouping sets are read, and FILTER too, to be refused by name.
#[derive(Debug)]
struct Grammar(RedshiftSqlDialect);

impl Dialect for Grammar {
    fn dialect(&self) -> std::any::TypeId {
        self.0.dialect()
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_create_table_like_parenthesized(&self) -> bool {
        true
    }

    fn supports_comment_on(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        self.0.is_identifier_start(letter)
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        self.0.is_identifier_part(letter)
    }

    fn convert_type_before_value(&self) -> bool {
        true
    }

    fn supports_top_before_distinct(&self) -> bool {
        true
    }

    fn supports_partiql(&self) -> bool {
        true
    }

    fn supports_string_escape_constant(&self) -> bool {
        true
    }

    fn allow_extract_single_quotes(&self) -> bool {
        true
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }
}

/// The tokens of a text as Redshift understands them.
///
/// # Errors
/// Where the text is no SQL.
pub fn tokens(sql: &str) -> Result<Vec<Token>, Failure> {
    let dialect = Grammar(RedshiftSqlDialect {});
    let tokens = Tokenizer::new(&dialect, sql).with_unescape(false).tokenize();
    let tokens = tokens.map_err(|error| Failure::refused(format!("syntax error: {error}"), "42601"))?;
    tokens.into_iter().map(understood).collect()
}

/// The tokens of each statement; what is blank alone is none.
pub fn split(tokens: Vec<Token>) -> Vec<Vec<Token>> {
    let statements = tokens.split(|token| *token == Token::SemiColon).map(<[Token]>::to_vec);
    statements.filter(|statement| statement.iter().any(|token| !matches!(token, Token::Whitespace(_)))).collect()
}

/// The trees of a text.
///
/// # Errors
/// Where the text is no SQL that can be read.
pub fn statements(tokens: Vec<Token>) -> Result<Vec<Statement>, Failure> {
    let dialect = Grammar(RedshiftSqlDialect {});
    let parser = Parser::new(&dialect).with_recursion_limit(300).with_tokens(without_attributes(tokens)).parse_statements();
    parser.map_err(|error| Failure::refused(format!("syntax error: {error}"), "42601"))
}

/// A query as a text that is read as the same query: `\\` is written twice in literals again.
pub fn written(query: &Query) -> String {
    struct Escape;
    impl VisitorMut for Escape {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            if let Expr::Value(value) = expression
                && let Value::SingleQuotedString(text) = &mut value.value
            {
                *text = text.replace('\\', "\\\\");
            }
            ControlFlow::Continue(())
        }
    }
    let mut query = query.clone();
    let _ = VisitMut::visit(&mut query, &mut Escape);
    query.to_string()
}

fn understood(token: Token) -> Result<Token, Failure> {
    Ok(match token {
        // PostgreSQL would cut what Redshift keeps, fact 169.
        Token::Word(Word { value, .. }) if value.len() > 63 => {
            return Err(Failure::refused(format!("name \"{value}\" is longer than the imitation has it (63 bytes)"), "42622"));
        }
        // Fact 170.
        Token::Word(Word { value, quote_style: Some(_), .. }) => {
            let value = value.replace("\"\"", "\"").to_lowercase();
            Token::make_word(&value, Some('"'))
        }
        Token::SingleQuotedString(raw) => Token::SingleQuotedString(unescaped(&raw)),
        // What is folded into plain literals before, fact 53.
        Token::DollarQuotedString(_) | Token::UnicodeStringLiteral(_) | Token::EscapedStringLiteral(_) => {
            return Err(Failure::refused(format!("syntax error at or near \"{token}\""), "42601"));
        }
        other => other,
    })
}

/// The text that a literal stands for, fact 52: `\n` and its like, `\101` and `\x41` by number, any other letter for itself.
fn unescaped(raw: &str) -> String {
    let mut text = String::new();
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                letters.next_if_eq(&'\'');
                text.push('\'');
            }
            '\\' => match letters.next() {
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some(digit @ '0'..='7') => {
                    let mut number = digit.to_digit(8).unwrap_or(0);
                    for _ in 0..2 {
                        if let Some(next) = letters.next_if(|letter| letter.is_digit(8)) {
                            number = number * 8 + next.to_digit(8).unwrap_or(0);
                        }
                    }
                    text.extend(char::from_u32(number & 0x7f));
                }
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

/// Without what says where and how rows are stored, which changes no result: fact 163. The columns of IDENTITY get PostgreSQL's spelling.
fn without_attributes(tokens: Vec<Token>) -> Vec<Token> {
    let solid: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let mut kept = Vec::with_capacity(solid.len());
    let mut statement = Vec::new();
    for token in solid {
        let ends = token == Token::SemiColon;
        statement.push(token);
        if ends {
            kept.extend(stripped(std::mem::take(&mut statement)));
        }
    }
    kept.extend(stripped(statement));
    kept
}

fn word(token: Option<&Token>) -> String {
    match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    }
}

fn stripped(tokens: Vec<Token>) -> Vec<Token> {
    let creates = word(tokens.first()) == "CREATE" && (1..4).any(|at| matches!(word(tokens.get(at)).as_str(), "TABLE" | "MATERIALIZED"));
    if !creates {
        return tokens;
    }
    // Behind the closing parenthesis of a list that opens at `at`, or `at` itself.
    let behind_list = |at: usize| match tokens.get(at) {
        Some(Token::LParen) => tokens.iter().skip(at).position(|token| *token == Token::RParen).map_or(at, |length| at + length + 1),
        _ => at,
    };
    let mut kept = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while let Some(token) = tokens.get(at) {
        match (word(Some(token)).as_str(), depth) {
            ("AS", 0) => {
                kept.extend(tokens.iter().skip(at).cloned());
                return kept;
            }
            ("DISTSTYLE" | "ENCODE" | "BACKUP", _) => at += 2,
            ("AUTO", 0) if word(tokens.get(at + 1)) == "REFRESH" => at += 3,
            ("DISTKEY", _) => at = behind_list(at + 1),
            ("COMPOUND" | "INTERLEAVED", 0) => at += 1,
            ("SORTKEY", _) if word(tokens.get(at + 1)) == "AUTO" => at += 2,
            ("SORTKEY", _) => at = behind_list(at + 1),
            ("IDENTITY", 1) if tokens.get(at + 1) == Some(&Token::LParen) => {
                let by_default = kept.last().is_some_and(|last| word(Some(last)) == "AS");
                let words: &[&str] = if by_default { &["IDENTITY"] } else { &["GENERATED", "ALWAYS", "AS", "IDENTITY"] };
                kept.extend(words.iter().map(|word| Token::make_keyword(word)));
                let behind = behind_list(at + 1);
                if let Some(numbers) =
                    tokens.get(at + 2..behind - 1).map(|list| list.split(|token| *token == Token::Comma).collect::<Vec<_>>())
                    && let [start, step] = numbers.as_slice()
                {
                    let says = |words: [&str; 2]| words.map(Token::make_keyword).to_vec();
                    let options = [says(["INCREMENT", "BY"]), step.to_vec(), says(["START", "WITH"]), start.to_vec()].concat();
                    kept.extend([vec![Token::LParen], options, vec![Token::RParen]].concat());
                }
                at = behind;
            }
            _ => {
                match token {
                    Token::LParen => depth += 1,
                    Token::RParen => depth -= 1,
                    _ => {}
                }
                kept.push(token.clone());
                at += 1;
            }
        }
    }
    kept
}

//! The SQL of models: PostgreSQL's, in which names and literals, of which queries are made, are read at once.

use std::any::TypeId;

use sqlparser::ast::Expr;
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// The parser takes every name and every literal for a type before a text first (`date '2024-01-31'`), and words an error where it is none:
/// that was a third of its time.
#[derive(Debug)]
pub(super) struct Sql;

/// As PostgreSQL has them: all that `PostgreSqlDialect` says otherwise than `Dialect` does, to be compared when sqlparser is renewed.
macro_rules! of_postgres {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $given:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> $given {
            PostgreSqlDialect {}.$name($($argument),*)
        })*
    };
}

impl Dialect for Sql {
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Number(..) | Token::SingleQuotedString(_) => Some(parser.parse_value().map(Expr::Value)),
            Token::Word(word) if word.keyword == Keyword::NoKeyword => {
                if !may_follow_a_name(&parser.peek_nth_token_ref(1).token) {
                    return None;
                }
                let name = word.clone();
                let span = parser.next_token().span;
                Some(Ok(Expr::Identifier(name.into_ident(span))))
            }
            _ => None,
        }
    }

    of_postgres! {
        identifier_quote_style(identifier: &str) -> Option<char>;
        is_delimited_identifier_start(ch: char) -> bool;
        is_identifier_start(ch: char) -> bool;
        is_identifier_part(ch: char) -> bool;
        is_custom_operator_part(ch: char) -> bool;
        is_reserved_for_identifier(keyword: Keyword) -> bool;
        is_table_alias(keyword: &Keyword, parser: &mut Parser) -> bool;
        get_next_precedence(parser: &Parser) -> Option<Result<u8, ParserError>>;
        prec_value(precedence: Precedence) -> u8;
        allow_extract_custom() -> bool;
        allow_extract_single_quotes() -> bool;
        supports_aliased_function_args() -> bool;
        supports_alter_column_type_using() -> bool;
        supports_alter_user_as_alter_role() -> bool;
        supports_array_typedef_with_brackets() -> bool;
        supports_bitwise_shift_operators() -> bool;
        supports_comma_separated_trim() -> bool;
        supports_comment_on() -> bool;
        supports_comment_optimizer_hint() -> bool;
        supports_create_index_with_clause() -> bool;
        supports_create_table_like_parenthesized() -> bool;
        supports_empty_projections() -> bool;
        supports_exclude_constraint() -> bool;
        supports_explain_with_utility_options() -> bool;
        supports_factorial_operator() -> bool;
        supports_filter_during_aggregation() -> bool;
        supports_geometric_types() -> bool;
        supports_group_by_expr() -> bool;
        supports_insert_table_alias() -> bool;
        supports_interval_options() -> bool;
        supports_left_associative_joins_without_parens() -> bool;
        supports_listen_notify() -> bool;
        supports_load_extension() -> bool;
        supports_named_fn_args_with_colon_operator() -> bool;
        supports_named_fn_args_with_expr_name() -> bool;
        supports_nested_comments() -> bool;
        supports_notnull_operator() -> bool;
        supports_numeric_literal_underscores() -> bool;
        supports_order_by_using_operator() -> bool;
        supports_select_wildcard_with_alias() -> bool;
        supports_set_names() -> bool;
        supports_string_escape_constant() -> bool;
        supports_unicode_string_literal() -> bool;
        supports_xml_expressions() -> bool;
    }
}

/// Behind what is no call, no type before a text, and no element of an array.
fn may_follow_a_name(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        token => matches!(
            token,
            Token::Period
                | Token::Comma
                | Token::RParen
                | Token::SemiColon
                | Token::EOF
                | Token::DoubleColon
                | Token::StringConcat
                | Token::Eq
                | Token::Neq
                | Token::Lt
                | Token::Gt
                | Token::LtEq
                | Token::GtEq
                | Token::Plus
                | Token::Minus
                | Token::Mul
                | Token::Div
                | Token::Mod
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    /// Where a name or a literal begins something else.
    const HARD: &[&str] = &[
        "select date '2024-01-31', timestamp with time zone '2024-01-31', interval '1 day', x'ff', U&'\\00e4', E'a\\n', $1, $$a$$, :name",
        "select a.b.*, a.b.c, a -> 'k' ->> 1, a[1], a[1:2], array[a, 1][1], (a).b, a.b[1].c from t as a",
        "select a collate \"C\", a at time zone 'UTC', a is null, a isnull, a notnull, a::text, a not in (1, 2), a between 1 and 2 from t",
        "select f(x => 1), f(x := 1), f(variadic x), position(a in b), substring(a from 1 for 2), overlay(a placing b from 1), extract(day from a)",
        "select 1e5, 1_000, .5, 5., 0x1f, 'a' 'b', 'a'\n'b', -1, - -1, 1 - -a, a - -1, a !~ 'x', a @> b, a ? 'k', a || 'x' || b",
        "select point '(1,2)', my_type 'x', s.my_type 'x', text 'x', name, value, key, day, month, year, format, zone, left, right from t",
        "select case a when 1 then b end, case when a then b else c end, exists (select a), a = any (array[b]), row(a, b), (a, b) = (c, d)",
        "select a b, a as b, a \"b\", 1 b, 'x' b, a operator(pg_catalog.+) b, current_date, current_user, localtime, lateral from t",
    ];

    /// Every file of SQL in the repository, templates too: all of it, and each piece between empty lines.
    pub(in crate::syntax) fn each_sql(mut visit: impl FnMut(&Path, &str)) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join("models"), root.join("tests"), root.join("snapshots")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "sql") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    text.split("\n\n").chain([text.as_str()]).for_each(|piece| visit(&path, piece));
                }
            }
        }
        HARD.iter().for_each(|text| visit(Path::new("HARD"), text));
    }

    /// Whatever the parser of PostgreSQL reads or does not read, this one does alike.
    #[test]
    fn it_is_read_as_postgresql_reads_it() {
        let (mut read, mut unread) = (0, 0);
        each_sql(|path, piece| {
            let trees = |dialect: &dyn Dialect| Parser::parse_sql(dialect, piece).map(|trees| format!("{trees:?}"));
            let (ours, theirs) = (trees(&Sql), trees(&PostgreSqlDialect {}));
            *(if theirs.is_ok() { &mut read } else { &mut unread }) += 1;
            assert_eq!(ours, theirs, "{}: {piece}", path.display());
        });
        assert!(read > 800 && unread > 300, "{read} read, {unread} not");
    }
}

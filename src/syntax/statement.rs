//! What must be known of a text before it is run: how many statements there are, whether the one is a query, and what stands behind
//! comments or in front of a semicolon.
//! A scanner for quotes, comments and semicolons; nothing here understands SQL.

/// The outer shape of SQL text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape<'a> {
    /// How many statements there are; comments alone are none.
    pub statements: usize,
    /// The text up to the end of the last statement, without its semicolon.
    pub body: &'a str,
    /// Whether the first word opens a query (`SELECT`, `WITH`, `VALUES`, …) and no word of a data-modifying `WITH` occurs.
    pub reads: bool,
}

impl Shape<'_> {
    /// Whether the text may stand in the parentheses of a derived table.
    pub fn is_one_query(&self) -> bool {
        self.statements == 1 && self.reads
    }
}

pub fn shape(sql: &str) -> Shape<'_> {
    let mut found = Shape { statements: 0, body: "", reads: true };
    let mut in_statement = false;
    let mut words = 0;
    let mut at = 0;
    while let Some((kind, end)) = next_piece(sql, at) {
        match kind {
            Piece::Space => {}
            Piece::Semicolon => in_statement = false,
            Piece::Word | Piece::Other => {
                if !in_statement {
                    in_statement = true;
                    found.statements += 1;
                }
                found.body = sql.get(..end).unwrap_or(sql);
                if kind == Piece::Word {
                    let word = sql.get(at..end).unwrap_or("");
                    found.reads &= if words == 0 { opens_query(word) } else { !modifies(word) };
                    words += 1;
                }
            }
        }
        at = end;
    }
    found.reads &= words > 0;
    found
}

/// Whether the text is one query (`SELECT`, `WITH`, `VALUES`, `TABLE`, `FROM`, or a parenthesis), with at most a `;` behind it.
pub fn is_single_query(sql: &str) -> bool {
    let rest = past_comments(sql);
    let opens = match next_piece(rest, 0) {
        Some((Piece::Word, end)) => rest.get(..end).is_some_and(opens_query),
        _ => rest.starts_with('('),
    };
    opens && shape(rest).statements == 1
}

/// The text up to its first semicolon outside of quotes and comments, or all of it.
pub fn before_semicolon(sql: &str) -> &str {
    let mut at = 0;
    while let Some((Piece::Space | Piece::Word | Piece::Other, end)) = next_piece(sql, at) {
        at = end;
    }
    sql.get(..at).unwrap_or(sql).trim_end()
}

/// Where further common table expressions go into a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CteInsertion {
    /// Byte offset at which they are put.
    pub offset: usize,
    /// Whether the query begins with `WITH` already: the new ones then come first, followed by a comma.
    pub has_with: bool,
}

/// Looks past comments for a leading `WITH [RECURSIVE]`.
pub fn cte_insertion(sql: &str) -> CteInsertion {
    let start = sql.len() - past_comments(sql).len();
    let word_at = |at: usize, wanted: &str| match next_piece(sql, at) {
        Some((Piece::Word, end)) if sql.get(at..end).is_some_and(|word| word.eq_ignore_ascii_case(wanted)) => Some(end),
        _ => None,
    };
    let Some(with) = word_at(start, "with") else { return CteInsertion { offset: start, has_with: false } };
    let next = sql.len() - past_comments(sql.get(with..).unwrap_or("")).len();
    CteInsertion { offset: word_at(next, "recursive").unwrap_or(with), has_with: true }
}

/// The text from its first piece that is neither blank nor comment.
pub fn past_comments(sql: &str) -> &str {
    let mut at = 0;
    while let Some((Piece::Space, end)) = next_piece(sql, at) {
        at = end;
    }
    sql.get(at..).unwrap_or("")
}

fn opens_query(word: &str) -> bool {
    ["select", "with", "values", "table", "from"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Words that, unquoted, make a `WITH` or a `SELECT` change data. A column of that name only costs the plain path.
fn modifies(word: &str) -> bool {
    ["insert", "update", "delete", "merge", "into"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Blanks and comments.
    Space,
    Semicolon,
    Word,
    Other,
}

/// The piece that starts at `at` and the offset behind it.
fn next_piece(sql: &str, at: usize) -> Option<(Piece, usize)> {
    let rest = sql.get(at..)?;
    let first = rest.chars().next()?;
    let (kind, len) = match first {
        ';' => (Piece::Semicolon, 1),
        '\'' => (Piece::Other, quoted_len(rest, '\'', false)),
        '"' => (Piece::Other, quoted_len(rest, '"', false)),
        '-' if rest.starts_with("--") => (Piece::Space, rest.find(['\n', '\r']).unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Piece::Space, comment_len(rest)),
        '$' => (Piece::Other, dollar_len(rest)),
        _ if first.is_whitespace() => (Piece::Space, first.len_utf8()),
        _ if first.is_alphanumeric() || first == '_' => word(rest),
        _ => (Piece::Other, first.len_utf8()),
    };
    Some((kind, at + len))
}

fn word(rest: &str) -> (Piece, usize) {
    let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
    match rest.get(len..) {
        // `E'…'`: the only kind of string in which a backslash hides the quote.
        Some(string) if len == 1 && string.starts_with('\'') => {
            (Piece::Other, len + quoted_len(string, '\'', rest.starts_with(['e', 'E'])))
        }
        _ => (Piece::Word, len),
    }
}

/// The length of a quoted text from its first quote; a doubled quote does not end it.
fn quoted_len(rest: &str, quote: char, backslash: bool) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if backslash && c == '\\' {
            characters.next();
        } else if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    rest.len()
}

/// The length of a block comment; they nest.
fn comment_len(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of `$tag$ … $tag$`, or 1 when it is only a dollar sign.
fn dollar_len(rest: &str) -> usize {
    let tag_end = rest.get(1..).and_then(|tail| tail.find(|c: char| !(c.is_alphanumeric() || c == '_')));
    let Some(tag) = tag_end.and_then(|end| rest.get(..end + 2)).filter(|tag| tag.ends_with('$')) else {
        return 1;
    };
    match rest.get(tag.len()..).and_then(|body| body.find(tag)) {
        Some(end) => tag.len() + end + tag.len(),
        None => rest.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_passed_over() {
        for (sql, rest) in [(" -- a\n /* b /* c */ */x /* d */", "x /* d */"), ("(x)", "(x)"), ("-- only", ""), ("- 1", "- 1"), ("", "")] {
            assert_eq!(past_comments(sql), rest, "{sql}");
        }
    }

    #[test]
    fn counts_statements_outside_quotes_and_comments() {
        for (sql, statements, body, reads) in [
            ("", 0, "", false),
            ("-- only this", 0, "", false),
            ("select 1", 1, "select 1", true),
            ("select 1 ;\n-- done;\n", 1, "select 1", true),
            (
                "select ';', \";\", $x$;$x$, E'\\';' /* ; /* ; */ ; */ -- ;\n, 2;",
                1,
                "select ';', \";\", $x$;$x$, E'\\';' /* ; /* ; */ ; */ -- ;\n, 2",
                true,
            ),
            ("select 1; select 2", 2, "select 1; select 2", true),
            ("select 'it''s'; drop table x", 2, "select 'it''s'; drop table x", true),
            ("with x as (delete from y returning *) select * from x", 1, "with x as (delete from y returning *) select * from x", false),
            ("(select 1)", 1, "(select 1)", true),
            ("show tables", 1, "show tables", false),
            ("select '$', $1", 1, "select '$', $1", true),
        ] {
            assert_eq!(shape(sql), Shape { statements, body, reads }, "{sql}");
        }
    }

    #[test]
    fn a_semicolon_ends_the_query_wherever_a_comment_follows() {
        assert_eq!(before_semicolon("select ';' as x; -- done;"), "select ';' as x");
        assert_eq!(before_semicolon("select 1 -- a;b"), "select 1 -- a;b");
    }

    #[test]
    fn tells_queries_from_other_statements() {
        assert!(is_single_query("-- c\nselect 1;"));
        assert!(is_single_query("(select 1) union all select 2"));
        assert!(!is_single_query("select 1; drop table x"));
        assert!(!is_single_query("drop table x"));
        assert!(!is_single_query("  -- nothing\n"));
    }

    #[test]
    fn finds_the_place_for_common_table_expressions() {
        let split = |sql: &str| {
            let found = cte_insertion(sql);
            format!("{}|{}", &sql[..found.offset], &sql[found.offset..])
        };
        assert_eq!(split("-- é with\n  select 1"), "-- é with\n  |select 1");
        assert_eq!(split("/* x */ with recursive a as (select 1) select 2"), "/* x */ with recursive| a as (select 1) select 2");
        assert_eq!(split("WITH a as (select 1) select 2"), "WITH| a as (select 1) select 2");
        assert_eq!(split("with e as (select E'\\xc3' as x) select 1"), "with| e as (select E'\\xc3' as x) select 1");
        assert_eq!(split(""), "|");
    }

    #[test]
    fn a_carriage_return_ends_a_comment() {
        assert!(is_single_query("-- c\rselect 1 as one"));
        assert!(!is_single_query("select 1 -- c\r; delete from a"));
    }
}

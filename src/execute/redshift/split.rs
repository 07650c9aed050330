//! Cuts text into statements, as the Data API takes one at a time. Backslashes escape in Redshift's strings.

/// The statements of a text, without their semicolons; comments alone are none.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut at, mut holds) = (0, 0, false);
    let bytes = sql.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        at = match byte {
            b'\'' => quoted(bytes, at, b'\'', true),
            b'"' => quoted(bytes, at, b'"', false),
            b'-' if rest.starts_with(b"--") => rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1),
            b'/' if rest.starts_with(b"/*") => comment(bytes, at),
            b'$' => dollar_quoted(bytes, at),
            b';' => {
                if holds {
                    found.push(sql.get(start..at).unwrap_or("").trim());
                }
                (start, holds) = (at + 1, false);
                at + 1
            }
            _ => at + 1,
        };
        let is_comment = rest.starts_with(b"--") || rest.starts_with(b"/*");
        holds |= !(byte.is_ascii_whitespace() || byte == b';' || is_comment);
    }
    if holds {
        found.push(sql.get(start..).unwrap_or("").trim());
    }
    found
}

/// Behind a quoted text that begins at `at`.
fn quoted(bytes: &[u8], at: usize, quote: u8, escapes: bool) -> usize {
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte == b'\\' && escapes {
            at += 1;
        } else if byte == quote {
            if bytes.get(at) != Some(&quote) {
                return at;
            }
            at += 1;
        }
    }
    bytes.len()
}

/// Behind a comment, and those within it.
fn comment(bytes: &[u8], at: usize) -> usize {
    let (mut at, mut depth) = (at, 0_usize);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if rest.starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// Behind `$tag$ … $tag$`; a `$` of anything else is one sign.
fn dollar_quoted(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    let Some(end) = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')) else { return at + 1 };
    let is_tag = rest.get(end) == Some(&b'$') && !rest.first().is_some_and(u8::is_ascii_digit);
    let Some(tag) = bytes.get(at..at + end + 2).filter(|_| is_tag) else { return at + 1 };
    let body = at + tag.len();
    let close = bytes.get(body..).unwrap_or_default().windows(tag.len()).position(|window| window == tag);
    close.map_or(bytes.len(), |close| body + close + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_of_strings_and_comments_end_nothing() {
        for (sql, expected) in [
            ("select 1", vec!["select 1"]),
            (" ; select 1 ;\n-- done;\n", vec!["select 1"]),
            ("select ';', \"a;b\"; select 2", vec!["select ';', \"a;b\"", "select 2"]),
            (r"select 'it\'s; so', 'a''b;'; select 2", vec![r"select 'it\'s; so', 'a''b;'", "select 2"]),
            ("/* ; /* ; */ ; */ select 1; -- ; \n select 2", vec!["/* ; /* ; */ ; */ select 1", "-- ; \n select 2"]),
            ("create function f() as $$ a; b $$; select $1;", vec!["create function f() as $$ a; b $$", "select $1"]),
            ("select $x$;$x$", vec!["select $x$;$x$"]),
            ("-- nothing", vec![]),
            ("select 'open; ", vec!["select 'open;"]),
        ] {
            assert_eq!(statements(sql), expected, "{sql}");
        }
    }
}

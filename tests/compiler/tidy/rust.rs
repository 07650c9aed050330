//! Just enough reading of Rust for house rules: where comments, texts, functions and test modules begin and end.

use std::ops::Range;

/// A source with its comments blanked out, and with its texts blanked out as well. Both have every byte where the source has it,
/// so that positions and lines agree.
pub struct Masked {
    /// No comments; string literals as written.
    pub code_and_texts: String,
    /// No comments, no contents of string and character literals.
    pub code: String,
}

pub fn mask(source: &str) -> Masked {
    let (mut code_and_texts, mut code) = (source.as_bytes().to_vec(), source.as_bytes().to_vec());
    for (range, kind) in literals_and_comments(source.as_bytes()) {
        blank(&mut code[range.clone()]);
        if kind == Kind::Comment {
            blank(&mut code_and_texts[range]);
        }
    }
    Masked { code_and_texts: String::from_utf8(code_and_texts).unwrap(), code: String::from_utf8(code).unwrap() }
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Comment,
    Text,
}

/// The comments, and what stands between the quotes of string and character literals.
fn literals_and_comments(source: &[u8]) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        if rest.starts_with(b"//") {
            let end = at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            found.push((at..end, Kind::Comment));
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = at + block_comment(rest);
            found.push((at..end, Kind::Comment));
            at = end;
        } else if let Some((open, hashes)) = raw_string(source, at) {
            let close = format!("\"{}", "#".repeat(hashes));
            let length = find(&source[at + open..], close.as_bytes()).unwrap_or(source.len() - at - open);
            found.push((at + open..at + open + length, Kind::Text));
            at = (at + open + length + close.len()).min(source.len());
        } else if rest[0] == b'"' {
            let length = quoted(&rest[1..], b'"');
            found.push((at + 1..at + 1 + length, Kind::Text));
            at = (at + length + 2).min(source.len());
        } else if let Some(length) = character(rest) {
            found.push((at + 1..at + 1 + length, Kind::Text));
            at += length + 2;
        } else {
            at += 1;
        }
    }
    found
}

/// Length of the block comment that `rest` starts with; they nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// For a raw string that starts at `at`: bytes up to its content, and the number of `#`.
fn raw_string(source: &[u8], at: usize) -> Option<(usize, usize)> {
    if at > 0 && is_word(source[at - 1]) {
        return None;
    }
    let prefix = [&b"r"[..], b"br", b"cr"].into_iter().find(|prefix| source[at..].starts_with(prefix))?;
    let rest = &source[at + prefix.len()..];
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    (rest.get(hashes) == Some(&b'"')).then_some((prefix.len() + hashes + 1, hashes))
}

/// Bytes before the closing quote, escapes skipped.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}

/// Bytes between the quotes when `rest` starts with a character literal, not with a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'\'' {
        return None;
    }
    let length = match rest.get(1)? {
        b'\\' => quoted(&rest[1..], b'\''),
        b'\'' => return None,
        lead => (lead.leading_ones() as usize).max(1),
    };
    (rest.get(1 + length) == Some(&b'\'')).then_some(length)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

pub fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// The block in braces that opens at or after `from`; `None` when a `;` comes first.
pub fn block(code: &str, from: usize) -> Option<Range<usize>> {
    let mut depth = 0usize;
    // Brackets of arrays (`[u8; 4]`) and parentheses may hold a `;` before the body.
    let mut nested = 0usize;
    let mut start = None;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            b';' if depth == 0 && nested == 0 => return None,
            b'{' => {
                start.get_or_insert(offset);
                depth += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(start?..offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Every function with a body: its name and where it stands, from `fn` to the closing brace.
pub fn functions(code: &str) -> Vec<(String, Range<usize>)> {
    let keyword = regex::Regex::new(r"\bfn\s+([a-zA-Z_][a-zA-Z0-9_]*)").unwrap();
    let named = keyword.captures_iter(code);
    named
        .filter_map(|captures| {
            let start = captures.get(0)?.start();
            Some((captures[1].to_owned(), start..block(code, captures.get(0)?.end())?.end))
        })
        .collect()
}

impl Masked {
    /// The same without `#[cfg(test)]` modules and functions.
    pub fn without_tests(&self) -> Masked {
        let (mut code_and_texts, mut code) = (self.code_and_texts.clone().into_bytes(), self.code.clone().into_bytes());
        for (at, attribute) in self.code.match_indices("#[cfg(test)]") {
            // Braces are counted where texts are blank.
            let end = block(&self.code, at + attribute.len()).map_or(at + attribute.len(), |block| block.end);
            blank(&mut code[at..end]);
            blank(&mut code_and_texts[at..end]);
        }
        Masked { code_and_texts: String::from_utf8(code_and_texts).unwrap(), code: String::from_utf8(code).unwrap() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_blanked_in_place() {
        let masked = mask("a /* b /* c */ d */ \"e // {\" // f\n'{' r#\"g\" h\"# 'x '\\'' b\"\\\"i\" é'é'");
        assert_eq!(masked.code, "a                   \"      \"     \n' ' r#\"    \"# 'x '  ' b\"   \" é'  '");
        assert_eq!(masked.code_and_texts, "a                   \"e // {\"     \n'{' r#\"g\" h\"# 'x '\\'' b\"\\\"i\" é'é'");
    }

    #[test]
    fn functions_are_found_with_their_bodies() {
        let code = "trait T { fn declared(&self) -> [u8; 4]; }\nfn one<T>() -> [u8; 2] { if x { y } }\nfn two() {}\n";
        let found: Vec<_> = functions(code).into_iter().map(|(name, range)| (name, code[range].to_owned())).collect();
        assert_eq!(
            found,
            [("one".to_owned(), "fn one<T>() -> [u8; 2] { if x { y } }".to_owned()), ("two".to_owned(), "fn two() {}".to_owned())]
        );
    }

    #[test]
    fn tests_are_left_out() {
        let code = mask("a\n#[cfg(test)]\nmod tests { \"}\" b }\nc").without_tests();
        assert_eq!(code.code.split_whitespace().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(code.code_and_texts, code.code);
    }
}

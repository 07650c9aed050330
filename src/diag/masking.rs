//! Blots out secrets in the text of YAML files before lines of it are drawn.

use std::borrow::Cow;
use std::ops::Range;

/// Words that make any key secret in which they stand: `client_secret`, `db-password`.
const WORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "pass", "secret", "secrets", "token", "tokens", "credentials"];
/// Words that make a key of credentials out of `…_key`; `unique_key` is none.
const KEYS: &[&str] = &["private_key", "access_key", "api_key", "account_key", "encryption_key", "signing_key", "ssh_key", "apikey"];

/// The text, the values of secret keys replaced by as many `*` as they have bytes, so that places stay valid.
pub(super) fn masked<'a>(path: &str, text: &'a str) -> Cow<'a, str> {
    let is_yaml = [".yml", ".yaml"].iter().any(|suffix| path.ends_with(suffix));
    let secrets = if is_yaml { secrets(text) } else { Vec::new() };
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if character != '\n' && secrets.iter().any(|secret| secret.contains(&at)) {
            masked.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            masked.push(character);
        }
    }
    Cow::Owned(masked)
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    key.split('_').any(|word| WORDS.contains(&word)) || KEYS.iter().any(|secret| key.contains(secret))
}

/// Where the values of secret keys stand, ascending. Works on the text alone: a file that cannot be read as YAML is drawn too.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (colon, _) in text.match_indices(':') {
        let line_start = text.get(..colon).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let before = text.get(line_start..colon).unwrap_or("");
        let written = before.trim_end().trim_end_matches(['"', '\'']);
        let key_start = written.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).map_or(0, |at| at + 1);
        let key = written.get(key_start..).unwrap_or("");
        let is_inside = found.last().is_some_and(|secret| secret.end > colon);
        if !is_inside && is_secret(key) {
            let is_flow = before.contains(['{', '[']);
            add_value(text, colon + 1, key_start, is_flow, &mut found);
        }
    }
    found
}

/// Adds the ranges of the value that begins behind the colon of a key in column `key_column`.
fn add_value(text: &str, from: usize, key_column: usize, is_flow: bool, found: &mut Vec<Range<usize>>) {
    let rest = text.get(from..).unwrap_or("");
    let start = from + rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let value = text.get(start..).unwrap_or("");
    if let Some(quote @ ('"' | '\'')) = value.chars().next() {
        found.push(start..start + quoted_len(value, quote));
        return;
    }
    let line_len = value.find('\n').unwrap_or(value.len());
    let line = value.get(..line_len).unwrap_or("");
    if is_flow {
        let ends = [line.find(", "), line.find('}'), line.find(']')];
        found.push(start..start + ends.into_iter().flatten().min().unwrap_or(line_len));
        return;
    }
    found.push(start..start + line_len);
    // What a block or a folded value goes on with stands further right than its key.
    let mut at = start + line_len + 1;
    for line in text.get(at..).unwrap_or("").split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let is_blank = line.trim().is_empty();
        if !is_blank && indent <= key_column {
            break;
        }
        if !is_blank {
            found.push(at + indent..at + line.len());
        }
        at += line.len();
    }
}

/// Bytes of a quoted value, quotes included; an open one goes on to the end of the text.
fn quoted_len(value: &str, quote: char) -> usize {
    let mut characters = value.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if quote == '"' && character == '\\' {
            characters.next();
        } else if character == quote {
            if quote == '"' || characters.peek().is_none_or(|(_, next)| *next != quote) {
                return at + quote.len_utf8();
            }
            characters.next();
        }
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(text: &str, expected: &str) {
        assert_eq!(masked("x.yml", text), expected);
        assert_eq!(text.len(), expected.len(), "{text}");
    }

    #[test]
    fn flow_style() {
        expect("dev: {type: postgres, password: \"se, c}\\\"ret\", port: 1}", "dev: {type: postgres, password: *************, port: 1}");
        expect("dev: {pass: 'it''s', a: 1}", "dev: {pass: *******, a: 1}");
        expect("dev: {token: a,b, a: 1}", "dev: {token: ***, a: 1}");
        expect("dev: {a: 1, \"api_key\": ab:cd}", "dev: {a: 1, \"api_key\": *****}");
        expect("{dev: {\"password\":\"x\"}}", "{dev: {\"password\":***}}");
    }

    #[test]
    fn block_style() {
        expect("a:\n  password: hün, ter: 2 # x\n  port: 1\n", "a:\n  password: ****************\n  port: 1\n");
        expect("- secret_access_key: \"a\n  b\"\n  port: 1\n", "- secret_access_key: **\n****\n  port: 1\n");
        expect("private_key: |\n  BEGIN\n\n  x: y\nport: 1\n", "private_key: *\n  *****\n\n  ****\nport: 1\n");
        expect("client-secret:\n  plain\nport: 1\n", "client-secret:\n  *****\nport: 1\n");
    }

    #[test]
    fn what_is_no_secret_is_drawn() {
        for text in ["unique_key: id\n", "columns:\n  - name: password\n    tests: [not_null]\n", "primary_key: [a]\n", "compass: x\n"] {
            expect(text, text);
        }
        assert_eq!(masked("models/a.sql", "-- password: x"), "-- password: x");
    }
}

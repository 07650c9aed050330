//! Alternatives of a regular expression. Of several that match at one place PostgreSQL takes the longest, other engines the first: that is the
//! same where no two can match there, or where they match the same.
//!
//! <https://www.postgresql.org/docs/15/functions-matching.html#POSIX-MATCHING-RULES>

/// Whether two alternatives may match at one place, as far as their first characters tell.
pub(super) fn alternatives_overlap(pattern: &str) -> bool {
    lists(pattern).iter().any(|list| list.iter().enumerate().any(|(at, one)| list.iter().skip(at + 1).any(|other| overlap(one, other))))
}

fn overlap(one: &str, other: &str) -> bool {
    let bare = |part: &str| part.strip_prefix('^').unwrap_or(part).strip_suffix('$').map_or(part.to_owned(), str::to_owned);
    let [one, other] = [one, other].map(|part| {
        let without_end = bare(part);
        without_end.strip_prefix('^').unwrap_or(&without_end).to_owned()
    });
    // The same at the start and at the end of a text matches the same where it is both.
    if one == other && !one.contains(['(', '|', '?']) && !one.is_empty() {
        return false;
    }
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    if is_plain(&one) && is_plain(&other) {
        let [one, other] = [one, other].map(|part| part.to_lowercase());
        return one.starts_with(&other) || other.starts_with(&one);
    }
    match (first(&one), first(&other)) {
        (Some(one), Some(other)) => one.iter().zip(&other).any(|(one, other)| *one && *other),
        _ => true,
    }
}

/// The alternatives of a pattern and of each group in it.
fn lists(pattern: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<Vec<String>> = vec![vec![String::new()]];
    let mut chars = pattern.chars();
    let mut in_class = false;
    let add = |open: &mut Vec<Vec<String>>, c: char| {
        for list in open.iter_mut() {
            if let Some(last) = list.last_mut() {
                last.push(c);
            }
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                add(&mut open, c);
                if let Some(escaped) = chars.next() {
                    add(&mut open, escaped);
                }
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                add(&mut open, c);
                open.push(vec![String::new()]);
                continue;
            }
            ')' if !in_class && open.len() > 1 => found.extend(open.pop()),
            '|' if !in_class => {
                let depth = open.len() - 1;
                for list in open.iter_mut().take(depth) {
                    if let Some(last) = list.last_mut() {
                        last.push(c);
                    }
                }
                if let Some(list) = open.last_mut() {
                    list.push(String::new());
                }
                continue;
            }
            _ => {}
        }
        add(&mut open, c);
    }
    found.extend(open);
    // What makes a group of no number is no part of its first alternative.
    for first in found.iter_mut().filter_map(|list| list.first_mut()) {
        if let Some(rest) = first.strip_prefix("?:") {
            *first = rest.to_owned();
        }
    }
    found
}

/// ASCII, and everything else as one.
type Letters = [bool; 129];

/// The characters with which a match begins, in both cases; `None` where that is not plain, or nothing may match too.
fn first(part: &str) -> Option<Letters> {
    let mut letters = [false; 129];
    let mut chars = part.chars();
    match chars.next()? {
        '\\' => escaped(chars.next()?, &mut letters)?,
        '[' => class(&mut chars, &mut letters)?,
        '.' | '(' | ')' | '*' | '+' | '?' | '{' | '|' | '^' | '$' => return None,
        c => add(c, &mut letters),
    }
    match chars.next() {
        Some('*' | '?' | '{') => None,
        _ => Some(letters),
    }
}

fn add(c: char, letters: &mut Letters) {
    for c in [c, c.to_ascii_lowercase(), c.to_ascii_uppercase()] {
        if let Some(letter) = letters.get_mut((c as usize).min(128)) {
            *letter = true;
        }
    }
}

fn escaped(c: char, letters: &mut Letters) -> Option<()> {
    match c {
        'd' => ('0'..='9').for_each(|c| add(c, letters)),
        's' => [' ', '\t', '\n', '\r', '\u{b}', '\u{c}', '\u{a0}'].into_iter().for_each(|c| add(c, letters)),
        'w' => ('0'..='9').chain('a'..='z').chain(['_', '\u{e9}']).for_each(|c| add(c, letters)),
        c if c.is_ascii_alphanumeric() => return None,
        c => add(c, letters),
    }
    Some(())
}

fn class(chars: &mut std::str::Chars<'_>, letters: &mut Letters) -> Option<()> {
    let inner: Vec<char> = chars.by_ref().take_while(|c| *c != ']').collect();
    let mut rest = inner.as_slice();
    if inner.first().is_none_or(|c| *c == '^') || inner.contains(&'[') {
        return None;
    }
    while let Some((c, after)) = rest.split_first() {
        rest = after;
        match (c, rest) {
            ('\\', [c, after @ ..]) => {
                escaped(*c, letters)?;
                rest = after;
            }
            (from, ['-', to, after @ ..]) => {
                (*from..=*to).for_each(|c| add(c, letters));
                rest = after;
            }
            (c, _) => add(*c, letters),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_told_apart_by_how_they_begin() {
        for apart in [r"^\s+|\s+$", "(mr|dr) ", r"[0-9]+|[a-z]+", r"(\d+|n/a)", "(?:x|y)z", "a(b|c)d", r"\.|,", "[|]a", "^0+|^x"] {
            assert!(!alternatives_overlap(apart), "{apart}");
        }
        for overlapping in ["a|ab", r"\d+|[0-9]x", "(a|A)b", "x(|y)", r"\w+|é", "[^a]|b", "(a*|b)", r"^\s+|\s*$", "((a|ab)c|x)"] {
            assert!(alternatives_overlap(overlapping), "{overlapping}");
        }
    }
}

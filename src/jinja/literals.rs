//! Makes list and dictionary literals changeable: `[1]` becomes `__list([1])`, `{'a': 1}` becomes `__dict({'a': 1})`.
//!
//! Only templates that change a list or dictionary, or hand one to somebody who may, are rewritten. The map of insertions
//! leads from an offset in the rewritten text back to the text that the user wrote.

use minijinja::machinery::{Token, tokenize};

/// Template text with the places where something was inserted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// Offset in the rewritten text just past an insertion, and the sum of the bytes inserted up to there; ascending.
    insertions: Vec<(usize, usize)>,
}

impl Rewritten {
    pub(super) fn unchanged(text: &str) -> Rewritten {
        Rewritten { text: text.to_owned(), insertions: Vec::new() }
    }

    /// The offset in the original text.
    pub(super) fn original(&self, offset: usize) -> usize {
        let before = self.insertions.partition_point(|(at, _)| *at <= offset);
        let inserted = before.checked_sub(1).and_then(|last| self.insertions.get(last)).map_or(0, |(_, sum)| *sum);
        offset.saturating_sub(inserted)
    }
}

const MUTATORS: [&str; 13] = [
    ".append(",
    ".extend(",
    ".insert(",
    ".update(",
    ".pop(",
    ".remove(",
    ".setdefault(",
    ".clear(",
    ".sort(",
    ".reverse(",
    ".popitem(",
    "return(",
    "return (",
];

/// The text with its literals wrapped, when it needs that. Text that does not tokenize is left for the parser to report.
pub(super) fn rewrite_literals(text: &str) -> Rewritten {
    if !MUTATORS.iter().any(|mutator| text.contains(mutator)) {
        return Rewritten::unchanged(text);
    }
    match insertions(text) {
        Some(found) if !found.is_empty() => apply(text, found),
        _ => Rewritten::unchanged(text),
    }
}

/// Offsets in the original with what is inserted there.
fn insertions(text: &str) -> Option<Vec<(usize, &'static str)>> {
    let mut found = Vec::new();
    // For each open bracket what follows its closing one.
    let mut open: Vec<&'static str> = Vec::new();
    let mut after_value = false;
    for token in tokenize(text, false, Default::default()) {
        let (token, span) = token.ok()?;
        let start = span.start_offset as usize;
        let end = span.end_offset as usize;
        match token {
            Token::BracketOpen if after_value => open.push(""),
            Token::BracketOpen => {
                found.push((start, "__list("));
                open.push(")");
            }
            Token::BraceOpen => {
                found.push((start, "__dict("));
                open.push(")");
            }
            Token::BracketClose | Token::BraceClose => {
                let close = open.pop()?;
                if !close.is_empty() {
                    found.push((end, close));
                }
            }
            _ => {}
        }
        after_value = match token {
            Token::Ident(name) => !matches!(name, "in" | "and" | "or" | "not" | "if" | "else" | "elif" | "is" | "do" | "return" | "set"),
            Token::Str(_) | Token::String(_) | Token::ParenClose | Token::BracketClose | Token::BraceClose => true,
            _ => false,
        };
    }
    open.is_empty().then_some(found)
}

fn apply(text: &str, found: Vec<(usize, &'static str)>) -> Rewritten {
    let mut out = String::with_capacity(text.len() + found.len() * 4);
    let mut map = Vec::with_capacity(found.len());
    let (mut copied, mut sum) = (0, 0);
    for (at, inserted) in found {
        out.push_str(text.get(copied..at).unwrap_or(""));
        out.push_str(inserted);
        copied = at;
        sum += inserted.len();
        map.push((out.len(), sum));
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    Rewritten { text: out, insertions: map }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_literals_but_not_subscripts() {
        let text = "[x] {% set a = ['é', {'k': b[0]}] %}{% do a.append(c['d'][1]) %}{% if x in [1] %}";
        let done = rewrite_literals(text);
        assert_eq!(done.text, "[x] {% set a = __list(['é', __dict({'k': b[0]})]) %}{% do a.append(c['d'][1]) %}{% if x in __list([1]) %}");
        let rewritten_at = done.text.find("append").unwrap();
        assert_eq!(done.original(rewritten_at), text.find("append").unwrap());
        assert_eq!(done.original(0), 0);
    }

    #[test]
    fn leaves_other_templates_alone() {
        assert_eq!(rewrite_literals("{{ [1, 2] | join(',') }}"), Rewritten::unchanged("{{ [1, 2] | join(',') }}"));
    }
}

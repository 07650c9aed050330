//! The block of a template that is open where its text ends: it is at fault, and not the end.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

/// Blocks that have an end, and those that say so by what stands in them.
const BLOCKS: [&str; 9] = ["if", "for", "macro", "call", "filter", "with", "autoescape", "block", "set"];

/// The word of the innermost block that has no end, and where it is opened.
pub(super) fn open_block(text: &str) -> Option<(&str, Range<usize>)> {
    let mut open: Vec<(&str, Range<usize>)> = Vec::new();
    let mut begun: Option<(usize, Option<&str>, bool)> = None;
    for (token, span) in tokenize(text, false, Default::default()).map_while(Result::ok) {
        match (token, &mut begun) {
            (Token::BlockStart, _) => begun = Some((span.start_offset as usize, None, false)),
            (Token::Ident(name), Some((_, word @ None, _))) => *word = Some(name),
            (Token::Assign, Some((_, Some("set"), assigns))) => *assigns = true,
            (Token::BlockEnd, Some((start, Some(word), assigns))) => {
                let range = *start..span.end_offset as usize;
                match word.strip_prefix("end") {
                    Some(_) => {
                        open.pop();
                    }
                    None if BLOCKS.contains(word) && !*assigns => open.push((*word, range)),
                    None => {}
                }
                begun = None;
            }
            _ => {}
        }
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_block_without_an_end() {
        let open = |text: &str| open_block(text).map(|(word, range)| format!("{word} {}", &text[range]));
        assert_eq!(open("{% if a %}{% for b in c %}{% endfor %}x").as_deref(), Some("if {% if a %}"));
        assert_eq!(open("{% if a %}{% for b in c %}x").as_deref(), Some("for {% for b in c %}"));
        assert_eq!(open("{% set a = 1 %}{% if a %}{% else %}{% endif %}"), None);
        assert_eq!(open("{% set a %}x").as_deref(), Some("set {% set a %}"));
    }
}

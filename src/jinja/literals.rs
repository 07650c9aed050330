//! Writes Python's operators and literals as calls that the engine can be taught: `a + b` becomes `__add(a , b)`, `[1]` becomes
//! `__list([1])`, `x[1:]` becomes `__slice(x,1,none,none)`.
//!
//! The engine's own operators know its numbers, texts and sequences only, and its literals cannot be changed. Operators whose
//! operands show that the engine's own answer is right are left alone. The map of edits leads from an offset in the rewritten
//! text back to the text that the user wrote.

use std::borrow::Cow;

use minijinja::machinery::{Token, tokenize};

use super::extents::Parser;

/// Template text with the places where it differs from what the user wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// Ascending.
    edits: Vec<Edited>,
}

/// A range of the rewritten text that stands for a range of the original.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edited {
    new: (usize, usize),
    old: (usize, usize),
}

impl Rewritten {
    fn unchanged(text: &str) -> Rewritten {
        Rewritten { text: text.to_owned(), edits: Vec::new() }
    }

    /// The offset in the original text.
    pub(super) fn original(&self, offset: usize) -> usize {
        let before = self.edits.partition_point(|edit| edit.new.0 <= offset);
        match before.checked_sub(1).and_then(|last| self.edits.get(last)) {
            None => offset,
            Some(edit) if offset < edit.new.1 => edit.old.0,
            Some(edit) => offset - edit.new.1 + edit.old.1,
        }
    }
}

/// The text of a template with its operators and literals rewritten. Text that does not tokenize is left for the engine to report.
pub(super) fn rewrite(text: &str) -> Rewritten {
    if needs_rewriting(text) { rewritten(text, false) } else { Rewritten::unchanged(text) }
}

/// As [`rewrite`], of a bare expression.
pub(super) fn rewrite_expression(text: &str) -> String {
    if has_trigger(text.as_bytes()) { rewritten(text, true).text } else { text.to_owned() }
}

fn rewritten(text: &str, bare: bool) -> Rewritten {
    let tokens: Result<Vec<_>, _> = tokenize(text, bare, Default::default())
        .map(|token| token.map(|(token, span)| Piece { token, start: span.start_offset as usize, end: span.end_offset as usize }))
        .collect();
    let Ok(tokens) = tokens else { return Rewritten::unchanged(text) };
    let parser = Parser::new(tokens);
    let edits = if bare { parser.edits_of_expression() } else { parser.edits_of_template() };
    if edits.is_empty() { Rewritten::unchanged(text) } else { apply(text, edits) }
}

/// Whether any block of the template holds a character that rewriting could be about. Errs on the side of yes.
fn needs_rewriting(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(open) = memchr::memchr(b'{', bytes.get(from..).unwrap_or(&[])) {
        let open = from + open;
        let close = match bytes.get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            _ => {
                from = open + 1;
                continue;
            }
        };
        let inside = text.get(open + 2..).unwrap_or("");
        let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside);
        let end = end_of_code(inside, close);
        let code = inside.get(..end).unwrap_or("");
        let does = code.trim_start().strip_prefix("do").is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if does || has_trigger(code.strip_suffix(['-', '+']).unwrap_or(code).as_bytes()) {
            return true;
        }
        from = open + 2 + end;
    }
    false
}

/// Where a block closes: not within a text, which may hold the same signs.
fn end_of_code(code: &str, close: &str) -> usize {
    let bytes = code.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' => at = end_of_text(bytes, at),
            _ if bytes.get(at..).is_some_and(|rest| rest.starts_with(close.as_bytes())) => return at,
            _ => at += 1,
        }
    }
    code.len()
}

/// Behind the text whose first quote stands at `from`.
fn end_of_text(code: &[u8], from: usize) -> usize {
    let quote = code.get(from);
    let mut at = from + 1;
    while let Some(byte) = code.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if Some(byte) == quote => return at + 1,
            _ => at += 1,
        }
    }
    code.len()
}

fn has_trigger(code: &[u8]) -> bool {
    let mut previous = b' ';
    let mut depth = 0i32;
    let mut at = 0;
    while let Some(byte) = code.get(at) {
        at += 1;
        match byte {
            b'\'' | b'"' => at = end_of_text(code, at - 1),
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => return true,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'[' | b'{' | b'!' => return true,
            b'=' if previous == b'=' => return true,
            _ => previous = *byte,
        }
    }
    false
}

/// A token and where it stands.
pub(super) struct Piece<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A change of the text; `rank` and `order` settle what comes first at one place.
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: Cow<'static, str>,
    pub(super) rank: u8,
    pub(super) order: i64,
}

/// What closes comes before what opens, and that before what is replaced.
pub(super) const CLOSES: u8 = 0;
pub(super) const OPENS: u8 = 1;
pub(super) const REPLACES: u8 = 2;

fn apply(text: &str, mut edits: Vec<Edit>) -> Rewritten {
    edits.sort_by_key(|edit| (edit.start, edit.rank, edit.order));
    let mut out = String::with_capacity(text.len() + edits.len() * 6);
    let mut map = Vec::with_capacity(edits.len());
    let mut copied = 0;
    for edit in edits {
        out.push_str(text.get(copied..edit.start).unwrap_or(""));
        let from = out.len();
        out.push_str(&edit.text);
        copied = edit.end;
        map.push(Edited { new: (from, out.len()), old: (edit.start, edit.end) });
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    Rewritten { text: out, edits: map }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(rewrite(&format!("{{{{ {text} }}}}")).text, format!("{{{{ {expected} }}}}"));
    }

    #[test]
    fn operators_become_calls() {
        check("a + b * -c", "__add(a , __mul(b , __neg(c)))");
        check("a - b - 1", "__sub(__sub(a , b) , 1)");
        check("(a + b)[0] ** 2 // -3", "__floordiv(__pow((__add(a , b))[0] , 2) , -3)");
        check("1 < x <= 3", "__compare(1 ,'<', x ,'<=', 3)");
        check("x > 3 and y == 1", "__gt(x , 3) and __eq(y , 1)");
        check("'%s' % x | f(a + 1)", "__mod('%s' , x | f(__add(a , 1)))");
        check("a if b + 1 else -c", "a if __add(b , 1) else __neg(c)");
        check("1, a + 2", "(1, __add(a , 2))");
    }

    #[test]
    fn texts_neither_end_a_block_nor_hide_what_follows() {
        check("'}}' ~ [1]", "'}}' ~ __list([1])");
        check("'it\\'s }} ' + a", "__add('it\\'s }} ' , a)");
        check("')', 1", "(')', 1)");
        for text in ["{% do\n x.y %}", "{%- do\tx.y -%}", "{% do(x.y) %}"] {
            assert!(rewrite(text).text.contains("__do("), "{text}");
        }
        let text = "{{ dodo }}{% set x = 'do + [' %}{{ 'open }}";
        assert_eq!(rewrite(text), Rewritten::unchanged(text));
    }

    #[test]
    fn what_the_engine_answers_rightly_stays() {
        for text in
            ["x == 'a' and y != none", "a ~ b", "x in ['a', 'b'] or not y", "-1", "x is divisibleby 3", "config(tags=['a'], meta={'b': 1})"]
        {
            check(text, text);
        }
        let text = "{% for x in [1, 2] %}{% endfor %}-- a + b";
        assert_eq!(rewrite(text), Rewritten::unchanged(text));
    }

    #[test]
    fn literals_and_slices() {
        check("[x, {'k': b[0]}]", "__list([x, __dict({'k': b[0]})])");
        check("a[1:]", "__slice(a,1,none,none)");
        check("a.b[:-1:2].c", "__slice(a.b,none,-1,2).c");
        check("a[::x][1]", "__slice(a,none,none,x)[1]");
    }

    #[test]
    fn offsets_lead_back() {
        let text = "[x] {% set a = ['é', b + 1] %}{% do a.append(c[1]) %}";
        let done = rewrite(text);
        for word in ["append", "b ", "c[", "set", "%}"] {
            assert_eq!(done.original(done.text.find(word).unwrap()), text.find(word).unwrap(), "{word}");
        }
        assert_eq!(done.original(done.text.find("__add").unwrap() + 2), text.find("b +").unwrap());
    }

    #[test]
    fn do_takes_all_expressions() {
        let done = |text: &str| rewrite(&format!("{{% do {text} %}}")).text;
        assert_eq!(done("a.append(1)"), "{% do a.append(1) %}");
        assert_eq!(done("a.append(1) if b"), "{% do __do(a.append(1) if b) %}");
        assert_eq!(done("x"), "{% do __do(x) %}");
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        let text = "{{ a + }} {{ b + 1 }}";
        assert_eq!(rewrite(text).text, "{{ a + }} {{ __add(b , 1) }}");
    }
}

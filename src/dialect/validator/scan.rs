//! A statement as tokens with their places, their parentheses matched and their calls found. Written for Redshift's rules of letters: a
//! backslash escapes in a literal, and blocks of comments nest.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A name in quotes.
    Name,
    Text,
    Number,
    /// Letters that are none of these: one operator or one mark.
    Sign,
    /// `E'…'`, `U&'…'`, `$$…$$`: literals that Redshift's statements do not have.
    Foreign,
}

#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    pub range: Range<usize>,
    /// How many parentheses and brackets are open around it.
    pub depth: usize,
    /// The token that closes what this one opens, or opens what this one closes.
    pub partner: Option<usize>,
}

/// The tokens of a text without blanks and comments.
pub(super) struct Tokens<'t> {
    pub all: Vec<Token<'t>>,
}

/// A call: its name, the tokens between its parentheses, and what stands behind them.
pub(super) struct Call {
    /// Of the last part of its name.
    pub name: usize,
    /// Whether a schema stands before the name.
    pub qualified: bool,
    /// Of each argument, its tokens.
    pub arguments: Vec<Range<usize>>,
    /// The tokens between the parentheses of WITHIN GROUP.
    pub within: Option<Range<usize>>,
    /// The tokens between the parentheses of OVER.
    pub over: Option<Range<usize>>,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Tokens<'t> {
        let mut all: Vec<Token<'t>> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some((kind, length)) = next(text, at) {
            let range = at..at + length;
            at = range.end;
            let (Some(kind), Some(piece)) = (kind, text.get(range.clone())) else { continue };
            let mut partner = None;
            if matches!(piece, ")" | "]") && kind == Kind::Sign {
                partner = open.pop();
                let closes = all.len();
                if let Some(token) = partner.and_then(|opened| all.get_mut(opened)) {
                    token.partner = Some(closes);
                }
            }
            let depth = open.len();
            if matches!(piece, "(" | "[") && kind == Kind::Sign {
                open.push(all.len());
            }
            all.push(Token { kind, text: piece, range, depth, partner });
        }
        Tokens { all }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Token<'t>> {
        self.all.get(at)
    }

    /// Whether the token is that word, in any case.
    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        self.get(at).is_some_and(|token| match token.kind {
            Kind::Word => token.text.eq_ignore_ascii_case(word),
            Kind::Sign => token.text == word,
            _ => false,
        })
    }

    pub(super) fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Whether these words and signs follow each other.
    pub(super) fn are(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.is(at + offset, word))
    }

    /// The word at that place in small letters; empty for anything else.
    pub(super) fn word(&self, at: usize) -> String {
        self.get(at).filter(|token| token.kind == Kind::Word).map(|token| token.text.to_ascii_lowercase()).unwrap_or_default()
    }

    /// A name, quoted or not, in small letters.
    pub(super) fn name(&self, at: usize) -> Option<String> {
        let token = self.get(at)?;
        match token.kind {
            Kind::Word => Some(token.text.to_ascii_lowercase()),
            Kind::Name => Some(token.text.trim_matches('"').replace("\"\"", "\"").to_lowercase()),
            _ => None,
        }
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.get(at).map(|token| token.kind)
    }

    /// The place behind what opens at that place.
    pub(super) fn behind(&self, at: usize) -> usize {
        self.get(at).and_then(|token| token.partner).map_or(at + 1, |closes| closes + 1)
    }

    /// The bytes from the beginning of one token to the end of another.
    pub(super) fn range(&self, first: usize, last: usize) -> Range<usize> {
        let start = self.get(first).map_or(0, |token| token.range.start);
        let end = self.get(last.min(self.len().saturating_sub(1))).map_or(start, |token| token.range.end);
        start..end.max(start)
    }

    /// The parts between commas of the tokens in a range, without nested ones.
    pub(super) fn parts(&self, inside: Range<usize>) -> Vec<Range<usize>> {
        let Some(depth) = self.get(inside.start).map(|token| token.depth) else { return Vec::new() };
        if inside.is_empty() {
            return Vec::new();
        }
        let (mut parts, mut start) = (Vec::new(), inside.start);
        for at in inside.clone() {
            if self.is(at, ",") && self.get(at).is_some_and(|token| token.depth == depth) {
                parts.push(start..at);
                start = at + 1;
            }
        }
        parts.push(start..inside.end);
        parts
    }

    /// The first token of a range with that word outside of nested parentheses.
    pub(super) fn find(&self, mut inside: Range<usize>, word: &str) -> Option<usize> {
        let depth = self.get(inside.start)?.depth;
        inside.find(|at| self.is(*at, word) && self.get(*at).is_some_and(|token| token.depth == depth))
    }

    /// All calls, in the order of their names.
    pub(super) fn calls(&self) -> Vec<Call> {
        (0..self.len()).filter_map(|at| self.call(at)).collect()
    }

    fn call(&self, name: usize) -> Option<Call> {
        let (word, opens) = (self.get(name)?, self.get(name + 1)?);
        let is_name = word.kind == Kind::Word && !NO_FUNCTIONS.contains(&self.word(name).as_str()) || word.kind == Kind::Name;
        if !is_name || opens.text != "(" {
            return None;
        }
        let closes = opens.partner?;
        let mut call =
            Call { name, qualified: name > 0 && self.is(name - 1, "."), arguments: self.parts(name + 2..closes), within: None, over: None };
        let mut behind = closes + 1;
        if self.are(behind, &["within", "group", "("]) {
            call.within = self.get(behind + 2)?.partner.map(|end| behind + 3..end);
            behind = self.behind(behind + 2);
        }
        if self.is_any(behind, &["ignore", "respect"]) && self.is(behind + 1, "nulls") {
            behind += 2;
        }
        if self.are(behind, &["over", "("]) {
            call.over = self.get(behind + 1)?.partner.map(|end| behind + 2..end);
        }
        Some(call)
    }
}

/// Words that may stand before a parenthesis and call nothing.
const NO_FUNCTIONS: &[&str] = &[
    "in",
    "and",
    "or",
    "not",
    "on",
    "using",
    "from",
    "where",
    "select",
    "values",
    "as",
    "over",
    "by",
    "exists",
    "any",
    "all",
    "some",
    "when",
    "then",
    "else",
    "having",
    "join",
    "union",
    "except",
    "intersect",
    "distinct",
    "group",
    "filter",
    "with",
    "key",
    "sortkey",
    "distkey",
    "limit",
    "table",
    "like",
    "ilike",
    "between",
    "is",
    "case",
    "into",
    "set",
    "references",
    "unique",
    "check",
    "default",
    "qualify",
    "sets",
    "minus",
    "top",
    "offset",
];

/// The kind of what begins at that place and its length; `None` for blanks and comments.
fn next(text: &str, at: usize) -> Option<(Option<Kind>, usize)> {
    let rest = text.get(at..)?;
    let first = rest.chars().next()?;
    Some(match first {
        _ if first.is_whitespace() => (None, rest.len() - rest.trim_start().len()),
        '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (None, comment(rest)),
        '\'' => (Some(Kind::Text), quoted(rest, '\'', true)),
        '"' => (Some(Kind::Name), quoted(rest, '"', false)),
        'e' | 'E' if rest.get(1..2) == Some("'") => (Some(Kind::Foreign), 1 + quoted(rest.get(1..)?, '\'', true)),
        'u' | 'U' if rest.get(1..3) == Some("&'") => (Some(Kind::Foreign), 2 + quoted(rest.get(2..)?, '\'', false)),
        '$' => dollar(rest),
        _ if first.is_ascii_digit()
            || first == '.' && rest.get(1..2).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            (Some(Kind::Number), number(rest))
        }
        _ if is_letter(first) || first == '#' && rest.chars().nth(1).is_some_and(is_letter) => {
            (Some(Kind::Word), rest.find(|c: char| !is_letter(c) && !c.is_ascii_digit() && c != '$' && c != '#').unwrap_or(rest.len()))
        }
        _ => {
            let signs = [
                "::", "->>", "->", "#>>", "#>", "@>", "<@", "!~~*", "!~~", "~~*", "~~", "!~*", "!~", "~*", "<=", ">=", "<>", "!=", "||",
                "=>", ":=",
            ];
            let length = signs.iter().find(|sign| rest.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len());
            (Some(Kind::Sign), length)
        }
    })
}

fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    rest.len()
}

fn comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(piece) = rest.get(at..) {
        if piece.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if piece.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += piece.chars().next().map_or(1, char::len_utf8);
        }
        if at >= rest.len() {
            break;
        }
    }
    rest.len()
}

fn number(rest: &str) -> usize {
    let mut end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    if rest.get(end..).is_some_and(|behind| behind.starts_with(['e', 'E'])) {
        let digits = rest.get(end + 1..).unwrap_or("");
        let signed = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        let length = signed.find(|c: char| !c.is_ascii_digit()).unwrap_or(signed.len());
        if length > 0 {
            end += 1 + digits.len() - signed.len() + length;
        }
    }
    end
}

/// `$1` is a parameter, `$tag$ … $tag$` a literal.
fn dollar(rest: &str) -> (Option<Kind>, usize) {
    let tag = rest.get(1..).and_then(|behind| behind.find('$')).and_then(|end| rest.get(..end + 2));
    match tag
        .filter(|tag| tag.chars().all(|c| c == '$' || is_letter(c) || c.is_ascii_digit()) && !tag.starts_with(|c: char| c.is_ascii_digit()))
    {
        Some(tag) => {
            let end = rest.get(tag.len()..).and_then(|body| body.find(tag)).map_or(rest.len(), |end| end + 2 * tag.len());
            (Some(Kind::Foreign), end)
        }
        None => (
            Some(Kind::Number),
            rest.get(1..).and_then(|behind| behind.find(|c: char| !c.is_ascii_digit())).map_or(rest.len(), |end| end + 1),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_kinds_places_and_partners() {
        let text = "select f('a\\'b', $1) -- x\n/* /* y */ */ ->> \"N\" 1.5e3 E'x'";
        let tokens = Tokens::new(text);
        let texts: Vec<&str> = tokens.all.iter().map(|token| token.text).collect();
        assert_eq!(texts, ["select", "f", "(", "'a\\'b'", ",", "$1", ")", "->>", "\"N\"", "1.5e3", "E'x'"]);
        assert_eq!(tokens.all[2].partner, Some(6));
        assert_eq!(tokens.all[10].kind, Kind::Foreign);
        assert_eq!(&text[tokens.range(2, 6)], "('a\\'b', $1)");
    }

    #[test]
    fn calls_have_arguments_and_windows() {
        let tokens = Tokens::new("select s.f(a, g(b, c)), listagg(x, ',') within group (order by x) over (partition by y), 1 in (2)");
        let calls = tokens.calls();
        let names: Vec<(String, usize, bool)> =
            calls.iter().map(|call| (tokens.word(call.name), call.arguments.len(), call.over.is_some())).collect();
        assert_eq!(names, [("f".to_owned(), 2, false), ("g".to_owned(), 2, false), ("listagg".to_owned(), 2, true)]);
        assert!(calls[0].qualified && calls[2].within.is_some());
    }
}

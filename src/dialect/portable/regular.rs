//! Regular expressions, read as PostgreSQL reads them and written for each engine.
//!
//! What a class such as `[[:alpha:]]` or `\w` holds depends on the locale in PostgreSQL, and is of ASCII on Redshift. So these are
//! the letters, digits and spaces of ASCII everywhere, written out; both cases of a letter are written out too where case does not count.
//!
//! - <https://www.postgresql.org/docs/15/functions-matching.html#POSIX-SYNTAX-DETAILS>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-posix.html>
//! - <https://github.com/google/re2/wiki/Syntax>

use std::iter::Peekable;
use std::str::Chars;

use regex_syntax::hir::Look;

use super::certainty;

/// Who reads the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Postgres,
    DuckDb,
    Redshift,
    /// Redshift with the parameter `p`.
    Pcre,
    /// The analysis of which match is taken.
    Analysis,
}

/// A regular expression that means the same on all engines.
#[derive(Debug)]
pub(super) struct Pattern {
    pub text: String,
    pub groups: usize,
    /// Whether all engines take the same of several matches: PostgreSQL takes the longest, others what is tried first.
    pub is_certain: bool,
    /// Whether a match may have no characters.
    pub matches_nothing: bool,
    pub starts_anchored: bool,
}

/// Reads a regular expression of PostgreSQL's; the error says what is not the same everywhere.
pub(super) fn read(text: &str, reader: Reader, folds: bool) -> Result<Pattern, String> {
    if text.starts_with("***") {
        return Err("an option".to_owned());
    }
    let (written, groups) = Translation::of(text, reader, folds)?;
    let (analysed, _) = Translation::of(text, Reader::Analysis, folds)?;
    let tree = regex_syntax::parse(&analysed).map_err(|_| "a form that some engines do not read".to_owned())?;
    if certainty::has_anchor_inside(&tree) {
        return Err("an anchor in the middle".to_owned());
    }
    let properties = tree.properties();
    let ends_anchored = properties.look_set_suffix().contains(Look::End);
    Ok(Pattern {
        text: written,
        groups,
        is_certain: certainty::is_certain(&tree) || ends_anchored && certainty::is_greedy(&tree) && groups == 0,
        matches_nothing: properties.minimum_len().is_none_or(|length| length == 0),
        starts_anchored: properties.look_set_prefix().contains(Look::Start),
    })
}

struct Translation<'t> {
    rest: Peekable<Chars<'t>>,
    reader: Reader,
    folds: bool,
    written: String,
    groups: usize,
    has_point: bool,
}

impl Translation<'_> {
    fn of(text: &str, reader: Reader, folds: bool) -> Result<(String, usize), String> {
        let rest = text.chars().peekable();
        let mut translation = Translation { rest, reader, folds, written: String::new(), groups: 0, has_point: false };
        translation.all()?;
        // In PostgreSQL a point takes a line break too.
        let start = if translation.has_point && !matches!(reader, Reader::Postgres | Reader::Redshift) { "(?s)" } else { "" };
        Ok((format!("{start}{}", translation.written), translation.groups))
    }

    fn all(&mut self) -> Result<(), String> {
        let mut repeated = false;
        while let Some(c) = self.rest.next() {
            let repeats = matches!(c, '*' | '+' | '?' | '{');
            if repeated && matches!(c, '*' | '+' | '{') {
                return Err("a repetition of a repetition".to_owned());
            }
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.times()?,
                '$' if self.reader == Reader::Pcre => self.written.push_str("\\z"),
                '.' => {
                    self.has_point = true;
                    self.written.push(c);
                }
                '*' | '+' | '?' | ')' | '|' | '^' | '$' => self.written.push(c),
                c => self.literal(c),
            }
            repeated = repeats && !(repeated && c == '?');
        }
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        self.written.push('(');
        if self.rest.peek() != Some(&'?') {
            self.groups += 1;
            return Ok(());
        }
        self.rest.next();
        if self.rest.next() != Some(':') {
            return Err("looking around, or an option".to_owned());
        }
        self.written.push_str("?:");
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,3}`
    fn times(&mut self) -> Result<(), String> {
        let mut inner = String::new();
        loop {
            match self.rest.next().ok_or("a brace that is not closed")? {
                '}' => break,
                c => inner.push(c),
            }
        }
        let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|times| times <= 255);
        if !number(least) || !most.is_empty() && !number(most) {
            return Err("a brace that is no number of repetitions".to_owned());
        }
        self.written.push_str(&format!("{{{inner}}}"));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let escaped = self.rest.next().ok_or("a backslash at the end")?;
        match (escaped, self.set(&escaped.to_lowercase().to_string())) {
            ('d' | 'w' | 's', Some(set)) => self.written.push_str(&format!("[{set}]")),
            ('D' | 'W' | 'S', Some(set)) => self.written.push_str(&format!("[^{set}]")),
            ('n' | 't' | 'r', _) => self.written.push_str(&self.control(escaped)),
            (c, _) if c.is_ascii_digit() => return Err("a reference to a group".to_owned()),
            (c, _) if c.is_alphanumeric() => return Err(format!("\\{c}")),
            (c, _) => self.written.push_str(&format!("\\{c}")),
        }
        Ok(())
    }

    /// A control character. Redshift documents no escapes for them, so it gets the character.
    fn control(&self, letter: char) -> String {
        match (self.reader, letter) {
            (Reader::Redshift, 'n') => "\n".to_owned(),
            (Reader::Redshift, 't') => "\t".to_owned(),
            (Reader::Redshift, 'r') => "\r".to_owned(),
            _ => format!("\\{letter}"),
        }
    }

    /// A character outside of classes.
    fn literal(&mut self, c: char) {
        let cases = self.cases(c);
        match self.reader {
            _ if !cases.is_empty() => self.written.push_str(&format!("[{c}{cases}]")),
            Reader::Analysis => self.written.push_str(&regex_syntax::escape(&c.to_string())),
            _ => self.written.push(c),
        }
    }

    /// The other cases of a letter, where case does not count.
    fn cases(&self, c: char) -> String {
        let single = |mut letters: Box<dyn Iterator<Item = char>>| letters.next().filter(|_| letters.next().is_none());
        if !self.folds {
            return String::new();
        }
        let mut others: Vec<char> =
            [single(Box::new(c.to_lowercase())), single(Box::new(c.to_uppercase()))].into_iter().flatten().collect();
        others.retain(|other| *other != c);
        others.into_iter().collect()
    }

    fn class(&mut self) -> Result<(), String> {
        self.written.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.written.push('^');
        }
        let (mut first, mut has_hyphen) = (true, false);
        loop {
            let c = self.rest.next().ok_or("a class without an end")?;
            match c {
                ']' if !first => break,
                '[' if self.rest.peek().is_some_and(|next| matches!(next, ':' | '=' | '.')) => self.named_class()?,
                // In the middle it might make a range.
                '-' if !first => has_hyphen = true,
                c => self.member(c)?,
            }
            first = false;
        }
        if has_hyphen {
            self.written.push_str(if self.reader == Reader::Analysis { "\\-" } else { "-" });
        }
        self.written.push(']');
        Ok(())
    }

    fn named_class(&mut self) -> Result<(), String> {
        if self.rest.next() != Some(':') {
            return Err("a class of equal letters".to_owned());
        }
        let name: String = self.rest.by_ref().take_while(|c| *c != ':').collect();
        match (self.rest.next(), self.set(&name)) {
            (Some(']'), Some(set)) => self.written.push_str(&set),
            _ => return Err(format!("the class {name}")),
        }
        Ok(())
    }

    /// A character of a class, a range, or a class with a backslash.
    fn member(&mut self, c: char) -> Result<(), String> {
        let Some(low) = self.one(c)? else { return Ok(()) };
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || ahead.next().is_none_or(|next| next == ']') {
            self.bound(low);
            let cases = self.cases(low);
            self.written.push_str(&cases);
            return Ok(());
        }
        self.rest.next();
        let next = self.rest.next().ok_or("a class without an end")?;
        if next == '[' {
            return Err("a range up to a class".to_owned());
        }
        let Some(high) = self.one(next)? else { return Err("a range up to a class".to_owned()) };
        self.bound(low);
        self.written.push('-');
        self.bound(high);
        if self.folds {
            self.other_case(low, high)?;
        }
        Ok(())
    }

    /// The character that is meant; `None` where it was a class, which is written.
    fn one(&mut self, c: char) -> Result<Option<char>, String> {
        if c != '\\' {
            return Ok(Some(c));
        }
        let escaped = self.rest.next().ok_or("a backslash at the end")?;
        match (escaped, self.set(&escaped.to_string())) {
            ('d' | 'w' | 's', Some(set)) => self.written.push_str(&set),
            ('n' | 't' | 'r', _) => self.written.push_str(&self.control(escaped)),
            (c, _) if c.is_alphanumeric() => return Err(format!("\\{c} in a class")),
            (c, _) => return Ok(Some(c)),
        }
        Ok(None)
    }

    /// A character in a class, so that it stands for itself.
    fn bound(&mut self, c: char) {
        let special = match self.reader {
            Reader::Analysis => c.is_ascii_punctuation(),
            _ => matches!(c, '\\' | ']' | '[' | '^' | '-'),
        };
        if special && !(c == '-' && self.written.ends_with(['[', '^'])) {
            self.written.push('\\');
        }
        self.written.push(c);
    }

    /// The letters of a range in their other case.
    fn other_case(&mut self, low: char, high: char) -> Result<(), String> {
        if !high.is_ascii() {
            return Err("a range of letters beyond ASCII in both cases".to_owned());
        }
        for (from, to) in [('a', 'A'), ('A', 'a')] {
            let end = char::from(from as u8 + 25);
            let (start, stop) = (low.max(from), high.min(end));
            if start <= stop {
                let moved = |c: char| char::from(c as u8 - from as u8 + to as u8);
                self.written.push_str(&format!("{}-{}", moved(start), moved(stop)));
            }
        }
        Ok(())
    }

    /// What a class of this name holds.
    fn set(&self, name: &str) -> Option<String> {
        let space = match self.reader {
            Reader::Redshift => " \t\n\r\u{c}\u{b}",
            Reader::Pcre => r" \t\n\r\f\x0b",
            _ => r" \t\n\r\f\v",
        };
        Some(match name {
            "d" | "digit" => "0-9".to_owned(),
            "w" | "word" => "A-Za-z0-9_".to_owned(),
            "s" | "space" => space.to_owned(),
            "blank" => format!(" {}", self.control('t')),
            "alpha" => "A-Za-z".to_owned(),
            "alnum" => "A-Za-z0-9".to_owned(),
            "upper" | "lower" if self.folds => "A-Za-z".to_owned(),
            "upper" => "A-Z".to_owned(),
            "lower" => "a-z".to_owned(),
            "xdigit" => "0-9A-Fa-f".to_owned(),
            "punct" => r"!-/:-@\[-`{-~".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str, reader: Reader, folds: bool) -> Result<String, String> {
        read(pattern, reader, folds).map(|read| read.text)
    }

    #[test]
    fn patterns_are_translated_or_refused() {
        let duckdb = |pattern: &str| text(pattern, Reader::DuckDb, false);
        assert_eq!(duckdb(r"^\d+[\d\w]$").as_deref(), Ok("^[0-9]+[0-9A-Za-z0-9_]$"));
        assert_eq!(duckdb("a.c").as_deref(), Ok("(?s)a.c"));
        assert_eq!(duckdb("[[:alpha:] -]{2,}").as_deref(), Ok("[A-Za-z -]{2,}"));
        assert_eq!(duckdb("[]a-c[]").as_deref(), Ok(r"[\]a-c\[]"));
        for refused in
            [r"(a)\1", r"\mword", "a(?=b)", "(?i)a", "***=a", "a**", "a{,3}", "[a", "[[=a=]]", r"[\W]", "a{999}", "a^b", "(a$)?b"]
        {
            assert!(duckdb(refused).is_err(), "{refused}");
        }
        assert_eq!(text("a.c$", Reader::Pcre, false).as_deref(), Ok(r"(?s)a.c\z"));
        assert_eq!(text(r"\s", Reader::Redshift, false).as_deref(), Ok("[ \t\n\r\u{c}\u{b}]"));
        assert_eq!(text(r"[^a-z]\.x", Reader::Postgres, false).as_deref(), Ok(r"[^a-z]\.x"));
        assert_eq!(text("aé1[b-dX]ß", Reader::Redshift, true).as_deref(), Ok("[aA][éÉ]1[b-dB-DXx]ß"));
    }
}

//! LIKE and regular expressions.
//!
//! PostgreSQL's expressions are those of Tcl, DuckDB's those of RE2, Redshift's POSIX or PCRE: what they have in common is translated,
//! the rest refused. LIKE has an escape character by default on PostgreSQL and Redshift only.
//!
//! - <https://www.postgresql.org/docs/15/functions-matching.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-posix.html>
//! - <https://duckdb.org/docs/stable/sql/functions/regular_expressions>

use regex::Regex;
use sqlparser::ast::{BinaryOperator, Expr};

use super::alternatives::alternatives_overlap;
use super::calls::Call;
use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Form, Sql, Writer, span_of};
use crate::dialect::Engine;

/// A regular expression that means the same on all engines.
struct Pattern {
    /// As the engine writes it.
    text: String,
    groups: usize,
    /// Which of several matches is taken may differ: of alternatives PostgreSQL takes the longest, others the first.
    is_ambiguous: bool,
    starts_anchored: bool,
}

impl Pattern {
    /// Whether an empty text matches, so that a match may have no characters.
    fn matches_nothing(&self) -> bool {
        Regex::new(&self.text).map_or(true, |pattern| pattern.is_match(""))
    }
}

impl Writer<'_> {
    pub(super) fn like(&mut self, expression: &Expr) -> Sql {
        let (negated, any, value, pattern, escape, folds) = match expression {
            Expr::Like { negated, any, expr, pattern, escape_char } => (*negated, *any, expr, pattern, escape_char, false),
            Expr::ILike { negated, any, expr, pattern, escape_char } => (*negated, *any, expr, pattern, escape_char, true),
            _ => return Sql::atom("null"),
        };
        if any {
            return self.like_any(expression, pattern);
        }
        let [value, written] = [value, pattern].map(|part| self.expression(part).part());
        self.like_one(&value, written, pattern, escape.as_deref(), folds, negated)
    }

    /// `like any (array[…])`: one after another.
    fn like_any(&mut self, expression: &Expr, patterns: &Expr) -> Sql {
        let (value, negated, folds) = match expression {
            Expr::Like { negated, expr, .. } => (expr, *negated, false),
            Expr::ILike { negated, expr, .. } => (expr, *negated, true),
            _ => return Sql::atom("null"),
        };
        let Some(list) = listed(patterns) else {
            return self.refuse(span_of(value), "LIKE ANY of no literal list is not the same on all engines", "join several LIKE with OR");
        };
        let value = self.expression(value).part();
        let parts: Vec<String> = list
            .iter()
            .map(|pattern| {
                let written = self.expression(pattern).part();
                self.like_one(&value, written, pattern, None, folds, negated).part()
            })
            .collect();
        Sql { text: parts.join(" or "), form: Form::Or }
    }

    fn like_one(&mut self, value: &str, written: String, pattern: &Expr, escape: Option<&Expr>, folds: bool, negated: bool) -> Sql {
        let escape = match escape {
            Some(escape) => format!(" escape {}", self.expression(escape).text),
            // A literal without a backslash needs none.
            None if self.is(Engine::DuckDb)
                && plain_text(pattern).is_none_or(|text| text.contains('\\'))
                && self.rewrites(Rewrite::LikeEscape) =>
            {
                " escape '\\'".to_owned()
            }
            None => String::new(),
        };
        let not = if negated { "not " } else { "" };
        if folds && self.is(Engine::Redshift) && self.rewrites(Rewrite::CaseFolding) {
            return Sql::loose(format!("lower({value}) {not}like lower({written}){escape}"));
        }
        let word = if folds { "ilike" } else { "like" };
        Sql::loose(format!("{value} {not}{word} {written}{escape}"))
    }

    /// `~`, `~*`, `!~` and `!~*`.
    pub(super) fn matches(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Sql {
        // The parser gives these another rank than the database.
        let mixed = |side: &Expr| matches!(side, Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Cast { .. } if !matches!(side, Expr::Cast { .. }));
        if mixed(left) || mixed(right) {
            return self.refuse(span_of(left), format!("what {op} applies to is not certain"), "put its sides in parentheses");
        }
        let (folds, negated) = match op {
            BinaryOperator::PGRegexMatch => (false, false),
            BinaryOperator::PGRegexIMatch => (true, false),
            BinaryOperator::PGRegexNotMatch => (false, true),
            _ => (true, true),
        };
        if self.is(Engine::Postgres) {
            let (one, other) = (self.expression(left).part(), self.expression(right).part());
            return Sql::loose(format!("{one} {op} {other}"));
        }
        let Some(pattern) = self.pattern(right) else { return Sql::atom("null") };
        let value = self.expression(left);
        let sql = match (self.target(), folds) {
            (Engine::DuckDb, _) => {
                let flags = if folds { "(?i)" } else { "" };
                Sql::atom(format!("regexp_matches({}, {})", value.text, self.text(&format!("{flags}{}", pattern.text))))
            }
            (_, false) => Sql::loose(format!("{} ~ {}", value.part(), self.text(&pattern.text))),
            (_, true) => Sql::loose(format!("regexp_instr({}, {}, 1, 1, 0, 'i') > 0", value.text, self.text(&pattern.text))),
        };
        if negated { Sql::loose(format!("not {}", sql.part())) } else { sql }
    }

    /// `regexp_replace(s, p, r [, flags])`: the first match, or all with `g`.
    pub(super) fn regexp_replace(&mut self, call: &Call<'_>) -> Sql {
        let (value, pattern, replacement, flags) = match call.arguments.as_slice() {
            [value, pattern, replacement] => (value, pattern, replacement, ""),
            [value, pattern, replacement, flags] => match plain_text(flags) {
                Some(flags) => (value, pattern, replacement, flags),
                None => return self.wrong_arguments(call),
            },
            _ => return self.wrong_arguments(call),
        };
        let (all, folds) = (flags.contains('g'), flags.contains('i'));
        let Some(text) = plain_text(replacement) else {
            return self.refuse(span_of(replacement), "the replacement is to be a literal", "write it as a literal");
        };
        let Some(read) = self.unambiguous(pattern) else { return Sql::atom("null") };
        if !flags.chars().all(|flag| matches!(flag, 'g' | 'i')) || text.contains("\\&") || text.contains('$') && self.is(Engine::Redshift) {
            return self.refuse(
                call.span,
                "this kind of replacement is not the same on all engines",
                "use the flags g and i, and groups as \\1",
            );
        }
        let value = self.expression(value).text;
        match self.target() {
            Engine::Redshift if !all && !read.starts_anchored && self.rewrites(Rewrite::RegexpReplace) => {
                self.first_replaced(call, &value, &read, text, folds)
            }
            Engine::Redshift if self.rewrites(Rewrite::RegexpReplace) => {
                // The flag p asks for expressions of PCRE, where a group is $1.
                let text = groups_of_pcre(text);
                let flags = if folds { "ip" } else { "p" };
                Sql::atom(format!("regexp_replace({value}, {}, {}, 1, '{flags}')", self.text(&read.text), self.text(&text)))
            }
            _ => {
                let start = if folds { "(?i)" } else { "" };
                let rest = if all { ", 'g'" } else { "" };
                let pattern = self.text(&format!("{start}{}", read.text));
                Sql::atom(format!("regexp_replace({value}, {pattern}, {}{rest})", self.text(text)))
            }
        }
    }

    /// Redshift replaces all matches: the first is cut out, replaced by itself and put back.
    fn first_replaced(&mut self, call: &Call<'_>, value: &str, read: &Pattern, replacement: &str, folds: bool) -> Sql {
        if read.matches_nothing() {
            let help = "write the pattern so that a match has at least one character, or replace all with the flag 'g'";
            return self.lacks(call.span, "replacing a first match that may be empty", help);
        }
        let flags = if folds { "ip" } else { "p" };
        let (pattern, replacement) = (self.text(&read.text), self.text(&groups_of_pcre(replacement)));
        let start = format!("regexp_instr({value}, {pattern}, 1, 1, 0, '{flags}')");
        let behind = format!("regexp_instr({value}, {pattern}, 1, 1, 1, '{flags}')");
        let found = format!("regexp_substr({value}, {pattern}, 1, 1, '{flags}')");
        Sql::loose(format!(
            "case when {start} = 0 then {value} else left({value}, {start} - 1) \
             || regexp_replace({found}, {pattern}, {replacement}, 1, '{flags}') || substring({value}, {behind}) end"
        ))
    }

    pub(super) fn regexp_count(&mut self, call: &Call<'_>) -> Sql {
        let [value, pattern] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let Some(read) = self.unambiguous(pattern) else { return Sql::atom("null") };
        let (value, pattern) = (self.expression(value).text, self.text(&read.text));
        match self.target() {
            Engine::DuckDb if self.rewrites(Rewrite::RegexpCount) => Sql::atom(format!("len(regexp_extract_all({value}, {pattern}))")),
            _ => Sql::atom(format!("regexp_count({value}, {pattern})")),
        }
    }

    /// `substring(s from p)`: the group, or the match where there is none; null where nothing matches, not an empty string.
    pub(super) fn part_by_pattern(&mut self, value: &Expr, pattern: &Expr) -> Sql {
        if self.is(Engine::Postgres) {
            return Sql::atom(format!("substring({} from {})", self.expression(value).text, self.expression(pattern).text));
        }
        let Some(read) = self.unambiguous(pattern) else { return Sql::atom("null") };
        if read.groups > 1 || read.text.contains(")?") || read.text.contains(")*") {
            let help = "write one group that always takes part";
            return self.refuse(span_of(pattern), "which group is taken is not the same on all engines", help);
        }
        let (value, pattern) = (self.expression(value), self.text(&read.text));
        if !self.rewrites(Rewrite::SubstringPattern) {
            return Sql::atom(format!("regexp_extract({}, {pattern}, {})", value.text, read.groups));
        }
        match self.target() {
            Engine::DuckDb => Sql::loose(format!(
                "case when regexp_matches({0}, {pattern}) then regexp_extract({0}, {pattern}, {1}) end",
                value.text, read.groups
            )),
            _ => {
                let group = if read.groups == 1 { ", 1, 1, 'e'" } else { "" };
                let text = value.text.clone();
                Sql::loose(format!("case when {} ~ {pattern} then regexp_substr({text}, {pattern}{group}) end", value.part()))
            }
        }
    }

    fn unambiguous(&mut self, pattern: &Expr) -> Option<Pattern> {
        let read = self.pattern(pattern)?;
        if read.is_ambiguous {
            let message = "which of several matches this pattern takes is not the same on all engines";
            self.refuse(
                span_of(pattern),
                message,
                "write it without alternatives of which one begins like another, and without *?, +? and ??",
            );
            return None;
        }
        Some(read)
    }

    fn pattern(&mut self, pattern: &Expr) -> Option<Pattern> {
        let help = "write a literal with classes, groups, anchors and repetitions only";
        let Some(text) = plain_text(pattern) else {
            self.refuse(span_of(pattern), "a regular expression has to be a literal to be translated", help);
            return None;
        };
        match read_pattern(text, self.engine) {
            Ok(read) => Some(read),
            Err(what) => {
                self.refuse(span_of(pattern), format!("{what} in a regular expression is not the same on all engines"), help);
                None
            }
        }
    }
}

fn listed(patterns: &Expr) -> Option<&[Expr]> {
    match patterns {
        Expr::Nested(inner) => listed(inner),
        Expr::Array(array) => Some(&array.elem),
        Expr::Tuple(parts) => Some(parts),
        _ => None,
    }
}

fn read_pattern(text: &str, engine: Engine) -> Result<Pattern, String> {
    let mut pattern = Pattern { text: String::new(), groups: 0, is_ambiguous: false, starts_anchored: text.starts_with('^') };
    if text.starts_with("***") || text.starts_with("(?") && !text.starts_with("(?:") {
        return Err("an option".to_owned());
    }
    // In PostgreSQL a point takes a line break too.
    if engine == Engine::DuckDb && text.contains('.') {
        pattern.text.push_str("(?s)");
    }
    let mut chars = text.chars().peekable();
    let mut in_class = false;
    let mut before = ' ';
    pattern.is_ambiguous = alternatives_overlap(text);
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("a backslash at the end")?;
                pattern.text.push_str(&escape(escaped, in_class, engine)?);
                before = 'x';
                continue;
            }
            '[' if !in_class => in_class = true,
            // DuckDB's classes know ASCII only.
            '[' if chars.peek() == Some(&':') && engine == Engine::DuckDb => {
                let name: String = chars.by_ref().skip(1).take_while(|c| *c != ':').collect();
                if chars.next() != Some(']') {
                    return Err(format!("[:{name}"));
                }
                pattern.text.push_str(match name.as_str() {
                    "alpha" => "\\pL",
                    "alnum" => "\\pL\\pN",
                    "upper" => "\\p{Lu}",
                    "lower" => "\\p{Ll}",
                    "digit" => "0-9",
                    "space" => "\\s",
                    "punct" | "blank" | "xdigit" => {
                        pattern.text.push_str(&format!("[:{name}:]"));
                        before = ']';
                        continue;
                    }
                    _ => return Err(format!("the class {name}")),
                });
                before = 'x';
                continue;
            }
            ']' if in_class && before != '[' => in_class = false,
            '(' if !in_class => {
                if chars.peek() == Some(&'?') {
                    let mut ahead = chars.clone();
                    ahead.next();
                    if ahead.next() != Some(':') {
                        return Err("looking around".to_owned());
                    }
                } else {
                    pattern.groups += 1;
                }
            }
            '?' if !in_class && matches!(before, '*' | '+' | '?' | '}') => pattern.is_ambiguous = true,
            _ => {}
        }
        pattern.text.push(c);
        before = c;
    }
    Ok(pattern)
}

fn escape(escaped: char, in_class: bool, engine: Engine) -> Result<String, String> {
    let duckdb = engine == Engine::DuckDb;
    Ok(match escaped {
        'd' if in_class => "0-9".to_owned(),
        'd' => "[0-9]".to_owned(),
        'w' if duckdb && in_class => "\\pL\\pN_".to_owned(),
        'w' if duckdb => "[\\pL\\pN_]".to_owned(),
        'w' | 's' | 'S' | 'n' | 't' | 'r' => format!("\\{escaped}"),
        'D' if !in_class => "[^0-9]".to_owned(),
        c if c.is_ascii_digit() => return Err("a reference to a group".to_owned()),
        c if c.is_ascii_alphabetic() => return Err(format!("\\{c}")),
        c => format!("\\{c}"),
    })
}

fn groups_of_pcre(text: &str) -> String {
    let mut written = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(digit)) if digit.is_ascii_digit() => written.push('$'),
            ('\\', Some('\\')) => {
                chars.next();
                written.push('\\');
            }
            _ => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_translated_or_refused() {
        let read = |text: &str| read_pattern(text, Engine::DuckDb).map(|pattern| pattern.text);
        assert_eq!(read(r"^\d+[\d\w]$").as_deref(), Ok(r"^[0-9]+[0-9\pL\pN_]$"));
        assert_eq!(read("a.c").as_deref(), Ok("(?s)a.c"));
        for refused in [r"(a)\1", r"\mword", "a(?=b)", "(?i)a", "***=a"] {
            assert!(read(refused).is_err(), "{refused}");
        }
        let ambiguous = |text: &str| read_pattern(text, Engine::DuckDb).unwrap().is_ambiguous;
        assert!(ambiguous("(a|ab)") && ambiguous("a+?") && !ambiguous("^(mr|dr) ") && !ambiguous("[|]"));
    }
}

//! LIKE and regular expressions.
//!
//! PostgreSQL's expressions are those of Tcl, DuckDB's those of RE2, Redshift's POSIX or PCRE: what they have in common is translated,
//! the rest refused. LIKE has an escape character by default on PostgreSQL and Redshift only.
//!
//! - <https://www.postgresql.org/docs/15/functions-matching.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-posix.html>
//! - <https://duckdb.org/docs/stable/sql/functions/regular_expressions>

use sqlparser::ast::{BinaryOperator, Expr};

use super::calls::Call;
use super::literals::plain_text;
use super::regular::{self, Pattern, Reader};
use super::rewrite::Rewrite;
use super::writer::{Form, Sql, Writer, span_of};
use crate::dialect::Engine;

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
            Some(letter) if folds && plain_text(letter).is_none_or(|text| text.chars().any(char::is_alphabetic)) => {
                let help = "write a character that is no letter";
                return self.refuse(span_of(letter), "a letter as escape character of ILIKE is not the same on all engines", help);
            }
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
        if folds && !self.is(Engine::DuckDb) && self.rewrites(Rewrite::CaseFolding) {
            let [value, written] = [value, &written].map(|side| self.small_letters("lower", side).text);
            return Sql::loose(format!("{value} {not}like {written}{escape}"));
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
        let Some(pattern) = self.pattern(right, folds, false) else {
            let (one, other) = (self.expression(left).part(), self.expression(right).part());
            return Sql::loose(format!("{one} {op} {other}"));
        };
        // Without the rewrite, the engine is asked to overlook case.
        let asked = folds && !self.rewrites(Rewrite::Pattern);
        let value = self.expression(left);
        let sql = match self.target() {
            Engine::DuckDb => {
                let flags = if asked { "(?i)" } else { "" };
                Sql::atom(format!("regexp_matches({}, {})", value.text, self.text(&format!("{flags}{}", pattern.text))))
            }
            Engine::Redshift if asked => {
                Sql::loose(format!("regexp_instr({}, {}, 1, 1, 0, 'i') > 0", value.text, self.text(&pattern.text)))
            }
            _ => {
                let not = if negated { "!" } else { "" };
                let star = if asked { "*" } else { "" };
                return Sql::loose(format!("{} {not}~{star} {}", value.part(), self.text(&pattern.text)));
            }
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
        let names_groups = text.contains('\\');
        let Some(read) = self.unambiguous(pattern, folds, names_groups) else {
            return self.plain_call(call, "regexp_replace");
        };
        if !flags.chars().all(|flag| matches!(flag, 'g' | 'i'))
            || !names_only_groups(text, read.groups)
            || (text.contains('$') || text.contains("\\\\")) && self.is(Engine::Redshift)
        {
            return self.refuse(
                call.span,
                "this kind of replacement is not the same on all engines",
                "use the flags g and i, and groups as \\1",
            );
        }
        if all && read.matches_nothing {
            return self.refuse_empty_matches(call);
        }
        // Without the rewrite, the engine is asked to overlook case.
        let asked = folds && !self.rewrites(Rewrite::Pattern);
        let value = self.expression(value).text;
        match self.target() {
            Engine::Redshift if !all && !read.starts_anchored && self.rewrites(Rewrite::RegexpReplace) => {
                self.first_replaced(call, &value, &read, text)
            }
            Engine::Redshift if self.rewrites(Rewrite::RegexpReplace) => {
                // The flag p asks for expressions of PCRE, where a group is $1.
                let flags = [if asked { "i" } else { "" }, if names_groups { "p" } else { "" }].concat();
                let flags = if flags.is_empty() { String::new() } else { format!(", 1, '{flags}'") };
                let text = groups_of_pcre(text);
                Sql::atom(format!("regexp_replace({value}, {}, {}{flags})", self.text(&read.text), self.text(&text)))
            }
            engine => {
                let start = if asked && engine == Engine::DuckDb { "(?i)" } else { "" };
                let flags = [if all { "g" } else { "" }, if asked && engine != Engine::DuckDb { "i" } else { "" }].concat();
                let rest = if flags.is_empty() { String::new() } else { format!(", '{flags}'") };
                let pattern = self.text(&format!("{start}{}", read.text));
                Sql::atom(format!("regexp_replace({value}, {pattern}, {}{rest})", self.text(text)))
            }
        }
    }

    fn refuse_empty_matches(&mut self, call: &Call<'_>) -> Sql {
        let help = "write the pattern so that a match has at least one character";
        self.refuse(call.span, "how often a pattern matches that may be empty is not the same on all engines", help)
    }

    /// Redshift replaces all matches: the first is cut out, replaced by itself and put back.
    fn first_replaced(&mut self, call: &Call<'_>, value: &str, read: &Pattern, replacement: &str) -> Sql {
        if read.matches_nothing {
            let help = "write the pattern so that a match has at least one character, or replace all with the flag 'g'";
            return self.lacks(call.span, "replacing a first match that may be empty", help);
        }
        let (flags, mode) = if replacement.contains('\\') { (", 'p'", ", 1, 1, 'p'") } else { ("", "") };
        let (pattern, replacement) = (self.text(&read.text), self.text(&groups_of_pcre(replacement)));
        let start = format!("regexp_instr({value}, {pattern}, 1, 1, 0{flags})");
        let behind = format!("regexp_instr({value}, {pattern}, 1, 1, 1{flags})");
        let written = match mode {
            "" => replacement,
            mode => format!("regexp_replace(regexp_substr({value}, {pattern}{mode}), {pattern}, {replacement}, 1, 'p')"),
        };
        Sql::loose(format!(
            "case when {start} = 0 then {value} else left({value}, {start} - 1) || {written} || substring({value}, {behind}) end"
        ))
    }

    pub(super) fn regexp_count(&mut self, call: &Call<'_>) -> Sql {
        let [value, pattern] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let Some(read) = self.unambiguous(pattern, false, false) else { return self.plain_call(call, "regexp_count") };
        if read.matches_nothing {
            return self.refuse_empty_matches(call);
        }
        let (value, pattern) = (self.expression(value).text, self.text(&read.text));
        match self.target() {
            Engine::DuckDb if self.rewrites(Rewrite::RegexpCount) => Sql::atom(format!("len(regexp_extract_all({value}, {pattern}))")),
            _ => Sql::atom(format!("regexp_count({value}, {pattern})")),
        }
    }

    /// `substring(s from p)`: the group, or the match where there is none; null where nothing matches, not an empty string.
    pub(super) fn part_by_pattern(&mut self, value: &Expr, pattern: &Expr) -> Sql {
        let Some(read) = self.unambiguous(pattern, false, false) else {
            return Sql::atom(format!("substring({} from {})", self.expression(value).text, self.expression(pattern).text));
        };
        if !self.is(Engine::Postgres) && (read.groups > 1 || read.text.contains(")?") || read.text.contains(")*")) {
            let help = "write one group that always takes part";
            return self.refuse(span_of(pattern), "which group is taken is not the same on all engines", help);
        }
        let (value, pattern) = (self.expression(value), self.text(&read.text));
        if self.is(Engine::Postgres) {
            return Sql::atom(format!("substring({} from {pattern})", value.text));
        }
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

    /// A pattern of which all engines take the same match; `None` where PostgreSQL gets what the query has, or where it is refused.
    fn unambiguous(&mut self, pattern: &Expr, folds: bool, pcre: bool) -> Option<Pattern> {
        let read = self.pattern(pattern, folds, pcre)?;
        if !read.is_certain && !self.is(Engine::Postgres) {
            let help = "write it so that the next character says how to go on: no alternatives that begin alike, no *?, +? and ??";
            self.refuse(span_of(pattern), "which of several matches this pattern takes is not the same on all engines", help);
            return None;
        }
        Some(read)
    }

    fn pattern(&mut self, pattern: &Expr, folds: bool, pcre: bool) -> Option<Pattern> {
        let postgres = self.is(Engine::Postgres);
        let help = "write a literal with classes, groups, anchors and repetitions only";
        let Some(text) = plain_text(pattern) else {
            if !postgres {
                self.refuse(span_of(pattern), "a regular expression has to be a literal to be translated", help);
            }
            return None;
        };
        let reader = match self.target() {
            Engine::Postgres => Reader::Postgres,
            Engine::DuckDb => Reader::DuckDb,
            Engine::Redshift if pcre => Reader::Pcre,
            Engine::Redshift => Reader::Redshift,
        };
        match regular::read(text, reader, folds) {
            Ok(read) if !folds && read.text == text => Some(read),
            Ok(read) if self.rewrites(Rewrite::Pattern) => Some(read),
            Ok(read) => Some(Pattern { text: text.to_owned(), ..read }),
            Err(_) if postgres => None,
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

/// Whether a backslash stands before the number of a group or another one only.
fn names_only_groups(replacement: &str, groups: usize) -> bool {
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        let is_known = |c: char| c == '\\' || c.to_digit(10).is_some_and(|group| (1..=groups).contains(&(group as usize)));
        if c == '\\' && !chars.next().is_some_and(is_known) {
            return false;
        }
    }
    true
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

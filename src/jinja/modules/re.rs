//! `modules.re`: Python's regular expressions.

use std::fmt;
use std::sync::Arc;

use fancy_regex::{Regex, RegexBuilder};
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::Members;
use crate::jinja::python::{Dict, List, bind, no_method, printed, text_argument, tuple, whole_or};
use crate::jinja::values::{operation, split_args};

pub(super) const MEMBERS: Members = &[
    "match",
    "fullmatch",
    "search",
    "sub",
    "subn",
    "split",
    "findall",
    "finditer",
    "compile",
    "escape",
    "purge",
    "error",
    "A",
    "ASCII",
    "I",
    "IGNORECASE",
    "M",
    "MULTILINE",
    "S",
    "DOTALL",
    "U",
    "UNICODE",
    "X",
    "VERBOSE",
    "NOFLAG",
];

type Captures<'t> = fancy_regex::Captures<'t, str>;

const IGNORE_CASE: i64 = 2;
const MULTI_LINE: i64 = 8;
const DOT_ALL: i64 = 16;
const VERBOSE: i64 = 64;

pub(super) fn member(name: &str) -> Option<Value> {
    let flag = match name {
        "NOFLAG" => 0,
        "I" | "IGNORECASE" => IGNORE_CASE,
        "M" | "MULTILINE" => MULTI_LINE,
        "S" | "DOTALL" => DOT_ALL,
        "U" | "UNICODE" => 32,
        "X" | "VERBOSE" => VERBOSE,
        "A" | "ASCII" => 256,
        _ => return None,
    };
    Some(Value::from(flag))
}

pub(super) fn call(state: &mut State<'_, '_>, name: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    Some(match name {
        "compile" => bind("compile", args, ["pattern", "flags"], 1)
            .and_then(|[pattern, flags]| compiled(&pattern.unwrap_or_default(), flags.as_ref()).map(Value::from_dyn_object)),
        "escape" => bind("escape", args, ["pattern"], 1).map(|[pattern]| Value::from(escaped(&pattern.unwrap_or_default().to_string()))),
        "purge" => Ok(Value::from(())),
        "match" | "fullmatch" | "search" | "sub" | "subn" | "split" | "findall" | "finditer" => function(state, name, args),
        _ => return None,
    })
}

/// `re.search(pattern, string, flags)` is `re.compile(pattern, flags).search(string)`.
fn function(state: &mut State<'_, '_>, name: &str, args: &[Value]) -> Result<Value, Error> {
    let with_pattern = |pattern: Option<Value>, flags: Option<Value>| compiled(&pattern.unwrap_or_default(), flags.as_ref());
    match name {
        "sub" | "subn" => {
            let [pattern, repl, string, count, flags] = bind(name, args, ["pattern", "repl", "string", "count", "flags"], 3)?;
            let pattern = with_pattern(pattern, flags)?;
            pattern.replaced(state, name, &repl.unwrap_or_default(), &string.unwrap_or_default(), count.as_ref())
        }
        "split" => {
            let [pattern, string, most, flags] = bind(name, args, ["pattern", "string", "maxsplit", "flags"], 2)?;
            with_pattern(pattern, flags)?.split(&string.unwrap_or_default(), most.as_ref())
        }
        _ => {
            let [pattern, string, flags] = bind(name, args, ["pattern", "string", "flags"], 2)?;
            with_pattern(pattern, flags)?.find(name, &string.unwrap_or_default(), 0)
        }
    }
}

/// A pattern, read once.
struct Pattern {
    text: String,
    flags: i64,
    regex: Regex,
}

fn compiled(pattern: &Value, flags: Option<&Value>) -> Result<Arc<Pattern>, Error> {
    if let Some(pattern) = pattern.downcast_object::<Pattern>() {
        return Ok(pattern);
    }
    let text = text_argument("re", "pattern", pattern)?.to_owned();
    let flags = whole_or("re", "flags", flags, 0)?;
    let regex = build(&text, flags, "", "")?;
    Ok(Arc::new(Pattern { text, flags, regex }))
}

fn build(text: &str, flags: i64, before: &str, after: &str) -> Result<Regex, Error> {
    let letters: String = [(IGNORE_CASE, 'i'), (MULTI_LINE, 'm'), (DOT_ALL, 's'), (VERBOSE, 'x')]
        .into_iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, letter)| letter)
        .collect();
    let letters = if letters.is_empty() { String::new() } else { format!("(?{letters})") };
    let multi_line = flags & MULTI_LINE != 0 || text.starts_with("(?m") || text.starts_with("(?im") || text.starts_with("(?sm");
    let pattern = format!("{before}(?:{letters}{}){after}", translated(text, multi_line));
    let built = RegexBuilder::new(&pattern).backtrack_limit(1_000_000).build();
    built.map_err(|error| operation(format!("the regular expression '{text}' cannot be read: {error}")))
}

/// Writes what Python reads otherwise than the engine of expressions: `\Z`, `$` before a last line break, brackets within brackets.
fn translated(text: &str, multi_line: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') if !in_class => out.push_str("\\z"),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '$' if !in_class && !multi_line => out.push_str("(?=\\n?\\z)"),
            _ => out.push(c),
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn failed(error: fancy_regex::Error) -> Error {
    operation(format!("the regular expression gives up: {error}"))
}

impl Pattern {
    /// All matches from left to right, as Python counts them: an empty one may follow one that is not.
    fn matches<'t>(&self, text: &'t str, most: usize) -> Result<Vec<Captures<'t>>, Error> {
        let mut found = Vec::new();
        let mut from = 0;
        while from <= text.len() && found.len() < most {
            let Some(captures) = self.regex.captures_from_pos(text, from).map_err(failed)? else { break };
            let Some(whole) = captures.get(0) else { break };
            let (start, end) = (whole.start(), whole.end());
            found.push(captures);
            from = if start == end { end + text.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8) } else { end };
        }
        Ok(found)
    }

    fn match_value(self: &Arc<Self>, text: &str, captures: &Captures<'_>) -> Value {
        let groups = (0..captures.len()).map(|group| captures.get(group).map(|found| (found.start(), found.end()))).collect();
        Value::from_object(Match { pattern: self.clone(), text: text.to_owned(), groups })
    }

    fn find(self: &Arc<Self>, name: &str, string: &Value, from: usize) -> Result<Value, Error> {
        let text = text_argument(name, "string", string)?;
        let from = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
        let found = match name {
            "match" | "fullmatch" => {
                let rest = text.get(from..).unwrap_or("");
                let anchored = build(&self.text, self.flags, "\\A", if name == "fullmatch" { "\\z" } else { "" })?;
                return Ok(match anchored.captures(rest).map_err(failed)? {
                    Some(captures) => self.match_value(rest, &captures),
                    None => Value::from(()),
                });
            }
            "search" => {
                return Ok(match self.regex.captures_from_pos(text, from).map_err(failed)? {
                    Some(captures) => self.match_value(text, &captures),
                    None => Value::from(()),
                });
            }
            _ => self.matches(text, usize::MAX)?,
        };
        if name == "finditer" {
            return Ok(List::value(found.iter().map(|captures| self.match_value(text, captures))));
        }
        let group = |captures: &Captures<'_>, group: usize| Value::from(captures.get(group).map_or("", |found| found.as_str()));
        Ok(List::value(found.iter().map(|captures| match captures.len() {
            1 => group(captures, 0),
            2 => group(captures, 1),
            many => tuple((1..many).map(|number| group(captures, number))),
        })))
    }

    fn replaced(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        replacement: &Value,
        string: &Value,
        count: Option<&Value>,
    ) -> Result<Value, Error> {
        let text = text_argument(name, "string", string)?;
        let count = usize::try_from(whole_or(name, "count", count, 0)?).ok().filter(|count| *count > 0);
        let found = self.matches(text, count.unwrap_or(usize::MAX))?;
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for captures in &found {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(copied..whole.start()).unwrap_or(""));
            let by = match replacement.as_str() {
                Some(template) => expanded(template, |group| group_of(self, captures, group))?,
                None => printed(&replacement.call(state, &[self.match_value(text, captures)])?),
            };
            out.push_str(&by);
            copied = whole.end();
        }
        out.push_str(text.get(copied..).unwrap_or(""));
        if name == "subn" { Ok(tuple([Value::from(out), Value::from(found.len())])) } else { Ok(Value::from(out)) }
    }

    fn split(self: &Arc<Self>, string: &Value, most: Option<&Value>) -> Result<Value, Error> {
        let text = text_argument("split", "string", string)?;
        let most = usize::try_from(whole_or("split", "maxsplit", most, 0)?).ok().filter(|most| *most > 0);
        let mut parts: Vec<Value> = Vec::new();
        let mut copied = 0;
        for captures in self.matches(text, most.unwrap_or(usize::MAX))? {
            let Some(whole) = captures.get(0) else { continue };
            parts.push(Value::from(text.get(copied..whole.start()).unwrap_or("")));
            parts.extend((1..captures.len()).map(|group| captures.get(group).map_or(Value::from(()), |found| Value::from(found.as_str()))));
            copied = whole.end();
        }
        parts.push(Value::from(text.get(copied..).unwrap_or("")));
        Ok(List::value(parts))
    }

    fn group_number(&self, name: &str) -> Option<usize> {
        name.parse().ok().or_else(|| self.regex.capture_names().position(|known| known == Some(name)))
    }
}

fn group_of(pattern: &Pattern, captures: &Captures<'_>, group: &str) -> Option<String> {
    let number = pattern.group_number(group).filter(|number| *number < captures.len())?;
    Some(captures.get(number).map_or_else(String::new, |found| found.as_str().to_owned()))
}

/// A replacement with its groups put in: `\1`, `\g<name>`.
fn expanded(template: &str, group: impl Fn(&str) -> Option<String>) -> Result<String, Error> {
    let mut out = String::with_capacity(template.len());
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let name: String = match chars.next() {
            Some('g') if chars.next_if_eq(&'<').is_some() => chars.by_ref().take_while(|c| *c != '>').collect(),
            Some(digit) if digit.is_ascii_digit() => {
                let second = chars.next_if(char::is_ascii_digit);
                [digit].into_iter().chain(second).collect()
            }
            Some('n') => {
                out.push('\n');
                continue;
            }
            Some('t') => {
                out.push('\t');
                continue;
            }
            Some('\\') => {
                out.push('\\');
                continue;
            }
            Some(other) if other.is_ascii_alphabetic() => return Err(operation(format!("a replacement has no '\\{other}'"))),
            Some(other) => {
                out.extend(['\\', other]);
                continue;
            }
            None => return Err(operation("a replacement ends with a backslash")),
        };
        out.push_str(&group(&name).ok_or_else(|| operation(format!("the expression has no group '{name}'")))?);
    }
    Ok(out)
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "re.compile({})", crate::jinja::python::repr(&Value::from(self.text.as_str())))
    }
}

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "pattern" => Value::from(self.text.as_str()),
            "flags" => Value::from(self.flags | 32),
            "groups" => Value::from(self.regex.captures_len().saturating_sub(1)),
            "groupindex" => {
                let names = self.regex.capture_names().enumerate();
                Dict::value(names.filter_map(|(at, name)| name.map(|name| (Value::from(name), Value::from(at)))))
            }
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "sub" | "subn" => {
                let [repl, string, count] = bind(method, args, ["repl", "string", "count"], 2)?;
                self.replaced(state, method, &repl.unwrap_or_default(), &string.unwrap_or_default(), count.as_ref())
            }
            "split" => {
                let [string, most] = bind(method, args, ["string", "maxsplit"], 1)?;
                self.split(&string.unwrap_or_default(), most.as_ref())
            }
            "match" | "fullmatch" | "search" | "findall" | "finditer" => {
                let [string, from] = bind(method, args, ["string", "pos"], 1)?;
                let from = usize::try_from(whole_or(method, "pos", from.as_ref(), 0)?).unwrap_or(0);
                self.find(method, &string.unwrap_or_default(), from)
            }
            _ => {
                let known = ["findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn"];
                Err(no_method(&Value::from_dyn_object(self.clone()), method, &known))
            }
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        let other = other.downcast_ref::<Pattern>()?;
        Some(self.text.cmp(&other.text).then(self.flags.cmp(&other.flags)))
    }
}

/// Where a pattern was found.
struct Match {
    pattern: Arc<Pattern>,
    text: String,
    groups: Vec<Option<(usize, usize)>>,
}

impl Match {
    fn number(&self, group: &Value) -> Result<usize, Error> {
        let number = match group.as_str() {
            Some(name) => self.pattern.group_number(name),
            None => group.as_usize(),
        };
        number.filter(|number| *number < self.groups.len()).ok_or_else(|| operation(format!("the expression has no group {group:?}")))
    }

    fn group(&self, number: usize, default: &Value) -> Value {
        match self.groups.get(number).copied().flatten() {
            Some((start, end)) => Value::from(self.text.get(start..end).unwrap_or("")),
            None => default.clone(),
        }
    }

    /// In characters; -1 for a group that took no part.
    fn position(&self, number: usize) -> (i64, i64) {
        let count = |at: usize| self.text.get(..at).and_then(|before| i64::try_from(before.chars().count()).ok()).unwrap_or(-1);
        self.groups.get(number).copied().flatten().map_or((-1, -1), |(start, end)| (count(start), count(end)))
    }
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.position(0);
        let found = crate::jinja::python::repr(&self.group(0, &Value::from("")));
        write!(f, "<re.Match object; span=({start}, {end}), match={found}>")
    }
}

const MATCH_METHODS: &[&str] = &["end", "expand", "group", "groupdict", "groups", "span", "start"];

impl Object for Match {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("string") => return Some(Value::from(self.text.as_str())),
            Some("re") => return Some(Value::from_dyn_object(self.pattern.clone())),
            Some("pos") => return Some(Value::from(0)),
            Some("endpos") => return Some(Value::from(self.text.chars().count())),
            Some("lastindex") => {
                let last = (1..self.groups.len()).rev().find(|group| self.groups.get(*group).is_some_and(Option::is_some));
                return Some(last.map_or(Value::from(()), Value::from));
            }
            _ => {}
        }
        Some(self.group(self.number(key).ok()?, &Value::from(())))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let none = Value::from(());
        match method {
            "group" => {
                let (groups, _) = split_args(args);
                match groups {
                    [] => Ok(self.group(0, &none)),
                    [one] => Ok(self.group(self.number(one)?, &none)),
                    many => {
                        many.iter().map(|group| Ok(self.group(self.number(group)?, &none))).collect::<Result<Vec<_>, Error>>().map(tuple)
                    }
                }
            }
            "groups" => {
                let [default] = bind(method, args, ["default"], 0)?;
                let default = default.unwrap_or(none);
                Ok(tuple((1..self.groups.len()).map(|group| self.group(group, &default))))
            }
            "groupdict" => {
                let [default] = bind(method, args, ["default"], 0)?;
                let default = default.unwrap_or(none);
                let names = self.pattern.regex.capture_names().enumerate();
                Ok(Dict::value(names.filter_map(|(at, name)| name.map(|name| (Value::from(name), self.group(at, &default))))))
            }
            "start" | "end" | "span" => {
                let [group] = bind(method, args, ["group"], 0)?;
                let (start, end) = self.position(group.map_or(Ok(0), |group| self.number(&group))?);
                Ok(match method {
                    "start" => Value::from(start),
                    "end" => Value::from(end),
                    _ => tuple([Value::from(start), Value::from(end)]),
                })
            }
            "expand" => {
                let [template] = bind(method, args, ["template"], 1)?;
                let template = template.unwrap_or_default();
                let group = |name: &str| {
                    let number = self.pattern.group_number(name).filter(|number| *number < self.groups.len())?;
                    Some(printed(&self.group(number, &Value::from(""))))
                };
                expanded(text_argument(method, "template", &template)?, group).map(Value::from)
            }
            _ => Err(no_method(&Value::from_dyn_object(self.clone()), method, MATCH_METHODS)),
        }
    }
}

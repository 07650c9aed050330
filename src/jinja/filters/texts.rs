//! Filters on texts.

use minijinja::{Error, State, Value};

use super::Filter;
use crate::jinja::python::{bind, kwargs_or_tuple, lines, padded, percent, printed, recased, replaced, stripped, text_or, whole_or};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("upper", |_, args| recase("upper", args)),
    ("lower", |_, args| recase("lower", args)),
    ("capitalize", |_, args| recase("capitalize", args)),
    ("title", title),
    ("string", |_, args| {
        let [value] = bind("string", args, ["value"], 1)?;
        Ok(Value::from(shown(value)))
    }),
    ("trim", |_, args| {
        let [value, chars] = bind("trim", args, ["value", "chars"], 1)?;
        let chars = chars.filter(|chars| !chars.is_none()).map(|chars| chars.to_string());
        Ok(Value::from(stripped(&shown(value), "strip", chars.as_deref())))
    }),
    ("replace", |_, args| {
        let [value, old, new, count] = bind("replace", args, ["s", "old", "new", "count"], 3)?;
        let count = whole_or("replace", "count", count.as_ref(), -1)?;
        replaced(&shown(value), &shown(old), &shown(new), count)
    }),
    ("center", |_, args| {
        let [value, width] = bind("center", args, ["value", "width"], 1)?;
        padded(&shown(value), "center", whole_or("center", "width", width.as_ref(), 80)?, " ")
    }),
    ("format", |_, args| {
        let (format, values) = args.split_first().map_or((Value::from(""), args), |(format, values)| (format.clone(), values));
        percent(&printed(&format), &kwargs_or_tuple(values)?).map(Value::from)
    }),
    ("truncate", truncate),
    ("wordcount", |_, args| {
        let [value] = bind("wordcount", args, ["s"], 1)?;
        let shown = shown(value);
        let words = shown.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        Ok(Value::from(words.count()))
    }),
    ("wordwrap", wrap),
    ("indent", indent),
];

/// `str(value)`; what is undefined is nothing.
fn shown(value: Option<Value>) -> String {
    value.map_or_else(String::new, |value| printed(&value))
}

fn recase(function: &str, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind(function, args, ["s"], 1)?;
    Ok(Value::from(recased(&shown(value), function)))
}

/// Words begin after blanks, hyphens and opening brackets only.
fn title(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("title", args, ["s"], 1)?;
    let shown = shown(value);
    let mut out = String::with_capacity(shown.len());
    let mut begins = true;
    for c in shown.chars() {
        let separates = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
        if begins && !separates {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        begins = separates;
    }
    Ok(Value::from(out))
}

fn truncate(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, length, kill_words, end, leeway] = bind("truncate", args, ["s", "length", "killwords", "end", "leeway"], 1)?;
    let shown = shown(value);
    let count = |number: i64| usize::try_from(number).unwrap_or(0);
    let length = count(whole_or("truncate", "length", length.as_ref(), 255)?);
    let leeway = count(whole_or("truncate", "leeway", leeway.as_ref(), 5)?);
    let end = text_or("truncate", "end", end.as_ref(), "...")?;
    if shown.chars().count() <= length + leeway {
        return Ok(Value::from(shown));
    }
    let kept: String = shown.chars().take(length.saturating_sub(end.chars().count())).collect();
    let whole_words = !kill_words.is_some_and(|kill| kill.is_true());
    let kept = if whole_words { kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words) } else { kept.as_str() };
    Ok(Value::from(format!("{kept}{end}")))
}

fn indent(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, width, first, blank] = bind("indent", args, ["s", "width", "first", "blank"], 1)?;
    let by = match width {
        Some(width) if width.as_str().is_some() => width.to_string(),
        other => " ".repeat(usize::try_from(whole_or("indent", "width", other.as_ref(), 4)?).unwrap_or(0)),
    };
    let (first, blank) = (first.is_some_and(|first| first.is_true()), blank.is_some_and(|blank| blank.is_true()));
    let shown = format!("{}\n", shown(value));
    let mut out = String::with_capacity(shown.len());
    for (index, line) in lines(&shown, false).into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if (index > 0 && (blank || !line.is_empty())) || (index == 0 && first) {
            out.push_str(&by);
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

fn wrap(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, width, break_words, wrap_string, hyphens] =
        bind("wordwrap", args, ["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"], 1)?;
    let width = usize::try_from(whole_or("wordwrap", "width", width.as_ref(), 79)?).unwrap_or(0).max(1);
    let break_words = break_words.is_none_or(|value| value.is_true());
    let hyphens = hyphens.is_none_or(|value| value.is_true());
    let joint = text_or("wordwrap", "wrapstring", wrap_string.as_ref(), "\n")?;
    let shown = shown(value);
    let wrapped: Vec<String> =
        lines(&shown, false).into_iter().map(|line| wrapped_line(line, width, break_words, hyphens).join(joint)).collect();
    Ok(Value::from(wrapped.join(joint)))
}

/// Blanks, words, and parts of words up to a hyphen.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut current = String::new();
    let chars: Vec<char> = line.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let blank = c.is_whitespace();
        if current.chars().next().is_some_and(|first| first.is_whitespace() != blank) {
            found.push(std::mem::take(&mut current));
        }
        current.push(*c);
        let letter = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
        if hyphens && *c == '-' && letter(at.checked_sub(1)) && letter(Some(at + 1)) {
            found.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        found.push(current);
    }
    found
}

fn wrapped_line(line: &str, width: usize, break_words: bool, hyphens: bool) -> Vec<String> {
    let mut rest: std::collections::VecDeque<String> = chunks(line, hyphens).into();
    let mut out: Vec<String> = Vec::new();
    let length = |text: &str| text.chars().count();
    while let Some(next) = rest.front() {
        if next.trim().is_empty() && !out.is_empty() {
            rest.pop_front();
            continue;
        }
        let mut current = String::new();
        while let Some(next) = rest.front().filter(|next| length(&current) + length(next) <= width) {
            current.push_str(next);
            rest.pop_front();
        }
        if let Some(next) = rest.front().cloned().filter(|next| length(next) > width) {
            if break_words {
                let room = width - length(&current);
                current.extend(next.chars().take(room.max(1)));
                let left: String = next.chars().skip(room.max(1)).collect();
                rest.pop_front();
                rest.push_front(left);
            } else if current.is_empty() {
                current = next;
                rest.pop_front();
            }
        }
        out.push(current.trim_end().to_owned());
    }
    out
}

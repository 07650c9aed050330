//! The methods of Python's texts.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::arguments::{bind, text, text_or, whole, whole_or};
use super::list::bound;
use super::{List, format, items, no_method, printed, tuple, type_name};
use crate::diag::codes;
use crate::jinja::failure::raise;
use crate::jinja::values::operation;

const METHODS: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub(super) fn method(held: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    if method.starts_with("is") && METHODS.contains(&method) {
        let [] = bind(method, args, [], 0)?;
        return Ok(Value::from(is(held, method)));
    }
    match method {
        "capitalize" | "casefold" | "lower" | "swapcase" | "title" | "upper" => {
            let [] = bind(method, args, [], 0)?;
            Ok(Value::from(recased(held, method)))
        }
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = bind(method, args, ["chars"], 0)?;
            let chars = chars.filter(|chars| !chars.is_none());
            let chars = chars.as_ref().map(|chars| text(method, "chars", chars)).transpose()?;
            Ok(Value::from(stripped(held, method, chars)))
        }
        "center" | "ljust" | "rjust" => {
            let [width, fill] = bind(method, args, ["width", "fillchar"], 1)?;
            let width = whole(method, "width", &width.unwrap_or_default())?;
            let fill = text_or(method, "fillchar", fill.as_ref(), " ")?;
            padded(held, method, width, fill)
        }
        "zfill" => {
            let [width] = bind(method, args, ["width"], 1)?;
            let width = whole(method, "width", &width.unwrap_or_default())?;
            let (sign, digits) = if held.starts_with(['-', '+']) { held.split_at(1) } else { ("", held) };
            let missing = missing(held, width)?;
            Ok(Value::from(format!("{sign}{}{digits}", "0".repeat(missing))))
        }
        "count" | "find" | "index" | "rfind" | "rindex" => search(held, method, args),
        "startswith" | "endswith" => affix(held, method, args),
        "split" | "rsplit" => split(held, method, args),
        "splitlines" => {
            let [keep] = bind(method, args, ["keepends"], 0)?;
            Ok(List::value(lines(held, keep.is_some_and(|keep| keep.is_true())).into_iter().map(Value::from)))
        }
        "partition" | "rpartition" => {
            let [separator] = bind(method, args, ["sep"], 1)?;
            partition(held, method, &separator.unwrap_or_default())
        }
        "removeprefix" | "removesuffix" => {
            let [affix] = bind(method, args, ["affix"], 1)?;
            let affix = affix.unwrap_or_default();
            let affix = text(method, "affix", &affix)?;
            let rest = if method == "removeprefix" { held.strip_prefix(affix) } else { held.strip_suffix(affix) };
            Ok(Value::from(rest.unwrap_or(held)))
        }
        "replace" => {
            let [old, new, count] = bind(method, args, ["old", "new", "count"], 2)?;
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            let count = whole_or(method, "count", count.as_ref(), -1)?;
            replaced(held, text(method, "old", &old)?, text(method, "new", &new)?, count)
        }
        "join" => {
            let [parts] = bind(method, args, ["iterable"], 1)?;
            join(held, &parts.unwrap_or_default())
        }
        "expandtabs" => {
            let [size] = bind(method, args, ["tabsize"], 0)?;
            Ok(Value::from(expanded(held, usize::try_from(whole_or(method, "tabsize", size.as_ref(), 8)?).unwrap_or(0))))
        }
        "format" => format::braces(held, args).map(Value::from),
        "format_map" => {
            let [mapping] = bind(method, args, ["mapping"], 1)?;
            let mapping = mapping.unwrap_or_default();
            let entries: Result<Vec<_>, Error> =
                items(&mapping)?.into_iter().map(|key| mapping.get_item(&key).map(|item| (key.to_string(), item))).collect();
            format::braces(held, &[crate::jinja::values::kwargs(entries?)]).map(Value::from)
        }
        "encode" => Ok(Value::from_object(super::bytes::Bytes(held.as_bytes().to_vec()))),
        "translate" => {
            let [table] = bind(method, args, ["table"], 1)?;
            translated(held, &table.unwrap_or_default())
        }
        "maketrans" => maketrans(args),
        _ => Err(no_method(&Value::from(held), method, METHODS)),
    }
}

fn is(held: &str, method: &str) -> bool {
    let all = |test: fn(char) -> bool| !held.is_empty() && held.chars().all(test);
    let cased = |test: fn(char) -> bool| held.chars().any(test);
    match method {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => held.is_ascii(),
        "isdecimal" | "isdigit" => all(|c| c.is_ascii_digit() || unicode_digit(c)),
        "isnumeric" => all(char::is_numeric),
        "isidentifier" => {
            let mut chars = held.chars();
            chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
        }
        "islower" => cased(char::is_lowercase) && !cased(char::is_uppercase),
        "isupper" => cased(char::is_uppercase) && !cased(char::is_lowercase),
        "isprintable" => held.chars().all(|c| !c.is_control()),
        "isspace" => all(char::is_whitespace),
        _ => is_title(held),
    }
}

/// Digits of other scripts, roughly: a number with one decimal place.
fn unicode_digit(c: char) -> bool {
    matches!(c, '٠'..='٩' | '०'..='९' | '０'..='９')
}

fn is_title(held: &str) -> bool {
    let (mut in_word, mut found) = (false, false);
    for c in held.chars() {
        if c.is_uppercase() {
            if in_word {
                return false;
            }
            (in_word, found) = (true, true);
        } else if c.is_lowercase() {
            if !in_word {
                return false;
            }
            found = true;
        } else {
            in_word = false;
        }
    }
    found
}

pub(in crate::jinja) fn recased(held: &str, method: &str) -> String {
    match method {
        "upper" => held.to_uppercase(),
        "lower" => held.to_lowercase(),
        "casefold" => held.replace('ß', "ss").to_lowercase(),
        "swapcase" => held
            .chars()
            .flat_map(|c| if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() })
            .collect(),
        "capitalize" => {
            let mut chars = held.chars();
            let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
            first + &chars.as_str().to_lowercase()
        }
        _ => {
            let mut in_word = false;
            let mut out = String::with_capacity(held.len());
            for c in held.chars() {
                if in_word {
                    out.extend(c.to_lowercase())
                } else {
                    out.extend(c.to_uppercase())
                }
                in_word = c.is_alphabetic();
            }
            out
        }
    }
}

pub(in crate::jinja) fn stripped<'t>(held: &'t str, method: &str, chars: Option<&str>) -> &'t str {
    let strip = |c: char| chars.map_or(c.is_whitespace(), |chars| chars.contains(c));
    match method {
        "lstrip" => held.trim_start_matches(strip),
        "rstrip" => held.trim_end_matches(strip),
        _ => held.trim_matches(strip),
    }
}

fn missing(held: &str, width: i64) -> Result<usize, Error> {
    let width = usize::try_from(width).unwrap_or(0);
    if width > 100_000_000 {
        return Err(operation("the width is too large"));
    }
    Ok(width.saturating_sub(held.chars().count()))
}

pub(in crate::jinja) fn padded(held: &str, method: &str, width: i64, fill: &str) -> Result<Value, Error> {
    if fill.chars().count() != 1 {
        return Err(operation("the fill character must be one character"));
    }
    let missing = missing(held, width)?;
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        // Python puts the odd one to the left when the width is odd.
        _ => missing / 2 + (missing & usize::try_from(width).unwrap_or(0) & 1),
    };
    Ok(Value::from(format!("{}{held}{}", fill.repeat(left), fill.repeat(missing - left))))
}

/// The part that `start` and `end` leave, with the number of characters before it.
fn part<'t>(held: &'t str, method: &str, start: Option<&Value>, end: Option<&Value>) -> Result<Option<(usize, &'t str)>, Error> {
    let count = held.chars().count();
    let start = whole_or(method, "start", start, 0)?;
    if usize::try_from(start).is_ok_and(|start| start > count) {
        return Ok(None);
    }
    let (from, to) = (bound(start, count), bound(whole_or(method, "end", end, i64::MAX)?, count));
    let at = |index: usize| held.char_indices().nth(index).map_or(held.len(), |(at, _)| at);
    Ok(held.get(at(from)..at(to)).map(|part| (from, part)))
}

fn search(held: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let [wanted, start, end] = bind(method, args, ["sub", "start", "end"], 1)?;
    let wanted = wanted.unwrap_or_default();
    let wanted = text(method, "sub", &wanted)?;
    let part = part(held, method, start.as_ref(), end.as_ref())?;
    if method == "count" {
        let count = part.map_or(0, |(_, part)| if wanted.is_empty() { part.chars().count() + 1 } else { part.matches(wanted).count() });
        return Ok(Value::from(count));
    }
    let found = part.and_then(|(before, part)| {
        let at = if method.starts_with('r') { part.rfind(wanted) } else { part.find(wanted) }?;
        Some(before + part.get(..at)?.chars().count())
    });
    match (found, method.ends_with("index")) {
        (Some(at), _) => Ok(Value::from(at)),
        (None, false) => Ok(Value::from(-1)),
        (None, true) => Err(operation(format!("'{wanted}' is not found in the string"))),
    }
}

fn affix(held: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let [wanted, start, end] = bind(method, args, ["affix", "start", "end"], 1)?;
    let wanted = wanted.unwrap_or_default();
    let Some((_, part)) = part(held, method, start.as_ref(), end.as_ref())? else { return Ok(Value::from(false)) };
    let matches = |affix: &str| if method == "startswith" { part.starts_with(affix) } else { part.ends_with(affix) };
    if wanted.kind() != ValueKind::Seq {
        return Ok(Value::from(matches(text(method, "affix", &wanted)?)));
    }
    for affix in items(&wanted)? {
        if matches(text(method, "affix", &affix)?) {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

fn split(held: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let [separator, most] = bind(method, args, ["sep", "maxsplit"], 0)?;
    let most = usize::try_from(whole_or(method, "maxsplit", most.as_ref(), -1)?).ok();
    let separator = separator.filter(|separator| !separator.is_none());
    let from_right = method == "rsplit";
    let Some(separator) = &separator else {
        return Ok(List::value(words(held, most, from_right).into_iter().map(Value::from)));
    };
    let separator = text(method, "sep", separator)?;
    if separator.is_empty() {
        return Err(operation(format!("{method}() takes a separator that is not empty")));
    }
    let parts: Vec<Value> = match (most, from_right) {
        (None, _) => held.split(separator).map(Value::from).collect(),
        (Some(most), false) => held.splitn(most + 1, separator).map(Value::from).collect(),
        (Some(most), true) => {
            let mut parts: Vec<Value> = held.rsplitn(most + 1, separator).map(Value::from).collect();
            parts.reverse();
            parts
        }
    };
    Ok(List::value(parts))
}

/// Splits at white space.
fn words(held: &str, most: Option<usize>, from_right: bool) -> Vec<&str> {
    let Some(most) = most else { return held.split_whitespace().collect() };
    let mut found = Vec::new();
    if from_right {
        let mut rest = held.trim_end();
        while found.len() < most
            && let Some((at, c)) = rest.char_indices().rev().find(|(_, c)| c.is_whitespace())
        {
            found.push(rest.get(at + c.len_utf8()..).unwrap_or(""));
            rest = rest.get(..at).unwrap_or("").trim_end();
        }
        found.extend((!rest.trim().is_empty()).then(|| if found.len() < most { rest.trim() } else { rest }));
        found.reverse();
    } else {
        let mut rest = held.trim_start();
        while found.len() < most
            && let Some(at) = rest.find(char::is_whitespace)
        {
            found.push(rest.get(..at).unwrap_or(""));
            rest = rest.get(at..).unwrap_or("").trim_start();
        }
        found.extend((!rest.trim().is_empty()).then(|| if found.len() < most { rest.trim() } else { rest }));
    }
    found
}

pub(in crate::jinja) fn lines(held: &str, keep_ends: bool) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = held;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}']);
        let Some(end) = end else {
            found.push(rest);
            break;
        };
        let after = rest.get(end..).unwrap_or("");
        let length = if after.starts_with("\r\n") { 2 } else { after.chars().next().map_or(1, char::len_utf8) };
        found.push(rest.get(..if keep_ends { end + length } else { end }).unwrap_or(""));
        rest = rest.get(end + length..).unwrap_or("");
    }
    found
}

fn partition(held: &str, method: &str, separator: &Value) -> Result<Value, Error> {
    let separator = text(method, "sep", separator)?;
    if separator.is_empty() {
        return Err(operation(format!("{method}() takes a separator that is not empty")));
    }
    let parts = if method == "partition" { held.split_once(separator) } else { held.rsplit_once(separator) };
    Ok(match (parts, method) {
        (Some((before, after)), _) => tuple([before, separator, after].map(Value::from)),
        (None, "partition") => tuple([held, "", ""].map(Value::from)),
        (None, _) => tuple(["", "", held].map(Value::from)),
    })
}

pub(in crate::jinja) fn replaced(held: &str, old: &str, new: &str, count: i64) -> Result<Value, Error> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let matches = if new.len() > old.len() { held.matches(old).count().min(count) } else { 0 };
    if matches.saturating_mul(new.len()) > 100_000_000 {
        return Err(operation("the result of replace() is too large"));
    }
    Ok(Value::from(held.replacen(old, new, count)))
}

fn join(separator: &str, parts: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    for (index, part) in items(parts)?.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        match part.as_str() {
            Some(part) => out.push_str(part),
            None => {
                let message = format!("join() takes strings, item {index} is {}", printed_type(part));
                let help = "use the filter 'join', which takes all values".to_owned();
                return Err(crate::jinja::failure::raise_with(&codes::JINJA_ERROR, message, vec![help]));
            }
        }
    }
    Ok(Value::from(out))
}

fn printed_type(value: &Value) -> String {
    format!("the {} {}", type_name(value), printed(value))
}

fn expanded(held: &str, size: usize) -> String {
    let mut out = String::with_capacity(held.len());
    let mut column = 0;
    for c in held.chars() {
        match c {
            '\t' => {
                let blanks = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

fn translated(held: &str, table: &Value) -> Result<Value, Error> {
    let mut out = String::with_capacity(held.len());
    for c in held.chars() {
        let to = table.get_item(&Value::from(c as u32))?;
        match (to.is_undefined(), to.is_none(), to.as_i64()) {
            (true, _, _) => out.push(c),
            (_, true, _) => {}
            (_, _, Some(code)) => out.extend(u32::try_from(code).ok().and_then(char::from_u32)),
            _ => out.push_str(&to.to_string()),
        }
    }
    Ok(Value::from(out))
}

fn maketrans(args: &[Value]) -> Result<Value, Error> {
    let [from, to, removed] = bind("maketrans", args, ["x", "y", "z"], 1)?;
    let from = from.unwrap_or_default();
    let Some(to) = to else {
        let keyed = items(&from)?.into_iter().map(|key| {
            let code = key.as_str().and_then(|key| key.chars().next()).map_or_else(|| key.clone(), |c| Value::from(c as u32));
            from.get_item(&key).map(|value| (code, value))
        });
        return Ok(super::Dict::value(keyed.collect::<Result<Vec<_>, Error>>()?));
    };
    let (from, to) = (text("maketrans", "x", &from)?, text("maketrans", "y", &to)?);
    if from.chars().count() != to.chars().count() {
        return Err(raise(&codes::WRONG_ARGUMENTS, "maketrans() takes two strings of one length"));
    }
    let pairs = from.chars().zip(to.chars()).map(|(from, to)| (Value::from(from as u32), Value::from(to as u32)));
    let removed = removed.unwrap_or_else(|| Value::from(""));
    let removed = text("maketrans", "z", &removed)?.chars().map(|c| (Value::from(c as u32), Value::from(())));
    Ok(super::Dict::value(pairs.chain(removed)))
}

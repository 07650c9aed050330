//! Filters for mark-up and addresses.

use std::sync::OnceLock;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use regex::Regex;

use super::Filter;
use crate::jinja::python::{bind, items, printed};
use crate::jinja::values::operation;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("escape", escape),
    ("e", escape),
    ("forceescape", escape),
    ("safe", |_, args| {
        let [value] = bind("safe", args, ["value"], 1)?;
        Ok(Value::from(value.map_or_else(String::new, |value| printed(&value))))
    }),
    ("striptags", strip_tags),
    ("urlencode", url_encode),
    ("urlize", urlize),
    ("xmlattr", xml_attributes),
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;").replace('\'', "&#39;")
}

fn escape(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("escape", args, ["s"], 1)?;
    Ok(Value::from(escaped(&value.map_or_else(String::new, |value| printed(&value)))))
}

fn pattern(held: &'static OnceLock<Option<Regex>>, text: &str) -> Result<&'static Regex, Error> {
    held.get_or_init(|| Regex::new(text).ok()).as_ref().ok_or_else(|| operation("a pattern cannot be read"))
}

fn strip_tags(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    static TAGS: OnceLock<Option<Regex>> = OnceLock::new();
    let [value] = bind("striptags", args, ["value"], 1)?;
    let text = value.map_or_else(String::new, |value| printed(&value));
    let bare = pattern(&TAGS, "(?s)<!--.*?-->|<[^>]*>")?.replace_all(&text, "").into_owned();
    let words: Vec<&str> = bare.split_whitespace().collect();
    let plain = words.join(" ");
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", "\u{a0}"), ("&amp;", "&")];
    Ok(Value::from(entities.iter().fold(plain, |text, (entity, c)| text.replace(entity, c))))
}

fn url_quoted(text: &str, query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b'/' if !query => out.push('/'),
            b' ' if query => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn url_encode(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("urlencode", args, ["value"], 1)?;
    let value = value.unwrap_or_default();
    let pairs: Vec<(Value, Value)> = match value.kind() {
        ValueKind::Map => value.try_iter()?.map(|key| value.get_item(&key).map(|item| (key, item))).collect::<Result<_, Error>>()?,
        ValueKind::Seq | ValueKind::Iterable => items(&value)?
            .iter()
            .map(|pair| {
                let parts = items(pair)?;
                match parts.as_slice() {
                    [key, item] => Ok((key.clone(), item.clone())),
                    _ => Err(operation("urlencode takes pairs of a name and a value")),
                }
            })
            .collect::<Result<_, Error>>()?,
        _ => return Ok(Value::from(url_quoted(&printed(&value), false))),
    };
    let parts = pairs.iter().map(|(key, item)| format!("{}={}", url_quoted(&printed(key), true), url_quoted(&printed(item), true)));
    Ok(Value::from(parts.collect::<Vec<_>>().join("&")))
}

/// Addresses become links.
fn urlize(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    static ADDRESS: OnceLock<Option<Regex>> = OnceLock::new();
    let [value, limit, no_follow, target, rel, _schemes] =
        bind("urlize", args, ["value", "trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], 1)?;
    let text = escaped(&value.map_or_else(String::new, |value| printed(&value)));
    let limit = limit.and_then(|limit| limit.as_usize());
    let mut relations: Vec<String> = rel.filter(|rel| !rel.is_none()).iter().map(ToString::to_string).collect();
    relations.extend(no_follow.is_some_and(|value| value.is_true()).then(|| "nofollow".to_owned()));
    relations.push("noopener".to_owned());
    relations.sort();
    let target = target.filter(|target| !target.is_none()).map_or_else(String::new, |target| format!(" target=\"{target}\""));
    let address = pattern(&ADDRESS, r"\b(https?://|www\.)[^\s<>&]*[^\s<>&.,;:!?)\]]")?;
    let linked = address.replace_all(&text, |found: &regex::Captures<'_>| {
        let shown = found.get(0).map_or("", |found| found.as_str());
        let href = if shown.starts_with("www.") { format!("https://{shown}") } else { shown.to_owned() };
        let short: String = match limit {
            Some(limit) if shown.chars().count() > limit => shown.chars().take(limit).chain("...".chars()).collect(),
            _ => shown.to_owned(),
        };
        format!("<a href=\"{href}\" rel=\"{}\"{target}>{short}</a>", relations.join(" "))
    });
    Ok(Value::from(linked.into_owned()))
}

fn xml_attributes(_state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [value, space] = bind("xmlattr", args, ["d", "autospace"], 1)?;
    let value = value.unwrap_or_default();
    if value.kind() != ValueKind::Map {
        return Err(operation("xmlattr takes a dictionary"));
    }
    let mut parts = Vec::new();
    for key in value.try_iter()? {
        let item = value.get_item(&key)?;
        if item.is_none() || item.is_undefined() {
            continue;
        }
        let name = printed(&key);
        if name.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(operation(format!("'{name}' is no name of an attribute")));
        }
        parts.push(format!("{}=\"{}\"", escaped(&name), escaped(&printed(&item))));
    }
    let blank = if space.is_none_or(|space| space.is_true()) && !parts.is_empty() { " " } else { "" };
    Ok(Value::from(format!("{blank}{}", parts.join(" "))))
}

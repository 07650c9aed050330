//! Typed access to the keys of one YAML mapping, with a diagnostic for every value of the wrong type and every unknown key.

use std::collections::BTreeMap;

use super::loader::has_jinja;
use super::yaml::{Entry, Yaml, YamlValue, find};
use crate::base::Span;
use crate::diag::{Code, Diagnostic, Diagnostics, codes, nearest};

/// The keys of one mapping.
#[derive(Clone, Copy)]
pub(super) struct Fields<'y, 'o> {
    pub entries: &'y [Entry],
    pub span: Span,
    /// What the mapping describes, for messages: `model 'orders'`.
    pub owner: &'o str,
    /// The code for values of the wrong type.
    pub code: &'static Code,
}

impl<'y, 'o> Fields<'y, 'o> {
    /// `None`, with a diagnostic, when `yaml` is no mapping; an empty value counts as an empty mapping.
    pub(super) fn of(yaml: &'y Yaml, owner: &'o str, diagnostics: &mut Diagnostics) -> Option<Fields<'y, 'o>> {
        match &yaml.value {
            YamlValue::Map(entries) => Some(Fields { entries, span: yaml.span, owner, code: &codes::INVALID_CONFIG }),
            YamlValue::Null => Some(Fields { entries: &[], span: yaml.span, owner, code: &codes::INVALID_CONFIG }),
            _ => {
                diagnostics.push(
                    Diagnostic::new(&codes::INVALID_CONFIG, format!("{owner} is {}, and a mapping is needed", yaml.kind())).at(yaml.span),
                );
                None
            }
        }
    }

    /// The value of a key that is there and not empty.
    pub(super) fn get(&self, key: &str) -> Option<&'y Yaml> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'y Entry> {
        find(self.entries, key).filter(|entry| !entry.value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        find(self.entries, key).is_some()
    }

    fn wrong(&self, entry: &Entry, needed: &str, diagnostics: &mut Diagnostics) {
        diagnostics.push(self.mistake(entry, needed));
    }

    fn mistake(&self, entry: &Entry, needed: &str) -> Diagnostic {
        let message = format!("'{}' of {} is {}, and {needed} is needed", entry.key, self.owner, entry.value.kind());
        Diagnostic::new(self.code, message).at(entry.value.span)
    }

    /// A text; numbers are taken as they are printed. `no` without quotes is a boolean, which is hardly what was meant.
    pub(super) fn text(&self, key: &str, diagnostics: &mut Diagnostics) -> Option<String> {
        let entry = self.entry(key)?;
        let is_bool = matches!(entry.value.value, YamlValue::Bool(_));
        let text = entry.value.scalar_text().filter(|_| !is_bool);
        if is_bool {
            diagnostics.push(self.mistake(entry, "a text").help("put quotes around it: YAML reads it as a boolean"));
        } else if text.is_none() {
            self.wrong(entry, "a text", diagnostics);
        }
        text
    }

    /// `description`, as it is written, but for the line end that blocks of YAML leave: dbt's templates drop it, and plain text keeps it.
    pub(super) fn description(&self, diagnostics: &mut Diagnostics) -> String {
        let mut text = self.text("description", diagnostics).unwrap_or_default();
        if has_jinja(&text) && text.ends_with('\n') {
            text.pop();
        }
        text
    }

    /// A text that must be there and not empty.
    pub(super) fn required_text(&self, key: &str, diagnostics: &mut Diagnostics) -> Option<(String, Span)> {
        match self.entry(key) {
            None => {
                diagnostics.push(
                    Diagnostic::new(&codes::MISSING_PROPERTY, format!("{} has no '{key}'", self.owner))
                        .at(first_line(self))
                        .help(format!("add '{key}:'")),
                );
                None
            }
            Some(entry) => {
                let text = self.text(key, diagnostics)?;
                if text.trim().is_empty() {
                    self.wrong(entry, "a text that is not empty", diagnostics);
                    return None;
                }
                Some((text, entry.value.span))
            }
        }
    }

    pub(super) fn bool(&self, key: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
        let entry = self.entry(key)?;
        let value = as_bool(&entry.value);
        if value.is_none() {
            self.wrong(entry, "a boolean", diagnostics);
        }
        value
    }

    /// A whole number from 0 on.
    pub(super) fn count(&self, key: &str, diagnostics: &mut Diagnostics) -> Option<usize> {
        let entry = self.entry(key)?;
        let value = match &entry.value.value {
            YamlValue::Int(number) => usize::try_from(*number).ok(),
            YamlValue::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        if value.is_none() {
            self.wrong(entry, "a whole number from 0 on", diagnostics);
        }
        value
    }

    pub(super) fn list(&self, key: &str, diagnostics: &mut Diagnostics) -> &'y [Yaml] {
        let Some(entry) = self.entry(key) else { return &[] };
        match entry.value.as_list() {
            Some(items) => items,
            None => {
                self.wrong(entry, "a list", diagnostics);
                &[]
            }
        }
    }

    pub(super) fn map(&self, key: &str, diagnostics: &mut Diagnostics) -> &'y [Entry] {
        let Some(entry) = self.entry(key) else { return &[] };
        match entry.value.as_map() {
            Some(entries) => entries,
            None => {
                self.wrong(entry, "a mapping", diagnostics);
                &[]
            }
        }
    }

    /// A list of texts; one text counts as a list of one.
    pub(super) fn strings(&self, key: &str, diagnostics: &mut Diagnostics) -> Vec<String> {
        self.spanned_strings(key, diagnostics).into_iter().map(|(text, _)| text).collect()
    }

    pub(super) fn spanned_strings(&self, key: &str, diagnostics: &mut Diagnostics) -> Vec<(String, Span)> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let items = match &entry.value.value {
            YamlValue::List(items) => items.as_slice(),
            YamlValue::Text(text) => return vec![(text.clone(), entry.value.span)],
            _ => {
                self.wrong(entry, "a list of texts", diagnostics);
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for item in items {
            match item.scalar_text() {
                Some(text) => texts.push((text, item.span)),
                None => diagnostics.push(
                    Diagnostic::new(self.code, format!("an item of '{key}' of {} is {}, and a text is needed", self.owner, item.kind()))
                        .at(item.span),
                ),
            }
        }
        texts
    }

    /// A mapping of booleans, such as `quoting`.
    pub(super) fn bools(&self, key: &str, known: &[&str], diagnostics: &mut Diagnostics) -> BTreeMap<String, bool> {
        let owner = format!("'{key}' of {}", self.owner);
        let inner = Fields { entries: self.map(key, diagnostics), span: self.span, owner: &owner, code: self.code };
        inner.check_keys(known, diagnostics);
        known.iter().filter_map(|key| inner.bool(key, diagnostics).map(|value| ((*key).to_owned(), value))).collect()
    }

    /// Warns of every key that is not among `known`.
    pub(super) fn check_keys(&self, known: &[&str], diagnostics: &mut Diagnostics) {
        for entry in self.entries {
            if !known.contains(&entry.key.as_str()) {
                diagnostics.push(self.unexpected(entry, known));
            }
        }
    }

    pub(super) fn unexpected(&self, entry: &Entry, known: &[&str]) -> Diagnostic {
        let diagnostic = Diagnostic::new(&codes::UNEXPECTED_PROPERTY, format!("the key '{}' means nothing in {}", entry.key, self.owner))
            .at(entry.key_span);
        match nearest(&entry.key, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean '{near}'?")),
            None => diagnostic.help("remove it, or move it under 'meta:', where any key may stand"),
        }
    }
}

/// A boolean, or the text of one: what a template renders to.
pub(super) fn as_bool(yaml: &Yaml) -> Option<bool> {
    match &yaml.value {
        YamlValue::Bool(value) => Some(*value),
        YamlValue::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        YamlValue::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The place to complain about something that is missing: the first key rather than the whole mapping.
fn first_line(fields: &Fields<'_, '_>) -> Span {
    fields.entries.first().map_or(fields.span, |entry| Span { end: entry.value.span.end.min(entry.key_span.end), ..entry.key_span })
}

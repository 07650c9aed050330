//! `meta.unload` of a model: its rows are written to files on S3 once it is built.

use serde_json::{Map, Value};

use crate::base::{Sources, Span, bucket_and_key};
use crate::diag::{Diagnostic, codes};
use crate::project::Node;

const KEYS: &[&str] =
    &["to", "format", "partition_by", "existing", "single_file", "compression", "header", "delimiter", "null_text", "manifest", "region"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnloadFormat {
    Csv,
    /// A document a line.
    Json,
    Parquet,
}

/// What happens to files that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExistingFiles {
    /// They are an error.
    Refuse,
    /// Those of the same names are overwritten.
    Overwrite,
}

/// A checked `meta.unload`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unloading {
    /// `s3://bucket/folder/`, or what names of files begin with.
    pub to: String,
    pub format: UnloadFormat,
    pub partition_by: Vec<String>,
    pub existing: ExistingFiles,
    pub single_file: bool,
    pub gzip: bool,
    pub header: bool,
    pub delimiter: char,
    pub null_text: Option<String>,
    pub manifest: bool,
    /// Of the bucket, where it is elsewhere.
    pub region: Option<String>,
}

impl Unloading {
    /// What a model says of it.
    ///
    /// # Errors
    /// `invalid-unload` for what cannot be used.
    pub fn of(node: &Node, sources: &Sources) -> Result<Option<Unloading>, Diagnostic> {
        let Some(written) = node.config.get("meta").and_then(|meta| meta.get("unload")).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let place = |key: &str| unload_place(node, key, sources);
        let wrong = |key: &str, message: String, help: &str| Diagnostic::new(&codes::INVALID_UNLOAD, message).at(place(key)).help(help);
        let Some(keys) = written.as_object() else {
            return Err(wrong(
                "",
                format!("'unload' of '{}' is no mapping", node.name),
                "write at least 'to: s3://bucket/folder/' under it",
            ));
        };
        if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let message = format!("the key '{unknown}' means nothing in 'unload' of '{}'", node.name);
            let problem = Diagnostic::new(&codes::INVALID_UNLOAD, message).at(place(unknown));
            return Err(problem.did_you_mean(unknown, KEYS.iter().copied()).help(format!("the keys are: {}", KEYS.join(", "))));
        }
        if node.config.str("incremental_strategy") == Some("microbatch") {
            let message = format!("'{}' is built in batches of time, which are not unloaded", node.name);
            return Err(wrong("", message, "unload a model that selects from it"));
        }
        let read = Keys { keys, name: &node.name, wrong: &wrong };
        read.unloading().map(Some)
    }
}

/// Where a key of `unload` is written, or `unload` itself: the configuration keeps the place of `meta` as a whole.
pub fn unload_place(node: &Node, key: &str, sources: &Sources) -> Span {
    let Some(meta) = node.config.span("meta") else { return node.body.map_or(node.origin, |body| body.sub(0, 0)) };
    let text = sources.text(meta);
    let word = |word: &str, from: usize| {
        let found = text.get(from..)?.match_indices(word).map(|(at, _)| from + at);
        let is_bounded = |at: &usize| {
            let is_part = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
            let (before, behind) = (text.get(..*at).unwrap_or(""), text.get(at + word.len()..).unwrap_or(""));
            !is_part(before.chars().next_back()) && behind.trim_start_matches(['"', '\'']).trim_start().starts_with([':', '='])
        };
        found.into_iter().find(is_bounded)
    };
    let Some(unload) = word("unload", 0) else { return meta };
    match word(key, unload).filter(|_| !key.is_empty()) {
        Some(at) => meta.sub(at, key.len()),
        None => meta.sub(unload, "unload".len()),
    }
}

struct Keys<'a> {
    keys: &'a Map<String, Value>,
    name: &'a str,
    wrong: &'a dyn Fn(&str, String, &str) -> Diagnostic,
}

impl<'a> Keys<'a> {
    fn unloading(&self) -> Result<Unloading, Diagnostic> {
        let to = self.text("to")?.unwrap_or("");
        // The root of a bucket is nobody's own.
        if bucket_and_key(to).is_none_or(|(_, key)| key.trim_matches('/').is_empty()) {
            let message = format!("'{to}' is no place that '{}' can be unloaded to", self.name);
            return Err((self.wrong)("to", message, "write 'to:' with bucket and folder, as in 's3://bucket/folder/'"));
        }
        let format = match self.text("format")?.unwrap_or("parquet") {
            "csv" => UnloadFormat::Csv,
            "json" => UnloadFormat::Json,
            "parquet" => UnloadFormat::Parquet,
            other => return Err(self.unknown("format", other, &["csv", "json", "parquet"])),
        };
        let existing = match self.text("existing")?.unwrap_or("refuse") {
            "refuse" => ExistingFiles::Refuse,
            "overwrite" => ExistingFiles::Overwrite,
            other => return Err(self.unknown("existing", other, &["refuse", "overwrite"])),
        };
        let gzip = match self.text("compression")? {
            None | Some("none") => false,
            Some("gzip") => true,
            Some(other) => return Err(self.unknown("compression", other, &["gzip", "none"])),
        };
        let delimiter = match self.text("delimiter")?.map(|text| text.chars().collect::<Vec<_>>()) {
            None => ',',
            Some(signs) => match signs.as_slice() {
                [sign] if sign.is_ascii() => *sign,
                _ => {
                    return Err((self.wrong)(
                        "delimiter",
                        format!("'delimiter' of '{}' is not one ASCII character", self.name),
                        "as in ';'",
                    ));
                }
            },
        };
        Ok(Unloading {
            to: to.to_owned(),
            format,
            partition_by: self.names("partition_by")?,
            existing,
            single_file: self.truth("single_file")?.unwrap_or(false),
            gzip,
            header: self.truth("header")?.unwrap_or(format == UnloadFormat::Csv),
            delimiter,
            null_text: self.text("null_text")?.map(str::to_owned),
            manifest: self.truth("manifest")?.unwrap_or(false),
            region: self.text("region")?.map(str::to_owned),
        })
    }

    fn unknown(&self, key: &str, value: &str, known: &[&str]) -> Diagnostic {
        let help = format!("it is one of: {}", known.join(", "));
        let problem = (self.wrong)(key, format!("'{value}' is no '{key}' of 'unload' of '{}'", self.name), &help);
        problem.did_you_mean(value, known.iter().copied())
    }

    fn value<T>(&self, key: &str, kind: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, Diagnostic> {
        match self.keys.get(key).filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| {
                (self.wrong)(key, format!("'{key}' of 'unload' of '{}' is not {kind}", self.name), "correct it, or leave it out")
            }),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, Diagnostic> {
        self.value(key, "a text", Value::as_str)
    }

    fn truth(&self, key: &str) -> Result<Option<bool>, Diagnostic> {
        self.value(key, "true or false", Value::as_bool)
    }

    fn names(&self, key: &str) -> Result<Vec<String>, Diagnostic> {
        let list = |value: &'a Value| match value {
            Value::String(name) => Some(vec![name.clone()]),
            Value::Array(names) => names.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        Ok(self.value(key, "a list of columns", list)?.unwrap_or_default())
    }
}

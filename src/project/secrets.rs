//! What a profile says is shown to nobody: the text that diagnostics draw from has its values blotted out, at the same places.

use std::ops::Range;

use super::loader::Loader;
use super::yaml::{Yaml, YamlValue, parse_yaml};
use crate::base::FileId;
use crate::diag::{Diagnostic, codes};

/// Keys of a profile whose values may be shown. A password may stand under any other key.
const OPEN_SETTINGS: &[&str] = &[
    "application_name",
    "cluster_id",
    "connect_timeout",
    "database",
    "dbname",
    "host",
    "keepalives_idle",
    "method",
    "path",
    "port",
    "query_group",
    "region",
    "role",
    "schema",
    "search_path",
    "serverless_work_group",
    "sslmode",
    "target",
    "threads",
    "type",
    "user",
];

/// Whether a setting may be shown: its key is known to be harmless, and the value carries no token.
pub fn is_open(key: &str, value: &str) -> bool {
    OPEN_SETTINGS.contains(&key) && !value.contains("token") && !value.contains("@")
}

/// Reads a profile's file. Of its text, only what is no secret is kept for diagnostics.
pub(super) fn read_profiles(loader: &mut Loader<'_>, path: &str) -> Option<Yaml> {
    let Ok(bytes) = loader.files.read(path) else {
        // Reports why.
        loader.read(path);
        return None;
    };
    let Ok(text) = String::from_utf8(bytes) else {
        let problem = Diagnostic::new(&codes::MISSING_FILE, format!("the file '{path}' is not UTF-8 text"));
        loader.diagnostics.push(problem.help("save the file in the encoding UTF-8"));
        return None;
    };
    let file = loader.sources.add(path, blotted(&text));
    loader.parsed(parse_yaml(file, &text))
}

/// The text with every character replaced by `*` but for blanks, punctuation between values, keys, and values that may be shown.
/// Bytes keep their places.
fn blotted(text: &str) -> String {
    let Ok(parsed) = parse_yaml(FileId(0), text) else {
        return text.split_inclusive('\n').map(blotted_line).collect();
    };
    let mut shown = vec![false; text.len()];
    for (at, byte) in text.bytes().enumerate() {
        mark(&mut shown, at..at + 1, byte.is_ascii_whitespace() || b":{}[],-".contains(&byte));
    }
    visit(&parsed.root, "", text, &mut shown);
    let kept = |at: usize| shown.get(at).copied().unwrap_or(false);
    text.char_indices()
        .flat_map(|(at, character)| {
            let hidden = !kept(at);
            let count = if hidden { character.len_utf8() } else { 1 };
            std::iter::repeat_n(if hidden { '*' } else { character }, count)
        })
        .collect()
}

fn mark(shown: &mut [bool], range: Range<usize>, value: bool) {
    shown.get_mut(range).into_iter().flatten().for_each(|slot| *slot = value);
}

fn visit(yaml: &Yaml, key: &str, text: &str, shown: &mut [bool]) {
    match &yaml.value {
        YamlValue::Map(entries) => {
            for entry in entries {
                mark(shown, entry.key_span.range(), true);
                visit(&entry.value, &entry.key, text, shown);
            }
        }
        YamlValue::List(items) => items.iter().for_each(|item| visit(item, key, text, shown)),
        YamlValue::Null => {}
        YamlValue::Bool(_) | YamlValue::Int(_) | YamlValue::Float(_) | YamlValue::Text(_) => {
            let range = yaml.span.range();
            let open = text.get(range.clone()).is_some_and(|value| is_open(key, value));
            if open {
                mark(shown, range, true);
            } else {
                // Blanks and punctuation belong to the secret too, but lines stay lines.
                let newlines: Vec<usize> = range.clone().filter(|at| text.as_bytes().get(*at) == Some(&b'\n')).collect();
                mark(shown, range, false);
                newlines.into_iter().for_each(|at| mark(shown, at..at + 1, true));
            }
        }
    }
}

/// A line of a file that is no YAML: its key stays, and its value where the key is harmless.
fn blotted_line(line: &str) -> String {
    let key_start = line.len() - line.trim_start_matches([' ', '-']).len();
    let key_end = line.find(':').unwrap_or(key_start).max(key_start);
    let key = line.get(key_start..key_end).unwrap_or("").trim();
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let value = line.get(key_end..).unwrap_or("");
    if is_key && is_open(key, value) {
        return line.to_owned();
    }
    let kept = if is_key { key_end + 1 } else { key_start };
    let hide =
        |character: char| if character.is_whitespace() { " ".repeat(character.len_utf8()) } else { "*".repeat(character.len_utf8()) };
    let end = if line.ends_with('\n') { "\n" } else { "" };
    let body: String = line.get(kept..).unwrap_or("").trim_end_matches('\n').chars().map(hide).collect();
    format!("{}{body}{end}", line.get(..kept).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_values_are_left() {
        let text = "shop:\n  target: dev\n  outputs:\n    dev: {type: postgres, password: \"hün, ter: 2\", port: 5432} # hunter2\n    key: |\n      BEGIN-SECRET\n      x\n    path: md:db?motherduck_token=abc\n    hosts: [a, b]\n";
        let shown = blotted(text);
        assert_eq!(shown.len(), text.len());
        assert_eq!(
            shown,
            "shop:\n  target: dev\n  outputs:\n    dev: {type: postgres, password: **************, port: 5432} * *******\n    key: *\n      ************\n*******\n****path: **************************\n    hosts: [*, *]\n"
        );
    }

    #[test]
    fn a_broken_file_keeps_its_keys_only() {
        let text = "shop:\n  host: db\n  password: [hunter2\n  some hunter2: x\n";
        let shown = blotted(text);
        assert_eq!(shown, "shop:\n  host: db\n  password: ********\n  **** ******** *\n");
        assert_eq!(shown.len(), text.len());
    }
}

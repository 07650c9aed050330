//! Reading files into [`Sources`], and rendering the Jinja in YAML trees.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::yaml::{ParsedYaml, Yaml, YamlValue, parse_yaml};
use super::{LoadOptions, RenderText, Target, YamlScope};
use crate::base::{FileId, Files, Sources, Span};
use crate::diag::{Diagnostic, Diagnostics, codes};

/// What all parts of loading share.
pub(super) struct Loader<'a> {
    pub files: &'a dyn Files,
    pub options: &'a LoadOptions,
    pub text: &'a dyn RenderText,
    pub sources: Sources,
    pub diagnostics: &'a mut Diagnostics,
}

impl Loader<'_> {
    /// Reads one file; a failure is reported.
    pub(super) fn read(&mut self, path: &str) -> Option<FileId> {
        let bytes = self.files.read(path);
        self.add(path, bytes)
    }

    /// Reads many files at once, in the given order; those that fail are reported and left out.
    pub(super) fn read_all(&mut self, paths: &[String]) -> Vec<(usize, FileId)> {
        let files = self.files;
        let read: Vec<_> = paths.par_iter().map(|path| files.read(path)).collect();
        let added = paths.iter().zip(read).enumerate().map(|(at, (path, bytes))| (at, self.add(path, bytes)));
        added.filter_map(|(at, file)| file.map(|file| (at, file))).collect()
    }

    fn add(&mut self, path: &str, bytes: std::io::Result<Vec<u8>>) -> Option<FileId> {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                self.diagnostics.push(Diagnostic::new(&codes::MISSING_FILE, format!("the file '{path}' cannot be read: {error}")));
                return None;
            }
        };
        match String::from_utf8(bytes) {
            // A byte order mark is no part of the text: the database would refuse it.
            Ok(text) => Some(match text.strip_prefix('\u{feff}') {
                Some(text) => self.sources.add(path, text),
                None => self.sources.add(path, text),
            }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let file = self.sources.add(path, text);
                self.diagnostics.push(
                    Diagnostic::new(&codes::MISSING_FILE, format!("the file '{path}' is not UTF-8 text"))
                        .labelled(Span::new(file, at, at + '\u{fffd}'.len_utf8()), "this byte is not UTF-8")
                        .help("save the file in the encoding UTF-8"),
                );
                None
            }
        }
    }

    /// Reads one YAML file; a failure is reported.
    pub(super) fn read_yaml(&mut self, path: &str) -> Option<Yaml> {
        let file = self.read(path)?;
        let text = Arc::clone(&self.sources.file(file).text);
        self.parsed(parse_yaml(file, &text))
    }

    /// Reads many YAML files at once.
    pub(super) fn read_yamls(&mut self, paths: &[String]) -> Vec<(usize, Yaml)> {
        let read = self.read_all(paths);
        let sources = &self.sources;
        let files = self.files;
        let parsed: Vec<_> = read
            .par_iter()
            .map(|(at, file)| {
                let _held = files.working_on("YAML files", sources.path(*file));
                (*at, parse_yaml(*file, &sources.file(*file).text))
            })
            .collect();
        parsed.into_iter().filter_map(|(at, parsed)| self.parsed(parsed).map(|yaml| (at, yaml))).collect()
    }

    pub(super) fn parsed(&mut self, parsed: Result<ParsedYaml, Diagnostic>) -> Option<Yaml> {
        match parsed {
            Ok(parsed) => {
                self.diagnostics.extend(parsed.warnings);
                Some(parsed.root)
            }
            Err(problem) => {
                self.diagnostics.push(problem);
                None
            }
        }
    }

    /// Renders the texts with Jinja in a tree, in place, but for those that `skip` names by their path of keys.
    /// What fails is reported and becomes empty.
    pub(super) fn render(
        &mut self,
        yaml: &mut Yaml,
        vars: &Map<String, Value>,
        target: Option<&Target>,
        skip: &dyn Fn(&[Step<'_>]) -> bool,
    ) {
        let scope = YamlScope { files: self.files, vars, target };
        let mut walk = Walk { text: self.text, scope, skip, problems: Vec::new() };
        walk.value(yaml, &mut Vec::new());
        self.diagnostics.extend(walk.problems);
    }

    /// Renders one text.
    pub(super) fn render_one(&mut self, yaml: &Yaml, vars: &Map<String, Value>, target: Option<&Target>) -> Yaml {
        let mut rendered = yaml.clone();
        self.render(&mut rendered, vars, target, &|_| false);
        rendered
    }
}

/// One step on the way to a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step<'y> {
    Key(&'y str),
    Item,
}

struct Walk<'a> {
    text: &'a dyn RenderText,
    scope: YamlScope<'a>,
    skip: &'a dyn Fn(&[Step<'_>]) -> bool,
    problems: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn value<'y>(&mut self, yaml: &'y mut Yaml, path: &mut Vec<Step<'y>>) {
        let Yaml { value, span } = yaml;
        if let YamlValue::Text(text) = &*value {
            if has_jinja(text) && !(self.skip)(path) {
                *value = match self.text.render(text, *span, &self.scope) {
                    Ok(rendered) => Yaml::from_json(rendered, *span).value,
                    Err(problem) => {
                        self.problems.push(problem);
                        YamlValue::Null
                    }
                };
            }
            return;
        }
        match value {
            YamlValue::List(items) => {
                for item in items {
                    path.push(Step::Item);
                    self.value(item, path);
                    path.pop();
                }
            }
            YamlValue::Map(entries) => {
                for entry in entries {
                    path.push(Step::Key(&entry.key));
                    self.value(&mut entry.value, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}

/// Whether a text holds anything that Jinja would touch.
pub(super) fn has_jinja(text: &str) -> bool {
    text.contains('{') && (text.contains("{{") || text.contains("{%") || text.contains("{#"))
}

/// `folder/path`, with neither `./` nor `folder/..` in it; the empty folder is the root.
pub(super) fn join(folder: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let absolute = folder.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn joins_paths() {
        let cases = [
            ("", "a/b", "a/b"),
            ("p", "./a/", "p/a"),
            ("p/q", "../r", "p/r"),
            ("", "../r", "../r"),
            ("p", "/abs", "/abs"),
            ("/abs", "x", "/abs/x"),
        ];
        for (folder, path, expected) in cases {
            assert_eq!(join(folder, path), expected);
        }
    }
}

//! For the tests of this floor: projects in memory, a template renderer that knows three functions, diagnostics as lines.

use serde_json::Value;

use super::{LoadOptions, Node, Project, RenderText, YamlScope, load};
use crate::base::{MemoryFiles, Sources, Span};
use crate::diag::{Diagnostic, Diagnostics, codes};

/// Knows `{{ var('x') }}`, `{{ env_var('X') }}`, `{{ env_var('X', 'y') }}` and `{{ target.name }}`, anywhere in a text.
pub(super) struct TinyRenderer;

impl RenderText for TinyRenderer {
    fn render(&self, text: &str, span: Span, scope: &YamlScope<'_>) -> Result<Value, Diagnostic> {
        let fail = |message: &str| Diagnostic::new(&codes::JINJA_ERROR, message).at(span);
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("{{") {
            let (expression, after) = tail.split_once("}}").ok_or_else(|| fail("no end"))?;
            let value = evaluate(expression.trim(), scope).ok_or_else(|| fail(&format!("cannot evaluate {}", expression.trim())))?;
            if before.is_empty() && after.is_empty() && out.is_empty() {
                return Ok(value);
            }
            out.push_str(before);
            out.push_str(&super::python::str_of(&value));
            rest = after;
        }
        Ok(Value::from(out + rest))
    }
}

fn evaluate(expression: &str, scope: &YamlScope<'_>) -> Option<Value> {
    if expression == "target.name" {
        return scope.target.map(|target| Value::from(target.name.as_str()));
    }
    let (function, arguments) = expression.strip_suffix(')')?.split_once('(')?;
    let arguments: Vec<&str> = arguments.split(',').map(|argument| argument.trim().trim_matches('\'')).collect();
    match function {
        "var" => scope.vars.get(*arguments.first()?).cloned(),
        "env_var" => scope.files.env(arguments.first()?).or_else(|| arguments.get(1).map(|default| (*default).to_owned())).map(Value::from),
        _ => None,
    }
}

pub(super) struct Loaded {
    pub project: Option<Project>,
    /// `severity[code] path:line:column: message`, then `  help: …` lines.
    pub problems: Vec<String>,
}

impl Loaded {
    pub(super) fn project(&self) -> &Project {
        self.project.as_ref().expect("a project")
    }

    pub(super) fn node(&self, id: &str) -> &Node {
        let ids: Vec<_> = self.project().nodes.iter().map(|node| &*node.id).collect();
        self.project().nodes.iter().find(|node| &*node.id == id).unwrap_or_else(|| panic!("no {id} in {ids:#?}"))
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.project().nodes.iter().map(|node| &*node.id).collect()
    }
}

/// Macros that stand for acca's own.
pub(super) const BUILTIN: &[(&str, &str)] = &[("macros/tests.sql", "{% test not_null(model, column_name) %}{% endtest %}")];

/// Loads a project of `files`; without a `dbt_project.yml` among them, one named `shop` is added.
pub(super) fn load_with(files: &[(&str, &str)], options: LoadOptions, env: &[(&str, &str)]) -> Loaded {
    let mut memory = MemoryFiles::default();
    if !files.iter().any(|(path, _)| *path == "dbt_project.yml") {
        memory = memory.with("dbt_project.yml", "name: shop\n");
    }
    for (path, text) in files {
        memory = memory.with(path, text);
    }
    memory.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut diagnostics = Diagnostics::default();
    let loaded = load(&memory, &options, &TinyRenderer, BUILTIN, &mut diagnostics);
    let (project, sources) = match loaded {
        Ok(project) => (Some(project), None),
        Err(sources) => (None, Some(sources)),
    };
    let sources = project.as_ref().map(|project| &project.sources).or(sources.as_ref()).unwrap();
    let problems = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code.name != "default-profile")
        .flat_map(|diagnostic| lines(diagnostic, sources))
        .collect();
    Loaded { project, problems }
}

pub(super) fn load_files(files: &[(&str, &str)]) -> Loaded {
    load_with(files, LoadOptions::default(), &[])
}

/// The problems of a project of these files.
pub(super) fn problems(files: &[(&str, &str)]) -> Vec<String> {
    load_files(files).problems
}

fn lines(diagnostic: &Diagnostic, sources: &Sources) -> Vec<String> {
    let place = |span: Span| {
        let file = sources.file(span.file);
        let position = file.position(span.start as usize);
        format!(" {}:{}:{} '{}'", file.path, position.line, position.column, shortened(sources.text(span)))
    };
    let at = diagnostic.primary.as_ref().map_or(String::new(), |label| place(label.span));
    let mut lines = vec![format!("{}[{}]{at}: {}", diagnostic.severity.as_str(), diagnostic.code.name, diagnostic.message)];
    lines.extend(diagnostic.secondary.iter().map(|label| format!("  also{}: {}", place(label.span), label.text)));
    lines.extend(diagnostic.help.iter().map(|help| format!("  help: {help}")));
    lines
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.len() == text.len() { line.to_owned() } else { format!("{line}…") }
}

//! `selectors.yml`: selections with a name. What a definition means is known where nodes are selected.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::loader::Loader;
use super::project_file::{ProjectFile, visible_vars};
use super::yaml::Yaml;
use super::{Target, YamlValue};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

const FILE_NAME: &str = "selectors.yml";

/// A named selection of the root project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Selector {
    pub name: String,
    pub span: Span,
    pub description: Option<String>,
    /// It holds where a command names no nodes.
    pub default: bool,
    /// As written, with its templates rendered.
    pub definition: Yaml,
}

/// The selectors of the root project in the order of the file; none where there is no file.
pub(super) fn load_selectors(loader: &mut Loader<'_>, root: &ProjectFile, target: &Target) -> Vec<Selector> {
    if !loader.files.exists(FILE_NAME) {
        return Vec::new();
    }
    let Some(mut yaml) = loader.read_yaml(FILE_NAME) else { return Vec::new() };
    let vars = visible_vars(&root.package, &root.package, &loader.options.vars);
    loader.render(&mut yaml, &vars, Some(target), &|_| false);
    let owner = format!("'{FILE_NAME}'");
    let Some(fields) = Fields::of(&yaml, &owner, loader.diagnostics) else { return Vec::new() };
    fields.check_keys(&["version", "selectors"], loader.diagnostics);
    let mut selectors: Vec<Selector> = Vec::new();
    for item in fields.list("selectors", loader.diagnostics) {
        let Some(selector) = read_selector(loader, item) else { continue };
        if let Some(problem) = selectors.iter().find_map(|earlier| clash(earlier, &selector)) {
            loader.diagnostics.push(problem);
            continue;
        }
        selectors.push(selector);
    }
    selectors
}

fn read_selector(loader: &mut Loader<'_>, item: &Yaml) -> Option<Selector> {
    let owner = match item.get("name").and_then(Yaml::scalar_text) {
        Some(name) => format!("selector '{name}'"),
        None => "a selector".to_owned(),
    };
    let fields = Fields::of(item, &owner, loader.diagnostics)?;
    fields.check_keys(&["name", "description", "default", "definition"], loader.diagnostics);
    let (name, span) = fields.required_text("name", loader.diagnostics)?;
    let description = fields.text("description", loader.diagnostics);
    let default = fields.bool("default", loader.diagnostics).unwrap_or(false);
    let Some(definition) = fields.get("definition") else {
        let problem = Diagnostic::new(&codes::MISSING_PROPERTY, format!("{owner} has no 'definition'")).at(span);
        loader.diagnostics.push(problem.help("add 'definition:' with what it selects, such as 'tag:nightly'"));
        return None;
    };
    if !matches!(definition.value, YamlValue::Text(_) | YamlValue::Map(_)) {
        let message = format!("the definition of {owner} is {}, and a text or a mapping is needed", definition.kind());
        let problem = Diagnostic::new(&codes::INVALID_SELECTOR, message).at(definition.span);
        loader.diagnostics.push(problem.help("put a list under 'union:' or 'intersection:'"));
        return None;
    }
    Some(Selector { name, span, description, default, definition: definition.clone() })
}

fn clash(earlier: &Selector, selector: &Selector) -> Option<Diagnostic> {
    if earlier.name == selector.name {
        let problem = Diagnostic::new(&codes::DUPLICATE_NAME, format!("the selector '{}' is defined twice", selector.name));
        return Some(problem.at(selector.span).also(earlier.span, "first defined here").help("rename one of them"));
    }
    if earlier.default && selector.default {
        let message = format!("the selectors '{}' and '{}' are both the default", earlier.name, selector.name);
        let problem = Diagnostic::new(&codes::INVALID_SELECTOR, message).at(selector.span).also(earlier.span, "the other one");
        return Some(problem.help("keep 'default: true' at one of them"));
    }
    None
}

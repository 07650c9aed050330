//! Groups: who owns which models.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::Fields;
use super::loader::Loader;
use super::properties::Scope;
use super::resources::Catalog;
use super::yaml::{Yaml, to_json_map};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

/// One entry of `groups:`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub package: Arc<str>,
    pub name: String,
    pub span: Span,
    pub description: Option<String>,
    /// `owner` as written.
    pub owner: Map<String, Value>,
    pub meta: Map<String, Value>,
}

impl Group {
    pub fn id(&self) -> String {
        format!("group.{}.{}", self.package, self.name)
    }
}

/// Adds the groups of one file.
pub(super) fn apply_groups(loader: &mut Loader<'_>, scope: &Scope<'_>, yaml: &Yaml, catalog: &mut Catalog) {
    let whole = Fields { entries: yaml.as_map().unwrap_or(&[]), span: yaml.span, owner: scope.path, code: &codes::INVALID_CONFIG };
    for item in whole.list("groups", loader.diagnostics) {
        let Some(fields) = Fields::of(item, "an entry of 'groups'", loader.diagnostics) else { continue };
        let Some((name, span)) = fields.required_text("name", loader.diagnostics) else { continue };
        let owner = format!("group '{name}'");
        let fields = Fields { owner: &owner, ..fields };
        fields.check_keys(&["name", "owner", "description", "config"], loader.diagnostics);
        let owner = to_json_map(fields.map("owner", loader.diagnostics));
        if !owner.contains_key("name") && !owner.contains_key("email") {
            let problem = Diagnostic::new(&codes::MISSING_PROPERTY, format!("{} has no 'owner' with a 'name' or an 'email'", fields.owner));
            loader.diagnostics.push(problem.at(span).help("add 'owner:' with 'name:' or 'email:' under it"));
        }
        if let Some(first) = catalog.groups.iter().find(|group| group.package == scope.package && group.name == name) {
            let problem = Diagnostic::new(&codes::DUPLICATE_NAME, format!("the group '{name}' is defined twice")).at(span);
            loader.diagnostics.push(problem.also(first.span, "first defined here").help("rename or remove one of them"));
            continue;
        }
        let config_owner = format!("'config' of {}", fields.owner);
        let config = Fields { entries: fields.map("config", loader.diagnostics), owner: &config_owner, ..fields };
        config.check_keys(&["meta"], loader.diagnostics);
        catalog.groups.push(Group {
            package: Arc::clone(&scope.package),
            name,
            span,
            description: fields.text("description", loader.diagnostics),
            owner,
            meta: to_json_map(config.map("meta", loader.diagnostics)),
        });
    }
}

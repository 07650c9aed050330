//! Exposures: what lies downstream of the project.

use serde_json::{Map, Value, json};

use super::Config;
use super::config_tree::insert_config;
use super::fields::Fields;
use super::loader::Loader;
use super::node::{Detail, Exposure, Node};
use super::properties::{Scope, check_node_keys};
use super::resources::Catalog;
use super::yaml::Yaml;
use crate::base::{ResourceType, Span};
use crate::diag::{Diagnostic, codes};

const KEYS: &[&str] = &["name", "label", "type", "owner", "description", "maturity", "url", "depends_on", "tags", "meta", "config"];
const KINDS: &[&str] = &["dashboard", "notebook", "analysis", "ml", "application"];
const MATURITIES: &[&str] = &["low", "medium", "high"];

/// The exposures of one properties file.
pub(super) fn apply_exposures(loader: &mut Loader<'_>, scope: &Scope<'_>, yaml: &Yaml, catalog: &mut Catalog) {
    let whole = Fields { entries: yaml.as_map().unwrap_or(&[]), span: yaml.span, owner: scope.path, code: &codes::INVALID_CONFIG };
    for item in whole.list("exposures", loader.diagnostics) {
        let Some(fields) = Fields::of(item, "an exposure", loader.diagnostics) else { continue };
        let Some((name, span)) = fields.required_text("name", loader.diagnostics) else { continue };
        let owner = format!("exposure '{name}'");
        apply_exposure(loader, scope, &Fields { owner: &owner, ..fields }, &name, span, catalog);
    }
}

fn apply_exposure(loader: &mut Loader<'_>, scope: &Scope<'_>, fields: &Fields<'_, '_>, name: &str, span: Span, catalog: &mut Catalog) {
    check_node_keys(loader, fields, KEYS);
    let owner = format!("'owner' of {}", fields.owner);
    let people = Fields { entries: fields.map("owner", loader.diagnostics), owner: &owner, ..*fields };
    if people.get("name").is_none() && people.get("email").is_none() {
        loader.diagnostics.push(
            Diagnostic::new(&codes::MISSING_PROPERTY, format!("{} has no 'owner' with a 'name' or an 'email'", fields.owner))
                .at(span)
                .help("add 'owner:' with 'name:' or 'email:' under it"),
        );
    }
    let kind = fields.required_text("type", loader.diagnostics);
    let exposure = Exposure {
        kind: one_of(loader, kind, "type", KINDS).unwrap_or_default(),
        label: fields.text("label", loader.diagnostics),
        maturity: {
            let maturity = fields.text("maturity", loader.diagnostics).zip(fields.get("maturity").map(|value| value.span));
            one_of(loader, maturity, "maturity", MATURITIES)
        },
        url: fields.text("url", loader.diagnostics),
        owner_name: people.text("name", loader.diagnostics),
        owner_email: people.text("email", loader.diagnostics),
        depends_on: fields.spanned_strings("depends_on", loader.diagnostics),
    };
    let detail = Detail::Exposure(Box::new(exposure));
    let mut node = Node::new(ResourceType::Exposure, &scope.package, name, scope.fqn([name]), span, detail);
    node.properties = Some(span);
    node.description = fields.description(loader.diagnostics);
    node.config = config(loader, fields);
    catalog.add(node);
}

fn one_of(loader: &mut Loader<'_>, written: Option<(String, Span)>, key: &str, allowed: &[&str]) -> Option<String> {
    let (text, span) = written?;
    if !allowed.contains(&text.to_lowercase().as_str()) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_CONFIG, format!("'{text}' is no {key} of an exposure"))
                .at(span)
                .did_you_mean(&text, allowed.iter().copied())
                .help(format!("write one of: {}", allowed.join(", "))),
        );
        return None;
    }
    Some(text.to_lowercase())
}

/// `tags` and `meta` may stand beside `config:` and inside it.
fn config(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Config {
    let mut config = Config::default();
    let inner_entries = fields.map("config", loader.diagnostics);
    for entry in inner_entries.iter().filter(|entry| entry.key != "tags" && entry.key != "meta") {
        insert_config(&mut config, &entry.key, entry, loader.diagnostics);
    }
    let inner = Fields { entries: inner_entries, ..*fields };
    let mut tags: Vec<String> = [fields, &inner].into_iter().flat_map(|level| level.strings("tags", loader.diagnostics)).collect();
    tags.sort();
    tags.dedup();
    let mut meta: Map<String, Value> = Map::new();
    for level in [fields, &inner] {
        meta.extend(level.map("meta", loader.diagnostics).iter().map(|entry| (entry.key.clone(), entry.value.to_json())));
    }
    if !tags.is_empty() {
        config.insert("tags", json!(tags), fields.get("tags").map(|value| value.span));
    }
    if !meta.is_empty() {
        config.insert("meta", Value::Object(meta), fields.get("meta").map(|value| value.span));
    }
    config
}

#[cfg(test)]
mod tests {
    use crate::project::node::Detail;
    use crate::project::testing::{load_files, problems};

    #[test]
    fn an_exposure() {
        let loaded = load_files(&[(
            "models/bi/e.yml",
            "exposures:\n  - name: dash\n    label: Dash\n    type: Dashboard\n    maturity: high\n    url: http://x\n    owner: {name: A, email: a@b}\n    depends_on: [\"ref('m')\"]\n    tags: [b]\n    config: {tags: a, meta: {z: 1}}\n",
        )]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let node = loaded.node("exposure.shop.dash");
        let Detail::Exposure(exposure) = &node.detail else { panic!("{:?}", node.detail) };
        assert_eq!(
            (exposure.kind.as_str(), exposure.owner_email.as_deref(), node.tags().join(" ")),
            ("dashboard", Some("a@b"), "a b".to_owned())
        );
        assert_eq!((node.fqn.join("."), exposure.depends_on[0].0.as_str()), ("shop.bi.dash".to_owned(), "ref('m')"));
    }

    #[test]
    fn mistakes() {
        assert_eq!(
            problems(&[("models/e.yml", "exposures:\n  - name: dash\n    type: dashbord\n    maturity: hihg\n    onwer: me\n")]),
            [
                "warning[unexpected-property] models/e.yml:5:5 'onwer': the key 'onwer' means nothing in exposure 'dash'",
                "  help: did you mean 'owner'?",
                "error[missing-property] models/e.yml:2:11 'dash': exposure 'dash' has no 'owner' with a 'name' or an 'email'",
                "  help: add 'owner:' with 'name:' or 'email:' under it",
                "error[invalid-config] models/e.yml:3:11 'dashbord': 'dashbord' is no type of an exposure",
                "  help: did you mean 'dashboard'?",
                "  help: write one of: dashboard, notebook, analysis, ml, application",
                "error[invalid-config] models/e.yml:4:15 'hihg': 'hihg' is no maturity of an exposure",
                "  help: did you mean 'high'?",
                "  help: write one of: low, medium, high",
            ]
        );
    }
}

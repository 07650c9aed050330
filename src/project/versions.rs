//! Versions of a model: several files that are one model by name.

use std::sync::Arc;

use serde_json::Value;

use super::Config;
use super::contract::read_constraints;
use super::fields::Fields;
use super::generic_tests::{TargetKind, TestTarget, add_tests};
use super::loader::Loader;
use super::node::{Column, Detail};
use super::properties::{
    NodePatch, ReadColumn, Scope, add_column_tests, apply_patch, check_node_keys, node_config, read_columns, read_date, tests_of,
};
use super::resources::Catalog;
use super::yaml::Yaml;
use crate::base::{ResourceType, Span};
use crate::diag::{Diagnostic, codes};

const VERSION_KEYS: &[&str] =
    &["v", "defined_in", "description", "access", "config", "constraints", "docs", "data_tests", "tests", "columns", "deprecation_date"];

/// One entry of `versions:`.
struct Version<'y, 'o> {
    v: String,
    span: Span,
    fields: Fields<'y, 'o>,
}

/// Turns the files of a model's versions into nodes `model.<package>.<name>.v<version>` and describes them.
pub(super) fn apply_versions(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    fields: &Fields<'_, '_>,
    name: &str,
    span: Span,
    catalog: &mut Catalog,
) {
    let mut versions: Vec<Version<'_, '_>> = Vec::new();
    let owner = format!("a version of {}", fields.owner);
    for item in fields.list("versions", loader.diagnostics) {
        let Some(inner) = Fields::of(item, &owner, loader.diagnostics) else { continue };
        check_node_keys(loader, &inner, VERSION_KEYS);
        let Some((v, v_span)) = inner.required_text("v", loader.diagnostics) else { continue };
        if let Some(first) = versions.iter().find(|other| other.v == v) {
            loader.diagnostics.push(
                Diagnostic::new(&codes::DUPLICATE_NAME, format!("{} has the version '{v}' twice", fields.owner))
                    .at(v_span)
                    .also(first.span, "first written here")
                    .help("give each version a number of its own"),
            );
            continue;
        }
        versions.push(Version { v, span: v_span, fields: inner });
    }
    let latest = latest_version(loader, fields, &versions);
    for version in &versions {
        apply_version(loader, scope, fields, (name, span), version, latest.as_deref(), catalog);
    }
}

/// What `latest_version` says, or the greatest version: by number where all are numbers.
fn latest_version(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, versions: &[Version<'_, '_>]) -> Option<String> {
    if let Some(latest) = fields.text("latest_version", loader.diagnostics) {
        if !versions.iter().any(|version| version.v == latest) {
            let names: Vec<&str> = versions.iter().map(|version| version.v.as_str()).collect();
            loader.diagnostics.push(
                Diagnostic::new(
                    &codes::INVALID_CONFIG,
                    format!("'latest_version' of {} is '{latest}', which is none of its versions", fields.owner),
                )
                .at_opt(fields.get("latest_version").map(|value| value.span))
                .help(format!("the versions are: {}", names.join(", "))),
            );
        }
        return Some(latest);
    }
    let number = |version: &Version<'_, '_>| version.v.parse::<f64>().ok();
    let greatest = if versions.iter().all(|version| number(version).is_some()) {
        versions.iter().max_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal))
    } else {
        versions.iter().max_by(|a, b| a.v.cmp(&b.v))
    };
    greatest.map(|version| version.v.clone())
}

fn apply_version(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    model: &Fields<'_, '_>,
    (name, name_span): (&str, Span),
    version: &Version<'_, '_>,
    latest: Option<&str>,
    catalog: &mut Catalog,
) {
    let defined_in = version.fields.text("defined_in", loader.diagnostics);
    let file_name = defined_in.unwrap_or_else(|| format!("{name}_v{}", version.v));
    let mut at = catalog.find(ResourceType::Model, &file_name, &scope.package);
    if at.is_none() && latest == Some(version.v.as_str()) {
        at = catalog.find(ResourceType::Model, name, &scope.package).filter(|at| !is_versioned(catalog, *at));
    }
    let Some(at) = at else {
        loader.diagnostics.push(
            Diagnostic::new(
                &codes::ORPHAN_PROPERTIES,
                format!("there is no file '{file_name}.sql' for version '{}' of model '{name}'", version.v),
            )
            .at(version.span)
            .did_you_mean(&file_name, catalog.names(ResourceType::Model))
            .help("add the file, or name another one with 'defined_in:'"),
        );
        return;
    };
    catalog.rename(at, name);
    if let Some(node) = catalog.nodes.get_mut(at) {
        node.id = format!("model.{}.{name}.v{}", node.package, version.v).into();
        if let Some(last) = node.fqn.last_mut() {
            name.clone_into(last);
        }
        node.fqn.push(format!("v{}", version.v));
        if let Detail::Model(detail) = &mut node.detail {
            detail.version = Some(version.v.clone());
            detail.latest_version = latest.map(str::to_owned);
        }
    }
    let columns = version_columns(loader, model, &version.fields);
    let own_constraints = read_constraints(loader, &version.fields);
    let patch = NodePatch {
        span: version.span,
        description: version
            .fields
            .text("description", loader.diagnostics)
            .or_else(|| model.text("description", loader.diagnostics))
            .unwrap_or_default(),
        columns: latest_columns(&columns),
        config: version_config(loader, model, &version.fields),
        deprecation_date: read_date(loader, &version.fields),
        constraints: if own_constraints.is_empty() { read_constraints(loader, model) } else { own_constraints },
    };
    if !apply_patch(loader, catalog, at, patch) {
        return;
    }
    let Some(node) = catalog.nodes.get_mut(at) else { return };
    node.properties = Some(name_span);
    let kind = TargetKind::Node { name: name.to_owned(), version: Some(version.v.clone()) };
    let target = TestTarget { attached: Arc::clone(&node.id), kind, tags: Vec::new() };
    let own = version.fields.has("data_tests") || version.fields.has("tests");
    let tests = if own { tests_of(loader, &version.fields) } else { tests_of(loader, model) };
    add_column_tests(loader, scope, catalog, &target, &columns);
    add_tests(loader, scope, catalog, &target, None, tests);
}

/// Each column once; where the version describes a column of the model anew, that counts.
fn latest_columns(read: &[ReadColumn<'_>]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for ReadColumn { column, .. } in read {
        match columns.iter_mut().find(|earlier| earlier.name == column.name) {
            Some(earlier) => *earlier = column.clone(),
            None => columns.push(column.clone()),
        }
    }
    columns
}

fn is_versioned(catalog: &Catalog, at: usize) -> bool {
    catalog.nodes.get(at).is_some_and(|node| matches!(&node.detail, Detail::Model(model) if model.version.is_some()))
}

/// The version's configuration over the model's: mappings merged at any depth, all else replaced.
fn version_config(loader: &mut Loader<'_>, model: &Fields<'_, '_>, version: &Fields<'_, '_>) -> Config {
    let mut config = node_config(loader, model);
    for (key, own) in node_config(loader, version).iter() {
        let merged = config.get(key).map_or_else(|| own.value.clone(), |below| deep_merge(below, &own.value));
        config.insert(key, merged, own.span);
    }
    config
}

fn deep_merge(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            let mut all = below.clone();
            for (key, value) in above {
                let merged = all.get(key).map_or_else(|| value.clone(), |below| deep_merge(below, value));
                all.insert(key.clone(), merged);
            }
            Value::Object(all)
        }
        _ => above.clone(),
    }
}

/// The model's columns, as far as `include` and `exclude` of the version let them through, and the version's own.
fn version_columns<'y>(loader: &mut Loader<'_>, model: &Fields<'y, '_>, version: &Fields<'y, '_>) -> Vec<ReadColumn<'y>> {
    let picks = version.get("columns").and_then(Yaml::as_list).unwrap_or(&[]);
    let pick = picks.iter().find(|item| item.get("include").is_some() || item.get("exclude").is_some());
    let names = |key: &str| -> Option<Vec<String>> {
        let value = pick?.get(key)?;
        Some(match value.as_list() {
            Some(items) => items.iter().filter_map(Yaml::scalar_text).collect(),
            None => value.scalar_text().into_iter().collect(),
        })
    };
    let (include, exclude) = (names("include"), names("exclude").unwrap_or_default());
    let everything = |list: &[String]| list.iter().any(|name| name == "*" || name == "all");
    let included =
        |name: &String| include.as_ref().is_none_or(|include| everything(include) || include.contains(name)) && !exclude.contains(name);
    let mut columns: Vec<ReadColumn<'y>> = read_columns(loader, model).into_iter().filter(|read| included(&read.column.name)).collect();
    columns.extend(read_columns(loader, version));
    columns
}

#[cfg(test)]
mod tests {
    use crate::project::node::{Detail, ModelDetail};
    use crate::project::testing::{Loaded, load_files, problems};

    fn model<'l>(loaded: &'l Loaded, id: &str) -> &'l ModelDetail {
        match &loaded.node(id).detail {
            Detail::Model(model) => model,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_version_is_a_node_with_what_it_inherits() {
        let loaded = load_files(&[
            ("models/core/cust_v1.sql", ""),
            ("models/core/cust.sql", ""),
            ("models/core/other.sql", ""),
            (
                "models/core/m.yml",
                "models:\n  - name: cust\n    latest_version: 2\n    description: base\n    config: {meta: {q: {r: 1}}, tags: [t]}\n    columns: [{name: id, data_tests: [unique]}, {name: b}]\n    data_tests: [t]\n    versions:\n      - v: 1\n        config: {alias: one, meta: {q: {s: 2}}}\n      - v: 2\n        description: two\n        data_tests: []\n        columns: [{include: all, exclude: [b]}, {name: extra}]\n      - {v: 3, defined_in: other}\n",
            ),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let models: Vec<&str> = loaded.ids().into_iter().filter(|id| id.starts_with("model.")).collect();
        assert_eq!(models, ["model.shop.cust.v1", "model.shop.cust.v2", "model.shop.cust.v3"]);
        let tests: Vec<String> =
            loaded.ids().iter().filter_map(|id| Some(id.strip_prefix("test.shop.")?.rsplit_once('.')?.0.to_owned())).collect();
        assert_eq!(tests, ["t_cust_v1_", "t_cust_v3_", "unique_cust_v1_id", "unique_cust_v2_id", "unique_cust_v3_id"]);
        let one = loaded.node("model.shop.cust.v1");
        assert_eq!((one.name.as_str(), one.fqn.join(".")), ("cust", "shop.core.cust.v1".to_owned()));
        assert_eq!(one.config.get("meta"), Some(&serde_json::json!({"q": {"r": 1, "s": 2}})));
        assert_eq!((one.description.as_str(), one.tags()), ("base", vec!["t".to_owned()]));
        let two = loaded.node("model.shop.cust.v2");
        assert_eq!(two.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["id", "extra"]);
        assert_eq!(two.description, "two");
        let versions = |id| (model(&loaded, id).version.as_deref(), model(&loaded, id).latest_version.as_deref());
        assert_eq!(versions("model.shop.cust.v3"), (Some("3"), Some("2")));
    }

    #[test]
    fn mistakes() {
        let cases: [(&str, &[&str]); 3] = [
            (
                "versions: [{v: 1}, {v: 2}]",
                &[
                    "warning[orphan-properties] models/m.yml:3:28 '2': there is no file 'm_v2.sql' for version '2' of model 'm'",
                    "  help: add the file, or name another one with 'defined_in:'",
                ],
            ),
            (
                "versions: [{v: 1}, {v: 1}]",
                &[
                    "error[duplicate-name] models/m.yml:3:28 '1': model 'm' has the version '1' twice",
                    "  also models/m.yml:3:20 '1': first written here",
                    "  help: give each version a number of its own",
                ],
            ),
            (
                "latest_version: 9\n    versions: [{v: 1}]",
                &[
                    "error[invalid-config] models/m.yml:3:21 '9': 'latest_version' of model 'm' is '9', which is none of its versions",
                    "  help: the versions are: 1",
                ],
            ),
        ];
        for (versions, expected) in cases {
            let yaml = format!("models:\n  - name: m\n    {versions}\n");
            assert_eq!(problems(&[("models/m_v1.sql", ""), ("models/m.yml", &yaml)]), expected, "{versions}");
        }
    }
}

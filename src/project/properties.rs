//! Properties files: what the YAML beside the models says of models, seeds, snapshots, analyses, tests and macros.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::config_tree::insert_config;
use super::contract::read_constraints;
use super::discover::Found;
use super::fields::Fields;
use super::generic_tests::{TestColumn, TestTarget, add_tests};
use super::loader::{Loader, Step};
use super::node::{Column, Detail, Node};
use super::resources::{Catalog, fqn};
use super::versions::apply_versions;
use super::yaml::{Entry, Yaml};
use super::{Config, Package, Target};
use crate::base::{ResourceType, Span};
use crate::diag::{Diagnostic, Severity, codes};

/// Where a properties file lies and what its templates see.
pub(super) struct Scope<'a> {
    pub package: Arc<str>,
    /// Relative to the searched folder.
    pub relative: &'a str,
    /// Relative to the folder of the package.
    pub path: &'a str,
    pub vars: &'a Map<String, Value>,
    pub target: &'a Target,
}

impl Scope<'_> {
    /// The qualified name of something in this file.
    pub(super) fn fqn<'b>(&'b self, tail: impl IntoIterator<Item = &'b str>) -> Vec<String> {
        fqn(&self.package, self.relative, tail)
    }

    /// Tests count their folders from the first one of the path, whatever the searched folder.
    pub(super) fn test_fqn(&self, name: &str) -> Vec<String> {
        fqn(&self.package, self.path.split_once('/').map_or(self.path, |(_, rest)| rest), [name])
    }
}

/// A properties file, read and rendered.
pub(super) struct PropertiesFile {
    pub found: Found,
    pub yaml: Yaml,
}

const SECTIONS: &[&str] = &[
    "version",
    "models",
    "seeds",
    "snapshots",
    "sources",
    "macros",
    "exposures",
    "analyses",
    "data_tests",
    "tests",
    "unit_tests",
    "semantic_models",
    "metrics",
    "saved_queries",
    "groups",
    "functions",
    "anchors",
];
/// Sections that acca reads past, with a note.
const IGNORED: &[&str] = &["semantic_models", "metrics", "saved_queries", "functions"];

/// Reads the properties files of one package and renders what dbt renders when it reads them.
pub(super) fn load_properties(loader: &mut Loader<'_>, files: &[Found], vars: &Map<String, Value>, target: &Target) -> Vec<PropertiesFile> {
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    let mut read = Vec::new();
    for (at, mut yaml) in loader.read_yamls(&paths) {
        let Some(found) = files.get(at) else { continue };
        if yaml.is_null() {
            continue;
        }
        let text = Arc::clone(&loader.sources.file(yaml.span.file).text);
        if super::loader::has_jinja(&text) {
            loader.render(&mut yaml, vars, Some(target), &renders_late);
        }
        let owner = format!("'{}'", found.path);
        let Some(fields) = Fields::of(&yaml, &owner, loader.diagnostics) else { continue };
        fields.check_keys(SECTIONS, loader.diagnostics);
        note_ignored(loader, &fields);
        read.push(PropertiesFile { found: found.clone(), yaml });
    }
    read
}

fn note_ignored(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) {
    for section in IGNORED {
        let Some(entry) = fields.entry(section) else { continue };
        let message = format!("'{section}' are read past: acca does not run them");
        if loader.diagnostics.iter().any(|other| other.message == message) {
            continue;
        }
        let mut note = Diagnostic::new(&codes::UNSUPPORTED_RESOURCE, message).at(entry.key_span);
        note.severity = Severity::Note;
        loader.diagnostics.push(note);
    }
}

/// dbt renders descriptions, tests and hooks later, with another set of functions.
fn renders_late(path: &[Step<'_>]) -> bool {
    let Some((Step::Key(section), rest)) = path.split_first() else { return false };
    let rest = rest.get(1..).unwrap_or(&[]);
    let key = |at: usize| match rest.get(at) {
        Some(Step::Key(key)) => *key,
        _ => "",
    };
    let late = |name: &str| matches!(name, "tests" | "data_tests" | "description" | "loaded_at_query");
    let in_node = |from: usize| {
        let first = key(from);
        late(first)
            || (first == "config" && matches!(key(from + 1), "pre_hook" | "post_hook" | "pre-hook" | "post-hook" | "loaded_at_query"))
            || (first == "columns" && late(key(from + 2)))
    };
    match *section {
        "unit_tests" | "semantic_models" | "metrics" | "saved_queries" | "functions" => true,
        "sources" => late(key(0)) || (key(0) == "config" && key(1) == "loaded_at_query") || (key(0) == "tables" && in_node(2)),
        "macros" => rest.contains(&Step::Key("description")),
        _ => in_node(0) || (key(0) == "versions" && in_node(2)),
    }
}

/// What the files of one package say of its nodes and macros; tests become nodes.
pub(super) fn apply_properties(loader: &mut Loader<'_>, scope: &Scope<'_>, yaml: &Yaml, catalog: &mut Catalog) {
    for (section, resource) in [
        ("models", ResourceType::Model),
        ("seeds", ResourceType::Seed),
        ("snapshots", ResourceType::Snapshot),
        ("analyses", ResourceType::Analysis),
        ("data_tests", ResourceType::Test),
        ("tests", ResourceType::Test),
        ("macros", ResourceType::Macro),
    ] {
        let whole = Fields { entries: yaml.as_map().unwrap_or(&[]), span: yaml.span, owner: scope.path, code: &codes::INVALID_CONFIG };
        for item in whole.list(section, loader.diagnostics) {
            let kind = format!("an entry of '{section}'");
            let Some(fields) = Fields::of(item, &kind, loader.diagnostics) else { continue };
            let Some((name, span)) = fields.required_text("name", loader.diagnostics) else { continue };
            let owner = format!("{resource} '{name}'");
            let fields = Fields { owner: &owner, ..fields };
            if resource == ResourceType::Macro {
                apply_macro(loader, scope, &fields, &name, span, catalog);
            } else {
                apply_node(loader, scope, &fields, resource, &name, span, catalog);
            }
        }
    }
}

const NODE_KEYS: &[&str] =
    &["name", "description", "docs", "config", "meta", "columns", "data_tests", "tests", "quote_columns", "access", "group", "contract"];
const MODEL_KEYS: &[&str] = &[
    "name",
    "description",
    "docs",
    "config",
    "meta",
    "columns",
    "data_tests",
    "tests",
    "quote_columns",
    "access",
    "group",
    "contract",
    "constraints",
    "versions",
    "latest_version",
    "deprecation_date",
    "time_spine",
    "primary_key",
];
const SNAPSHOT_KEYS: &[&str] =
    &["name", "description", "docs", "config", "meta", "columns", "data_tests", "tests", "quote_columns", "group", "relation"];
const MACRO_KEYS: &[&str] = &["name", "description", "docs", "config", "meta", "arguments"];
/// Keys beside `config:` that mean the same inside it.
const OUTER_CONFIG: &[&str] = &["meta", "docs", "group", "contract", "access"];

fn apply_node(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    fields: &Fields<'_, '_>,
    resource: ResourceType,
    name: &str,
    span: Span,
    catalog: &mut Catalog,
) {
    let known = match resource {
        ResourceType::Model => MODEL_KEYS,
        ResourceType::Snapshot => SNAPSHOT_KEYS,
        _ => NODE_KEYS,
    };
    check_node_keys(loader, fields, known);
    if resource == ResourceType::Snapshot && fields.has("relation") {
        add_relation_snapshot(loader, scope, fields, name, catalog);
    }
    if resource == ResourceType::Model && !fields.list("versions", loader.diagnostics).is_empty() {
        apply_versions(loader, scope, fields, name, span, catalog);
        return;
    }
    let Some(at) = catalog.find(resource, name, &scope.package) else {
        report_orphan(loader, resource, name, span, catalog);
        return;
    };
    let columns = read_columns(loader, fields);
    let config = node_config(loader, fields);
    let patch = NodePatch {
        span,
        description: fields.description(loader.diagnostics),
        columns: columns.iter().map(|column| column.column.clone()).collect(),
        config,
        constraints: read_constraints(loader, fields),
        deprecation_date: read_date(loader, fields),
    };
    if apply_patch(loader, catalog, at, patch) {
        let Some(node) = catalog.nodes.get(at) else { return };
        let kind = super::generic_tests::TargetKind::Node { name: node.name.clone(), version: None };
        let target = TestTarget { attached: Arc::clone(&node.id), kind, tags: Vec::new() };
        let node_tests = tests_of(loader, fields);
        add_column_tests(loader, scope, catalog, &target, &columns);
        add_tests(loader, scope, catalog, &target, None, node_tests);
    }
}

/// `deprecation_date`: a date, perhaps with a time.
pub(super) fn read_date(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Option<String> {
    let entry = fields.entry("deprecation_date")?;
    let text = fields.text("deprecation_date", loader.diagnostics)?;
    if text.get(..10).unwrap_or(&text).parse::<jiff::civil::Date>().is_err() {
        let message = format!("'deprecation_date' of {} is '{text}', which is no date", fields.owner);
        loader.diagnostics.push(Diagnostic::new(&codes::INVALID_CONFIG, message).at(entry.value.span).help("write it like 2026-01-31"));
        return None;
    }
    Some(text)
}

/// Like [`Fields::check_keys`], but a configuration key that stands outside of `config:` gets the help it needs.
pub(super) fn check_node_keys(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, known: &[&str]) {
    for entry in fields.entries {
        let key = entry.key.as_str();
        if known.contains(&key) {
            continue;
        }
        let mut diagnostic = fields.unexpected(entry, known);
        if super::config_check::known_config_keys().contains(&key) {
            diagnostic.help = vec![format!("move '{key}' under 'config:'")];
        }
        loader.diagnostics.push(diagnostic);
    }
}

/// What a properties file adds to a node.
pub(super) struct NodePatch {
    pub span: Span,
    pub description: String,
    pub columns: Vec<Column>,
    pub config: Config,
    pub constraints: Vec<Value>,
    pub deprecation_date: Option<String>,
}

/// Lays a patch onto a node; `false`, with a diagnostic, when the node has one already.
pub(super) fn apply_patch(loader: &mut Loader<'_>, catalog: &mut Catalog, at: usize, patch: NodePatch) -> bool {
    let Some(node) = catalog.nodes.get_mut(at) else { return false };
    if let Some(first) = node.properties.filter(|first| *first != patch.span) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::DUPLICATE_NAME, format!("the {} '{}' is described twice", node.resource, node.name))
                .at(patch.span)
                .also(first, "first described here")
                .help("merge the two descriptions into one"),
        );
        return false;
    }
    node.properties = Some(patch.span);
    node.description = patch.description;
    node.columns = patch.columns;
    node.config = patch.config;
    if let Detail::Model(model) = &mut node.detail {
        model.constraints = patch.constraints;
        model.deprecation_date = patch.deprecation_date;
    }
    true
}

fn report_orphan(loader: &mut Loader<'_>, resource: ResourceType, name: &str, span: Span, catalog: &Catalog) {
    let others = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Analysis];
    let other = others.into_iter().find(|other| catalog.find(*other, name, "").is_some());
    let diagnostic =
        Diagnostic::new(&codes::ORPHAN_PROPERTIES, format!("there is no {resource} '{name}' for these properties to describe")).at(span);
    loader.diagnostics.push(match other {
        Some(other) => diagnostic.help(format!("'{name}' is a {other}: describe it under '{}:'", section_of(other))),
        None => diagnostic.did_you_mean(name, catalog.names(resource)).help("correct the name, add the file, or remove these properties"),
    });
}

fn section_of(resource: ResourceType) -> &'static str {
    match resource {
        ResourceType::Seed => "seeds",
        ResourceType::Snapshot => "snapshots",
        ResourceType::Analysis => "analyses",
        _ => "models",
    }
}

/// `config:` and what means the same beside it.
pub(super) fn node_config(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Config {
    let mut config = Config::default();
    let inner = fields.map("config", loader.diagnostics);
    for key in OUTER_CONFIG {
        let Some(entry) = fields.entry(key) else { continue };
        if let Some(other) = inner.iter().find(|other| other.key == *key) {
            loader.diagnostics.push(
                Diagnostic::new(&codes::INVALID_CONFIG, format!("'{key}' of {} is written twice", fields.owner))
                    .at(entry.key_span)
                    .also(other.key_span, "also here")
                    .help("keep the one under 'config:'"),
            );
            continue;
        }
        insert_config(&mut config, key, entry, loader.diagnostics);
    }
    for entry in inner {
        insert_config(&mut config, &entry.key, entry, loader.diagnostics);
    }
    config
}

/// A column with the tests that stand under it.
pub(super) struct ReadColumn<'y> {
    pub column: Column,
    pub tests: &'y [Yaml],
}

const COLUMN_KEYS: &[&str] = &[
    "name",
    "description",
    "meta",
    "data_type",
    "constraints",
    "docs",
    "config",
    "data_tests",
    "tests",
    "quote",
    "tags",
    "granularity",
    "dimension",
    "entity",
];

pub(super) fn read_columns<'y>(loader: &mut Loader<'_>, fields: &Fields<'y, '_>) -> Vec<ReadColumn<'y>> {
    let mut columns: Vec<ReadColumn<'y>> = Vec::new();
    let quote_all = fields.bool("quote_columns", loader.diagnostics);
    for item in fields.list("columns", loader.diagnostics) {
        // An entry of a model's version that picks columns of the model.
        if item.get("include").is_some() || item.get("exclude").is_some() {
            continue;
        }
        let Some(mut read) = read_column(loader, item, fields.owner) else { continue };
        read.column.quote = read.column.quote.or(quote_all);
        let earlier = columns.iter().find(|other| other.column.name == read.column.name);
        if let Some((first, second)) = earlier.and_then(|other| other.column.span.zip(read.column.span)) {
            loader.diagnostics.push(
                Diagnostic::new(&codes::DUPLICATE_NAME, format!("{} describes the column '{}' twice", fields.owner, read.column.name))
                    .at(second)
                    .also(first, "first described here")
                    .help("merge the two descriptions into one"),
            );
        }
        columns.push(read);
    }
    columns
}

fn read_column<'y>(loader: &mut Loader<'_>, item: &'y Yaml, owner: &str) -> Option<ReadColumn<'y>> {
    let kind = format!("a column of {owner}");
    let fields = Fields::of(item, &kind, loader.diagnostics)?;
    let (name, span) = fields.required_text("name", loader.diagnostics)?;
    let owner = format!("column '{name}' of {owner}");
    let fields = Fields { entries: fields.entries, owner: &owner, ..fields };
    fields.check_keys(COLUMN_KEYS, loader.diagnostics);
    let config = fields.map("config", loader.diagnostics);
    let inner_owner = format!("'config' of {owner}");
    let inner = Fields { entries: config, owner: &inner_owner, ..fields };
    let mut meta: BTreeMap<String, Value> = BTreeMap::new();
    let mut tags = BTreeSet::new();
    let mut unit_span = None;
    for level in [&fields, &inner] {
        let entries = level.map("meta", loader.diagnostics);
        unit_span = entries.iter().find(|entry| entry.key == "unit").map(|entry| entry.value.span).or(unit_span);
        meta.extend(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())));
        tags.extend(level.strings("tags", loader.diagnostics));
    }
    let column = Column {
        name,
        span: Some(span),
        description: fields.description(loader.diagnostics),
        data_type: fields.text("data_type", loader.diagnostics),
        data_type_span: fields.get("data_type").map(|value| value.span),
        unit_span,
        quote: fields.bool("quote", loader.diagnostics),
        meta,
        tags: tags.into_iter().collect(),
        constraints: read_constraints(loader, &fields),
        doc_blocks: Vec::new(),
    };
    let tests = tests_of(loader, &fields);
    Some(ReadColumn { column, tests })
}

/// `data_tests:` or, as it was called before, `tests:`.
pub(super) fn tests_of<'y>(loader: &mut Loader<'_>, fields: &Fields<'y, '_>) -> &'y [Yaml] {
    if let (Some(old), Some(new)) = (fields.entry("tests"), fields.entry("data_tests")) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_CONFIG, format!("{} has both 'tests' and 'data_tests'", fields.owner))
                .at(old.key_span)
                .also(new.key_span, "the newer name")
                .help("move all of them under 'data_tests'"),
        );
    }
    let key = if fields.entry("data_tests").is_some() { "data_tests" } else { "tests" };
    fields.list(key, loader.diagnostics)
}

pub(super) fn add_column_tests(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    catalog: &mut Catalog,
    target: &TestTarget,
    columns: &[ReadColumn<'_>],
) {
    for ReadColumn { column, tests } in columns.iter().filter(|column| !column.tests.is_empty()) {
        let name = if column.quote == Some(true) { crate::base::quote_ident(&column.name) } else { column.name.clone() };
        let span = column.span.unwrap_or_else(|| Span::new(crate::base::FileId(0), 0, 0));
        let test_column = TestColumn { name, span, tags: column.tags.clone() };
        add_tests(loader, scope, catalog, target, Some(&test_column), tests);
    }
}

/// A snapshot that is nothing but YAML: all rows of one relation.
fn add_relation_snapshot(loader: &mut Loader<'_>, scope: &Scope<'_>, fields: &Fields<'_, '_>, name: &str, catalog: &mut Catalog) {
    let Some((relation, relation_span)) = fields.required_text("relation", loader.diagnostics) else { return };
    let call = relation.trim();
    if !((call.starts_with("ref(") || call.starts_with("source(")) && call.ends_with(')')) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_CONFIG, format!("the 'relation' of snapshot '{name}' is neither a ref() nor a source()"))
                .at(relation_span)
                .help("write it as \"ref('model')\" or \"source('source', 'table')\""),
        );
        return;
    }
    let detail = Detail::Snapshot { relation: Some((call.to_owned(), relation_span)) };
    catalog.add(Node::new(ResourceType::Snapshot, &scope.package, name, scope.fqn([name]), relation_span, detail));
}

fn apply_macro(loader: &mut Loader<'_>, scope: &Scope<'_>, fields: &Fields<'_, '_>, name: &str, span: Span, catalog: &mut Catalog) {
    fields.check_keys(MACRO_KEYS, loader.diagnostics);
    let description = fields.description(loader.diagnostics);
    let config = fields.map("config", loader.diagnostics);
    let inner = Fields { entries: config, ..*fields };
    let mut meta = BTreeMap::new();
    for level in [fields, &inner] {
        meta.extend(level.map("meta", loader.diagnostics).iter().map(|entry: &Entry| (entry.key.clone(), entry.value.to_json())));
    }
    let arguments = fields.list("arguments", loader.diagnostics).iter().map(Yaml::to_json).collect();
    let found = catalog.macros.iter_mut().find(|found| found.package == scope.package && found.name == name);
    match found {
        Some(found) => {
            found.properties = Some(span);
            found.description = description;
            found.meta = meta;
            found.arguments = arguments;
        }
        None => {
            let names = catalog.macros.iter().filter(|found| found.package == scope.package).map(|found| found.name.as_str());
            loader.diagnostics.push(
                Diagnostic::new(&codes::ORPHAN_PROPERTIES, format!("there is no macro '{name}' for these properties to describe"))
                    .at(span)
                    .did_you_mean(name, names)
                    .help("correct the name, add the macro, or remove these properties"),
            );
        }
    }
}

/// A path relative to the folder of its package.
pub(super) fn path_in_package<'p>(package: &Package, path: &'p str) -> &'p str {
    if package.root.is_empty() { path } else { path.strip_prefix(package.root.as_str()).map_or(path, |rest| rest.trim_start_matches('/')) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::project::testing::{load_files, problems};

    #[test]
    fn descriptions_columns_and_configuration_reach_the_node() {
        let loaded = load_files(&[
            ("dbt_project.yml", "name: shop\nvars: {owner: me}\n"),
            ("models/m.sql", "select 1"),
            (
                "models/m.yml",
                "models:\n  - name: m\n    description: \"{{ doc('m') }}\"\n    meta: {owner: \"{{ var('owner') }}\"}\n    config:\n      tags: [a]\n      pre_hook: \"{{ x }}\"\n    constraints: [{type: primary_key, columns: [id]}]\n    columns:\n      - name: id\n        data_type: bigint\n        description: key\n        meta: {a: 1}\n        tags: b\n        config: {meta: {c: 2}, tags: [d]}\n        constraints: [{type: not_null}]\n      - {name: Total, quote: true}\n",
            ),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let node = loaded.node("model.shop.m");
        assert_eq!(node.description, "{{ doc('m') }}");
        assert_eq!(node.config.get("meta"), Some(&json!({"owner": "me"})));
        assert_eq!(node.config.get("pre-hook"), Some(&json!("{{ x }}")));
        let [id, total] = node.columns.as_slice() else { panic!("{:?}", node.columns) };
        assert_eq!((id.data_type.as_deref(), id.description.as_str(), id.tags.join(" ").as_str()), (Some("bigint"), "key", "b d"));
        assert_eq!(json!(id.meta), json!({"a": 1, "c": 2}));
        assert_eq!(id.constraints, [json!({"type": "not_null"})]);
        assert_eq!(total.quote, Some(true));
        let sources = &loaded.project().sources;
        assert_eq!(sources.text(node.properties.unwrap()), "m");
        assert_eq!((sources.text(id.span.unwrap()), sources.text(id.data_type_span.unwrap())), ("id", "bigint"));
        assert_eq!(sources.text(node.config.span("tags").unwrap()), "[a]");
    }

    #[test]
    fn a_snapshot_of_yaml_alone() {
        let loaded = load_files(&[(
            "snapshots/s.yml",
            "snapshots:\n  - name: s\n    relation: source('raw', 'orders')\n    config: {strategy: timestamp, unique_key: id, updated_at: at}\n",
        )]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let node = loaded.node("snapshot.shop.s");
        let (template, span) = node.made_template().unwrap();
        assert_eq!(template, "select * from {{ source('raw', 'orders') }}");
        assert_eq!((loaded.project().sources.text(span), node.body), ("source('raw', 'orders')", None));
        assert_eq!((node.config.str("strategy"), node.fqn.join(".")), (Some("timestamp"), "shop.s".to_owned()));
    }

    #[test]
    fn mistakes() {
        let cases: [(&str, &[&str]); 13] = [
            (
                "models:\n  - name: ordes\n",
                &[
                    "warning[orphan-properties] models/x.yml:2:11 'ordes': there is no model 'ordes' for these properties to describe",
                    "  help: did you mean 'orders'?",
                    "  help: correct the name, add the file, or remove these properties",
                ],
            ),
            (
                "seeds:\n  - name: orders\n",
                &[
                    "warning[orphan-properties] models/x.yml:2:11 'orders': there is no seed 'orders' for these properties to describe",
                    "  help: 'orders' is a model: describe it under 'models:'",
                ],
            ),
            (
                "models:\n  - name: orders\n  - name: orders\n",
                &[
                    "error[duplicate-name] models/x.yml:3:11 'orders': the model 'orders' is described twice",
                    "  also models/x.yml:2:11 'orders': first described here",
                    "  help: merge the two descriptions into one",
                ],
            ),
            (
                "models:\n  - description: x\n",
                &["error[missing-property] models/x.yml:2:5 'description': an entry of 'models' has no 'name'", "  help: add 'name:'"],
            ),
            (
                "models:\n  - name: orders\n    materialized: table\n    colums: []\n",
                &[
                    "warning[unexpected-property] models/x.yml:3:5 'materialized': the key 'materialized' means nothing in model 'orders'",
                    "  help: move 'materialized' under 'config:'",
                    "warning[unexpected-property] models/x.yml:4:5 'colums': the key 'colums' means nothing in model 'orders'",
                    "  help: did you mean 'columns'?",
                ],
            ),
            (
                "models:\n  - name: orders\n    meta: {a: 1}\n    config: {meta: {b: 1}, materialised: x, enabled: perhaps}\n",
                &[
                    "error[invalid-config] models/x.yml:3:5 'meta': 'meta' of model 'orders' is written twice",
                    "  also models/x.yml:4:14 'meta': also here",
                    "  help: keep the one under 'config:'",
                    "warning[unknown-config] models/x.yml:4:28 'materialised': there is no configuration 'materialised'",
                    "  help: did you mean 'materialized'?",
                    "error[invalid-config] models/x.yml:4:54 'perhaps': the configuration 'enabled' is 'perhaps', and a boolean is needed",
                ],
            ),
            (
                "models:\n  - name: orders\n    columns:\n      - name: id\n      - name: id\n      - nmae: x\n      - x\n",
                &[
                    "error[duplicate-name] models/x.yml:5:15 'id': model 'orders' describes the column 'id' twice",
                    "  also models/x.yml:4:15 'id': first described here",
                    "  help: merge the two descriptions into one",
                    "error[missing-property] models/x.yml:6:9 'nmae': a column of model 'orders' has no 'name'",
                    "  help: add 'name:'",
                    "error[invalid-config] models/x.yml:7:9 'x': a column of model 'orders' is a text, and a mapping is needed",
                ],
            ),
            (
                "models:\n  - name: orders\n    columns: [{name: id, constraints: [{type: uniqe}]}]\n",
                &[
                    "error[invalid-config] models/x.yml:3:47 'uniqe': 'uniqe' is no type of constraint",
                    "  help: did you mean 'unique'?",
                    "  help: the types are: check, not_null, unique, primary_key, foreign_key, custom",
                ],
            ),
            (
                "models:\n  - name: orders\n    tests: [unique]\n    data_tests: []\n",
                &[
                    "error[invalid-config] models/x.yml:3:5 'tests': model 'orders' has both 'tests' and 'data_tests'",
                    "  also models/x.yml:4:5 'data_tests': the newer name",
                    "  help: move all of them under 'data_tests'",
                ],
            ),
            (
                "macros:\n  - name: nope\n",
                &[
                    "warning[orphan-properties] models/x.yml:2:11 'nope': there is no macro 'nope' for these properties to describe",
                    "  help: correct the name, add the macro, or remove these properties",
                ],
            ),
            (
                "snapshots:\n  - name: s\n    relation: orders\n",
                &[
                    "error[invalid-config] models/x.yml:3:15 'orders': the 'relation' of snapshot 's' is neither a ref() nor a source()",
                    "  help: write it as \"ref('model')\" or \"source('source', 'table')\"",
                    "warning[orphan-properties] models/x.yml:2:11 's': there is no snapshot 's' for these properties to describe",
                    "  help: correct the name, add the file, or remove these properties",
                ],
            ),
            (
                "metrics: []\nmodel:\n  - name: orders\nversion: 2\n",
                &[
                    "warning[unexpected-property] models/x.yml:2:1 'model': the key 'model' means nothing in 'models/x.yml'",
                    "  help: did you mean 'models'?",
                    "note[unsupported-resource] models/x.yml:1:1 'metrics': 'metrics' are read past: acca does not run them",
                ],
            ),
            ("models: x\n", &["error[invalid-config] models/x.yml:1:9 'x': 'models' of models/x.yml is a text, and a list is needed"]),
        ];
        for (yaml, expected) in cases {
            assert_eq!(problems(&[("models/orders.sql", "select 1"), ("models/x.yml", yaml)]), expected, "{yaml}");
        }
    }

    #[test]
    fn broken_yaml_stops_one_file_only() {
        let found = problems(&[
            ("models/a.sql", ""),
            ("models/a.yml", "models:\n  - name: {{ x }}\n"),
            ("models/b.yml", "models:\n  - name: nope\n  - name: a\n    meta: {k: \"{{ nope() }}\"}\n"),
        ]);
        assert_eq!(
            found,
            [
                "error[invalid-yaml] models/a.yml:2:11 '{{ x }}': a template stands outside of quotes",
                "  help: put quotes around a value that starts with '{{' or '{%'",
                "error[jinja-error] models/b.yml:4:15 '\"{{ nope() }}\"': cannot evaluate nope()",
                "warning[orphan-properties] models/b.yml:2:11 'nope': there is no model 'nope' for these properties to describe",
                "  help: correct the name, add the file, or remove these properties",
            ]
        );
    }
}

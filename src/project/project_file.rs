//! Reads one `dbt_project.yml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::config_tree::ConfigTree;
use super::fields::Fields;
use super::loader::{Loader, Step, join};
use super::yaml::{Yaml, YamlValue, to_json_map};
use super::{Package, Target};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

pub(super) const FILE_NAME: &str = "dbt_project.yml";

/// A project file, read.
pub(super) struct ProjectFile {
    pub package: Package,
    pub trees: Trees,
    pub packages_install_path: String,
    pub target_path: Option<String>,
    pub clean_targets: Option<Vec<String>>,
}

/// Configuration by resource type.
#[derive(Default)]
pub(super) struct Trees {
    pub models: ConfigTree,
    pub seeds: ConfigTree,
    pub snapshots: ConfigTree,
    pub sources: ConfigTree,
    pub tests: ConfigTree,
    pub exposures: ConfigTree,
}

const TREE_KEYS: &[&str] = &["models", "seeds", "snapshots", "sources", "tests", "data_tests", "exposures"];

/// Path keys, their older names, and the folder where nothing is said.
const PATHS: &[(&str, Option<&str>, &str)] = &[
    ("model-paths", Some("source-paths"), "models"),
    ("seed-paths", Some("data-paths"), "seeds"),
    ("snapshot-paths", None, "snapshots"),
    ("analysis-paths", None, "analyses"),
    ("macro-paths", None, "macros"),
    ("test-paths", None, "tests"),
];

const KNOWN: &[&str] = &[
    "name",
    "version",
    "config-version",
    "profile",
    "require-dbt-version",
    "model-paths",
    "source-paths",
    "seed-paths",
    "data-paths",
    "snapshot-paths",
    "analysis-paths",
    "macro-paths",
    "test-paths",
    "docs-paths",
    "asset-paths",
    "function-paths",
    "target-path",
    "log-path",
    "clean-targets",
    "packages-install-path",
    "quoting",
    "on-run-start",
    "on-run-end",
    "dispatch",
    "models",
    "seeds",
    "snapshots",
    "analyses",
    "sources",
    "tests",
    "data_tests",
    "unit_tests",
    "metrics",
    "semantic-models",
    "saved-queries",
    "exposures",
    "functions",
    "vars",
    "packages",
    "query-comment",
    "restrict-access",
    "dbt-cloud",
    "flags",
];

/// dbt reserves the names of what a template can call.
const RESERVED: &[&str] = &[
    "dbt",
    "adapter",
    "api",
    "column",
    "config",
    "context",
    "env",
    "env_var",
    "exceptions",
    "execute",
    "flags",
    "graph",
    "log",
    "model",
    "modules",
    "ref",
    "render",
    "return",
    "schema",
    "source",
    "sql",
    "target",
    "this",
    "var",
];

/// What is read before there is a target.
pub(super) struct RawProject {
    pub yaml: Yaml,
    /// `profile`, rendered.
    pub profile: Option<(String, Span)>,
}

/// Reads the project file of the package in `root`; a failure is reported.
pub(super) fn load_raw_project(loader: &mut Loader<'_>, root: &str) -> Option<RawProject> {
    let path = join(root, FILE_NAME);
    if !loader.files.exists(&path) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::MISSING_FILE, format!("there is no '{path}'"))
                .help("change to the folder of a project, name it with '--project-dir', or start one with 'acca init'"),
        );
        return None;
    }
    let yaml = loader.read_yaml(&path)?;
    let mut profile = None;
    if let Some(value) = yaml.get("profile") {
        let cli_vars = &loader.options.vars;
        let value = loader.render_one(value, cli_vars, None);
        profile = value.scalar_text().map(|name| (name, value.span));
    }
    Some(RawProject { yaml, profile })
}

/// dbt renders hooks, variables and the query comment only when they are used.
fn renders_late(path: &[Step<'_>]) -> bool {
    let hook = |step: &Step<'_>| matches!(step, Step::Key(key) if matches!(key.trim_start_matches(['+', ' ']), "pre-hook" | "post-hook" | "pre_hook" | "post_hook"));
    match path.first() {
        Some(Step::Key("on-run-start" | "on-run-end" | "query-comment" | "vars")) => true,
        Some(Step::Key("seeds" | "models" | "snapshots" | "tests" | "data_tests")) => path.iter().any(hook),
        _ => false,
    }
}

/// Reads the rest of a project file, with the target known.
pub(super) fn load_project_file(loader: &mut Loader<'_>, raw: RawProject, root: &str, target: &Target) -> Option<ProjectFile> {
    let mut yaml = raw.yaml;
    let cli_vars = &loader.options.vars;
    loader.render(&mut yaml, cli_vars, Some(target), &renders_late);
    let fields = Fields::of(&yaml, "the project file", loader.diagnostics)?;
    fields.check_keys(KNOWN, loader.diagnostics);
    let name = project_name(&fields, loader)?;
    let package = Package {
        name: name.into(),
        root: root.to_owned(),
        version: fields.text("version", loader.diagnostics),
        vars: to_json_map(fields.map("vars", loader.diagnostics)),
        dispatch: dispatch(&fields, loader),
        on_run_start: fields.spanned_strings("on-run-start", loader.diagnostics),
        on_run_end: fields.spanned_strings("on-run-end", loader.diagnostics),
        query_comment: fields.entries.iter().find(|entry| entry.key == "query-comment").map(|entry| entry.value.to_json()),
        quoting: fields.bools("quoting", &["database", "schema", "identifier"], loader.diagnostics),
        paths: paths(&fields, loader),
    };
    let trees = trees(&fields, loader);
    Some(ProjectFile {
        package,
        trees,
        packages_install_path: fields.text("packages-install-path", loader.diagnostics).unwrap_or_else(|| "dbt_packages".to_owned()),
        target_path: fields.text("target-path", loader.diagnostics),
        clean_targets: fields.has("clean-targets").then(|| fields.strings("clean-targets", loader.diagnostics)),
    })
}

fn project_name(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> Option<String> {
    let (name, span) = fields.required_text("name", loader.diagnostics)?;
    let mut chars = name.chars();
    let starts_right = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let problem = if !starts_right || !chars.all(|c| c.is_alphanumeric() || c == '_') {
        "may hold only letters, digits and '_', and may not start with a digit"
    } else if RESERVED.contains(&name.as_str()) {
        "is a word that templates use"
    } else {
        return Some(name);
    };
    loader
        .diagnostics
        .push(Diagnostic::new(&codes::INVALID_CONFIG, format!("the project name '{name}' {problem}")).at(span).help("choose another name"));
    None
}

fn dispatch(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> BTreeMap<String, Vec<String>> {
    let mut orders = BTreeMap::new();
    for item in fields.list("dispatch", loader.diagnostics) {
        let Some(entry) = Fields::of(item, "an entry of 'dispatch'", loader.diagnostics) else { continue };
        entry.check_keys(&["macro_namespace", "search_order"], loader.diagnostics);
        let namespace = entry.required_text("macro_namespace", loader.diagnostics);
        if entry.get("search_order").is_none() {
            entry.required_text("search_order", loader.diagnostics);
        }
        let order = entry.strings("search_order", loader.diagnostics);
        if let Some((namespace, _)) = namespace {
            orders.insert(namespace, order);
        }
    }
    orders
}

fn paths(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> BTreeMap<String, Vec<String>> {
    let mut paths = BTreeMap::new();
    for (key, older, default) in PATHS {
        let key_used = match older {
            Some(older) if fields.has(older) && !fields.has(key) => older,
            _ => key,
        };
        let folders = if fields.has(key_used) { fields.strings(key_used, loader.diagnostics) } else { vec![(*default).to_owned()] };
        paths.insert((*key).to_owned(), folders.iter().map(|folder| join("", folder)).collect());
    }
    let mut everywhere: Vec<String> = Vec::new();
    for folder in paths.values().flatten() {
        if !everywhere.contains(folder) {
            everywhere.push(folder.clone());
        }
    }
    let docs = if fields.has("docs-paths") {
        fields.strings("docs-paths", loader.diagnostics).iter().map(|folder| join("", folder)).collect()
    } else {
        everywhere
    };
    paths.insert("docs-paths".to_owned(), docs);
    paths
}

fn trees(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> Trees {
    let mut trees = Trees::default();
    for key in TREE_KEYS {
        let Some(entry) = fields.entry(key) else { continue };
        let YamlValue::Map(entries) = &entry.value.value else {
            fields.map(key, loader.diagnostics);
            continue;
        };
        let tree = ConfigTree::build(entries, Some(entry.key_span), loader.diagnostics);
        match *key {
            "models" => trees.models = tree,
            "seeds" => trees.seeds = tree,
            "snapshots" => trees.snapshots = tree,
            "sources" => trees.sources = tree,
            "tests" | "data_tests" => trees.tests = tree,
            _ => trees.exposures = tree,
        }
    }
    if let (Some(tests), Some(data_tests)) = (fields.entry("tests"), fields.entry("data_tests")) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_CONFIG, "the project file has both 'tests' and 'data_tests'")
                .at(tests.key_span)
                .also(data_tests.key_span, "the newer name")
                .help("keep 'data_tests' only"),
        );
    }
    trees
}

/// The variables that a package sees: the command line's, then the root project's (those under the package's name first),
/// then its own.
pub fn visible_vars(root: &Package, package: &Package, cli_vars: &Map<String, Value>) -> Map<String, Value> {
    let mut vars = Map::new();
    let mut lay = |more: &Map<String, Value>| vars.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    for owner in if Arc::ptr_eq(&root.name, &package.name) || root.name == package.name { vec![root] } else { vec![package, root] } {
        lay(&owner.vars);
        if let Some(Value::Object(scoped)) = owner.vars.get(&*package.name) {
            lay(scoped);
        }
    }
    lay(cli_vars);
    vars
}

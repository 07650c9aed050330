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
    pub unit_tests: ConfigTree,
}

const TREE_KEYS: &[&str] = &["models", "seeds", "snapshots", "sources", "tests", "data_tests", "exposures", "unit_tests", "unit-tests"];

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
    "unit-tests",
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
    super::dbt_version::check_required_version(loader, &fields);
    report_unread(loader, &fields);
    let name = project_name(&fields, loader)?;
    let package = Package {
        name: name.into(),
        root: root.to_owned(),
        version: fields.text("version", loader.diagnostics),
        vars: to_json_map(fields.map("vars", loader.diagnostics)),
        dispatch: dispatch(&fields, loader),
        on_run_start: fields.spanned_strings("on-run-start", loader.diagnostics),
        on_run_end: fields.spanned_strings("on-run-end", loader.diagnostics),
        query_comment: fields
            .entries
            .iter()
            .find(|entry| entry.key == "query-comment")
            .map(|entry| (entry.value.to_json(), entry.value.span)),
        restrict_access: fields.bool("restrict-access", loader.diagnostics).unwrap_or(false),
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

/// Keys of dbt's that change nothing here.
fn report_unread(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) {
    for (key, what) in [
        ("function-paths", "functions of the database are not made: call them by their names, and make them in a hook"),
        ("log-path", "a log is written only with --log-path"),
    ] {
        let Some(entry) = fields.entry(key).filter(|entry| entry.value.as_list().is_none_or(|items| !items.is_empty())) else { continue };
        let mut problem = Diagnostic::new(&codes::UNSUPPORTED_CONFIG, format!("'{key}': {what}")).at(entry.key_span);
        // Most projects have it, and miss nothing.
        if key == "log-path" {
            problem.severity = crate::diag::Severity::Note;
        }
        loader.diagnostics.push(problem);
    }
}

pub(super) fn project_name(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> Option<String> {
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
    let assets = fields.strings("asset-paths", loader.diagnostics);
    paths.insert("asset-paths".to_owned(), assets.iter().map(|folder| join("", folder)).collect());
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
            "exposures" => trees.exposures = tree,
            _ => trees.unit_tests = tree,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::project::LoadOptions;
    use crate::project::testing::{load_files, load_with, problems};

    #[test]
    fn what_a_project_file_says() {
        let file = "name: shop\nversion: 1.0\nmodel-paths: [src/models/, ./more]\nclean-targets: [build]\ntarget-path: \"build/{{ var('x') }}\"\n\
                    quoting: {identifier: true}\nquery-comment: \"{{ x }}\"\non-run-start: \"{{ a }}\"\non-run-end: [b, c]\nvars: {a: \"{{ later }}\"}\n\
                    dispatch: [{macro_namespace: utils, search_order: [shop, utils]}]\n";
        let options = LoadOptions { vars: json!({"x": "y"}).as_object().unwrap().clone(), ..LoadOptions::default() };
        let loaded = load_with(&[("dbt_project.yml", file), ("src/models/a/m.sql", ""), ("more/n.sql", "")], options, &[]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let project = loaded.project();
        assert_eq!((project.target_path.as_str(), project.clean_targets.as_slice()), ("build/y", ["build".to_owned()].as_slice()));
        let package = &project.packages[0];
        assert_eq!((&*package.name, package.version.as_deref(), package.root.as_str()), ("shop", Some("1.0"), ""));
        assert_eq!(json!(package.vars), json!({"a": "{{ later }}"}));
        assert_eq!(package.dispatch["utils"], ["shop", "utils"]);
        let hooks: Vec<&str> = package.on_run_start.iter().chain(&package.on_run_end).map(|(sql, _)| sql.as_str()).collect();
        assert_eq!(hooks, ["{{ a }}", "b", "c"]);
        assert_eq!(
            (package.query_comment.clone().map(|(comment, _)| comment), package.quoting["identifier"]),
            (Some(json!("{{ x }}")), true)
        );
        assert_eq!(package.paths["model-paths"], ["src/models", "more"]);
        assert_eq!((package.paths["seed-paths"].as_slice(), package.paths["docs-paths"].len()), (["seeds".to_owned()].as_slice(), 7));
        assert_eq!(loaded.node("model.shop.m").fqn, ["shop", "a", "m"]);
    }

    #[test]
    fn configuration_by_level() {
        let file = "name: shop\nmodels:\n  +tags: [all]\n  +meta: {a: 1}\n  shop:\n    materialized: table\n    +pre-hook: \"{{ late }}\"\n    staging:\n      +tags: stg\n      +meta: {b: \"{{ var('x') }}\"}\n      m: {+enabled: false}\n";
        let options = LoadOptions { vars: json!({"x": 5}).as_object().unwrap().clone(), ..LoadOptions::default() };
        let loaded = load_with(&[("dbt_project.yml", file), ("models/staging/m.sql", ""), ("models/n.sql", "")], options, &[]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let (m, n) = (loaded.node("model.shop.m"), loaded.node("model.shop.n"));
        assert_eq!((m.materialized(), m.config.enabled(), m.tags().join(" ")), ("table", false, "all stg".to_owned()));
        assert_eq!(m.config.get("meta"), Some(&json!({"a": 1, "b": 5})));
        assert_eq!((n.config.enabled(), n.tags().join(" "), n.config.str("pre_hook")), (true, "all".to_owned(), Some("{{ late }}")));
    }

    #[test]
    fn mistakes() {
        let cases: [(&str, &[&str]); 9] = [
            (
                "name: shop\nmodelpaths: [x]\n",
                &[
                    "warning[unexpected-property] dbt_project.yml:2:1 'modelpaths': the key 'modelpaths' means nothing in the project file",
                    "  help: did you mean 'model-paths'?",
                ],
            ),
            (
                "version: 1\n",
                &["error[missing-property] dbt_project.yml:1:1 'version': the project file has no 'name'", "  help: add 'name:'"],
            ),
            (
                "name: my-shop\n",
                &[
                    "error[invalid-config] dbt_project.yml:1:7 'my-shop': the project name 'my-shop' may hold only letters, digits and '_', and may not start with a digit",
                    "  help: choose another name",
                ],
            ),
            (
                "name: config\n",
                &[
                    "error[invalid-config] dbt_project.yml:1:7 'config': the project name 'config' is a word that templates use",
                    "  help: choose another name",
                ],
            ),
            (
                "name: shop\nmodels: [x]\n",
                &["error[invalid-config] dbt_project.yml:2:9 '[x]': 'models' of the project file is a list, and a mapping is needed"],
            ),
            (
                "name: shop\nmodels:\n  shop:\n    marts: {+enabled: maybe}\n    meta: {a: 1}\n",
                &[
                    "error[invalid-config] dbt_project.yml:4:23 'maybe': the configuration 'enabled' is 'maybe', and a boolean is needed",
                    "warning[unexpected-property] dbt_project.yml:4:5 'marts': 'marts' under 'models:' names no package, folder or resource",
                    "  help: remove it, or spell it as the package or folder is spelled",
                    "warning[unexpected-property] dbt_project.yml:5:5 'meta': 'meta' under 'models:' names no package, folder or resource",
                    "  help: write '+meta:' to set the configuration of that name",
                ],
            ),
            (
                "name: shop\ndispatch: [{macro_namespace: x}]\n",
                &[
                    "error[missing-property] dbt_project.yml:2:13 'macro_namespace': an entry of 'dispatch' has no 'search_order'",
                    "  help: add 'search_order:'",
                ],
            ),
            (
                "name: shop\ntests: {}\ndata_tests: {}\n",
                &[
                    "error[invalid-config] dbt_project.yml:2:1 'tests': the project file has both 'tests' and 'data_tests'",
                    "  also dbt_project.yml:3:1 'data_tests': the newer name",
                    "  help: keep 'data_tests' only",
                ],
            ),
            (
                "- name: shop\n",
                &["error[invalid-config] dbt_project.yml:1:1 '- name: shop': the project file is a list, and a mapping is needed"],
            ),
        ];
        for (file, expected) in cases {
            assert_eq!(problems(&[("dbt_project.yml", file), ("models/m.sql", "")]), expected, "{file}");
        }
    }

    #[test]
    fn without_a_project_file_there_is_nothing() {
        let mut diagnostics = crate::diag::Diagnostics::default();
        let files = crate::base::MemoryFiles::default();
        let loaded = crate::project::load(&files, &LoadOptions::default(), &crate::project::testing::TinyRenderer, &[], &mut diagnostics);
        assert!(loaded.is_err());
        let found: Vec<_> = diagnostics.iter().map(|found| (found.code.name, found.message.as_str(), found.help.len())).collect();
        assert_eq!(found, [("missing-file", "there is no 'dbt_project.yml'", 1)]);
    }

    #[test]
    fn variables_of_the_root_win_over_a_packages_own() {
        let loaded = load_files(&[
            ("dbt_project.yml", "name: shop\nvars: {a: root, b: root, pkg: {b: scoped}}\n"),
            ("dbt_packages/pkg/dbt_project.yml", "name: pkg\nvars: {a: own, c: own, d: own, pkg: {d: own_scoped}}\n"),
        ]);
        let [shop, pkg, _] = loaded.project().packages.as_slice() else { panic!() };
        let cli = json!({"e": "cli"});
        let mut seen = visible_vars(shop, pkg, cli.as_object().unwrap());
        seen.shift_remove("pkg");
        assert_eq!(json!(seen), json!({"a": "root", "c": "own", "d": "own_scoped", "b": "scoped", "e": "cli"}));
    }
}

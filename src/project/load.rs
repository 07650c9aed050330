//! From the files to the [`Project`].

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::acca_file::load_acca_file;
use super::config_tree::ConfigTree;
use super::discover::{Discovered, discover};
use super::exposures::apply_exposures;
use super::groups::apply_groups;
use super::loader::{Loader, join};
use super::node::{Detail, Node};
use super::packages::load_packages;
use super::profiles::{load_target, target_names};
use super::project_file::{ProjectFile, Trees, load_project_file, load_raw_project, visible_vars};
use super::properties::{PropertiesFile, Scope, apply_properties, load_properties, path_in_package};
use super::resources::{Catalog, load_macros, load_resources};
use super::selectors::load_selectors;
use super::sources::{Overrides, apply_sources};
use super::unit_tests::apply_unit_tests;
use super::{AccaFile, DocBlock, Group, LoadOptions, Macro, Package, Project, RenderText, Selector, Target};
use crate::base::{Files, ResourceType, Sources, Span};
use crate::diag::{Diagnostic, Diagnostics, codes};

/// The package of acca's own macros.
const BUILTIN: &str = "dbt";

/// A project whose own file, profile and list of packages are read: what has to be known before anything else is.
pub struct Opened {
    packages: Vec<ProjectFile>,
    pub target: Target,
    /// `target-path`, relative to the project's root.
    pub target_path: String,
    /// The files that were read so far.
    pub sources: Sources,
}

/// What a project consists of besides its nodes.
#[derive(Debug, Default)]
pub struct Contents {
    pub macros: Vec<Macro>,
    pub docs: Vec<DocBlock>,
    /// Ascending by id.
    pub groups: Vec<Group>,
    pub selectors: Vec<Selector>,
    pub acca: AccaFile,
}

/// Reads a project with its packages, collecting all that is wrong in `diagnostics`.
///
/// `builtin` are path below `<acca>/` and text of acca's own macro files; they form package `dbt`, the last one searched.
///
/// # Errors
/// When nothing can be done with it: no project file that can be read, or no target that can be used. What comes back are the
/// files that were read, in which the diagnostics point.
pub fn load(
    files: &dyn Files,
    options: &LoadOptions,
    text: &dyn RenderText,
    builtin: &[(&str, &str)],
    diagnostics: &mut Diagnostics,
) -> Result<Project, Sources> {
    let opened = open(files, files, options, text, diagnostics)?;
    opened.read(files, options, text, builtin, diagnostics)
}

/// Reads what has to be known first. The profile is read from `profiles`.
///
/// # Errors
/// As [`load`].
pub fn open(
    files: &dyn Files,
    profiles: &dyn Files,
    options: &LoadOptions,
    text: &dyn RenderText,
    diagnostics: &mut Diagnostics,
) -> Result<Opened, Sources> {
    let mut loader = Loader { files, options, text, sources: Sources::default(), diagnostics };
    match open_all(&mut loader, profiles) {
        Some((packages, target)) => {
            let target_path = target_path(&loader, &packages);
            Ok(Opened { packages, target, target_path, sources: loader.sources })
        }
        None => Err(loader.sources),
    }
}

/// What `--target all` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllTargets {
    /// The profile has a target of that name.
    One,
    /// Those that `acca.yml` names under `serving`, that of the default class first.
    Serving(Vec<String>),
    /// Those of the profile, as they are written.
    Profile(Vec<String>),
}

/// Looks which targets `--target all` means.
///
/// # Errors
/// As [`load`]; `diagnostics` say nothing else.
pub fn all_targets(
    files: &dyn Files,
    options: &LoadOptions,
    text: &dyn RenderText,
    diagnostics: &mut Diagnostics,
) -> Result<AllTargets, Sources> {
    let mut found = Diagnostics::default();
    let mut loader = Loader { files, options, text, sources: Sources::default(), diagnostics: &mut found };
    let all = all_targets_of(&mut loader);
    let sources = loader.sources;
    match all {
        Some(all) if !found.has_errors() => Ok(all),
        _ => {
            diagnostics.extend(found);
            Err(sources)
        }
    }
}

fn all_targets_of(loader: &mut Loader<'_>) -> Option<AllTargets> {
    let raw = load_raw_project(loader, "")?;
    let outputs = target_names(loader, raw.profile.as_ref().map(|(name, _)| name.as_str()))?;
    if outputs.iter().any(|name| name == "all") {
        return Some(AllTargets::One);
    }
    if outputs.is_empty() {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_PROFILE, "there are no targets: the project has no profile")
                .at_opt(raw.profile.map(|(_, span)| span))
                .help("write a profiles.yml; 'profiles.example.yml' shows how"),
        );
        return None;
    }
    let Some(serving) = load_acca_file(loader).serving else { return Some(AllTargets::Profile(outputs)) };
    loader.diagnostics.extend(serving.unknown_target(&outputs));
    Some(AllTargets::Serving(serving.targets().into_iter().map(str::to_owned).collect()))
}

fn open_all<'a>(loader: &mut Loader<'a>, profiles: &'a dyn Files) -> Option<(Vec<ProjectFile>, Target)> {
    let raw = load_raw_project(loader, "")?;
    let files = std::mem::replace(&mut loader.files, profiles);
    let target = load_target(loader, raw.profile.clone());
    loader.files = files;
    let target = target?;
    let root = load_project_file(loader, raw, "", &target)?;
    let mut packages = vec![root];
    let installed = packages.first().map(|root| load_packages(loader, root, &target)).unwrap_or_default();
    packages.extend(installed);
    files.reached("project file");
    Some((packages, target))
}

impl Opened {
    /// Reads everything else.
    ///
    /// # Errors
    /// As [`load`].
    pub fn read(
        mut self,
        files: &dyn Files,
        options: &LoadOptions,
        text: &dyn RenderText,
        builtin: &[(&str, &str)],
        diagnostics: &mut Diagnostics,
    ) -> Result<Project, Sources> {
        let mut loader = Loader { files, options, text, sources: std::mem::take(&mut self.sources), diagnostics };
        let catalog = read_all(&mut loader, &self.packages, &self.target, builtin);
        self.sources = loader.sources;
        let Some(mut catalog) = catalog else { return Err(self.sources) };
        catalog.nodes.sort_by(|a, b| a.id.cmp(&b.id));
        catalog.groups.sort_by_key(Group::id);
        let contents = Contents {
            macros: catalog.macros,
            docs: catalog.docs,
            groups: catalog.groups,
            selectors: catalog.selectors,
            acca: catalog.acca,
        };
        Ok(Project { nodes: catalog.nodes, ..self.project(options, contents, !builtin.is_empty()) })
    }

    /// The project without its nodes, when its contents are known from an earlier run and `sources` holds the same files in
    /// the same order.
    pub fn restored(mut self, options: &LoadOptions, sources: Sources, contents: Contents) -> Project {
        self.sources = sources;
        self.project(options, contents, true)
    }

    fn project(self, options: &LoadOptions, contents: Contents, with_builtin: bool) -> Project {
        let (name, clean_targets) = match self.packages.first() {
            Some(root) => (Arc::clone(&root.package.name), root.clean_targets.clone()),
            None => (Arc::from(""), None),
        };
        let mut packages: Vec<Package> = self.packages.into_iter().map(|file| file.package).collect();
        if with_builtin {
            packages.push(builtin_package());
        }
        Project {
            sources: self.sources,
            name,
            packages,
            target: self.target,
            cli_vars: options.vars.clone(),
            nodes: Vec::new(),
            macros: contents.macros,
            docs: contents.docs,
            groups: contents.groups,
            selectors: contents.selectors,
            acca: contents.acca,
            clean_targets: clean_targets.unwrap_or_else(|| vec![self.target_path.clone()]),
            target_path: self.target_path,
        }
    }
}

fn target_path(loader: &Loader<'_>, packages: &[ProjectFile]) -> String {
    let env = |name: &str| loader.files.env(&format!("ACCA_{name}")).or_else(|| loader.files.env(&format!("DBT_{name}")));
    let written = packages.first().and_then(|root| root.target_path.clone());
    let told = loader.options.target_path.clone().or_else(|| env("TARGET_PATH")).or(written);
    let path = join("", &told.unwrap_or_else(|| "target".to_owned()));
    loader.options.target_folder.as_ref().map_or_else(|| path.clone(), |folder| join(&path, folder))
}

fn read_all(loader: &mut Loader<'_>, packages: &[ProjectFile], target: &Target, builtin: &[(&str, &str)]) -> Option<Catalog> {
    let mut catalog = Catalog::default();
    if let Some(root) = packages.first() {
        catalog.selectors = load_selectors(loader, root, target);
        catalog.acca = load_acca_file(loader);
    }
    let mut properties = Vec::new();
    for file in packages {
        let found = discover(loader, &file.package);
        loader.files.reached("finding files");
        load_resources(loader, &file.package, &found, &mut catalog);
        loader.files.reached("reading files");
        properties.push(package_properties(loader, packages, file, &found, target));
        loader.files.reached("yaml");
    }
    load_builtin(loader, builtin, &mut catalog);
    apply_all(loader, packages, &properties, target, &mut catalog);
    loader.files.reached("properties");
    configure(packages, &mut catalog.nodes);
    let root = packages.first()?;
    report_unused_config(loader, &root.trees);
    report_duplicates(loader, &mut catalog);
    Some(catalog)
}

type PackageProperties = (serde_json::Map<String, serde_json::Value>, Vec<PropertiesFile>);

fn package_properties(
    loader: &mut Loader<'_>,
    packages: &[ProjectFile],
    file: &ProjectFile,
    found: &Discovered,
    target: &Target,
) -> PackageProperties {
    let root = packages.first().map_or(&file.package, |root| &root.package);
    let vars = visible_vars(root, &file.package, &loader.options.vars);
    let files = load_properties(loader, &found.properties, &vars, target);
    (vars, files)
}

fn load_builtin(loader: &mut Loader<'_>, builtin: &[(&str, &str)], catalog: &mut Catalog) {
    let package: Arc<str> = BUILTIN.into();
    for (path, text) in builtin {
        let file = loader.sources.add(format!("<acca>/{path}"), *text);
        load_macros(loader, &package, file, catalog);
    }
}

fn apply_all(loader: &mut Loader<'_>, packages: &[ProjectFile], properties: &[PackageProperties], target: &Target, catalog: &mut Catalog) {
    let mut overrides = Overrides::default();
    for file in properties.iter().flat_map(|(_, files)| files) {
        overrides.collect(loader, &file.yaml);
    }
    // Unit tests come last: they speak of models, which other files may split into versions.
    for last in [false, true] {
        for (package, (vars, files)) in packages.iter().zip(properties) {
            let package = &package.package;
            for file in files {
                let scope = Scope {
                    package: Arc::clone(&package.name),
                    relative: &file.found.relative,
                    path: path_in_package(package, &file.found.path),
                    vars,
                    target,
                };
                if last {
                    apply_unit_tests(loader, &scope, &file.yaml, catalog);
                    continue;
                }
                apply_properties(loader, &scope, &file.yaml, catalog);
                apply_sources(loader, &scope, &file.yaml, catalog, &mut overrides);
                apply_exposures(loader, &scope, &file.yaml, catalog);
                apply_groups(loader, &scope, &file.yaml, catalog);
            }
        }
    }
    overrides.report_unused(loader);
    catalog.make_tests();
}

impl Trees {
    /// The tree that holds for a resource type. Analyses share that of models, as in dbt.
    fn of(&self, resource: ResourceType) -> Option<&ConfigTree> {
        match resource {
            ResourceType::Model | ResourceType::Analysis => Some(&self.models),
            ResourceType::Seed => Some(&self.seeds),
            ResourceType::Snapshot => Some(&self.snapshots),
            ResourceType::Source => Some(&self.sources),
            ResourceType::Test => Some(&self.tests),
            ResourceType::Exposure => Some(&self.exposures),
            ResourceType::UnitTest => Some(&self.unit_tests),
            ResourceType::Operation | ResourceType::Macro | ResourceType::DocBlock => None,
        }
    }
}

/// Lays over one another what the node's own project file, its properties and the root's project file say.
fn configure(packages: &[ProjectFile], nodes: &mut [Node]) {
    let by_name: HashMap<&str, &ProjectFile> = packages.iter().map(|file| (&*file.package.name, file)).collect();
    let Some(root) = packages.first() else { return };
    nodes.par_iter_mut().for_each(|node| {
        let tree_of =
            |file: &&ProjectFile| file.trees.of(node.resource).filter(|tree| !tree.is_empty()).map(|tree| tree.collect(&node.fqn));
        let properties = std::mem::take(&mut node.config);
        let mut config = by_name.get(&*node.package).and_then(tree_of).unwrap_or_default();
        config.merge(&properties);
        if node.package != root.package.name {
            node.root_config = tree_of(&root).unwrap_or_default();
            config.merge(&node.root_config);
        }
        node.config = config;
        fill_source(node);
    });
}

/// What tables of sources keep outside of their configuration.
fn fill_source(node: &mut Node) {
    let config = &node.config;
    let Detail::Source(source) = &mut node.detail else { return };
    source.tags = config.strings("tags");
    source.meta =
        config.get("meta").and_then(serde_json::Value::as_object).map(|meta| meta.clone().into_iter().collect()).unwrap_or_default();
    source.freshness = config.get("freshness").filter(|value| !value.is_null()).cloned();
    source.loaded_at_field = config.str("loaded_at_field").map(str::to_owned);
    source.loaded_at_query = config.str("loaded_at_query").map(str::to_owned);
}

fn report_unused_config(loader: &mut Loader<'_>, trees: &Trees) {
    for (section, tree) in [
        ("models", &trees.models),
        ("seeds", &trees.seeds),
        ("snapshots", &trees.snapshots),
        ("sources", &trees.sources),
        ("data_tests", &trees.tests),
        ("exposures", &trees.exposures),
        ("unit_tests", &trees.unit_tests),
    ] {
        tree.report_unused(section, loader.diagnostics);
    }
}

/// Reports what is declared twice and keeps the first of each.
fn report_duplicates(loader: &mut Loader<'_>, catalog: &mut Catalog) {
    let mut problems = Vec::new();
    let mut twice = |what: String, second: Span, first: Span, help: &str| {
        problems.push(
            Diagnostic::new(&codes::DUPLICATE_NAME, format!("{what} is defined twice"))
                .at(second)
                .also(first, "first defined here")
                .help(help),
        );
    };
    let mut ids: HashMap<Arc<str>, Span> = HashMap::new();
    let mut names: HashMap<(Arc<str>, String), (ResourceType, Span)> = HashMap::new();
    catalog.nodes.retain(|node| {
        let place = place_of(node);
        if let Some(first) = ids.get(&node.id) {
            let what = match &node.detail {
                Detail::Source(source) => format!("the source table '{}.{}'", source.source_name, node.name),
                _ => format!("the {} '{}'", node.resource, node.name),
            };
            twice(what, place, *first, if node.resource.is_test() { "remove one, or give one a 'name:'" } else { "rename one of them" });
            return false;
        }
        ids.insert(Arc::clone(&node.id), place);
        // Models, seeds and snapshots share the names that ref() knows; a version makes a model's name its own.
        if matches!(node.resource, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot) {
            let version = match &node.detail {
                Detail::Model(model) => model.version.clone().unwrap_or_default(),
                _ => String::new(),
            };
            let key = (Arc::clone(&node.package), format!("{}@{version}", node.name));
            if let Some((resource, first)) = names.get(&key) {
                twice(
                    format!("'{}' (a {} and a {resource})", node.name, node.resource),
                    place,
                    *first,
                    "rename one: ref() must know which is meant",
                );
                return false;
            }
            names.insert(key, (node.resource, place));
        }
        true
    });
    let mut macros: HashMap<Arc<str>, Span> = HashMap::new();
    catalog.macros.retain(|found| {
        if let Some(first) = macros.get(&found.id) {
            twice(
                format!("the macro '{}' of package '{}'", found.name, found.package),
                found.name_span,
                *first,
                "rename or remove one of them",
            );
            return false;
        }
        macros.insert(Arc::clone(&found.id), found.name_span);
        true
    });
    let mut docs: HashMap<(Arc<str>, String), Span> = HashMap::new();
    catalog.docs.retain(|doc| {
        let key = (Arc::clone(&doc.package), doc.name.clone());
        if let Some(first) = docs.get(&key) {
            twice(format!("the doc block '{}'", doc.name), doc.name_span, *first, "rename or remove one of them");
            return false;
        }
        docs.insert(key, doc.name_span);
        true
    });
    loader.diagnostics.extend(problems);
}

/// Where a node is declared: for those that are a whole file, its start.
fn place_of(node: &Node) -> Span {
    match (&node.detail, node.body) {
        (Detail::Snapshot { .. }, Some(body)) => Span { end: body.start, ..body },
        (Detail::Source(_) | Detail::Exposure(_) | Detail::GenericTest(_) | Detail::UnitTest(_) | Detail::Snapshot { .. }, _) => {
            node.origin
        }
        _ => Span { end: node.origin.start, ..node.origin },
    }
}

fn builtin_package() -> Package {
    Package {
        name: BUILTIN.into(),
        root: "<acca>".to_owned(),
        version: None,
        vars: serde_json::Map::new(),
        dispatch: std::collections::BTreeMap::new(),
        on_run_start: Vec::new(),
        on_run_end: Vec::new(),
        query_comment: None,
        restrict_access: false,
        quoting: std::collections::BTreeMap::new(),
        paths: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use serde_json::json;

    use super::*;
    use crate::base::MemoryFiles;
    use crate::project::testing::{TinyRenderer, load_files};

    #[test]
    fn a_whole_small_project() {
        let loaded = load_files(&[
            (
                "dbt_project.yml",
                "name: shop\nversion: '1.0'\nmodels:\n  shop:\n    +materialized: table\n    staging:\n      +materialized: view\n      +tags: [s]\n",
            ),
            ("models/staging/stg_orders.sql", "select * from {{ source('raw', 'orders') }}"),
            ("models/orders.sql", "select 1"),
            (
                "models/staging/schema.yml",
                "version: 2\nmodels:\n  - name: stg_orders\n    description: Orders\n    config: {tags: [t]}\n    columns:\n      - name: id\n        data_tests:\n          - not_null\n          - accepted_values:\n              arguments: {values: [1, b]}\nsources:\n  - name: raw\n    tables:\n      - name: orders\n        columns:\n          - name: id\n            data_tests: [unique]\n",
            ),
            ("macros/a.sql", "{% macro add(a, b=1) %}{{ a + b }}{% endmacro %}"),
            ("seeds/rates.csv", "a,b\n1,2\n"),
            ("snapshots/s.sql", "{% snapshot snap %}select 1{% endsnapshot %}"),
            ("tests/t.sql", "select 1"),
            ("analyses/a.sql", "select 1"),
            ("models/docs.md", "{% docs d %}text{% enddocs %}"),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let mut ids = loaded.ids();
        ids.retain(|id| !id.starts_with("test.shop.") || id.matches('.').count() == 2);
        assert_eq!(
            ids,
            [
                "analysis.shop.a",
                "model.shop.orders",
                "model.shop.stg_orders",
                "seed.shop.rates",
                "snapshot.shop.snap",
                "source.shop.raw.orders",
                "test.shop.t"
            ]
        );
        let node = loaded.node("model.shop.stg_orders");
        assert_eq!(node.fqn, ["shop", "staging", "stg_orders"]);
        assert_eq!((node.materialized(), node.config.get("tags")), ("view", Some(&json!(["s", "t"]))));
        assert_eq!(loaded.node("model.shop.orders").materialized(), "table");
        assert_eq!(loaded.node("snapshot.shop.snap").fqn, ["shop", "s", "snap"]);
        assert_eq!(loaded.node("analysis.shop.a").fqn, ["shop", "analysis", "a"]);
        let macros: Vec<_> = loaded.project().macros.iter().map(|found| &*found.id).collect();
        assert_eq!(macros, ["macro.shop.add", "macro.dbt.test_not_null"]);
    }

    #[test]
    fn what_is_declared_twice() {
        let found = crate::project::testing::problems(&[
            ("models/a/m.sql", ""),
            ("models/b/m.sql", ""),
            ("seeds/m.csv", ""),
            ("macros/x.sql", "{% macro f() %}{% endmacro %}"),
            ("macros/y.sql", "{% macro f() %}{% endmacro %}"),
            ("models/d.md", "{% docs d %}{% enddocs %}{% docs d %}{% enddocs %}"),
            ("snapshots/s.sql", "{% snapshot s %}{% endsnapshot %}\n{% snapshot s %}{% endsnapshot %}"),
        ]);
        let rename = "  help: rename or remove one of them";
        assert_eq!(
            found,
            [
                "error[duplicate-name] models/b/m.sql:1:1 '': the model 'm' is defined twice",
                "  also models/a/m.sql:1:1 '': first defined here",
                "  help: rename one of them",
                "error[duplicate-name] seeds/m.csv:1:1 '': 'm' (a seed and a model) is defined twice",
                "  also models/a/m.sql:1:1 '': first defined here",
                "  help: rename one: ref() must know which is meant",
                "error[duplicate-name] snapshots/s.sql:2:17 '': the snapshot 's' is defined twice",
                "  also snapshots/s.sql:1:17 '': first defined here",
                "  help: rename one of them",
                "error[duplicate-name] macros/y.sql:1:10 'f': the macro 'f' of package 'shop' is defined twice",
                "  also macros/x.sql:1:10 'f': first defined here",
                rename,
                "error[duplicate-name] models/d.md:1:34 'd': the doc block 'd' is defined twice",
                "  also models/d.md:1:9 'd': first defined here",
                rename,
            ]
        );
    }

    /// As files on disk may be: not UTF-8, or not to be read.
    struct Odd(MemoryFiles);

    impl Files for Odd {
        fn list(&self, folder: &str) -> io::Result<Vec<String>> {
            match folder {
                "seeds" => Err(io::Error::other("disk on fire")),
                _ => self.0.list(folder),
            }
        }

        fn read(&self, path: &str) -> io::Result<Vec<u8>> {
            match path {
                "models/latin.sql" => Ok(b"select 'caf\xe9'".to_vec()),
                "models/gone.sql" => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
                _ => self.0.read(path),
            }
        }

        fn exists(&self, path: &str) -> bool {
            self.0.exists(path)
        }

        fn env(&self, _: &str) -> Option<String> {
            None
        }
    }

    #[test]
    fn files_that_cannot_be_read() {
        let files = MemoryFiles::default().with("dbt_project.yml", "name: shop").with("models/latin.sql", "").with("models/gone.sql", "");
        let mut diagnostics = Diagnostics::default();
        let project = load(&Odd(files), &LoadOptions::default(), &TinyRenderer, &[], &mut diagnostics).unwrap();
        let found: Vec<_> = diagnostics.iter().filter(|found| found.code.name == "missing-file").collect();
        let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the folder 'seeds' cannot be read: disk on fire",
                "the file 'models/gone.sql' cannot be read: permission denied",
                "the file 'models/latin.sql' is not UTF-8 text",
            ]
        );
        let span = found[2].primary.as_ref().unwrap().span;
        assert_eq!(project.sources.file(span.file).position(span.start as usize).column, 12);
    }
}

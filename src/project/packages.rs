//! Finds the packages of a project: what `packages.yml` or `dependencies.yml` names locally, and what is installed.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::loader::{Loader, join};
use super::project_file::{FILE_NAME, ProjectFile, load_project_file, load_raw_project, project_name};
use super::yaml::Yaml;
use super::{LoadOptions, RenderText, Target};
use crate::base::{Files, Sources, Span};
use crate::diag::{Diagnostic, Diagnostics, codes};

/// Where packages are installed when nothing is said.
pub(super) const INSTALL_PATH: &str = "dbt_packages";

/// All packages that the root project uses, directly or not, ascending by name.
pub(super) fn load_packages(loader: &mut Loader<'_>, root: &ProjectFile, target: &Target) -> Vec<ProjectFile> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.package.root.clone()];
    let mut seen = vec![root.package.root.clone()];
    let mut wanted = Vec::new();
    let mut folders = installed(loader, &root.packages_install_path);
    while let Some(folder) = waiting.pop() {
        for dependency in dependencies(loader, &folder) {
            match dependency {
                Dependency::Local(path, span) => {
                    let path = join(&folder, &path);
                    if loader.files.exists(&join(&path, FILE_NAME)) {
                        folders.push(path);
                    } else {
                        loader.diagnostics.push(
                            Diagnostic::new(&codes::MISSING_FILE, format!("the package folder '{path}' has no {FILE_NAME}"))
                                .at(span)
                                .help("correct the path: it is relative to the folder of this file"),
                        );
                    }
                }
                Dependency::Hub(name, span) => wanted.push((name, span)),
                Dependency::Git(_) | Dependency::Other(_) => {}
            }
        }
        for folder in std::mem::take(&mut folders) {
            if seen.contains(&folder) {
                continue;
            }
            seen.push(folder.clone());
            let Some(raw) = load_raw_project(loader, &folder) else { continue };
            let Some(file) = load_project_file(loader, raw, &folder, target) else { continue };
            // A local package that is also installed is one package; the installed copy is what dbt reads.
            if let std::collections::btree_map::Entry::Vacant(vacant) = found.entry(file.package.name.clone()) {
                vacant.insert(file);
                waiting.push(folder);
            }
        }
    }
    found.remove(&root.package.name);
    let packages: Vec<ProjectFile> = found.into_values().collect();
    report_missing(loader, &wanted, &packages);
    packages
}

/// The folders directly under the install path that hold a project.
fn installed(loader: &mut Loader<'_>, install_path: &str) -> Vec<String> {
    let install_path = join("", install_path);
    let files = match loader.files.list(&install_path) {
        Ok(files) => files,
        Err(error) => {
            loader.diagnostics.push(Diagnostic::new(&codes::MISSING_FILE, format!("the folder '{install_path}' cannot be read: {error}")));
            return Vec::new();
        }
    };
    let prefix = format!("{install_path}/");
    let mut folders = Vec::new();
    for file in files {
        let inner = file.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'));
        if let Some((folder, FILE_NAME)) = inner {
            folders.push(format!("{prefix}{folder}"));
        }
    }
    folders
}

/// A package as `packages.yml` or `dependencies.yml` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// A folder, relative to that of the file which names it.
    Local(String, Span),
    /// A package of a registry.
    Hub(String, Span),
    Git(GitPackage),
    /// An archive somewhere, or a repository of dbt's service.
    Other(Span),
}

/// A package that is a repository of git, or a folder of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitPackage {
    pub url: String,
    pub span: Span,
    /// A branch, a tag or a commit.
    pub revision: Option<String>,
    pub subdirectory: Option<String>,
    pub warn_unpinned: bool,
}

/// What a package says of itself and of those that it needs.
pub struct PackageFile {
    pub name: String,
    /// Where packages are installed, relative to its folder.
    pub install_path: String,
    pub dependencies: Vec<Dependency>,
}

/// Reads what the project in a folder needs; `None` when its project file cannot be read. The files that were read come back in
/// both cases.
pub fn read_package(
    files: &dyn Files,
    options: &LoadOptions,
    text: &dyn RenderText,
    folder: &str,
    sources: Sources,
    diagnostics: &mut Diagnostics,
) -> (Option<PackageFile>, Sources) {
    let mut loader = Loader { files, options, text, sources, diagnostics };
    let read = load_raw_project(&mut loader, folder).and_then(|raw| {
        let fields = Fields::of(&raw.yaml, FILE_NAME, loader.diagnostics)?;
        // A folder gets this name: it must be no path.
        let name = project_name(&fields, &mut loader)?;
        let install_path = fields.text("packages-install-path", loader.diagnostics).unwrap_or_else(|| INSTALL_PATH.to_owned());
        Some(PackageFile { name, install_path: join("", &install_path), dependencies: dependencies(&mut loader, folder) })
    });
    (read, loader.sources)
}

fn dependencies(loader: &mut Loader<'_>, folder: &str) -> Vec<Dependency> {
    let mut all = Vec::new();
    for name in ["packages.yml", "dependencies.yml"] {
        let path = join(folder, name);
        if !loader.files.exists(&path) {
            continue;
        }
        let Some(mut yaml) = loader.read_yaml(&path) else { continue };
        if name == "packages.yml" {
            let vars = &loader.options.vars;
            loader.render(&mut yaml, vars, None, &|_| false);
        }
        let Some(fields) = Fields::of(&yaml, name, loader.diagnostics) else { continue };
        fields.check_keys(&["packages", "projects", "sha1_hash"], loader.diagnostics);
        let items = fields.list("packages", loader.diagnostics);
        all.extend(items.iter().filter_map(|item| dependency(loader, item)));
    }
    all
}

fn dependency(loader: &mut Loader<'_>, item: &Yaml) -> Option<Dependency> {
    let fields = Fields::of(item, "a package", loader.diagnostics)?;
    fields.check_keys(
        &[
            "local",
            "package",
            "version",
            "install-prerelease",
            "git",
            "revision",
            "warn-unpinned",
            "subdirectory",
            "tarball",
            "name",
            "private",
            "provider",
        ],
        loader.diagnostics,
    );
    if fields.has("local") {
        return fields.required_text("local", loader.diagnostics).map(|(path, span)| Dependency::Local(path, span));
    }
    if fields.has("package") {
        return fields.required_text("package", loader.diagnostics).map(|(name, span)| Dependency::Hub(name, span));
    }
    if fields.has("git") {
        let (url, span) = fields.required_text("git", loader.diagnostics)?;
        return Some(Dependency::Git(GitPackage {
            url,
            span,
            revision: fields.text("revision", loader.diagnostics),
            subdirectory: fields.text("subdirectory", loader.diagnostics),
            warn_unpinned: fields.bool("warn-unpinned", loader.diagnostics).unwrap_or(true),
        }));
    }
    if !["tarball", "private"].iter().any(|key| fields.has(key)) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::MISSING_PROPERTY, "a package has none of 'local', 'package', 'git' and 'tarball'")
                .at(fields.span)
                .help("say where the package comes from"),
        );
    }
    Some(Dependency::Other(fields.span))
}

fn report_missing(loader: &mut Loader<'_>, wanted: &[(String, Span)], packages: &[ProjectFile]) {
    for (name, span) in wanted {
        let last = name.rsplit('/').next().unwrap_or(name);
        let folder_is = |file: &ProjectFile| file.package.root.rsplit('/').next() == Some(last);
        if !packages.iter().any(|file| &*file.package.name == last || folder_is(file)) {
            loader
                .diagnostics
                .push(Diagnostic::new(&codes::MISSING_FILE, format!("the package '{name}' is not installed")).at(*span).help(
                "name its repository with 'git:' and 'revision:' and run 'acca deps', or a copy of it with 'local:'; acca asks no registry",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::project::testing::{load_files, problems};

    #[test]
    fn local_and_installed_packages_and_their_own() {
        let loaded = load_files(&[
            ("dbt_project.yml", "name: shop\nmodels: {b: {+materialized: table, +tags: [root]}}\n"),
            ("packages.yml", "packages: [{local: ./packages/a}]\n"),
            ("packages/a/dbt_project.yml", "name: a\n"),
            ("packages/a/dependencies.yml", "packages: [{local: ../b}]\n"),
            ("packages/b/dbt_project.yml", "name: b\nmodels: {b: {+materialized: view, +tags: [own]}}\n"),
            ("packages/b/models/x/m.sql", ""),
            ("packages/b/models/x/m.yml", "models: [{name: m, config: {materialized: ephemeral}}]\n"),
            ("dbt_packages/c/dbt_project.yml", "name: c\n"),
            ("dbt_packages/c/macros/m.sql", "{% macro hi() %}{% endmacro %}"),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let packages: Vec<_> = loaded.project().packages.iter().map(|package| (&*package.name, package.root.as_str())).collect();
        assert_eq!(packages, [("shop", ""), ("a", "packages/a"), ("b", "packages/b"), ("c", "dbt_packages/c"), ("dbt", "<acca>")]);
        // The root's project file wins over the package's own properties, and over an in-file config() once more.
        let node = loaded.node("model.b.m");
        assert_eq!((node.materialized(), node.tags().join(" "), node.fqn.join(".")), ("table", "own root".to_owned(), "b.x.m".to_owned()));
        assert_eq!(node.root_config.str("materialized"), Some("table"));
        assert!(loaded.project().macros.iter().any(|found| &*found.id == "macro.c.hi"));
    }

    #[test]
    fn mistakes() {
        let cases: [(&str, &[&str]); 4] = [
            (
                "packages: [{local: nope}]\n",
                &[
                    "error[missing-file] packages.yml:1:20 'nope': the package folder 'nope' has no dbt_project.yml",
                    "  help: correct the path: it is relative to the folder of this file",
                ],
            ),
            (
                "packages: [{package: dbt-labs/dbt_utils, version: 1.0.0}]\n",
                &[
                    "error[missing-file] packages.yml:1:22 'dbt-labs/dbt_utils': the package 'dbt-labs/dbt_utils' is not installed",
                    "  help: name its repository with 'git:' and 'revision:' and run 'acca deps', or a copy of it with 'local:'; acca asks no registry",
                ],
            ),
            (
                "packages: [{version: 1.0.0}]\n",
                &[
                    "error[missing-property] packages.yml:1:12 '{version: 1.0.0}': a package has none of 'local', 'package', 'git' and 'tarball'",
                    "  help: say where the package comes from",
                ],
            ),
            (
                "package: []\n",
                &[
                    "warning[unexpected-property] packages.yml:1:1 'package': the key 'package' means nothing in packages.yml",
                    "  help: did you mean 'packages'?",
                ],
            ),
        ];
        for (yaml, expected) in cases {
            assert_eq!(problems(&[("packages.yml", yaml)]), expected, "{yaml}");
        }
    }
}

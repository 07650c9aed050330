//! Finds the packages of a project: what `packages.yml` or `dependencies.yml` names locally, and what is installed.

use std::collections::BTreeMap;

use super::Target;
use super::fields::Fields;
use super::loader::{Loader, join};
use super::project_file::{FILE_NAME, ProjectFile, load_project_file, load_raw_project};
use super::yaml::Yaml;
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

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
                Dependency::Other => {}
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

enum Dependency {
    Local(String, Span),
    Hub(String, Span),
    Other,
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
    if !["git", "tarball", "private"].iter().any(|key| fields.has(key)) {
        loader.diagnostics.push(
            Diagnostic::new(&codes::MISSING_PROPERTY, "a package has none of 'local', 'package', 'git' and 'tarball'")
                .at(fields.span)
                .help("say where the package comes from"),
        );
    }
    Some(Dependency::Other)
}

fn report_missing(loader: &mut Loader<'_>, wanted: &[(String, Span)], packages: &[ProjectFile]) {
    for (name, span) in wanted {
        let last = name.rsplit('/').next().unwrap_or(name);
        let folder_is = |file: &ProjectFile| file.package.root.rsplit('/').next() == Some(last);
        if !packages.iter().any(|file| &*file.package.name == last || folder_is(file)) {
            loader.diagnostics.push(
                Diagnostic::new(&codes::MISSING_FILE, format!("the package '{name}' is not installed"))
                    .at(*span)
                    .help("run 'acca deps', or put the package into the folder of installed packages"),
            );
        }
    }
}

//! Which files of a package are what.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};

use super::Package;
use super::loader::{Loader, join};
use crate::diag::{Diagnostic, codes};

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// As [`crate::base::Files`] names it.
    pub path: String,
    /// Relative to the searched folder (`staging/stg_orders.sql`).
    pub relative: String,
}

/// The files of one package by what they hold, each in ascending order of path.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    pub models: Vec<Found>,
    pub seeds: Vec<Found>,
    pub snapshots: Vec<Found>,
    pub analyses: Vec<Found>,
    pub macros: Vec<Found>,
    pub tests: Vec<Found>,
    /// `tests/generic`
    pub generic_tests: Vec<Found>,
    pub docs: Vec<Found>,
    /// `tests/fixtures`: rows of unit tests.
    pub fixtures: Vec<Found>,
    pub properties: Vec<Found>,
}

/// Lists the files of a package.
pub(super) fn discover(loader: &mut Loader<'_>, package: &Package) -> Discovered {
    let ignore = load_ignore(loader, &package.root);
    let mut found = Discovered::default();
    let mut everything: BTreeSet<String> = BTreeSet::new();
    let mut properties: BTreeSet<Found> = BTreeSet::new();
    // Documentation is looked for in all the other folders too: each is listed once.
    let mut listed: BTreeMap<&str, Vec<Found>> = BTreeMap::new();
    // Assets are no part of the project: they are copied as they are.
    for (key, folders) in package.paths.iter().filter(|(key, _)| key.as_str() != "asset-paths") {
        for folder in folders {
            let files = listed.entry(folder).or_insert_with(|| list(loader, package, folder, &ignore)).clone();
            if key == "docs-paths" {
                found.docs.extend(files.into_iter().filter(|file| file.path.ends_with(".md")));
                continue;
            }
            let yaml = |file: &&Found| file.path.ends_with(".yml") || file.path.ends_with(".yaml");
            // A folder inside another is searched twice; its files count once, with the first folder.
            properties.extend(files.iter().filter(yaml).filter(|file| everything.insert(file.path.clone())).cloned());
            let sql = |files: Vec<Found>| files.into_iter().filter(|file| file.path.ends_with(".sql"));
            match key.as_str() {
                "model-paths" => {
                    found.models.extend(files.into_iter().filter(|file| file.path.ends_with(".sql") || file.path.ends_with(".py")))
                }
                "seed-paths" => found.seeds.extend(files.into_iter().filter(|file| file.path.ends_with(".csv"))),
                "snapshot-paths" => found.snapshots.extend(sql(files)),
                "analysis-paths" => found.analyses.extend(sql(files)),
                "macro-paths" => found.macros.extend(sql(files)),
                _ => {
                    let is_fixture = |file: &&Found| {
                        file.relative.starts_with("fixtures/") && (file.path.ends_with(".csv") || file.path.ends_with(".sql"))
                    };
                    found.fixtures.extend(files.iter().filter(is_fixture).cloned());
                    let (generic, singular): (Vec<Found>, Vec<Found>) = sql(files).partition(|file| file.relative.starts_with("generic/"));
                    found.generic_tests.extend(generic);
                    found.tests.extend(singular.into_iter().filter(|file| !file.relative.starts_with("fixtures/")));
                }
            }
        }
    }
    found.properties = properties.into_iter().collect();
    for files in [
        &mut found.models,
        &mut found.seeds,
        &mut found.snapshots,
        &mut found.analyses,
        &mut found.macros,
        &mut found.tests,
        &mut found.generic_tests,
        &mut found.docs,
        &mut found.fixtures,
    ] {
        files.sort();
        files.dedup_by(|a, b| a.path == b.path);
    }
    found
}

fn list(loader: &mut Loader<'_>, package: &Package, folder: &str, ignore: &[Pattern]) -> Vec<Found> {
    let full = join(&package.root, folder);
    let files = match loader.files.list(&full) {
        Ok(files) => files,
        Err(error) => {
            loader.diagnostics.push(Diagnostic::new(&codes::MISSING_FILE, format!("the folder '{full}' cannot be read: {error}")));
            return Vec::new();
        }
    };
    let prefix = if full.is_empty() { String::new() } else { format!("{full}/") };
    let found = files.into_iter().filter_map(|path| {
        let relative = path.strip_prefix(&prefix)?.to_owned();
        let name = relative.rsplit('/').next().unwrap_or(&relative);
        let in_package = format!("{folder}/{relative}");
        (!name.starts_with(['.', '#', '~']) && !is_ignored(ignore, &in_package)).then_some(Found { path, relative })
    });
    found.collect()
}

/// One line of `.dbtignore`, which is written as `.gitignore` is.
struct Pattern {
    matcher: GlobMatcher,
    negated: bool,
}

fn load_ignore(loader: &mut Loader<'_>, root: &str) -> Vec<Pattern> {
    let path = join(root, ".dbtignore");
    if !loader.files.exists(&path) {
        return Vec::new();
    }
    let Some(file) = loader.read(&path) else { return Vec::new() };
    let text = std::sync::Arc::clone(&loader.sources.file(file).text);
    text.lines().flat_map(patterns).collect()
}

/// A pattern matches the named entry itself and everything under it.
fn patterns(line: &str) -> Vec<Pattern> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return Vec::new();
    }
    let (negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
    let folder_only = line.ends_with('/');
    let body = line.trim_end_matches('/');
    let anchored = body.contains('/');
    let body = body.trim_start_matches('/');
    let base = if anchored { body.to_owned() } else { format!("**/{body}") };
    let inside = format!("{base}/**");
    let globs = if folder_only { vec![inside] } else { vec![base, inside] };
    globs
        .iter()
        .filter_map(|glob| GlobBuilder::new(glob).literal_separator(true).build().ok())
        .map(|glob| Pattern { matcher: glob.compile_matcher(), negated })
        .collect()
}

/// The last matching line decides.
fn is_ignored(patterns: &[Pattern], path: &str) -> bool {
    patterns.iter().rev().find(|pattern| pattern.matcher.is_match(path)).is_some_and(|pattern| !pattern.negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_patterns_follow_git() {
        let patterns: Vec<Pattern> =
            "# comment\n*.draft.sql\nmodels/old/\n/models/*.sql\n!models/kept.sql\n".lines().flat_map(patterns).collect();
        let cases = [
            ("models/deep/x.draft.sql", true),
            ("models/old/a/b.sql", true),
            ("models/staging/old/a.sql", false),
            ("models/top.sql", true),
            ("models/deep/top.sql", false),
            ("models/kept.sql", false),
        ];
        for (path, ignored) in cases {
            assert_eq!(is_ignored(&patterns, path), ignored, "{path}");
        }
    }
}

//! Runs the case files under `cases/`, and the pages of the diagnostics, which are case files too.
//!
//! `CASES=jinja` runs those whose paths contain `jinja`; `UPDATE_CASES=1` writes the compiler's answers into them.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::harness::{Case, Verdict, check, parse};
use crate::tidy::root;
use crate::workbench::compile;

#[test]
fn cases() {
    let found = case_files();
    let wanted = std::env::var("CASES").unwrap_or_default();
    let chosen: Vec<&PathBuf> = found.iter().filter(|path| path.to_string_lossy().contains(&wanted)).collect();
    assert!(!chosen.is_empty(), "no case has '{wanted}' in its path");
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let failed: Vec<String> = chosen.par_iter().filter_map(|path| report(path, judge(path, update))).collect();
    let hint = "UPDATE_CASES=1 writes new answers into the files; review them with git diff";
    assert!(failed.is_empty(), "\n{}\n\n{} of {} cases failed. {hint}\n", failed.join("\n\n"), failed.len(), chosen.len());
    eprintln!("{} cases passed", chosen.len());
}

/// The projects of all case files, for other tests to start from. They are not built: that is for `cases` alone.
pub fn case_projects() -> Vec<Case> {
    let texts = case_files().into_iter().map(|path| fs::read_to_string(path).unwrap());
    texts.map(|text| parse(&text).unwrap().without_expectations()).collect()
}

/// What is wrong with a case. With `update`, its answers are written first, and only what they cannot mend is left: markers.
fn judge(path: &Path, update: bool) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    match check(&text, &compile) {
        Verdict { updated: Some(updated), .. } if update => {
            fs::write(path, &updated).unwrap();
            check(&updated, &compile).problems
        }
        Verdict { problems, .. } => problems,
    }
}

fn report(path: &Path, problems: Vec<String>) -> Option<String> {
    let path = path.strip_prefix(root()).unwrap().display();
    (!problems.is_empty()).then(|| format!("{path}:\n  - {}", problems.join("\n  - ")))
}

/// Pages without an example: what they speak of needs a port that is taken, a server that is away, another session, target or command, or an earlier run.
const NOT_RUN: [&str; 10] = [
    "cannot-serve.md",
    "connection-failed.md",
    "invalid-state.md",
    "leftover.md",
    "node-timeout.md",
    "package-failed.md",
    "run-conflict.md",
    "schema-changed.md",
    "transfer-mismatch.md",
    "unsafe-publication.md",
];

/// All case files, then all pages, each in order of their names.
fn case_files() -> Vec<PathBuf> {
    let markdown = |folder: &str| {
        let walk = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
        let files = walk.into_iter().map(|entry| entry.unwrap().into_path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let mut pages = markdown("src/diag/docs");
    pages.retain(|path| !NOT_RUN.iter().any(|name| path.ends_with(name)));
    [markdown("tests/compiler/cases"), pages].concat()
}

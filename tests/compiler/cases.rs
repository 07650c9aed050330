//! Runs the case files under `cases/`, and the pages of the diagnostics, which are case files too.
//!
//! `CASES=jinja` runs those whose paths contain `jinja`; `UPDATE_CASES=1` writes the compiler's answers into them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use acca::base::{Files, MemoryFiles, Sources};
use acca::diag::{Diagnostic, Diagnostics};

use crate::harness::{Case, Found, Outcome, Verdict, check};
use crate::tidy::root;

/// Columns of the terminal for which diagnostics are drawn.
const WIDTH: usize = 120;

/// For cases that do not bring a project file of their own.
const PROJECT_FILE: &str = "name: shop\nversion: '1.0'\nprofile: shop\n";

#[test]
fn cases() {
    let found = case_files();
    let wanted = std::env::var("CASES").unwrap_or_default();
    let chosen: Vec<&PathBuf> = found.iter().filter(|path| path.to_string_lossy().contains(&wanted)).collect();
    assert!(!chosen.is_empty(), "no case has '{wanted}' in its path");
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut failed = Vec::new();
    for path in &chosen {
        let text = fs::read_to_string(path).unwrap();
        let Verdict { problems, updated } = check(&text, &compile);
        match updated {
            Some(updated) if update => {
                fs::write(path, &updated).unwrap();
                // What a rewritten answer cannot mend: markers.
                failed.extend(report(path, check(&updated, &compile).problems));
            }
            _ => failed.extend(report(path, problems)),
        }
    }
    let hint = "UPDATE_CASES=1 writes new answers into the files; review them with git diff";
    assert!(failed.is_empty(), "\n{}\n\n{} of {} cases failed. {hint}\n", failed.join("\n\n"), failed.len(), chosen.len());
    eprintln!("{} cases passed", chosen.len());
}

fn report(path: &std::path::Path, problems: Vec<String>) -> Option<String> {
    let path = path.strip_prefix(root()).unwrap().display();
    (!problems.is_empty()).then(|| format!("{path}:\n  - {}", problems.join("\n  - ")))
}

/// All case files, then all pages, each in order of their names.
fn case_files() -> Vec<PathBuf> {
    let markdown = |folder: &str| {
        let walk = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
        let files = walk.into_iter().map(|entry| entry.unwrap().into_path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    [markdown("tests/compiler/cases"), markdown("src/diag/docs")].concat()
}

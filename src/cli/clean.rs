//! `acca clean`: deletes the folders that the project names under `clean-targets`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::Exit;
use super::context::Context;
use super::style::{self, paint};

pub(super) fn cmd_clean(context: &Context<'_>) -> Result<(), Exit> {
    let loaded = context.load()?;
    let project = &loaded.compilation.project;
    let sources: Vec<&String> = project.packages.first().into_iter().flat_map(|package| package.paths.values().flatten()).collect();
    let mut failed = false;
    for target in &project.clean_targets {
        match clean(&context.root, target, &sources) {
            Ok(true) => context.log.line("Cleaned", &format!("Deleted {target}"), json!({"path": target})),
            Ok(false) => context.log.line("Cleaned", &paint(style::DIM, &format!("There is no {target}")), json!({"path": target})),
            Err(why) => {
                failed = true;
                context.terminal.print_error(&format!("{} '{target}' is not deleted: {why}", paint(style::BAD, "error:")));
            }
        }
    }
    if failed { Err(Exit::Failed) } else { Ok(()) }
}

/// Deletes one folder or file of the project; whether there was one.
fn clean(root: &Path, target: &str, sources: &[&String]) -> Result<bool, String> {
    let path = inside(root, target).ok_or("it lies outside of the project's folder")?;
    if path == root {
        return Err("it is the project's own folder".to_owned());
    }
    if let Some(held) = sources.iter().find(|held| inside(root, held).is_some_and(|held| held.starts_with(&path))) {
        return Err(format!("it holds '{held}', which is part of the project"));
    }
    let Ok(found) = fs::symlink_metadata(&path) else { return Ok(false) };
    // Of a link, only the link goes.
    let done = if found.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    done.map(|()| true).map_err(|error| error.to_string())
}

/// The path with `.` and `..` resolved, when it stays inside of the folder.
fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let mut resolved = PathBuf::new();
    for part in root.join(path).components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            part => resolved.push(part),
        }
    }
    resolved.starts_with(root).then_some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_the_project_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["target/run", "models"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        let models = "models".to_owned();
        let clean = |target: &str| clean(root, target, &[&models]);
        assert_eq!(clean("target"), Ok(true));
        assert_eq!(clean("target"), Ok(false));
        assert!(clean("..").is_err() && clean("/").is_err() && clean("x/../..").is_err());
        assert!(clean(".").is_err() && clean("models").is_err() && clean("./models/").is_err());
        assert!(root.join("models").exists());
    }
}

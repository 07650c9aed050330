//! `acca deps`: puts the packages of a project where they are read: folders as links, repositories as git fetches them.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Exit;
use super::context::Context;
use super::style::{self, paint};
use super::text::counted;
use crate::artifacts::write_atomically;
use crate::base::{Sources, Span};
use crate::diag::{Diagnostic, Diagnostics, codes, summary};
use crate::jinja::YamlText;
use crate::project::{Dependency, GitPackage, LoadOptions, PackageFile, read_package};

const LOCK_FILE: &str = "package-lock.yml";

pub(super) fn cmd_deps(context: &Context<'_>) -> Result<(), Exit> {
    let options = context.load_options()?;
    let mut work = Work { context, options, sources: Sources::default(), diagnostics: Diagnostics::default(), locked: BTreeMap::new() };
    let done = work.install_all();
    work.diagnostics.sort();
    context.log.diagnostics(&work.diagnostics, &work.sources);
    if !done || work.diagnostics.has_errors() {
        context.terminal.print_error(&format!("{} {}", paint(style::BAD, "Failed:"), summary(&work.diagnostics)));
        return Err(Exit::Failed);
    }
    if work.locked.is_empty() {
        context.log.line("NoPackages", "There are no packages to install.", json!({}));
        return Ok(());
    }
    let lock = lock_file(work.locked.values());
    if let Err(error) = write_atomically(&context.root.join(LOCK_FILE), lock.as_bytes()) {
        context.terminal.print_error(&format!("{LOCK_FILE} cannot be written: {error}"));
    }
    let text = format!("Installed {}", counted(work.locked.len(), "package"));
    context.log.line("DepsDone", &text, json!({"packages": work.locked.keys().collect::<Vec<_>>()}));
    Ok(())
}

/// Keys and values of a package in the lock file.
type Entry = Vec<(&'static str, String)>;

struct Work<'a> {
    context: &'a Context<'a>,
    options: LoadOptions,
    sources: Sources,
    diagnostics: Diagnostics,
    /// What is installed, by the name of the package.
    locked: BTreeMap<String, Entry>,
}

impl Work<'_> {
    fn read(&mut self, folder: &str) -> Option<PackageFile> {
        let sources = std::mem::take(&mut self.sources);
        let files = &*self.context.files;
        let (read, sources) = read_package(files, &self.options, &YamlText::default(), folder, sources, &mut self.diagnostics);
        self.sources = sources;
        read
    }

    fn fail(&mut self, span: Span, message: String) -> Diagnostic {
        Diagnostic::new(&codes::PACKAGE_FAILED, message).at(span)
    }

    /// Packages of packages too, the nearest to the root first: the first of a name is the one that counts.
    fn install_all(&mut self) -> bool {
        let Some(root) = self.read("") else { return false };
        let into = root.install_path.clone();
        let mut waiting: VecDeque<(String, Dependency)> =
            root.dependencies.into_iter().map(|dependency| (String::new(), dependency)).collect();
        while let Some((folder, dependency)) = waiting.pop_front() {
            let installed = match &dependency {
                Dependency::Local(path, span) => self.link(&folder, path, *span, &into),
                Dependency::Git(package) => self.clone(package, &into),
                Dependency::Hub(name, span) => self.keep(name, *span, &into),
                Dependency::Other(span) => {
                    let problem = self.fail(*span, "packages are installed from a folder or from git only".to_owned());
                    self.diagnostics.push(problem.help("name the repository with 'git:', or a copy of the package with 'local:'"));
                    None
                }
            };
            if let Some((folder, needed)) = installed {
                waiting.extend(needed.into_iter().map(|dependency| (folder.clone(), dependency)));
            }
        }
        true
    }

    /// Notes what was installed, and says so.
    fn note(&mut self, name: &str, from: &str, entry: Entry) {
        let line = format!("{} {name} {}", paint(style::GOOD, "installed"), paint(style::DIM, &format!("from {from}")));
        self.context.log.line("PackageInstalled", &line, json!({"package": name, "from": from}));
        self.locked.insert(name.to_owned(), entry);
    }

    /// Links a folder into that of installed packages.
    fn link(&mut self, folder: &str, path: &str, span: Span, into: &str) -> Option<(String, Vec<Dependency>)> {
        let source = self.context.root.join(folder).join(path);
        let named = normal(&Path::new(folder).join(path));
        if !source.join("dbt_project.yml").is_file() {
            let problem = self.fail(span, format!("the package folder '{named}' has no dbt_project.yml"));
            self.diagnostics.push(problem.help("correct the path: it is relative to the folder of this file"));
            return None;
        }
        let package = self.read(&named)?;
        if self.locked.contains_key(&package.name) {
            return None;
        }
        let target = self.context.root.join(into).join(&package.name);
        if same_folder(&source, &target) {
            self.note(&package.name, &format!("{named}, where it is"), vec![("local", path.to_owned()), ("name", package.name.clone())]);
            return Some((named, package.dependencies));
        }
        let back: PathBuf = Path::new(into).components().map(|_| "..").collect();
        let to = if Path::new(&named).is_absolute() { PathBuf::from(&named) } else { back.join(&named) };
        if let Err(error) = replace(&target, |target| link(&to, &source, target)) {
            let problem = self.fail(span, format!("'{}' cannot be linked as '{into}/{}': {error}", named, package.name));
            self.diagnostics.push(problem);
            return None;
        }
        self.note(&package.name, &named, vec![("local", path.to_owned()), ("name", package.name.clone())]);
        Some((named, package.dependencies))
    }

    /// Fetches a repository and puts it, or a folder of it, among the installed packages.
    fn clone(&mut self, package: &GitPackage, into: &str) -> Option<(String, Vec<Dependency>)> {
        let url = without_credentials(&package.url);
        let same = |entry: &Entry| entry.contains(&("git", url.clone())) && subdirectory(entry) == package.subdirectory.as_deref();
        if self.locked.values().any(same) {
            return None;
        }
        if package.subdirectory.as_deref().is_some_and(leads_outside) {
            let problem = self.fail(package.span, "the 'subdirectory' of a package leads out of its repository".to_owned());
            self.diagnostics.push(problem.help("name a folder of the repository, from its root: 'packages/shop_utils'"));
            return None;
        }
        let folder = self.context.root.join(into);
        let fetched = fs::create_dir_all(&folder).and_then(|()| tempfile::Builder::new().prefix(".fetch-").tempdir_in(&folder));
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                let problem = self.fail(package.span, format!("nothing can be written into '{into}': {error}"));
                self.diagnostics.push(problem);
                return None;
            }
        };
        let commit = match fetch(&self.context.root, package, fetched.path()) {
            Ok(commit) => commit,
            Err(why) => {
                let problem = self.fail(package.span, format!("'{url}' cannot be fetched: {}", why.replace(&package.url, &url)));
                self.diagnostics.push(problem);
                return None;
            }
        };
        let inside = fetched.path().join(package.subdirectory.as_deref().unwrap_or(""));
        if !inside.join("dbt_project.yml").is_file() {
            let place = package.subdirectory.as_ref().map_or(String::new(), |folder| format!(" in its folder '{folder}'"));
            let problem = self.fail(package.span, format!("'{url}' has no dbt_project.yml{place}"));
            self.diagnostics.push(problem.help("say with 'subdirectory:' in which folder of the repository the package lies"));
            return None;
        }
        let name = self.read(&inside.to_string_lossy())?.name;
        if self.locked.contains_key(&name) {
            return None;
        }
        let _ = fs::remove_dir_all(fetched.path().join(".git"));
        if let Err(error) = replace(&folder.join(&name), |target| fs::rename(&inside, target)) {
            let problem = self.fail(package.span, format!("'{name}' cannot be put into '{into}': {error}"));
            self.diagnostics.push(problem);
            return None;
        }
        self.warn_unpinned(package);
        let mut entry = vec![("git", url.clone()), ("name", name.clone()), ("revision", commit.clone())];
        entry.extend(package.subdirectory.clone().map(|folder| ("subdirectory", folder)));
        self.note(&name, &format!("{url} at {}", commit.get(..12).unwrap_or(&commit)), entry);
        let installed = format!("{into}/{name}");
        let needed = self.read(&installed)?.dependencies;
        Some((installed, needed))
    }

    fn warn_unpinned(&mut self, package: &GitPackage) {
        let moves = package.revision.as_deref().is_none_or(|revision| matches!(revision, "HEAD" | "main" | "master"));
        if moves && package.warn_unpinned {
            let text =
                format!("'{}' is not pinned: give it a 'revision', or set 'warn-unpinned: false'", without_credentials(&package.url));
            self.context.log.remark("PackageUnpinned", &format!("{} {text}", paint(style::WARNING, "warning:")));
        }
    }

    /// A package of a registry is used where it is installed already.
    fn keep(&mut self, name: &str, span: Span, into: &str) -> Option<(String, Vec<Dependency>)> {
        let last = name.rsplit('/').next().unwrap_or(name).to_owned();
        let held = [last.clone(), last.replace('-', "_")]
            .into_iter()
            .find(|folder| self.context.root.join(into).join(folder).join("dbt_project.yml").is_file());
        let Some(held) = held else {
            let problem = self.fail(span, format!("the package '{name}' is one of a registry, and acca asks none"));
            let help = "name its repository with 'git:' and the version's tag as 'revision:', or put the package into";
            self.diagnostics.push(problem.help(format!("{help} '{into}'")));
            return None;
        };
        let installed = format!("{into}/{held}");
        let package = self.read(&installed)?;
        if self.locked.contains_key(&package.name) {
            return None;
        }
        self.note(&package.name, &format!("{installed}, where it is"), vec![("package", name.to_owned()), ("name", package.name.clone())]);
        Some((installed, package.dependencies))
    }
}

/// Whether both are one folder on disk, itself and not a link to it: a link is what an earlier call made.
fn same_folder(source: &Path, target: &Path) -> bool {
    let is_link = fs::symlink_metadata(target).is_ok_and(|held| held.is_symlink());
    !is_link && matches!((source.canonicalize(), target.canonicalize()), (Ok(source), Ok(target)) if source == target)
}

fn subdirectory(entry: &Entry) -> Option<&str> {
    entry.iter().find(|(key, _)| *key == "subdirectory").map(|(_, folder)| folder.as_str())
}

fn leads_outside(folder: &str) -> bool {
    !Path::new(folder).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The URL without the user and password in it: what is printed and what is written must hold no secrets.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit('@').next().unwrap_or(host);
    path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

/// The path with `.` and `..` resolved as far as they can be without looking.
fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.to_string_lossy().replace('\\', "/").split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            part => parts.push(part.to_owned()),
        }
    }
    format!("{}{}", if path.is_absolute() { "/" } else { "" }, parts.join("/"))
}

/// Takes away what lies there, a link without what it leads to, and puts something else there.
fn replace(target: &Path, put: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::symlink_metadata(target) {
        Ok(held) if held.is_dir() => fs::remove_dir_all(target)?,
        Ok(_) => fs::remove_file(target)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    put(target)
}

#[cfg(unix)]
fn link(to: &Path, _source: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, target)
}

/// Where links need a privilege, the files are copied.
#[cfg(not(unix))]
fn link(_to: &Path, source: &Path, target: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(source) {
        let entry = entry?;
        let place = target.join(entry.path().strip_prefix(source).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            fs::create_dir_all(place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

/// Fetches the repository into a folder; the commit that is there then.
fn fetch(root: &Path, package: &GitPackage, folder: &Path) -> Result<String, String> {
    let revision = package.revision.as_deref().unwrap_or("HEAD");
    if revision.starts_with('-') {
        return Err(format!("'{revision}' is no revision"));
    }
    let place = folder.to_string_lossy();
    git(root, &["clone", "--quiet", "--no-checkout", "--", &package.url, &place])?;
    git(folder, &["checkout", "--quiet", revision])?;
    git(folder, &["rev-parse", "HEAD"])
}

/// Runs git, which must ask nobody anything; what it says, or why it fails in its own words.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let ran = Command::new("git").args(arguments).current_dir(folder).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).output();
    match ran {
        Ok(ran) if ran.status.success() => Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned()),
        Ok(ran) => {
            let words = String::from_utf8_lossy(&ran.stderr);
            let last = words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("git fails without a word");
            let first = words.lines().map(str::trim).find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
            Err(first.unwrap_or(last).to_owned())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err("the program 'git' is not installed".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn lock_file<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    let mut text = String::from("packages:\n");
    for entry in entries {
        for (at, (key, value)) in entry.iter().enumerate() {
            // A text of JSON is one of YAML.
            text.push_str(&format!("  {} {key}: {}\n", if at == 0 { "-" } else { " " }, Value::from(value.as_str())));
        }
    }
    text
}

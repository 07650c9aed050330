//! What all commands share: where the project is, what was asked, how to load and to select.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{GlobalArguments, Indirect, SelectionArguments};
use super::diagnostic_format::Collected;
use super::disk::Disk;
use super::interrupts::Interrupts;
use super::log::Log;
use super::log_file::LogFile;
use super::parse_store::ParseStore;
use super::style::{self, paint};
use super::terminal::Terminal;
use super::text::seconds;
use super::trace::{self, ENGINE};
use super::warn_error::WarnError;
use crate::analysis::Compilation;
use crate::artifacts::{
    Compiled, Metadata, Timings, read_timings, updated_timings, write_atomically_with, write_manifest, write_run_results,
};
use crate::base::{Files, ResourceType, Sources, UniqueId, timestamp};
use crate::compile::parse;
use crate::diag::{Diagnostic, Diagnostics, Severity, codes, render, summary};
use crate::execute::{Connected, open};
use crate::jinja::Invocation;
use crate::plan::RunResult;
use crate::plan::select::{Compared, IndirectSelection, Needs, Request, Scope, needs, select};
use crate::project::{DEFAULT_DATABASE, EXAMPLE_PROFILES, LoadOptions, Node, parse_yaml};

pub(super) const PROJECT_FILE: &str = "dbt_project.yml";

/// One invocation in one project.
pub(super) struct Context<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) log: Log<'a>,
    pub(super) global: &'a GlobalArguments,
    /// Which warnings fail the command.
    pub(super) warn_error: WarnError,
    pub(super) interrupts: &'a Interrupts,
    pub(super) invocation: &'a Invocation,
    /// The project's folder, absolute.
    pub(super) root: PathBuf,
    pub(super) files: Arc<dyn Files>,
    pub(super) disk: Arc<Disk>,
    /// The one of several targets that this is about (`--target all`), and whether it has a folder of its own below the target path.
    pub(super) side: Option<(String, bool)>,
}

/// A project that can be worked with.
pub(super) struct Loaded {
    /// Never dropped: giving back a hundred thousand small pieces of memory takes longer than leaving it to the end of the process.
    pub(super) compilation: ManuallyDrop<Compilation>,
    pub(super) warnings: usize,
}

impl<'a> Context<'a> {
    pub(super) fn find(
        terminal: &'a Terminal,
        global: &'a GlobalArguments,
        interrupts: &'a Interrupts,
        invocation: &'a Invocation,
        collected: Option<&'a Collected>,
    ) -> Result<Context<'a>, Exit> {
        let mut log = Log {
            terminal,
            format: global.log_format,
            level: global.level(),
            prints: global.prints(),
            invocation_id: &invocation.id,
            file: None,
            collected,
        };
        match find_root(global.project_dir.as_deref()) {
            Ok(root) => {
                collected.iter().for_each(|collected| collected.is_about(&root));
                log.file = global.log_path.as_ref().and_then(|folder| log_file(terminal, global, &root.join(folder))).map(Arc::new);
                let warn_error = WarnError::new(global.warn_error, global.warn_error_options.as_deref()).map_err(|problem| {
                    log.diagnostic(&problem.0, &problem.1);
                    Exit::Usage
                })?;
                let disk = Disk::new(&root);
                let disk = Arc::new(if global.profile_compile || trace::wanted() { disk.traced() } else { disk });
                Ok(Context { terminal, log, warn_error, global, interrupts, invocation, root, files: disk.clone(), disk, side: None })
            }
            Err(problem) => {
                log.diagnostic(&problem, &Sources::default());
                Err(Exit::Usage)
            }
        }
    }

    /// The same for one of several targets.
    pub(super) fn on(&self, target: &str, own_folder: bool) -> Context<'a> {
        Context {
            log: self.log.clone(),
            warn_error: self.warn_error.clone(),
            root: self.root.clone(),
            files: self.files.clone(),
            disk: self.disk.clone(),
            side: Some((target.to_owned(), own_folder)),
            ..*self
        }
    }

    /// Reads, parses and links the project and prints what is wrong with it.
    ///
    /// # Errors
    /// The exit code, when there are errors: everything was said then.
    pub(super) fn load(&self) -> Result<Loaded, Exit> {
        self.load_saying_new(&mut BTreeSet::new())
    }

    /// As [`Context::load`], of one of several targets: what is among `said` was said of another one.
    ///
    /// # Errors
    /// As [`Context::load`].
    pub(super) fn load_saying_new(&self, said: &mut BTreeSet<String>) -> Result<Loaded, Exit> {
        let began = Instant::now();
        let options = self.load_options()?;
        let mut diagnostics = Diagnostics::default();
        let store = ParseStore { root: self.root.clone(), reads: self.global.parses_partially(), saves: self.global.writes_json() };
        let parsed = parse(&self.files, &options, self.invocation.clone(), &store, &mut diagnostics);
        diagnostics.sort();
        let refused = diagnostics.iter().any(|problem| self.warn_error.fails(problem));
        let warnings = diagnostics.count(Severity::Warning);
        let mut diagnostics = self.judged(diagnostics);
        if self.root.join(DEFAULT_DATABASE).exists() {
            // Whoever has built into it knows which database it is.
            diagnostics = diagnostics.without(&codes::DEFAULT_PROFILE);
        }
        self.disk.reached("diagnostics");
        let (sources, compilation) = match parsed {
            Ok(compilation) => (compilation.project.sources.clone(), Some(compilation)),
            Err(sources) => (sources, None),
        };
        self.stage("read and checked the project", began.elapsed());
        for message in compilation.iter().flat_map(|compilation| &compilation.messages) {
            self.log.said(message, true);
        }
        let new = diagnostics.iter().filter(|problem| said.insert(render(problem, &sources, false, 1_000)));
        self.log.diagnostics_in(new.map(|problem| (problem, &sources)).collect());
        match compilation {
            Some(compilation) if !diagnostics.has_errors() => Ok(Loaded { compilation: ManuallyDrop::new(compilation), warnings }),
            _ => {
                let warned = if refused { " (warnings count as errors: --warn-error)" } else { "" };
                self.log.terminal.print_error(&format!("{} {}{warned}", paint(style::BAD, "Failed:"), summary(&diagnostics)));
                // Which target is meant, is said on the command line or in the environment, wherever it is looked for.
                let is_usage = |problem: &Diagnostic| problem.code.name == codes::INVALID_PROFILE.name;
                Err(if diagnostics.iter().any(is_usage) { Exit::Usage } else { Exit::Failed })
            }
        }
    }

    /// Diagnostics as `--warn-error` and its options have them.
    pub(super) fn judged(&self, diagnostics: Diagnostics) -> Diagnostics {
        let mut judged = Diagnostics::default();
        judged.extend(diagnostics.into_iter().filter_map(|problem| self.warn_error.judged(problem)));
        judged
    }

    pub(super) fn load_options(&self) -> Result<LoadOptions, Exit> {
        let vars = self.global.vars.as_deref().map_or(Ok(Map::new()), |text| self.parse_mapping("--vars", text))?;
        let profiles_dir = self.global.profiles_dir.as_ref().map(|folder| absolute(folder));
        Ok(LoadOptions {
            profile: self.global.profile.clone(),
            target: self.side.as_ref().map(|(name, _)| name.clone()).or_else(|| self.global.target.clone()),
            target_folder: self.side.as_ref().filter(|(_, own)| *own).map(|(name, _)| name.clone()),
            profiles_dir: profiles_dir.map(|folder| folder.to_string_lossy().into_owned()),
            home: std::env::home_dir().map(|home| home.to_string_lossy().into_owned()),
            vars,
            threads: if self.global.single_threaded { Some(1) } else { self.global.threads.map(usize::from) },
            target_path: self.global.target_path.clone(),
        })
    }

    /// The mapping that a flag's value is, as YAML or JSON.
    pub(super) fn parse_mapping(&self, flag: &str, text: &str) -> Result<Map<String, Value>, Exit> {
        let mut sources = Sources::default();
        let file = sources.add(flag, text);
        let problem = match parse_yaml(file, text) {
            Ok(parsed) => match parsed.root.to_json() {
                Value::Object(vars) => return Ok(vars),
                Value::Null => return Ok(Map::new()),
                _ => Diagnostic::new(&codes::INVALID_YAML, format!("'{flag}' is {}, and a mapping is needed", parsed.root.kind()))
                    .at(parsed.root.span)
                    .help(format!("write it like {flag} '{{name: value}}' or {flag} 'name: value'")),
            },
            Err(problem) => problem,
        };
        self.log.diagnostic(&problem, &sources);
        Err(Exit::Usage)
    }

    /// Numbers of the nodes that are selected, ascending.
    pub(super) fn select(
        &self,
        compilation: &Compilation,
        arguments: &SelectionArguments,
        resources: &[ResourceType],
    ) -> Result<Vec<usize>, Exit> {
        let project = &compilation.project;
        let mut scope = Scope {
            manifest: &compilation.manifest,
            sources: &project.sources,
            root: &project.name,
            selectors: &project.selectors,
            compared: None,
        };
        let indirect = match arguments.indirect_selection {
            Indirect::Eager => IndirectSelection::Eager,
            Indirect::Cautious => IndirectSelection::Cautious,
            Indirect::Buildable => IndirectSelection::Buildable,
            Indirect::Empty => IndirectSelection::Empty,
        };
        let request = Request {
            select: &arguments.select,
            exclude: &arguments.exclude,
            selector: arguments.selector.as_deref(),
            resources,
            indirect,
        };
        let state = match needs(&scope, &request) {
            Ok(needs) if needs != Needs::default() => self.state(compilation, &arguments.state, needs)?,
            _ => None,
        };
        let compared = state.as_ref().map(Compared::new);
        scope.compared = compared.as_ref();
        match select(&scope, &request) {
            Ok(selection) => {
                if let Some(name) = &selection.default {
                    self.log.remark("DefaultSelector", &format!("Using the default selector '{name}'"));
                }
                let warnings: Vec<_> = selection.warnings.iter().cloned().filter_map(|problem| self.warn_error.judged(problem)).collect();
                for warning in &warnings {
                    self.log.diagnostic(warning, &compilation.project.sources);
                }
                if warnings.iter().any(|problem| problem.severity == Severity::Error) {
                    return Err(Exit::Failed);
                }
                let selected: Vec<usize> = selection.nodes.into_iter().collect();
                self.read_from(compilation, &arguments.state, &selected)?;
                Ok(selected)
            }
            Err(problems) => {
                for problem in &problems {
                    self.log.diagnostic(problem, &compilation.project.sources);
                }
                Err(Exit::Usage)
            }
        }
    }

    /// Opens the target's engine.
    pub(super) fn open(&self, compilation: &Compilation) -> Result<Connected, Exit> {
        let (project, target) = (&compilation.project, &compilation.project.target);
        if target.span.is_some_and(|span| project.sources.path(span.file) == EXAMPLE_PROFILES) {
            let message = format!(
                "there is no profiles.yml, and target '{}' of '{EXAMPLE_PROFILES}' is an example that nothing is run on",
                target.name
            );
            let problem = Diagnostic::new(&codes::INVALID_PROFILE, message).at_opt(target.span);
            let named = "see that this is the machine and the folder that you mean: --profiles-dir names the folder of your profiles.yml";
            let problem = problem.help(named).help(format!("copy '{EXAMPLE_PROFILES}' to profiles.yml to work on its targets"));
            self.log.diagnostic(&problem, &project.sources);
            return Err(Exit::Usage);
        }
        // An embedded engine reads its file here.
        let held = self.files.working_on(ENGINE, "(open)");
        let opened = open(&compilation.project.target, &self.root).and_then(|connected| connected.commented(compilation));
        drop(held);
        opened.map_err(|problem| {
            self.log.diagnostic(&problem, &compilation.project.sources);
            Exit::Failed
        })
    }

    /// The folder for artefacts, absolute.
    pub(super) fn target_path(&self, compilation: &Compilation) -> PathBuf {
        self.root.join(&compilation.project.target_path)
    }

    /// A path as people write it: relative to the project's folder.
    pub(super) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// Writes `manifest.json` and, after a run, `run_results.json`. A file that cannot be written is a warning: the work is done.
    pub(super) fn write_artifacts(
        &self,
        compilation: &Compilation,
        compiled: &BTreeMap<UniqueId, Compiled>,
        run: Option<(&RunResult, Map<String, Value>)>,
    ) {
        let began = Instant::now();
        let metadata = self.metadata();
        self.write_file(compilation, "manifest.json", |file| write_manifest(compilation, compiled, &*self.files, &metadata, file));
        if let Some((result, arguments)) = run {
            let timings = updated_timings(self.timings(compilation), result);
            self.write_file(compilation, "run_results.json", |file| {
                write_run_results(result, &compilation.manifest, arguments, &metadata, file)
            });
            self.write_file(compilation, "timings.json", |file| Ok(serde_json::to_writer(file, &timings)?));
        }
        self.disk.reached("artefacts");
        self.stage("wrote the artefacts", began.elapsed());
    }

    /// How long nodes took in earlier runs.
    pub(super) fn timings(&self, compilation: &Compilation) -> Timings {
        let read = |name: &str| std::fs::read(self.target_path(compilation).join(name)).ok();
        read_timings(read("timings.json"), || read("run_results.json"))
    }

    /// What artefacts that are written now say of this invocation.
    pub(super) fn metadata(&self) -> Metadata {
        let now = jiff::Timestamp::now();
        Metadata {
            invocation_id: self.invocation.id.clone(),
            started_at: self.invocation.started_at.clone(),
            generated_at: timestamp(now),
            created_at: now.as_microsecond() as f64 / 1e6,
        }
    }

    fn write_file(&self, compilation: &Compilation, name: &str, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        if !self.global.writes_json() {
            return;
        }
        let path = self.target_path(compilation).join(name);
        if let Err(error) = write_atomically_with(&path, write) {
            let text = format!("{} {} cannot be written: {error}", paint(style::WARNING, "warning:"), self.relative(&path));
            self.terminal.print_error(&text);
        }
    }

    /// The first event of a command, for programs and the log file.
    pub(super) fn opening(&self) {
        let version = env!("CARGO_PKG_VERSION");
        let data = || json!({"version": format!("={version}"), "log_version": 3});
        self.log.detail_or_event("MainReportVersion", &format!("Running with acca={version}"), data);
    }

    /// The last one.
    pub(super) fn closing(&self, success: bool, took: Duration) {
        let which = &self.invocation.which;
        let word = if success { "succeeded" } else { "failed" };
        let text = format!("Command `acca {which}` {word} after {}", seconds(took.as_secs_f64()));
        let completed_at = timestamp(jiff::Timestamp::now());
        let data =
            || json!({"command": format!("acca {which}"), "success": success, "elapsed": took.as_secs_f64(), "completed_at": completed_at});
        self.log.detail_or_event("CommandCompleted", &text, data);
    }

    /// Says how long a stage took, for `--debug`.
    pub(super) fn stage(&self, what: &str, took: Duration) {
        let text = paint(style::DIM, &format!("{what} in {}", seconds(took.as_secs_f64())));
        self.log.detail("Stage", &text, json!({"seconds": took.as_secs_f64()}));
    }
}

/// The log of `--log-path`; without one the command goes on all the same.
fn log_file(terminal: &Terminal, global: &GlobalArguments, folder: &Path) -> Option<LogFile> {
    let opened = LogFile::open(folder, global.log_format_file, global.log_level_file);
    let say = |error: io::Error| {
        let text = format!("{} no log can be written to '{}': {error}", paint(style::WARNING, "warning:"), folder.display());
        terminal.print_error(&text);
    };
    opened.map_err(say).ok()
}

/// Nodes by their numbers.
pub(super) fn nodes<'c>(compilation: &'c Compilation, numbers: &[usize]) -> Vec<&'c Node> {
    numbers.iter().filter_map(|number| compilation.manifest.nodes.get(*number)).collect()
}

/// The project's folder, if there is one.
pub(super) fn root_of(global: &GlobalArguments) -> Option<PathBuf> {
    find_root(global.project_dir.as_deref()).ok()
}

/// The folder that holds the project file: as named, or here, or the nearest above.
fn find_root(named: Option<&Path>) -> Result<PathBuf, Diagnostic> {
    if let Some(folder) = named {
        let folder = absolute(folder);
        if folder.join(PROJECT_FILE).is_file() {
            return Ok(folder);
        }
        let problem = Diagnostic::new(&codes::MISSING_FILE, format!("there is no {PROJECT_FILE} in '{}'", folder.display()));
        return Err(problem.help("'--project-dir' names the folder that holds it"));
    }
    let here =
        std::env::current_dir().map_err(|error| Diagnostic::new(&codes::MISSING_FILE, format!("this folder cannot be read: {error}")))?;
    let found = here.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file());
    found.map(Path::to_owned).ok_or_else(|| {
        Diagnostic::new(&codes::MISSING_FILE, format!("there is no {PROJECT_FILE} here or in a folder above"))
            .help("go to the project's folder or name it: --project-dir <FOLDER>")
            .help("start a new project: acca init <NAME>")
    })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A new identifier in the form of a random UUID.
pub(super) fn new_id() -> String {
    // Every state of the standard library's hasher starts from fresh random keys.
    let random = || RandomState::new().build_hasher().finish();
    let high = random() & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = random() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_form_of_a_random_uuid() {
        let (one, two) = (new_id(), new_id());
        assert_ne!(one, two);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }

    #[test]
    fn the_project_is_found_from_below() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find_root(Some(folder.path())).is_err());
        std::fs::write(folder.path().join(PROJECT_FILE), "name: x").unwrap();
        assert_eq!(find_root(Some(folder.path())).unwrap(), folder.path());
    }
}

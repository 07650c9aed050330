//! Artefacts of an earlier invocation: where they are, and reading what a command asks of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::arguments::StateArguments;
use super::context::Context;
use crate::analysis::Compilation;
use crate::artifacts::describe_state;
use crate::base::ResourceType;
use crate::diag::{Diagnostic, codes};
use crate::execute::empty_form;
use crate::jinja::{Deferral, Reading};
use crate::plan::select::Needs;
use crate::plan::{State, StateFreshness, StateManifest, StateResults};

const MANIFEST: &str = "manifest.json";
pub(super) const RUN_RESULTS: &str = "run_results.json";
const SOURCES: &str = "sources.json";

impl Context<'_> {
    /// The state that a selection compares with; `None` where no folder is named.
    pub(super) fn state(&self, compilation: &Compilation, arguments: &StateArguments, needs: Needs) -> Result<Option<State>, Exit> {
        let Some(folder) = &arguments.state else { return Ok(None) };
        let read = || -> Result<State, Diagnostic> {
            let mut state = State::default();
            if needs.manifest {
                state.previous = Some(self.state_manifest(folder)?);
                state.current = Some(describe_state(compilation, &*self.files, &self.metadata())?);
            }
            if needs.results {
                let (bytes, path) = self.state_file(folder, RUN_RESULTS)?;
                state.results = Some(StateResults::read(&bytes, &path)?.by_node());
            }
            if needs.freshness {
                let freshness = |folder: &Path| {
                    let (bytes, path) = self.state_file(folder, SOURCES)?;
                    StateFreshness::read(&bytes, &path)
                };
                state.fresher = Some(freshness(&self.target_path(compilation))?.fresher_than(&freshness(folder)?));
            }
            Ok(state)
        };
        let state = read().map_err(|problem| self.refuse_state(compilation, &problem))?;
        if self.root.join(folder) == self.target_path(compilation) {
            let problem = Diagnostic::new(&codes::INVALID_STATE, "'--state' names the folder that this invocation writes to");
            let mut problem = problem.help("copy the artefacts to compare with into a folder of their own");
            problem.severity = crate::diag::Severity::Warning;
            self.log.diagnostic(&problem, &compilation.project.sources);
        }
        Ok(Some(state))
    }

    /// Settles how relations are read: with `--empty` and `--defer`.
    pub(super) fn read_from(&self, compilation: &Compilation, arguments: &StateArguments, selected: &[usize]) -> Result<(), Exit> {
        let adapter = &compilation.project.target.adapter;
        let empty = self.invocation.empty.then(|| empty_form(adapter));
        let deferral = if arguments.defers() { Some(self.deferral(compilation, arguments, selected)?) } else { None };
        let nodes = selected.iter().filter_map(|number| compilation.manifest.nodes.get(*number));
        let selected = nodes.filter(|node| node.resource != ResourceType::UnitTest).map(|node| node.id.clone()).collect();
        // It is settled once an invocation.
        let _ = compilation.reading.set(Arc::new(Reading { empty, deferral, sample: self.invocation.sample, selected }));
        Ok(())
    }

    fn deferral(&self, compilation: &Compilation, arguments: &StateArguments, selected: &[usize]) -> Result<Deferral, Exit> {
        let manifest = self.deferred_manifest(arguments).map_err(|problem| self.refuse_state(compilation, &problem))?;
        let nodes = &compilation.manifest.nodes;
        let relations = nodes.iter().filter(|node| !node.is_ephemeral());
        let relations = relations.filter_map(|node| Some((node.id.clone(), manifest.relation(&node.id)?))).collect();
        let selected = selected.iter().filter_map(|number| nodes.get(*number)).map(|node| node.id.clone()).collect();
        Ok(Deferral::new(relations, arguments.favors_state(), selected))
    }

    /// The manifest of `--defer-state`, or else of `--state`.
    pub(super) fn deferred_manifest(&self, arguments: &StateArguments) -> Result<StateManifest, Diagnostic> {
        match arguments.defer_state.as_ref().or(arguments.state.as_ref()) {
            Some(folder) => self.state_manifest(folder),
            None => Err(Diagnostic::new(&codes::INVALID_STATE, "no earlier invocation is named to read from")
                .help("name the folder of its manifest: --state <FOLDER> or --defer-state <FOLDER>")),
        }
    }

    pub(super) fn refuse_state(&self, compilation: &Compilation, problem: &Diagnostic) -> Exit {
        self.log.diagnostic(problem, &compilation.project.sources);
        Exit::Usage
    }

    pub(super) fn state_manifest(&self, folder: &Path) -> Result<StateManifest, Diagnostic> {
        let (bytes, path) = self.state_file(folder, MANIFEST)?;
        StateManifest::read(&bytes, &path)
    }

    /// A file of a state folder, which is meant relative to the project's; and its path for people.
    pub(super) fn state_file(&self, folder: &Path, name: &str) -> Result<(Vec<u8>, String), Diagnostic> {
        let folder: PathBuf = self.root.join(folder);
        let path = folder.join(name);
        let shown = self.relative(&path);
        match std::fs::read(&path) {
            Ok(bytes) => Ok((bytes, shown)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let problem = Diagnostic::new(&codes::INVALID_STATE, format!("there is no '{shown}'"));
                Err(if folder.is_dir() {
                    problem.help(format!("name a folder that holds the '{name}' of an earlier invocation"))
                } else {
                    problem.note(format!("'{}' is no folder; it is looked for in the project's", self.relative(&folder)))
                })
            }
            Err(error) => Err(Diagnostic::new(&codes::INVALID_STATE, format!("'{shown}' cannot be read: {error}"))),
        }
    }
}

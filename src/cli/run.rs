//! `acca run`, `test`, `build`, `seed`, `snapshot` and `load`: one run each, of other types of nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{BuildArguments, LoadArguments, RunArguments, SeedArguments, SelectionArguments};
use super::context::Context;
use super::event_time::check_times;
use super::failures;
use super::ls::resources;
use super::progress::Progress;
use super::serve::carry_out_sides;
use super::show::show_loaded;
use super::sides::sides;
use super::trace::ENGINE;
use super::warn_error::{self, Verdict};
use crate::analysis::Compilation;
use crate::artifacts::Compiled;
use crate::base::{Files, ResourceType, UniqueId};
use crate::diag::{Diagnostic, Severity, codes};
use crate::execute::{Connected, RunJob, RunOptions, Served, observed, run};
use crate::plan::{BatchResults, RunResult, Status};
use crate::project::Node;

/// A command that runs nodes.
pub(super) struct Verb {
    name: &'static str,
    pub(super) resources: &'static [ResourceType],
    /// Whether a failed test holds up what reads the tested relation.
    gate_on_tests: bool,
    /// What to say when there is nothing to run.
    pub(super) nothing: &'static str,
}

pub(super) const RUN: Verb =
    Verb { name: "run", resources: &[ResourceType::Model], gate_on_tests: false, nothing: "There are no models to build." };
pub(super) const TEST: Verb = Verb {
    name: "test",
    resources: &[ResourceType::Test, ResourceType::UnitTest],
    gate_on_tests: false,
    nothing: "There are no tests to run.",
};
pub(super) const SEED: Verb =
    Verb { name: "seed", resources: &[ResourceType::Seed], gate_on_tests: false, nothing: "There are no seeds to load." };
pub(super) const SNAPSHOT: Verb =
    Verb { name: "snapshot", resources: &[ResourceType::Snapshot], gate_on_tests: false, nothing: "There are no snapshots to take." };
const LOAD: Verb = Verb {
    name: "load",
    resources: &[ResourceType::Source],
    gate_on_tests: false,
    nothing: "There are no landing files to load: no selected source says under meta.landing where its files lie.",
};
pub(super) const BUILD: Verb = Verb {
    name: "build",
    resources: &[
        ResourceType::Source,
        ResourceType::Seed,
        ResourceType::Snapshot,
        ResourceType::Model,
        ResourceType::Test,
        ResourceType::UnitTest,
    ],
    gate_on_tests: true,
    nothing: "There is nothing to build.",
};

/// Each node becomes a view: `clone.rs`.
pub(super) const CLONE: Verb = Verb {
    name: "clone",
    resources: &[ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot],
    gate_on_tests: false,
    nothing: "There is nothing to clone.",
};

/// A run as it was asked for.
pub(super) struct Work<'a> {
    pub(super) verb: &'a Verb,
    pub(super) arguments: &'a RunArguments,
    pub(super) resources: Vec<ResourceType>,
    pub(super) prune: bool,
    /// These nodes in place of a selection.
    pub(super) only: Option<BTreeSet<String>>,
    /// The same for each of several targets, by name.
    pub(super) only_on: BTreeMap<String, BTreeSet<String>>,
    /// The first rows of what was loaded are printed.
    pub(super) show: bool,
    /// What came of the batches of models in the run that is retried.
    pub(super) batches: BTreeMap<String, BatchResults>,
}

impl<'a> Work<'a> {
    /// With nothing particular.
    pub(super) fn new(verb: &'a Verb, arguments: &'a RunArguments, resources: Vec<ResourceType>) -> Work<'a> {
        Work { verb, arguments, resources, prune: false, only: None, only_on: BTreeMap::new(), show: false, batches: BTreeMap::new() }
    }
}

/// The command of that name.
pub(super) fn verb_named(name: &str) -> Option<&'static Verb> {
    [&RUN, &TEST, &SEED, &SNAPSHOT, &LOAD, &BUILD].into_iter().find(|verb| verb.name == name)
}

/// A command that takes types of nodes too. Those that it does not work on fall out.
pub(super) fn cmd_build(context: &Context<'_>, verb: &Verb, arguments: &BuildArguments) -> Result<(), Exit> {
    let mut resources = resources(&arguments.resources, verb.resources);
    resources.retain(|resource| verb.resources.contains(resource));
    carry_out(context, &Work::new(verb, &arguments.run, resources))
}

pub(super) fn cmd_load(context: &Context<'_>, arguments: &LoadArguments) -> Result<(), Exit> {
    let (resources, prune) = (LOAD.resources.to_vec(), arguments.prune);
    carry_out(context, &Work { prune, ..Work::new(&LOAD, &arguments.run, resources) })
}

pub(super) fn cmd_seed(context: &Context<'_>, arguments: &SeedArguments) -> Result<(), Exit> {
    carry_out(context, &Work { show: arguments.show, ..Work::new(&SEED, &arguments.run, SEED.resources.to_vec()) })
}

pub(super) fn cmd_run(context: &Context<'_>, verb: &Verb, arguments: &RunArguments) -> Result<(), Exit> {
    carry_out(context, &Work::new(verb, arguments, verb.resources.to_vec()))
}

/// The numbers of the nodes to work on: `only` these, or else what is selected.
pub(super) fn chosen(
    context: &Context<'_>,
    compilation: &Compilation,
    selection: &SelectionArguments,
    resources: &[ResourceType],
    only: Option<&BTreeSet<String>>,
) -> Result<Vec<usize>, Exit> {
    let Some(only) = only else { return context.select(compilation, selection, resources) };
    let (numbers, gone): (Vec<_>, Vec<_>) = only.iter().map(|id| compilation.manifest.number(id).ok_or(id)).partition(Result::is_ok);
    let gone: Vec<String> = gone.into_iter().filter_map(Result::err).map(|id| format!("'{id}'")).collect();
    if !gone.is_empty() {
        let message = format!("what failed is not in the project any more: {}", gone.join(", "));
        let problem = Diagnostic::new(&codes::INVALID_STATE, message);
        // Nothing was mended when all of it is gone under its name; a rest is worth to be run.
        if numbers.is_empty() {
            return Err(context.refuse_state(compilation, &problem.help("build what took its place: acca build --select <NAME>")));
        }
        context.log.diagnostic(&Diagnostic { severity: Severity::Warning, ..problem }, &compilation.project.sources);
    }
    let numbers: Vec<usize> = numbers.into_iter().filter_map(Result::ok).collect();
    context.read_from(compilation, &selection.state, &numbers)?;
    Ok(numbers)
}

pub(super) fn carry_out(context: &Context<'_>, work: &Work<'_>) -> Result<(), Exit> {
    check_times(context, work.arguments)?;
    if let Some(sides) = sides(context)? {
        return carry_out_sides(context, work, &sides);
    }
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let mut selected = chosen(context, compilation, &work.arguments.selection, &work.resources, work.only.as_ref())?;
    selected.retain(|number| compilation.manifest.nodes.get(*number).is_some_and(Node::is_runnable));
    if selected.is_empty() {
        context.log.line("NothingToDo", work.verb.nothing, json!({}));
        return conclude(context, compilation, work, &RunResult::default());
    }
    context.disk.reached("selection");
    let connected = context.open(compilation)?;
    let result = run_nodes(context, compilation, selected, work, connected);
    let shown = if work.show { show_loaded(context, compilation, &result) } else { Ok(()) };
    conclude(context, compilation, work, &result).and(shown)
}

/// Runs the nodes and tells what came of them.
pub(super) fn run_nodes(
    context: &Context<'_>,
    compilation: &Compilation,
    selected: Vec<usize>,
    work: &Work<'_>,
    connected: Connected,
) -> RunResult {
    context.disk.reached("connection");
    let target = &compilation.project.target;
    let adapter = match context.disk.trace() {
        Some(_) => observed(connected.adapter, context.files.clone(), ENGINE),
        None => connected.adapter,
    };
    let job = RunJob {
        compilation,
        adapter,
        engine: connected.engine,
        selected,
        options: run_options(context, compilation, work),
        served: Served::default(),
    };
    let interrupt = context.interrupts.begin();
    let progress = Progress::new(&context.log, format!("on {} ({})", target.name, target.adapter), &compilation.project.sources);
    let result = progress.during(|| run(&job, &progress, &interrupt));
    context.interrupts.end();
    context.disk.reached("run");
    for (trace, node) in context.disk.trace().iter().flat_map(|trace| result.nodes.iter().map(move |node| (trace, node))) {
        trace.add("nodes run", &node.id, Duration::from_secs_f64(node.execution_time));
    }
    report(context, compilation, &result, &BTreeSet::new());
    close(context, job);
    result
}

pub(super) fn run_options(context: &Context<'_>, compilation: &Compilation, work: &Work<'_>) -> RunOptions {
    let Work { verb, arguments, prune, .. } = *work;
    RunOptions {
        fail_fast: arguments.fail_fast,
        full_refresh: arguments.full_refresh,
        store_failures: arguments.store_failures,
        prune,
        gate_on_tests: verb.gate_on_tests,
        node_timeout: arguments.node_timeout,
        event_time: arguments.event_time(),
        batches: std::sync::Arc::new(work.batches.clone()),
        timings: std::sync::Arc::new(context.timings(compilation)),
        ..plain_options(context, compilation)
    }
}

/// The options of a run of which nothing particular is asked.
pub(super) fn plain_options(context: &Context<'_>, compilation: &Compilation) -> RunOptions {
    RunOptions {
        threads: compilation.project.target.threads,
        fail_fast: false,
        full_refresh: false,
        store_failures: false,
        prune: false,
        gate_on_tests: false,
        node_timeout: None,
        event_time: None,
        batches: std::sync::Arc::default(),
        timings: std::sync::Arc::default(),
        run_id: context.invocation.id.clone(),
        root: context.root.clone(),
        target_path: context.target_path(compilation),
        offline: false,
    }
}

/// `said`: nodes of which all was said on another target.
pub(super) fn report(context: &Context<'_>, compilation: &Compilation, result: &RunResult, said: &BTreeSet<UniqueId>) {
    let strict = context.warn_error.verdict(warn_error::TEST) == Verdict::Error;
    failures::report(&context.log, result, (&compilation.manifest, &compilation.project.sources), strict, said);
}

/// Among the arguments of a run of which no node was begun, though there were some: on one of several targets, for example.
pub(super) const NOT_BEGUN: &str = "not_begun";

/// Writes what came of a run, and how it ended.
pub(super) fn conclude(context: &Context<'_>, compilation: &Compilation, work: &Work<'_>, result: &RunResult) -> Result<(), Exit> {
    context.write_artifacts(compilation, &compiled(result), Some((result, recorded_run(context, work, result))));
    if result.interrupted {
        return Err(Exit::Interrupted);
    }
    let refused = context.warn_error.verdict(warn_error::TEST) == Verdict::Error && result.count(Status::Warn) > 0;
    if result.failed() || refused { Err(Exit::Failed) } else { Ok(()) }
}

/// An embedded engine writes what it still holds into its file when the last session is gone.
fn close(context: &Context<'_>, job: RunJob<'_>) {
    let held = context.files.working_on(ENGINE, "(close)");
    drop(job);
    drop(held);
    context.disk.reached("closing");
}

fn compiled(result: &RunResult) -> BTreeMap<UniqueId, Compiled> {
    let entry = |node: &crate::plan::NodeResult| {
        let compiled = Compiled { sql: node.compiled_sql.clone()?, path: node.compiled_path.clone() };
        Some((node.id.clone(), compiled))
    };
    result.nodes.iter().filter_map(entry).collect()
}

fn recorded_run(context: &Context<'_>, work: &Work<'_>, result: &RunResult) -> Map<String, Value> {
    let mut arguments = work.arguments.recorded();
    if result.nodes.is_empty() && !result.diagnostics.is_empty() {
        arguments.insert(NOT_BEGUN.to_owned(), json!(true));
    }
    arguments.insert("prune".to_owned(), json!(work.prune));
    recorded(context, work.verb.name, arguments)
}

/// The arguments of a command with those of every command, as `run_results.json` keeps them. Values of `--vars` may be secrets and
/// stay out; their names tell `retry` of them.
pub(super) fn recorded(context: &Context<'_>, which: &str, mut arguments: Map<String, Value>) -> Map<String, Value> {
    let global = context.global;
    let options = global.warn_error_options.as_deref().and_then(|text| context.parse_mapping("--warn-error-options", text).ok());
    let vars = context.load_options().map(|options| options.vars).unwrap_or_default();
    let entries = [
        ("which", json!(which)),
        ("profile", json!(global.profile)),
        ("target", json!(context.side.as_ref().map(|(name, _)| name).or(global.target.as_ref()))),
        ("threads", json!(if global.single_threaded { Some(1) } else { global.threads })),
        ("vars", names_only(&vars)),
        ("warn_error", json!(global.warn_error)),
        ("warn_error_options", json!(options)),
    ];
    arguments.extend(entries.into_iter().map(|(key, value)| (key.to_owned(), value)));
    arguments
}

/// Names with null for each value.
pub(super) fn names_only(values: &Map<String, Value>) -> Value {
    values.keys().map(|name| (name.clone(), Value::Null)).collect::<Map<String, Value>>().into()
}

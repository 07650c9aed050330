//! `acca run`, `test`, `build`, `seed`, `snapshot` and `load`: one run each, of other types of nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{BuildArguments, LoadArguments, RunArguments};
use super::context::Context;
use super::failures;
use super::ls::resources;
use super::progress::Progress;
use super::trace::ENGINE;
use super::warn_error::{self, Verdict};
use crate::artifacts::Compiled;
use crate::base::{Files, ResourceType, UniqueId};
use crate::execute::{RunJob, RunOptions, observed, run};
use crate::plan::{RunResult, Status};
use crate::project::Node;

/// A command that runs nodes.
pub(super) struct Verb {
    name: &'static str,
    resources: &'static [ResourceType],
    /// Whether a failed test holds up what reads the tested relation.
    gate_on_tests: bool,
    /// What to say when there is nothing to run.
    nothing: &'static str,
}

pub(super) const RUN: Verb =
    Verb { name: "run", resources: &[ResourceType::Model], gate_on_tests: false, nothing: "There are no models to build." };
pub(super) const TEST: Verb =
    Verb { name: "test", resources: &[ResourceType::Test], gate_on_tests: false, nothing: "There are no tests to run." };
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
const BUILD: Verb = Verb {
    name: "build",
    resources: &[ResourceType::Source, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Model, ResourceType::Test],
    gate_on_tests: true,
    nothing: "There is nothing to build.",
};

pub(super) fn cmd_build(context: &Context<'_>, arguments: &BuildArguments) -> Result<(), Exit> {
    carry_out(context, &BUILD, &arguments.run, &resources(&arguments.resources, BUILD.resources), false)
}

pub(super) fn cmd_load(context: &Context<'_>, arguments: &LoadArguments) -> Result<(), Exit> {
    carry_out(context, &LOAD, &arguments.run, LOAD.resources, arguments.prune)
}

pub(super) fn cmd_run(context: &Context<'_>, verb: &Verb, arguments: &RunArguments) -> Result<(), Exit> {
    carry_out(context, verb, arguments, verb.resources, false)
}

fn carry_out(context: &Context<'_>, verb: &Verb, arguments: &RunArguments, resources: &[ResourceType], prune: bool) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let mut selected = context.select(compilation, &arguments.selection, resources)?;
    selected.retain(|number| compilation.manifest.nodes.get(*number).is_some_and(Node::is_runnable));
    if selected.is_empty() {
        context.log.line("NothingToDo", verb.nothing, json!({}));
        context.write_artifacts(compilation, &BTreeMap::new(), Some((&RunResult::default(), recorded(context, verb, arguments))));
        return Ok(());
    }
    context.disk.reached("selection");
    let connected = context.open(compilation)?;
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
        options: RunOptions {
            threads: target.threads,
            fail_fast: arguments.fail_fast,
            full_refresh: arguments.full_refresh,
            store_failures: arguments.store_failures,
            prune,
            gate_on_tests: verb.gate_on_tests,
            node_timeout: arguments.node_timeout,
            timings: std::sync::Arc::new(context.timings(compilation)),
            run_id: context.invocation.id.clone(),
            root: context.root.clone(),
            target_path: context.target_path(compilation),
        },
    };
    let interrupt = context.interrupts.begin();
    let progress = Progress::new(&context.log, format!("on {} ({})", target.name, target.adapter), &compilation.project.sources);
    let result = progress.during(|| run(&job, &progress, &interrupt));
    context.interrupts.end();
    context.disk.reached("run");
    for (trace, node) in context.disk.trace().iter().flat_map(|trace| result.nodes.iter().map(move |node| (trace, node))) {
        trace.add("nodes run", &node.id, Duration::from_secs_f64(node.execution_time));
    }
    failures::report(
        &context.log,
        &result,
        &compilation.manifest,
        &compilation.project.sources,
        context.warn_error.verdict(warn_error::TEST) == Verdict::Error,
    );
    context.write_artifacts(compilation, &compiled(&result), Some((&result, recorded(context, verb, arguments))));
    close(context, job);
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

/// The arguments as `run_results.json` keeps them. `--vars` may hold secrets and stays out.
fn recorded(context: &Context<'_>, verb: &Verb, arguments: &RunArguments) -> Map<String, Value> {
    let global = context.global;
    let recorded = json!({
        "which": verb.name,
        "select": arguments.selection.select,
        "exclude": arguments.selection.exclude,
        "full_refresh": arguments.full_refresh,
        "fail_fast": arguments.fail_fast,
        "profile": global.profile,
        "target": global.target,
        "threads": global.threads,
        "warn_error": global.warn_error,
    });
    recorded.as_object().cloned().unwrap_or_default()
}

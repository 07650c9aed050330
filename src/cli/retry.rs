//! `acca retry`: what failed or was skipped in the last run, once more, as it was asked for then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{
    CompileArguments, GenerateArguments, GlobalArguments, Indirect, RetryArguments, RunArguments, RunOperationArguments, SelectionArguments,
};
use super::clone::carry_out_clone;
use super::compile::carry_out_compile;
use super::context::Context;
use super::docs::generate;
use super::run::{CLONE, NOT_BEGUN, Work, carry_out, verb_named};
use super::run_operation::cmd_run_operation;
use super::sides::several;
use super::state::RUN_RESULTS;
use super::warn_error::{self, Verdict, WarnError};
use crate::base::Sources;
use crate::diag::{Diagnostic, codes};
use crate::jinja::Invocation;
use crate::plan::{BatchResults, StateResult, StateResults};
use crate::project::parse_yaml;

/// Commands that run no nodes of a verb, and can be retried all the same.
const OTHERS: [&str; 4] = ["clone", "compile", "generate", "run-operation"];

pub(super) fn cmd_retry(context: &Context<'_>, arguments: &RetryArguments) -> Result<(), Exit> {
    let refused = |problem: &Diagnostic, sources: &Sources| {
        context.log.diagnostic(problem, sources);
        Exit::Usage
    };
    let runs = last_runs(context, arguments, several(context)?).map_err(|problem| refused(&problem, &Sources::default()))?;
    let Some(last) = runs.first() else { return Ok(()) };
    let global = global(context.global, &last.results.args);
    let warn_error = WarnError::new(global.warn_error, global.warn_error_options.as_deref());
    let warn_error = warn_error.map_err(|problem| refused(&problem.0, &problem.1))?;
    let retried = |last: &LastRun| -> BTreeSet<String> {
        let strict = warn_error.verdict(warn_error::TEST) == Verdict::Error;
        let results = last.results.results.iter().filter(|result| is_retried(&result.status, strict));
        results.map(|result| result.unique_id.clone()).collect()
    };
    // A target on which nothing was begun has all of its part still to do.
    let only: BTreeMap<Option<String>, BTreeSet<String>> =
        runs.iter().filter(|last| !truth(&last.results.args, NOT_BEGUN)).map(|last| (last.target.clone(), retried(last))).collect();
    if only.len() == runs.len() && only.values().all(BTreeSet::is_empty) {
        let paths = runs.iter().map(|last| format!("'{}'", last.path)).collect::<Vec<_>>().join(" and ");
        context.log.line("NothingToRetry", &format!("There is nothing to retry: all is well in {paths}."), json!({}));
        return Ok(());
    }
    let mut run = RunArguments::from_recorded(&last.results.args);
    run.full_refresh |= arguments.full_refresh;
    let invocation = Invocation {
        full_refresh: run.full_refresh,
        empty: run.is_empty(),
        sample: run.sample,
        store_failures: run.store_failures,
        which: last.which.clone(),
        flags: repeated(&context.invocation.flags, &run.recorded()),
        ..context.invocation.clone()
    };
    let context = Context {
        terminal: context.terminal,
        log: context.log.clone(),
        warn_error,
        global: &global,
        interrupts: context.interrupts,
        invocation: &invocation,
        root: context.root.clone(),
        files: context.files.clone(),
        disk: context.disk.clone(),
        side: context.side.clone(),
    };
    once_more(&context, &runs, &run, only, arguments)
}

/// The command of the last run, for these nodes only.
fn once_more(
    context: &Context<'_>,
    runs: &[LastRun],
    run: &RunArguments,
    mut only: BTreeMap<Option<String>, BTreeSet<String>>,
    given: &RetryArguments,
) -> Result<(), Exit> {
    let Some(last) = runs.first() else { return Ok(()) };
    let recorded = &last.results.args;
    let (one, only_on) =
        (only.remove(&None), only.into_iter().filter_map(|(target, only)| Some((target?, only))).collect::<BTreeMap<_, _>>());
    let batches = runs.iter().flat_map(|last| &last.results.results).filter_map(unfinished).collect::<BTreeMap<_, _>>();
    let work = |verb, prune| Work {
        prune,
        only: one.clone(),
        only_on: only_on.clone(),
        batches: batches.clone(),
        ..Work::new(verb, run, verb.resources.to_vec())
    };
    if let Some(verb) = verb_named(&last.which) {
        return carry_out(context, &work(verb, truth(recorded, "prune")));
    }
    match last.which.as_str() {
        "clone" => carry_out_clone(context, &work(&CLONE, false)),
        "compile" => {
            let compile = CompileArguments {
                selection: run.selection.clone(),
                no_introspect: recorded.get("introspect").and_then(Value::as_bool) == Some(false),
                empty: run.empty,
                full_refresh: run.full_refresh,
                ..CompileArguments::default()
            };
            carry_out_compile(context, &compile, one.as_ref())
        }
        // The catalogue is one document: what was well is part of it.
        "generate" => generate(
            context,
            &GenerateArguments {
                selection: run.selection.clone(),
                no_compile: recorded.get("compile").and_then(Value::as_bool) == Some(false),
                empty_catalog: truth(recorded, "empty_catalog"),
                r#static: truth(recorded, "static"),
                compile: false,
            },
        ),
        _ => {
            let name = recorded.get("macro").and_then(Value::as_str).unwrap_or_default().to_owned();
            cmd_run_operation(context, &RunOperationArguments { name, args: given.args.clone().or_else(|| values(recorded, "args")) })
        }
    }
}

/// A model of whose batches some were built: only the others are built now.
fn unfinished(result: &StateResult) -> Option<(String, BatchResults)> {
    let batches = result.batch_results.as_ref()?.results()?;
    let partly = !batches.successful.is_empty() && !batches.failed.is_empty();
    partly.then(|| (result.unique_id.clone(), batches))
}

/// The flags of this invocation with those of the last run.
fn repeated(given: &Map<String, Value>, recorded: &Map<String, Value>) -> Map<String, Value> {
    let mut flags = given.clone();
    flags.extend(recorded.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())));
    flags
}

struct LastRun {
    /// Of several.
    target: Option<String>,
    results: StateResults,
    which: String,
    /// For people.
    path: String,
}

/// The last run, on each of the targets where they are several.
fn last_runs(context: &Context<'_>, arguments: &RetryArguments, targets: Vec<String>) -> Result<Vec<LastRun>, Diagnostic> {
    let folder = match &arguments.state {
        Some(folder) => folder.clone(),
        None => target_folder(context)?,
    };
    let named = targets.into_iter().map(|target| (folder.join(&target), Some(target))).collect::<Vec<_>>();
    let one = if named.is_empty() { vec![(folder, None)] } else { named };
    let last = one.into_iter().map(|(folder, target)| last_run(context, arguments, &folder, target)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = last.first() else { return Ok(last) };
    if last.iter().all(|last| last.results.results.is_empty()) {
        let message = format!("the run of '{}' ended before its first node, so there is nothing to go on with", first.path);
        return Err(Diagnostic::new(&codes::INVALID_STATE, message).help("give its command again"));
    }
    if let Some(other) = last.iter().find(|other| other.results.metadata.invocation_id != first.results.metadata.invocation_id) {
        let message =
            format!("'{}' and '{}' are of different runs, so what is left of one on all targets is not known", first.path, other.path);
        return Err(Diagnostic::new(&codes::INVALID_STATE, message)
            .help("retry the targets one by one with --target and --state, or give the command again"));
    }
    if let (Some(_), true) = (&first.target, OTHERS.contains(&first.which.as_str())) {
        let message = format!("'{}' on several targets cannot be retried", first.which);
        return Err(Diagnostic::new(&codes::INVALID_STATE, message).help("give the command again"));
    }
    Ok(last)
}

fn last_run(context: &Context<'_>, arguments: &RetryArguments, folder: &Path, target: Option<String>) -> Result<LastRun, Diagnostic> {
    let (bytes, path) = context.state_file(folder, RUN_RESULTS)?;
    let results = StateResults::read(&bytes, &path)?;
    let which = results.args.get("which").and_then(Value::as_str).unwrap_or_default().to_owned();
    if verb_named(&which).is_none() && !OTHERS.contains(&which.as_str()) {
        let message = format!("'{path}' is of the command '{which}', which cannot be retried");
        let help = "retry a build, run, test, seed, snapshot, load, clone, compile, docs generate or run-operation";
        return Err(Diagnostic::new(&codes::INVALID_STATE, message).help(help));
    }
    // Their values are not kept: they may be secrets. Without them something else would be built.
    let kept = [("vars", "variables", &context.global.vars), ("args", "arguments", &arguments.args)];
    for (key, what, given) in kept {
        let recorded = results.args.get(key).and_then(Value::as_object).filter(|held| held.values().any(Value::is_null));
        if let (Some(held), None) = (recorded, given) {
            let names = held.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let problem = Diagnostic::new(&codes::INVALID_STATE, format!("the last run had {what} whose values are not kept: {names}"));
            return Err(problem.help(format!("give them once more: acca retry --{key} '{{name: value}}'")));
        }
    }
    Ok(LastRun { target, results, which, path })
}

/// Where artefacts are written, known before the project is read: how it is read depends on what lies there.
fn target_folder(context: &Context<'_>) -> Result<PathBuf, Diagnostic> {
    if let Some(folder) = &context.global.target_path {
        return Ok(PathBuf::from(folder));
    }
    let text = context.files.read("dbt_project.yml").ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let parsed = parse_yaml(crate::base::FileId(0), &text).ok();
    let named = parsed.and_then(|parsed| parsed.root.get("target-path").and_then(|path| path.scalar_text()));
    match named {
        Some(folder) if folder.contains("{{") => Err(Diagnostic::new(&codes::INVALID_STATE, "'target-path' is a template")
            .help("name the folder of the last run's artefacts: --state <FOLDER>")),
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(PathBuf::from("target")),
    }
}

fn is_retried(status: &str, warnings_too: bool) -> bool {
    matches!(status, "error" | "fail" | "skipped" | "runtime error" | "partial success") || (warnings_too && status == "warn")
}

/// The flags of this invocation over those of the last run.
fn global(given: &GlobalArguments, recorded: &Map<String, Value>) -> GlobalArguments {
    let text = |key: &str| recorded.get(key).and_then(Value::as_str).map(str::to_owned);
    let options = recorded.get("warn_error_options").filter(|options| options.as_object().is_some_and(|options| !options.is_empty()));
    GlobalArguments {
        profile: given.profile.clone().or_else(|| text("profile")),
        target: given.target.clone().or_else(|| text("target")),
        threads: given.threads.or_else(|| recorded.get("threads").and_then(Value::as_u64).and_then(|threads| u16::try_from(threads).ok())),
        vars: given.vars.clone().or_else(|| values(recorded, "vars")),
        warn_error: given.warn_error || truth(recorded, "warn_error"),
        warn_error_options: given.warn_error_options.clone().or_else(|| options.map(Value::to_string)),
        ..given.clone()
    }
}

/// A mapping with all its values, which dbt keeps; JSON is YAML.
fn values(recorded: &Map<String, Value>, key: &str) -> Option<String> {
    let held = recorded.get(key).filter(|held| held.as_object().is_some_and(|held| !held.is_empty() && !held.values().any(Value::is_null)));
    held.map(Value::to_string)
}

fn truth(recorded: &Map<String, Value>, key: &str) -> bool {
    recorded.get(key).and_then(Value::as_bool).unwrap_or(false)
}

impl SelectionArguments {
    /// As `run_results.json` keeps them, under dbt's names.
    pub(super) fn recorded(&self) -> Map<String, Value> {
        let recorded = json!({
            "select": self.select,
            "exclude": self.exclude,
            "selector": self.selector,
            "indirect_selection": self.indirect_selection.as_str(),
            "state": self.state.state,
            "defer": self.state.defers(),
            "defer_state": self.state.defer_state,
            "favor_state": self.state.favors_state(),
        });
        object(recorded)
    }

    fn from_recorded(recorded: &Map<String, Value>) -> SelectionArguments {
        let folder = |key: &str| recorded.get(key).and_then(Value::as_str).map(PathBuf::from);
        let texts = |key: &str| {
            let listed = recorded.get(key).and_then(Value::as_array).into_iter().flatten();
            listed.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let named = recorded.get("indirect_selection").and_then(Value::as_str);
        let modes = [Indirect::Eager, Indirect::Cautious, Indirect::Buildable, Indirect::Empty];
        let mut selection = SelectionArguments {
            select: texts("select"),
            exclude: texts("exclude"),
            selector: recorded.get("selector").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned),
            indirect_selection: modes.into_iter().find(|mode| Some(mode.as_str()) == named).unwrap_or_default(),
            ..SelectionArguments::default()
        };
        let state = &mut selection.state;
        (state.state, state.defer_state) = (folder("state"), folder("defer_state"));
        (state.defer, state.favor_state) = (truth(recorded, "defer"), truth(recorded, "favor_state"));
        selection
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(entries) => entries,
        _ => Map::new(),
    }
}

impl RunArguments {
    /// As `run_results.json` keeps them, under dbt's names; `node_timeout` is acca's own, in seconds.
    pub(super) fn recorded(&self) -> Map<String, Value> {
        let mut recorded = self.selection.recorded();
        recorded.extend(object(json!({
            "full_refresh": self.full_refresh,
            "empty": self.is_empty(),
            "fail_fast": self.fail_fast,
            "store_failures": self.store_failures,
            "node_timeout": self.node_timeout.map(|limit| limit.as_secs_f64()),
        })));
        recorded.extend(object(self.recorded_times()));
        recorded
    }

    fn from_recorded(recorded: &Map<String, Value>) -> RunArguments {
        let truth = |key: &str| truth(recorded, key);
        RunArguments {
            selection: SelectionArguments::from_recorded(recorded),
            full_refresh: truth("full_refresh"),
            empty: truth("empty"),
            fail_fast: truth("fail_fast"),
            store_failures: truth("store_failures"),
            node_timeout: recorded.get("node_timeout").and_then(Value::as_f64).and_then(|limit| Duration::try_from_secs_f64(limit).ok()),
            ..RunArguments::default()
        }
        .with_times(recorded)
    }
}

impl Indirect {
    fn as_str(self) -> &'static str {
        match self {
            Indirect::Eager => "eager",
            Indirect::Cautious => "cautious",
            Indirect::Buildable => "buildable",
            Indirect::Empty => "empty",
        }
    }
}

//! `acca retry`: what failed or was skipped in the last run, once more, as it was asked for then.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{GlobalArguments, Indirect, RetryArguments, RunArguments};
use super::context::Context;
use super::run::{Work, carry_out, verb_named};
use super::state::RUN_RESULTS;
use super::warn_error::{self, Verdict};
use crate::diag::{Diagnostic, codes};
use crate::jinja::Invocation;
use crate::plan::StateResults;
use crate::project::parse_yaml;

pub(super) fn cmd_retry(context: &Context<'_>, arguments: &RetryArguments) -> Result<(), Exit> {
    let last = last_run(context, arguments).map_err(|problem| {
        context.log.diagnostic(&problem, &crate::base::Sources::default());
        Exit::Usage
    })?;
    let only: BTreeSet<String> = last
        .results
        .results
        .iter()
        .filter(|result| is_retried(&result.status, context.warn_error.verdict(warn_error::TEST) == Verdict::Error))
        .map(|result| result.unique_id.clone())
        .collect();
    if only.is_empty() {
        context.log.line("NothingToRetry", &format!("There is nothing to retry: all is well in '{}'.", last.path), json!({}));
        return Ok(());
    }
    let mut run = RunArguments::from_recorded(&last.results.args);
    run.full_refresh |= arguments.full_refresh;
    let invocation = Invocation {
        full_refresh: run.full_refresh,
        empty: run.is_empty(),
        store_failures: run.store_failures,
        which: last.which.clone(),
        flags: repeated(&context.invocation.flags, &run.recorded()),
        ..context.invocation.clone()
    };
    let global = global(context.global, &last.results.args);
    let context = Context {
        terminal: context.terminal,
        log: context.log.clone(),
        warn_error: context.warn_error.clone(),
        global: &global,
        interrupts: context.interrupts,
        invocation: &invocation,
        root: context.root.clone(),
        files: context.files.clone(),
        disk: context.disk.clone(),
    };
    let prune = last.results.args.get("prune").and_then(Value::as_bool).unwrap_or(false);
    let Some(verb) = verb_named(&last.which) else { return Err(Exit::Usage) };
    carry_out(&context, &Work { verb, arguments: &run, resources: verb.resources.to_vec(), prune, only: Some(only) })
}

/// The flags of this invocation with those of the last run.
fn repeated(given: &Map<String, Value>, recorded: &Value) -> Map<String, Value> {
    let mut flags = given.clone();
    flags.extend(
        recorded.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())),
    );
    flags
}

struct LastRun {
    results: StateResults,
    which: String,
    /// For people.
    path: String,
}

fn last_run(context: &Context<'_>, arguments: &RetryArguments) -> Result<LastRun, Diagnostic> {
    let folder = match &arguments.state {
        Some(folder) => folder.clone(),
        None => target_folder(context)?,
    };
    let (bytes, path) = context.state_file(&folder, RUN_RESULTS)?;
    let results = StateResults::read(&bytes, &path)?;
    if results.results.is_empty() {
        let message = format!("the run of '{path}' ended before its first node, so there is nothing to go on with");
        return Err(Diagnostic::new(&codes::INVALID_STATE, message).help("give its command again"));
    }
    let which = results.args.get("which").and_then(Value::as_str).unwrap_or_default().to_owned();
    if verb_named(&which).is_none() {
        let message = format!("'{path}' is of the command '{which}', which cannot be retried");
        return Err(Diagnostic::new(&codes::INVALID_STATE, message).help("retry a build, run, test, seed, snapshot or load"));
    }
    // Their values are not kept: they may be secrets. Without them something else would be built.
    let given = results.args.get("vars").and_then(Value::as_object);
    if let (Some(vars), None) = (given.filter(|vars| !vars.is_empty()), &context.global.vars) {
        let names = vars.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let problem = Diagnostic::new(&codes::INVALID_STATE, format!("the last run had variables whose values are not kept: {names}"));
        return Err(problem.help("give them once more: acca retry --vars '{name: value}'"));
    }
    Ok(LastRun { results, which, path })
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
    GlobalArguments {
        profile: given.profile.clone().or_else(|| text("profile")),
        target: given.target.clone().or_else(|| text("target")),
        threads: given.threads.or_else(|| recorded.get("threads").and_then(Value::as_u64).and_then(|threads| u16::try_from(threads).ok())),
        ..given.clone()
    }
}

impl RunArguments {
    /// As `run_results.json` keeps them, under dbt's names.
    pub(super) fn recorded(&self) -> Value {
        let (selection, state) = (&self.selection, &self.selection.state);
        json!({
            "select": selection.select,
            "exclude": selection.exclude,
            "selector": selection.selector,
            "indirect_selection": selection.indirect_selection.as_str(),
            "state": state.state,
            "defer": state.defers(),
            "defer_state": state.defer_state,
            "favor_state": state.favors_state(),
            "full_refresh": self.full_refresh,
            "empty": self.is_empty(),
            "fail_fast": self.fail_fast,
            "store_failures": self.store_failures,
        })
    }

    fn from_recorded(recorded: &Map<String, Value>) -> RunArguments {
        let truth = |key: &str| recorded.get(key).and_then(Value::as_bool).unwrap_or(false);
        let folder = |key: &str| recorded.get(key).and_then(Value::as_str).map(PathBuf::from);
        let mut run = RunArguments {
            full_refresh: truth("full_refresh"),
            empty: truth("empty"),
            fail_fast: truth("fail_fast"),
            store_failures: truth("store_failures"),
            ..RunArguments::default()
        };
        let state = &mut run.selection.state;
        (state.state, state.defer_state) = (folder("state"), folder("defer_state"));
        (state.defer, state.favor_state) = (truth("defer"), truth("favor_state"));
        run
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

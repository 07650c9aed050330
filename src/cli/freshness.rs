//! `acca source freshness`: how old the newest rows of sources are.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::Exit;
use super::arguments::{FreshnessArguments, LogLevel, SourceArguments, SourceCommand};
use super::context::{Context, nodes};
use super::log::Log;
use super::run::plain_options;
use super::style::{self, paint};
use super::text::{pad_left, pad_right, seconds, width};
use super::warn_error::{FRESHNESS, Verdict};
use crate::artifacts::{sources, write_atomically};
use crate::base::ResourceType;
use crate::diag::Severity;
use crate::execute::{Event, FreshnessRun, Reporter, RunJob, Served, check_freshness};
use crate::plan::{Age, Freshness, FreshnessResult, Status};
use crate::project::{Detail, Node};

pub(super) fn cmd_source(context: &Context<'_>, arguments: &SourceArguments) -> Result<(), Exit> {
    match &arguments.command {
        SourceCommand::Freshness(arguments) => cmd_freshness(context, arguments),
    }
}

fn cmd_freshness(context: &Context<'_>, arguments: &FreshnessArguments) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let mut selected = context.select(compilation, &arguments.selection, &[ResourceType::Source])?;
    selected.retain(|number| compilation.manifest.nodes.get(*number).is_some_and(has_limit));
    let output = match &arguments.output {
        Some(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        None => context.target_path(compilation).join("sources.json"),
    };
    if selected.is_empty() {
        context.log.line("NothingToDo", "There are no sources to check: none that is selected has a limit under 'freshness'.", json!({}));
        write(context, &output, &FreshnessRun::default());
        return Ok(());
    }
    let connected = context.open(compilation)?;
    let checked = nodes(compilation, &selected);
    let name_width = checked.iter().map(|node| width(&name(node))).max().unwrap_or(0);
    let job = RunJob {
        compilation,
        adapter: connected.adapter,
        engine: connected.engine,
        selected: selected.clone(),
        options: plain_options(context, compilation),
        served: Served::default(),
    };
    let interrupt = context.interrupts.begin();
    let counter = AtomicUsize::new(0);
    let total = selected.len();
    let done = |node: &Node, result: &FreshnessResult| {
        let position = counter.fetch_add(1, Ordering::SeqCst) + 1;
        tell(&context.log, node, result, &format!("{}/{total}", pad_left(&position.to_string(), total.to_string().len())), name_width);
    };
    let run = check_freshness(&job, &Said(&context.log), &interrupt, &done);
    context.interrupts.end();
    for problem in run.results.iter().filter_map(|result| result.diagnostic.as_ref()).chain(&run.diagnostics) {
        context.log.report_diagnostic(problem, &compilation.project.sources);
    }
    summarise(context, &run);
    context.write_artifacts(compilation, &Default::default(), None);
    write(context, &output, &run);
    if interrupt.is_raised() {
        return Err(Exit::Interrupted);
    }
    let with = |status: Status| run.results.iter().any(|result| result.status == status);
    let outside = run.diagnostics.iter().any(|problem| problem.severity == Severity::Error);
    let refused = context.warn_error.verdict(FRESHNESS) == Verdict::Error && with(Status::Warn);
    if with(Status::Fail) || with(Status::Error) || outside || refused { Err(Exit::Failed) } else { Ok(()) }
}

fn has_limit(node: &Node) -> bool {
    matches!(&node.detail, Detail::Source(table) if Freshness::of(table).is_some())
}

fn name(node: &Node) -> String {
    match &node.detail {
        Detail::Source(table) => format!("{}.{}", table.source_name, node.name),
        _ => node.name.clone(),
    }
}

fn tell(log: &Log<'_>, node: &Node, result: &FreshnessResult, counter: &str, name_width: usize) {
    let (word, colour, level) = match result.status {
        Status::Pass | Status::Success => ("PASS", style::GOOD, LogLevel::Info),
        Status::Warn => ("WARN", style::WARNING, LogLevel::Warn),
        Status::Fail => ("STALE", style::BAD, LogLevel::Error),
        Status::Error => ("ERROR", style::BAD, LogLevel::Error),
        Status::Skipped => ("SKIP", style::DIM, LogLevel::Info),
    };
    let age = result.age.as_ref().map(age_words).unwrap_or_default();
    let time = pad_left(&seconds(result.execution_time), 7);
    let text = format!(
        "{} {} {} {time}  {age}",
        paint(style::DIM, counter),
        paint(colour, &pad_right(word, 6)),
        pad_right(&name(node), name_width)
    );
    if log.is_json() {
        let data = json!({
            "node_info": {"unique_id": &*node.id, "node_name": node.name, "resource_type": "source", "node_status": word.to_lowercase()},
            "status": word.to_lowercase(), "source_name": name(node).split('.').next(), "table_name": node.name,
            "max_loaded_at_time_ago_in_s": result.age.as_ref().map(|age| age.seconds), "execution_time": result.execution_time,
        });
        log.event(level, "LogFreshnessResult", &text, data);
    } else if log.shows(level) {
        log.terminal.print(text.trim_end());
    }
}

fn age_words(age: &Age) -> String {
    if !age.has_rows {
        return "no rows".to_owned();
    }
    let whole = age.seconds.max(0.0) as u64;
    let (days, hours, minutes) = (whole / 86_400, whole % 86_400 / 3600, whole % 3600 / 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("newest row {whole} seconds old"),
        (0, 0, minutes) => format!("newest row {minutes} min old"),
        (0, hours, minutes) => format!("newest row {hours} h {minutes:02} min old"),
        (days, hours, _) => format!("newest row {days} d {hours:02} h old"),
    }
}

fn summarise(context: &Context<'_>, run: &FreshnessRun) {
    let count = |status: Status| run.results.iter().filter(|result| result.status == status).count();
    let text = format!(
        "Done. PASS={} WARN={} STALE={} ERROR={} TOTAL={} in {}",
        count(Status::Pass),
        count(Status::Warn),
        count(Status::Fail),
        count(Status::Error),
        run.results.len(),
        seconds(run.elapsed)
    );
    context.log.line("FreshnessCheckComplete", &text, json!({"elapsed": run.elapsed}));
}

fn write(context: &Context<'_>, path: &Path, run: &FreshnessRun) {
    let document = sources(&run.results, run.elapsed, &context.metadata());
    if let Err(error) = write_atomically(path, document.to_string().as_bytes()) {
        let text = format!("{} {} cannot be written: {error}", paint(style::WARNING, "warning:"), context.relative(path));
        context.terminal.print_error(&text);
    }
}

/// What the templates of hooks say.
struct Said<'a>(&'a Log<'a>);

impl Reporter for Said<'_> {
    fn report(&self, event: &Event<'_>) {
        if let Event::Said { message, .. } = event {
            self.0.said(message, false);
        }
    }
}

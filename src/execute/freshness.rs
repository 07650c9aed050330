//! `source freshness`: asks sources for the times of their newest rows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::comment::QueryComment;
use super::connect::connection_failed;
use super::prepare::RunJob;
use super::run::now;
use super::run_hooks::run_hooks;
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::workers::in_parallel;
use super::{AdapterError, Interrupt, Reporter};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{newest_of_field, newest_of_query};
use crate::jinja::{NodeState, Warehouse};
use crate::plan::{Freshness, FreshnessResult, Status, age};
use crate::project::{Detail, Node, SourceTable};
use crate::syntax::before_semicolon;

/// What came of all checks, ascending by source, and what went wrong outside of them.
#[derive(Default)]
pub struct FreshnessRun {
    pub results: Vec<FreshnessResult>,
    pub diagnostics: Vec<Diagnostic>,
    /// Seconds.
    pub elapsed: f64,
}

/// Checks the selected sources that have a limit, between the hooks of the project. `done` hears of each result as it comes.
pub fn check_freshness(
    job: &RunJob<'_>,
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
    done: &(dyn Fn(&Node, &FreshnessResult) + Sync),
) -> FreshnessRun {
    let began = Instant::now();
    let mut run = FreshnessRun::default();
    let first = job.adapter.connect().map_err(|error| connection_failed(&job.compilation.project.target, &error));
    match first {
        Ok(session) => {
            let session: SharedSession = Arc::new(Mutex::new(session));
            interrupt.watch(locked(&session).cancel_handle());
            match run_hooks(job, &session, reporter, None) {
                Ok(()) => {
                    run.results = check_all(job, interrupt, done);
                    if !interrupt.is_raised() {
                        run.diagnostics.extend(run_hooks(job, &session, reporter, Some(&[])).err());
                    }
                }
                Err(problem) => run.diagnostics.push(problem),
            }
        }
        Err(problem) => run.diagnostics.push(problem),
    }
    run.elapsed = began.elapsed().as_secs_f64();
    run
}

fn check_all(job: &RunJob<'_>, interrupt: &Interrupt, done: &(dyn Fn(&Node, &FreshnessResult) + Sync)) -> Vec<FreshnessResult> {
    let nodes: Vec<(&Node, &SourceTable, Freshness)> = job
        .selected
        .iter()
        .filter_map(|number| job.compilation.manifest.nodes.get(*number))
        .filter_map(|node| match &node.detail {
            Detail::Source(table) => Some((node, &**table, Freshness::of(table)?)),
            _ => None,
        })
        .collect();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = |thread: usize| {
        let mut session: Option<SharedSession> = None;
        while let Some((node, table, freshness)) = nodes.get(next.fetch_add(1, Ordering::SeqCst)) {
            if interrupt.is_raised() {
                break;
            }
            let checked = catch_unwind(AssertUnwindSafe(|| check_one(job, node, table, freshness, thread, &mut session, interrupt)));
            let result = checked.unwrap_or_else(|_| broken(node, freshness, thread));
            done(node, &result);
            results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    in_parallel(job.options.threads.clamp(1, nodes.len().max(1)), work);
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by(|a, b| a.id.cmp(&b.id));
    results
}

/// A check that ended in a fault of this program has failed like any other.
fn broken(node: &Node, freshness: &Freshness, thread: usize) -> FreshnessResult {
    let message = format!("acca failed on '{}': please report it", node.name);
    FreshnessResult {
        id: node.id.clone(),
        status: Status::Error,
        freshness: freshness.clone(),
        age: None,
        diagnostic: Some(Diagnostic::new(&codes::STATEMENT_FAILED, message).at(node.origin)),
        started_at: now(),
        completed_at: now(),
        execution_time: 0.0,
        thread,
    }
}

fn check_one(
    job: &RunJob<'_>,
    node: &Node,
    table: &SourceTable,
    freshness: &Freshness,
    thread: usize,
    session: &mut Option<SharedSession>,
    interrupt: &Interrupt,
) -> FreshnessResult {
    let (started_at, began) = (now(), Instant::now());
    let asked = open(job, session, interrupt).and_then(|session| ask(job, node, table, freshness, session));
    let (status, age, diagnostic) = match asked {
        Ok(age) => (freshness.judge(age.seconds), Some(age), None),
        Err(_) if interrupt.is_raised() => (Status::Skipped, None, None),
        Err(problem) => (Status::Error, None, Some(problem)),
    };
    FreshnessResult {
        id: node.id.clone(),
        status,
        freshness: freshness.clone(),
        age,
        diagnostic,
        started_at,
        completed_at: now(),
        execution_time: began.elapsed().as_secs_f64(),
        thread,
    }
}

fn open<'s>(job: &RunJob<'_>, session: &'s mut Option<SharedSession>, interrupt: &Interrupt) -> Result<&'s SharedSession, Diagnostic> {
    if session.is_none() {
        let opened = job.adapter.connect().map_err(|error| connection_failed(&job.compilation.project.target, &error))?;
        interrupt.watch(opened.cancel_handle());
        *session = Some(Arc::new(Mutex::new(opened)));
    }
    session.as_ref().ok_or_else(|| Diagnostic::new(&codes::CONNECTION_FAILED, "there is no session"))
}

fn ask(
    job: &RunJob<'_>,
    node: &Node,
    table: &SourceTable,
    freshness: &Freshness,
    session: &SharedSession,
) -> Result<crate::plan::Age, Diagnostic> {
    let (query, key) = query(job, node, table, freshness, session)?;
    let place = node.config.span(key).unwrap_or(node.origin);
    let failed = |error: AdapterError| {
        let problem =
            Diagnostic::new(&codes::STATEMENT_FAILED, format!("the freshness of '{}' cannot be told: {error}", name(node, table)));
        let hints = match error {
            AdapterError::Statement { hints, .. } | AdapterError::Connection { hints, .. } => hints,
            AdapterError::Cancelled | AdapterError::Io(_) => Vec::new(),
        };
        hints.into_iter().fold(problem.at(place), Diagnostic::help)
    };
    let comment = QueryComment::of(job.compilation)?.render(job.compilation, Some(node))?;
    locked(session).comment(&comment);
    let rows = locked(session).query(&query, Some(1)).map_err(failed)?.rows;
    let Some([newest, at]) = rows.first().map(Vec::as_slice) else {
        return Err(Diagnostic::new(&codes::STATEMENT_FAILED, format!("the freshness of '{}' has no answer", name(node, table))).at(place));
    };
    age(newest, at).map_err(|found| {
        Diagnostic::new(&codes::INVALID_CONFIG, format!("'{key}' of '{}' gives {found}", name(node, table)))
            .at(place)
            .help("name a column of times, or an expression that casts to timestamp")
    })
}

fn query<'k>(
    job: &RunJob<'_>,
    node: &Node,
    table: &SourceTable,
    freshness: &Freshness,
    session: &SharedSession,
) -> Result<(String, &'k str), Diagnostic> {
    if let Some(text) = &table.loaded_at_query {
        let place = node.config.span("loaded_at_query").unwrap_or(node.origin);
        let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
        let linked = job.compilation.linked(Some(warehouse));
        let rendered = job.compilation.templates.render_text(text, place, node, NodeState::default(), &linked)?;
        return Ok((newest_of_query(before_semicolon(&rendered.sql), job.engine), "loaded_at_query"));
    }
    match (&table.loaded_at_field, &node.relation) {
        (Some(field), Some(relation)) => Ok((newest_of_field(relation, field, freshness.filter.as_deref(), job.engine), "loaded_at_field")),
        _ => {
            let message = format!("source '{}' does not say when its rows were loaded, and this engine does not know", name(node, table));
            let problem = Diagnostic::new(&codes::MISSING_PROPERTY, message).at(node.config.span("freshness").unwrap_or(node.origin));
            Err(match table.landing {
                Some(_) => {
                    problem.help(format!("acca keeps it for landing files: loaded_at_field: {}", crate::dialect::load::LOADED_AT_COLUMN))
                }
                None => problem.help("add 'loaded_at_field' (a column) or 'loaded_at_query' (a query that gives one time)"),
            })
        }
    }
}

fn name(node: &Node, table: &SourceTable) -> String {
    format!("{}.{}", table.source_name, node.name)
}

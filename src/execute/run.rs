//! A run: workers that take nodes off the schedule until nothing is left.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clean_up::{clean_up, stale};
use super::comment::QueryComment;
use super::exchange::Departure;
use super::hook::explain_hook;
use super::node::{Outcome, Retired, Turn, refreshed, run_node};
use super::overrides::{self, explain_call};
use super::prepare::{Catalog, NodeError, RunJob, prepare};
use super::publication::refreshed_reserve;
use super::report::{Joined, Running};
use super::run_hooks::run_hooks;
use super::schedule::{Borders, Schedule};
use super::sql_files::{SqlFiles, sql_files};
use super::warehouse::{SharedSession, locked};
use super::watchdog::Watchdog;
use super::workers::in_parallel;
use super::{AdapterError, Datum, Event, Interrupt, Reporter, Session, connect, external, load};
use crate::analysis::{Depth, is_portable};
use crate::base::{UniqueId, quote_ident};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{Statement, has_privileges, print_titled};
use crate::plan::{NodeResult, RunResult, Status, Step, failures_kept, timeout_of};
use crate::project::{Detail, Node};

/// Runs the selected nodes. Everything that goes wrong is in the result; nothing half-made is left behind.
pub fn run(job: &RunJob<'_>, reporter: &dyn Reporter, interrupt: &Interrupt) -> RunResult {
    let began = Instant::now();
    let mut result = RunResult::default();
    job.compilation.look_ahead(job.selected.iter().copied(), Depth::Built);
    match start(job) {
        Ok((session, catalog)) => {
            watch(&session, interrupt);
            result.diagnostics.extend(privileges_unknown(job));
            result.diagnostics.extend(super::contract::constraints_left_out(job));
            if let Err(problem) = run_hooks(job, &session, reporter, None) {
                result.diagnostics.push(problem);
            } else {
                let mut retired = stale(job, &catalog, &session, makers(job)).unwrap_or_else(|error| {
                    result.diagnostics.push(connect::connection_failed(&job.compilation.project.target, &error));
                    Vec::new()
                });
                retired.extend(work(job, &catalog, reporter, interrupt, &mut result));
                if !interrupt.is_raised() {
                    let failed = run_hooks(job, &session, reporter, Some(&result.nodes)).err();
                    result.diagnostics.extend(failed);
                }
                result.diagnostics.extend(clean_up(job, &session, &retired));
            }
        }
        Err(problem) => result.diagnostics.push(problem),
    }
    result.interrupted = interrupt.is_raised();
    result.elapsed = began.elapsed().as_secs_f64();
    result
}

/// What a run would do to one node, for `explain`.
pub struct NodeExplanation {
    pub id: UniqueId,
    /// Title and statements of each step in order.
    pub steps: Vec<(String, Vec<String>)>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The steps of the selected nodes, in the order of a run with one worker, against the database as it is now. Changes nothing.
///
/// # Errors
/// `connection-failed`.
pub fn explain(job: &RunJob<'_>) -> Result<Vec<NodeExplanation>, Diagnostic> {
    let failed = |error: AdapterError| connect::connection_failed(&job.compilation.project.target, &error);
    job.compilation.look_ahead(job.selected.iter().copied(), Depth::Built);
    let mut session = job.adapter.connect().map_err(failed)?;
    let catalog = Catalog::new(job, session.relations(&schemas(job)).map_err(failed)?);
    let session: SharedSession = Arc::new(Mutex::new(session));
    let (interrupt, running) = (Interrupt::default(), Arc::new(Running::default()));
    let selected: BTreeSet<usize> = job.selected.iter().copied().collect();
    let order = job.compilation.manifest.dag.topological();
    let nodes =
        order.into_iter().filter(|number| selected.contains(number)).filter_map(|number| job.compilation.manifest.nodes.get(number));
    Ok(nodes
        .filter(|node| builds(node) || job.works_on(node) && !is_test(node))
        .map(|node| {
            explain_node(&Turn { job, node, catalog: &catalog, session: &session, interrupt: &interrupt, running: &running, files: None })
        })
        .collect())
}

fn builds(node: &Node) -> bool {
    node.is_runnable() && !is_test(node)
}

fn is_test(node: &Node) -> bool {
    node.resource.is_test()
}

/// Nodes of the run that make or replace a relation; tests too, whose failing rows are kept.
fn makers<'a>(job: &'a RunJob<'_>) -> impl Iterator<Item = &'a Node> {
    let keeps = |node: &Node| is_test(node) && failures_kept(node, job.options.store_failures).is_some();
    let nodes = job.selected.iter().filter_map(|number| job.compilation.manifest.nodes.get(*number));
    let makes = |node: &Node| builds(node) && !external::is_outside(node, job.engine);
    nodes.filter(move |node| makes(node) || keeps(node) || job.served.origins.contains_key(&node.id))
}

fn explain_node(turn: &Turn<'_>) -> NodeExplanation {
    let Turn { job, node, .. } = *turn;
    let (mut steps, mut diagnostics) = (Vec::new(), Vec::new());
    match prepare(turn) {
        Ok(prepared) => {
            let plan = &prepared.plan;
            for step in plan.all() {
                if let Step::Hook(hook) = step {
                    steps.push(explain_hook(turn, hook, prepared.state));
                    continue;
                }
                if let Step::CallMacro(call) = step {
                    match explain_call(turn, call, prepared.state) {
                        Ok(explained) => steps.push(explained),
                        Err(problem) => diagnostics.push(problem),
                    }
                    continue;
                }
                // What a run reads when it has reserved the relation.
                let reserved = match step {
                    Step::Reserve(reserve) => {
                        refreshed_reserve(turn, reserve).map(Step::Reserve).map(Cow::Owned).map_err(NodeError::Adapter)
                    }
                    step => refreshed(turn, step),
                };
                match reserved {
                    Ok(step) => steps.extend(
                        print_titled(&step, job.engine)
                            .map(|(title, statements)| (title, statements.iter().map(Statement::shown).collect())),
                    ),
                    Err(error) => diagnostics.push(explain_failed(job, error)),
                }
            }
        }
        Err(error) => diagnostics.push(explain_failed(job, error)),
    }
    NodeExplanation { id: node.id.clone(), steps, diagnostics }
}

fn explain_failed(job: &RunJob<'_>, error: NodeError) -> Diagnostic {
    match error {
        NodeError::Diagnostic(problem) => *problem,
        NodeError::Adapter(error) => connect::connection_failed(&job.compilation.project.target, &error),
    }
}

/// Schemas that the selected nodes build in.
fn schemas(job: &RunJob<'_>) -> Vec<String> {
    let unique: BTreeSet<String> =
        makers(job).filter_map(|node| node.relation.as_ref()).map(|relation| relation.schema.to_string()).collect();
    unique.into_iter().collect()
}

/// The first session: makes the schemas and looks at what is there.
fn start(job: &RunJob<'_>) -> Result<(SharedSession, Catalog), Diagnostic> {
    let failed = |error: AdapterError| connect::connection_failed(&job.compilation.project.target, &error);
    let mut session = job.adapter.connect().map_err(failed)?;
    take_leases(job, &mut *session)?;
    check_letters(job, &mut *session)?;
    let shared: SharedSession = Arc::new(Mutex::new(session));
    let schemas = schemas(job);
    for schema in &schemas {
        if !overrides::create_schema(job, &shared, schema)? {
            create_schema(&mut **locked(&shared), schema).map_err(failed)?;
        }
    }
    let mut session = locked(&shared);
    let loads = job
        .selected
        .iter()
        .filter_map(|number| job.compilation.manifest.nodes.get(*number))
        .any(|node| matches!(node.detail, Detail::Source(_)));
    if loads {
        load::ensure_state(&mut **session, job.engine).map_err(failed)?;
    }
    let catalog = Catalog::new(job, session.relations(&schemas).map_err(failed)?);
    drop(session);
    Ok((shared, catalog))
}

/// One warning for all: privileges are mostly configured for whole folders.
fn privileges_unknown(job: &RunJob<'_>) -> Option<Diagnostic> {
    if has_privileges(job.engine) {
        return None;
    }
    let mut nodes = job.selected.iter().filter_map(|number| job.compilation.manifest.nodes.get(*number)).filter(|node| builds(node));
    let (node, place) = nodes.find_map(|node| Some((node, node.config.span("grants")?)))?;
    let message = format!("'grants' of '{}': this engine has no privileges, so none are granted", node.name);
    Some(Diagnostic::new(&codes::UNSUPPORTED_CONFIG, message).at(place))
}

/// Two runs that build one relation would each plan against what the other is changing. The lease ends with the session.
fn take_leases(job: &RunJob<'_>, session: &mut dyn Session) -> Result<(), Diagnostic> {
    let failed = |error: AdapterError| connect::connection_failed(&job.compilation.project.target, &error);
    let names: Vec<String> = makers(job).filter_map(|node| node.relation.as_ref()).map(crate::base::Relation::display).collect();
    let Some(sql) = crate::dialect::take_leases(job.engine, &names) else { return Ok(()) };
    let held = session.query(&sql, None).map_err(failed)?;
    let held: Vec<String> = held.rows.iter().filter_map(|row| row.first()).map(ToString::to_string).collect();
    let Some(first) = held.first() else { return Ok(()) };
    let others = match held.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let problem = Diagnostic::new(&codes::RUN_CONFLICT, format!("another run is building {first}{others} in this database"));
    Err(problem
        .help("wait until it has ended, or select other nodes")
        .help("a run that hangs shows in pg_stat_activity as application 'acca'"))
}

/// Portable models rely on letters of all alphabets having two cases, which the database's locale may not know.
fn check_letters(job: &RunJob<'_>, session: &mut dyn Session) -> Result<(), Diagnostic> {
    let mut nodes = job.selected.iter().filter_map(|number| job.compilation.manifest.nodes.get(*number));
    let (Some(probe), Some(node)) = (crate::dialect::knows_letters(job.engine), nodes.find(|node| is_portable(node))) else {
        return Ok(());
    };
    let failed = |error: AdapterError| connect::connection_failed(&job.compilation.project.target, &error);
    if session.query(probe, None).map_err(failed)?.rows.first().and_then(|row| row.first()) != Some(&Datum::Bool(false)) {
        return Ok(());
    }
    let message = "the database's locale knows no letters beyond ASCII, so portable models would give other rows than on other engines";
    Err(Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message)
        .at(node.body.unwrap_or(node.origin))
        .help("make the database with another one: create database … template template0 lc_ctype 'C.UTF-8'")
        .help("or take `portable` off the models"))
}

/// Asks first: `create schema if not exists` needs a privilege even when the schema exists.
fn create_schema(session: &mut dyn Session, schema: &str) -> Result<(), AdapterError> {
    let literal = crate::dialect::quote_text(schema);
    let found = session.query(&format!("select 1 from information_schema.schemata where schema_name = {literal}"), Some(1))?;
    if found.rows.is_empty() {
        session.execute(&format!("create schema if not exists {}", quote_ident(schema)))?;
    }
    Ok(())
}

fn watch(session: &SharedSession, interrupt: &Interrupt) {
    interrupt.watch(locked(session).cancel_handle());
}

/// What the workers share.
struct Board {
    schedule: Schedule,
    results: Vec<NodeResult>,
    retired: Vec<Retired>,
    started: usize,
    finished: usize,
    /// Nodes that another run makes, which is not known to have ended with them.
    held: BTreeSet<usize>,
}

struct Shop<'a> {
    job: &'a RunJob<'a>,
    catalog: &'a Catalog,
    reporter: &'a dyn Reporter,
    interrupt: &'a Interrupt,
    board: Mutex<Board>,
    changed: Condvar,
    total: usize,
    comment: QueryComment,
    watchdog: Watchdog,
    files: SqlFiles,
    borders: Borders,
}

fn work(job: &RunJob<'_>, catalog: &Catalog, reporter: &dyn Reporter, interrupt: &Interrupt, result: &mut RunResult) -> Vec<Retired> {
    let manifest = &job.compilation.manifest;
    let runnable = |number: &usize| manifest.nodes.get(*number).is_some_and(|node| job.works_on(node));
    let selected: BTreeSet<usize> = job.selected.iter().copied().filter(runnable).collect();
    let nodes: Vec<&Node> = manifest
        .dag
        .topological()
        .iter()
        .filter(|number| selected.contains(number))
        .filter_map(|number| manifest.nodes.get(*number))
        .collect();
    let threads = job.options.threads.clamp(1, selected.len().max(1));
    reporter.report(&Event::Planned { nodes: &nodes, threads });
    let borders = borders(job, &selected);
    let mut schedule = Schedule::served(manifest, &selected, job.options.gate_on_tests, &borders);
    if threads > 1 {
        // One worker does everything anyway, so it keeps to the order in which people read.
        schedule = schedule.longest_first(&|number| job.options.timings.get(&*manifest.nodes.get(number)?.id).copied());
    }
    let held = borders.held.clone();
    let board = Board { schedule, results: Vec::new(), retired: Vec::new(), started: 0, finished: 0, held };
    // What is wrong with the comment was said when the engine was opened.
    let comment = QueryComment::of(job.compilation).unwrap_or_default();
    let total = selected.len();
    let watchdog = Watchdog::default();
    let (board, changed) = (Mutex::new(board), Condvar::new());
    let (files, writer) = sql_files();
    let shop = Shop { job, catalog, reporter, interrupt, board, changed, total, comment, watchdog, files, borders };
    let refused = std::thread::scope(|scope| {
        // Whatever happens from here on, the threads are ended: a scope waits for them.
        let stopped = shop.watchdog.stopped_at_the_end();
        let ended = shop.files.ended_at_the_end();
        scope.spawn(|| shop.watchdog.run());
        let writer = std::thread::Builder::new().spawn_scoped(scope, || writer.run());
        in_parallel(threads, |thread| shop.worker(thread));
        drop((stopped, ended));
        writer.ok().and_then(|writer| writer.join().ok())
    });
    let mut board = shop.board.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Without a list nobody knows what was written.
    let is_there = |path: &str| refused.as_ref().is_some_and(|refused| !refused.contains(&job.options.root.join(path)));
    for node in &mut board.results {
        node.compiled_path.take_if(|path| !is_there(path));
    }
    result.nodes.append(&mut board.results);
    board.retired
}

/// Where the run touches those on other targets.
fn borders(job: &RunJob<'_>, selected: &BTreeSet<usize>) -> Borders {
    let manifest = &job.compilation.manifest;
    let Some(partner) = &job.served.partner else { return Borders::default() };
    let numbers = |ids: &mut dyn Iterator<Item = &UniqueId>| -> BTreeSet<usize> {
        ids.filter_map(|id| manifest.number(id)).filter(|number| selected.contains(number)).collect()
    };
    let departures = numbers(&mut partner.departures.iter());
    Borders {
        arrivals: numbers(&mut job.served.origins.keys()),
        held: numbers(&mut partner.awaited.keys()),
        departures: departures.into_iter().enumerate().map(|(at, number)| (manifest.dag.len() + at, number)).collect(),
    }
}

impl Shop<'_> {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker(&self, thread: usize) {
        let mut session: Option<(SharedSession, Joined)> = None;
        let running = Arc::new(Running::default());
        self.interrupt.watch_worker(running.clone());
        while let Some((number, position)) = self.next() {
            let Some(node) = self.job.compilation.manifest.nodes.get(number) else { continue };
            self.reporter.report(&Event::Started { position, total: self.total, node });
            let (started_at, began) = (now(), Instant::now());
            let outcome = self.run_one(node, &mut session, &running);
            for message in &outcome.messages {
                self.reporter.report(&Event::Said { node, message });
            }
            self.finish(number, node, outcome, thread, started_at, began.elapsed());
        }
    }

    /// Waits for a free node. `None` when nothing is left to do.
    fn next(&self) -> Option<(usize, usize)> {
        let mut board = self.lock();
        loop {
            if self.interrupt.is_raised() {
                self.abandon(&mut board, "stopped before it began");
            } else if self.interrupt.has_given_up() {
                // The run on another target may have.
                self.abandon(&mut board, "--fail-fast");
            }
            self.receive(&mut board);
            if let Some(number) = board.schedule.take() {
                if self.borders.departures.contains_key(&number) {
                    self.leave(number, Ok(()));
                    board.schedule.succeeded(number);
                    continue;
                }
                board.started += 1;
                return Some((number, board.started));
            }
            if board.schedule.is_done() {
                self.changed.notify_all();
                return None;
            }
            if self.interrupt.has_given_up() {
                // Between two statements nothing is cancelled, so it is tried until nothing runs any more.
                self.interrupt.cancel_workers();
            }
            // The time-out is for Ctrl-C and for other runs, which do not notify.
            let patience = if board.held.is_empty() { 200 } else { 20 };
            let waited = self.changed.wait_timeout(board, Duration::from_millis(patience));
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes up what another run has made by now, and takes out what waits for it in vain.
    fn receive(&self, board: &mut Board) {
        let Some(partner) = self.job.served.partner.as_ref().filter(|_| !board.held.is_empty()) else { return };
        let node = |number: &usize| self.job.compilation.manifest.nodes.get(*number);
        let held = board.held.iter().copied();
        let come: Vec<_> = held.filter_map(|number| Some((number, partner.arrived(&node(&number)?.id)?))).collect();
        for (number, how) in come {
            board.held.remove(&number);
            match how {
                Ok(()) => board.schedule.has_come(number),
                Err(why) => {
                    let lost = board.schedule.does_not_come(number);
                    self.skip(board, &lost, &why);
                }
            }
        }
    }

    /// Tells other runs what became of a node that they wait for.
    fn leave(&self, departure: usize, how: Departure) {
        let node = self.borders.departures.get(&departure).and_then(|number| self.job.compilation.manifest.nodes.get(*number));
        if let (Some(partner), Some(node)) = (&self.job.served.partner, node) {
            partner.leave(&node.id, how);
        }
    }

    fn run_one(&self, node: &Node, session: &mut Option<(SharedSession, Joined)>, running: &Arc<Running>) -> Outcome {
        let shared = match session {
            Some((shared, _)) => shared.clone(),
            None => match self.job.adapter.connect() {
                Ok(opened) => {
                    let shared: SharedSession = Arc::new(Mutex::new(opened));
                    let joined = running.join(locked(&shared).cancel_handle());
                    session.insert((shared, joined)).0.clone()
                }
                Err(error) => {
                    return failed_early(connect::connection_failed(&self.job.compilation.project.target, &error));
                }
            },
        };
        match self.comment.render(self.job.compilation, Some(node)) {
            Ok(comment) => locked(&shared).comment(&comment),
            Err(problem) => return failed_early(problem),
        }
        let timeout = match timeout_of(node, self.job.options.node_timeout) {
            Ok(timeout) => timeout,
            Err(problem) => return failed_early(problem),
        };
        let watch = timeout.map(|timeout| (timeout, self.watchdog.watch(running.clone(), timeout)));
        let (interrupt, files) = (self.interrupt, Some(&self.files));
        let turn = Turn { job: self.job, node, catalog: self.catalog, session: &shared, interrupt, running, files };
        let done = catch_unwind(AssertUnwindSafe(|| run_node(&turn)));
        let mut outcome = done.unwrap_or_else(|_| Outcome {
            status: Some(Status::Error),
            message: format!("acca failed on '{}': please report it", node.name),
            session_lost: true,
            ..Outcome::default()
        });
        if let Some((timeout, watch)) = watch
            && self.watchdog.release(&watch)
        {
            // A cancellation may still be on its way: it must not meet the next node.
            outcome.session_lost = true;
            if outcome.status == Some(Status::Error) {
                let problem = timed_out(node, timeout);
                outcome.message = problem.message.clone();
                // In place of what the engine says of the cancelled statement, and after what earlier batches failed with.
                outcome.diagnostics.truncate(outcome.settled);
                outcome.diagnostics.push(problem);
            }
        }
        if outcome.session_lost {
            *session = None;
        }
        outcome
    }

    fn finish(&self, number: usize, node: &Node, outcome: Outcome, thread: usize, started_at: String, took: Duration) {
        let status = outcome.status.unwrap_or(Status::Error);
        let result = NodeResult {
            id: node.id.clone(),
            status,
            message: outcome.lead + &outcome.message,
            failures: outcome.failures,
            rows_affected: outcome.rows_affected,
            started_at,
            completed_at: now(),
            execution_time: took.as_secs_f64(),
            thread,
            compiled_sql: outcome.compiled_sql,
            compiled_path: outcome.compiled_path,
            diagnostics: outcome.diagnostics,
            sample: outcome.sample,
            batches: outcome.batches,
        };
        let came = match status {
            Status::Fail => "found failing rows",
            Status::Skipped if result.was_stopped() => "was stopped",
            _ => "failed",
        };
        // What the run on another target has ended is no failure of its own.
        let is_ended = status == Status::Skipped && !result.was_stopped() && self.interrupt.has_given_up();
        let mut board = self.lock();
        board.retired.extend(outcome.retired);
        self.record(&mut board, node, result);
        if status.is_failure() || status == Status::Skipped {
            let lost = board.schedule.failed(number);
            let why = if is_ended { "--fail-fast".to_owned() } else { format!("'{}' {came}", node.name) };
            self.skip(&mut board, &lost, &why);
            if self.job.options.fail_fast {
                self.abandon(&mut board, "--fail-fast");
            }
        } else {
            board.schedule.succeeded(number);
        }
        drop(board);
        if status.is_failure() && self.job.options.fail_fast {
            self.interrupt.give_up();
        }
        self.changed.notify_all();
    }

    /// Nothing more begins. One event stands for all that is left: it may be thousands.
    fn abandon(&self, board: &mut Board, why: &str) {
        let left = board.schedule.abandon();
        board.held.clear();
        left.iter().for_each(|number| self.leave(*number, Err(why.to_owned())));
        let left: Vec<usize> = left.into_iter().filter(|number| !self.borders.departures.contains_key(number)).collect();
        if !left.is_empty() {
            self.reporter.report(&Event::Abandoned { count: left.len(), why });
        }
        for node in left.iter().filter_map(|number| self.job.compilation.manifest.nodes.get(*number)) {
            board.finished += 1;
            board.results.push(skipped(node, why));
        }
    }

    fn skip(&self, board: &mut Board, numbers: &[usize], why: &str) {
        let here = &self.job.compilation.project.target.name;
        numbers.iter().for_each(|number| self.leave(*number, Err(format!("{why} on {here}"))));
        for node in numbers.iter().filter_map(|number| self.job.compilation.manifest.nodes.get(*number)) {
            self.record(board, node, skipped(node, why));
        }
    }

    fn record(&self, board: &mut Board, node: &Node, result: NodeResult) {
        board.finished += 1;
        self.reporter.report(&Event::Finished { position: board.finished, total: self.total, node, result: &result });
        board.results.push(result);
    }
}

fn timed_out(node: &Node, timeout: Duration) -> Diagnostic {
    let message = format!("'{}' was stopped after {} s, which is the time that it may take", node.name, timeout.as_secs_f64());
    let place = node.config.span("meta").filter(|_| node.config.get("meta").is_some_and(|meta| meta.get("timeout").is_some()));
    Diagnostic::new(&codes::NODE_TIMEOUT, message)
        .at(place.or(node.body.map(|body| body.sub(0, 0))).unwrap_or(node.origin))
        .help("give it more time with --node-timeout or meta.timeout, or look what it waited for")
}

fn failed_early(problem: Diagnostic) -> Outcome {
    Outcome { status: Some(Status::Error), message: problem.message.clone(), diagnostics: vec![problem], ..Outcome::default() }
}

fn skipped(node: &Node, why: &str) -> NodeResult {
    NodeResult::without_work(node.id.clone(), Status::Skipped, format!("skipped: {why}"), now())
}

pub(super) fn now() -> String {
    crate::base::timestamp(jiff::Timestamp::now())
}

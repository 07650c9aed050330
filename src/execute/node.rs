//! Runs one node: its steps in one transaction, or its test.

use std::borrow::Cow;
use std::sync::Arc;

use super::hook::run_hook;
use super::microbatch::{batches, build_batches};
use super::overrides::{run_call, test_query};
use super::prepare::{Catalog, Draft, NodeError, Prepared, RunJob, draft, plan, prepare_failures};
use super::publication::{broken_reference, explain_hold, let_others_publish, refreshed_alter, refreshed_publish, reserve};
use super::report::Running;
use super::sql_files::{SqlFiles, artifact_path};
use super::unit_test::run_unit_test;
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::{AdapterError, Datum, Interrupt, Table, arrival, copied_rows, external, load_source, partitions, unloaded};
use crate::analysis::CompiledNode;
use crate::assertions::{Assertion, Verdict};
use crate::base::{Relation, RelationKind, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{Engine, Statement, print_titled};
use crate::jinja::{Message, NodeState, Warehouse};
use crate::plan::{BatchResults, NodePlan, Publish, STOPPED, Status, Step, failures_kept, misfit};
use crate::project::{Detail, Node};

/// Rows of a failed test that are kept to be shown.
const SAMPLE_ROWS: usize = 5;

/// What is said of a transaction that was cancelled.
pub(super) const NOTHING_KEPT: &str = "nothing of it was kept";

/// What came of a node, before times are added.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) status: Option<Status>,
    pub(super) message: String,
    /// What comes before the message, whatever that is in the end: how many batches failed.
    pub(super) lead: String,
    pub(super) failures: Option<u64>,
    pub(super) rows_affected: Option<u64>,
    /// Of a table that comes from another target.
    pub(super) sent: Option<arrival::Sent>,
    /// There may be files of it in the bucket.
    pub(super) unloaded: bool,
    /// Of a model whose rows are being written to files.
    pub(super) unloading: Option<unloaded::Unloading>,
    pub(super) compiled_sql: Option<Arc<str>>,
    pub(super) compiled_path: Option<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// How many of the diagnostics are of batches that ended before the one that is built.
    pub(super) settled: usize,
    pub(super) sample: Option<Table>,
    pub(super) messages: Vec<Message>,
    /// The statements that were sent, for people to read; of a model that is built in batches, those of the last one.
    pub(super) script: String,
    /// Bytes of the statements of earlier batches, which are in the file already.
    pub(super) script_kept: usize,
    /// Of a model that is built in batches of time.
    pub(super) batches: Option<BatchResults>,
    /// Replaced relations that are still read, to be dropped at the end of the run.
    pub(super) retired: Vec<Retired>,
    /// The session is of no use any more.
    pub(super) session_lost: bool,
}

/// A relation that was replaced while views still read it.
#[derive(Clone, Debug)]
pub(super) struct Retired {
    pub(super) retired: Relation,
    pub(super) live: Relation,
    pub(super) kind: RelationKind,
}

/// What every step of a node needs: the run, the node, what stood in the database, and the worker's session.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) job: &'a RunJob<'a>,
    pub(super) node: &'a Node,
    pub(super) catalog: &'a Catalog,
    pub(super) session: &'a SharedSession,
    pub(super) interrupt: &'a Interrupt,
    /// Where sessions are registered that it opens besides.
    pub(super) running: &'a Arc<Running>,
    /// `None`: nothing is written.
    pub(super) files: Option<&'a SqlFiles>,
}

pub(super) fn run_node(turn: &Turn<'_>) -> Outcome {
    let interrupt = turn.interrupt;
    let mut outcome = Outcome::default();
    let done = match (turn.job.served.origins.get(&turn.node.id), &turn.node.detail) {
        (Some(origin), _) => arrival::run(turn, origin, &mut outcome),
        (None, Detail::SingularTest | Detail::GenericTest(_)) => run_test(turn, &mut outcome),
        (None, Detail::UnitTest(test)) => run_unit_test(turn, test, &mut outcome),
        (None, Detail::Source(_)) if external::is_external(turn) => external::run(turn, &mut outcome),
        (None, Detail::Source(_)) => load_source::run(turn.job, turn.node, turn.session, interrupt, &mut outcome),
        (None, _) => match batches(turn) {
            Some(batches) => build_batches(turn, &batches, &mut outcome),
            None => build(turn, &mut outcome),
        },
    };
    if let Err(error) = done {
        outcome.status = Some(Status::Error);
        fail(&mut outcome, turn.node, error, interrupt);
        name_misfit(turn, &mut outcome);
    }
    outcome
}

/// Engines say which value of a seed they refuse, at best, and not in which line it stands.
fn name_misfit(turn: &Turn<'_>, outcome: &mut Outcome) {
    let Detail::Seed { path } = &turn.node.detail else { return };
    let refused = outcome.diagnostics.iter_mut().find(|problem| problem.code == &codes::STATEMENT_FAILED);
    if let (Some(problem), Ok(file)) = (refused, std::fs::read(turn.job.options.root.join(path))) {
        problem.notes.extend(misfit(turn.node, &file));
    }
}

pub(super) fn fail(outcome: &mut Outcome, node: &Node, error: NodeError, interrupt: &Interrupt) {
    match error {
        NodeError::Adapter(AdapterError::Cancelled) if interrupt.is_raised() => {
            outcome.status = Some(Status::Skipped);
            outcome.message = format!("{STOPPED}{NOTHING_KEPT}");
        }
        NodeError::Adapter(AdapterError::Cancelled) if interrupt.has_given_up() => {
            outcome.status = Some(Status::Skipped);
            outcome.message = format!("skipped: --fail-fast; {NOTHING_KEPT}");
        }
        NodeError::Adapter(error) => {
            outcome.session_lost = matches!(error, AdapterError::Connection { .. });
            let problem = statement_failed(node, &error, None);
            outcome.message = problem.message.clone();
            outcome.diagnostics.push(problem);
        }
        NodeError::Diagnostic(problem) => {
            outcome.message = problem.message.clone();
            outcome.diagnostics.push(*problem);
        }
    }
}

fn build(turn: &Turn<'_>, outcome: &mut Outcome) -> Result<(), NodeError> {
    run_draft(turn, draft(turn)?, outcome)?;
    outcome.status = Some(Status::Success);
    if outcome.message.is_empty() {
        outcome.message = match outcome.rows_affected {
            Some(1) => "1 row".to_owned(),
            Some(rows) => format!("{rows} rows"),
            None => "created".to_owned(),
        };
    }
    Ok(())
}

/// Plans what was rendered and sends it.
pub(super) fn run_draft(turn: &Turn<'_>, draft: Draft, outcome: &mut Outcome) -> Result<(), NodeError> {
    outcome.messages.extend(draft.compiled.messages.iter().cloned());
    keep_compiled(turn, &draft.compiled, outcome);
    let done = match draft.leading(turn.node) {
        Some(leading) => run_led(turn, draft, leading, outcome),
        None => plan(turn, draft, false).and_then(|prepared| run_plan(turn, &prepared, outcome)),
    };
    write_script(turn, outcome);
    done
}

pub(super) fn run_plan(turn: &Turn<'_>, prepared: &Prepared, outcome: &mut Outcome) -> Result<(), NodeError> {
    let before = prepared.plan.before.iter().try_for_each(|step| run_step(turn, step, prepared, outcome));
    let done = before.and_then(|()| run_transaction(turn, prepared, outcome));
    done.map_err(|error| partitions::clean_up(turn, prepared, error))?;
    for step in &prepared.plan.after {
        run_step(turn, step, prepared, outcome)?;
    }
    outcome.message = prepared.plan.remark.clone().unwrap_or_default();
    Ok(())
}

/// As [`run_plan`], for a node whose plan depends on its query, which may need what its hooks and its header make: they are run
/// before it is planned, in the same transaction.
fn run_led(turn: &Turn<'_>, draft: Draft, leading: NodePlan, outcome: &mut Outcome) -> Result<(), NodeError> {
    let before = Prepared { compiled: draft.compiled.clone(), state: draft.state, plan: leading };
    for step in &before.plan.before {
        run_step(turn, step, &before, outcome)?;
    }
    begin(turn.session)?;
    let done = before.plan.steps.iter().try_for_each(|step| run_step(turn, step, &before, outcome));
    let done = done.and_then(|()| plan(turn, draft, true)).and_then(|prepared| {
        for step in &prepared.plan.steps {
            run_step(turn, &*refreshed(turn, step)?, &prepared, outcome)?;
        }
        Ok(prepared)
    });
    let done = finish(turn.session, done);
    if done.is_err() {
        unloaded::take_back(turn, outcome);
    }
    if done.is_err() && turn.job.engine == Engine::Postgres {
        let_others_publish(turn.session);
    }
    let prepared = done?;
    outcome.message = prepared.plan.remark.clone().unwrap_or_default();
    prepared.plan.after.iter().try_for_each(|step| run_step(turn, step, &prepared, outcome))
}

/// How often a transaction is tried that the engine ended because it was in another's way.
const TRIES: u32 = 3;

/// The steps in one transaction. When the engine ends it to let another go first, nothing of it has happened: it is run again,
/// unless statements of the user's are in it, which may have done what no engine takes back.
fn run_transaction(turn: &Turn<'_>, prepared: &Prepared, outcome: &mut Outcome) -> Result<(), NodeError> {
    let own = |step: &Step| matches!(step, Step::Hook(_) | Step::CallMacro(_) | Step::Statement { .. } | Step::RunMaterialization { .. });
    let most = if prepared.plan.steps.iter().any(own) { 1 } else { TRIES };
    let mut tries = 1;
    loop {
        begin(turn.session)?;
        let (rows, retired, written) = (outcome.rows_affected, outcome.retired.len(), outcome.script.len());
        let done = prepared.plan.steps.iter().try_for_each(|step| {
            go_on(turn)?;
            let step = refreshed(turn, step)?;
            run_step(turn, &step, prepared, outcome)
        });
        let done = finish(turn.session, done);
        if done.is_err() {
            unloaded::take_back(turn, outcome);
        }
        if done.is_err() && prepared.plan.steps.iter().any(|step| matches!(step, Step::Reserve(_))) {
            let_others_publish(turn.session);
        }
        match done {
            Err(NodeError::Adapter(error)) if error.is_conflict() && tries < most => {
                outcome.rows_affected = rows;
                outcome.retired.truncate(retired);
                outcome.script.truncate(written);
                tries += 1;
            }
            done => return done,
        }
    }
}

/// Ends a node of which no statement is under way that could be cancelled.
pub(super) fn go_on(turn: &Turn<'_>) -> Result<(), AdapterError> {
    let ended = turn.interrupt.is_raised() || turn.interrupt.has_given_up();
    if ended { Err(AdapterError::Cancelled) } else { Ok(()) }
}

/// A step as it must be now: what it carries over, keeps or replaces may have changed since it was planned.
pub(super) fn refreshed<'s>(turn: &Turn<'_>, step: &'s Step) -> Result<Cow<'s, Step>, NodeError> {
    let session = turn.session;
    Ok(match step {
        Step::Publish(publish) if publish.replaced.is_some() && turn.job.engine != Engine::DuckDb => {
            Cow::Owned(Step::Publish(refreshed_publish(turn, publish)?))
        }
        Step::ReplaceView(replace) if replace.replaced.is_some() => {
            let held = locked(session).attachments(&replace.view, &replace.view, RelationKind::MaterializedView)?;
            Cow::Owned(Step::ReplaceView(replace.clone().carrying(&held)))
        }
        Step::AlterColumns(alter) => Cow::Owned(Step::AlterColumns(refreshed_alter(turn, alter)?)),
        Step::Comment(comment) if !comment.columns.is_empty() => {
            let held = locked(session).columns(&comment.relation)?;
            Cow::Owned(Step::Comment(comment.clone().of_columns(&held)))
        }
        Step::SetPrivileges { relation, wanted, exact, .. } => {
            let held = locked(session).privileges(relation)?;
            Cow::Owned(Step::SetPrivileges { relation: relation.clone(), wanted: wanted.clone(), held, exact: *exact })
        }
        step => Cow::Borrowed(step),
    })
}

pub(super) fn begin(session: &SharedSession) -> Result<(), AdapterError> {
    locked(session).execute("begin").map(|_| ())
}

/// Commits, or rolls back and hands the error on. When the roll-back fails too, the connection is gone and with it the transaction.
pub(super) fn finish<T>(session: &SharedSession, done: Result<T, NodeError>) -> Result<T, NodeError> {
    match done {
        Ok(value) => {
            locked(session).execute("commit")?;
            Ok(value)
        }
        Err(error) => {
            let _ = locked(session).execute("rollback");
            Err(error)
        }
    }
}

fn run_step(turn: &Turn<'_>, step: &Step, prepared: &Prepared, outcome: &mut Outcome) -> Result<(), NodeError> {
    match step {
        Step::RunMaterialization { macro_id } => return run_materialization(turn, macro_id, prepared, outcome),
        Step::Hook(hook) => return run_hook(turn, hook, prepared.state, outcome),
        Step::CallMacro(call) => return run_call(turn, call, prepared.state, outcome),
        Step::Unload { place, .. } => unloaded::begin(turn, place, outcome),
        Step::CopyRows { .. } => return copied_rows::run(turn, step, prepared, outcome),
        Step::Reserve(wanted) => {
            outcome.script.push_str(&format!("-- {}\n", step.title()));
            reserve(turn, wanted, outcome)?;
            outcome.script.push('\n');
            return Ok(());
        }
        _ => {}
    }
    run_statements(turn, step, prepared, outcome)
}

/// A step that is nothing but its statements.
pub(super) fn run_statements(turn: &Turn<'_>, step: &Step, prepared: &Prepared, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let Some((title, statements)) = print_titled(step, job.engine) else { return Ok(()) };
    let first = outcome.script.is_empty();
    outcome.script.push_str(&format!("-- {title}\n"));
    outcome.script.extend(statements.iter().map(|statement| format!("{};\n", statement.shown())));
    if first {
        // Whoever wonders what takes so long finds it there soon.
        write_script(turn, outcome);
    }
    match step {
        Step::SendRows(send) => return arrival::send(turn, send, outcome),
        // There need not be a file then.
        Step::FetchRows { .. } if outcome.sent.is_some_and(arrival::Sent::is_empty) => {
            outcome.script.push_str("-- no rows were sent\n\n");
            return Ok(());
        }
        Step::CompareCounts { table, arrived, of } => return arrival::compare(turn, table, arrived, *of, outcome),
        _ => {}
    }
    for statement in statements {
        if let Step::CheckKeys { keys, .. } = step {
            check_keys(node, keys, &statement, session)?;
            continue;
        }
        if let Step::CheckPartitions(check) = step {
            partitions::check(turn, &check.table, &statement)?;
            continue;
        }
        let done = execute(session, &statement, &mut outcome.script);
        let rows = done.map_err(|error| match broken_reference(turn, step, &statement, &error) {
            Some(broken) => broken,
            None => explain_hold(step, &statement, locate(node, &prepared.compiled, &statement, error)),
        })?;
        if matches!(
            step,
            Step::CreateTableAs { .. }
                | Step::CreateMaterializedView { .. }
                | Step::InsertQuery { .. }
                | Step::SnapshotFirst { .. }
                | Step::Merge(_)
                | Step::SnapshotApply { .. }
        ) {
            // Of a table that a query makes, the Data API need not know how many rows it has.
            let is_unknown = rows == 0 && job.engine == Engine::Redshift && matches!(step, Step::CreateTableAs { .. });
            outcome.rows_affected = if is_unknown { outcome.rows_affected } else { Some(rows) };
        }
        if matches!(step, Step::InsertRows { .. }) {
            outcome.rows_affected = Some(outcome.rows_affected.unwrap_or(0) + rows);
        }
    }
    outcome.script.push('\n');
    if let Step::Publish(Publish { keep_retired: true, replaced: Some(kind), retired, live, .. }) = step
        && job.engine != Engine::DuckDb
    {
        outcome.retired.push(Retired { retired: retired.clone(), live: live.clone(), kind: *kind });
    }
    if let Step::Publish(Publish { replaced: Some(_), .. }) | Step::AlterColumns(_) = step
        && job.engine == Engine::Postgres
    {
        let_others_publish(session);
    }
    Ok(())
}

/// Of two rows with one key PostgreSQL refuses the second and DuckDB keeps any.
fn check_keys(node: &Node, keys: &[String], statement: &Statement, session: &SharedSession) -> Result<(), NodeError> {
    let found = locked(session).query(&statement.sql, Some(1))?;
    let Some(row) = found.rows.first() else { return Ok(()) };
    let parts = keys.iter().zip(row).map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
    let times = row.last().map(ToString::to_string).unwrap_or_default();
    let message = format!("'{}' gives {times} new rows with the key {parts}, and a merge takes one row for a key", node.name);
    let problem = Diagnostic::new(&codes::STATEMENT_FAILED, message).at(node.config.span("unique_key").unwrap_or_else(|| first_line(node)));
    Err(problem.help("leave one row for each key in the query, or add what tells them apart to 'unique_key'").into())
}

fn execute(session: &SharedSession, statement: &Statement, script: &mut String) -> Result<u64, AdapterError> {
    let mut session = locked(session);
    let Some(fallback) = &statement.otherwise else { return session.execute(&statement.sql) };
    session.execute("savepoint acca_publish")?;
    match session.execute(&statement.sql) {
        Err(AdapterError::Statement { code: Some(code), .. }) if code == fallback.code => {
            session.execute("rollback to savepoint acca_publish")?;
            script.push_str(&format!("-- refused with {code}, so what stands there in comments was run instead\n"));
            fallback.statements.iter().try_fold(0, |_, sql| session.execute(sql))
        }
        done => done,
    }
}

/// Places the engine's error in the file that the user wrote, when it points into the node's query.
fn locate(node: &Node, compiled: &CompiledNode, statement: &Statement, error: AdapterError) -> NodeError {
    match error {
        error if error.is_conflict() => NodeError::Adapter(error),
        AdapterError::Statement { .. } => statement_failed(node, &error, statement.query_at.map(|at| (at, compiled))).into(),
        other => NodeError::Adapter(other),
    }
}

/// The engine refuses a node's query.
pub(super) fn query_failed(node: &Node, compiled: &CompiledNode, error: AdapterError) -> NodeError {
    match error {
        AdapterError::Statement { .. } => statement_failed(node, &error, Some((0, compiled))).into(),
        other => NodeError::Adapter(other),
    }
}

/// The engine refuses a statement that the user wrote at that place.
pub(super) fn statement_refused(node: &Node, error: AdapterError, span: crate::base::Span) -> NodeError {
    match error {
        AdapterError::Statement { .. } => statement_failed(node, &error, None).at(span).into(),
        other => NodeError::Adapter(other),
    }
}

/// A query of a unit test that is not the model's is refused.
pub(super) fn unit_failed(node: &Node, place: crate::base::Span, what: &str, error: &AdapterError) -> NodeError {
    match error {
        AdapterError::Statement { message, .. } => {
            let message = format!("{what} of unit test '{}' are refused: {message}", node.name);
            Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(place).into()
        }
        other => NodeError::Adapter(other.clone()),
    }
}

fn statement_failed(node: &Node, error: &AdapterError, query: Option<(usize, &CompiledNode)>) -> Diagnostic {
    let (code, hints, offset) = match error {
        AdapterError::Statement { hints, offset, .. } => (&codes::STATEMENT_FAILED, hints.clone(), *offset),
        AdapterError::Connection { hints, .. } => (&codes::CONNECTION_FAILED, hints.clone(), None),
        AdapterError::Cancelled | AdapterError::Io(_) => (&codes::STATEMENT_FAILED, Vec::new(), None),
    };
    let mut problem = Diagnostic::new(code, format!("'{}': {error}", node.name));
    let place = offset.zip(query).and_then(|(offset, (query_at, compiled))| {
        let at = offset.checked_sub(query_at)?;
        compiled.locate(at..at + word_length(&compiled.sql, at))
    });
    problem = match place {
        Some(place) => match place.within {
            Some(within) => problem.labelled(place.call, "written by this macro").also(within, "here"),
            None => problem.at(place.call),
        },
        None => problem.at(first_line(node)),
    };
    hints.into_iter().chain(not_built(node, error)).fold(problem, Diagnostic::help)
}

/// What to do when a node that this one reads is not in the database.
fn not_built(node: &Node, error: &AdapterError) -> Option<String> {
    let AdapterError::Statement { code, message, .. } = error else { return None };
    // The code is PostgreSQL's; DuckDB has one for everything that its catalogue lacks.
    let missing = code.as_deref() == Some("42P01") || message.starts_with("Catalog Error: Table with name ");
    if let Some(source) = missing.then(|| missing_source(node, message)).flatten() {
        return Some(format!("load it first: acca load --select source:{source}"));
    }
    let named = |id: &UniqueId| !id.starts_with("source.") && id.rsplit('.').next().is_some_and(|name| message.contains(name));
    let parent = node.depends_on.iter().find(|id| missing && named(id))?;
    let parent = parent.rsplit('.').next().unwrap_or(parent);
    Some(format!("build '{parent}' first: --select +{} selects what it reads too", node.name))
}

/// The source that a node reads and that the engine does not find.
fn missing_source<'n>(node: &'n Node, message: &str) -> Option<&'n str> {
    let sources = node.depends_on.iter().filter_map(|id| id.strip_prefix("source."));
    // Behind the name of the package.
    let names = sources.filter_map(|name| Some(name.split_once('.')?.1));
    names.filter(|name| message.contains(*name)).max_by_key(|name| name.len())
}

/// Length of the (qualified) name or sign at a place of the SQL.
fn word_length(sql: &str, at: usize) -> usize {
    let rest = sql.get(at..).unwrap_or("");
    let word = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.len());
    word.max(rest.chars().next().map_or(1, char::len_utf8))
}

pub(super) fn first_line(node: &Node) -> crate::base::Span {
    match &node.detail {
        Detail::GenericTest(test) => test.span,
        // The start of the body stands for the whole: no long underlining.
        _ => node.body.map_or(node.origin, |body| body.sub(0, 0)),
    }
}

fn run_materialization(turn: &Turn<'_>, macro_id: &str, prepared: &Prepared, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
    let linked = job.compilation.linked(Some(warehouse));
    let sql = serde_json::Value::from(prepared.compiled.sql.as_str());
    let extra = [("sql", sql.clone()), ("compiled_code", sql)].map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let (done, messages) = job.compilation.templates.run_macro(macro_id, node, Default::default(), extra, prepared.state, &linked);
    outcome.messages.extend(messages);
    done.map(|_| ()).map_err(NodeError::from)
}

fn run_test(turn: &Turn<'_>, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let assertion = Assertion::of(node)?;
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
    let compiled = job.compilation.compile_node(node, NodeState::default(), Some(warehouse))?;
    outcome.messages = compiled.messages.clone();
    keep_compiled(turn, &compiled, outcome);
    let stored = match failures_kept(node, job.options.store_failures) {
        Some(kind) => Some(store_failures(turn, kind, &compiled, &assertion, outcome)?),
        None => None,
    };
    // What is kept is counted and shown from there: the test's query runs once.
    let rows = stored.as_ref().map_or_else(|| assertion.limited(&compiled.sql), |kept| format!("select * from {}", kept.quoted()));
    let query = test_query(turn, &rows)?.unwrap_or_else(|| assertion.count_query(&rows));
    let counted = locked(session).value(&query);
    // In a statement of its own: it asks the session, which must be free by then.
    let counted = counted.map_err(|error| test_failed(turn, &compiled, &assertion, error))?;
    let failures = counted.as_ref().map_or(Some(0), count_of);
    let Some(failures) = failures else {
        let problem = Diagnostic::new(&codes::INVALID_CONFIG, format!("'fail_calc' of test '{}' does not give a whole number", node.name));
        return Err(problem.at(node.config.span("fail_calc").unwrap_or_else(|| first_line(node))).into());
    };
    let (verdict, message) = assertion.judge(failures);
    outcome.failures = Some(u64::try_from(failures).unwrap_or(0));
    outcome.message = match stored.filter(|_| verdict != Verdict::Pass) {
        Some(kept) => format!("{message}; kept in {}", kept.display()),
        None => message,
    };
    outcome.status = Some(match verdict {
        Verdict::Pass => Status::Pass,
        Verdict::Warn => Status::Warn,
        Verdict::Fail => Status::Fail,
    });
    if verdict != Verdict::Pass {
        outcome.sample = Some(locked(session).query(&assertion.sample_query(&rows, SAMPLE_ROWS), Some(SAMPLE_ROWS))?);
    }
    Ok(())
}

fn store_failures(
    turn: &Turn<'_>,
    kind: RelationKind,
    compiled: &CompiledNode,
    assertion: &Assertion,
    outcome: &mut Outcome,
) -> Result<Relation, NodeError> {
    let query = assertion.limited(&compiled.sql);
    let prepared = prepare_failures(turn, kind, compiled, &query)?;
    let done = run_transaction(turn, &prepared, outcome);
    write_script(turn, outcome);
    done?;
    outcome.rows_affected = None;
    turn.node.relation.clone().ok_or_else(|| NodeError::Adapter(AdapterError::Io("a test without a relation".to_owned())))
}

fn count_of(cell: &Datum) -> Option<i64> {
    match cell {
        Datum::Null => Some(0),
        Datum::Int(count) => Some(*count),
        Datum::Bool(truth) => Some(i64::from(*truth)),
        Datum::Decimal(text) | Datum::Text(text) => text.parse().ok(),
        Datum::Float(_) => None,
    }
}

/// A test on a column that is not there says so, at the place where the column is named.
fn test_failed(turn: &Turn<'_>, compiled: &CompiledNode, assertion: &Assertion, error: AdapterError) -> NodeError {
    let Turn { job, node, session, .. } = *turn;
    let AdapterError::Statement { .. } = &error else { return NodeError::Adapter(error) };
    if let Detail::GenericTest(test) = &node.detail
        && let Some(column) = &test.column
        && let Some(relation) = job.compilation.manifest.node(&test.attached).and_then(|tested| tested.relation.as_ref())
        && let Ok(columns) = locked(session).columns(relation)
        && !columns.is_empty()
        && !columns.iter().any(|held| held.name.eq_ignore_ascii_case(column.trim_matches('"')))
        && column.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        let message = format!("{} has no column '{column}', which test '{}' needs", relation.display(), test.test);
        let problem = Diagnostic::new(&codes::UNKNOWN_TEST_COLUMN, message).at(test.column_span.unwrap_or(test.span));
        return problem.did_you_mean(column, columns.iter().map(|held| held.name.as_str())).into();
    }
    statement_failed(node, &error, Some((assertion.query_offset(), compiled))).into()
}

/// Writes the compiled SQL where dbt writes it; a run does not fail because a folder cannot be written.
pub(super) fn keep_compiled(turn: &Turn<'_>, compiled: &CompiledNode, outcome: &mut Outcome) {
    let Turn { job, node, .. } = *turn;
    let sql: Arc<str> = compiled.sql.as_str().into();
    outcome.compiled_sql = Some(sql.clone());
    let Some(files) = turn.files else { return };
    let path = artifact_path(job.compilation, &job.options.target_path, node, "compiled");
    outcome.compiled_path = Some(path.strip_prefix(&job.options.root).unwrap_or(&path).to_string_lossy().into_owned());
    files.write(path, 0, sql);
}

/// Writes the statements that were sent.
pub(super) fn write_script(turn: &Turn<'_>, outcome: &Outcome) {
    let Turn { job, node, .. } = *turn;
    if let Some(files) = turn.files {
        files.write(
            artifact_path(job.compilation, &job.options.target_path, node, "run"),
            outcome.script_kept,
            outcome.script.as_str().into(),
        );
    }
}

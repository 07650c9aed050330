//! What a publication needs to know of the moment: who reads the relation that is replaced, and that nobody changes it meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use super::node::{Outcome, Turn, first_line, statement_refused};
use super::prepare::NodeError;
use super::warehouse::{SharedSession, locked};
use super::{AdapterError, Datum};
use crate::base::{Relation, RelationKind};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{
    Statement, drop_retired, end_publication, indexes_in_the_way, lock_out, lock_reader, lock_referring, one_publication, patience,
    print_step,
};
use crate::plan::{AlterColumns, Attachments, Dependent, Publish, Reserve, Step, rebound};

/// Milliseconds to wait for those who use a relation that is to be replaced. Others who want to use it wait behind: so it is tried
/// again and again, with a pause for them, and longer each time in case that there is always somebody.
const FIRST_WAIT: u64 = 500;
const LONGEST_WAIT: u64 = 8_000;

/// Milliseconds to wait for one lock while others are held. Less than the time after which the engine looks for deadlocks: whoever
/// has all its locks never loses to one who has not.
const SHORT_WAIT: u64 = 150;

/// The reservation as it must be now.
pub(super) fn refreshed_reserve(turn: &Turn<'_>, reserve: &Reserve) -> Result<Reserve, AdapterError> {
    let held = locked(turn.session).readers(&reserve.live)?;
    Ok(with_what_is_there(turn, reserve, &held))
}

fn with_what_is_there(turn: &Turn<'_>, reserve: &Reserve, held: &Attachments) -> Reserve {
    let owner = held.owner.clone().unwrap_or_else(|| reserve.owner.clone());
    let referring = held.references.iter().map(|key| key.table.clone()).collect();
    Reserve { owner, readers: rebound(held, &turn.catalog.built), referring, ..reserve.clone() }
}

/// The publication with what now hangs on the relation that it replaces.
///
/// # Errors
/// `unsafe-publication` when it would show what policies hide.
pub(super) fn refreshed_publish(turn: &Turn<'_>, publish: &Publish) -> Result<Publish, NodeError> {
    let held = locked(turn.session).attachments(&publish.live, &publish.staged, publish.kind)?;
    if publish.exposes(&held) {
        let (live, kind) = (publish.live.display(), publish.kind.as_str());
        let message = format!(
            "'{}' is not published as a {kind}: policies decide who sees which rows of {live}, and a {kind} has none",
            turn.node.name
        );
        let place = turn.node.config.span("materialized").unwrap_or_else(|| first_line(turn.node));
        return Err(Diagnostic::new(&codes::UNSAFE_PUBLICATION, message)
            .at(place)
            .help("keep it a table, or give the view another name and protect it first")
            .help(format!("'alter table {live} disable row level security' says that everybody with a privilege may see all rows"))
            .into());
    }
    Ok(publish.clone().carrying(&held, &turn.catalog.built))
}

/// The changes to the columns of a table with what has to get out of their way.
///
/// # Errors
/// `schema-changed` when views read a column that goes.
pub(super) fn refreshed_alter(turn: &Turn<'_>, alter: &AlterColumns) -> Result<AlterColumns, NodeError> {
    let mut session = locked(turn.session);
    if let Some(sql) = indexes_in_the_way(&alter.table, turn.job.engine) {
        let found = session.query(&sql, None)?;
        let indexes = found.rows.iter().filter_map(|row| match row.as_slice() {
            [Datum::Text(name), Datum::Text(sql)] => Some((name.clone(), sql.clone())),
            _ => None,
        });
        return Ok(AlterColumns { indexes: indexes.collect(), ..alter.clone() });
    }
    if alter.changes.drop.is_empty() && alter.changes.retype.is_empty() {
        return Ok(alter.clone());
    }
    let held = session.attachments(&alter.table, &alter.table, RelationKind::Table)?;
    let holding: Vec<String> = alter.held_by(&held).iter().map(|view| view.relation.display()).collect();
    if holding.is_empty() {
        return Ok(alter.clone().taking(&held));
    }
    let message = format!("columns of {} cannot be dropped, as views read them", alter.table.display());
    let place = turn.node.config.span("on_schema_change").unwrap_or_else(|| first_line(turn.node));
    Err(Diagnostic::new(&codes::SCHEMA_CHANGED, message)
        .at(place)
        .note(format!("to be dropped: {}", alter.changes.drop.join(", ")))
        .note(format!("views that read the table: {}", holding.join(", ")))
        .help("build it once with --full-refresh, which lets views of this run follow")
        .help("views that the run does not build are to be changed or dropped first")
        .into())
}

/// Locks everything that a publication changes, or nothing for as long as somebody uses it.
pub(super) fn reserve(turn: &Turn<'_>, reserve: &Reserve, outcome: &mut Outcome) -> Result<(), NodeError> {
    let session = turn.session;
    let own_limit = own_limit(session)?;
    let mut waited = 0;
    for attempt in 0_u32.. {
        let wait = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST_WAIT);
        locked(session).execute("savepoint acca_reserve")?;
        // Mostly nobody reads for long, and only other publications are to be waited for.
        let done = if attempt == 0 { lock_in_turn(turn, reserve) } else { lock_patiently(turn, reserve, wait) };
        let error = match done {
            Ok(done) => {
                locked(session).execute(&format!("{}; release savepoint acca_reserve", patience(own_limit)))?;
                for statement in print_step(&Step::Reserve(done), turn.job.engine) {
                    outcome.script.push_str(&format!("{};\n", statement.sql));
                }
                return Ok(());
            }
            Err(error) => error,
        };
        waited += wait;
        let is_over = turn.interrupt.is_raised() || (own_limit > 0 && waited > own_limit);
        if !is_in_the_way(&error) || is_over {
            return Err(if turn.interrupt.is_raised() { AdapterError::Cancelled.into() } else { refused(turn, reserve, error) });
        }
        // All locks since the savepoint are given back; the one of the session has to be.
        locked(session).execute("rollback to savepoint acca_reserve")?;
        locked(session).query(&end_publication(), None)?;
        std::thread::sleep(Duration::from_millis(wait / 2));
    }
    Ok(())
}

/// Others are in the way for now: a lock is not to be had in time, or two wait for each other.
fn is_in_the_way(error: &AdapterError) -> bool {
    error.is_conflict() || error.is_lock_timeout()
}

fn refused(turn: &Turn<'_>, reserve: &Reserve, error: AdapterError) -> NodeError {
    match error {
        AdapterError::Statement { message, code, offset, mut hints } => {
            hints.push(format!(
                "{} is being replaced, which only its owner may do, and nobody may use it meanwhile",
                reserve.live.display()
            ));
            let error = AdapterError::Statement { message, code, offset, hints };
            statement_refused(turn.node, error, first_line(turn.node))
        }
        other => other.into(),
    }
}

/// Milliseconds that the user's own settings let statements wait for a lock; 0 for ever.
fn own_limit(session: &SharedSession) -> Result<u64, AdapterError> {
    let found = locked(session).query("select setting::bigint from pg_settings where name = 'lock_timeout'", None)?;
    Ok(match found.rows.first().and_then(|row| row.first()) {
        Some(Datum::Int(limit)) => u64::try_from(*limit).unwrap_or(0),
        _ => 0,
    })
}

/// Waits for other publications, holding nothing, then locks what is free.
fn lock_in_turn(turn: &Turn<'_>, reserve: &Reserve) -> Result<Reserve, AdapterError> {
    locked(turn.session).query(&format!("{}; {}", patience(LONGEST_WAIT), one_publication()), None)?;
    lock_relation(turn, reserve, SHORT_WAIT)?;
    lock_readers(turn, reserve)
}

/// Waits for the readers of the relation first, which keeps no other publication waiting.
fn lock_patiently(turn: &Turn<'_>, reserve: &Reserve, wait: u64) -> Result<Reserve, AdapterError> {
    lock_relation(turn, reserve, wait)?;
    locked(turn.session).query(&format!("{}; {}", patience(SHORT_WAIT), one_publication()), None)?;
    lock_readers(turn, reserve)
}

fn lock_relation(turn: &Turn<'_>, reserve: &Reserve, wait: u64) -> Result<(), AdapterError> {
    let mut session = locked(turn.session);
    let owner = session.readers(&reserve.live)?.owner.unwrap_or_else(|| reserve.owner.clone());
    session.execute(&format!("{}; {}", patience(wait), lock_out(&reserve.live, reserve.kind, &owner))).map(|_| ())
}

/// Locks views until there are no others than those that are locked.
fn lock_readers(turn: &Turn<'_>, reserve: &Reserve) -> Result<Reserve, AdapterError> {
    let mut session = locked(turn.session);
    session.execute(&patience(SHORT_WAIT))?;
    let mut readers: Vec<Dependent> = Vec::new();
    let mut referring: BTreeSet<Relation> = BTreeSet::new();
    loop {
        let held = session.readers(&reserve.live)?;
        // Nobody adds a key to what is locked.
        for key in &held.references {
            if referring.insert(key.table.clone()) {
                session.execute(&lock_referring(&key.table))?;
            }
        }
        let found = rebound(&held, &turn.catalog.built);
        let is_locked = |view: &Dependent| readers.iter().any(|reader| reader.relation == view.relation);
        let fresh: Vec<String> = found.iter().filter(|view| !is_locked(view)).filter_map(lock_reader).collect();
        if found.iter().all(is_locked) {
            return Ok(with_what_is_there(turn, reserve, &held));
        }
        readers = found;
        for statement in fresh {
            session.execute(&statement)?;
        }
    }
}

/// Lets the next publication go on: what this one still waits for, it does not hold.
pub(super) fn let_others_publish(session: &SharedSession) {
    // The session that cannot be asked has lost its locks.
    let _ = locked(session).query(&end_publication(), None);
}

/// A key of another table that the new rows break, where the engine looks at all rows when the key is given anew.
pub(super) fn broken_reference(turn: &Turn<'_>, step: &Step, statement: &Statement, error: &AdapterError) -> Option<NodeError> {
    let AdapterError::Statement { code: Some(code), message, hints, .. } = error else { return None };
    let Step::Publish(publish) = step else { return None };
    let key = publish.references.iter().find(|key| code == "23503" && key.give == statement.sql)?;
    let live = publish.live.display();
    let text =
        format!("'{}' is not published: rows of {} refer to rows that {live} would no longer have", turn.node.name, key.table.display());
    let problem = Diagnostic::new(&codes::UNSAFE_PUBLICATION, text).at(first_line(turn.node)).note(message.clone());
    let problem = hints.iter().fold(problem, Diagnostic::note);
    let help = format!("keep those rows in the model, or delete what refers to them in {} first", key.table.display());
    Some(problem.help(help).help(format!("a key that does not matter any more can be taken away: {}", key.take)).into())
}

/// When a publication is refused, says who holds on to the relation; the engine calls it by the name that it has for a moment.
pub(super) fn explain_hold(step: &Step, statement: &Statement, error: NodeError) -> NodeError {
    let Step::Publish(publish) = step else { return error };
    let mut problem = match error {
        NodeError::Diagnostic(problem) => *problem,
        other => return other,
    };
    let (retired, live) = (&*publish.retired.identifier, &*publish.live.identifier);
    problem.message = problem.message.replace(retired, live);
    for text in &mut problem.help {
        *text = text.replace(retired, live);
    }
    if statement.rebinds {
        let readers = publish.rebind.iter().map(|view| view.relation.display()).collect::<Vec<_>>().join(", ");
        return problem
            .note(format!("these views read it and cannot be bound to the new columns: {readers}"))
            .help("change or drop them first")
            .into();
    }
    if publish.replaced.is_some_and(|replaced| statement.sql == drop_retired(&publish.retired, replaced)) {
        let note = format!("what holds on to {} is no view, so it cannot be taken along when that is replaced", publish.live.display());
        return problem.note(note).help("drop it first and make it again afterwards, in hooks for example").into();
    }
    problem.into()
}

//! Statements on their way: threads, connections, cancelling.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use acca::dialect::{Severity, refusals_in_order};
use acca::execute::Cancel;
use serde_json::{Value, json};

use super::{Refusal, State, Trouble, begins, locked, text};
use crate::redshift::{Failure, ImitationSession, Outcome, emitted};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Submitted,
    Picked,
    Started,
    Finished,
    Failed,
    Aborted,
}

impl Status {
    pub fn has_ended(self) -> bool {
        matches!(self, Status::Finished | Status::Failed | Status::Aborted)
    }
}

/// One statement, or a batch of them.
pub struct Job {
    pub id: String,
    pub parts: Vec<Part>,
    pub batch: bool,
    /// What was asked, of which answers repeat a few fields.
    pub asked: Value,
    pub session_id: Option<String>,
    pub status: Status,
    pub error: Option<String>,
    /// Seconds since 1970.
    pub created: f64,
    pub updated: f64,
    pub nanoseconds: u128,
    pub cancel: Option<Arc<dyn Cancel>>,
    cancelled: bool,
}

pub struct Part {
    pub sql: String,
    pub status: Status,
    pub outcome: Option<Outcome>,
    pub error: Option<String>,
    pub nanoseconds: u128,
    /// The number that the warehouse knows it by.
    pub query: usize,
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| (since.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl Job {
    pub fn new(id: &str, sqls: Vec<String>, batch: bool, asked: Value, session_id: Option<String>) -> Job {
        let part = |sql| Part { sql, status: Status::Submitted, outcome: None, error: None, nanoseconds: 0, query: 0 };
        Job {
            id: id.to_owned(),
            parts: sqls.into_iter().map(part).collect(),
            batch,
            asked,
            session_id,
            status: Status::Submitted,
            error: None,
            created: now(),
            updated: now(),
            nanoseconds: 0,
            cancel: None,
            cancelled: false,
        }
    }
}

/// The connection for a request and the id under which it is kept, where it is kept.
pub fn session_for(state: &State, id: &str, body: &Value) -> Result<(Arc<Mutex<ImitationSession>>, Option<String>), Refusal> {
    if let Some(known) = text(body, "SessionId") {
        let session = locked(&state.sessions).get(&known).cloned();
        let session = session.ok_or_else(|| Refusal::invalid("Session is not found or has expired"))?;
        let busy = locked(&state.jobs).values().any(|job| job.session_id.as_ref() == Some(&known) && !job.status.has_ended());
        return if busy { Err(Refusal::invalid("Session is busy: a statement is running")) } else { Ok((session, Some(known))) };
    }
    let session = Arc::new(Mutex::new(state.imitation.session_in(&text(body, "Database").unwrap_or_default())));
    let keep = body["SessionKeepAliveSeconds"].as_u64().is_some_and(|seconds| seconds > 0);
    let kept = keep.then(|| format!("session-{id}"));
    if let Some(kept) = &kept {
        locked(&state.sessions).insert(kept.clone(), Arc::clone(&session));
    }
    Ok((session, kept))
}

fn update<T>(state: &State, id: &str, change: impl FnOnce(&mut Job) -> T) -> Option<T> {
    let mut jobs = locked(&state.jobs);
    let job = jobs.get_mut(id)?;
    let made = change(job);
    job.updated = now();
    Some(made)
}

pub fn run(state: &State, id: &str, session: Arc<Mutex<ImitationSession>>) {
    let begun = Instant::now();
    let mut session = locked(&session);
    let first = update(state, id, |job| {
        job.status = Status::Picked;
        job.cancel = Some(session.cancel_handle());
        job.parts.first().map(|part| part.sql.clone())
    });
    if let Some(time) = first.flatten().and_then(|sql| state.slowness(&sql)) {
        let until = Instant::now() + time;
        while Instant::now() < until && !update(state, id, |job| job.cancelled).unwrap_or(true) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let sqls: Vec<String> = update(state, id, |job| {
        job.status = Status::Started;
        job.parts.iter().map(|part| part.sql.clone()).collect()
    })
    .unwrap_or_default();
    let batch = update(state, id, |job| job.batch).unwrap_or(false);
    let ended = run_parts(state, id, &mut session, &sqls, batch);
    update(state, id, |job| {
        let unrun = job.parts.iter_mut().filter(|part| !part.status.has_ended());
        unrun.for_each(|part| part.status = Status::Aborted);
        job.nanoseconds = begun.elapsed().as_nanos();
        (job.status, job.error) = match ended {
            Ok(()) => (Status::Finished, None),
            Err(_) if job.cancelled => (Status::Aborted, None),
            Err(message) => (Status::Failed, Some(message)),
        };
        if job.status == Status::Aborted {
            job.parts.iter_mut().for_each(|part| part.status = Status::Aborted);
        }
    });
    state.ended.notify_all();
}

/// The parts in order; a batch in one transaction.
fn run_parts(state: &State, id: &str, session: &mut ImitationSession, sqls: &[String], batch: bool) -> Result<(), String> {
    let step = |session: &mut ImitationSession, sql: &str| {
        if update(state, id, |job| job.cancelled).unwrap_or(true) {
            return Err("ERROR: Query cancelled on user's request".to_owned());
        }
        let outcome = refused(session, sql).map_or_else(|| session.execute_one(sql).map_err(|failure| told(&failure)), Err);
        outcome.inspect(|_| emitted::keep(sql))
    };
    if batch {
        step(session, "BEGIN")?;
    }
    for (at, sql) in sqls.iter().enumerate() {
        let begun = Instant::now();
        session.query = state.queries.fetch_add(1, Ordering::Relaxed);
        update(state, id, |job| {
            job.parts[at].status = Status::Started;
            job.parts[at].query = session.query;
        });
        let injected = state.meets(|trouble| match trouble {
            Trouble::FailsAt(beginning, _) => begins(sql, beginning),
            other => matches!(other, Trouble::Conflict | Trouble::Fails(_)),
        });
        let outcome = match injected {
            Some(Trouble::Fails(message) | Trouble::FailsAt(_, message)) => Err(message),
            Some(_) => Err(conflict()),
            None => step(session, sql),
        };
        let failed = outcome.as_ref().err().cloned();
        update(state, id, |job| {
            let part = &mut job.parts[at];
            part.nanoseconds = begun.elapsed().as_nanos();
            part.status = if failed.is_some() { Status::Failed } else { Status::Finished };
            part.error.clone_from(&failed);
            part.outcome = outcome.ok();
        });
        if let Some(message) = failed {
            // What the statements did before is taken back, also in a session that is kept.
            let _ = session.execute("ROLLBACK");
            return Err(if batch { format!("Query #{} failed with {message}", at + 1) } else { message });
        }
    }
    if batch { step(session, "COMMIT").map(|_| ()) } else { Ok(()) }
}

/// What the validator of the product says before the imitation is asked: both must let a statement pass.
fn refused(session: &ImitationSession, sql: &str) -> Option<String> {
    if let Some(word) = emitted::never(sql) {
        return Some(format!("ERROR: acca never sends {}", word.to_uppercase()));
    }
    let before = if session.in_transaction() { vec!["begin"] } else { Vec::new() };
    let found = refusals_in_order(before.into_iter().chain([sql]));
    let first = found.into_iter().map(|(_, refusal)| refusal).find(|refusal| refusal.severity == Severity::Refused)?;
    Some(format!("ERROR: {} (fact {})\n  Position: {};", first.message, first.fact, sql[..first.range.start].chars().count() + 1))
}

fn conflict() -> String {
    "ERROR: 1023\nDETAIL: Serializable isolation violation on table - 100075, transactions forming the cycle are: 1376, 1377 (pid:23586)"
        .to_owned()
}

/// The text of an error as the service tells it.
fn told(failure: &Failure) -> String {
    match failure.code.as_deref() {
        Some("40001" | "40P01") => conflict(),
        // Reasons of loads are in a table of the system.
        _ => match failure.message.split_once(" for details: ") {
            Some((before, _)) => format!("ERROR: {before} system table for details."),
            None => format!("ERROR: {}", failure.message),
        },
    }
}

pub fn cancel(state: &State, id: &str) -> Result<Value, Refusal> {
    let handle = update(state, id, |job| {
        if job.status.has_ended() {
            return Err(Refusal::invalid("Could not cancel a query that is already in FINISHED state."));
        }
        job.cancelled = true;
        Ok(job.cancel.clone())
    });
    match handle {
        None => Err(Refusal::new("ResourceNotFoundException", "Query does not exist.")),
        Some(Err(refusal)) => Err(refusal),
        Some(Ok(handle)) => {
            if let Some(handle) = handle {
                handle.cancel();
            }
            Ok(json!({ "Status": true }))
        }
    }
}

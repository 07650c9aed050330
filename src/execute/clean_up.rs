//! The end of a run: replaced relations that views were still reading when the one in their place came.

use std::time::{Duration, Instant};

use super::node::Retired;
use super::prepare::{Catalog, RunJob};
use super::warehouse::{SharedSession, locked};
use super::{AdapterError, Session};
use crate::diag::{Diagnostic, Severity, codes};
use crate::dialect::{bind_to_live, drop_retired, patience_of_session, retired_among};
use crate::project::Node;

/// How long a run waits for those who still use what it drops, all of it together. They are few, and the next run can drop it too.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits for one relation when that is over.
const NO_PATIENCE: Duration = Duration::from_millis(50);

/// Relations of these nodes that earlier runs replaced and could not drop. A name alone does not tell: it may be a user's own.
pub(super) fn stale<'a>(
    job: &RunJob<'_>,
    catalog: &Catalog,
    session: &SharedSession,
    makers: impl Iterator<Item = &'a Node>,
) -> Result<Vec<Retired>, AdapterError> {
    let relations = makers.filter_map(|node| node.relation.as_ref());
    let mut named: Vec<Retired> = relations
        .flat_map(|live| catalog.retired_of(live).into_iter().map(|(retired, kind)| Retired { retired, live: live.clone(), kind }))
        .collect();
    let Some(sql) = retired_among(named.iter().map(|old| &old.retired), job.engine) else { return Ok(Vec::new()) };
    let marked = locked(session).query(&sql, None)?;
    let marked: Vec<[String; 2]> = marked.rows.iter().filter_map(|row| Some([row.first()?.to_string(), row.get(1)?.to_string()])).collect();
    named.retain(|old| marked.iter().any(|[schema, name]| **schema == *old.retired.schema && **name == *old.retired.identifier));
    Ok(named)
}

/// Drops replaced relations whose readers have been rebuilt. A reader that was not (it failed or was skipped) is bound to the
/// new relation where its columns still fit; where they do not, both stay and a warning says so.
pub(super) fn clean_up(job: &RunJob<'_>, session: &SharedSession, retired: &[Retired]) -> Vec<Diagnostic> {
    let mut session = locked(session);
    let mut problems = Vec::new();
    let mut left = PATIENCE;
    // A retired view reads what was retired before it: the last reader goes first.
    for old in retired.iter().rev() {
        let began = Instant::now();
        let done = wait_at_most(job, &mut **session, left.max(NO_PATIENCE)).and_then(|()| clean_one(&mut **session, old));
        left = left.saturating_sub(began.elapsed());
        problems.extend(done.err().map(|error| left_behind(old, &error)));
    }
    problems
}

fn wait_at_most(job: &RunJob<'_>, session: &mut dyn Session, time: Duration) -> Result<(), AdapterError> {
    match patience_of_session(time.as_millis(), job.engine) {
        Some(sql) => session.query(&sql, None).map(|_| ()),
        None => Ok(()),
    }
}

fn clean_one(session: &mut dyn Session, old: &Retired) -> Result<(), AdapterError> {
    let readers = session.attachments(&old.retired, &old.retired, old.kind)?;
    for view in readers.dependents.iter().filter(|view| view.direct && view.kind == crate::base::RelationKind::View) {
        session.execute(&bind_to_live(view, &old.retired, &old.live))?;
    }
    session.execute(&drop_retired(&old.retired, old.kind)).map(|_| ())
}

fn left_behind(old: &Retired, error: &AdapterError) -> Diagnostic {
    let (kind, retired, live) = (old.kind.as_str(), old.retired.display(), old.live.display());
    if error.is_lock_timeout() {
        let message = format!("the replaced {kind} {retired} is still in use, so it is left for the next run to drop");
        let problem = Diagnostic::new(&codes::LEFTOVER, message).note(format!("'{live}' itself is up to date"));
        return Diagnostic { severity: Severity::Note, ..problem };
    }
    let mut problem = Diagnostic::new(&codes::LEFTOVER, format!("the replaced {kind} {retired} is still there: {error}"));
    if let AdapterError::Statement { hints, .. } = error {
        problem = hints.iter().fold(problem, Diagnostic::note);
    }
    problem.help(format!("rebuild the views that read it, then drop it; '{live}' itself is up to date"))
}

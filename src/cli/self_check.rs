//! `acca self-check`: holds what acca takes for granted of an engine against the target itself.

use super::Exit;
use super::context::Context;
use super::style::{self, paint};
use super::text::counted;
use crate::dialect::{Claim, ClaimAnswer, ClaimBucket, claims};
use crate::execute::load::CopyBucket;
use crate::execute::{Adapter, AdapterError, connection_failed};

pub(super) fn cmd_self_check(context: &Context<'_>) -> Result<(), Exit> {
    let loaded = context.load()?;
    let target = &loaded.compilation.project.target;
    let connected = context.open(&loaded.compilation)?;
    let failed = |error: AdapterError| {
        context.log.diagnostic(&connection_failed(target, &error), &loaded.compilation.project.sources);
        Exit::Failed
    };
    let bucket = CopyBucket::of(target).map_err(failed)?;
    let files = bucket.as_ref().map(|bucket| ClaimBucket { folder: bucket.folder("acca_self_check"), iam_role: bucket.role() });
    let claims = claims(connected.engine, &target.schema, files.as_ref());
    if claims.is_empty() {
        context.terminal.print("There is nothing to check: what acca knows of this engine is tested with the engine itself.");
        return Ok(());
    }
    let mut broken = 0;
    for claim in &claims {
        let found = ask(&*connected.adapter, claim).map_err(failed)?;
        let (word, colour) = if found.is_none() { ("holds", style::GOOD) } else { ("DIFFERS", style::BAD) };
        context.terminal.print(&format!("{} {}", paint(colour, word), claim.title));
        if let Some(found) = found {
            broken += 1;
            context.terminal.print(&format!("  {}\n  expected: {}\n  found:    {found}", claim.sql, expected(&claim.answer)));
        }
    }
    match bucket.zip(files) {
        Some((bucket, files)) => bucket.empty(&files.folder).map_err(failed)?,
        None => context.terminal.print("Claims about files were not asked: they need 'load_bucket' of the target."),
    }
    let all = counted(claims.len(), "claim");
    if broken == 0 {
        context.terminal.print(&paint(style::GOOD, &format!("All is as acca takes it to be: {all}.")));
        return Ok(());
    }
    context.terminal.print_error(&format!("{} {broken} of {all} do not hold here: please report them", paint(style::BAD, "Failed:")));
    Err(Exit::Failed)
}

fn expected(answer: &ClaimAnswer) -> String {
    match answer {
        ClaimAnswer::Rows(rows) => rows.join(", "),
        ClaimAnswer::Refused => "a refusal".to_owned(),
    }
}

/// What was found in place of what is claimed. Each claim has a session of its own: its temporary tables go with it.
fn ask(adapter: &dyn Adapter, claim: &Claim) -> Result<Option<String>, AdapterError> {
    let mut session = adapter.connect()?;
    match (session.query(&claim.sql, None), &claim.answer) {
        (Ok(table), answer) => {
            let rows: Vec<String> =
                table.rows.iter().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect();
            let holds = matches!(answer, ClaimAnswer::Rows(expected) if *expected == rows);
            Ok((!holds).then(|| if rows.is_empty() { "no refusal, and no rows".to_owned() } else { rows.join(", ") }))
        }
        (Err(AdapterError::Statement { .. }), ClaimAnswer::Refused) => Ok(None),
        (Err(AdapterError::Statement { message, .. }), ClaimAnswer::Rows(_)) => {
            // What was begun is not left open.
            let _ = session.execute("rollback");
            Ok(Some(message))
        }
        (Err(error), _) => Err(error),
    }
}

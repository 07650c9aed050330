//! Many rows of a seed on Redshift: through a bucket, from which the warehouse copies them.

use super::load::CopyBucket;
use super::node::{Outcome, Turn, run_statements};
use super::prepare::{NodeError, Prepared, RunJob};
use crate::dialect::Engine;
use crate::plan::{BucketFiles, NodePlan, Step};

/// Bytes of values from which on a bucket is worth its way. Inserts send a tenth of that in a statement.
const MANY: usize = 1_000_000;
/// Types whose values COPY reads as a cast does.
const COPIED: &[&str] = &["smallint", "integer", "bigint", "numeric", "decimal", "varchar", "character varying", "text", "date"];

/// Lets the rows of a plan go through the bucket of the target, where they are many.
pub(super) fn through_bucket(job: &RunJob<'_>, plan: &mut NodePlan) -> Result<(), NodeError> {
    if job.engine != Engine::Redshift {
        return Ok(());
    }
    let Some(bucket) = CopyBucket::of(&job.compilation.project.target)? else { return Ok(()) };
    for step in &mut plan.steps {
        let Step::InsertRows { table, columns, rows } = step else { continue };
        let bytes: usize = rows.iter().flatten().flatten().map(String::len).sum();
        let word = |data_type: &str| data_type.split('(').next().unwrap_or("").trim().to_ascii_lowercase();
        if bytes >= MANY && columns.iter().all(|column| COPIED.contains(&word(&column.data_type).as_str())) {
            let files = BucketFiles { manifest: bucket.shown_manifest(), iam_role: bucket.role(), region: None };
            *step = Step::CopyRows { table: table.clone(), columns: std::mem::take(columns), rows: std::mem::take(rows), files };
        }
    }
    Ok(())
}

/// Puts the rows into the bucket and copies them; what was put there is deleted then.
pub(super) fn run(turn: &Turn<'_>, step: &Step, prepared: &Prepared, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Step::CopyRows { table, columns, rows, .. } = step else { return Ok(()) };
    let Some(bucket) = CopyBucket::of(&turn.job.compilation.project.target)? else { return Ok(()) };
    let uploaded = bucket.upload_rows(&turn.job.options.run_id, &turn.node.id, rows, &|| turn.interrupt.is_raised())?;
    let placed = Step::CopyRows { table: table.clone(), columns: columns.clone(), rows: Vec::new(), files: uploaded.files(&bucket) };
    run_statements(turn, &placed, prepared, outcome)?;
    outcome.rows_affected = u64::try_from(rows.len()).ok();
    Ok(())
}

//! Models that are built in batches of time: each batch is rendered, planned and sent in a transaction of its own, one after the other.

use super::AdapterError;
use super::hook::hooks;
use super::node::{NOTHING_KEPT, Outcome, Turn, fail, run_draft};
use super::prepare::{NodeError, draft_in, own_strategy, state_of};
use crate::base::{RelationKind, Window, parse_moment, utc_of};
use crate::jinja::NodeState;
use crate::plan::{BatchResults, Hooks, Status};
use crate::project::{Batch, BatchSize, Microbatch};

/// dbt's behaviour flag: without it a strategy of the project's own for batches gets all rows at once.
const OWN_STRATEGY_IN_BATCHES: &str = "require_batched_execution_for_custom_microbatch_strategy";

/// The batches of one run of a model.
pub(super) struct Batches {
    size: BatchSize,
    windows: Vec<Window>,
    /// Those that an earlier run has built, where this one builds the rest.
    before: Vec<Window>,
    /// `--sample`
    sample: Option<Window>,
}

impl Batches {
    /// The batch of that number; `incremental`: the table is there.
    pub(super) fn at(&self, number: usize, incremental: bool) -> Option<Batch> {
        let window = *self.windows.get(number)?;
        let read = self.sample.map_or(window, |sample| window.within(sample));
        Some(Batch { window, read, size: self.size, incremental })
    }
}

/// The batches that a run builds of a model; `None` for a node that is built at once.
pub(super) fn batches(turn: &Turn<'_>) -> Option<Batches> {
    let Turn { job, node, catalog, .. } = *turn;
    let batches = Microbatch::of(node)?;
    let invocation = job.compilation.templates.invocation();
    if own_strategy(job, node) && invocation.flags.get(OWN_STRATEGY_IN_BATCHES) != Some(&true.into()) {
        return None;
    }
    let sample = job.compilation.reading.get().and_then(|reading| reading.sample);
    let stands = node.relation.as_ref().and_then(|relation| catalog.kind(relation)) == Some(RelationKind::Table);
    if let Some(last) = job.options.batches.get(&*node.id) {
        let (mut windows, mut before) = (last.failed.clone(), last.successful.clone());
        if !stands {
            // It was dropped, or this is another target: what was built is not here.
            windows.append(&mut before);
            windows.sort();
        }
        return Some(Batches { size: batches.size, windows, before, sample });
    }
    let refreshes = node.config.bool("full_refresh").unwrap_or(job.options.full_refresh);
    let now = parse_moment(&invocation.started_at).unwrap_or_else(|| utc_of(jiff::Timestamp::now()));
    // A sample has rows of its time only: other batches would be empty.
    let asked = match (job.options.event_time, sample) {
        (Some(asked), Some(sample)) if asked.start < sample.end && sample.start < asked.end => Some(asked.within(sample)),
        (asked, sample) => asked.or(sample),
    };
    let windows = batches.windows(asked, now, stands && !refreshes);
    Some(Batches { size: batches.size, windows, before: Vec::new(), sample })
}

/// Builds all batches. When the first fails, there is nothing that the others could be added to; when another does, they go on.
pub(super) fn build_batches(turn: &Turn<'_>, batches: &Batches, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Turn { node, interrupt, .. } = *turn;
    let mut state = state_of(turn);
    let mut again = !batches.before.is_empty();
    let mut results = BatchResults { successful: batches.before.clone(), failed: Vec::new() };
    let (all, mut rows) = (hooks(node), None);
    let last = batches.windows.len().saturating_sub(1);
    // Whatever ended a batch before its time, a limit or Ctrl-C, ends the model.
    let mut cancelled = false;
    for (number, window) in batches.windows.iter().enumerate() {
        let first_failed = number > 0 && results.successful.is_empty();
        if !cancelled && (interrupt.is_raised() || interrupt.has_given_up()) {
            // Between two batches nothing is cancelled.
            cancelled = true;
            fail(outcome, node, NodeError::Adapter(AdapterError::Cancelled), interrupt);
        }
        if first_failed || cancelled || outcome.session_lost {
            results.failed.push(*window);
            continue;
        }
        outcome.settled = outcome.diagnostics.len();
        state.batch = batches.at(number, again);
        let hooks = Hooks {
            before: if number == 0 { all.before.clone() } else { Vec::new() },
            after: if number == last { all.after.clone() } else { Vec::new() },
        };
        outcome.rows_affected = None;
        match build_batch(turn, state, hooks, (number, batches.windows.len()), outcome) {
            Ok(()) => {
                results.successful.push(*window);
                rows = outcome.rows_affected.map(|more| rows.unwrap_or(0) + more).or(rows);
                state = NodeState { existing: Some(RelationKind::Table), full_refresh: false, batch: None };
                again = true;
            }
            Err(error) => {
                results.failed.push(*window);
                cancelled = matches!(error, NodeError::Adapter(AdapterError::Cancelled));
                fail(outcome, node, error, interrupt);
            }
        }
    }
    results.successful.sort();
    outcome.rows_affected = rows;
    conclude(batches, results, outcome);
    Ok(())
}

fn build_batch(
    turn: &Turn<'_>,
    state: NodeState,
    hooks: Hooks,
    (number, count): (usize, usize),
    outcome: &mut Outcome,
) -> Result<(), NodeError> {
    let draft = draft_in(turn, state, hooks)?;
    if let Some(batch) = state.batch {
        outcome.script_kept += std::mem::take(&mut outcome.script).len();
        outcome.script.push_str(&format!("-- batch {} ({} of {count})\n\n", batch.size.name(batch.window.start), number + 1));
    }
    run_draft(turn, draft, outcome)
}

/// What is said of all batches together.
fn conclude(batches: &Batches, results: BatchResults, outcome: &mut Outcome) {
    let (good, bad) = (results.successful.len(), results.failed.len());
    let named = |count: usize| if count == 1 { "1 batch".to_owned() } else { format!("{count} batches") };
    if bad == 0 {
        outcome.status = Some(Status::Success);
        outcome.message = match outcome.rows_affected {
            Some(1) => format!("1 row in {}", named(batches.windows.len())),
            Some(rows) => format!("{rows} rows in {}", named(batches.windows.len())),
            None => named(batches.windows.len()),
        };
    } else {
        let stopped = outcome.status == Some(Status::Skipped) && outcome.diagnostics.is_empty();
        if !stopped {
            outcome.status = Some(Status::Error);
        }
        if good > 0 {
            outcome.message = outcome.message.replace(NOTHING_KEPT, "the other batches stay");
        }
        let first = results.failed.first().map(|window| batches.size.name(window.start)).unwrap_or_default();
        outcome.lead = format!("{bad} of {} failed, the first is {first}: ", named(good + bad));
    }
    outcome.batches = Some(results);
}

//! Runs on several targets at once: nodes where they are placed, tables from one to another when their tests are well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::Exit;
use super::context::Context;
use super::joined::join_runs;
use super::progress::{OnSide, Progress};
use super::run::{Work, chosen, conclude, report, run_options};
use super::sides::{Side, Sides};
use crate::base::UniqueId;
use crate::execute::{Adapter, Interrupt, Partner, RunJob, Served, partners, run};
use crate::plan::RunResult;
use crate::project::Node;

/// A side with what it has to do.
struct Chosen<'s> {
    side: &'s Side<'s>,
    numbers: Vec<usize>,
}

impl Chosen<'_> {
    /// What is selected and fulfils a condition, by id.
    fn ids(&self, is: impl Fn(usize) -> bool) -> BTreeSet<UniqueId> {
        let numbers = self.numbers.iter().filter(|number| is(**number));
        numbers.filter_map(|number| self.side.manifest().nodes.get(*number)).map(|node| node.id.clone()).collect()
    }
}

pub(super) fn carry_out_sides(context: &Context<'_>, work: &Work<'_>, sides: &Sides<'_>) -> Result<(), Exit> {
    let all = sides.sides.iter().map(|side| choose(side, work)).collect::<Result<Vec<_>, _>>()?;
    if all.iter().all(|chosen| chosen.numbers.is_empty()) {
        context.log.line("NothingToDo", work.verb.nothing, json!({}));
        return all.iter().try_for_each(|chosen| conclude_side(chosen.side, work, &RunResult::default()));
    }
    let mut connected = Vec::new();
    for chosen in &all {
        connected.push(chosen.side.context.open(&chosen.side.loaded.compilation)?);
    }
    let adapters: Vec<Option<Arc<dyn Adapter>>> = connected.iter().map(|connected| Some(connected.adapter.clone())).collect();
    let partners = partners_of(&all);
    let jobs: Vec<RunJob<'_>> = all
        .iter()
        .zip(connected)
        .zip(partners)
        .map(|((chosen, connected), partner)| {
            let compilation = &*chosen.side.loaded.compilation;
            RunJob {
                compilation,
                adapter: connected.adapter,
                engine: connected.engine,
                selected: chosen.numbers.clone(),
                options: run_options(&chosen.side.context, compilation, work),
                served: Served { origins: sides.origins(chosen.side, &adapters), partner: Some(partner) },
            }
        })
        .collect();
    let interrupt = context.interrupts.begin();
    let mut results = run_all(context, &jobs, &interrupt);
    context.interrupts.end();
    let said = join_runs(&all.iter().map(|chosen| chosen.side).collect::<Vec<_>>(), &mut results);
    let mut done = Ok(());
    for ((chosen, result), said) in all.iter().zip(&results).zip(&said) {
        let (side, target) = (chosen.side, chosen.side.target());
        if !chosen.numbers.is_empty() {
            side.context.log.line("Target", &format!("On target '{}' ({}):", target.name, target.adapter), json!({"target": target.name}));
            report(&side.context, &side.loaded.compilation, result, said);
        }
        // An interruption is that of all.
        done = done.and(conclude_side(side, work, result));
    }
    done
}

fn conclude_side(side: &Side<'_>, work: &Work<'_>, result: &RunResult) -> Result<(), Exit> {
    conclude(&side.context, &side.loaded.compilation, work, result)
}

fn choose<'s>(side: &'s Side<'s>, work: &Work<'_>) -> Result<Chosen<'s>, Exit> {
    let compilation = &side.loaded.compilation;
    let mut numbers =
        chosen(&side.context, compilation, &work.arguments.selection, &work.resources, work.only_on.get(&side.target().name))?;
    let runnable = |number: &usize| compilation.manifest.nodes.get(*number).is_some_and(Node::is_runnable);
    numbers.retain(|number| side.builds(*number) && runnable(number) || side.gets(*number));
    Ok(Chosen { side, numbers })
}

/// What each run tells the others, and hears from them.
fn partners_of(all: &[Chosen<'_>]) -> Vec<Partner> {
    let built: Vec<BTreeSet<UniqueId>> = all.iter().map(|chosen| chosen.ids(|number| chosen.side.builds(number))).collect();
    let gets = |chosen: &Chosen<'_>| -> BTreeMap<UniqueId, usize> {
        let gets = chosen.ids(|number| chosen.side.gets(number));
        let homes = chosen.side.placed.iter().flat_map(|placed| &placed.arrivals).map(|(id, home)| (id.clone(), *home));
        homes.filter(|(id, _)| gets.contains(id)).collect()
    };
    partners(&built, &all.iter().map(gets).collect::<Vec<_>>())
}

/// Nobody waits for a run that has ended, however it did.
struct Closes<'e>(&'e Partner);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.exchange.close(self.0.here);
    }
}

fn run_all(context: &Context<'_>, jobs: &[RunJob<'_>], interrupt: &Interrupt) -> Vec<RunResult> {
    let Some(first) = jobs.first() else { return Vec::new() };
    let progress = Progress::new(&context.log, String::new(), &first.compilation.project.sources);
    let run_one = |job: &RunJob<'_>| {
        let target = &job.compilation.project.target;
        let from = job.served.origins.iter().map(|(id, origin)| (id.clone(), origin.target.name.clone())).collect();
        let reporter = OnSide {
            progress: &progress,
            sources: &job.compilation.project.sources,
            target: target.name.clone(),
            planned: format!("on {} ({})", target.name, target.adapter),
            from,
        };
        let closes = job.served.partner.as_ref().map(Closes);
        // A target that has nothing to do need not be there, but for what comes from it.
        let result = if job.selected.is_empty() { RunResult::default() } else { run(job, &reporter, interrupt) };
        drop(closes);
        result
    };
    progress.during(|| {
        std::thread::scope(|scope| {
            let running: Vec<_> = jobs.iter().map(|job| scope.spawn(|| run_one(job))).collect();
            let joined = running.into_iter().map(|run| run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect()
        })
    })
}

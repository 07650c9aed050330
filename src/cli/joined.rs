//! What is wrong on several targets: the same thing is said once, with the names of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Exit;
use super::check::say_checked;
use super::context::Context;
use super::sides::Side;
use super::style::{self, paint};
use super::text::counted;
use crate::base::{Sources, UniqueId};
use crate::diag::{Diagnostic, Diagnostics, render, summary};
use crate::plan::RunResult;

/// What is said is known again by what is drawn, wide enough for everything: each target numbers the files for itself.
const WIDE: usize = 1_000;

/// What was found on the targets of a command so far.
#[derive(Default)]
pub(super) struct Joined {
    found: Vec<Found>,
    /// By what is drawn.
    numbers: BTreeMap<String, usize>,
    /// How many nodes were looked at on each target, where that is told at the end.
    counts: Vec<(String, usize)>,
}

struct Found {
    problem: Diagnostic,
    sources: Sources,
    targets: Vec<String>,
}

impl Joined {
    pub(super) fn add(&mut self, problems: Diagnostics, side: &Side<'_>) {
        let sources = &side.loaded.compilation.project.sources;
        let target = named(side);
        for problem in problems {
            let known = self.numbers.entry(drawn(&problem, sources)).or_insert(self.found.len());
            match self.found.get_mut(*known) {
                Some(found) => found.targets.push(target.clone()),
                None => self.found.push(Found { problem, sources: sources.clone(), targets: vec![target.clone()] }),
            }
        }
    }

    pub(super) fn count(&mut self, side: &Side<'_>, nodes: usize) {
        self.counts.push((named(side), nodes));
    }

    /// `12 nodes on each of 'lake' (duckdb) and 'warehouse' (redshift)`
    fn counts(&self) -> String {
        let (names, numbers): (Vec<String>, Vec<usize>) = self.counts.iter().cloned().unzip();
        match numbers.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => {
                let each = if others.is_empty() { "" } else { "each of " };
                format!("{} on {each}{}", counted(*first, "node"), listed(&names))
            }
            _ => listed(&self.counts.iter().map(|(name, number)| format!("{} on {name}", counted(*number, "node"))).collect::<Vec<_>>()),
        }
    }

    /// Says all of it, and what was looked at.
    ///
    /// # Errors
    /// When there is an error among it.
    pub(super) fn tell(self, context: &Context<'_>, took: Duration) -> Result<(), Exit> {
        let counts = (!self.counts.is_empty()).then(|| self.counts());
        let named = |found: Found| (found.problem.note(on_targets(&found.targets)), found.sources);
        let found: Vec<(Diagnostic, Sources)> = self.found.into_iter().map(named).collect();
        context.log.diagnostics_in(found.iter().map(|(problem, sources)| (problem, sources)).collect());
        let mut all = Diagnostics::default();
        all.extend(found.into_iter().map(|(problem, _)| problem));
        if !all.has_errors() {
            counts.iter().for_each(|counts| say_checked(context, counts, took, &all));
            return Ok(());
        }
        context.terminal.print_error(&format!("{} {}", paint(style::BAD, "Failed:"), summary(&all)));
        Err(Exit::Failed)
    }
}

/// Leaves what several runs failed with alike to the first of them, with the names of all, and gives for each run the nodes of which
/// all was said before.
pub(super) fn join_runs(sides: &[&Side<'_>], results: &mut [RunResult]) -> Vec<BTreeSet<UniqueId>> {
    let mut targets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let each = |problem: &Diagnostic, side: &Side<'_>| drawn(problem, &side.loaded.compilation.project.sources);
    for (side, result) in sides.iter().zip(&*results) {
        for problem in result.nodes.iter().flat_map(|node| &node.diagnostics) {
            let names = targets.entry(each(problem, side)).or_default();
            if !names.contains(&named(side)) {
                names.push(named(side));
            }
        }
    }
    let mut said = Vec::new();
    for (side, result) in sides.iter().zip(results) {
        let mut nodes = BTreeSet::new();
        for node in &mut result.nodes {
            let count = node.diagnostics.len();
            node.diagnostics.retain(|problem| targets.get(&each(problem, side)).and_then(|names| names.first()) == Some(&named(side)));
            if count > 0 && node.diagnostics.is_empty() {
                nodes.insert(node.id.clone());
            }
            for problem in &mut node.diagnostics {
                if let Some(names) = targets.get(&each(problem, side)).filter(|names| names.len() > 1) {
                    problem.notes.push(on_targets(names));
                }
            }
        }
        said.push(nodes);
    }
    said
}

fn drawn(problem: &Diagnostic, sources: &Sources) -> String {
    render(problem, sources, false, WIDE)
}

fn named(side: &Side<'_>) -> String {
    let target = side.target();
    format!("'{}' ({})", target.name, target.adapter)
}

/// `on targets 'lake' (duckdb) and 'warehouse' (redshift)`
fn on_targets(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("on target {only}"),
        many => format!("on targets {}", listed(many)),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_listed_as_people_list_them() {
        let names = ["'a'", "'b'", "'c'"].map(str::to_owned);
        assert_eq!(on_targets(&names[..1]), "on target 'a'");
        assert_eq!(on_targets(&names[..2]), "on targets 'a' and 'b'");
        assert_eq!(on_targets(&names), "on targets 'a', 'b' and 'c'");
        let counts = |numbers: &[usize]| {
            Joined { counts: names.iter().cloned().zip(numbers.iter().copied()).collect(), ..Joined::default() }.counts()
        };
        assert_eq!(counts(&[3, 3]), "3 nodes on each of 'a' and 'b'");
        assert_eq!(counts(&[1, 3]), "1 node on 'a' and 3 nodes on 'b'");
    }
}

//! Mistakes that a run would only meet in the engine, or not before the second run: they are told before any statement of their node is sent.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Analysis, is_built};
use super::compilation::Compilation;
use super::configured::names_columns;
use crate::diag::{Code, Diagnostic, Severity, codes};
use crate::project::{Detail, Node};

/// What the columns of a query tell for certain: two of one name, and names in the configuration that it does not give.
const CERTAIN: [&Code; 2] = [&codes::DUPLICATE_COLUMN, &codes::INVALID_CONFIG];

/// How far the queries of nodes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Queries that are read anyway: those of portable models.
    Read,
    /// Every query whose columns the configuration names, or the engine wants to be of different names.
    Built,
}

impl Compilation {
    /// Looks for such mistakes in what is to be built. Before workers are sent: the queries are read on all threads.
    pub fn look_ahead(&self, numbers: impl Iterator<Item = usize>, depth: Depth) {
        let numbers: BTreeSet<usize> = numbers.filter(|number| self.is_looked_at(*number, depth)).collect();
        let (portable, plain): (BTreeSet<usize>, BTreeSet<usize>) = numbers.into_iter().partition(|number| self.portable.holds(*number));
        let mut certain = BTreeMap::new();
        if !portable.is_empty() {
            self.read_portable_now();
            certain.extend(certain_of(self.portable_columns(), &portable));
        }
        if !plain.is_empty() {
            certain.extend(certain_of(&self.analyse(self.portable.files(), Some(&plain)), &plain));
        }
        let _ = self.certain.set(certain);
    }

    fn is_looked_at(&self, number: usize, depth: Depth) -> bool {
        let Some(node) = self.manifest.nodes.get(number) else { return false };
        let is_stored = is_built(node) && node.materialized() != "ephemeral";
        let is_exact = || self.portable.holds(number) || depth == Depth::Built && self.project.target.has_the_checked_rules();
        let is_read = depth == Depth::Built || self.portable.holds(number);
        is_read && (names_columns(node) || is_stored && is_exact())
    }

    /// The mistakes that were found in a node.
    pub fn certain_mistakes(&self, node: &Node) -> &[Diagnostic] {
        let number = self.manifest.number(&node.id).filter(|_| matches!(node.detail, Detail::Model(_) | Detail::Snapshot { .. }));
        number.and_then(|number| self.certain.get()?.get(&number)).map_or(&[], Vec::as_slice)
    }

    /// # Errors
    /// The first of [`Compilation::certain_mistakes`], and how many more there are.
    pub fn check_certain(&self, node: &Node) -> Result<(), Diagnostic> {
        let [first, more @ ..] = self.certain_mistakes(node) else { return Ok(()) };
        let first = first.clone();
        Err(if more.is_empty() { first } else { first.note(format!("{} more in '{}': acca check lists them all", more.len(), node.name)) })
    }
}

fn certain_of(analysis: &Analysis, numbers: &BTreeSet<usize>) -> Vec<(usize, Vec<Diagnostic>)> {
    let is_certain = |problem: &&Diagnostic| problem.severity == Severity::Error && CERTAIN.contains(&problem.code);
    let of_node = |number: &usize| -> Option<(usize, Vec<Diagnostic>)> {
        let found: Vec<Diagnostic> = analysis.nodes.get(number)?.problems.iter().filter(is_certain).cloned().collect();
        (!found.is_empty()).then_some((*number, found))
    };
    numbers.iter().filter_map(of_node).collect()
}

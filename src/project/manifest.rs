//! The linked project: every enabled node with its relation and what it reads, and the graph over them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Detail, DocBlock, Macro, Node, RefCall, SourceCall};
use crate::base::{Dag, Relation, ResourceType, UniqueId};

/// Result of parsing. The position of a node in `nodes` is its number in `dag`.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Enabled nodes, ascending by id.
    pub nodes: Vec<Node>,
    /// What is switched off, for messages and artefacts.
    pub disabled: Vec<Node>,
    pub macros: Arc<Vec<Macro>>,
    pub docs: Arc<Vec<DocBlock>>,
    pub dag: Dag,
    by_id: HashMap<UniqueId, usize>,
    by_name: HashMap<String, Vec<usize>>,
    by_source: HashMap<(String, String), Vec<usize>>,
}

/// Why a `ref()` or `source()` leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    Unknown,
    Disabled(UniqueId),
    /// Candidates in several packages, none of them nearer.
    Ambiguous(Vec<UniqueId>),
}

fn is_refable(resource: ResourceType) -> bool {
    matches!(resource, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
}

impl Manifest {
    /// Sorts the nodes and builds the look-up tables; the graph is still empty.
    pub fn new(mut nodes: Vec<Node>, disabled: Vec<Node>, macros: Arc<Vec<Macro>>, docs: Arc<Vec<DocBlock>>) -> Manifest {
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        let mut manifest = Manifest { nodes, disabled, macros, docs, ..Manifest::default() };
        manifest.by_id.reserve(manifest.nodes.len());
        for (number, node) in manifest.nodes.iter().enumerate() {
            manifest.by_id.insert(node.id.clone(), number);
            if is_refable(node.resource) {
                manifest.by_name.entry(node.name.clone()).or_default().push(number);
            }
            if let Detail::Source(table) = &node.detail {
                manifest.by_source.entry((table.source_name.clone(), node.name.clone())).or_default().push(number);
            }
        }
        manifest
    }

    pub fn number(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(self.number(id)?)
    }

    /// The node that `ref()` in package `from` means: that of the named package, or else of the own package, of the root, of any.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn resolve_ref(&self, call: &RefCall, from: &str, root: &str) -> Result<usize, Unresolved> {
        let candidates: Vec<usize> = self.by_name.get(&call.name).map_or_else(Vec::new, |found| {
            found.iter().copied().filter(|number| self.nodes.get(*number).is_some_and(|node| matches_call(node, call))).collect()
        });
        let disabled = || {
            self.disabled
                .iter()
                .find(|node| is_refable(node.resource) && node.name == call.name && matches_call(node, call))
                .map_or(Unresolved::Unknown, |node| Unresolved::Disabled(node.id.clone()))
        };
        self.nearest_package(&candidates, from, root).unwrap_or_else(|| Err(disabled()))
    }

    /// The source table that `source()` in package `from` means.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn resolve_source(&self, call: &SourceCall, from: &str, root: &str) -> Result<usize, Unresolved> {
        let key = (call.source.clone(), call.table.clone());
        let candidates = self.by_source.get(&key).cloned().unwrap_or_default();
        let disabled = || {
            self.disabled
                .iter()
                .find(|node| matches!(&node.detail, Detail::Source(table) if table.source_name == call.source) && node.name == call.table)
                .map_or(Unresolved::Unknown, |node| Unresolved::Disabled(node.id.clone()))
        };
        self.nearest_package(&candidates, from, root).unwrap_or_else(|| Err(disabled()))
    }

    fn nearest_package(&self, candidates: &[usize], from: &str, root: &str) -> Option<Result<usize, Unresolved>> {
        let of =
            |package: &str| candidates.iter().copied().find(|number| self.nodes.get(*number).is_some_and(|node| &*node.package == package));
        if let Some(found) = of(from).or_else(|| of(root)) {
            return Some(Ok(found));
        }
        match candidates {
            [] => None,
            [one] => Some(Ok(*one)),
            many => Some(Err(Unresolved::Ambiguous(
                many.iter().filter_map(|number| self.nodes.get(*number)).map(|node| node.id.clone()).collect(),
            ))),
        }
    }

    /// The models, seeds and snapshots of that name, of all packages and versions.
    pub fn refable_nodes(&self, name: &str) -> impl Iterator<Item = &Node> {
        self.by_name.get(name).into_iter().flatten().filter_map(|number| self.nodes.get(*number))
    }

    /// Names that a `ref()` may use, ascending.
    pub fn refable_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.nodes.iter().filter(|node| is_refable(node.resource)).map(|node| node.name.as_str()).collect();
        names.dedup();
        names
    }

    /// All nodes of which a relation is built, with it.
    pub fn relations(&self) -> impl Iterator<Item = (&Node, &Relation)> {
        self.nodes.iter().filter_map(|node| node.relation.as_ref().map(|relation| (node, relation)))
    }
}

fn matches_call(node: &Node, call: &RefCall) -> bool {
    if call.package.as_deref().is_some_and(|package| package != &*node.package) {
        return false;
    }
    match (&node.detail, &call.version) {
        (Detail::Model(detail), Some(version)) => detail.version.as_deref() == Some(version),
        (Detail::Model(detail), None) => detail.version.is_none() || detail.version == detail.latest_version,
        (_, version) => version.is_none(),
    }
}

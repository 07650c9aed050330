//! A directed acyclic graph over small indices, on petgraph.

use std::collections::{BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

/// The nodes of one loop in the order of its edges: each is read by the next, the last by the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

/// Nodes are `0..len`, in the order in which the caller numbers them. An edge goes from what is read to its reader.
#[derive(Clone, Debug, Default)]
pub struct Dag {
    graph: DiGraph<(), (), u32>,
}

impl Dag {
    /// Builds the graph of `len` nodes; each edge is `(from, to)`: `to` reads `from`. Doubled edges count once.
    ///
    /// # Errors
    /// Every independent loop, each once, smallest node first.
    pub fn new(len: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Result<Dag, Vec<Cycle>> {
        let mut unique: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| *from < len && *to < len).collect();
        unique.sort_unstable();
        unique.dedup();
        let mut graph = DiGraph::with_capacity(len, unique.len());
        for _ in 0..len {
            graph.add_node(());
        }
        for (from, to) in unique {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        let dag = Dag { graph };
        let cycles = dag.cycles();
        if cycles.is_empty() { Ok(dag) } else { Err(cycles) }
    }

    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What `node` reads, in ascending order.
    pub fn parents(&self, node: usize) -> Vec<usize> {
        self.neighbours(node, Direction::Incoming)
    }

    /// What reads `node`, in ascending order.
    pub fn children(&self, node: usize) -> Vec<usize> {
        self.neighbours(node, Direction::Outgoing)
    }

    /// `start` and everything above it, at most `depth` edges away (`None`: any number).
    pub fn ancestors(&self, start: usize, depth: Option<usize>) -> BTreeSet<usize> {
        self.reach([start], Direction::Incoming, depth)
    }

    /// All of `starts` and everything above any of them, at most `depth` edges away.
    pub fn ancestors_of(&self, starts: &BTreeSet<usize>, depth: Option<usize>) -> BTreeSet<usize> {
        self.reach(starts.iter().copied(), Direction::Incoming, depth)
    }

    /// `start` and everything below it, at most `depth` edges away (`None`: any number).
    pub fn descendants(&self, start: usize, depth: Option<usize>) -> BTreeSet<usize> {
        self.reach([start], Direction::Outgoing, depth)
    }

    /// All of `starts` and everything below any of them, at most `depth` edges away.
    pub fn descendants_of(&self, starts: &BTreeSet<usize>, depth: Option<usize>) -> BTreeSet<usize> {
        self.reach(starts.iter().copied(), Direction::Outgoing, depth)
    }

    /// All nodes, each after everything that it reads; among those that are free, the smallest first.
    pub fn topological(&self) -> Vec<usize> {
        let mut missing: Vec<usize> = (0..self.len()).map(|node| self.parents(node).len()).collect();
        let mut free: BTreeSet<usize> = (0..self.len()).filter(|node| missing.get(*node) == Some(&0)).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(node) = free.pop_first() {
            order.push(node);
            for child in self.children(node) {
                if let Some(count) = missing.get_mut(child) {
                    *count -= 1;
                    if *count == 0 {
                        free.insert(child);
                    }
                }
            }
        }
        order
    }

    fn neighbours(&self, node: usize, direction: Direction) -> Vec<usize> {
        let mut found: Vec<usize> = self.graph.neighbors_directed(NodeIndex::new(node), direction).map(NodeIndex::index).collect();
        found.sort_unstable();
        found
    }

    fn reach(&self, starts: impl IntoIterator<Item = usize>, direction: Direction, depth: Option<usize>) -> BTreeSet<usize> {
        // Breadth first from all starts at once: each node is met first on its shortest way.
        let mut queue: VecDeque<(usize, usize)> = starts.into_iter().map(|start| (start, 0)).collect();
        let mut seen: BTreeSet<usize> = queue.iter().map(|(start, _)| *start).collect();
        while let Some((node, distance)) = queue.pop_front() {
            if depth.is_some_and(|limit| distance >= limit) {
                continue;
            }
            for next in self.neighbours(node, direction) {
                if seen.insert(next) {
                    queue.push_back((next, distance + 1));
                }
            }
        }
        seen
    }

    fn cycles(&self) -> Vec<Cycle> {
        let mut cycles: Vec<Cycle> = petgraph::algo::tarjan_scc(&self.graph)
            .into_iter()
            .filter(|component| component.len() > 1 || component.iter().any(|node| self.graph.contains_edge(*node, *node)))
            .filter_map(|component| {
                let members: BTreeSet<usize> = component.iter().map(|node| node.index()).collect();
                let first = *members.first()?;
                Some(Cycle(self.shortest_loop(first, &members)))
            })
            .collect();
        cycles.sort_by(|a, b| a.0.cmp(&b.0));
        cycles
    }

    /// The shortest way from `start` back to itself inside one strongly connected component.
    fn shortest_loop(&self, start: usize, members: &BTreeSet<usize>) -> Vec<usize> {
        let mut queue = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::new();
        while let Some(path) = queue.pop_front() {
            let Some(last) = path.last() else { continue };
            for next in self.children(*last) {
                if next == start {
                    return path;
                }
                if members.contains(&next) && seen.insert(next) {
                    let mut longer = path.clone();
                    longer.push(next);
                    queue.push_back(longer);
                }
            }
        }
        members.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_reported_whole() {
        let cycles = Dag::new(5, [(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)]).map(|_| ());
        assert_eq!(cycles, Err(vec![Cycle(vec![1, 2, 3])]));
        assert_eq!(Dag::new(1, [(0, 0)]).map(|_| ()), Err(vec![Cycle(vec![0])]));
    }

    #[test]
    fn orders_and_reaches() {
        let dag = Dag::new(5, [(3, 0), (0, 1), (1, 2), (4, 2)]).unwrap();
        assert_eq!(dag.topological(), vec![3, 0, 1, 4, 2]);
        assert_eq!(dag.ancestors(2, None), BTreeSet::from([0, 1, 2, 3, 4]));
        assert_eq!(dag.ancestors(2, Some(1)), BTreeSet::from([1, 2, 4]));
        assert_eq!(dag.descendants(3, Some(2)), BTreeSet::from([0, 1, 3]));
        assert_eq!(dag.descendants_of(&BTreeSet::from([3, 1]), Some(1)), BTreeSet::from([0, 1, 2, 3]));
        assert_eq!(dag.ancestors_of(&BTreeSet::from([0, 4]), None), BTreeSet::from([0, 3, 4]));
    }
}

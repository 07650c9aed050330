//! The order of a run: which nodes are free, what is skipped, what is left.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::priority::priorities;
use crate::project::{Detail, Manifest};

/// Where a free node stands: the longest way first, then what most nodes wait for, then the earliest in topological order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Microseconds.
    way: Reverse<u64>,
    below: Reverse<usize>,
    position: usize,
}

/// The nodes of a run and how they wait for each other.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// For each waiting node how many it waits for.
    waiting: BTreeMap<usize, usize>,
    /// Who waits for a node.
    readers: BTreeMap<usize, BTreeSet<usize>>,
    /// Free to begin, each behind its rank.
    free: BTreeSet<(Rank, usize)>,
    running: usize,
    /// By node.
    ranks: Vec<Rank>,
}

impl Schedule {
    #[cfg(test)]
    fn new(manifest: &Manifest, selected: &BTreeSet<usize>, gate_on_tests: bool) -> Schedule {
        Schedule::served(manifest, selected, gate_on_tests, &Borders::default())
    }

    /// The selected nodes. A node waits for the selected nodes that it reads, through nodes that are not selected as well.
    /// With `gate_on_tests` a node also waits for the tests of what it reads. `borders`: where it is one of several targets.
    pub(super) fn served(manifest: &Manifest, selected: &BTreeSet<usize>, gate_on_tests: bool, borders: &Borders) -> Schedule {
        let mut edges = selected_edges(manifest, selected);
        if gate_on_tests {
            edges.extend(test_edges(manifest, selected));
            edges.extend(unit_test_edges(manifest, selected));
        }
        // What comes from elsewhere does not read what its query reads.
        edges.retain(|(_, reader)| !borders.arrivals.contains(reader));
        let mut above = None;
        for (departure, node) in &borders.departures {
            edges.extend(gates(manifest, selected, *node, gate_on_tests, &mut above).into_iter().map(|gate| (gate, *departure)));
        }
        let mut waiting: BTreeMap<usize, usize> = selected.iter().map(|node| (*node, 0)).collect();
        let mut readers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (read, reader) in edges {
            if readers.entry(read).or_default().insert(reader) {
                *waiting.entry(reader).or_default() += 1;
            }
        }
        let mut ranks = vec![Rank::default(); manifest.dag.len()];
        for (position, node) in manifest.dag.topological().into_iter().enumerate() {
            if let Some(rank) = ranks.get_mut(node) {
                rank.position = position;
            }
        }
        let mut schedule = Schedule { waiting: BTreeMap::new(), readers, free: BTreeSet::new(), running: 0, ranks };
        // One more than all that are told of it.
        borders.held.iter().for_each(|node| *waiting.entry(*node).or_default() += 1);
        for (node, count) in waiting {
            if count > 0 {
                schedule.waiting.insert(node, count);
            } else {
                schedule.set_free(node);
            }
        }
        schedule
    }

    /// From now on, what has the longest way to the end of the run before it begins first.
    pub(super) fn longest_first(mut self, seconds: &dyn Fn(usize) -> Option<f64>) -> Schedule {
        for (node, (way, below)) in priorities(&self.order(), &self.readers, seconds) {
            if let Some(rank) = self.ranks.get_mut(node) {
                (rank.way, rank.below) = (Reverse(way), Reverse(below));
            }
        }
        let free: Vec<usize> = std::mem::take(&mut self.free).into_iter().map(|(_, node)| node).collect();
        free.into_iter().for_each(|node| self.set_free(node));
        self
    }

    /// Everything after what it waits for.
    fn order(&self) -> Vec<usize> {
        let mut waiting = self.waiting.clone();
        let mut order: Vec<usize> = self.free.iter().map(|(_, node)| *node).collect();
        let mut at = 0;
        while let Some(node) = order.get(at).copied() {
            for reader in self.readers.get(&node).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(reader) {
                    *count -= 1;
                    if *count == 0 {
                        order.push(*reader);
                    }
                }
            }
            at += 1;
        }
        order
    }

    fn set_free(&mut self, node: usize) {
        let rank = self.ranks.get(node).copied().unwrap_or_default();
        self.free.insert((rank, node));
    }

    /// The next node to begin.
    pub(super) fn take(&mut self) -> Option<usize> {
        let (_, next) = self.free.pop_first()?;
        self.running += 1;
        Some(next)
    }

    /// Frees what waited for the node only.
    pub(super) fn succeeded(&mut self, node: usize) {
        self.running -= 1;
        self.release(node);
    }

    /// Frees a node that waited for another run.
    pub(super) fn has_come(&mut self, node: usize) {
        if self.waiting.remove(&node).is_some() {
            self.set_free(node);
        }
    }

    /// Takes out a node that waited for another run in vain, with all that waits for it.
    pub(super) fn does_not_come(&mut self, node: usize) -> Vec<usize> {
        self.waiting.remove(&node);
        std::iter::once(node).chain(self.lost(node)).collect()
    }

    /// Takes out everything that waits for the node, directly or not, and returns it in ascending order.
    pub(super) fn failed(&mut self, node: usize) -> Vec<usize> {
        self.running -= 1;
        self.lost(node)
    }

    fn lost(&mut self, node: usize) -> Vec<usize> {
        let mut lost = BTreeSet::new();
        let mut queue = vec![node];
        while let Some(at) = queue.pop() {
            for reader in self.readers.get(&at).into_iter().flatten() {
                if self.waiting.remove(reader).is_some() && lost.insert(*reader) {
                    queue.push(*reader);
                }
            }
        }
        lost.into_iter().collect()
    }

    /// Takes out everything that has not begun.
    pub(super) fn abandon(&mut self) -> Vec<usize> {
        let left: BTreeSet<usize> = self.free.iter().map(|(_, node)| *node).chain(self.waiting.keys().copied()).collect();
        self.free.clear();
        self.waiting.clear();
        left.into_iter().collect()
    }

    pub(super) fn is_done(&self) -> bool {
        self.running == 0 && self.free.is_empty() && self.waiting.is_empty()
    }

    fn release(&mut self, node: usize) {
        for reader in self.readers.get(&node).cloned().unwrap_or_default() {
            if let Some(count) = self.waiting.get_mut(&reader) {
                *count -= 1;
                if *count == 0 {
                    self.waiting.remove(&reader);
                    self.set_free(reader);
                }
            }
        }
    }
}

/// Where the run of one target touches those of others.
#[derive(Clone, Debug, Default)]
pub(super) struct Borders {
    /// Nodes that come from elsewhere: nothing that stands above them is waited for.
    pub(super) arrivals: BTreeSet<usize>,
    /// Those of them that another run makes at the same time.
    pub(super) held: BTreeSet<usize>,
    /// Numbers that no node has, for nodes that others wait for: such a number is free when the node and its tests are well.
    pub(super) departures: BTreeMap<usize, usize>,
}

/// What has to be well before others may have a node: itself, and its tests, of which all that they test is there by then.
/// `above`: worked out once for all, where a test reads several nodes.
fn gates(manifest: &Manifest, selected: &BTreeSet<usize>, node: usize, gate_on_tests: bool, above: &mut Option<Above>) -> Vec<usize> {
    let mut is_gate = |test: &usize| {
        let is_data_test = is_test(manifest, *test) && unit_tested(manifest, *test).is_none();
        let others: Vec<usize> = manifest.dag.parents(*test).into_iter().filter(|tested| *tested != node).collect();
        is_data_test && others.into_iter().all(|tested| above.get_or_insert_with(|| Above::new(manifest)).contains(node, tested))
    };
    let tests = if gate_on_tests { manifest.dag.children(node) } else { Vec::new() };
    let tests = tests.into_iter().filter(|test| selected.contains(test) && is_gate(test));
    selected.get(&node).copied().into_iter().chain(tests).collect()
}

/// Edges between selected nodes; a way through unselected ones counts as an edge.
fn selected_edges(manifest: &Manifest, selected: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    let mut nearest: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut edges = Vec::new();
    for node in manifest.dag.topological() {
        if let Some(model) = unit_tested(manifest, node) {
            // A unit test runs before its model: it needs what stands above the model, for the types of its fixtures.
            let above: BTreeSet<usize> = nearest.get(&model).cloned().unwrap_or_default();
            edges.extend(above.into_iter().filter(|_| selected.contains(&node)).map(|read| (read, node)));
            continue;
        }
        let mut above = BTreeSet::new();
        for parent in manifest.dag.parents(node) {
            if selected.contains(&parent) {
                above.insert(parent);
            } else if let Some(further) = nearest.get(&parent) {
                above.extend(further.iter().copied());
            }
        }
        if selected.contains(&node) {
            edges.extend(above.iter().map(|read| (*read, node)));
        }
        nearest.insert(node, above);
    }
    edges
}

/// A test stands before the readers of what it tests, when all that it tests lies above them: so it can never wait for itself.
fn test_edges(manifest: &Manifest, selected: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    let mut above = None;
    let mut edges = Vec::new();
    for test in selected.iter().copied().filter(|node| is_test(manifest, *node) && unit_tested(manifest, *node).is_none()) {
        let tested = manifest.dag.parents(test);
        let readers: BTreeSet<usize> =
            tested.iter().flat_map(|node| manifest.dag.children(*node)).filter(|node| !is_test(manifest, *node)).collect();
        for reader in readers.into_iter().filter(|reader| !tested.contains(reader)) {
            // What is tested alone lies above each of its readers.
            let all_above = match tested.as_slice() {
                [_] => true,
                several => several.iter().all(|node| above.get_or_insert_with(|| Above::new(manifest)).contains(reader, *node)),
            };
            if all_above {
                edges.extend(selected_below(manifest, reader, selected).into_iter().map(|below| (test, below)));
            }
        }
    }
    edges
}

/// The model of a unit test.
fn unit_tested(manifest: &Manifest, node: usize) -> Option<usize> {
    match &manifest.nodes.get(node)?.detail {
        Detail::UnitTest(test) => manifest.number(&test.tested),
        _ => None,
    }
}

/// A model waits for its unit tests.
fn unit_test_edges(manifest: &Manifest, selected: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    let tests = selected.iter().filter_map(|test| Some((*test, unit_tested(manifest, *test)?)));
    tests
        .flat_map(|(test, model)| selected_below(manifest, model, selected).into_iter().map(move |below| (test, below)))
        .filter(|(test, below)| test != below)
        .collect()
}

/// Whether it is a data test, or a unit test: nothing reads either.
fn is_test(manifest: &Manifest, node: usize) -> bool {
    manifest.nodes.get(node).is_some_and(|node| node.resource.is_test())
}

/// What lies above each node, as bits: thousands of tests ask for it. Tests have no place in it, as nothing reads them.
struct Above {
    /// The bit of each node and the number of its row.
    places: BTreeMap<usize, usize>,
    rows: Vec<Vec<u64>>,
}

impl Above {
    fn new(manifest: &Manifest) -> Above {
        let order: Vec<usize> = manifest.dag.topological().into_iter().filter(|node| !is_test(manifest, *node)).collect();
        let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let mut rows: Vec<Vec<u64>> = Vec::with_capacity(order.len());
        for node in &order {
            let mut row = vec![0; order.len().div_ceil(64)];
            for place in manifest.dag.parents(*node).iter().filter_map(|parent| places.get(parent)) {
                // Parents come first, so their rows are there.
                for (word, further) in row.iter_mut().zip(rows.get(*place).into_iter().flatten()) {
                    *word |= further;
                }
                if let Some(word) = row.get_mut(place / 64) {
                    *word |= 1 << (place % 64);
                }
            }
            rows.push(row);
        }
        Above { places, rows }
    }

    fn contains(&self, node: usize, above: usize) -> bool {
        let (Some(row), Some(bit)) = (self.places.get(&node).and_then(|place| self.rows.get(*place)), self.places.get(&above)) else {
            return false;
        };
        row.get(bit / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }
}

/// The node itself when it is selected, or else the nearest selected ones below it.
fn selected_below(manifest: &Manifest, node: usize, selected: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::from([node]);
    let mut queue = vec![node];
    while let Some(at) = queue.pop() {
        if selected.contains(&at) {
            found.insert(at);
        } else {
            queue.extend(manifest.dag.children(at).into_iter().filter(|child| seen.insert(*child)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Dag;

    /// Nodes without content: only the graph counts here.
    fn graph(len: usize, edges: &[(usize, usize)]) -> Manifest {
        let mut manifest = Manifest::default();
        manifest.dag = Dag::new(len, edges.iter().copied()).unwrap();
        manifest
    }

    #[test]
    fn a_failure_takes_out_what_waits_for_it_and_nothing_else() {
        let manifest = graph(5, &[(0, 1), (1, 2), (3, 4)]);
        let mut schedule = Schedule::new(&manifest, &(0..5).collect(), false);
        assert_eq!((schedule.take(), schedule.take(), schedule.take()), (Some(0), Some(3), None));
        assert_eq!(schedule.failed(0), vec![1, 2]);
        schedule.succeeded(3);
        assert_eq!(schedule.take(), Some(4));
        schedule.succeeded(4);
        assert!(schedule.is_done());
    }

    #[test]
    fn all_that_lies_above_is_known() {
        let edges: Vec<(usize, usize)> = (0..199).map(|node| (node, node + 1)).chain([(200, 100)]).collect();
        let manifest = graph(201, &edges);
        let above = Above::new(&manifest);
        for node in [0, 63, 64, 100, 150, 199] {
            let expected = manifest.dag.ancestors(node, None);
            for other in 0..201 {
                assert_eq!(above.contains(node, other), other != node && expected.contains(&other), "{other} above {node}");
            }
        }
    }

    #[test]
    fn the_longest_way_begins_first() {
        let manifest = graph(5, &[(0, 1), (2, 3), (3, 4)]);
        let schedule = || Schedule::new(&manifest, &(0..5).collect(), false);
        let taken = |mut schedule: Schedule| (schedule.take(), schedule.take());
        assert_eq!(taken(schedule()), (Some(0), Some(2)));
        // Two nodes wait for 2, one for 0.
        assert_eq!(taken(schedule().longest_first(&|_| None)), (Some(2), Some(0)));
        assert_eq!(taken(schedule().longest_first(&|node| Some(if node == 1 { 9.0 } else { 1.0 }))), (Some(0), Some(2)));
    }

    #[test]
    fn what_comes_from_elsewhere_waits_for_nothing_but_its_coming() {
        // 1 comes from elsewhere, where 0 is not needed; 2 reads it.
        let manifest = graph(4, &[(0, 1), (1, 2)]);
        let borders = || Borders { arrivals: BTreeSet::from([1]), held: BTreeSet::from([1]), departures: BTreeMap::from([(4, 3)]) };
        let schedule = || Schedule::served(&manifest, &(0..4).collect(), false, &borders());
        let mut come = schedule();
        assert_eq!((come.take(), come.take(), come.take()), (Some(0), Some(3), None));
        assert!(come.failed(0).is_empty());
        come.has_come(1);
        assert_eq!(come.take(), Some(1));
        come.succeeded(1);
        assert_eq!(come.take(), Some(2));
        come.succeeded(2);
        // Others may have 3 when it is well, and not before.
        assert_eq!(come.take(), None);
        come.succeeded(3);
        assert_eq!(come.take(), Some(4));
        come.succeeded(4);
        assert!(come.is_done());
        let mut lost = schedule();
        assert_eq!((lost.take(), lost.take()), (Some(0), Some(3)));
        assert_eq!(lost.does_not_come(1), vec![1, 2]);
        assert_eq!(lost.failed(3), vec![4]);
        lost.succeeded(0);
        assert!(lost.is_done());
    }

    #[test]
    fn unselected_nodes_pass_the_order_on() {
        let manifest = graph(3, &[(0, 1), (1, 2)]);
        let mut schedule = Schedule::new(&manifest, &BTreeSet::from([0, 2]), false);
        assert_eq!((schedule.take(), schedule.take()), (Some(0), None));
        assert_eq!(schedule.abandon(), vec![2]);
    }
}

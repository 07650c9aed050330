//! Which of the nodes that are free begins first: the one with the longest way to the end of the run before it.

use std::collections::{BTreeMap, BTreeSet};

/// A bit is kept for each pair of nodes, up to so many; then only those that read a node themselves are counted.
const MOST_BITS: usize = 400_000_000;

/// For each node its seconds and those of the longest chain of readers, in microseconds, and how many nodes wait for it, directly
/// or not. `order` is topological; `seconds` of a node that has never run are `None`.
pub(super) fn priorities(
    order: &[usize],
    readers: &BTreeMap<usize, BTreeSet<usize>>,
    seconds: &dyn Fn(usize) -> Option<f64>,
) -> BTreeMap<usize, (u64, usize)> {
    let known: Vec<f64> = order.iter().filter_map(|node| seconds(*node)).collect();
    // What has never run takes as long as the others do on average.
    let usual = if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
    let waiting = below(order, readers);
    let mut found: BTreeMap<usize, (u64, usize)> = BTreeMap::new();
    for node in order.iter().rev() {
        let longest = readers.get(node).into_iter().flatten().filter_map(|reader| found.get(reader)).map(|(way, _)| *way).max();
        let own = (seconds(*node).unwrap_or(usual) * 1e6) as u64;
        let count = waiting.get(node).copied().unwrap_or(0);
        found.insert(*node, (longest.unwrap_or(0).saturating_add(own), count));
    }
    found
}

/// How many nodes lie below each that has readers.
fn below(order: &[usize], readers: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeMap<usize, usize> {
    let of = |node: &usize| readers.get(node).into_iter().flatten();
    let read: Vec<usize> = order.iter().copied().filter(|node| of(node).next().is_some()).collect();
    if read.len() * order.len() > MOST_BITS {
        return read.iter().map(|node| (*node, of(node).count())).collect();
    }
    let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, node)| (*node, place)).collect();
    let mut rows: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for node in read.iter().rev() {
        let mut row = vec![0_u64; order.len().div_ceil(64)];
        for reader in of(node) {
            // Readers come later in the order, so their rows are there; what nobody reads has none.
            for (word, further) in row.iter_mut().zip(rows.get(reader).into_iter().flatten()) {
                *word |= further;
            }
            if let Some((place, word)) = places.get(reader).and_then(|place| Some((place, row.get_mut(place / 64)?))) {
                *word |= 1 << (place % 64);
            }
        }
        rows.insert(*node, row);
    }
    rows.into_iter().map(|(node, row)| (node, row.iter().map(|word| word.count_ones() as usize).sum())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers(edges: &[(usize, usize)]) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut readers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (read, reader) in edges {
            readers.entry(*read).or_default().insert(*reader);
        }
        readers
    }

    #[test]
    fn the_longest_way_counts_and_what_never_ran_takes_the_average() {
        // 0 → 2 → 4, 1 → 3; 4 has never run.
        let readers = readers(&[(0, 2), (2, 4), (1, 3)]);
        let seconds = |node: usize| [Some(1.0), Some(2.0), Some(1.0), Some(4.0), None].get(node).copied().flatten();
        let found = priorities(&[0, 1, 2, 3, 4], &readers, &seconds);
        assert_eq!(found[&0], (4_000_000, 2));
        assert_eq!(found[&1], (6_000_000, 1));
        assert_eq!(found[&4], (2_000_000, 0));
    }

    #[test]
    fn without_times_the_number_of_nodes_below_counts_each_once() {
        let readers = readers(&[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]);
        let found = priorities(&[0, 1, 2, 3, 4], &readers, &|_| None);
        assert_eq!((0..5).map(|node| found[&node]).collect::<Vec<_>>(), [(0, 4), (0, 2), (0, 2), (0, 1), (0, 0)]);
    }
}

//! Runs on several targets at the same time: what one has built is told to those that wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::UniqueId;

/// What became of a node: `Err` says why it cannot be had.
pub(super) type Departure = Result<(), String>;

#[derive(Debug, Default)]
struct Board {
    left: BTreeMap<(usize, UniqueId), Departure>,
    /// Targets that send nothing any more.
    closed: BTreeSet<usize>,
}

/// What all runs see of each other. Targets have numbers.
#[derive(Debug, Default)]
pub struct Exchange(Mutex<Board>);

/// What one run tells others, and hears from them.
#[derive(Clone, Debug)]
pub struct Partner {
    pub exchange: Arc<Exchange>,
    /// The number of the target of the run.
    pub here: usize,
    /// Nodes that other runs wait for.
    pub departures: BTreeSet<UniqueId>,
    /// Nodes that this run waits for, and the target on which each is built.
    pub awaited: BTreeMap<UniqueId, usize>,
}

/// Who waits for what, on several targets: a table that is built in this run goes when it is there; any other is there from an earlier
/// one. For each target what is built there and what comes from which other.
pub fn partners(built: &[BTreeSet<UniqueId>], gets: &[BTreeMap<UniqueId, usize>]) -> Vec<Partner> {
    let exchange = Arc::new(Exchange::default());
    let awaited = |gets: &BTreeMap<UniqueId, usize>| -> BTreeMap<UniqueId, usize> {
        let is_built = |(id, home): &(&UniqueId, &usize)| built.get(**home).is_some_and(|built| built.contains(*id));
        gets.iter().filter(is_built).map(|(id, home)| (id.clone(), *home)).collect()
    };
    let awaited: Vec<BTreeMap<UniqueId, usize>> = gets.iter().map(awaited).collect();
    let departures = |here: usize| {
        let waits = awaited.iter().flatten().filter(|(_, home)| **home == here);
        waits.map(|(id, _)| id.clone()).collect()
    };
    let partner = |(here, awaited): (usize, &BTreeMap<UniqueId, usize>)| Partner {
        exchange: exchange.clone(),
        here,
        departures: departures(here),
        awaited: awaited.clone(),
    };
    awaited.iter().enumerate().map(partner).collect()
}

impl Exchange {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, from: usize, id: &UniqueId, how: Departure) {
        self.lock().left.entry((from, id.clone())).or_insert(how);
    }

    /// Nothing more comes from that target: what was not sent by now cannot be had.
    pub fn close(&self, from: usize) {
        self.lock().closed.insert(from);
    }

    /// `None`: it is not known yet.
    fn arrived(&self, from: usize, id: &UniqueId) -> Option<Departure> {
        let board = self.lock();
        let left = board.left.get(&(from, id.clone())).cloned();
        left.or_else(|| board.closed.contains(&from).then(|| Err("the run on its target has ended".to_owned())))
    }
}

impl Partner {
    pub(super) fn leave(&self, id: &UniqueId, how: Departure) {
        self.exchange.leave(self.here, id, how);
    }

    /// What became of a node that this run waits for.
    pub(super) fn arrived(&self, id: &UniqueId) -> Option<Departure> {
        self.awaited.get(id).and_then(|from| self.exchange.arrived(*from, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_target_that_is_closed() {
        let exchange = Arc::new(Exchange::default());
        let (one, two): (UniqueId, UniqueId) = ("model.shop.one".into(), "model.shop.two".into());
        let awaited = BTreeMap::from([(one.clone(), 1), (two.clone(), 1)]);
        let here = Partner { exchange: exchange.clone(), here: 0, departures: BTreeSet::new(), awaited };
        let there = Partner { exchange: exchange.clone(), here: 1, departures: BTreeSet::new(), awaited: BTreeMap::new() };
        assert_eq!(here.arrived(&one), None);
        there.leave(&one, Ok(()));
        exchange.close(1);
        assert_eq!(here.arrived(&one), Some(Ok(())));
        assert!(here.arrived(&two).unwrap().is_err());
    }
}

//! What `ref()` and `source()` give besides what the manifest says: no rows, or the relation of an earlier invocation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::values::locked;
use super::warehouse::Warehouse;
use crate::base::{Relation, UniqueId, Window};

/// How relations are read in this invocation.
#[derive(Debug, Default)]
pub struct Reading {
    /// `--empty`: nothing is read.
    pub empty: Option<Empty>,
    /// `--defer`.
    pub deferral: Option<Deferral>,
    /// `--sample`: rows of this time only are read of what has a time.
    pub sample: Option<Window>,
    /// What is worked on, but for unit tests.
    pub selected: Vec<UniqueId>,
}

impl Reading {
    /// Whether relations are read as the manifest says.
    pub fn is_usual(&self) -> bool {
        self.empty.is_none() && self.deferral.is_none() && self.sample.is_none()
    }
}

/// How a relation prints that gives no rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Empty {
    /// A subquery.
    Bare,
    /// A subquery with an alias, for engines that ask for one.
    Aliased,
}

/// Where relations stand that are not built here.
#[derive(Debug, Default)]
pub struct Deferral {
    /// By node: where the earlier invocation built it.
    pub relations: BTreeMap<UniqueId, Relation>,
    /// `--favor-state`: what is not selected is read there even when it stands here.
    pub favor: bool,
    pub selected: BTreeSet<UniqueId>,
    /// What is known of relations here. Of those that the run may yet build, only that they are there.
    known: Mutex<BTreeMap<UniqueId, bool>>,
}

impl Deferral {
    pub fn new(relations: BTreeMap<UniqueId, Relation>, favor: bool, selected: BTreeSet<UniqueId>) -> Deferral {
        Deferral { relations, favor, selected, known: Mutex::default() }
    }

    /// The relation to read in place of a node's own.
    ///
    /// # Errors
    /// The engine's message.
    pub(super) fn of(&self, id: &UniqueId, own: &Relation, warehouse: Option<&dyn Warehouse>) -> Result<Option<Relation>, String> {
        let Some(other) = self.relations.get(id).filter(|other| *other != own) else { return Ok(None) };
        let stays = (self.selected.contains(id) || !self.favor) && self.is_here(id, own, warehouse)?;
        Ok((!stays).then(|| other.clone()))
    }

    fn is_here(&self, id: &UniqueId, own: &Relation, warehouse: Option<&dyn Warehouse>) -> Result<bool, String> {
        if let Some(known) = locked(&self.known).get(id) {
            return Ok(*known);
        }
        let here = match warehouse {
            Some(warehouse) => warehouse.relation_kind(own)?.is_some(),
            None => false,
        };
        let is_asked = warehouse.is_some_and(Warehouse::is_asked);
        if is_asked && (here || !self.selected.contains(id)) {
            locked(&self.known).insert(id.clone(), here);
        }
        Ok(here)
    }
}

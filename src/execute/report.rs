//! How a run tells what it does, while it does it, and how it is stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Cancel;
use crate::jinja::Message;
use crate::plan::NodeResult;
use crate::project::Node;

/// Something that happened.
pub enum Event<'a> {
    /// The nodes of the run in the order of the plan, before the first begins.
    Planned { nodes: &'a [&'a Node], threads: usize },
    /// `position` counts from 1 in the order of starting.
    Started { position: usize, total: usize, node: &'a Node },
    /// Finished or skipped.
    Finished { position: usize, total: usize, node: &'a Node, result: &'a NodeResult },
    /// So many nodes are not begun any more, because the run is stopped.
    Abandoned { count: usize, why: &'a str },
    /// A template said something.
    Said { node: &'a Node, message: &'a Message },
}

/// Hears of everything, from several threads.
pub trait Reporter: Send + Sync {
    fn report(&self, event: &Event<'_>);
}

/// Stops a run: nothing new begins, running statements are cancelled, their transactions are rolled back.
#[derive(Default)]
pub struct Interrupt {
    raised: AtomicBool,
    /// The run goes no further by itself: `--fail-fast`.
    given_up: AtomicBool,
    running: Mutex<Vec<Arc<dyn Cancel>>>,
}

impl Interrupt {
    /// Called by the handler of Ctrl-C, from any thread.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        self.cancel();
    }

    /// Ends what runs beside a node that has failed.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        self.cancel();
    }

    pub(super) fn has_given_up(&self) -> bool {
        self.given_up.load(Ordering::SeqCst)
    }

    pub(super) fn cancel(&self) {
        for session in self.running.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            session.cancel();
        }
    }

    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Registers a session whose statements are to be cancelled.
    pub fn watch(&self, session: Arc<dyn Cancel>) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }
}

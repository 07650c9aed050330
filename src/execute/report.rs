//! How a run tells what it does, while it does it, and how it is stopped.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    running: Mutex<Vec<Watched>>,
}

struct Watched {
    session: Arc<dyn Cancel>,
    /// Runs nodes. Other sessions keep the run's books, which `--fail-fast` must not disturb.
    works: bool,
}

impl Interrupt {
    /// Called by the handler of Ctrl-C, from any thread.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        self.cancel(|_| true);
    }

    /// Ends what runs beside a node that has failed.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        self.cancel_workers();
    }

    pub(super) fn has_given_up(&self) -> bool {
        self.given_up.load(Ordering::SeqCst)
    }

    /// Cancels what nodes are doing, and nothing else.
    pub(super) fn cancel_workers(&self) {
        self.cancel(|watched| watched.works);
    }

    fn cancel(&self, which: impl Fn(&Watched) -> bool) {
        let sessions = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.iter().filter(|watched| which(watched)).map(|watched| Arc::clone(&watched.session)).collect()
        };
        cancel_all(sessions);
    }

    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Registers a session whose statements are to be cancelled when the run is interrupted.
    pub fn watch(&self, session: Arc<dyn Cancel>) {
        self.register(session, false);
    }

    /// Registers a session that runs nodes: its statements end with `--fail-fast` too.
    pub(super) fn watch_worker(&self, session: Arc<dyn Cancel>) {
        self.register(session, true);
    }

    fn register(&self, session: Arc<dyn Cancel>, works: bool) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(Watched { session, works });
    }
}

/// Cancels in all of them at the same time, since a server that does not answer is not to keep the others from it. Whoever calls holds
/// no lock meanwhile.
fn cancel_all(sessions: Vec<Arc<dyn Cancel>>) {
    std::thread::scope(|scope| {
        let mut sessions = sessions.into_iter();
        let first = sessions.next();
        for session in sessions {
            scope.spawn(move || session.cancel());
        }
        if let Some(first) = first {
            first.cancel();
        }
    });
}

/// The sessions in which a worker has a statement under way: its own, and that on another target whose rows it fetches. They are
/// cancelled together.
#[derive(Default)]
pub(super) struct Running {
    sessions: Mutex<Vec<(u64, Arc<dyn Cancel>)>>,
    next: AtomicU64,
}

/// A session is cancelled with the others as long as this is held.
pub(super) struct Joined {
    running: Arc<Running>,
    key: u64,
}

impl Running {
    pub(super) fn join(self: &Arc<Self>, session: Arc<dyn Cancel>) -> Joined {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().push((key, session));
        Joined { running: self.clone(), key }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Arc<dyn Cancel>)>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.running.lock().retain(|(key, _)| *key != self.key);
    }
}

impl Cancel for Running {
    fn cancel(&self) {
        let sessions = self.lock().iter().map(|(_, session)| Arc::clone(session)).collect();
        cancel_all(sessions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::watchdog::tests::Counter;

    #[test]
    fn all_sessions_of_a_worker_end_together() {
        let (running, own, other) = (Arc::new(Running::default()), Arc::new(Counter::default()), Arc::new(Counter::default()));
        let _own = running.join(own.clone());
        let joined = running.join(other.clone());
        running.cancel();
        drop(joined);
        running.cancel();
        assert_eq!((own.0.load(Ordering::SeqCst), other.0.load(Ordering::SeqCst)), (2, 1));
    }

    /// Answers when it is told to.
    struct Slow(Mutex<std::sync::mpsc::Receiver<()>>);

    impl Cancel for Slow {
        fn cancel(&self) {
            let _ = self.0.lock().unwrap().recv_timeout(std::time::Duration::from_secs(60));
        }
    }

    #[test]
    fn a_slow_service_holds_up_nobody_but_who_waits_for_it() {
        let (answer, answers) = std::sync::mpsc::channel();
        let (interrupt, running, other) = (Interrupt::default(), Arc::new(Running::default()), Arc::new(Counter::default()));
        let slow: Arc<dyn Cancel> = Arc::new(Slow(Mutex::new(answers)));
        let joined = running.join(slow);
        interrupt.watch_worker(running.clone());
        interrupt.watch_worker(other.clone());
        std::thread::scope(|scope| {
            scope.spawn(|| interrupt.raise());
            while other.0.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            // Meanwhile sessions come and go.
            drop(running.join(other.clone()));
            drop(joined);
            interrupt.watch(other.clone());
            answer.send(()).unwrap();
        });
    }

    #[test]
    fn giving_up_ends_nodes_only() {
        let (interrupt, main, worker) = (Interrupt::default(), Arc::new(Counter::default()), Arc::new(Counter::default()));
        interrupt.watch(main.clone());
        interrupt.watch_worker(worker.clone());
        let counts = || (main.0.load(Ordering::SeqCst), worker.0.load(Ordering::SeqCst));
        interrupt.give_up();
        assert_eq!(counts(), (0, 1));
        interrupt.raise();
        assert_eq!(counts(), (1, 2));
    }
}

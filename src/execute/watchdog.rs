//! Ends nodes that take longer than they may, by cancelling the statement that they wait for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Cancel;

/// How long a node may go on after its statement was cancelled until the next one is: between two statements nothing is cancelled.
const AGAIN: Duration = Duration::from_millis(250);

/// No run takes a year, and no clock holds every number of seconds.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Nodes that run against time.
#[derive(Default)]
pub(super) struct Watchdog {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: Vec<Watched>,
    next: u64,
    over: bool,
}

struct Watched {
    key: u64,
    due: Instant,
    timed_out: bool,
    /// Somebody is cancelling its statement.
    cancelling: bool,
    session: Arc<dyn Cancel>,
}

/// A node that is being watched.
pub(super) struct Watch(u64);

impl Watchdog {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self, session: Arc<dyn Cancel>, timeout: Duration) -> Watch {
        let mut state = self.lock();
        state.next += 1;
        let key = state.next;
        state.watched.push(Watched { key, due: Instant::now() + timeout.min(FOREVER), timed_out: false, cancelling: false, session });
        drop(state);
        self.changed.notify_all();
        Watch(key)
    }

    /// Stops watching; whether the time was up. Nothing is cancelled any more when it returns.
    pub(super) fn release(&self, watch: &Watch) -> bool {
        let mut state = self.lock();
        loop {
            let Some(at) = state.watched.iter().position(|watched| watched.key == watch.0) else { return false };
            if !state.watched.get(at).is_some_and(|watched| watched.cancelling) {
                return state.watched.swap_remove(at).timed_out;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets [`Watchdog::run`] return.
    fn stop(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// Stops it when the value is dropped, whatever happens until then.
    pub(super) fn stopped_at_the_end(&self) -> impl Drop + '_ {
        struct Stop<'w>(&'w Watchdog);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.stop();
            }
        }
        Stop(self)
    }

    /// Waits for the next time that is up, until it is stopped. A server that does not answer holds up none of the others.
    pub(super) fn run(&self) {
        std::thread::scope(|scope| {
            let mut state = self.lock();
            while !state.over {
                let now = Instant::now();
                for watched in state.watched.iter_mut().filter(|watched| watched.due <= now && !watched.cancelling) {
                    (watched.timed_out, watched.cancelling) = (true, true);
                    let (key, session) = (watched.key, Arc::clone(&watched.session));
                    scope.spawn(move || {
                        session.cancel();
                        self.cancelled(key);
                    });
                }
                let next = state.watched.iter().filter(|watched| !watched.cancelling).map(|watched| watched.due).min();
                let waits = next.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(Instant::now()));
                state = self.changed.wait_timeout(state, waits).unwrap_or_else(PoisonError::into_inner).0;
            }
        });
    }

    fn cancelled(&self, key: u64) {
        if let Some(watched) = self.lock().watched.iter_mut().find(|watched| watched.key == key) {
            watched.cancelling = false;
            watched.due = Instant::now() + AGAIN;
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    pub(in crate::execute) struct Counter(pub(in crate::execute) AtomicUsize);

    impl Cancel for Counter {
        fn cancel(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn only_what_is_late_is_cancelled() {
        let (watchdog, late, early) = (Watchdog::default(), Arc::new(Counter::default()), Arc::new(Counter::default()));
        std::thread::scope(|scope| {
            scope.spawn(|| watchdog.run());
            let first = watchdog.watch(late.clone(), Duration::from_millis(20));
            let second = watchdog.watch(early.clone(), Duration::from_secs(60));
            while late.0.load(Ordering::SeqCst) < 2 {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(watchdog.release(&first) && !watchdog.release(&second));
            watchdog.stop();
        });
        assert_eq!(early.0.load(Ordering::SeqCst), 0);
    }

    struct Slow(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

    impl Cancel for Slow {
        fn cancel(&self) {
            let _ = self.0.lock().unwrap().recv_timeout(Duration::from_secs(60));
        }
    }

    #[test]
    fn a_server_that_does_not_answer_holds_up_its_own_node_only() {
        let (answer, answers) = std::sync::mpsc::channel();
        let (watchdog, other) = (Watchdog::default(), Arc::new(Counter::default()));
        let slow: Arc<dyn Cancel> = Arc::new(Slow(std::sync::Mutex::new(answers)));
        std::thread::scope(|scope| {
            scope.spawn(|| watchdog.run());
            let first = watchdog.watch(slow, Duration::ZERO);
            let second = watchdog.watch(other.clone(), Duration::from_millis(20));
            while other.0.load(Ordering::SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(watchdog.release(&second));
            answer.send(()).unwrap();
            assert!(watchdog.release(&first));
            watchdog.stop();
        });
    }
}

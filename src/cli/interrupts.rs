//! Ctrl-C: the first one stops a run cleanly, the second one ends the program at once.

use std::sync::{Arc, Mutex, PoisonError};

use super::Exit;
use super::terminal::Terminal;
use crate::execute::Interrupt;

/// Knows which run there is to be stopped.
#[derive(Default)]
pub(super) struct Interrupts {
    running: Mutex<Option<Arc<Interrupt>>>,
}

impl Interrupts {
    /// Listens from now on. Without a run, Ctrl-C ends the program.
    pub(super) fn install(terminal: &Arc<Terminal>) -> Arc<Interrupts> {
        let interrupts = Arc::new(Interrupts::default());
        let (heard, terminal) = (interrupts.clone(), terminal.clone());
        // Without a handler the system's own stands, which ends the program: that is good enough.
        let _ = ctrlc::set_handler(move || heard.raise(&terminal));
        interrupts
    }

    fn raise(&self, terminal: &Terminal) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match running {
            Some(interrupt) if !interrupt.is_raised() => {
                terminal.print_error("Stopping: cancelling and rolling back. Ctrl-C again leaves at once.");
                // The next one is to be heard while servers are asked, one of which may not answer.
                std::thread::spawn(move || interrupt.raise());
            }
            _ => {
                terminal.set_live(Vec::new());
                std::process::exit(Exit::Interrupted.code().into());
            }
        }
    }

    /// From now on Ctrl-C stops the run that holds the interrupt.
    pub(super) fn begin(&self) -> Arc<Interrupt> {
        let interrupt = Arc::new(Interrupt::default());
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(interrupt.clone());
        interrupt
    }

    /// The run is over; its artefacts are still to be written, in no time.
    pub(super) fn end(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

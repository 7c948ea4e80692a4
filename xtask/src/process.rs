//! Ctrl-C and child processes: the one place that knows how systems differ in them.
//!
//! A child gets a process group of its own, so that its whole family can be told to stop at once and is waited for.

use std::{
    io,
    process::{self, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
};

#[cfg(unix)]
#[path = "process/unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "process/windows.rs"]
mod system;

/// Requests to stop: Ctrl-C, and on Unix SIGTERM and SIGHUP.
#[derive(Clone, Default)]
pub struct Interrupts {
    requests: Arc<AtomicUsize>,
    /// The running child's process, which leads its group; 0 if there is none.
    child: Arc<AtomicU32>,
}

impl Interrupts {
    /// Begins to listen; possible once in a process. Whoever asks three times is obeyed at once.
    ///
    /// # Errors
    ///
    /// If the system refuses the handler.
    pub fn listen() -> Result<Self, ctrlc::Error> {
        let interrupts = Self::default();
        let Self { requests, child } = interrupts.clone();
        ctrlc::set_handler(move || {
            let number = requests.fetch_add(1, SeqCst) + 1;
            match child.load(SeqCst) {
                0 if number >= 3 => process::exit(1),
                0 => {}
                child => system::stop(child, number),
            }
        })?;
        Ok(interrupts)
    }

    pub fn requested(&self) -> bool {
        self.requests.load(SeqCst) > 0
    }

    #[cfg(test)]
    pub fn requested_now() -> Self {
        Self { requests: Arc::new(AtomicUsize::new(1)), ..Self::default() }
    }

    /// An error if stopping was requested.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Interrupted`].
    pub fn check(&self) -> io::Result<()> {
        if self.requested() { Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted")) } else { Ok(()) }
    }

    /// Runs a child to its end; requests to stop are passed on to it and all it started.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or stopping was requested before.
    pub fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        self.check()?;
        system::detach(command);
        let mut child = command.stdin(Stdio::null()).spawn()?;
        self.child.store(child.id(), SeqCst);
        if self.requested() {
            system::stop(child.id(), 1);
        }
        let status = child.wait();
        self.child.store(0, SeqCst);
        status
    }
}

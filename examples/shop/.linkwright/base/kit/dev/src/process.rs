//! Signals. On Unix services run in process groups of their own, so that Ctrl-C in the terminal reaches only us and
//! everything stops in order; on Windows they are ended.

use std::{
    process::{Child, Command},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};

/// Someone wants us to stop: Ctrl-C, or SIGTERM.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// Takes over the process's signals. A second one ends it at once.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        let told = interrupt.clone();
        ctrlc::set_handler(move || {
            let (flag, changed) = &*told.0;
            let mut flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
            if *flag {
                std::process::exit(130);
            }
            *flag = true;
            changed.notify_all();
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Waits as long as nobody interrupts. `true`: somebody has.
    pub fn wait(&self, span: Duration) -> bool {
        let (flag, changed) = &*self.0;
        let flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let (flag, _) = changed.wait_timeout_while(flag, span, |flag| !*flag).unwrap_or_else(PoisonError::into_inner);
        *flag
    }
}

/// Keeps the terminal's Ctrl-C away from a child.
#[cfg(unix)]
pub fn detach(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
pub fn detach(_: &mut Command) {}

/// Asks a child to stop: SIGTERM.
#[cfg(unix)]
pub fn ask_to_stop(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
pub fn ask_to_stop(child: &mut Child) {
    let _ = child.kill();
}

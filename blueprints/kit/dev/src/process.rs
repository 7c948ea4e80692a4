//! Signals. On Unix services run in process groups of their own, so that Ctrl-C in the terminal reaches only us and
//! everything stops in order; on Windows they are ended.

use tokio::process::{Child, Command};

/// Keeps the terminal's Ctrl-C away from a child.
#[cfg(unix)]
pub fn detach(command: &mut Command) {
    command.process_group(0);
}

#[cfg(not(unix))]
pub fn detach(_: &mut Command) {}

/// Asks a child to stop: SIGTERM.
#[cfg(unix)]
pub fn ask_to_stop(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
pub fn ask_to_stop(_: &Child) {}

/// Comes back when someone wants us to stop: Ctrl-C, or SIGTERM.
#[cfg(unix)]
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
pub async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}

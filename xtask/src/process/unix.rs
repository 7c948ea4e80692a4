//! Unix: process groups and signals.

use std::{os::unix::process::CommandExt, process::Command};

use rustix::process::{Pid, Signal, kill_process_group};

/// Makes the child the leader of a new group, which the terminal's Ctrl-C does not reach.
pub fn detach(command: &mut Command) {
    command.process_group(0);
}

/// Passes the request on to a group: politely at first, the third time for good.
pub fn stop(leader: u32, request: usize) {
    let signal = if request < 3 { Signal::INT } else { Signal::KILL };
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // It may have ended already.
        let _ = kill_process_group(group, signal);
    }
}

//! Windows: the console itself gives Ctrl-C to every process in it, so there is nothing to pass on.

use std::process::Command;

/// A new group would be deaf to Ctrl-C; the child stays in ours.
pub fn detach(_: &mut Command) {}

/// The console has told the child already.
pub fn stop(_: u32, _: usize) {}

//! A workspace → built, and its own `cargo xtask` running.

use std::{
    io,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context, Result};

use crate::{
    Session,
    output::{Exit, Problem},
    toolchain,
};

/// What to do with a new workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Run it until Ctrl-C.
    Dev,
    /// Run every flow once.
    Smoke,
}

impl Then {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Smoke => "smoke",
        }
    }
}

/// Builds the workspace at `root` and runs it. `shown` is how the user named it, `packages` how many there are in its
/// Cargo.lock.
pub fn run(session: &mut Session, root: &Path, shown: &Path, packages: usize, then: Then) -> Result<Exit, Problem> {
    let Session { output, .. } = session;
    output.note(&format!("\nBuilding it, which takes {} the first time.", estimate(packages)))?;
    let shown = shown.display();
    let built = child(session, root, &["build", "--workspace"])?;
    if !built.success() {
        let next = format!(
            "\nThe workspace is complete, its build is not. To go on:\n\n    cd {shown}\n    cargo xtask {}\n",
            then.name()
        );
        session.output.note(&next)?;
        return Ok(Exit::Failed);
    }
    let ended = child(session, root, &["xtask", then.name()])?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    let next = format!("\nTo start it again:\n\n    cd {shown}\n    cargo xtask dev\n");
    session.output.note(&next)?;
    Ok(Exit::Child(code))
}

fn child(session: &Session, root: &Path, arguments: &[&str]) -> Result<ExitStatus> {
    let mut command: Command = toolchain::cargo();
    command.current_dir(root).args(arguments);
    if session.offline {
        command.env("CARGO_NET_OFFLINE", "true");
    }
    if session.output.quiet {
        command.env("CARGO_TERM_QUIET", "true");
    }
    if session.output.json {
        // Our stdout is for records only.
        command.stdout(Stdio::from(io::stderr()));
    }
    session.interrupts.run(&mut command).with_context(|| format!("cannot run cargo {}", arguments.join(" ")))
}

/// The time of a first build, from how long one took: 0.65 CPU seconds a package.
fn estimate(packages: usize) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let seconds = packages * 65 / 100 / cores;
    let cores = if cores == 1 { "one core".to_owned() } else { format!("{cores} cores") };
    match seconds.div_ceil(60) {
        0 | 1 => format!("about a minute on {cores}"),
        minutes => format!("about {minutes} minutes on {cores}"),
    }
}

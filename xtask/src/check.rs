//! `check`: what `sync` would do. Says nothing if that is nothing.

use std::path::PathBuf;

use generator::disk::{self, journal, workspace};

use crate::{
    Session,
    design::Origin,
    output::{Exit, Problem, Record},
    toolchain,
};

/// Say what sync would do
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// The workspace, or a folder in it
    #[arg(default_value = ".")]
    pub path: PathBuf,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    let root = disk::find(&args.path)?;
    if let Some(journal::Pending { left, total }) = journal::pending(&root)? {
        let text = format!("unfinished {left} of {total} writes of an earlier sync");
        session.output.result(&Record::Unfinished { left, total }, &text)?;
        session.output.note("An earlier sync was cut short; `sync` completes it.")?;
        return Ok(Exit::Changes);
    }
    let designed = (session.planner)(&Origin::Workspace(root.clone()))?;
    let rustfmt = toolchain::rustfmt();
    let inspection = workspace::inspect(&root, &designed.plan, &designed.own, rustfmt.as_ref())?;
    session.output.unformatted(inspection.unformatted)?;
    session.output.changes(&inspection.changes, false)?;
    if inspection.changes.is_clean() {
        return Ok(Exit::Done);
    }
    session.output.note(&format!("\nsync: {}", inspection.changes.count()))?;
    Ok(Exit::Changes)
}

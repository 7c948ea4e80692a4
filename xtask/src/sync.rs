//! `sync`: brings a workspace to what its design says now.

use generator::disk::{self, journal, workspace};

use crate::{
    Session, check,
    design::Origin,
    output::{Exit, Problem},
    toolchain,
};

/// Write what the workspace's design.toml now says
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(flatten)]
    pub workspace: check::Args,
    /// Only say what would be done, as check does
    #[arg(long)]
    pub dry_run: bool,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    if args.dry_run {
        return check::run(session, &args.workspace);
    }
    let root = disk::find(&args.workspace.path)?;
    if journal::resume(&root, &mut |_| Ok(()))? {
        session.output.note("Completed an earlier sync that was cut short.")?;
    }
    let designed = (session.planner)(&Origin::Workspace(root.clone()))?;
    session.output.doubts(&designed.warnings)?;
    let rustfmt = toolchain::rustfmt();
    let inspection = workspace::inspect(&root, &designed.plan, &designed.own, rustfmt.as_ref())?;
    session.output.unformatted(inspection.unformatted)?;
    let applied = match workspace::sync(&inspection, &mut |_| Ok(())) {
        Err(error) if matches!(journal::pending(&root), Ok(Some(_))) => {
            let error = anyhow::Error::from(error);
            return Err(error
                .context("the changes are only partly made; mend this and run sync again to complete them")
                .into());
        }
        result => result?,
    };
    session.output.changes(&inspection.changes, applied)?;
    if !applied {
        session.output.note("\nNothing was changed: settle the conflicts first.")?;
        return Ok(Exit::Changes);
    }
    match inspection.changes.is_clean() {
        true => session.output.note("Nothing to do.")?,
        false => session.output.note(&format!("\n{}", inspection.changes.count()))?,
    }
    Ok(Exit::Done)
}

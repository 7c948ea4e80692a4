//! `check`: what `sync` would do, and whether the design breaks what another revision of it promised. Says nothing if
//! that is nothing.

use std::path::{Path, PathBuf};

use generator::disk::{self, journal, workspace};

use crate::{
    Session,
    design::Origin,
    diff,
    output::{Exit, Problem, Record},
    toolchain,
    versions::Designed,
};

/// Say what sync would do
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// The workspace, or a folder in it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Refuse what breaks callers of the design at this revision of git, unless a new version keeps what they know
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    let root = disk::find(&args.path)?;
    let refused = match &args.against {
        Some(revision) => breaks(session, &root, revision)?,
        None => false,
    };
    if let Some(journal::Pending { left, total }) = journal::pending(&root)? {
        let text = format!("unfinished {left} of {total} writes of an earlier sync");
        session.output.result(&Record::Unfinished { left, total }, &text)?;
        session.output.note("An earlier sync was cut short; `sync` completes it.")?;
        return Ok(Exit::Changes);
    }
    let designed = (session.planner)(&Origin::Workspace(root.clone()))?;
    session.output.doubts(&designed.warnings)?;
    let rustfmt = toolchain::rustfmt();
    let inspection = workspace::inspect(&root, &designed.plan, &designed.own, rustfmt.as_ref())?;
    session.output.unformatted(inspection.unformatted)?;
    session.output.changes(&inspection.changes, false)?;
    if inspection.changes.is_clean() {
        return Ok(if refused { Exit::Changes } else { Exit::Done });
    }
    session.output.note(&format!("\nsync: {}", inspection.changes.count()))?;
    Ok(Exit::Changes)
}

/// Whether the workspace's design breaks who keeps to that of a revision.
fn breaks(session: &mut Session, root: &Path, revision: &str) -> Result<bool, Problem> {
    let old = Designed::of_revision(root, revision)?;
    let refused = diff::refused(session, &old, &Designed::of_folder(root, "")?)?;
    if refused {
        let text =
            format!("This breaks callers of `{revision}`: keep what they know beside what is new, or undo it.\n");
        session.output.note(&text)?;
    }
    Ok(refused)
}

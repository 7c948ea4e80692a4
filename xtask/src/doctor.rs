//! `doctor`: whether this machine has what a workspace needs.

use std::path::Path;

use generator::disk;

use crate::{
    Session,
    design::Origin,
    output::{Exit, Problem, Record},
    toolchain,
};

/// Say whether this machine has what a workspace needs
#[derive(clap::Args)]
pub struct Args {}

/// Outside a workspace nobody knows how many there will be.
const USUAL_SERVICES: usize = 5;

pub fn run(session: &mut Session, Args {}: &Args) -> Result<Exit, Problem> {
    let here = Path::new(".");
    // A design with mistakes is for `check` to tell.
    let designed = disk::find(here).ok().and_then(|root| (session.planner)(&Origin::Workspace(root)).ok());
    let findings = toolchain::all(here, designed.map_or(USUAL_SERVICES, |designed| designed.services));
    for finding in &findings {
        let state = match (finding.ok, finding.needed) {
            (true, _) => "ok",
            (false, true) => "error",
            (false, false) => "warning",
        };
        let help = finding.help.as_ref().map_or(String::new(), |help| format!("\n{:20} {help}", ""));
        let text = format!("{state:8} {:11} {}{help}", finding.name, finding.found);
        session.output.result(&Record::Finding(finding), &text)?;
    }
    Ok(if findings.iter().all(|finding| finding.ok || !finding.needed) { Exit::Done } else { Exit::Failed })
}

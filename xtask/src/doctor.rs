//! `doctor`: whether this machine has what a workspace needs.

use std::path::Path;

use crate::{
    Session,
    output::{Exit, Problem, Record},
    toolchain,
};

/// Say whether this machine has what a workspace needs
#[derive(clap::Args)]
pub struct Args {}

pub fn run(session: &mut Session, Args {}: &Args) -> Result<Exit, Problem> {
    let findings = toolchain::all(Path::new("."));
    for finding in &findings {
        let state = match (finding.ok, finding.needed) {
            (true, _) => "ok",
            (false, true) => "missing",
            (false, false) => "absent",
        };
        let help = finding.help.as_ref().map_or(String::new(), |help| format!("\n{:20} {help}", ""));
        let text = format!("{state:8} {:11} {}{help}", finding.name, finding.found);
        session.output.result(&Record::Finding(finding), &text)?;
    }
    Ok(if findings.iter().all(|finding| finding.ok || !finding.needed) { Exit::Done } else { Exit::Failed })
}

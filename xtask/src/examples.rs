//! `examples`: the systems that `new --example` knows.

use crate::{
    Session, design,
    output::{Exit, Problem, Record},
};

/// List the examples that new can start from
#[derive(clap::Args)]
pub struct Args {
    /// Say what is not as its design says in those that are committed as whole workspaces
    #[cfg(feature = "repository")]
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Bring them up to date
    #[cfg(feature = "repository")]
    #[arg(long)]
    write: bool,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    #[cfg(feature = "repository")]
    match args {
        Args { check: true, .. } => return crate::repository::examples::check(session),
        Args { write: true, .. } => return crate::repository::examples::write(session),
        Args { .. } => {}
    }
    #[cfg(not(feature = "repository"))]
    let Args {} = args;
    let Args { .. } = args;
    let examples = design::examples();
    let width = examples.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, summary) in &examples {
        session.output.result(&Record::Example { name, summary }, &format!("{name:width$}  {summary}"))?;
    }
    session.output.note("\nlinkwright new PATH --example NAME")?;
    Ok(Exit::Done)
}

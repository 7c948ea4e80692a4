//! `examples`: the systems that `new --example` knows.

use crate::{
    Session, design,
    output::{Exit, Problem, Record},
};

/// List the examples that new can start from
#[derive(clap::Args)]
pub struct Args {
    /// Say what sync would do in those that are committed as whole workspaces
    #[cfg(feature = "repository")]
    #[arg(long)]
    check: bool,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    #[cfg(feature = "repository")]
    if args.check {
        return crate::repository::check_examples(session);
    }
    let Args { .. } = args;
    let examples = design::examples();
    let width = examples.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, summary) in &examples {
        session.output.result(&Record::Example { name, summary }, &format!("{name:width$}  {summary}"))?;
    }
    session.output.note("\nlinkwright new PATH --example NAME")?;
    Ok(Exit::Done)
}

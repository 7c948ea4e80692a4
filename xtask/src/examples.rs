//! `examples`: the systems that `new --example` knows.

use crate::{
    Session, design,
    output::{Exit, Problem, Record},
};

/// List the examples that new can start from
#[derive(clap::Args)]
pub struct Args {}

pub fn run(session: &mut Session, Args {}: &Args) -> Result<Exit, Problem> {
    let examples = design::examples();
    let width = examples.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, summary) in &examples {
        session.output.result(&Record::Example { name, summary }, &format!("{name:width$}  {summary}"))?;
    }
    session.output.note("\nlinkwright new PATH --example NAME")?;
    Ok(Exit::Done)
}

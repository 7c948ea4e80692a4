//! `completions`: the shell's script for completing our command lines.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    Cli, Session,
    output::{Exit, Problem},
};

/// Write a script that completes commands and options
#[derive(clap::Args)]
pub struct Args {
    shell: Shell,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "linkwright", &mut script);
    session.output.out.write_all(&script)?;
    Ok(Exit::Done)
}

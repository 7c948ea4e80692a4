//! The command line: `linkwright`, and `cargo xtask` in this repository.
//!
//! Results go to stdout, everything for people to stderr. Exit codes: 0 done or clean, 1 failed or a bad design,
//! 2 wrong usage, 3 there are changes or conflicts.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};

mod check;
mod completions;
mod design;
mod diff;
mod doctor;
mod examples;
mod new;
mod output;
mod process;
#[cfg(feature = "repository")]
mod repository;
mod run;
mod sync;
mod toolchain;
mod vcs;
mod versions;

use design::Planner;
use output::{Exit, Output};
use process::Interrupts;

/// Integration scaffolds: a design in, a workspace of wired services out.
#[derive(Parser)]
#[command(name = "linkwright", version)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args)]
struct Global {
    /// Write results as JSON, one object a line (see output.schema.json)
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but results, warnings and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Let cargo use nothing from the network
    #[arg(long, global = true)]
    offline: bool,
}

#[derive(Subcommand)]
enum Command {
    New(new::Args),
    Sync(sync::Args),
    Check(check::Args),
    Diff(diff::Args),
    Examples(examples::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    #[cfg(feature = "repository")]
    #[command(flatten)]
    Repository(repository::Command),
}

/// What every command gets.
struct Session<'a> {
    output: Output<'a>,
    offline: bool,
    interrupts: Interrupts,
    planner: Planner,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let color = output::colored(&err);
    // Only `new` has something to clean up and children to stop; everything else may be ended at any moment.
    let interrupts = match cli.command {
        Command::New(_) => Interrupts::listen().unwrap_or_default(),
        _ => Interrupts::default(),
    };
    dispatch(cli, &mut out, &mut err, color, interrupts, design::plan).into()
}

fn dispatch(
    cli: Cli,
    out: &mut dyn io::Write,
    err: &mut dyn io::Write,
    color: bool,
    interrupts: Interrupts,
    planner: Planner,
) -> Exit {
    let Global { json, quiet, offline } = cli.global;
    let mut session = Session { output: Output { out, err, json, quiet, color }, offline, interrupts, planner };
    let result = match cli.command {
        Command::New(args) => new::run(&mut session, &args),
        Command::Sync(args) => sync::run(&mut session, &args),
        Command::Check(args) => check::run(&mut session, &args),
        Command::Diff(args) => diff::run(&mut session, &args),
        Command::Examples(args) => examples::run(&mut session, &args),
        Command::Doctor(args) => doctor::run(&mut session, &args),
        Command::Completions(args) => completions::run(&mut session, &args),
        #[cfg(feature = "repository")]
        Command::Repository(command) => repository::run(&mut session, &command),
    };
    result.unwrap_or_else(|problem| session.output.problem(problem))
}

#[cfg(test)]
mod tests;

//! The tasks of this repository, which an installed `linkwright` does not have.

mod bench;
mod child;
pub mod examples;
mod judges;
mod matrix;
mod mutants;
mod pages;
mod pairs;
mod slot;
mod stage;
mod test;

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Subcommand;

use crate::{
    Session,
    output::{Exit, Problem},
};

/// What only a checkout of the repository can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Test(test::Args),
    Bench(bench::Args),
}

pub fn run(session: &mut Session, command: &Command) -> Result<Exit, Problem> {
    match command {
        Command::Test(args) => test::run(session, args),
        Command::Bench(args) => bench::run(session, args),
    }
}

/// The folder of the checkout: cargo says where it found us.
fn root() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_owned)
}

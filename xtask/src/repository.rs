//! The tasks of this repository, which an installed `linkwright` does not have.

mod child;
mod stage;
mod test;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::Subcommand;

/// What only a checkout of the repository can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tests this repository: its own code, the kit, and workspaces made from the examples
    Test(test::Arguments),
}

/// Does it. Exits with 1 if a test failed.
pub fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Test(arguments) => test::run(&arguments),
    }
}

/// The folder of the checkout: cargo says where it found us.
fn root() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_owned)
}

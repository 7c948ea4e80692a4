//! The tasks of this repository, which an installed `linkwright` does not have.

mod child;
mod stage;
mod test;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Subcommand;
use generator::lock;

use crate::{
    Session, check,
    output::{Exit, Problem},
};

/// What only a checkout of the repository can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Test(test::Args),
}

pub fn run(session: &mut Session, command: &Command) -> Result<Exit, Problem> {
    match command {
        Command::Test(args) => test::run(session, args),
    }
}

/// What `sync` would do in each example that is a whole workspace. Nothing, if generated files are as committed: then
/// `sync` has also left alone what was written by hand on top.
pub fn check_examples(session: &mut Session) -> Result<Exit, Problem> {
    let folder = root().join("examples");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut examples: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    examples.sort();
    let mut exit = Exit::Done;
    for path in examples.into_iter().filter(|example| example.join(lock::FOLDER).is_dir()) {
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        if check::run(session, &check::Args { path })? != Exit::Done {
            session.output.note(&format!("{shown} is not what its design says: cargo xtask sync {shown}"))?;
            exit = Exit::Changes;
        }
    }
    Ok(exit)
}

/// The folder of the checkout: cargo says where it found us.
fn root() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_owned)
}

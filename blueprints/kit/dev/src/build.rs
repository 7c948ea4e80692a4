//! cargo, as the one who runs us has it.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::command::root;

/// Builds every member, so that all of them share one resolution of features, and shows cargo's own progress.
pub fn workspace() -> Result<()> {
    let status = Command::new(cargo())
        .args(["build", "--workspace", "--bins"])
        .current_dir(root()?)
        .status()
        .context("cannot run cargo")?;
    if status.success() { Ok(()) } else { bail!("the workspace does not build") }
}

/// Runs the tests of every member; `rest` goes to `cargo test`.
pub fn test(rest: &[&str]) -> Result<()> {
    let status = Command::new(cargo()).args(["test", "--workspace"]).args(rest).current_dir(root()?).status();
    if status.context("cannot run cargo")?.success() { Ok(()) } else { bail!("a test failed") }
}

/// Where the build put a binary of the workspace: beside the one that runs now.
pub fn binary(name: &str) -> Result<PathBuf> {
    let here = env::current_exe().context("cannot tell where the build is")?;
    let path = here.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
    if path.is_file() { Ok(path) } else { bail!("{} was not built", path.display()) }
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

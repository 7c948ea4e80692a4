//! A new workspace's repository, as `cargo new` makes it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// What to do about version control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Vcs {
    None,
    Git,
}

/// Makes a repository in `root`, which will be `target`. By default none where there is one above that does not
/// ignore the target; the answer then is why not.
///
/// # Errors
///
/// If git fails, or was asked for and is not there.
pub fn init(root: &Path, target: &Path, vcs: Option<Vcs>) -> Result<Option<&'static str>> {
    let parent = root.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(root);
    match vcs {
        Some(Vcs::None) => return Ok(None),
        None if is_tracked(parent, target) => return Ok(None),
        _ => {}
    }
    let output = match git(root).args(["init", "--quiet"]).output() {
        Err(_) if vcs.is_none() => return Ok(Some("there is no git here, so no repository was made")),
        output => output.context("cannot run git")?,
    };
    if !output.status.success() {
        bail!("git init failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(None)
}

fn is_tracked(parent: &Path, target: &Path) -> bool {
    let asks = |arguments: &[&std::ffi::OsStr]| {
        let status = git(parent).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    asks(&["rev-parse".as_ref(), "--is-inside-work-tree".as_ref()])
        && !asks(&["check-ignore".as_ref(), "--quiet".as_ref(), target.as_ref()])
}

/// Git in a folder, whatever repository our own surroundings name.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).stdin(Stdio::null());
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command
}

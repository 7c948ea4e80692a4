//! Git: a new workspace's repository, as `cargo new` makes it, and the files of a revision.

use std::{
    path::{Path, PathBuf},
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

/// A folder as it was in a revision of the repository around us.
pub struct Snapshot {
    /// Where git is asked.
    here: PathBuf,
    /// The name of a commit's tree.
    tree: String,
}

impl Snapshot {
    /// The files of a revision, if git knows one of that name.
    ///
    /// # Errors
    ///
    /// If git cannot be run.
    pub fn of(here: &Path, revision: &str) -> Result<Option<Self>> {
        let tree = format!("{revision}^{{tree}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &tree];
        let output = git(here).args(arguments).stderr(Stdio::null()).output().context("cannot run git")?;
        let tree = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let found = output.status.success() && !tree.is_empty();
        Ok(found.then(|| Self { here: here.to_owned(), tree }))
    }

    /// Where we are below the root of the repository, as it begins paths: nothing, or with `/` at its end.
    ///
    /// # Errors
    ///
    /// If there is no repository.
    pub fn prefix(&self) -> Result<String> {
        let prefix = self.asked(&["rev-parse", "--show-prefix"])?;
        Ok(String::from_utf8(prefix)?.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// The paths of all ordinary files below a folder, which is nothing for the root or ends in `/`, relative to it.
    ///
    /// # Errors
    ///
    /// If there is no such folder.
    pub fn files(&self, folder: &str) -> Result<Vec<String>> {
        let of = format!("{}:{}", self.tree, folder.trim_end_matches('/'));
        let listed = self.asked(&["ls-tree", "-r", "-z", "--full-tree", &of])?;
        // `100644 blob <name>\t<path>`; links and submodules have other modes.
        let files = listed.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok());
        let path =
            |line: &str| line.strip_prefix("100").and_then(|line| line.split_once('\t')).map(|(_, p)| p.to_owned());
        Ok(files.filter_map(path).collect())
    }

    /// The bytes of a file, by its path from the root of the repository.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        self.asked(&["cat-file", "blob", &format!("{}:{path}", self.tree)])
    }

    fn asked(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = git(&self.here).args(arguments).output().context("cannot run git")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output.stdout)
    }
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

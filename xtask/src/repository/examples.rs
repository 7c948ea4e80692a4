//! `examples --check` and `--write`: the examples that are committed as whole workspaces, with code written by hand on top.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use generator::{disk::workspace, lock, plan::Owner};

use super::root;
use crate::{
    Session, check,
    design::Origin,
    output::{Exit, Problem},
    sync, toolchain,
};

/// Whether each is what its design says: `sync` has nothing to do, and the user's files are as `new` writes them, but for
/// those that were written by hand, which `sync` has left alone.
pub fn check(session: &mut Session) -> Result<Exit, Problem> {
    let mut exit = Exit::Done;
    for path in whole()? {
        for (file, _) in outdated(session, &path)? {
            session.output.note(&format!("outdated  {file}"))?;
            exit = Exit::Changes;
        }
        if check::run(session, &check::Args { path, against: None })? != Exit::Done {
            exit = Exit::Changes;
        }
    }
    if exit != Exit::Done {
        session.output.note("To bring them up to date: cargo xtask examples --write")?;
    }
    Ok(exit)
}

/// Makes each what its design says.
pub fn write(session: &mut Session) -> Result<Exit, Problem> {
    for path in whole()? {
        for (file, text) in outdated(session, &path)? {
            let place = path.join(file);
            fs::create_dir_all(place.parent().unwrap_or(&path))
                .and_then(|()| fs::write(&place, &*text))
                .with_context(|| format!("cannot write {}", place.display()))?;
        }
        let exit = sync::run(session, &sync::Args { workspace: check::Args { path, against: None }, dry_run: false })?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

/// The examples that are more than a design.
fn whole() -> Result<Vec<PathBuf>> {
    let folder = root().join("examples");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let all = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut whole: Vec<PathBuf> = all.filter(|example| example.join(lock::FOLDER).is_dir()).collect();
    whole.sort();
    Ok(whole)
}

/// The user's files, and the lock file, that are not as `new` writes them now, and what it writes, without those that were written by hand.
fn outdated(session: &mut Session, example: &Path) -> Result<Vec<(String, Arc<str>)>, Problem> {
    let list = example.with_extension("txt");
    let by_hand = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let designed = (session.planner)(&Origin::Workspace(example.to_owned()))?;
    let (writes, _) = workspace::fresh(&designed.plan, &designed.own, toolchain::rustfmt().as_ref())?;
    let yours = writes.into_iter().filter(|write| {
        let owner = designed.plan.files.get(&write.path).map(|file| file.owner);
        matches!(owner, Some(Owner::Yours | Owner::Seed)) && !by_hand.lines().any(|line| line == write.path)
    });
    let outdated = yours.filter_map(|write| {
        let text = write.text?;
        let found = fs::read_to_string(example.join(&write.path)).ok();
        (found.as_deref() != Some(&*text)).then_some((write.path, text))
    });
    Ok(outdated.collect())
}

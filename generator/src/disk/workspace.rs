//! A plan and a workspace → what differs, and the workspace brought up to date.

use std::path::{Path, PathBuf};

use super::{Error, Watch, journal, rustfmt::Rustfmt, snapshot};
use crate::{
    changes::{self, Action, Changes, Found, MissingStub, Snapshot, Write},
    format::{self, Cache, Formatted},
    lock::Lock,
    path,
    plan::Plan,
};

/// What `check` found and `sync` carries out.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub root: PathBuf,
    pub changes: Changes,
    /// Files that stay as rendered because there is no rustfmt. Worth one warning.
    pub unformatted: usize,
    before: Option<Lock>,
    disk: Snapshot,
}

/// Compares a plan with the workspace at `root`. `own`: paths left alone for good.
///
/// # Errors
///
/// If the lock or a file cannot be read, a path of the plan is not one, or rustfmt refuses a text.
pub fn inspect(root: &Path, plan: &Plan, own: &[String], rustfmt: Option<&Rustfmt>) -> Result<Inspection, Error> {
    let root = root.canonicalize().map_err(Error::io("open", root))?;
    let before = snapshot::lock(&root)?;
    let nothing = Lock::default();
    let lock = before.as_ref().unwrap_or(&nothing);
    let (wanted, unformatted) = formatted(plan, lock, rustfmt)?;
    let disk = snapshot::take(&root, &wanted, lock, own);
    let mut layout = Cache::default();
    if let Some(rustfmt) = rustfmt {
        // A text that rustfmt refuses was edited, then.
        rustfmt.run(&changes::doubtful(&wanted, lock, &disk), &mut layout)?;
    }
    let mut changes = changes::compare(&wanted, lock, &disk, own, &layout);
    if let Some(rustfmt) = rustfmt {
        lay_out(&mut changes.stubs, rustfmt)?;
    }
    Ok(Inspection { root, changes, unformatted, before, disk })
}

/// Carries an inspection out. With conflicts in it nothing is done, and the answer is false.
///
/// # Errors
///
/// Those of [`journal::apply`], and [`Error::Changed`] if somebody saved a file since it was inspected.
pub fn sync(inspection: &Inspection, watch: Watch) -> Result<bool, Error> {
    if inspection.changes.conflicts().next().is_some() {
        return Ok(false);
    }
    let overwritten =
        inspection.changes.files.iter().filter(|change| !matches!(change.action, Action::Keep(_) | Action::Propose(_)));
    for path in overwritten.map(|change| &change.path) {
        let found = snapshot::look(&inspection.root, path);
        // What is no file is refused for itself where it is to be written.
        if !matches!(found, Some(Found::Blocked(_))) && found.as_ref() != inspection.disk.files.get(path) {
            return Err(Error::Changed { path: path.clone() });
        }
    }
    let writes = inspection.changes.writes(inspection.before.as_ref());
    if !writes.is_empty() {
        journal::apply(&inspection.root, &writes, watch)?;
    }
    Ok(true)
}

/// Formats missing methods as they would stand in their `impl`.
fn lay_out(stubs: &mut [MissingStub], rustfmt: &Rustfmt) -> Result<(), Error> {
    let wrapped: Vec<String> = stubs.iter().map(|stub| format!("impl T {{\n{}\n}}\n", stub.text)).collect();
    let mut cache = Cache::default();
    rustfmt.run(&wrapped.iter().map(String::as_str).collect(), &mut cache)?;
    for (stub, wrapped) in stubs.iter_mut().zip(&wrapped) {
        let formatted = cache.get(wrapped).and_then(|text| text.strip_prefix("impl T {\n")?.strip_suffix("}\n"));
        if let Some(formatted) = formatted {
            stub.text = formatted.to_owned();
        }
    }
    Ok(())
}

/// Everything that a new workspace holds, and how many files stay unformatted for want of a rustfmt.
///
/// # Errors
///
/// If a path of the plan is not one, or rustfmt refuses a text.
pub fn fresh(plan: &Plan, own: &[String], rustfmt: Option<&Rustfmt>) -> Result<(Vec<Write>, usize), Error> {
    let lock = Lock::default();
    let (wanted, unformatted) = formatted(plan, &lock, rustfmt)?;
    let changes = changes::compare(&wanted, &lock, &Snapshot::default(), own, &Cache::default());
    Ok((changes.writes(None), unformatted))
}

fn formatted(plan: &Plan, lock: &Lock, rustfmt: Option<&Rustfmt>) -> Result<(Formatted, usize), Error> {
    for path in plan.files.keys() {
        path::check(path).map_err(|reason| Error::Path { path: path.clone(), reason })?;
    }
    let mut cache = Cache::of(lock);
    let missing = format::missing(plan, lock, &cache);
    let unformatted = if rustfmt.is_none() { missing.len() } else { 0 };
    let complaints = rustfmt.map_or(Ok(Default::default()), |rustfmt| rustfmt.run(&missing, &mut cache))?;
    Ok((format::format(plan, lock, &cache, &complaints).map_err(Error::Unformattable)?, unformatted))
}

//! A formatted plan, the lock and what is on disk → what has to be done, file by file.
//!
//! A pure function of the three: showing its result is `check`, carrying it out is `sync`, and `new` is the same over
//! an empty lock and an empty disk. The rules for one file are in [`judge`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    format::{Cache, Formatted},
    lock::{self, Lock},
    manifest::Clash,
    path,
    plan::Owner,
};

mod judge;
mod show;
mod stubs;

pub use stubs::MissingStub;

/// What a workspace holds at the paths that a plan or a lock names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// A path that is not here does not exist.
    pub files: BTreeMap<String, Found>,
    /// For every file with stubs the Rust sources of its folder, by path: an `impl` may have been moved.
    pub sources: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file of text, with `\n` at the ends of its lines whatever they are on disk.
    Text(String),
    Blocked(Blocked),
}

/// What keeps a path from being read and written as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    Folder,
    Symlink,
    NotText,
    /// Neither file, folder nor link.
    Special,
    /// A folder of the path, named here, is a file.
    BelowFile(String),
    /// A folder of the path, named here, is a symbolic link.
    BelowLink(String),
    Unreadable(String),
}

/// All that differs, and the lock as it will be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Only paths with something to do or to say; in the order of their paths.
    pub files: Vec<Change>,
    /// Methods that the user's implementations lack.
    pub stubs: Vec<MissingStub>,
    /// What is to be recorded once the changes are made.
    pub lock: Lock,
}

/// One file's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub path: String,
    pub owner: Owner,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Create(Arc<str>),
    Update(Arc<str>),
    /// The user's and our changes together; the new text.
    Merge(Arc<str>),
    Delete,
    /// Left as it is, and why that is worth saying.
    Keep(&'static str),
    /// What has changed since it was written in what the design makes of a file of the user's, unified: said once, for
    /// the user to take over.
    Propose(String),
    Conflict(Conflict),
}

/// Why a file cannot be brought up to date. While there is one, nothing is changed at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub reason: Reason,
    /// From Linkwright's text to the one on disk, unified.
    pub diff: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    Edited,
    EditedAndGone,
    /// There already is a file that Linkwright did not write.
    Foreign,
    Clashes(Vec<Clash>),
    NotToml(String),
    Blocked(Blocked),
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub created: usize,
    pub updated: usize,
    pub merged: usize,
    pub deleted: usize,
    pub kept: usize,
    pub conflicts: usize,
}

/// One write of a change's execution. `None` removes the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub path: String,
    pub text: Option<Arc<str>>,
}

/// Compares. `own` are the paths left alone for good; `layout` knows the formatted form of [`doubtful`] texts.
pub fn compare(wanted: &Formatted, lock: &Lock, disk: &Snapshot, own: &[String], layout: &Cache) -> Changes {
    let mut changes = Changes::default();
    let paths: BTreeSet<&String> = wanted.files.keys().chain(lock.entries.keys()).collect();
    for path in paths {
        let (wanted, entry) = (wanted.files.get(path), lock.entries.get(path));
        let (action, entry) = if path::within(path, own) {
            (None, entry.cloned())
        } else {
            judge::judge(wanted, entry, disk.files.get(path), layout)
        };
        if let Some(action) = action {
            let owner = wanted.map(|file| file.owner).or(lock.entries.get(path).map(|entry| entry.owner));
            let owner = owner.unwrap_or(Owner::Yours);
            changes.files.push(Change { path: path.clone(), owner, action });
        }
        if let Some(entry) = entry {
            changes.lock.entries.insert(path.clone(), entry);
        }
    }
    changes.stubs = stubs::missing(wanted, disk, &changes.files, own);
    changes
}

/// The texts whose formatted form decides whether a file was edited or only laid out anew: on disk, as last written
/// and as wanted, of every Rust file of ours that is neither of the two.
pub fn doubtful<'a>(wanted: &'a Formatted, lock: &'a Lock, disk: &'a Snapshot) -> BTreeSet<&'a str> {
    let mut texts = BTreeSet::new();
    for (path, found) in &disk.files {
        let (wanted, entry) = (wanted.files.get(path), lock.entries.get(path));
        let Some(owner) = wanted.map(|file| file.owner).or(entry.map(|entry| entry.owner)) else { continue };
        let ours = matches!(owner, Owner::Generated | Owner::Vendored);
        let known = [wanted.map(|file| &*file.text), entry.and_then(|entry| entry.base.as_deref())];
        match found {
            Found::Text(text) if ours && path.ends_with(".rs") && !known.contains(&Some(text)) => {
                texts.insert(text.as_str());
                texts.extend(known.into_iter().flatten());
            }
            _ => {}
        }
    }
    texts
}

impl Changes {
    /// Nothing to do. What is merely kept or proposed does not count, nor do missing methods: they are for the user to
    /// write.
    pub fn is_clean(&self) -> bool {
        let Count { created, updated, merged, deleted, kept: _, conflicts } = self.count();
        created + updated + merged + deleted + conflicts == 0
    }

    pub fn conflicts(&self) -> impl Iterator<Item = (&Change, &Conflict)> {
        self.files.iter().filter_map(|change| match &change.action {
            Action::Conflict(conflict) => Some((change, conflict)),
            _ => None,
        })
    }

    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for change in &self.files {
            *match change.action {
                Action::Create(_) => &mut count.created,
                Action::Update(_) => &mut count.updated,
                Action::Merge(_) => &mut count.merged,
                Action::Delete => &mut count.deleted,
                Action::Keep(_) | Action::Propose(_) => &mut count.kept,
                Action::Conflict(_) => &mut count.conflicts,
            } += 1;
        }
        count
    }

    /// Every write that carries the changes out: files, then merge bases, then the lock. `before` is the lock that was
    /// compared, `None` if there was no lock yet. Conflicts must be settled first; they are left out here.
    pub fn writes(&self, before: Option<&Lock>) -> Vec<Write> {
        let mut writes = Vec::new();
        for change in &self.files {
            match &change.action {
                Action::Create(text) | Action::Update(text) | Action::Merge(text) => {
                    writes.push(Write { path: change.path.clone(), text: Some(text.clone()) });
                }
                Action::Delete => writes.push(Write { path: change.path.clone(), text: None }),
                Action::Keep(_) | Action::Propose(_) | Action::Conflict(_) => {}
            }
        }
        let bases = |lock: &Lock| -> BTreeMap<String, Arc<str>> {
            let bases = lock.entries.iter();
            bases.filter_map(|(path, entry)| Some((lock::base_path(path), entry.base.clone()?))).collect()
        };
        let (old, new) = (before.map(bases).unwrap_or_default(), bases(&self.lock));
        let gone = old.keys().filter(|path| !new.contains_key(*path));
        writes.extend(gone.map(|path| Write { path: path.clone(), text: None }));
        let fresh = new.into_iter().filter(|(path, text)| old.get(path) != Some(text));
        writes.extend(fresh.map(|(path, text)| Write { path, text: Some(text) }));
        let text = self.lock.render();
        if before.is_none_or(|before| before.render() != text) {
            writes.push(Write { path: lock::PATH.to_owned(), text: Some(text.into()) });
        }
        writes
    }
}

/// Whether two texts are the same file, but for its layout if it is Rust.
fn alike(a: &str, b: &str, layout: &Cache) -> bool {
    a == b || layout.get(a).is_some_and(|formatted| layout.get(b) == Some(formatted))
}

#[cfg(test)]
mod edits;
#[cfg(test)]
mod tests;

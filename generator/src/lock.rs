//! What was written last, and from what: `.linkwright/lock` ⇄ [`Lock`].
//!
//! The lock says for every path whose it is and the hash of the *unformatted* text it came from, so that another
//! rustfmt is no reason to rewrite a file. The text itself, as it was written, is the base of merges and stands
//! beside it under `.linkwright/base/`, one file a path. Both are committed with the workspace.
//!
//! Every owner but [`Owner::Seed`] and [`Owner::Library`] has a base: of generated and vendored files to know a hand edit and to show it, of
//! manifests to merge them, of the user's files for merging new stubs into them. Vendored files are no exception: the
//! binary that wrote them, and so their old text, is gone when its successor brings a new kit. In git the copies cost
//! next to nothing, since a base and its unedited file are the same blob.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml_edit::{DocumentMut, Item, Table, Value};

use crate::{path, plan::Owner};

/// The folder in the workspace's root that holds Linkwright's own records.
pub const FOLDER: &str = ".linkwright";
/// Where the lock is, from the workspace's root.
pub const PATH: &str = ".linkwright/lock";

const VERSION: i64 = 1;
const HEAD: &str = "# What Linkwright wrote here, and from which text. Commit it; never edit it.\n";

/// All that was written and is still watched over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pub entries: BTreeMap<String, Entry>,
}

/// One written file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub owner: Owner,
    /// SHA-256 of the unformatted text, in hexadecimal.
    pub hash: String,
    /// The text as written. `None` where there is none to keep, or its copy was lost.
    pub base: Option<Arc<str>>,
    /// The hash of the unformatted text that was proposed last, of a file of the user's that differs from its base.
    pub told: Option<String>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    #[error("`{PATH}` is damaged ({0}): restore it from version control")]
    Damaged(String),
    #[error("`{PATH}` was written by a newer Linkwright (format {0}, this one knows {VERSION})")]
    Newer(i64),
}

#[derive(Deserialize)]
struct Document {
    version: i64,
    #[serde(default)]
    files: BTreeMap<String, Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    owner: Owner,
    hash: String,
    /// Of the base, where that is another text: a base that does not fit is no base.
    formatted: Option<String>,
    told: Option<String>,
}

/// Where the base of a file is kept, from the workspace's root.
pub fn base_path(path: &str) -> String {
    format!("{FOLDER}/base/{path}")
}

/// SHA-256 in hexadecimal.
pub fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Lock {
    /// Reads a lock; `base` gives the text at a path of the workspace, if it is there.
    ///
    /// # Errors
    ///
    /// If it is not a lock of a known version, or names a path outside the workspace.
    pub fn parse(text: &str, mut base: impl FnMut(&str) -> Option<String>) -> Result<Self, LockError> {
        let damaged = |reason: &dyn ToString| LockError::Damaged(reason.to_string().trim_end().to_owned());
        let version = text.parse::<DocumentMut>().map_err(|error| damaged(&error))?;
        let version = version.get("version").and_then(Item::as_integer).unwrap_or_default();
        if version > VERSION {
            return Err(LockError::Newer(version));
        }
        let document: Document = toml_edit::de::from_str(text).map_err(|error| damaged(&error))?;
        if document.version != VERSION {
            return Err(damaged(&"no known version"));
        }
        let mut entries = BTreeMap::new();
        for (path, Line { owner, hash, formatted, told }) in document.files {
            path::check(&path).map_err(|reason| damaged(&reason))?;
            let base = if owner.keeps_base() { base(&base_path(&path)) } else { None };
            let base = base.map(Arc::from).filter(|base| self::hash(base) == *formatted.as_ref().unwrap_or(&hash));
            entries.insert(path, Entry { owner, hash, base, told });
        }
        Ok(Self { entries })
    }

    /// One line a path, sorted, so that version control merges it well.
    pub fn render(&self) -> String {
        let mut files = Table::new();
        for (path, Entry { owner, hash, base, told }) in &self.entries {
            let mut line = toml_edit::InlineTable::new();
            line.insert("owner", Value::from(name(*owner)));
            line.insert("hash", Value::from(hash));
            if let Some(formatted) = base.as_deref().map(self::hash).filter(|formatted| formatted != hash) {
                line.insert("formatted", Value::from(formatted));
            }
            if let Some(told) = told {
                line.insert("told", Value::from(told));
            }
            files.insert(path, toml_edit::value(line));
        }
        let mut document = DocumentMut::new();
        document.insert("version", toml_edit::value(VERSION));
        document.insert("files", Item::Table(files));
        format!("{HEAD}{document}")
    }
}

/// As the lock and the command line's output say it.
pub fn name(owner: Owner) -> &'static str {
    match owner {
        Owner::Generated => "generated",
        Owner::Vendored => "vendored",
        Owner::Library => "library",
        Owner::Yours => "yours",
        Owner::Applied => "applied",
        Owner::Manifest => "manifest",
        Owner::Seed => "seed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let entry = |owner, text: &str| Entry {
            owner,
            hash: hash(text),
            base: owner.keeps_base().then(|| text.to_uppercase().into()),
            told: (owner == Owner::Yours).then(|| hash("told")),
        };
        let entries = [
            ("contracts/orders/src/lib.rs", entry(Owner::Generated, "a")),
            ("services/orders/Cargo.toml", entry(Owner::Manifest, "b")),
            ("services/orders/src/orders.rs", entry(Owner::Yours, "c")),
            ("kit/it's \"odd\"/lib.rs", entry(Owner::Vendored, "d")),
            ("Cargo.lock", entry(Owner::Seed, "e")),
            ("kit/pages/libraries/x.js", entry(Owner::Library, "f")),
        ];
        Lock { entries: entries.map(|(path, entry)| (path.to_owned(), entry)).into() }
    }

    #[test]
    fn reads_what_it_writes() {
        let lock = lock();
        let text = lock.render();
        let bases: BTreeMap<String, String> = (lock.entries.iter())
            .filter_map(|(path, entry)| Some((base_path(path), entry.base.as_deref()?.to_owned())))
            .collect();
        assert_eq!(Lock::parse(&text, |path| bases.get(path).cloned()), Ok(lock.clone()));
        let lost = Lock::parse(&text, |_| Some("not what was written".to_owned())).expect("a lock");
        assert!(lost.entries.values().all(|entry| entry.base.is_none()));
        assert_eq!(text.lines().filter(|line| line.contains("hash")).count(), 6, "one line a path:\n{text}");
    }

    #[test]
    fn a_damaged_lock_is_refused() {
        let good = lock().render();
        let cases = [
            ("", "damaged"),
            ("<<<<<<< HEAD", "damaged"),
            ("version = 0", "no known version"),
            ("version = 2", "newer"),
            ("version = 1\n[files]\n\"../x\" = { owner = \"generated\", hash = \"\" }", "`../x`"),
            ("version = 1\n[files]\n\"/etc/passwd\" = { owner = \"generated\", hash = \"\" }", "`/etc/passwd`"),
            ("version = 1\n[files]\n\"a\" = { owner = \"nobody\", hash = \"\" }", "nobody"),
            (&good[..good.len() - 20], "damaged"),
        ];
        for (text, expected) in cases {
            let error = Lock::parse(text, |_| None).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}

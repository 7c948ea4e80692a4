//! Rendered text → formatted text, each text once.
//!
//! Formatting is a look into the [`Cache`]; only texts that are not there go to the real rustfmt, which
//! [`crate::disk::rustfmt`] runs and which fills the cache. Vendored files are formatted where they live and copied as
//! they stand; files that are not Rust are rendered as they should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    lock::{self, Lock},
    plan::{Owner, Plan, Stub},
};

/// The edition of all emitted Rust.
pub const EDITION: &str = "2024";

/// The `rustfmt.toml` that is used here, and emitted: `cargo fmt --check` has nothing to say in a workspace.
pub const CONFIG: &str = include_str!("../../blueprints/workspace/rustfmt.toml.hbs");

/// Formatted texts by the hash of the unformatted ones; good for one edition, configuration and rustfmt.
#[derive(Clone, Debug, Default)]
pub struct Cache(BTreeMap<String, Arc<str>>);

/// A [`Plan`] in its final form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formatted {
    pub files: BTreeMap<String, File>,
    pub stubs: BTreeMap<String, Vec<Stub>>,
}

/// One file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub text: Arc<str>,
    /// Of the text before it was formatted, as the lock keeps it.
    pub hash: String,
    pub owner: Owner,
}

/// A rendered file that rustfmt refuses. Whatever the design says, this is a mistake of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` (made by {origin}) cannot be formatted; this is a bug in Linkwright\n{message}\n{text}")]
pub struct Unformattable {
    pub path: String,
    pub origin: String,
    /// What rustfmt said.
    pub message: String,
    /// The text with its lines numbered.
    pub text: String,
}

impl Cache {
    /// What a workspace's lock and bases know: no text that was written before is formatted again, whichever rustfmt
    /// did it then, so that another version changes no file.
    pub fn of(lock: &Lock) -> Self {
        let known = lock.entries.values().filter_map(|entry| Some((entry.hash.clone(), entry.base.clone()?)));
        Self(known.collect())
    }

    /// The formatted form of a text, if it is known.
    pub fn get(&self, text: &str) -> Option<&str> {
        self.0.get(&lock::hash(text)).map(|text| &**text)
    }

    pub fn insert(&mut self, text: &str, formatted: String) {
        self.0.insert(lock::hash(text), formatted.into());
    }
}

/// The texts that [`format`] needs in its cache and does not find there.
pub fn missing<'a>(plan: &'a Plan, lock: &Lock, cache: &Cache) -> BTreeSet<&'a str> {
    let rust = plan.files.iter().filter(|(path, file)| formats(path, &file.text, file.owner, lock));
    rust.map(|(_, file)| &*file.text).filter(|text| cache.get(text).is_none()).collect()
}

/// Formats a plan from what the cache knows. `complaints` are rustfmt's about the [`missing`] texts, by text. A text
/// that is neither in the cache nor complained about stays as rendered, as all do where there is no rustfmt.
///
/// # Errors
///
/// All files that rustfmt refuses.
pub fn format(
    plan: &Plan,
    lock: &Lock,
    cache: &Cache,
    complaints: &BTreeMap<String, String>,
) -> Result<Formatted, Vec<Unformattable>> {
    let mut errors = Vec::new();
    let mut files = BTreeMap::new();
    for (path, file) in &plan.files {
        let mut text = &file.text;
        let hash = lock::hash(text);
        if formats(path, &file.text, file.owner, lock) {
            text = cache.0.get(&hash).unwrap_or(text);
            if let Some(message) = complaints.get(&*file.text) {
                errors.push(Unformattable {
                    path: path.clone(),
                    origin: file.origin.clone(),
                    message: message.clone(),
                    text: numbered(&file.text),
                });
            }
        }
        files.insert(path.clone(), File { text: text.clone(), hash, owner: file.owner });
    }
    if errors.is_empty() { Ok(Formatted { files, stubs: plan.stubs.clone() }) } else { Err(errors) }
}

/// Whether a file's text goes through rustfmt. Of the user's files only what the design has changed since they were
/// written is looked at.
fn formats(path: &str, text: &str, owner: Owner, lock: &Lock) -> bool {
    let is_new = || lock.entries.get(path).is_none_or(|entry| entry.hash != lock::hash(text));
    path.ends_with(".rs") && owner != Owner::Vendored && (owner != Owner::Yours || is_new())
}

fn numbered(text: &str) -> String {
    text.lines().enumerate().map(|(index, line)| format!("{:>5} | {line}\n", index + 1)).collect()
}

//! The whole workspace in memory: what would be written where, and whose it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Path (relative to the workspace's root, with `/`) to file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub files: BTreeMap<String, File>,
    /// The methods that a service's implementation must have, by the path of the file they belong in. That file is the
    /// user's, so nobody adds them there: those that are missing are shown.
    pub stubs: BTreeMap<String, Vec<Stub>>,
}

/// One file of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As rendered: Rust is not formatted yet.
    pub text: String,
    pub owner: Owner,
    /// What made it: a template's path, a kit file, `model` for documents lowered from the model.
    pub origin: String,
}

/// One method of a trait as it would be written into the user's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// The trait, without a path: `Inventory`.
    pub of: String,
    /// `reserve`
    pub method: String,
    /// The whole method, indented as it stands in an `impl`.
    pub text: String,
}

/// Who may change a file, and so what `sync` does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Linkwright: rewritten by `sync`; a hand edit is a conflict.
    Generated,
    /// Linkwright's kit crates: as `Generated`.
    Vendored,
    /// The user: written once.
    Yours,
    /// Both: a `Cargo.toml`, merged key by key.
    Manifest,
    /// Written once and then cargo's own: `Cargo.lock`.
    Seed,
}

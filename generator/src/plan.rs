//! The whole workspace in memory: what would be written where, and whose it is.

use std::collections::BTreeMap;

mod imports;

/// Path (relative to the workspace's root, with `/`) to file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub files: BTreeMap<String, File>,
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

/// Who may change a file, and so what `sync` does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

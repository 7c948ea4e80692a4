//! The only module that touches the file system: designs in, workspaces in and out, and rustfmt.
//!
//! Nothing here decides what a workspace holds; that is [`crate::plan`] and [`crate::changes`].

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    format::Unformattable,
    lock::{FOLDER, LockError},
};

pub mod create;
pub mod journal;
pub mod load;
mod place;
pub mod rustfmt;
pub mod snapshot;
pub mod workspace;
mod writer;

pub use writer::Watch;

#[cfg(test)]
mod tests;

/// What went wrong outside the design.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `doing` is a verb: "write".
    #[error("cannot {doing} `{}`", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` already exists and is not empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("`{}` is the current folder: go to its parent and name it from there", .0.display())]
    Current(PathBuf),
    #[error("`{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    #[error("`{}` is not in a workspace that Linkwright made: there is no `{FOLDER}` there or above", .0.display())]
    NoWorkspace(PathBuf),
    #[error("another sync is at work in `{}`", .0.display())]
    Busy(PathBuf),
    #[error(
        "`{path}` was changed after a sync was cut short, which would overwrite it: move it away and run sync again"
    )]
    Disturbed { path: String },
    #[error("`{path}` was changed while sync was at work; nothing was written: run sync again")]
    Changed { path: String },
    #[error("`{FOLDER}/journal` is damaged ({0}): remove that folder and run sync again")]
    Journal(String),
    #[error("cannot read `{path}`: {reason}")]
    Unreadable { path: String, reason: String },
    /// A path that leaves the workspace, or leads through a link.
    #[error("refusing to write `{path}`: {reason}")]
    Path { path: String, reason: String },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unformattable(Vec<Unformattable>),
}

impl Error {
    fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.into(), source }
    }
}

/// The root of the workspace that holds `from`: the folder itself or the nearest one above with a `.linkwright`.
///
/// # Errors
///
/// If there is none.
pub fn find(from: &Path) -> Result<PathBuf, Error> {
    let start = from.canonicalize().map_err(Error::io("open", from))?;
    let root = start.ancestors().find(|folder| folder.join(FOLDER).is_dir());
    root.map(Path::to_owned).ok_or_else(|| Error::NoWorkspace(from.to_owned()))
}

//! A workspace's relative path → its place on disk, never outside the workspace.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Error;
use crate::{changes::Blocked, path};

/// The place of a path below a root, where every folder on the way is one, or does not exist yet.
pub(super) fn place(root: &Path, path: &str) -> Result<PathBuf, Blocked> {
    path::check(path).map_err(Blocked::Unreadable)?;
    let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
    for folder in folders {
        match fs::symlink_metadata(root.join(folder)) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) if metadata.is_symlink() => return Err(Blocked::BelowLink(folder.to_owned())),
            Ok(_) => return Err(Blocked::BelowFile(folder.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(Blocked::Unreadable(error.to_string())),
        }
    }
    Ok(root.join(path))
}

/// As [`place`], for writing.
pub(super) fn writable(root: &Path, path: &str) -> Result<PathBuf, Error> {
    place(root, path).map_err(|blocked| Error::Path { path: path.to_owned(), reason: blocked.to_string() })
}

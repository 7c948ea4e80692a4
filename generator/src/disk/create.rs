//! A list of writes → a new workspace, whole or not at all.
//!
//! Everything is written into a temporary folder beside the target, which then takes the target's name in one step.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Error, Watch, place::writable, writer::Writer};
use crate::changes::Write;

/// Makes sure that a workspace could be created at a path, and answers its absolute form.
///
/// # Errors
///
/// If there is something, other than an empty folder that is not the current one, or the way there is no folder.
pub fn check(target: &Path) -> Result<PathBuf, Error> {
    match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => {
            let target = target.canonicalize().map_err(Error::io("open", target))?;
            let empty = fs::read_dir(&target).map_err(Error::io("open", &target))?.next().is_none();
            let current = std::env::current_dir().and_then(|folder| folder.canonicalize());
            match empty {
                false => Err(Error::NotEmpty(target)),
                true if current.is_ok_and(|current| current == target) => Err(Error::Current(target)),
                true => Ok(target),
            }
        }
        Ok(_) => Err(Error::NotAFolder(target.to_owned())),
        Err(_) if fs::symlink_metadata(target).is_ok() => Err(Error::NotAFolder(target.to_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            let absolute = std::path::absolute(target).map_err(Error::io("create", target))?;
            let above = absolute.ancestors().skip(1).find(|folder| folder.exists());
            match above {
                Some(folder) if !folder.is_dir() => Err(Error::NotAFolder(folder.to_owned())),
                _ => Ok(absolute),
            }
        }
        Err(error) => Err(Error::io("create", target)(error)),
    }
}

/// Creates a workspace. `finish` gets its folder before it has its name and may add to it; if it fails nothing stays.
/// Folders above the target are created as needed, as `cargo new` does.
///
/// # Errors
///
/// Those of [`check`], of the disk, of `watch` and of `finish`; after any of them nothing is left behind.
pub fn create<E: From<Error>>(
    target: &Path,
    writes: &[Write],
    watch: Watch,
    finish: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<PathBuf, E> {
    let target = check(target)?;
    let parent = target.parent().ok_or_else(|| Error::NotEmpty(target.clone()))?;
    let missing: Vec<&Path> = parent.ancestors().take_while(|folder| !folder.exists()).collect();
    let result = build(&target, parent, writes, watch, finish);
    if result.is_err() {
        // Only those that are empty go; the first that another process uses stays.
        let _ = missing.iter().try_for_each(fs::remove_dir);
    }
    result.map(|()| target)
}

fn build<E: From<Error>>(
    target: &Path,
    parent: &Path,
    writes: &[Write],
    watch: Watch,
    finish: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let mut writer = Writer { watch };
    writer.create_folders(parent)?;
    let name = target.file_name().unwrap_or_default();
    let prefix = format!(".{}-", name.to_string_lossy());
    let stage = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent);
    // The temporary folder is closed to others; the one in it gets the permissions that every new folder gets.
    let stage = stage.map_err(|error| Error::io("create a folder in", parent)(plain(error)))?;
    let root = stage.path().join("workspace");
    writer.create_folders(&root).map_err(|error| renamed(error, &root, target))?;
    for Write { path, text } in writes {
        let Some(text) = text else { continue };
        let place = writable(&root, path)?;
        let folder = place.parent().unwrap_or(&root);
        let written = writer.create_folders(folder).and_then(|()| writer.write(&place, text, false));
        written.map_err(|error| renamed(error, &root, target))?;
    }
    finish(&root)?;
    if target.is_dir() {
        // Only Unix lets a folder replace an empty one.
        fs::remove_dir(target).map_err(Error::io("replace", target))?;
        return writer.rename(&root, target).map_err(|error| {
            let _ = fs::create_dir(target);
            error.into()
        });
    }
    Ok(writer.rename(&root, target)?)
}

/// The path in an error as the user knows it.
fn renamed(error: Error, root: &Path, target: &Path) -> Error {
    match error {
        Error::Io { doing, path, source } => {
            let path = path.strip_prefix(root).map_or(path.clone(), |path| target.join(path));
            Error::Io { doing, path, source }
        }
        error => error,
    }
}

/// Without the random name that tempfile adds.
fn plain(error: io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

//! A workspace on disk → what comparing needs to know of it, as data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use super::{Error, place::place};
use crate::{
    changes::{Blocked, Found, Snapshot},
    format::Formatted,
    lock::{self, Lock},
    path,
};

/// Looks at every path that the plan or the lock names, but those left alone.
pub fn take(root: &Path, wanted: &Formatted, lock: &Lock, own: &[String]) -> Snapshot {
    let paths: BTreeSet<&String> = wanted.files.keys().chain(lock.entries.keys()).collect();
    let paths = paths.into_iter().filter(|path| !path::within(path, own));
    let files = paths.filter_map(|path| Some((path.clone(), look(root, path)?))).collect();
    let homes = wanted.stubs.keys().filter(|path| !path::within(path, own));
    let sources = homes.map(|path| (path.clone(), sources(root, path))).collect();
    Snapshot { files, sources }
}

/// The workspace's lock and bases. `None`: it has none (any more).
///
/// # Errors
///
/// If the lock cannot be read.
pub fn lock(root: &Path) -> Result<Option<Lock>, Error> {
    let Some(text) = text(root, lock::PATH)? else { return Ok(None) };
    let base = |path: &str| match look(root, path) {
        Some(Found::Text(text)) => Some(text),
        _ => None,
    };
    Ok(Some(Lock::parse(&text, base)?))
}

/// The text of one file of a workspace, if it is there.
///
/// # Errors
///
/// If there is something else, or it cannot be read.
pub fn text(root: &Path, path: &str) -> Result<Option<String>, Error> {
    match look(root, path) {
        None => Ok(None),
        Some(Found::Text(text)) => Ok(Some(text)),
        Some(Found::Blocked(blocked)) => Err(Error::Unreadable { path: path.to_owned(), reason: blocked.to_string() }),
    }
}

/// What is at a path now. `None`: there is nothing.
pub(super) fn look(root: &Path, path: &str) -> Option<Found> {
    let place = match place(root, path) {
        Ok(place) => place,
        Err(blocked) => return Some(Found::Blocked(blocked)),
    };
    let unreadable = |error: io::Error| Found::Blocked(Blocked::Unreadable(error.to_string()));
    let metadata = match fs::symlink_metadata(&place) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(unreadable(error)),
    };
    Some(match metadata.file_type() {
        kind if kind.is_symlink() => Found::Blocked(Blocked::Symlink),
        kind if kind.is_dir() => Found::Blocked(Blocked::Folder),
        kind if !kind.is_file() => Found::Blocked(Blocked::Special),
        _ => match fs::read(&place).map(String::from_utf8) {
            Ok(Ok(text)) if text.contains('\r') => Found::Text(text.replace("\r\n", "\n")),
            Ok(Ok(text)) => Found::Text(text),
            Ok(Err(_)) => Found::Blocked(Blocked::NotText),
            Err(error) => unreadable(error),
        },
    })
}

/// The Rust files in a file's folder and below it. What cannot be read is not looked at: it only feeds hints.
fn sources(root: &Path, home: &str) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut folders: Vec<String> = home.rsplit_once('/').map(|(folder, _)| folder.to_owned()).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{folder}/{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() && name.ends_with(".rs") => {
                    if let Some(Found::Text(text)) = look(root, &path) {
                        sources.insert(path, text);
                    }
                }
                _ => {}
            }
        }
    }
    sources
}

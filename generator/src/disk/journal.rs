//! A list of writes → a changed workspace, where a kill at any moment leaves every file old or new and nothing lost.
//!
//! 1. All new texts are written to `.linkwright/journal/` and flushed to the disk.
//! 2. The list of what is to be done, `intent`, gets its name: from here on the change will happen.
//! 3. Each text is renamed into its place, each unwanted file removed.
//! 4. `intent` is removed, then the folder.
//!
//! A kill before step 2 leaves a folder that the next sync throws away, one after it a journal that the next sync
//! finishes. A file that is neither what it was nor what it should become was changed in between: it is not touched.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Error, Watch,
    place::{place, writable},
    writer::Writer,
};
use crate::{changes::Write, lock::FOLDER, path};

/// A sync that was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Writes that are still to be made.
    pub left: usize,
    pub total: usize,
}

#[derive(Serialize, Deserialize)]
struct Intent {
    steps: Vec<Step>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    path: String,
    /// The new text's file in the journal; none for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// SHA-256 of the file before; none if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<String>,
}

/// Whether a sync was cut short here.
///
/// # Errors
///
/// If its journal cannot be read.
pub fn pending(root: &Path) -> Result<Option<Pending>, Error> {
    let Some(intent) = intent(root)? else { return Ok(None) };
    let left = intent.steps.iter().filter(|step| !done(root, step)).count();
    Ok(Some(Pending { left, total: intent.steps.len() }))
}

/// Makes the changes. Nothing is changed if it fails before they are all on the disk.
///
/// # Errors
///
/// Those of the disk and of `watch`, and [`Error::Busy`]. Whether the change will be finished by [`resume`] says
/// [`pending`].
pub fn apply(root: &Path, writes: &[Write], watch: Watch) -> Result<(), Error> {
    resume(root, &mut *watch)?;
    let mut writer = Writer { watch };
    let _busy = enter(root, &mut writer)?;
    if let Err(error) = stage(root, writes, &mut writer) {
        if matches!(intent(root), Ok(None)) {
            let _ = fs::remove_dir_all(folder(root));
        }
        return Err(error);
    }
    finish(root, &mut writer)
}

/// Finishes a sync that was cut short, and answers whether there was one. Texts that were never meant to be put in
/// place yet are thrown away.
///
/// # Errors
///
/// Those of [`apply`], and [`Error::Disturbed`] if a file was changed in between.
pub fn resume(root: &Path, watch: Watch) -> Result<bool, Error> {
    if !folder(root).exists() {
        return Ok(false);
    }
    let mut writer = Writer { watch };
    let _busy = enter(root, &mut writer)?;
    let pending = intent(root)?.is_some();
    finish(root, &mut writer)?;
    Ok(pending)
}

/// A locked file. Closing it is not enough: a process that another thread just started may hold it open, too.
struct Busy(File);

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn folder(root: &Path) -> PathBuf {
    root.join(FOLDER).join("journal")
}

/// Opens the journal's folder for one process at a time.
fn enter(root: &Path, writer: &mut Writer) -> Result<Busy, Error> {
    let folder = writable(root, &format!("{FOLDER}/journal/busy")).map(|_| folder(root))?;
    writer.create_folders(&folder)?;
    let path = folder.join("busy");
    let busy = File::options().create(true).append(true).open(&path).map_err(Error::io("write", &path))?;
    match busy.try_lock() {
        Ok(()) => Ok(Busy(busy)),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(root.to_owned())),
        // Some network file systems have no locks; one sync at a time is then up to the user.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(Busy(busy)),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}

fn intent(root: &Path) -> Result<Option<Intent>, Error> {
    let path = folder(root).join("intent");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    let intent: Intent = serde_json::from_str(&text).map_err(|error| Error::Journal(error.to_string()))?;
    for Step { path, text, .. } in &intent.steps {
        path::check(path).map_err(Error::Journal)?;
        if text.as_ref().is_some_and(|name| name.contains(|c: char| !c.is_ascii_digit())) {
            return Err(Error::Journal(format!("no text is called `{}`", text.as_deref().unwrap_or_default())));
        }
    }
    Ok(Some(intent))
}

/// Steps 1 and 2.
fn stage(root: &Path, writes: &[Write], writer: &mut Writer) -> Result<(), Error> {
    let folder = folder(root);
    for leftover in fs::read_dir(&folder).map_err(Error::io("open", &folder))?.flatten() {
        if leftover.file_name() != "busy" {
            writer.remove(&leftover.path())?;
        }
    }
    let mut steps = Vec::new();
    for (number, write) in writes.iter().enumerate() {
        let old = current(&writable(root, &write.path)?).map_err(Error::io("read", root.join(&write.path)))?;
        let text = write.text.as_ref().map(|text| (number.to_string(), text));
        if let Some((name, text)) = &text {
            writer.write(&folder.join(name), text, true)?;
        }
        steps.push(Step { path: write.path.clone(), text: text.map(|(name, _)| name), old });
    }
    let text = serde_json::to_string_pretty(&Intent { steps }).map_err(|error| Error::Journal(error.to_string()))?;
    let draft = folder.join("draft");
    writer.write(&draft, &text, true)?;
    writer.rename(&draft, &folder.join("intent"))?;
    flush(&folder);
    Ok(())
}

/// Steps 3 and 4.
fn finish(root: &Path, writer: &mut Writer) -> Result<(), Error> {
    let Some(intent) = intent(root)? else { return writer.remove_folder(&folder(root)) };
    let mut folders = BTreeSet::new();
    for step in intent.steps.iter().filter(|step| !done(root, step)) {
        let place = writable(root, &step.path)?;
        let found = current(&place).map_err(Error::io("read", &place))?;
        let text = step.text.as_ref().map(|name| folder(root).join(name));
        let new = match &text {
            Some(text) => current(text).map_err(Error::io("read", text))?,
            None => None,
        };
        if found != step.old && found != new {
            return Err(Error::Disturbed { path: step.path.clone() });
        }
        match text {
            Some(text) => {
                let parent = place.parent().unwrap_or(root);
                writer.create_folders(parent)?;
                writer.put(&text, &place)?;
                folders.insert(parent.to_owned());
            }
            None => writer.remove(&place)?,
        }
    }
    for step in intent.steps.iter().filter(|step| step.text.is_none()) {
        writer.prune(root, &writable(root, &step.path)?)?;
    }
    folders.iter().for_each(|folder| flush(folder));
    writer.remove(&folder(root).join("intent"))?;
    writer.remove_folder(&folder(root))
}

/// A text that is no longer in the journal is in its place.
fn done(root: &Path, step: &Step) -> bool {
    match &step.text {
        Some(name) => !folder(root).join(name).exists(),
        None => place(root, &step.path).is_ok_and(|place| fs::symlink_metadata(place).is_err()),
    }
}

/// The hash of a file's bytes; `None` if there is no file.
fn current(path: &Path) -> io::Result<Option<String>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Ok(Some("a symbolic link".to_owned())),
        Ok(_) => {
            let hash = Sha256::digest(fs::read(path)?);
            Ok(Some(hash.iter().map(|byte| format!("{byte:02x}")).collect()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks the disk to keep the names in a folder. Not every system can; the texts themselves are safe already.
fn flush(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

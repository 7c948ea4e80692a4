//! Every change to the file system, one step at a time.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    time::SystemTime,
};

use super::Error;

/// Asked before every step, with the path it changes; an error stops the work there. The command line stops on Ctrl-C
/// with it, and tests stop at each step in turn.
pub type Watch<'a> = &'a mut dyn FnMut(&Path) -> io::Result<()>;

pub(super) struct Writer<'a> {
    pub watch: Watch<'a>,
}

impl Writer<'_> {
    fn step<T>(&mut self, doing: &'static str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> Result<T, Error> {
        (self.watch)(path).and_then(|()| act()).map_err(Error::io(doing, path))
    }

    pub fn create_folders(&mut self, path: &Path) -> Result<(), Error> {
        if path.is_dir() {
            return Ok(());
        }
        self.step("create", path, || fs::create_dir_all(path))
    }

    /// Writes a file that is not there yet. `durably`: it is on the disk itself before this returns.
    pub fn write(&mut self, path: &Path, text: &str, durably: bool) -> Result<(), Error> {
        self.step("write", path, || {
            let mut file = File::create_new(path)?;
            file.write_all(text.as_bytes())?;
            if durably { file.sync_all() } else { Ok(()) }
        })
    }

    /// Puts a written file in its place, as of now: cargo builds what is newer than its last build.
    pub fn put(&mut self, from: &Path, to: &Path) -> Result<(), Error> {
        self.step("write", to, || {
            File::options().write(true).open(from)?.set_modified(SystemTime::now())?;
            fs::rename(from, to)
        })
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> Result<(), Error> {
        self.step("create", to, || fs::rename(from, to))
    }

    pub fn remove(&mut self, path: &Path) -> Result<(), Error> {
        self.step("remove", path, || absent(fs::remove_file(path)))
    }

    pub fn remove_folder(&mut self, path: &Path) -> Result<(), Error> {
        self.step("remove", path, || absent(fs::remove_dir_all(path)))
    }

    /// Removes the folders above a removed file that hold nothing else, up to but without `root`.
    pub fn prune(&mut self, root: &Path, removed: &Path) -> Result<(), Error> {
        for folder in removed.ancestors().skip(1).take_while(|folder| *folder != root) {
            (self.watch)(folder).map_err(Error::io("remove", folder))?;
            if absent(fs::remove_dir(folder)).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

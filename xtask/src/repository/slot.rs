//! Where workspaces are made to be tested: one after another in one place, with one target folder.
//!
//! What all of them depend on is compiled once. Cargo names a path crate by its place below the workspace's root, and so
//! would take a service of the last workspace for one of this: before a workspace goes, what was built of its members goes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{
    child::{cargo, command},
    test::Bench,
};

/// The place.
#[derive(Debug)]
pub struct Slot {
    /// The workspace that is there now, if one is.
    pub workspace: PathBuf,
    pub target: PathBuf,
    /// What is in the place, while it is as it was made.
    label: PathBuf,
}

impl Slot {
    pub fn new(root: &Path) -> Self {
        let place = root.join("target/workspaces");
        Self { workspace: place.join("workspace"), target: place.join("target"), label: place.join("made.txt") }
    }

    /// A call of cargo in the workspace.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        self.with_target(cargo(&self.workspace, arguments))
    }

    /// The command builds into the place's target folder.
    pub fn with_target(&self, mut command: Command) -> Command {
        // Made anew each time, so what would speed up the next build only fills the disk.
        command.env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "0");
        command
    }

    /// Removes the workspace, and what was built of its members.
    ///
    /// # Errors
    /// Something cannot be removed.
    pub fn clear(&self) -> Result<()> {
        remove(&self.label)?;
        // Of what workspace it is otherwise, nobody knows.
        let mut clean = self.cargo(&["clean", "--quiet", "--offline", "--workspace"]);
        if !clean.output().is_ok_and(|cleaned| cleaned.status.success()) {
            remove(&self.target)?;
        }
        remove(&self.workspace)
    }

    /// Makes the workspace of an example (a name) or of a design (a file) in the place. Says whether that succeeded.
    ///
    /// # Errors
    /// As for [`clear`](Self::clear), and if linkwright cannot be run.
    pub fn make(&self, bench: &mut Bench, name: &str, more: &[&str]) -> Result<bool> {
        self.clear()?;
        let place = self.workspace.parent().unwrap_or(&bench.root);
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
        let mut new = command(&bench.linkwright, place);
        new.args(["new", "workspace", "--vcs", "none"]).args(more);
        let design = design(&bench.root, name);
        match design.exists() {
            true => new.arg("--design").arg(design),
            false => new.args(["--example", name]),
        };
        let what = format!("{name}: new{}", if more.is_empty() { "" } else { " " }) + &more.join(" ");
        let is_made = bench.step(&what, self.with_target(new))?;
        if is_made {
            fs::write(&self.label, name).with_context(|| format!("cannot write {}", self.label.display()))?;
        }
        Ok(is_made)
    }

    /// As [`make`](Self::make), unless the workspace is there already and as it would be made now.
    ///
    /// # Errors
    /// As for [`make`](Self::make).
    pub fn keep_or_make(&self, bench: &mut Bench, name: &str) -> Result<bool> {
        let is_there = fs::read_to_string(&self.label).is_ok_and(|label| label == name);
        Ok((is_there && self.is_current(bench, name)?) || self.make(bench, name, &[])?)
    }

    fn is_current(&self, bench: &Bench, name: &str) -> Result<bool> {
        let same_design = |design: &Path| fs::read(design).ok() == fs::read(self.workspace.join("design.toml")).ok();
        let design = design(&bench.root, name);
        let mut check = command(&bench.linkwright, &self.workspace);
        let check = check.arg("check").output().context("cannot run linkwright")?;
        // What `check` only proposes is not as it would be.
        Ok((!design.exists() || same_design(&design)) && check.status.success() && check.stdout.is_empty())
    }

    /// Builds the programs of the workspace and copies them to where they stay when it goes; `None` if it does not build.
    ///
    /// # Errors
    /// As for [`make`](Self::make), and if a program cannot be copied.
    pub fn programs(&self, bench: &mut Bench, name: &str) -> Result<Option<PathBuf>> {
        if !self.keep_or_make(bench, name)? {
            return Ok(None);
        }
        if !bench.step(&format!("{name}: build"), self.cargo(&["build", "--workspace", "--bins"]))? {
            return Ok(None);
        }
        let programs = self.workspace.with_file_name("programs").join(name);
        remove(&programs)?;
        fs::create_dir_all(&programs)?;
        for file in fs::read_dir(self.target.join("debug"))? {
            let file = file?.path();
            let is_program = file.is_file() && file.extension().is_none_or(|end| end == "exe");
            if let (true, Some(name)) = (is_program, file.file_name()) {
                fs::copy(&file, programs.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
            }
        }
        Ok(Some(programs))
    }
}

/// The file of a design that is made for tests.
fn design(root: &Path, name: &str) -> PathBuf {
    let place = if name == "matrix" { "target/workspaces" } else { "tests/designs" };
    root.join(place).join(name).with_extension("toml")
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), &place)?;
        }
    }
    Ok(())
}

/// Removes a file or a folder, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if path.exists() => Err(error).with_context(|| format!("cannot delete {}", path.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A workspace with one service, which says a word. Its files are old, as if it had been made before the last build.
    fn write(slot: &Slot, word: &str) {
        let service = slot.workspace.join("services/speaker");
        fs::create_dir_all(service.join("src")).unwrap();
        let manifest = "[workspace]\nmembers = [\"services/*\"]\nresolver = \"3\"\n";
        let package = "[package]\nname = \"speaker\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        for (path, text) in [
            (slot.workspace.join("Cargo.toml"), manifest.to_owned()),
            (service.join("Cargo.toml"), package.to_owned()),
            (service.join("src/main.rs"), format!("fn main() {{ print!(\"{word}\") }}\n")),
        ] {
            fs::write(&path, text).unwrap();
            let hour_ago = SystemTime::now() - Duration::from_secs(3600);
            fs::File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
        }
    }

    fn says(slot: &Slot) -> String {
        let said = slot.cargo(&["run", "--quiet", "--offline"]).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    }

    #[test]
    fn a_workspace_never_takes_what_was_built_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::new(folder.path());
        write(&slot, "one");
        assert_eq!(says(&slot), "one");
        // So it is without care, or this test could not fail.
        write(&slot, "two");
        assert_eq!(says(&slot), "one");
        slot.clear().unwrap();
        assert!(!slot.workspace.exists());
        write(&slot, "two");
        assert_eq!(says(&slot), "two");
    }
}

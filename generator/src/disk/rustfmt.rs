//! Unformatted texts → a filled [`Cache`], with the user's rustfmt and our configuration.
//!
//! The texts are laid out flat in a temporary folder, and one rustfmt formats many of them: that is some 40 times faster
//! than one process a file. Two things make it safe. rustfmt follows `mod x;`, so each such name gets an empty file
//! there. And where a batch fails all the same, its texts go through standard input one by one, where rustfmt follows
//! nothing and its complaint is about one text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use super::Error;
use crate::format::{CONFIG, Cache, EDITION};

/// Names given to one rustfmt at most, so that its command line stays short on every system.
const BATCH: usize = 400;

/// A rustfmt that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rustfmt {
    pub program: PathBuf,
    /// `rustfmt 1.9.0-stable (…)`
    pub version: String,
}

type Outcome = Result<String, String>;

impl Rustfmt {
    /// Asks a program for its version. `None`: there is no such rustfmt.
    pub fn at(program: impl Into<PathBuf>) -> Option<Self> {
        let program = program.into();
        let output = Command::new(&program).arg("--version").stdin(Stdio::null()).output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && version.starts_with("rustfmt")).then_some(Self { program, version })
    }

    /// Formats texts into the cache; answers what rustfmt says of those that it refuses, by text.
    ///
    /// # Errors
    ///
    /// If the temporary folder cannot be written or rustfmt cannot be run.
    pub fn run(&self, texts: &BTreeSet<&str>, cache: &mut Cache) -> Result<BTreeMap<String, String>, Error> {
        let mut complaints = BTreeMap::new();
        if texts.is_empty() {
            return Ok(complaints);
        }
        let stage = tempfile::Builder::new().prefix("linkwright-").tempdir();
        let stage = stage.map_err(Error::io("create", std::env::temp_dir()))?;
        let texts: Vec<&str> = texts.iter().copied().collect();
        let outcomes = self.all(stage.path(), &texts).map_err(Error::io("format in", stage.path()))?;
        for (text, outcome) in texts.iter().zip(outcomes) {
            match outcome {
                Ok(formatted) => cache.insert(text, formatted),
                Err(complaint) => {
                    complaints.insert((*text).to_owned(), complaint);
                }
            }
        }
        Ok(complaints)
    }

    fn all(&self, stage: &Path, texts: &[&str]) -> io::Result<Vec<Outcome>> {
        fs::write(stage.join("rustfmt.toml"), CONFIG)?;
        for name in texts.iter().flat_map(|text| modules(text)) {
            fs::write(stage.join(format!("{name}.rs")), "")?;
        }
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let size = texts.len().div_ceil(threads).clamp(1, BATCH);
        let batches: Vec<_> = texts.chunks(size).enumerate().collect();
        let mut outcomes = Vec::with_capacity(texts.len());
        for wave in batches.chunks(threads) {
            let wave: Vec<io::Result<Vec<Outcome>>> = thread::scope(|scope| {
                let batch = |(number, texts): &(usize, &[&str])| self.batch(stage, *number, texts);
                let running: Vec<_> = wave.iter().map(|work| scope.spawn(move || batch(work))).collect();
                let died = |_| Err(io::Error::other("the formatting thread panicked"));
                running.into_iter().map(|thread| thread.join().unwrap_or_else(died)).collect()
            });
            for batch in wave {
                outcomes.extend(batch?);
            }
        }
        Ok(outcomes)
    }

    fn batch(&self, stage: &Path, number: usize, texts: &[&str]) -> io::Result<Vec<Outcome>> {
        // No module is called by a number, so these never meet the empty files.
        let names: Vec<String> = (0..texts.len()).map(|index| format!("{number}_{index}.rs")).collect();
        for (name, text) in names.iter().zip(texts) {
            fs::write(stage.join(name), text)?;
        }
        let done = self.command(stage).args(&names).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success();
        let text = |(name, text): (&String, &&str)| {
            if done { fs::read_to_string(stage.join(name)).map(Ok) } else { self.single(stage, text) }
        };
        names.iter().zip(texts).map(text).collect()
    }

    /// One text through standard input.
    fn single(&self, stage: &Path, text: &str) -> io::Result<Outcome> {
        let mut child =
            self.command(stage).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take();
        let output = thread::scope(|scope| {
            // rustfmt may stop reading early; what it says then matters more than the broken pipe.
            scope.spawn(move || input.take().map(|mut input| input.write_all(text.as_bytes())));
            child.wait_with_output()
        })?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).map_err(|error| error.to_string()));
        }
        Ok(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    fn command(&self, stage: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(stage).args(["--edition", EDITION, "--config-path", "rustfmt.toml"]).stdin(Stdio::null());
        command
    }
}

/// The names of `mod x;` in a text.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (before, name) = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
        let name = name.trim().trim_start_matches("r#");
        let word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        (word && (before.is_empty() || before.ends_with([' ', ']']))).then_some(name)
    })
}

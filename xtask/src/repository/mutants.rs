//! Mistakes made on purpose in an emitted workspace: its own tests have to find each, and to leave in peace what is none.
//!
//! A mutant counts only if it applied and the workspace compiles; then the tests must fail and name what is wrong.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::SystemTime,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// A file of `tests/mutants`: the mistakes in the workspace of a design.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub mutants: Vec<Mutant>,
    /// Changes within the contract.
    pub harmless: Vec<Mutant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    pub kind: String,
    /// From the workspace's root.
    pub file: String,
    /// Stands in it once.
    pub find: String,
    pub replace: String,
    /// What the failing tests say: operation, transport, rule.
    #[serde(default)]
    pub names: Vec<String>,
}

impl Catalogue {
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// Applies a change to the workspace, runs its tests, and takes the change back. `test` is the command of the tests; with
/// `--no-run` it only compiles.
///
/// # Errors
/// The mutant says nothing of the tests: it did not apply or did not compile. Or it does, and they did not find it.
pub fn found(workspace: &Path, mutant: &Mutant, test: impl Fn(&[&str]) -> Command) -> Result<()> {
    let said = tried(workspace, mutant, test)?;
    let Some(said) = said else { bail!("the tests pass") };
    for name in &mutant.names {
        ensure!(said.contains(name.as_str()), "the tests fail without a word of `{name}`:\n{}", last_lines(&said));
    }
    Ok(())
}

/// As [`found`], for what is no mistake.
///
/// # Errors
/// It did not apply or did not compile, or the tests fail.
pub fn passed(workspace: &Path, change: &Mutant, test: impl Fn(&[&str]) -> Command) -> Result<()> {
    match tried(workspace, change, test)? {
        None => Ok(()),
        Some(said) => bail!("the tests fail:\n{}", last_lines(&said)),
    }
}

/// What the tests say if they fail.
fn tried(workspace: &Path, mutant: &Mutant, test: impl Fn(&[&str]) -> Command) -> Result<Option<String>> {
    let path = workspace.join(&mutant.file);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let count = text.matches(&mutant.find).count();
    ensure!(count == 1, "it does not apply: what it changes stands {count} times in {}", mutant.file);
    write(&path, &text.replacen(&mutant.find, &mutant.replace, 1))?;
    let outcome = (|| -> Result<Option<String>> {
        let compiled = test(&["--no-run"]).output().context("cannot run cargo")?;
        ensure!(compiled.status.success(), "it does not compile:\n{}", last_lines(&text_of(&compiled)));
        let tested = test(&[]).output().context("cannot run cargo")?;
        Ok((!tested.status.success()).then(|| text_of(&tested)))
    })();
    write(&path, &text)?;
    outcome
}

/// Cargo looks at the time of a file, which may not be that of the last build.
fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)
        .and_then(|()| fs::File::options().write(true).open(path)?.set_modified(SystemTime::now()))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace whose tests are a search for a word.
    fn tried(replace: &str, names: &[&str]) -> (Result<()>, Result<()>, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        fs::write(&file, "right once\n").unwrap();
        let mutant = Mutant {
            kind: "word".into(),
            file: "a.txt".into(),
            find: "right".into(),
            replace: replace.into(),
            names: names.iter().map(|&name| name.into()).collect(),
        };
        let test = |more: &[&str]| {
            let mut command = Command::new("sh");
            let script = if more.is_empty() {
                "grep -q right a.txt || { echo a.txt: no right; exit 1; }"
            } else {
                "! grep -q broken a.txt"
            };
            command.args(["-c", script]).current_dir(folder.path());
            command
        };
        let results = (found(folder.path(), &mutant, test), passed(folder.path(), &mutant, test));
        (results.0, results.1, fs::read_to_string(&file).unwrap())
    }

    #[test]
    #[cfg(unix)]
    fn a_mutant_counts_if_it_compiles_and_the_tests_name_it() {
        let (found, passed, text) = tried("wrong", &["a.txt: no right"]);
        assert!(found.is_ok() && passed.is_err());
        assert_eq!(text, "right once\n", "the change is taken back");
        let said = |result: Result<()>| result.unwrap_err().to_string();
        assert!(said(tried("wrong", &["b.txt"]).0).contains("without a word of `b.txt`"));
        let (found, passed, _) = tried("right right", &[]);
        assert!(said(found).contains("the tests pass") && passed.is_ok());
        let (found, passed, _) = tried("broken", &[]);
        assert!(said(found).contains("does not compile") && said(passed).contains("does not compile"));
    }
}

//! Strangers' tools judge built workspaces: [`tests/judges`](../../../tests/judges) runs their services and asks.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{
    child::command,
    slot::Slot,
    test::{Bench, Depth},
};

/// The workspaces that are judged: all examples, and a design with streams of every kind.
const JUDGED: &[&str] = &["hello", "shop", "streams"];

/// Judges those workspaces, or the ones of them that `DESIGNS` names.
pub fn judges(bench: &mut Bench) -> Result<()> {
    let python = home().join("judges/python").join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        return bench.lacks("judges of others", ".ci/judges/install");
    }
    let wanted = env::var("DESIGNS").ok();
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|wanted| wanted == name));
    for name in JUDGED.iter().filter(|name| is_wanted(name)) {
        judged(bench, &python, name)?;
    }
    Ok(())
}

fn judged(bench: &mut Bench, python: &Path, name: &str) -> Result<()> {
    let slot = Slot::new(&bench.root);
    if let Some(programs) = slot.programs(bench, name)? {
        let mut judge = command(python, &bench.root);
        judge
            .args(["-B", "tests/judges/judge.py"])
            .arg("--workspace")
            .arg(&slot.workspace)
            .arg("--programs")
            .arg(programs);
        if bench.depth == Depth::Thorough {
            judge.arg("--thorough");
        }
        bench.step(&format!("{name}: judges"), judge)?;
    }
    Ok(())
}

/// Where programs of the tests are put: as in `.ci/judges/install`.
pub fn home() -> PathBuf {
    let user = || env::home_dir().unwrap_or_default().join(".cache/testbed");
    env::var_os("TESTBED_HOME").map_or_else(user, PathBuf::from)
}

//! Strangers' tools judge built workspaces: [`tests/judges`](../../../tests/judges) runs their services and asks.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{
    child::{cargo, command},
    test::{Bench, Depth},
};

/// The workspaces that are judged: all examples.
const JUDGED: &[&str] = &["hello", "shop"];

/// Judges the workspaces that the stages before have left, or makes them; `DESIGNS` names some of them.
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
    let scratch = bench.root.join("target/workspaces");
    let (workspace, target) = (scratch.join(name), scratch.join("target").join(name));
    if !workspace.exists() && !bench.step(&format!("{name}: new"), new(bench, &scratch, name))? {
        return Ok(());
    }
    let mut build = cargo(&workspace, &["build", "--workspace", "--bins"]);
    build.env("CARGO_TARGET_DIR", &target).env("CARGO_INCREMENTAL", "0");
    if bench.step(&format!("{name}: build"), build)? {
        let mut judge = command(python, &bench.root);
        judge.args(["-B", "tests/judges/judge.py"]).arg("--workspace").arg(&workspace).arg("--programs");
        judge.arg(target.join("debug"));
        if bench.depth == Depth::Thorough {
            judge.arg("--thorough");
        }
        bench.step(&format!("{name}: judges"), judge)?;
    }
    Ok(())
}

fn new(bench: &Bench, scratch: &Path, name: &str) -> Command {
    let mut new = command(&bench.linkwright, scratch);
    new.args(["new", name, "--vcs", "none"]);
    let design = bench.root.join("tests/designs").join(name).with_extension("toml");
    match design.exists() {
        true => new.arg("--design").arg(design),
        false => new.args(["--example", name]),
    };
    new
}

/// Where programs of the tests are put: as in `.ci/judges/install`.
fn home() -> PathBuf {
    let user = || env::home_dir().unwrap_or_default().join(".cache/testbed");
    env::var_os("TESTBED_HOME").map_or_else(user, PathBuf::from)
}

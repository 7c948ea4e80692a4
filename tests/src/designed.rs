//! A design's text → its model and plan, or what is wrong with it as people are told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use generator::{
    changes::Write,
    contracts::wire::WireLock,
    diagnostic::render,
    disk::{load, rustfmt::Rustfmt, workspace},
    model::Model,
    plan::{self, Plan},
    source::{Source, Sources},
};

/// What a design becomes.
pub struct Designed {
    pub model: Model,
    pub plan: Plan,
}

/// One file of a design that never was a file.
pub fn sources(text: &str) -> Sources {
    Sources(vec![Source { path: "design.toml".into(), location: PathBuf::new(), text: text.into() }])
}

/// As `new` does it.
///
/// # Errors
/// Everything that is wrong with the design.
pub fn designed(text: &str) -> Result<Designed> {
    designed_after(text, WireLock::default())
}

/// As `sync` does it in a workspace with these numbers.
///
/// # Errors
/// As [`designed`].
pub fn designed_after(text: &str, wire: WireLock) -> Result<Designed> {
    let sources = sources(text);
    let model = generator::understand(&sources)
        .map_err(|found| anyhow!("the design is refused:\n{}", render::render(&found, &sources, false)))?;
    let plan = plan::plan(&model, &[("design.toml".to_owned(), text.to_owned())], wire)?;
    Ok(Designed { model, plan })
}

/// The text of a design of one file.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> Result<String> {
    let loaded = load::load(path);
    let root = loaded.sources.0.into_iter().next().filter(|_| loaded.diagnostics.is_empty());
    root.map(|root| root.text.to_string()).with_context(|| format!("cannot read {}", path.display()))
}

/// A path below the root of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// All designs of this repository that become workspaces, by name.
///
/// # Errors
/// If one cannot be read.
pub fn all() -> Result<Vec<(String, String)>> {
    let mut designs = Vec::new();
    for folder in ["examples", "tests/designs", "tests/cases"] {
        for entry in fs::read_dir(repository(folder)).with_context(|| folder.to_owned())? {
            let path = entry?.path();
            let path = if path.is_dir() { path.join("design.toml") } else { path };
            // What is ahead of the blueprints is no workspace yet.
            let is_design = path.is_file() && path.extension().is_some_and(|ending| ending == "toml");
            if is_design && !path.ends_with("shop-full.toml") {
                designs.push((path.display().to_string(), read(&path)?));
            }
        }
    }
    designs.sort();
    Ok(designs)
}

/// The rustfmt that users have too.
///
/// # Errors
/// If there is none.
pub fn rustfmt() -> Result<Rustfmt> {
    Rustfmt::at("rustfmt").context("this test needs rustfmt")
}

/// All files of a new workspace, as they are written.
///
/// # Errors
/// If rustfmt refuses one.
pub fn files(plan: &Plan) -> Result<Vec<Write>> {
    Ok(workspace::fresh(plan, &[], Some(&rustfmt()?))?.0)
}

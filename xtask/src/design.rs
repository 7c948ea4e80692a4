//! Where a design comes from → the plan of its workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use generator::{
    blueprints,
    changes::Write,
    contracts::wire::WireLock,
    diagnostic::Diagnostic,
    disk::{load, snapshot},
    lock, parse, path,
    plan::{self, Owner, Plan},
    source::{Source, Sources},
};

use crate::output::Problem;

/// Where the design is.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A file anywhere, with the files it includes.
    File(PathBuf),
    /// One of the examples within the program.
    Example(String),
    /// The `design.toml` of a workspace, by the workspace's root.
    Workspace(PathBuf),
}

/// What a design asks for.
pub struct Designed {
    /// Of the system.
    pub name: String,
    pub plan: Plan,
    /// How many services there are.
    pub services: usize,
    /// Paths left alone for good.
    pub own: Vec<String>,
    /// What the design probably does not mean, and its text.
    pub warnings: (Vec<Diagnostic>, Sources),
}

/// Reads a design and plans its workspace. The command line gets it as a value, so that its tests can bring their own.
pub type Planner = fn(&Origin) -> Result<Designed, Problem>;

/// Every design is a file of this name in its workspace.
pub const ROOT: &str = "design.toml";
/// The numbers of a workspace's messages.
pub const WIRE: &str = "contracts/wire.lock";

/// The real [`Planner`].
pub fn plan(origin: &Origin) -> Result<Designed, Problem> {
    let sources = match origin {
        Origin::File(file) => read(file)?,
        Origin::Workspace(root) => read(&root.join(ROOT))?,
        Origin::Example(name) => example(name)?,
    };
    let understood = match generator::understood(parse::parse(&sources)) {
        Ok(understood) => understood,
        Err(diagnostics) => return Err(Problem::Design(diagnostics, sources)),
    };
    let mut files: Vec<(String, String)> = Vec::new();
    for (number, source) in sources.0.iter().enumerate() {
        let path = if number == 0 { ROOT } else { source.path.as_str() };
        if files.iter().any(|(other, _)| other == path) {
            return Err(
                anyhow::anyhow!("the design includes a file called `{ROOT}`, which is the name of its root").into()
            );
        }
        files.push((path.to_owned(), source.text.to_string()));
    }
    let wire = match origin {
        Origin::Workspace(root) => wire(root)?,
        Origin::File(_) | Origin::Example(_) => WireLock::default(),
    };
    let warnings = (understood.warnings(), sources);
    let model = understood.model;
    let plan = plan::plan(&model, &files, wire).context("this is a bug in Linkwright")?;
    Ok(Designed { services: model.services.len(), name: model.name, plan, own: model.own, warnings })
}

fn read(file: &Path) -> Result<Sources, Problem> {
    let loaded = load::load(file);
    if loaded.diagnostics.is_empty() {
        Ok(loaded.sources)
    } else {
        Err(Problem::Design(loaded.parse().1, loaded.sources))
    }
}

/// The numbers that the workspace's messages have.
pub fn wire(root: &Path) -> Result<WireLock, Problem> {
    let text = snapshot::text(root, WIRE)?.unwrap_or_default();
    WireLock::parse(&text).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("`{WIRE}`, {error}")).collect();
        anyhow::anyhow!(lines.join("\n")).into()
    })
}

/// Names and summaries of the examples, sorted.
pub fn examples() -> Vec<(String, String)> {
    let designs = blueprints::below("examples").filter_map(|(path, text)| {
        let name = path.strip_suffix(ROOT)?.strip_suffix('/').filter(|name| !name.contains('/'))?;
        let source = Source { path: ROOT.into(), location: PathBuf::new(), text: text.into() };
        let (design, _) = parse::parse(&Sources(vec![source]));
        Some((name.to_owned(), design.system.head.docs.summary.map_or(String::new(), |summary| summary.value)))
    });
    designs.collect()
}

/// An example's design, read as every other is: from a folder.
fn example(name: &str) -> Result<Sources, Problem> {
    let names: Vec<String> = examples().into_iter().map(|(name, _)| name).collect();
    if !names.iter().any(|known| known == name) {
        return Err(anyhow::anyhow!("there is no example `{name}`; there are {}", names.join(", ")).into());
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    for (path, text) in blueprints::below(&format!("examples/{name}")).filter(|(path, _)| path.ends_with(".toml")) {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap_or(folder.path())).context("cannot write to a temporary folder")?;
        fs::write(&place, text).context("cannot write to a temporary folder")?;
    }
    read(&folder.path().join(ROOT))
}

/// Puts the code that an example was given by hand in the place of the user's files as planned.
pub fn add_code(writes: &mut Vec<Write>, plan: &Plan, example: &str) {
    for (path, text) in blueprints::below(&format!("examples/{example}")) {
        let owner = plan.files.get(path).map_or(Owner::Yours, |file| file.owner);
        if owner.is_linkwright() || path.starts_with(lock::FOLDER) || path::check(path).is_err() {
            continue;
        }
        match writes.iter_mut().find(|write| write.path == path) {
            Some(write) => write.text = Some(text.into()),
            None => writes.push(Write { path: path.to_owned(), text: Some(text.into()) }),
        }
    }
}

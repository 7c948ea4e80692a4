//! The whole workspace in memory: what would be written where, and whose it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    contracts::{pb::PbError, wire::WireLock},
    model::Model,
    render::{TemplateError, Templates},
    scope::Scope,
};

mod adapter;
mod batch_get;
mod contract;
mod day_one;
mod events;
mod examples;
mod faces;
mod fronts;
mod gate;
mod graphql;
mod grpc;
mod heard;
mod imports;
mod jsonrpc;
mod manifest;
mod operations;
mod publish;
mod queue;
mod resources;
mod rest;
mod rust;
mod service;
mod store;
mod tests;
mod tries;
mod types;
mod versions;
mod walk;
mod ways;
mod workspace;

pub use workspace::{PAGES, port};

/// Path (relative to the workspace's root, with `/`) to file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub files: BTreeMap<String, File>,
    /// The methods that a service's implementation must have, by the path of the file they belong in. That file is the
    /// user's, so nobody adds them there: those that are missing are shown.
    pub stubs: BTreeMap<String, Vec<Stub>>,
}

/// One file of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As rendered: Rust is not formatted yet.
    pub text: Arc<str>,
    pub owner: Owner,
    /// What made it: a template's path, a kit file, `model` for documents lowered from the model.
    pub origin: String,
}

/// One method of a trait as it would be written into the user's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// The trait, without a path: `Inventory`.
    pub of: String,
    /// `reserve`
    pub method: String,
    /// The whole method, indented as it stands in an `impl`.
    pub text: String,
}

/// Who may change a file, and so what `sync` does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Linkwright: rewritten by `sync`; a hand edit is a conflict.
    Generated,
    /// Linkwright's kit crates: as `Generated`.
    Vendored,
    /// Libraries of others, as they came: as `Vendored`, but replaced as a whole, and no copy is kept to compare with.
    Library,
    /// The user: written once.
    Yours,
    /// The user, and no longer theirs to change once a database has it: a migration.
    Applied,
    /// Both: a `Cargo.toml`, merged key by key.
    Manifest,
    /// Written once and then cargo's own: `Cargo.lock`.
    Seed,
}

impl Owner {
    /// Whether the text that was written is kept, to tell and to show what has become of it.
    pub fn keeps_base(self) -> bool {
        !matches!(self, Self::Library | Self::Seed)
    }

    /// Whether Linkwright alone says what is in such a file.
    pub fn is_linkwright(self) -> bool {
        matches!(self, Self::Generated | Self::Vendored | Self::Library)
    }
}

/// A mistake of Linkwright: no design causes one.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file of the blueprints, and what is wrong with it.
    #[error("blueprint {0}: {1}")]
    Blueprint(String, String),
    /// The `.proto` file of a service, and why it has no Rust side.
    #[error("the proto file of `{0}`: {1}")]
    Proto(String, #[source] Box<PbError>),
}

/// Plans the whole workspace of a model. `design` are the design's own files, which belong to the workspace; `wire` is
/// its `contracts/wire.lock`, empty if it is new.
pub fn plan(model: &Model, design: &[(String, String)], wire: WireLock) -> Result<Plan, PlanError> {
    let systems = versions::systems(model);
    let mut planner = Planner {
        model,
        present: model,
        systems: &systems,
        templates: Templates::new()?,
        versions: manifest::Versions::read()?,
        scope: Scope::of(model),
        plan: Plan::default(),
        wire,
        adapters: BTreeMap::new(),
        local: BTreeMap::new(),
        used: BTreeSet::new(),
    };
    contract::name_shared(&mut planner);
    for service in model.services.values() {
        contract::plan(&mut planner, service)?;
    }
    versions::each(&mut planner, |planner, service| contract::plan(planner, service))?;
    contract::plan_shared(&mut planner)?;
    for service in model.services.values() {
        service::plan(&mut planner, service)?;
    }
    tests::plan(&mut planner)?;
    workspace::plan(&mut planner, design)?;
    Ok(planner.plan)
}

/// What the parts of planning share.
struct Planner<'a> {
    /// What is planned: the present system, or that in which a service is as it was.
    model: &'a Model,
    present: &'a Model,
    /// Those in which a service is as it was, each with that service's name.
    systems: &'a [(Model, String)],
    templates: Templates,
    versions: manifest::Versions,
    scope: Scope,
    plan: Plan,
    /// The numbers of proto fields and enum values, those of this plan included.
    wire: WireLock,
    /// By service and version.
    adapters: BTreeMap<(String, u32), adapter::View>,
    /// Crates of the workspace that others may depend on, and their folders.
    local: BTreeMap<String, String>,
    /// Every dependency of every member so far.
    used: BTreeSet<String>,
}

/// The Rust files of one crate before their imports are resolved: path below the crate, template, text.
struct Sources {
    folder: String,
    owner: Owner,
    files: Vec<(String, String, String)>,
}

impl Sources {
    fn new(folder: String, owner: Owner) -> Self {
        Self { folder, owner, files: Vec::new() }
    }
}

impl Planner<'_> {
    fn render(&self, template: &str, view: &impl Serialize) -> Result<String, PlanError> {
        Ok(self.templates.render(template, view)?)
    }

    /// Renders a Rust file into a crate.
    fn rust(&self, to: &mut Sources, path: &str, template: &str, view: &impl Serialize) -> Result<(), PlanError> {
        let text = self.render(template, view)?;
        to.files.push((path.into(), format!("{template}.hbs"), text));
        Ok(())
    }

    /// Resolves the imports of a crate's files, reads its dependencies off them, and plans files and manifest.
    /// `names` says where each type name of the design is imported from.
    fn add_crate(&mut self, sources: Sources, names: &BTreeMap<String, String>, member: manifest::Member) {
        self.add_crate_with(sources, |_| names.clone(), member);
    }

    /// The same, where names mean something else in each file.
    fn add_crate_with(
        &mut self,
        sources: Sources,
        names: impl Fn(&str) -> BTreeMap<String, String>,
        mut member: manifest::Member,
    ) {
        let known: Vec<String> = self.versions.names().map(str::to_owned).chain(self.local.keys().cloned()).collect();
        for (path, origin, text) in sources.files {
            let text = imports::resolve(&text, &names(&path));
            let mentioned =
                manifest::mentioned(&text, known.iter().map(String::as_str).filter(|name| **name != member.name));
            if path.starts_with("src/") {
                member.dependencies.extend(mentioned);
            } else {
                member.dev_dependencies.extend(mentioned);
            }
            self.file(format!("{}/{path}", sources.folder), text, sources.owner, origin);
        }
        let manifest = member.manifest();
        self.used.extend(manifest::dependencies(&manifest));
        self.file(format!("{}/Cargo.toml", sources.folder), manifest.to_string(), Owner::Manifest, "manifest".into());
    }

    fn file(&mut self, path: String, text: String, owner: Owner, origin: String) {
        let whole = text.is_empty() || text.ends_with('\n') || owner == Owner::Library;
        let text = if whole { text } else { text + "\n" };
        self.plan.files.insert(path, File { text: text.into(), owner, origin });
    }
}

//! What the workspace has besides its crates: the manifest, the kit, its own `xtask`, documents.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    blueprints,
    contracts::{composed, graphql as schema},
    escape,
    model::{Date, OldVersion, Service, Store, Transport, Versioning},
    names,
};

use super::{
    Owner, PlanError, Planner, Sources, contract, events, gate, manifest, queue, service, tests, tries,
    walk::{self, Walk},
};

/// Where `dev` shows what the services offer.
pub const PAGES: u16 = 7100;
/// The first service listens here in `dev`, the next one port further, and so on.
const FIRST_PORT: u16 = 7101;
/// In the kit, libraries of the pages, and which documents need them.
const LIBRARIES: &str = "libraries/";
const NEEDED: &[(&str, &str)] = &[("swagger-ui/", "/openapi.json"), ("graphiql/", ".graphql"), ("react/", ".graphql")];

#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    /// Rust string literals.
    name_literal: String,
    summary: String,
    services: Vec<ServiceView>,
    /// The port of the pages.
    pages: u16,
    /// Some page stands on a library.
    libraries: bool,
    tries: Vec<String>,
    /// The flow that `dev` follows through the system: a Rust expression.
    walk: String,
    /// What that flow sets off, a Markdown list; may be empty.
    walked: Vec<String>,
    /// A Mermaid flowchart.
    map: Vec<String>,
    queue: bool,
    subscribed: bool,
    schemas: Vec<FileView>,
    openrpc: Vec<OpenrpcView>,
    /// The business code of each service that has any.
    code: Vec<FileView>,
    /// The configuration of each service that counts calls.
    limited: Vec<FileView>,
    /// There are operations that take a stream.
    inputs: bool,
    /// Those that answer once: `` `ingest.upload` ``.
    uploads: Vec<String>,
    /// Those that answer with a stream.
    talks: Vec<String>,
    /// Old versions.
    versions: Vec<VersionView>,
    /// Services ask each other what pacts can tell.
    pacts: bool,
}

/// What a service offers over JSON-RPC.
#[derive(Serialize)]
struct OpenrpcView {
    service: String,
    path: String,
    /// `/v1/rpc`
    called: String,
}

/// An old version of a service that is still served.
#[derive(Serialize)]
struct VersionView {
    service: String,
    version: u32,
    deprecated: String,
    sunset: String,
    said: String,
    /// What the user says of it; or empty.
    file: String,
}

/// A file of a service.
#[derive(Serialize)]
struct FileView {
    service: String,
    path: String,
}

#[derive(Serialize)]
struct ServiceView {
    name: String,
    binary: String,
    variable: String,
    port: u16,
    /// As in prose: `REST, gRPC`.
    faces: Vec<&'static str>,
    faces_text: String,
    summary: String,
    /// Whose it is; or empty.
    team: String,
    store: bool,
    limited: bool,
    folder: String,
    contract: String,
    /// The files that describe it to others, those of its old versions last.
    documents: Vec<String>,
}

/// Plans everything that is left when the contracts and services are planned.
pub fn plan(planner: &mut Planner<'_>, design: &[(String, String)]) -> Result<(), PlanError> {
    let view = view(planner);
    xtask(planner, &view)?;
    for (path, text) in design {
        planner.file(path.clone(), text.clone(), Owner::Yours, "design".into());
    }
    for (path, template, owner) in [
        ("README.md", "workspace/README.md", Owner::Yours),
        (".cargo/config.toml", "workspace/cargo-config.toml", Owner::Generated),
        (".github/workflows/ci.yml", "workspace/ci.yml", Owner::Yours),
        (".gitignore", "workspace/gitignore", Owner::Yours),
        (".gitattributes", "workspace/gitattributes", Owner::Yours),
        ("rustfmt.toml", "workspace/rustfmt.toml", Owner::Yours),
    ] {
        let text = planner.render(template, &view)?;
        planner.file(path.into(), text, owner, format!("{template}.hbs"));
    }
    let schema = include_str!("../../design.schema.json").to_owned();
    planner.file(".linkwright/design.schema.json".into(), schema, Owner::Generated, "design.schema.json".into());
    let wire = planner.wire.to_string();
    planner.file("contracts/wire.lock".into(), wire, Owner::Generated, "model".into());
    let needed: Vec<&str> =
        view.services.iter().flat_map(|service| &service.documents).flat_map(|document| libraries(document)).collect();
    kit(planner, &needed)?;
    let used = std::mem::take(&mut planner.used);
    let manifest = manifest::workspace(&planner.versions, &used, &planner.local);
    planner.file("Cargo.toml".into(), manifest.to_string(), Owner::Manifest, "manifest".into());
    if let Some(lock) = blueprints::text("blueprints/kit/Cargo.lock") {
        planner.file("Cargo.lock".into(), lock.into(), Owner::Seed, "kit/Cargo.lock".into());
    }
    Ok(())
}

fn view<'a>(planner: &Planner<'a>) -> View<'a> {
    let model = planner.model;
    let services: Vec<ServiceView> =
        model.services.values().enumerate().map(|(number, s)| service_view(planner, number, s)).collect();
    let exposed = model
        .services
        .values()
        .filter(|service| service.composes() || service.operations.values().any(|o| o.expose.has(Transport::Graphql)));
    let schemas = exposed.map(|service| FileView {
        service: service.name.clone(),
        path: format!("{}/{}", contract::folder(service), contract::schema_path(service)),
    });
    let coded = model.services.values().filter(|service| contract::has_code(service));
    let code = coded.map(|service| FileView {
        service: service.name.clone(),
        path: format!("{}/src/{}.rs", service::folder(service), names::rust::module(&service.name)),
    });
    let counting = model.services.values().filter(|service| gate::counts(model, service));
    let limited = counting.map(|service| FileView {
        service: service.name.clone(),
        path: format!("{}/config.toml", service::folder(service)),
    });
    let inputs = |streams| {
        let inputs = model.operations().filter(move |(_, o)| o.reads() && o.streams() == streams && o.expose.any());
        inputs.map(|(service, operation)| format!("`{}.{}`", service.name, operation.name)).collect::<Vec<_>>()
    };
    let (uploads, talks) = (inputs(false), inputs(true));
    let called = model.services.values().filter(|service| contract::has_openrpc(service));
    let openrpc = called.map(|service| OpenrpcView {
        called: format!("/{}", names::path::rpc(service).join("/")),
        service: service.name.clone(),
        path: format!("{}/openrpc.json", contract::folder(service)),
    });
    let walk = Walk::find(model);
    View {
        openrpc: openrpc.collect(),
        schemas: schemas.collect(),
        code: code.collect(),
        limited: limited.collect(),
        name: &model.name,
        name_literal: escape::rust_str(&model.name),
        summary: escape::markdown(&model.docs.summary),
        pages: PAGES,
        libraries: services
            .iter()
            .flat_map(|service| &service.documents)
            .any(|document| !libraries(document).is_empty()),
        services,
        tries: tries::lines(model),
        walk: walk.as_ref().map_or("None".into(), |walk| format!("Some({})", escape::rust_str(&walk.flow()))),
        walked: walk.map(|walk| walk.lines()).unwrap_or_default(),
        map: walk::map(model),
        inputs: !uploads.is_empty() || !talks.is_empty(),
        uploads,
        talks,
        subscribed: model.services.values().any(|service| {
            let composed = composed::composed(model, service).map(|composed| composed.service);
            let operations = composed.as_ref().unwrap_or(service).operations.values();
            operations.into_iter().any(|o| o.expose.has(Transport::Graphql) && schema::root(o) == "Subscription")
        }),
        versions: model.services.values().flat_map(|service| versions(planner, service)).collect(),
        pacts: tests::pacts::any(model),
        queue: model
            .services
            .values()
            .any(|s| events::emits(s) || events::consumes(s) || events::follows(s) || queue::takes(model, s)),
    }
}

fn versions(planner: &Planner<'_>, service: &Service) -> Vec<VersionView> {
    let date = |date: Option<Date>| date.map_or_else(|| "–".to_owned(), |date| date.to_string());
    let view = |OldVersion { service: old, .. }: &OldVersion| {
        let version = old.version;
        let mapped = planner.adapters.get(&(old.name.clone(), version)).is_some_and(|adapter| adapter.mapped);
        VersionView {
            service: old.name.clone(),
            version,
            deprecated: date(old.deprecated),
            sunset: date(old.sunset),
            said: match old.versioning {
                Versioning::Path => format!("`/v{version}/…`"),
                Versioning::Header => format!("`Api-Version: {version}`"),
                Versioning::Query => format!("`?version={version}`"),
                Versioning::MediaType => {
                    format!("`Accept: {};version={version}`", names::path::media_type(&planner.model.name, &old.name))
                }
            },
            file: if mapped { format!("{}/src/v{version}.rs", service::folder(service)) } else { String::new() },
        }
    };
    service.old.iter().map(view).collect()
}

/// Where `dev` lets the service of this number listen.
pub fn port(number: usize) -> u16 {
    u16::try_from(number).map_or(u16::MAX, |number| FIRST_PORT.saturating_add(number))
}

fn service_view(planner: &Planner<'_>, number: usize, service: &Service) -> ServiceView {
    let faces: Vec<&'static str> = service.expose.transports().map(Transport::name).collect();
    ServiceView {
        name: service.name.clone(),
        binary: service::package(planner, service),
        variable: names::variable(&service.name),
        port: port(number),
        faces_text: if faces.is_empty() { "–".into() } else { faces.join(", ") },
        faces,
        summary: escape::markdown(&service.docs.summary),
        team: service.team.as_deref().map(escape::markdown).unwrap_or_default(),
        store: service.store != Store::None,
        limited: gate::counts(planner.model, service),
        folder: service::folder(service),
        contract: contract::folder(service),
        documents: documents(planner, service),
    }
}

/// What is planned that describes a service to others, and its old versions.
fn documents(planner: &Planner<'_>, service: &Service) -> Vec<String> {
    let rank = |path: &str| {
        let endings = ["/openapi.json", ".graphql", "/openrpc.json", "/asyncapi.json", ".proto"];
        endings.iter().position(|ending| path.ends_with(ending))
    };
    let versions = std::iter::once(service).chain(service.old.iter().map(|old| &old.service));
    let of = |service: &Service| {
        let folder = contract::folder(service) + "/";
        let paths = planner.plan.files.keys().filter(|path| path.starts_with(&folder));
        let mut documents: Vec<_> = paths.filter_map(|path| Some((rank(path)?, path.clone()))).collect();
        documents.sort();
        documents.into_iter().map(|(_, path)| path).collect::<Vec<_>>()
    };
    versions.flat_map(of).collect()
}

/// The folders of libraries that the page of a document needs.
fn libraries(document: &str) -> Vec<&'static str> {
    NEEDED.iter().filter(|(_, ending)| document.ends_with(ending)).map(|(folder, _)| *folder).collect()
}

fn xtask(planner: &mut Planner<'_>, view: &View<'_>) -> Result<(), PlanError> {
    let mut sources = Sources::new("xtask".into(), Owner::Generated);
    planner.rust(&mut sources, "src/main.rs", "workspace/xtask/main.rs", view)?;
    let member = manifest::Member {
        name: "xtask".into(),
        description: format!("Runs the services of {} on this machine", view.name),
        ..manifest::Member::default()
    };
    planner.add_crate(sources, &BTreeMap::new(), member);
    Ok(())
}

/// Copies the kit crates that anything needs, as they stand, and of the libraries of the pages those that are `needed`.
fn kit(planner: &mut Planner<'_>, needed: &[&str]) -> Result<(), PlanError> {
    for name in planner.versions.kit_closure(planner.used.iter().cloned())? {
        let folder = planner.versions.kit[&name].clone();
        for (path, text) in blueprints::below(&format!("blueprints/kit/{folder}")) {
            let library = path.strip_prefix(LIBRARIES);
            if library.is_some_and(|library| !needed.iter().any(|folder| library.starts_with(folder))) {
                continue;
            }
            let owner = match (path, library) {
                ("Cargo.toml", _) => Owner::Manifest,
                (_, Some(_)) => Owner::Library,
                (_, None) => Owner::Vendored,
            };
            if path == "Cargo.toml"
                && let Ok(manifest) = text.parse()
            {
                planner.used.extend(manifest::dependencies(&manifest));
            }
            planner.file(format!("kit/{folder}/{path}"), text.to_owned(), owner, format!("kit/{folder}/{path}"));
        }
        planner.local.insert(name, format!("kit/{folder}"));
    }
    Ok(())
}

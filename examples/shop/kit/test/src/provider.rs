//! The provider's side of a contract: a real service, asked over one transport after another, and judged by what is true
//! of any correct implementation of it.
//!
//! What the contract says stands in a [`Description`], which is generated. A [`Provider`] is the service as it is, with
//! its own store and queue and with scripted services in place of those that it calls. A [`Face`] is one way to it.
//! [`prove`] goes through the rules and then through the user's own cases, each with a service of its own. What breaks a
//! rule is a line that names operation, transport and rule: `orders.create_order over REST: Location: …`.

mod cases;
mod compare;
mod description;
mod events;
mod face;
mod followed;
mod graphql;
mod inputs;
mod items;
mod jsonrpc;
mod judge;
mod keys;
mod limits;
mod lists;
mod operations;
mod protocol;
mod referred;
mod report;
mod rest;
mod session;
mod state;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use axum::Router;
use kit_service::{Embedded, Service};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

pub use events::{Queue, Settled};
pub(crate) use face::Listen;
pub use face::{Call, Face, Outcome, answer, first, unknown};
pub use limits::Counting;
pub use state::State;

use cases::Cases;
use description::{Asked, Description};
use face::Way;
use graphql::GraphQl;
use jsonrpc::JsonRpc;
use judge::Judge;
use report::Report;
use rest::Rest;
use session::Session;

use crate::Server;

/// How a service is started for its tests.
#[derive(Debug)]
pub struct Setting<'a> {
    /// As in its `main`.
    pub name: &'a str,
    pub config: &'a str,
    /// What the contract says, as JSON.
    pub description: &'a str,
    /// The folder of the contract, with the documents as they are committed.
    pub contract: &'a str,
    /// The folder of the user's cases. It need not be there.
    pub cases: &'a str,
    /// The services that it calls, each with the variable of its address: `GREETER_URL`.
    pub links: Vec<(&'a str, Server)>,
}

/// How a gateway is started in front of a service.
#[derive(Debug)]
pub struct Gateway<'a> {
    /// As in its `main`.
    pub name: &'a str,
    pub config: &'a str,
    /// The folder of its contract.
    pub contract: &'a str,
    /// The variable of the address of the service behind it: `ORDERS_URL`.
    pub variable: &'a str,
    /// What stands before the service's paths there: `/orders`.
    pub prefix: &'a str,
    /// The limits on what passes, by what each is called after the gateway's name: nothing, or `-quota` …
    pub limits: &'a [&'a str],
    /// … and how it counts.
    pub counting: Counting,
}

/// A gateway in front of the service.
struct Entry {
    gateway: Embedded,
    contract: PathBuf,
    prefix: String,
    /// It counts what passes, and may refuse it.
    counts: bool,
}

/// A real service, running in this process, with a folder of its own for what it keeps.
pub struct Provider {
    description: Description,
    judge: Judge,
    cases: Cases,
    queue: Option<Box<dyn Queue>>,
    entry: Option<Entry>,
    service: Embedded,
    broker: String,
    contract: PathBuf,
    _links: Vec<Server>,
    data: TempDir,
}

impl Provider {
    /// Starts the service on a free port. `start` is the function that its `main` gives to the runtime. Nobody
    /// reaches a limit on calls.
    ///
    /// # Errors
    /// The service does not start, or the user's cases cannot be read.
    pub async fn start<C: DeserializeOwned>(
        setting: Setting<'_>,
        start: impl AsyncFnOnce(C, &mut Service) -> Result<Router>,
    ) -> Result<Self> {
        Self::start_counting(setting, Counting::Never, start).await
    }

    /// As [`start`](Self::start); calls are counted so.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn start_counting<C: DeserializeOwned>(
        setting: Setting<'_>,
        counting: Counting,
        start: impl AsyncFnOnce(C, &mut Service) -> Result<Router>,
    ) -> Result<Self> {
        let Setting { name, config, description, contract, cases, links } = setting;
        let description: Description = serde_json::from_str(description).context("the generated description")?;
        let cases = Cases::read(&PathBuf::from(cases), &description)?;
        let data = tempfile::tempdir()?;
        let place = |file: &str| format!("sqlite:{}", data.path().join(file).display());
        let broker = place("queue.db");
        let prefix = name.to_uppercase().replace('-', "_");
        let limits = counting.variables(&description);
        let limits = limits.into_iter().map(|(variable, value)| (format!("{prefix}__{variable}"), value));
        let own = [
            (format!("{prefix}__SERVER__LISTEN"), "127.0.0.1:0".to_owned()),
            ("DATABASE_URL".to_owned(), place("service.db")),
            ("BROKER_URL".to_owned(), broker.clone()),
        ];
        let others = links.iter().map(|(variable, server)| ((*variable).to_owned(), server.url.clone()));
        let variables: Vec<(String, String)> = own.into_iter().chain(others).chain(limits).collect();
        let service = kit_service::embed(name, config, &variables, start).await?;
        let judge = Judge::new(&description.components);
        let _links = links.into_iter().map(|(_, server)| server).collect();
        let contract = contract.into();
        Ok(Self { description, judge, cases, queue: None, entry: None, service, broker, contract, _links, data })
    }

    /// What stands before every path.
    pub fn url(&self) -> &str {
        &self.service.url
    }

    /// The address of the queue that the service publishes to and consumes from.
    pub fn broker(&self) -> &str {
        &self.broker
    }

    /// The types of the events that the service publishes.
    pub fn published(&self) -> impl Iterator<Item = &str> {
        self.description.events.keys().map(String::as_str)
    }

    /// A document of the contract.
    fn document(&self, name: &str) -> Result<Value> {
        read(&self.contract, name)
    }

    /// Over REST, as any caller speaks it.
    ///
    /// # Errors
    /// The committed `openapi.json` cannot be read.
    pub fn over_rest(&self) -> Result<Face> {
        Ok(Face { transport: "REST", way: Way::Rest(Rest::new(self.url(), self.document("openapi.json")?)?) })
    }

    /// Puts a gateway in front of the service, with nothing else behind it.
    ///
    /// # Errors
    /// The gateway does not start.
    pub async fn behind<C: DeserializeOwned>(
        mut self,
        gateway: Gateway<'_>,
        start: impl AsyncFnOnce(C, &mut Service) -> Result<Router>,
    ) -> Result<Self> {
        let Gateway { name, config, contract, variable, prefix, limits, counting } = gateway;
        let place = |file: &str| format!("sqlite:{}", self.data.path().join(file).display());
        let own = name.to_uppercase().replace('-', "_");
        let mut variables = vec![
            (format!("{own}__SERVER__LISTEN"), "127.0.0.1:0".to_owned()),
            ("DATABASE_URL".to_owned(), place("gateway.db")),
            ("BROKER_URL".to_owned(), self.broker.clone()),
            (variable.to_owned(), self.service.url.clone()),
        ];
        let link = variable.strip_suffix("_URL").unwrap_or(variable);
        // Whether a busy machine is late is not what is asked here. Not every name can be part of a variable's.
        if !link.contains("__") && !link.ends_with('_') {
            variables.push((format!("{own}__LINKS__{link}__TIMEOUT"), "20s".to_owned()));
        }
        let rates = counting.of_all(limits).into_iter();
        variables.extend(rates.map(|(variable, rate)| (format!("{own}__{variable}"), rate)));
        let gateway = kit_service::embed(name, config, &variables, start).await?;
        let (contract, prefix) = (contract.into(), prefix.to_owned());
        self.entry = Some(Entry { gateway, contract, prefix, counts: !limits.is_empty() });
        Ok(self)
    }

    /// Over REST through the gateway, by the gateway's `openapi.json`, which has to have all that the service's has.
    ///
    /// # Errors
    /// There is no gateway, one of the documents cannot be read, or something is missing in the gateway's.
    pub fn through_gateway(&self) -> Result<Face> {
        let Entry { gateway, contract, prefix, .. } = self.entry.as_ref().context("no gateway is in front")?;
        let rest =
            Rest::behind(&gateway.url, read(contract, "openapi.json")?, &self.document("openapi.json")?, prefix)?;
        Ok(Face { transport: "REST through a gateway", way: Way::Rest(rest) })
    }

    /// Over GraphQL in the schema of the front, by what that says of the operations of all behind it, as JSON: by service
    /// and operation.
    ///
    /// # Errors
    /// There is no front, or nothing is said of the service.
    pub fn through_schema(&self, composed: &str) -> Result<Face> {
        let Entry { gateway, .. } = self.entry.as_ref().context("no front is before it")?;
        let mut composed: BTreeMap<String, BTreeMap<String, Asked>> = serde_json::from_str(composed)?;
        let asked = composed.remove(&self.description.service).context("the front says nothing of it")?;
        let graphql = GraphQl::new(&gateway.url, &self.description.components)?.composed(asked);
        Ok(Face { transport: "GraphQL through a front", way: Way::GraphQl(graphql) })
    }

    /// Over GraphQL, as any caller speaks it.
    ///
    /// # Errors
    /// The address is none.
    pub fn over_graphql(&self) -> Result<Face> {
        Ok(Face { transport: "GraphQL", way: Way::GraphQl(GraphQl::new(self.url(), &self.description.components)?) })
    }

    /// Over JSON-RPC, as any caller speaks it.
    ///
    /// # Errors
    /// The committed `openrpc.json` cannot be read.
    pub fn over_jsonrpc(&self) -> Result<Face> {
        let jsonrpc = JsonRpc::new(self.url(), self.document("openrpc.json")?)?;
        Ok(Face { transport: "JSON-RPC", way: Way::JsonRpc(jsonrpc) })
    }

    /// Hears what the service publishes, and speaks to it, through this queue.
    pub fn hearing(mut self, queue: impl Queue + 'static) -> Self {
        self.queue = Some(Box::new(queue));
        self
    }
}

fn read(contract: &Path, name: &str) -> Result<Value> {
    let path = contract.join(name);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Goes through the rules and the user's cases over one transport. `start` starts the service anew, `face` is the way to
/// it.
///
/// # Errors
/// A line for each rule that is broken.
pub async fn prove(
    start: impl AsyncFn() -> Result<Provider>,
    face: impl AsyncFn(&Provider) -> Result<Face>,
) -> Result<()> {
    let provider = start().await?;
    let way = face(&provider).await?;
    let report = Report::new(&provider.description.service, way.transport);
    rules(&Session::new(&provider, &way, &report)).await;
    let mut cases = 0;
    for case in &provider.cases.files {
        match case.absent(&provider.description, &way) {
            Some(operation) => report.skip(operation, &case.name, format!("not served over {}", way.transport)),
            None => {
                let provider = start().await?;
                let way = face(&provider).await?;
                case.run(&Session::new(&provider, &way, &report)).await;
                cases += 1;
            }
        }
    }
    report.finish(cases)
}

async fn rules(session: &Session<'_>) {
    if let Some(rest) = session.face.rest() {
        protocol::document(session, rest).await;
    }
    if let Some(jsonrpc) = session.face.jsonrpc() {
        jsonrpc.document(session).await;
        jsonrpc.protocol(session).await;
    }
    for resource in &session.description().resources {
        items::check(session, resource).await;
    }
    for operation in session.served() {
        if operation.verb.is_none() {
            operations::check(session, operation).await;
        }
        inputs::check(session, operation).await;
        if let Some(rest) = session.face.rest() {
            protocol::check(session, rest, operation).await;
        }
    }
    events::published(session).await;
    for operation in session.served() {
        followed::check(session, operation).await;
    }
    for resource in &session.description().resources {
        items::referred(session, resource).await;
    }
}

/// Counts the calls of one caller over one transport: as the service is configured, and with limits that are reached at
/// once.
///
/// # Errors
/// A line for each rule that is broken.
pub async fn prove_limits(
    start: impl AsyncFn(Counting) -> Result<Provider>,
    face: impl AsyncFn(&Provider) -> Result<Face>,
) -> Result<()> {
    let provider = start(Counting::AsSaid).await?;
    let way = face(&provider).await?;
    let report = Report::new(&provider.description.service, way.transport);
    if let Some(rest) = way.rest() {
        limits::told(&Session::new(&provider, &way, &report), rest).await;
    }
    let each = start(Counting::OnceEach).await?;
    let way = face(&each).await?;
    limits::each(&Session::new(&each, &way, &report)).await;
    for (limit, _) in limits::common(&provider.description) {
        let once = start(Counting::Once(limit)).await?;
        let way = face(&once).await?;
        limits::all(&Session::new(&once, &way, &report)).await;
    }
    report.finish(0)
}

/// What a front counts of what passes to the service: it says so, and under a limit of one request lets one through. `face`
/// is the way through it.
///
/// # Errors
/// A line for each rule that is broken.
pub async fn prove_passing(
    front: &str,
    limits: &[&'static str],
    start: impl AsyncFn(Counting) -> Result<Provider>,
    face: impl Fn(&Provider) -> Result<Face>,
) -> Result<()> {
    let provider = start(Counting::Never).await?;
    let way = face(&provider)?;
    let report = Report::new(&provider.description.service, way.transport);
    if let Some(rest) = way.rest() {
        limits::told_in_passing(&Session::new(&provider, &way, &report), rest, front, limits).await;
    }
    for limit in limits {
        let reached = start(Counting::Once(limit)).await?;
        limits::all(&Session::new(&reached, &face(&reached)?, &report)).await;
    }
    report.finish(0)
}

/// What the service makes of the events and commands that it takes, each once as it should be and once broken. `face` is a way to
/// make the items that they are about, if there is one.
///
/// # Errors
/// A line for each rule that is broken.
pub async fn prove_events(
    start: impl AsyncFn() -> Result<Provider>,
    face: impl AsyncFn(&Provider) -> Result<Option<Face>>,
) -> Result<()> {
    let provider = start().await?;
    let report = Report::new(&provider.description.service, "messages");
    let way = face(&provider).await?;
    let session = way.as_ref().map(|way| Session::new(&provider, way, &report));
    events::consumed(&provider, session.as_ref(), &report).await;
    report.finish(0)
}

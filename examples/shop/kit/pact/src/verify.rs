//! The side that answers: a real service, asked by the verifier of the Pact project.

use std::{
    collections::BTreeMap,
    env,
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail, ensure};
use axum::{Json, Router, extract::State as Shared, http::StatusCode, response::IntoResponse, routing::post};
use base64::Engine as _;
use kit_test::{
    Server,
    provider::{Face, Provider, State},
};
use serde_json::{Value, json};

use crate::file;

/// Where the verifier is; `cargo xtask pacts` builds it and says so.
const VERIFIER: &str = "PACT_VERIFIER";

type Known = BTreeMap<String, Value>;

/// What the verifier asks beside the service.
#[derive(Default)]
struct Side {
    /// What is known in each state.
    states: BTreeMap<String, Known>,
    /// What the service has published.
    message: Value,
}

/// What became of one interaction.
enum Outcome {
    Kept,
    /// In one way or more.
    Broken(Vec<String>),
    /// Nobody says how the service comes into its state.
    Skipped(String),
}

/// Verifies every pact of the folder that names the service. `start` starts it anew, which each interaction needs; `face`
/// is the way by which items are made, if there is one.
///
/// # Errors
/// A line for each interaction that is not kept.
pub async fn prove(
    name: &str,
    folder: &str,
    start: impl AsyncFn() -> Result<Provider>,
    face: impl AsyncFn(&Provider) -> Result<Option<Face>>,
) -> Result<()> {
    let (mut kept, mut broken, mut said) = (0, Vec::new(), String::new());
    for (path, pact) in file::all(folder)?.into_iter().filter(|(_, pact)| pact["provider"]["name"] == name) {
        for (list, interaction) in interactions(&pact) {
            let what = interaction["description"].as_str().unwrap_or_default();
            let line = |why: &str| format!("{name}: tests/pacts/{path}: {what}: {why}");
            let provider = start().await?;
            let way = face(&provider).await?;
            match verify(&provider, way, &alone(&pact, list, interaction)).await.with_context(|| line("verifying"))? {
                Outcome::Kept => kept += 1,
                Outcome::Broken(why) => broken.extend(why.iter().map(|why| line(why))),
                Outcome::Skipped(why) => said += &format!("skipped  {}\n", line(&why)),
            }
        }
    }
    said += &format!("{kept} interactions that {name} keeps\n");
    // Past what captures the output of tests; nobody may be there to read it.
    let _ = std::io::stderr().write_all(said.as_bytes());
    ensure!(broken.is_empty(), "{} broken\n  {}", broken.len(), broken.join("\n  "));
    Ok(())
}

/// Each interaction of a pact of any version, with the name of the list that it is in.
fn interactions(pact: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let all = |list: &'static str| pact[list].as_array().into_iter().flatten().map(move |it| (list, it));
    all("interactions").chain(all("messages"))
}

/// The pact with no other interaction.
fn alone(pact: &Value, list: &str, interaction: &Value) -> Value {
    let mut pact = pact.clone();
    if let Some(pact) = pact.as_object_mut() {
        pact.retain(|name, _| name != "interactions" && name != "messages");
        pact.insert(list.to_owned(), json!([interaction]));
    }
    pact
}

async fn verify(provider: &Provider, face: Option<Face>, pact: &Value) -> Result<Outcome> {
    let Some((list, interaction)) = interactions(pact).next() else { return Ok(Outcome::Kept) };
    let state = State::of(provider, face);
    let mut side = Side::default();
    // What is known in one state is known in the next.
    let mut all = Known::new();
    for (name, parameters) in states(interaction) {
        all.extend(parameters);
        match brought(&state, &name, &all).await? {
            Ok(known) => all.extend(known),
            Err(outcome) => return Ok(outcome),
        }
        side.states.insert(name, all.clone());
    }
    let kind = interaction["type"].as_str().unwrap_or(if list == "messages" { MESSAGE } else { HTTP });
    match kind {
        HTTP => {}
        MESSAGE => match published(&state, interaction).await? {
            Ok(message) => side.message = message,
            Err(outcome) => return Ok(outcome),
        },
        other => return Ok(Outcome::Broken(vec![format!("interactions of type {other:?} are not verified")])),
    }
    judged(provider.url(), side, pact).await
}

const HTTP: &str = "Synchronous/HTTP";
const MESSAGE: &str = "Asynchronous/Messages";

/// The states of an interaction and their parameters, as versions 2 to 4 write them.
fn states(interaction: &Value) -> Vec<(String, Known)> {
    let name = |value: &Value| value.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let one = name(&interaction["providerState"]).map(|name| (name, Known::new()));
    let several = interaction["providerStates"].as_array().into_iter().flatten().filter_map(|state| {
        let params = state["params"].as_object().into_iter().flatten();
        Some((name(&state["name"])?, params.map(|(name, value)| (name.clone(), value.clone())).collect()))
    });
    one.into_iter().chain(several).collect()
}

/// Brings the service into a state: by the user's file of that state, or because we know what it means.
async fn brought(state: &State<'_>, name: &str, known: &Known) -> Result<Result<Known, Outcome>> {
    if let Some(known) = state.told(name, known).await? {
        return Ok(Ok(known));
    }
    let hint = format!("state = \"{name}\" in a file of tests/cases says how to bring it about");
    let words: Vec<&str> = name.split(' ').collect();
    Ok(match words.as_slice() {
        ["one", resource, "exists"] if state.knows(resource) => match state.item(resource).await {
            Some(id) => Ok(Known::from([((*resource).to_owned(), id)])),
            None => Err(Outcome::Skipped(format!("no {resource} can be made from outside; {hint}"))),
        },
        // As it is, when it starts; or where the user has rules of their own, by the user's file.
        ["no", resource, "exists"] if state.knows(resource) => Ok(Known::new()),
        [_, "succeeds"] => Ok(Known::new()),
        [_, "fails", "with", _] => Err(Outcome::Skipped(hint)),
        _ => Err(Outcome::Broken(vec![format!("nobody knows the state {name:?}; {hint}")])),
    })
}

/// What the service publishes under the name that the interaction has.
async fn published(state: &State<'_>, interaction: &Value) -> Result<Result<Value, Outcome>> {
    let event = interaction["description"].as_str().unwrap_or_default();
    let Some(kind) = state.event(event) else {
        return Ok(Err(Outcome::Broken(vec![format!("the service publishes no event {event:?}")])));
    };
    Ok(match state.published(kind).await? {
        Some(message) => Ok(message),
        None => {
            Err(Outcome::Skipped("nothing has made the service publish it; providerStates may say what does".into()))
        }
    })
}

/// Runs the verifier, which is quick, on a thread that may wait.
async fn judged(service: &str, side: Side, pact: &Value) -> Result<Outcome> {
    let verifier = env::var(VERIFIER).context("what judges pacts is not built: run `cargo xtask pacts`")?;
    let routes = Router::new().route("/states", post(state)).fallback(message).with_state(Arc::new(side));
    let server = Server::start(routes).await?;
    let (states, messages) = (format!("{}/states", server.url), server.url.clone());
    let arguments = [service.to_owned(), states, messages];
    let pact = pact.to_string();
    let run = move || -> Result<Outcome> {
        let mut command = Command::new(&verifier);
        // It would tell its authors that it runs.
        command.args(arguments).env("PACT_DO_NOT_TRACK", "true");
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = pipes.spawn().with_context(|| format!("cannot run {verifier}"))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(pact.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let lines = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect::<Vec<_>>();
        match output.status.code() {
            Some(0) => Ok(Outcome::Kept),
            Some(1) if !lines.is_empty() => Ok(Outcome::Broken(lines)),
            _ => bail!("the verifier failed: {}", lines.join(" ")),
        }
    };
    tokio::task::spawn_blocking(run).await?
}

/// What is known in a state: ids of items, for the requests.
async fn state(Shared(side): Shared<Arc<Side>>, Json(asked): Json<Value>) -> impl IntoResponse {
    let name = asked["state"].as_str().unwrap_or_default();
    match side.states.get(name) {
        Some(known) => (StatusCode::OK, Json(json!(known))),
        // So it asks for an interaction that needs none.
        None if name.is_empty() => (StatusCode::OK, Json(json!({}))),
        None => (StatusCode::NOT_FOUND, Json(Value::Null)),
    }
}

/// What was published, as the verifier takes it: the data is the body, what is around it stands in a header.
async fn message(Shared(side): Shared<Arc<Side>>) -> impl IntoResponse {
    let metadata = json!({ "contentType": "application/json", "type": side.message["type"] }).to_string();
    let metadata = base64::engine::general_purpose::STANDARD.encode(metadata);
    ([("pact-message-metadata", metadata)], Json(side.message["data"].clone()))
}

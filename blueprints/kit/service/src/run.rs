use std::{env, io::IsTerminal, process::ExitCode};

use anyhow::{Context, Result, bail};
use axum::Router;
use kit_http::{Edge, Server};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::{ServerConfig, Service, health, overlay::Overlay, signal};

/// The exit code of a configuration that cannot be used: `EX_USAGE` of sysexits.
const BAD_CONFIGURATION: u8 = 64;

/// What every service has in its configuration.
#[derive(Deserialize)]
struct Runtime {
    #[serde(default)]
    server: ServerConfig,
}

/// Runs a service until it is asked to stop.
///
/// `config` is the service's `config.toml`, built in. `--config FILE` and variables `<SERVICE>__SECTION__KEY` go over it;
/// `<NAME>_URL` sets the `url` of the link of that name, `DATABASE_URL` that of the store, `BROKER_URL` that of the
/// broker. `start` builds the service from its configuration.
///
/// Exits with 0 after an orderly stop, 64 if the configuration cannot be used, 1 otherwise.
pub async fn run<C: DeserializeOwned>(
    name: &'static str,
    config: &str,
    start: impl AsyncFnOnce(C, &mut Service) -> Result<Router>,
) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (runtime, own) = match configure::<C>(name, config, &arguments) {
        Ok(Some(configured)) => configured,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    log(&runtime.server.log);
    match serve(name, runtime.server, async move |service| start(own, service).await).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `None`: the arguments asked for something else, which is done.
fn configure<C: DeserializeOwned>(name: &str, built_in: &str, arguments: &[String]) -> Result<Option<(Runtime, C)>> {
    let mut overlay = Overlay::new(built_in)?;
    let mut only_check = false;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--config" => overlay.file(arguments.next().context("--config needs a file")?)?,
            "--check-config" => only_check = true,
            "--help" => {
                println!(
                    "Usage: {name} [--config FILE] [--check-config]\n\nThe configuration, with its defaults:\n\n{built_in}"
                );
                return Ok(None);
            }
            other => bail!("unknown argument {other:?}: there are --config FILE, --check-config, --help"),
        }
    }
    well_known(&mut overlay, env::vars())?;
    overlay.environment(&name.to_uppercase(), env::vars())?;
    let read = overlay.read()?;
    Ok((!only_check).then_some(read))
}

/// The variables that mean the same for every service.
fn well_known(overlay: &mut Overlay, variables: impl Iterator<Item = (String, String)>) -> Result<()> {
    for (variable, text) in variables {
        let Some(name) = variable.strip_suffix("_URL").map(str::to_lowercase) else { continue };
        let path: Vec<&str> = match name.as_str() {
            "database" => vec!["store"],
            "broker" => vec!["broker"],
            link => vec!["links", link],
        };
        if overlay.has(&path) {
            let mut path: Vec<String> = path.into_iter().map(str::to_owned).collect();
            path.push("url".into());
            overlay.set(&path, &text)?;
        }
    }
    Ok(())
}

fn log(filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A subscriber that is set already is a test's.
    let _ = match std::io::stderr().is_terminal() {
        true => builder.try_init(),
        false => builder.with_ansi(false).compact().try_init(),
    };
}

async fn serve(
    name: &str,
    config: ServerConfig,
    start: impl AsyncFnOnce(&mut Service) -> Result<Router>,
) -> Result<()> {
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen at {}, which is `listen` in [server] of the configuration", config.listen)
    })?;
    let address = listener.local_addr()?;
    let mut service = Service::default();
    let router = start(&mut service).await?;
    let router = kit_http::edge(
        router.merge(health::routes(&service)),
        Edge {
            body_limit: config.body_limit,
            timeout: config.timeout.0,
            in_flight: config.in_flight,
            stopping: service.stopping(),
            ..Edge::default()
        },
    );
    tracing::info!("{name} listens at http://{address}");
    for (what, place) in &service.lines {
        tracing::info!("  {what}  {place}");
    }

    let Service { mut tasks, stopping, .. } = service;
    let server = Server { drain: config.drain.0, ..Server::default() };
    let mut serving = Box::pin(kit_http::serve(listener, router, server, stopping.clone()));
    let failed = tokio::select! {
        () = signal::asked_to_stop() => None,
        Some(ended) = tasks.join_next() => Some(ended),
        drained = &mut serving => bail!("the server ended by itself: {drained:?}"),
    };
    tracing::info!("stopping");
    stopping.cancel();
    let again = async {
        signal::asked_to_stop().await;
        tracing::warn!("asked twice: ends at once");
    };
    let orderly = async {
        let drained = serving.await;
        if drained.cut > 0 {
            tracing::warn!(cut = drained.cut, "not done within {:?}", config.drain.0);
        }
        let waited = tokio::time::timeout(config.drain.0, async { while tasks.join_next().await.is_some() {} }).await;
        if waited.is_err() {
            tracing::warn!("background work was not done within {:?}", config.drain.0);
        }
    };
    tokio::select! {
        () = orderly => {}
        () = again => {}
    }
    match failed {
        Some(Err(error)) => Err(error).context("background work failed"),
        Some(Ok(())) => bail!("background work ended although nobody asked it to"),
        None => Ok(()),
    }
}

//! The life of a service: configuration, start, serving, orderly stop.

use std::{env, io, process::ExitCode, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use kit_http::{Cors, Drained, Edge, Server};
use serde::de::DeserializeOwned;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    ServerConfig, Service,
    arguments::{self, Asked},
    health,
    log::Voice,
    signal::Signals,
};

/// The exit code of a configuration that cannot be used: `EX_USAGE` of sysexits.
const BAD_CONFIGURATION: u8 = 64;
/// How long what goes on until the last may take to finish.
const LAST: Duration = Duration::from_secs(5);

/// Runs a service until it is asked to stop.
///
/// `config` is the service's `config.toml`, built in. `--config FILE` and variables `<SERVICE>__SECTION__KEY` go over it;
/// `<NAME>_URL` sets the `url` of the link of that name, `DATABASE_URL` that of the store, `BROKER_URL` that of the
/// broker. The section `[server]` is a [`ServerConfig`], the rest is what `start` takes to build the service.
///
/// Asked to stop, the service says so at `/-/ready`, takes no more connections, finishes what it has within the time for
/// that, then what goes on until the [last](Service::last), and says what it had to cut. Asked again, it ends at once.
///
/// Exits with 0 after a stop, 64 if the configuration cannot be used, 1 if the service cannot start.
pub async fn run<C: DeserializeOwned>(
    name: &'static str,
    config: &str,
    start: impl AsyncFnOnce(C, &mut Service) -> Result<Router>,
) -> ExitCode {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let variables: Vec<_> = env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    let (server, own, source) = match arguments::read(name, config, env::args_os().skip(1).map(text), &variables) {
        Ok(Asked::Run(server, own, source)) => (server, own, source),
        Ok(Asked::Print(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(lines) => {
            lines.iter().for_each(|line| eprintln!("{name}: {line}"));
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    let voice = Voice::set_up(&server);
    match serve(name, &server, &source, voice, async move |service| start(own, service).await).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            voice.failed(name, &error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(
    name: &'static str,
    config: &ServerConfig,
    source: &str,
    voice: Voice,
    start: impl AsyncFnOnce(&mut Service) -> Result<Router>,
) -> Result<()> {
    let mut signals = Signals::listen().context("cannot hear signals")?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another process has the port".to_owned(),
            _ => error.to_string(),
        };
        anyhow!("cannot listen at {}: {why} (`listen` in [server], from {source})", config.listen)
    })?;
    let address = format!("http://{}", listener.local_addr()?);

    open_files(config.connections.get());
    let mut service = Service::new(config);
    let router = tokio::select! {
        router = start(&mut service) => router.context("cannot start")?,
        () = signals.next() => return Ok(()),
    };
    let Serving { lines, tasks, last, stopping, leaving, done, mut serving } =
        serve_at(listener, config, service, router);
    voice.started(name, &address, &lines);

    tokio::select! {
        () = signals.next() => {}
        ended = &mut serving => {
            ended.context("the server")?;
            bail!("the server ended by itself");
        }
    }
    tracing::info!("stopping");
    leaving.cancel();
    let stop = async {
        sleep(config.notice.0).await;
        stopping.cancel();
        let (drained, mut late) = tokio::join!(serving, finish(tasks, config.drain.0));
        done.cancel();
        late += finish(last, LAST).await;
        match drained.map(|drained| drained.cut) {
            Ok(0) => {}
            Ok(cut) => tracing::warn!(cut, "connections were cut: not done within {:?}", config.drain.0),
            Err(error) => tracing::error!(%error, "the server"),
        }
        if late > 0 {
            tracing::warn!(late, "background tasks were cut: not done in time");
        }
        tracing::info!("stopped");
    };
    tokio::select! {
        () = stop => Ok(()),
        () = signals.next() => {
            tracing::warn!("asked to stop again: ending at once");
            std::process::exit(1)
        }
    }
}

/// As many open files as the system allows, for each connection is one.
fn open_files(connections: usize) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files < connections as u64 => {
            tracing::warn!(files, connections, "the system allows fewer open files than there may be connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

/// A service that serves.
pub(crate) struct Serving {
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) tasks: JoinSet<&'static str>,
    pub(crate) last: JoinSet<&'static str>,
    pub(crate) leaving: CancellationToken,
    pub(crate) stopping: CancellationToken,
    pub(crate) done: CancellationToken,
    pub(crate) serving: JoinHandle<Drained>,
}

/// Serves the routes of a service, those of its health among them, behind the edge.
pub(crate) fn serve_at(listener: TcpListener, config: &ServerConfig, service: Service, router: Router) -> Serving {
    let Service { development: _, lines, checks, links, tasks, last, leaving, stopping, done } = service;
    let edge = Edge {
        body_limit: config.body_limit,
        timeout: config.timeout.0,
        in_flight: config.in_flight,
        cors: Cors::new(config.cors.clone()),
        proxies: config.proxies.clone(),
        stopping: stopping.clone(),
        input_idle: config.input_idle.0,
        input_limit: config.input_limit,
        heartbeat: config.heartbeat.0,
        stream_buffer: config.stream_buffer,
        ..Edge::default()
    };
    let router = kit_http::edge(router.merge(health::routes(checks, links, leaving.clone())), edge);
    let (drain, stall, connections) = (config.drain.0, config.stall.0, config.connections.get());
    let server = Server { drain, stall, connections, ..Server::default() };
    let serving = tokio::spawn(kit_http::serve(listener, router, server, stopping.clone()));
    Serving { lines, tasks, last, leaving, stopping, done, serving }
}

/// Waits for the tasks, and cuts those that are not done in time; they are counted.
async fn finish(mut tasks: JoinSet<&'static str>, limit: Duration) -> usize {
    let _ = timeout(limit, async { while tasks.join_next().await.is_some() {} }).await;
    while tasks.try_join_next().is_some() {}
    let late = tasks.len();
    tasks.shutdown().await;
    late
}

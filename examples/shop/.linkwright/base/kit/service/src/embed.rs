use anyhow::{Context, Result, bail};
use axum::Router;
use serde::de::DeserializeOwned;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::DropGuard;

use crate::{
    ServerConfig, Service,
    arguments::{self, Asked},
    run::serve_at,
};

/// A service that runs inside another program. It stops when it is dropped.
#[derive(Debug)]
pub struct Embedded {
    /// Where it listens: `http://127.0.0.1:40123`.
    pub url: String,
    _stop: DropGuard,
    _tasks: [JoinSet<&'static str>; 2],
}

/// Starts a service inside this program, as [`run`](crate::run) does in one of its own: the same configuration, edge and
/// health. The command line, the signals and the log are the program's, and so are `variables`, which stand for the
/// environment.
///
/// # Errors
/// The configuration cannot be used, the address is taken, or `start` says why not.
pub async fn embed<C: DeserializeOwned>(
    name: &str,
    config: &str,
    variables: &[(String, String)],
    start: impl AsyncFnOnce(C, &mut Service) -> Result<Router>,
) -> Result<Embedded> {
    let (server, own): (ServerConfig, C) = match arguments::read(name, config, std::iter::empty(), variables) {
        Ok(Asked::Run(server, own, _)) => (server, own),
        Ok(Asked::Print(_)) => bail!("{name}: nothing was asked for"),
        Err(lines) => bail!("{name}: {}", lines.join("; ")),
    };
    let listener = TcpListener::bind(server.listen).await.with_context(|| format!("{name}: {}", server.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut service = Service::new(&server);
    let router = start(own, &mut service).await.with_context(|| format!("{name} cannot start"))?;
    let serving = serve_at(listener, &server, service, router);
    Ok(Embedded { url, _stop: serving.stopping.drop_guard(), _tasks: [serving.tasks, serving.last] })
}

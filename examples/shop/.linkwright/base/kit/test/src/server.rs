use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use axum::Router;
use kit_http::Edge;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Routes on a free port of the loopback interface, behind the same edge as in earnest. Stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:40123`
    pub url: String,
    _stop: DropGuard,
}

impl Server {
    pub async fn start(router: Router) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let stopping = CancellationToken::new();
        // Clients say for whom they call.
        let proxies = vec![IpAddr::from(Ipv4Addr::LOCALHOST).into()];
        let router = kit_http::edge(router, Edge { stopping: stopping.clone(), proxies, ..Edge::default() });
        tokio::spawn(kit_http::serve(listener, router, kit_http::Server::default(), stopping.clone()));
        Ok(Self { url, _stop: stopping.drop_guard() })
    }
}

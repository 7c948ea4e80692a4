//! Servers on free ports, and a gateway in front of one.
#![allow(dead_code, reason = "each test takes what it needs")]

use axum::Router;
use kit_gateway::Front;
use kit_http::{Drained, Edge};
use kit_resilience::{Link, Policy};
use std::time::Duration;

use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

pub struct Server {
    pub url: String,
    serving: JoinHandle<Drained>,
}

impl Server {
    /// A service that knows nothing of ours.
    pub async fn start(router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = async move {
            axum::serve(listener, router).await.unwrap();
            Drained::default()
        };
        Self { url, serving: tokio::spawn(serve) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub struct Gateway {
    pub url: String,
    pub link: Link,
    pub stopping: CancellationToken,
    serving: JoinHandle<Drained>,
}

impl Gateway {
    pub async fn stopped(self) -> Drained {
        self.serving.await.unwrap()
    }
}

pub async fn gateway(front: &'static Front, url: &str, policy: Policy) -> Gateway {
    let link = Link::new("gateway → orders", policy);
    serve(kit_gateway::router("gateway", front, url, link.clone()).unwrap(), link).await
}

pub async fn gateway_behind(front: &'static Front, url: &str, policy: Policy, edge: Edge) -> Gateway {
    let link = Link::new("gateway → orders", policy);
    serve_behind(kit_gateway::router("gateway", front, url, link.clone()).unwrap(), link, edge).await
}

/// Until it is so.
pub async fn comes(what: &str, is_so: impl Fn() -> bool) {
    let poll = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), poll).await.expect(what);
}

pub async fn serve(router: Router, link: Link) -> Gateway {
    serve_behind(router, link, Edge::default()).await
}

pub async fn serve_behind(router: Router, link: Link, edge: Edge) -> Gateway {
    let stopping = CancellationToken::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = kit_http::edge(router, Edge { stopping: stopping.clone(), ..edge });
    let serving = tokio::spawn(kit_http::serve(listener, router, kit_http::Server::default(), stopping.clone()));
    Gateway { url, link, stopping, serving }
}

pub fn client() -> reqwest::Client {
    // The kit's client has chosen how TLS is spoken, if anybody asks.
    kit_http::Client::new("http://localhost").unwrap();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

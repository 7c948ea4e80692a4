//! The crate over real sockets: what any HTTP client sees.

mod client;
mod conditional;
mod cors;
mod edge;
mod events;
mod extract;
mod located;
mod query;
mod server;
mod talks;
mod uploads;
mod version;

use axum::Router;
use kit_http::{Edge, Server};
use reqwest::{Method, RequestBuilder, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A router inside its edge on a port of its own, until the test ends.
async fn start(router: Router, edge: Edge) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(kit_http::serve(listener, kit_http::edge(router, edge), Server::default(), CancellationToken::new()));
    base
}

fn http(method: Method, url: String) -> RequestBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new().request(method, url)
}

fn get(url: String) -> RequestBuilder {
    http(Method::GET, url)
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// A problem's status (in both places), kind and fields; its form is checked.
async fn problem(response: Response) -> (u16, String, Vec<String>) {
    let status = response.status().as_u16();
    assert_eq!(header(&response, "content-type"), "application/problem+json", "{status}");
    let trace = header(&response, "trace-id").to_owned();
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["trace_id"], trace.as_str());
    assert_eq!(trace.len(), 32);
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
    let fields =
        body["fields"].as_array().into_iter().flatten().map(|field| field["field"].as_str().unwrap().to_owned());
    (status, body["kind"].as_str().unwrap_or("-").to_owned(), fields.collect())
}

//! Calls with one answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use desk_contract::{Desk as _, PonderRequest, grpc, jsonrpc, rest};
use futures_util::future::BoxFuture;
use kit::{Context, Failure, Kind};
use kit_http::{Client, Request};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

type Call = Box<dyn Fn(u32, String) -> BoxFuture<'static, Result<String, Failure>> + Send + Sync>;

/// A transport, and `ponder` over it, each with connections of its own.
pub struct Way {
    pub name: &'static str,
    ponder: Call,
}

impl Way {
    /// Over everything that carries such calls. gRPC comes by another address.
    pub fn all(url: &str, grpc: &str) -> [Self; 4] {
        let rest = rest::Client(Client::new(url).unwrap());
        let grpc = grpc::Client::new(kit_grpc::connect(grpc).unwrap());
        let jsonrpc = jsonrpc::Client::new(url).unwrap();
        let graphql = Client::new(url).unwrap();
        let request = |milliseconds, text| PonderRequest { milliseconds, text };
        let over_rest: Call = Box::new(move |milliseconds, text| {
            let client = rest.clone();
            Box::pin(async move { Ok(client.ponder(&Context::default(), request(milliseconds, text)).await?.text) })
        });
        let over_grpc: Call = Box::new(move |milliseconds, text| {
            let client = grpc.clone();
            Box::pin(async move { Ok(client.ponder(&Context::default(), request(milliseconds, text)).await?.text) })
        });
        let over_jsonrpc: Call = Box::new(move |milliseconds, text| {
            let client = jsonrpc.clone();
            Box::pin(async move { Ok(client.ponder(&Context::default(), request(milliseconds, text)).await?.text) })
        });
        let over_graphql: Call = Box::new(move |milliseconds, text| {
            let client = graphql.clone();
            Box::pin(async move {
                let query = format!("{{ ponder(milliseconds: {milliseconds}, text: \"{text}\") {{ text }} }}");
                let ask = Request::new(Method::POST, &["graphql"]).json(&json!({ "query": query }));
                let answer: Value = client.call::<_, Failure>(&Context::default(), ask).await?;
                let text = answer["data"]["ponder"]["text"].as_str();
                text.map(str::to_owned).ok_or_else(|| Failure::new(Kind::Internal, answer.to_string()))
            })
        });
        [
            Self { name: "REST", ponder: over_rest },
            Self { name: "gRPC", ponder: over_grpc },
            Self { name: "GraphQL", ponder: over_graphql },
            Self { name: "JSON-RPC", ponder: over_jsonrpc },
        ]
    }

    /// The text that comes back.
    pub async fn ponder(&self, milliseconds: u32, text: &str) -> Result<String, Failure> {
        (self.ponder)(milliseconds, text.to_owned()).await
    }
}

/// Asks again and again until it heeds that the service is to stop; how often it got the right answer, and what else.
pub fn load(way: Way, number: usize, heeds: Arc<AtomicBool>) -> JoinHandle<(usize, Vec<String>)> {
    tokio::spawn(async move {
        let (mut right, mut wrong) = (0, Vec::new());
        while !heeds.load(Ordering::Relaxed) {
            let text = format!("load {number}.{right}");
            match way.ponder(5, &text).await {
                Ok(back) if back == text => right += 1,
                Ok(other) => wrong.push(format!("{}: {other}", way.name)),
                Err(failure) => wrong.push(format!("{}: {:?}, {}", way.name, failure.kind, failure.detail)),
            }
        }
        (right, wrong)
    })
}

/// What `/-/ready` says to who asks over new connections, until there are none: each status, and when they were refused.
pub fn readiness(url: &str, heeds: Arc<AtomicBool>) -> JoinHandle<(Vec<u16>, Instant)> {
    let url = format!("{url}/-/ready");
    tokio::spawn(async move {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let mut said = Vec::new();
        loop {
            match client.get(&url).send().await {
                Ok(answer) => said.push(answer.status().as_u16()),
                Err(_) => return (said, Instant::now()),
            }
            if said.last() == Some(&503) {
                heeds.store(true, Ordering::Relaxed);
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
}

//! Streams that stay open while nothing happens on them, or that somebody has ceased to read.

use std::{any::Any, io::Read as _, sync::Arc};

use anyhow::{Context as _, Result, bail, ensure};
use desk_contract::grpc::pb;
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    client::{self, Http},
    print,
};

/// Streams over one connection of HTTP/2.
const SHARED: usize = 100;
/// How many are opened at a time.
const AT_ONCE: usize = 64;
/// More than anybody reads.
const ENDLESS: u32 = u32::MAX;

/// Opens so many, and says so when an item has come over each; then keeps them until its input ends.
pub async fn run(transport: &str, operation: &str, address: &str, count: usize) -> Result<()> {
    // One that is not read takes the whole window of its connection (RFC 9113, 5.2): each has one of its own.
    let (ticks, stay, shared) = match operation {
        "stalled" => (ENDLESS, false, 1),
        _ => (1, true, SHARED),
    };
    let (turn, mut opening) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let mut channel = None;
    for number in 0..count {
        if transport == "grpc" && number % shared == 0 {
            channel = Some(client::grpc(address).await?);
        }
        let (transport, operation, address) = (transport.to_owned(), operation.to_owned(), address.to_owned());
        let (turn, channel) = (turn.clone().acquire_owned().await?, channel.clone());
        opening.spawn(async move {
            let open: Box<dyn Any + Send> = match (transport.as_str(), operation.as_str(), channel) {
                ("sse", "watch" | "stalled", _) => {
                    let mut http = Http::new(&address, client::get(&address, &client::watch(ticks, stay))).await?;
                    http.first_event().await?;
                    Box::new(http)
                }
                ("websocket", "talk", _) => {
                    let mut socket = client::socket(&address).await?;
                    client::say(&mut socket).await?;
                    Box::new(socket)
                }
                ("grpc", "watch" | "stalled", Some(mut client)) => {
                    let request = pb::WatchRequest { ticks: Some(ticks), stay: Some(stay) };
                    let mut items = client.watch(request).await?.into_inner();
                    items.message().await?.context("the stream has ended")?;
                    Box::new(items)
                }
                ("grpc", "talk", Some(mut client)) => {
                    let (items, mut answers) = client::talk(&mut client).await?;
                    items.send(client::tick()).await?;
                    answers.message().await?.context("the stream has ended")?;
                    Box::new((items, answers))
                }
                _ => bail!("{operation} over {transport} does not stay open"),
            };
            drop(turn);
            Ok(open)
        });
    }
    let mut open = Vec::with_capacity(count);
    while let Some(one) = opening.join_next().await {
        open.push(one??);
    }
    print(&json!("open"));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    ensure!(open.len() == count, "{} streams are open", open.len());
    Ok(())
}

//! The load generator: connections, each of which sends the next when it has its answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, sync::Barrier, task::JoinSet};

use crate::{
    client::{self, Client},
    percentile,
};

/// Rows that are sent at once.
const BLOCK: usize = 500;

/// Asks for so long, and says how fast the answers came. Any answer but success ends it.
pub async fn run(transport: &str, operation: &str, address: &str, connections: usize, span: Duration) -> Result<Value> {
    let request = client::request(transport, operation, address).await?;
    let (all, mut work) = (Arc::new(Barrier::new(connections)), JoinSet::new());
    for _ in 0..connections {
        let (transport, operation, address) = (transport.to_owned(), operation.to_owned(), address.to_owned());
        let (request, all) = (request.clone(), all.clone());
        work.spawn(async move {
            let mut client = Client::connect(&transport, &operation, &address, &request).await?;
            let (mut items, mut times) = (0, Vec::with_capacity(1 << 10));
            all.wait().await;
            let started = Instant::now();
            while started.elapsed() < span {
                let asked = Instant::now();
                items += client.ask().await?;
                times.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok((items, times, started.elapsed()))
        });
    }
    let (mut items, mut times, mut longest) = (0, Vec::new(), Duration::ZERO);
    while let Some(done) = work.join_next().await {
        let (more, others, took) = done??;
        items += more;
        times.extend(others);
        longest = longest.max(took);
    }
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "items": items,
        "per_second": items as f64 / longest.as_secs_f64(),
        "p99_ms": percentile(&times, 0.99),
    }))
}

/// Sends rows of NDJSON in one request, and says how fast they were read.
pub async fn upload(address: &str, rows: usize) -> Result<Value> {
    ensure!(rows % BLOCK == 0, "{rows} rows are no multiple of {BLOCK}");
    let block = (client::row(7) + "\n").repeat(BLOCK);
    // A chunk, as RFC 9112, 7.1, has it.
    let chunk = format!("{:x}\r\n{block}\r\n", block.len());
    let head = format!(
        "POST /v1/take HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut stream = client::connected(address).await?;
    let started = Instant::now();
    stream.write_all(head.as_bytes()).await?;
    for _ in 0..rows / BLOCK {
        stream.write_all(chunk.as_bytes()).await?;
    }
    stream.write_all(b"0\r\n\r\n").await?;
    let mut buffer = Vec::new();
    let answer: Value = serde_json::from_slice(client::answer(&mut stream, &mut buffer).await?)?;
    ensure!(answer["ticks"] == rows, "{answer}");
    Ok(json!({ "items": rows, "per_second": rows as f64 / started.elapsed().as_secs_f64() }))
}

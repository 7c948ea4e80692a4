//! The load generator: so many requests over some connections, each of which sends the next when it has its answer.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use desk_contract::grpc::pb;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::percentile;

const CONNECTIONS: usize = 32;

/// Sends `count` requests and says how fast they were answered. Any answer but success ends it.
pub async fn run(transport: &str, operation: &str, address: &str, count: usize) -> Result<Value> {
    let each = count.div_ceil(CONNECTIONS);
    let mut connections = JoinSet::new();
    let started = Instant::now();
    if transport == "grpc" {
        for _ in 0..CONNECTIONS {
            connections.spawn(echo_over_grpc(format!("http://{address}"), each));
        }
    } else {
        let request = match (transport, operation) {
            ("rest", "echo") => post(address, "/v1/echo", &echo()),
            ("rest", "write") => post(address, "/v1/notes", &note()),
            ("rest", "read") => get(address, &format!("/v1/notes/{}", kept(address).await?)),
            ("graphql", "echo") => post(address, "/graphql", &json!({ "query": ECHO, "variables": echo() })),
            _ => bail!("there is no {operation} over {transport}"),
        };
        for _ in 0..CONNECTIONS {
            connections.spawn(over_http(address.to_owned(), request.clone(), each));
        }
    }
    let mut times = Vec::with_capacity(each * CONNECTIONS);
    while let Some(done) = connections.join_next().await {
        times.extend(done??.into_iter().map(|time| time.as_secs_f64() * 1e3));
    }
    let seconds = started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "requests": times.len(),
        "per_second": times.len() as f64 / seconds,
        "p50_ms": percentile(&times, 0.5),
        "p99_ms": percentile(&times, 0.99),
    }))
}

const ECHO: &str = "query Echo($id: UUID!, $text: String!, $at: DateTime!, $lines: [LineInput!]!) {
  echo(id: $id, text: $text, at: $at, lines: $lines) { id text at lines { sku quantity price } }
}";

fn echo() -> Value {
    let line = |sku| json!({ "sku": sku, "quantity": 3, "price": "19.90" });
    json!({
        "id": "0198f2a4-7a3e-7c11-9d52-6f0a51c7d001",
        "text": "Gives back what it gets, and nothing else.",
        "at": "2026-01-31T12:00:00.000000Z",
        "lines": [line("chair-oak"), line("table-oak"), line("lamp-brass")],
    })
}

fn note() -> Value {
    json!({ "title": "A note", "text": "What is worth keeping is kept here.".repeat(4), "level": 3, "price": "1.50" })
}

/// The id of a note that was just made.
async fn kept(address: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = Vec::new();
    stream.write_all(&post(address, "/v1/notes", &note())).await?;
    let body = answer(&mut stream, &mut buffer).await?;
    let note: Value = serde_json::from_slice(&body)?;
    Ok(note["id"].as_str().context("the note has no id")?.to_owned())
}

fn get(address: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes()
}

fn post(address: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn over_http(address: String, request: Vec<u8>, count: usize) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8 << 10);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let asked = Instant::now();
        stream.write_all(&request).await?;
        answer(&mut stream, &mut buffer).await?;
        times.push(asked.elapsed());
    }
    Ok(times)
}

/// The body of an answer of HTTP/1.1 with a length, which must be a success. A client that does more would take most of
/// the time of a small machine for itself.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Vec<u8>> {
    buffer.clear();
    loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let (head, body) = buffer.split_at(end + 4);
        let head = std::str::from_utf8(head)?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        if body.len() < length.context("an answer without a length")?? {
            continue;
        }
        let success = head.starts_with("HTTP/1.1 20") && !body.windows(8).any(|word| word == b"\"errors\"");
        ensure!(success, "{head}{}", String::from_utf8_lossy(body));
        return Ok(body.to_vec());
    }
}

async fn echo_over_grpc(url: String, count: usize) -> Result<Vec<Duration>> {
    let mut client = pb::desk_service_client::DeskServiceClient::connect(url).await?;
    let request: pb::EchoRequest =
        kit_grpc::Proto::encode(serde_json::from_value::<desk_contract::EchoRequest>(echo())?);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let asked = Instant::now();
        client.echo(request.clone()).await?;
        times.push(asked.elapsed());
    }
    Ok(times)
}

//! Callers that do as little as they can: one that does more would take most of a small machine for itself.

use anyhow::{Context as _, Result, bail, ensure};
use desk_contract::grpc::pb::{self, desk_service_client::DeskServiceClient};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use kit_grpc::Proto;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tonic::{Streaming, transport::Channel};

/// Items of a stream of output that is read to its end.
const TICKS: u32 = 5_000;
/// Bytes of the answer that ends with its last chunk (RFC 9112, 7.1).
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
/// As small as that of the servers.
const BUFFER: usize = 4 << 10;

/// Somebody who has a connection.
pub enum Client {
    /// Asks, and reads the answer.
    Http(Http),
    /// Reads all events of a stream.
    Events(Http),
    /// Sends an item, and waits until it comes back.
    Socket(Box<WebSocketStream<TcpStream>>),
    GrpcEcho(DeskServiceClient<Channel>, pb::EchoRequest),
    /// Reads all items of a stream.
    GrpcWatch(DeskServiceClient<Channel>),
    GrpcTalk(mpsc::Sender<pb::Tick>, Streaming<pb::Tick>),
}

impl Client {
    /// What is said over HTTP/1.1 is `request`, which [`request`] has made.
    pub async fn connect(transport: &str, operation: &str, address: &str, request: &[u8]) -> Result<Self> {
        Ok(match (transport, operation) {
            ("sse", "watch") => Self::Events(Http::new(address, request.to_owned()).await?),
            ("websocket", "talk") => Self::Socket(Box::new(socket(address).await?)),
            ("grpc", "echo") => {
                let request = serde_json::from_value::<desk_contract::EchoRequest>(echo())?.encode();
                Self::GrpcEcho(grpc(address).await?, request)
            }
            ("grpc", "watch") => Self::GrpcWatch(grpc(address).await?),
            ("grpc", "talk") => {
                let (items, answers) = talk(&mut grpc(address).await?).await?;
                Self::GrpcTalk(items, answers)
            }
            _ => Self::Http(Http::new(address, request.to_owned()).await?),
        })
    }

    /// Asks once, and says how many items have come. Any answer but success is an error.
    pub async fn ask(&mut self) -> Result<usize> {
        match self {
            Self::Http(http) => http.ask().await.map(|_| 1),
            Self::Events(http) => http.events().await,
            Self::Socket(socket) => say(socket).await.map(|()| 1),
            Self::GrpcEcho(client, request) => {
                client.echo(request.clone()).await?;
                Ok(1)
            }
            Self::GrpcWatch(client) => {
                let request = pb::WatchRequest { ticks: Some(TICKS), stay: Some(false) };
                let mut ticks = client.watch(request).await?.into_inner();
                let mut count = 0;
                while ticks.message().await?.is_some() {
                    count += 1;
                }
                ensure!(count == TICKS as usize, "{count} items have come");
                Ok(count)
            }
            Self::GrpcTalk(items, answers) => {
                items.send(tick()).await?;
                answers.message().await?.context("the stream has ended")?;
                Ok(1)
            }
        }
    }
}

/// The request of an operation over HTTP/1.1; of any other nothing.
pub async fn request(transport: &str, operation: &str, address: &str) -> Result<Vec<u8>> {
    Ok(match (transport, operation) {
        ("rest", "echo") => post(address, "/v1/echo", &echo()),
        ("rest", "write") => post(address, "/v1/notes", &note()),
        ("rest", "read") => get(address, &format!("/v1/notes/{}", kept(address).await?)),
        ("graphql", "echo") => post(address, "/graphql", &json!({ "query": ECHO, "variables": echo() })),
        ("jsonrpc", "echo") => {
            post(address, "/v1/rpc", &json!({ "jsonrpc": "2.0", "id": 1, "method": "echo", "params": echo() }))
        }
        ("sse", "watch") => get(address, &watch(TICKS, false)),
        ("websocket", "talk") | ("grpc", "echo" | "watch" | "talk") => Vec::new(),
        _ => bail!("there is no {operation} over {transport}"),
    })
}

/// The target of a stream of output.
pub fn watch(ticks: u32, stay: bool) -> String {
    format!("/v1/watch?ticks={ticks}&stay={stay}")
}

pub async fn grpc(address: &str) -> Result<DeskServiceClient<Channel>> {
    Ok(DeskServiceClient::connect(format!("http://{address}")).await?)
}

/// A stream both ways.
pub async fn talk(client: &mut DeskServiceClient<Channel>) -> Result<(mpsc::Sender<pb::Tick>, Streaming<pb::Tick>)> {
    let (items, waiting) = mpsc::channel(1);
    let sent =
        stream::unfold(waiting, async |mut waiting: mpsc::Receiver<pb::Tick>| Some((waiting.recv().await?, waiting)));
    Ok((items, client.talk(sent).await?.into_inner()))
}

pub async fn socket(address: &str) -> Result<WebSocketStream<TcpStream>> {
    let stream = connected(address).await?;
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(0);
    Ok(client_async_with_config(format!("ws://{address}/v1/talk"), stream, Some(config)).await?.0)
}

/// Sends an item, and waits until it comes back.
pub async fn say(socket: &mut WebSocketStream<TcpStream>) -> Result<()> {
    socket.send(Message::text(row(1))).await?;
    loop {
        match socket.next().await.context("the connection was closed")?? {
            Message::Text(_) => return Ok(()),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("{other:?}"),
        }
    }
}

pub async fn connected(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One request over HTTP/1.1, again and again.
pub struct Http {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Http {
    pub async fn new(address: &str, request: Vec<u8>) -> Result<Self> {
        Ok(Self { stream: connected(address).await?, request, buffer: Vec::new() })
    }

    /// The body of the answer, which has a length.
    pub async fn ask(&mut self) -> Result<&[u8]> {
        self.stream.write_all(&self.request).await?;
        answer(&mut self.stream, &mut self.buffer).await
    }

    /// How many events have come at the end of a stream.
    async fn events(&mut self) -> Result<usize> {
        self.stream.write_all(&self.request).await?;
        let (mut count, mut end) = (0, Vec::new());
        while !end.ends_with(LAST_CHUNK) {
            self.buffer.clear();
            self.buffer.reserve(64 << 10);
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection was closed");
            // An item has one brace, and nothing else has any.
            count += self.buffer.iter().filter(|byte| **byte == b'{').count();
            end.extend_from_slice(&self.buffer[self.buffer.len().saturating_sub(LAST_CHUNK.len())..]);
            end.drain(..end.len().saturating_sub(LAST_CHUNK.len()));
        }
        ensure!(count == TICKS as usize, "{count} events have come");
        Ok(count)
    }

    /// Waits for the first event of a stream, and reads no more.
    pub async fn first_event(&mut self) -> Result<()> {
        self.stream.write_all(&self.request).await?;
        let mut some = [0; 1024];
        loop {
            let read = self.stream.read(&mut some).await?;
            ensure!(read > 0, "the connection was closed");
            if some[..read].contains(&b'{') {
                return Ok(());
            }
        }
    }
}

/// The body of an answer with a length, which must be a success.
pub async fn answer<'b>(stream: &mut TcpStream, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
    buffer.clear();
    let start = loop {
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
        let failed =
            [&b"\"errors\""[..], b"\"error\""].iter().any(|word| body.windows(word.len()).any(|at| at == *word));
        ensure!(head.starts_with("HTTP/1.1 20") && !failed, "{head}{}", String::from_utf8_lossy(body));
        break end + 4;
    };
    Ok(&buffer[start..])
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

/// An item of a stream of input.
pub fn row(number: u32) -> String {
    json!({ "number": number, "text": "Tick, tock. ".repeat(4) }).to_string()
}

pub fn tick() -> pb::Tick {
    pb::Tick { number: Some(1), text: Some("Tick, tock. ".repeat(4)) }
}

/// The id of a note that was just made.
async fn kept(address: &str) -> Result<String> {
    let mut http = Http::new(address, post(address, "/v1/notes", &note())).await?;
    let note: Value = serde_json::from_slice(http.ask().await?)?;
    Ok(note["id"].as_str().context("the note has no id")?.to_owned())
}

pub fn get(address: &str, target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes()
}

fn post(address: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

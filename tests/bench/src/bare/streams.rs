//! Server-sent events, WebSockets and NDJSON by hand, with axum's own means.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    extract::{
        Query, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use desk_contract::{TakeResponse, Tick, WatchRequest};
use futures_util::StreamExt as _;
use kit::Validate;
use tokio::time::interval;

use super::{Answer, broken, ticks, unprocessable};

pub async fn watch(Query(input): Query<WatchRequest>) -> Result<impl IntoResponse, (StatusCode, String)> {
    input.check().map_err(unprocessable)?;
    let events = ticks(input).map(|tick| Event::default().json_data(tick));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// With a small buffer for what comes, as ours: axum's own has 128 KiB, of which tungstenite writes each byte before it
/// reads.
pub async fn talk(upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(4 << 10).write_buffer_size(0).on_upgrade(async |mut socket| {
        // Whoever is gone hears nothing.
        let _ = echo(&mut socket).await;
    })
}

async fn echo(socket: &mut WebSocket) -> anyhow::Result<()> {
    let mut heartbeat = interval(Duration::from_secs(20));
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            _ = heartbeat.tick() => {
                socket.send(Message::Ping(Vec::new().into())).await?;
                continue;
            }
        };
        match message.transpose()? {
            Some(Message::Text(text)) => {
                let tick: Tick = serde_json::from_str(&text)?;
                tick.check()?;
                socket.send(Message::text(serde_json::to_string(&tick)?)).await?;
            }
            Some(Message::Close(_)) | None => return Ok(()),
            Some(_) => {}
        }
    }
}

/// A line at a time.
pub async fn take(body: Body) -> Answer<TakeResponse> {
    let mut chunks = body.into_data_stream();
    let (mut buffer, mut ticks) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        buffer.extend_from_slice(&chunk.map_err(|error| broken(error.into()))?);
        let mut read = 0;
        while let Some(end) = buffer[read..].iter().position(|byte| *byte == b'\n') {
            let tick: Tick = serde_json::from_slice(&buffer[read..read + end])
                .map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
            tick.check().map_err(unprocessable)?;
            ticks += 1;
            read += end + 1;
        }
        buffer.drain(..read);
    }
    Ok(Json(TakeResponse { ticks }))
}

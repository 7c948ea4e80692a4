//! Streams that stay open, as callers see them that are not ours.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::process::LONG;

/// Server-sent events.
pub struct Events {
    response: reqwest::Response,
    pub text: String,
}

impl Events {
    /// From the start, or from after an event.
    pub async fn open(url: &str, last: Option<&str>) -> Self {
        let mut request = reqwest::Client::new().get(format!("{url}/v1/watch")).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The id and the number of the first event.
    pub async fn first(&mut self) -> (String, u64) {
        while !self.text.contains("\n\n") {
            let chunk = timeout(LONG, self.response.chunk()).await.unwrap().unwrap().expect("no event has come");
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
        let (id, data) = self.text.split_once("\n\n").unwrap().0.split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        (id.strip_prefix("id: ").unwrap().to_owned(), data["number"].as_u64().unwrap())
    }

    /// All that has come until the end, which must be one, and no connection that breaks.
    pub async fn rest(mut self) -> String {
        while let Some(chunk) = timeout(LONG, self.response.chunk()).await.unwrap().expect("the stream was cut") {
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
        self.text
    }
}

/// A WebSocket over which something has come back already.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// A stream both ways.
    pub async fn talk(url: &str) -> Self {
        let mut socket = Self(connect_async(address(url, "/v1/talk")).await.unwrap().0);
        socket.say(json!({ "number": 7 })).await;
        assert_eq!(socket.hear().await, json!({ "number": 7 }));
        socket
    }

    /// A subscription.
    pub async fn graphql(url: &str) -> Self {
        let mut request = address(url, "/graphql/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let mut socket = Self(connect_async(request).await.unwrap().0);
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await["type"], "connection_ack");
        let query = json!({ "query": "subscription { watch { number } }" });
        socket.say(json!({ "id": "1", "type": "subscribe", "payload": query })).await;
        assert_eq!(socket.hear().await["payload"]["data"]["watch"]["number"], 1);
        socket
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        loop {
            if let Message::Text(text) = timeout(LONG, self.0.next()).await.unwrap().unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The last text before the close, and its code.
    pub async fn end(mut self) -> (String, u16) {
        let mut last = String::new();
        loop {
            match timeout(LONG, self.0.next()).await.unwrap().expect("the WebSocket was not closed").unwrap() {
                Message::Text(text) => last = text.to_string(),
                Message::Close(frame) => return (last, frame.expect("a close without a code").code.into()),
                _ => {}
            }
        }
    }
}

fn address(url: &str, path: &str) -> String {
    format!("{}{path}", url.replacen("http", "ws", 1))
}

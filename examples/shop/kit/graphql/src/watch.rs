//! Subscriptions: over WebSocket, and as server-sent events.

use std::{convert::Infallible, time::Duration};

use async_graphql::{
    Data, Executor, Request,
    http::{WebSocket, WebSocketProtocols, WsMessage},
    parser::types::OperationType,
};
use axum::{
    Extension,
    body::Bytes,
    extract::{
        State, WebSocketUpgrade,
        ws::{self, CloseFrame, Message},
    },
    http::{HeaderMap, StatusCode, Uri},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{SinkExt, StreamExt, future, stream};
use kit::Context;

use crate::{
    endpoint::{Cx, Endpoint, refused},
    request::{Answer, Asked, Form, Refusal, got, posted},
};

const PROTOCOL: &str = "graphql-transport-ws";
/// Bytes of a message at most, as of a request's body.
const MESSAGE: usize = 1 << 20;
/// How long a connection is silent at most, so that nobody between the two takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub async fn socket<E: Executor>(State(endpoint): State<Endpoint<E>>, cx: Cx, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MESSAGE);
    if upgrade.selected_protocol().is_none() {
        return refused(Form::Json, &Refusal::bad(format!("the protocol of the WebSocket must be {PROTOCOL}")));
    }
    let cx = cx.map(|Extension(cx)| cx).unwrap_or_default();
    upgrade.on_upgrade(|socket| talk(socket, endpoint.schema, cx))
}

/// Until either side has enough. Every operation has a context of its own, made of the connection's.
async fn talk<E: Executor>(socket: ws::WebSocket, schema: E, cx: Context) {
    let mut connection = Data::default();
    connection.insert(cx);
    let (mut sink, messages) = socket.split();
    let texts = messages.scan((), |(), message| future::ready(message.ok())).filter_map(|message| {
        let is_text = matches!(message, Message::Text(_) | Message::Binary(_));
        future::ready(is_text.then(|| message.into_data()))
    });
    let talk = WebSocket::new(schema, texts, WebSocketProtocols::GraphQLWS).connection_data(connection);
    let mut answers = std::pin::pin!(talk);
    while let Some(answer) = answers.next().await {
        let message = match answer {
            WsMessage::Text(text) => Message::Text(text.into()),
            WsMessage::Close(code, reason) => Message::Close(Some(CloseFrame { code, reason: reason.into() })),
        };
        if sink.send(message).await.is_err() {
            break;
        }
    }
}

pub async fn got_stream<E: Executor>(State(endpoint): State<Endpoint<E>>, cx: Cx, uri: Uri) -> Response {
    match got(&uri, &[OperationType::Query, OperationType::Subscription]) {
        Ok(request) => events(&endpoint.schema, cx, request),
        Err(refusal) => refused(Form::Json, &refusal),
    }
}

pub async fn posted_stream<E: Executor>(
    State(endpoint): State<Endpoint<E>>,
    cx: Cx,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match posted(&headers, &body, 1) {
        Ok(Asked::One(request)) => events(&endpoint.schema, cx, *request),
        Ok(Asked::Many(_)) => refused(Form::Json, &Refusal(StatusCode::BAD_REQUEST, "one at a time".into())),
        Err(refusal) => refused(Form::Json, &refusal),
    }
}

/// The "distinct connections mode" of GraphQL over server-sent events.
fn events<E: Executor>(schema: &E, cx: Cx, request: Request) -> Response {
    let cx = cx.map(|Extension(cx)| cx).unwrap_or_default();
    // The deadline of the request is that of its opening; its key stays.
    let key = cx.idempotency_key().map(str::to_owned);
    let cx = key.into_iter().fold(cx.next_request(), Context::keyed);
    let responses = schema.execute_stream(request.data(cx), None);
    let next = responses.map(|response| {
        let data = serde_json::to_string(&Answer::from(&response)).unwrap_or_default();
        Event::default().event("next").data(data)
    });
    let complete = stream::once(future::ready(Event::default().event("complete").data("")));
    Sse::new(next.chain(complete).map(Ok::<_, Infallible>))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response()
}

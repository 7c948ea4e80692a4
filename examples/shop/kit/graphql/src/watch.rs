//! Subscriptions: over WebSocket, and as server-sent events.

use std::{
    any::TypeId,
    collections::HashSet,
    convert::Infallible,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    Data, Executor, Request,
    http::{ClientMessage, WebSocket, WebSocketProtocols, WsMessage},
    parser::types::OperationType,
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{
        State, WebSocketUpgrade,
        ws::{self, CloseFrame, Message, close_code},
    },
    http::{HeaderMap, Uri},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{
    SinkExt, StreamExt, future,
    stream::{self, BoxStream},
};
use kit::{Context, input::Limits};
use kit_http::Heartbeat;
use serde::de::Error;
use tokio::{
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{
    Limited,
    call::Opening,
    endpoint::{Cx, refused},
    request::{Answer, Asked, Form, Refusal, got, posted},
};

const PROTOCOL: &str = "graphql-transport-ws";
/// Bytes of a message at most where there is no edge.
const MESSAGE: usize = 1 << 20;
/// Bytes that are read at a time: each open connection holds as much, by default 128 KiB.
const READ: usize = 4 << 10;

/// The last event, of which the protocol says that its data is empty. Readers drop one that has no `data` at all, which is
/// what axum makes of that.
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// Operations at a time of one WebSocket.
const OPERATIONS: u32 = 100;
/// How long a client may take to begin, once it is connected.
const INITIALISATION: Duration = Duration::from_secs(10);
/// How long what is under way may take when the service stops: subscriptions have no end of their own.
const GRACE: Duration = Duration::from_secs(2);

/// `stopping` ends the connection, `held` lasts as long.
pub async fn socket<E: Executor>(
    State(schema): State<Limited<E>>,
    cx: Cx,
    heartbeat: Heartbeat,
    limit: Option<Extension<Limits>>,
    stopping: Option<Extension<CancellationToken>>,
    held: Option<Extension<TaskTrackerToken>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let limit = limit.map_or(MESSAGE, |Extension(limits)| limits.message);
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(limit).max_frame_size(limit).read_buffer_size(READ);
    if upgrade.selected_protocol().is_none() {
        return refused(Form::Json, &Refusal::bad(format!("the protocol of the WebSocket must be {PROTOCOL}")));
    }
    let cx = cx.map(|Extension(cx)| cx).unwrap_or_default();
    let stopping = stopping.map(|Extension(stopping)| stopping).unwrap_or_default();
    upgrade.on_upgrade(async move |socket| {
        talk(socket, schema, heartbeat, cx, stopping).await;
        drop(held);
    })
}

/// Until either side has enough, or the service stops. Every operation has a context of its own, made of the connection's.
async fn talk<E: Executor>(
    socket: ws::WebSocket,
    schema: E,
    heartbeat: Heartbeat,
    cx: Context,
    stopping: CancellationToken,
) {
    let mut connection = Data::default();
    connection.insert(cx);
    let (mut sink, messages) = socket.split();
    let (slots, begun) = (Arc::new(Semaphore::new(OPERATIONS as usize)), AtomicBool::new(false));
    let (heard, ids, fault) = (AtomicBool::new(false), Ids::default(), OnceLock::new());
    let messages = messages.scan((), |(), message: Result<Message, axum::Error>| {
        heard.store(true, Ordering::Relaxed);
        if message.as_ref().is_err_and(kit_http::is_too_large) {
            fault.get_or_init(|| CloseFrame { code: close_code::SIZE, reason: "the message is too large".into() });
        }
        future::ready(message.ok())
    });
    let texts = messages.filter_map(|message| {
        let is_text = matches!(message, Message::Text(_) | Message::Binary(_));
        future::ready(is_text.then(|| message.into_data()))
    });
    // async-graphql closes with codes of RFC 6455, and lets an operation take the place of another.
    let closing = |(code, reason): (u16, String)| {
        let error = serde_json::Error::custom(&reason);
        fault.get_or_init(|| CloseFrame { code, reason: reason.into() });
        error
    };
    let messages = texts.map(|text| {
        let wrong = |_| closing((4400, "Invalid message received".into()));
        match ClientMessage::from_bytes(text).map_err(wrong)? {
            ClientMessage::Start { id, payload } => {
                if !begun.load(Ordering::Relaxed) {
                    return Err(closing((4401, "Unauthorized".into())));
                }
                if slots.available_permits() == 0 {
                    // "Try again later", of the register that RFC 6455 §11.7 began.
                    return Err(closing((1013, format!("at most {OPERATIONS} operations at a time"))));
                }
                let name: String = id.chars().take(32).collect();
                let taken =
                    ids.take(&id).ok_or_else(|| closing((4409, format!("Subscriber for {name} already exists"))))?;
                Ok(ClientMessage::Start { id, payload: payload.data(Arc::new(taken)) })
            }
            message => {
                begun.fetch_or(matches!(message, ClientMessage::ConnectionInit { .. }), Ordering::Relaxed);
                Ok(message)
            }
        }
    });
    let schema = Counted { schema, slots: slots.clone() };
    let talk = WebSocket::from_message_stream(schema, messages, WebSocketProtocols::GraphQLWS);
    let mut answers = std::pin::pin!(talk.connection_data(connection));
    let mut stopped = std::pin::pin!(async {
        stopping.cancelled().await;
        let _ = timeout(GRACE, slots.acquire_many(OPERATIONS)).await;
    });
    let (mut late, mut waiting) = (std::pin::pin!(sleep(INITIALISATION)), true);
    let (mut beat, mut silent) = (interval_at(Instant::now() + heartbeat.0, heartbeat.0), 0);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A client that reads nothing is not there either, and keeps no service from stopping.
    let mut send = async |message| {
        let stopped = async {
            stopping.cancelled().await;
            sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            sent = sink.send(message) => sent.is_ok(),
            () = stopped => false,
            () = sleep(heartbeat.silence()) => false,
        }
    };
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer,
            _ = beat.tick() => {
                // Whoever is there answers a ping, so two heartbeats of silence mean that nobody is.
                silent = if heard.swap(false, Ordering::Relaxed) { 0 } else { silent + 1 };
                if silent == 2 || !send(Message::Ping(Bytes::new())).await {
                    break;
                }
                continue;
            }
            () = stopped.as_mut() => Some(WsMessage::Close(1001, "the service is stopping".into())),
            () = late.as_mut(), if waiting => {
                waiting = false;
                if begun.load(Ordering::Relaxed) {
                    continue;
                }
                // As the protocol has it.
                Some(WsMessage::Close(4408, "Connection initialisation timeout".into()))
            }
        };
        let message = match answer {
            Some(WsMessage::Text(text)) => Message::Text(text.into()),
            Some(WsMessage::Close(code, reason)) => {
                let ours = fault.get().cloned();
                Message::Close(Some(ours.unwrap_or_else(|| CloseFrame { code, reason: reason.into() })))
            }
            None => match fault.get() {
                Some(ours) => Message::Close(Some(ours.clone())),
                None => break,
            },
        };
        let closed = matches!(message, Message::Close(_));
        if !send(message).await || closed {
            break;
        }
    }
}

/// The ids of the operations that are under way on one connection.
#[derive(Clone, Default)]
struct Ids(Arc<Mutex<HashSet<String>>>);

/// An id, until it is dropped.
struct Taken {
    id: String,
    of: Ids,
}

impl Ids {
    /// `None` if another operation has it.
    fn take(&self, id: &str) -> Option<Taken> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        is_new.then(|| Taken { id: id.to_owned(), of: self.clone() })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// A schema of which only so much can be executed at a time.
#[derive(Clone)]
struct Counted<E> {
    schema: E,
    slots: Arc<Semaphore>,
}

impl<E: Executor> Executor for Counted<E> {
    fn execute(&self, request: Request) -> impl Future<Output = async_graphql::Response> + Send {
        self.schema.execute(request)
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, async_graphql::Response> {
        let slot = self.slots.clone().try_acquire_owned();
        let id = request.data.get(&TypeId::of::<Arc<Taken>>()).and_then(|id| id.downcast_ref::<Arc<Taken>>()).cloned();
        let responses = self.schema.execute_stream(request, session);
        // Given back with the end of the stream.
        let held = move |_: &_| {
            let _held = (&slot, &id);
        };
        responses.inspect(held).boxed()
    }
}

pub async fn got_stream<E: Executor>(
    State(schema): State<Limited<E>>,
    cx: Cx,
    heartbeat: Heartbeat,
    uri: Uri,
) -> Response {
    match got(&uri, &[OperationType::Query, OperationType::Subscription], &schema.documents) {
        Ok(request) => events(&schema, cx, heartbeat, request),
        Err(refusal) => refused(Form::Json, &refusal),
    }
}

pub async fn posted_stream<E: Executor>(
    State(schema): State<Limited<E>>,
    cx: Cx,
    heartbeat: Heartbeat,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match posted(&headers, &body, 1) {
        Ok(Asked::One(request)) => events(&schema, cx, heartbeat, *request),
        Ok(Asked::Many(_)) => refused(Form::Json, &Refusal::bad("one at a time")),
        Err(refusal) => refused(Form::Json, &refusal),
    }
}

/// The "distinct connections mode" of GraphQL over server-sent events.
fn events<E: Executor>(schema: &E, cx: Cx, Heartbeat(heartbeat): Heartbeat, request: Request) -> Response {
    let cx = cx.map(|Extension(cx)| cx).unwrap_or_default();
    // The deadline of the request is that of its opening, and each field has one of its own; its key stays.
    let (key, end) = (cx.idempotency_key().map(str::to_owned), cx.deadline());
    let cx = key.into_iter().fold(cx.next_request(), Context::keyed);
    let request = end.map(Opening).into_iter().fold(request.data(cx), Request::data);
    let responses = schema.execute_stream(request, None);
    let next = responses.map(|response| {
        let data = serde_json::to_string(&Answer::from(&response)).unwrap_or_default();
        Event::default().event("next").data(data)
    });
    let answers = Sse::new(next.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(heartbeat));
    let complete = stream::once(future::ready(Ok(Bytes::from_static(COMPLETE))));
    answers.into_response().map(|body| Body::from_stream(body.into_data_stream().chain(complete)))
}

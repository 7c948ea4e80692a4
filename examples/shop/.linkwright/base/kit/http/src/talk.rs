//! Streams both ways over one WebSocket (RFC 6455): the server's side.
//!
//! Either side sends one JSON text a message. An empty message of the client says that there is no more input; the server
//! ends with close code 1000. An error is told by a last message `{"error": problem}` and a close code that is not 1000.
//! What goes wrong before the upgrade is an answer of HTTP with a problem.

use std::{error::Error, marker::PhantomData, pin::Pin, time::Duration};

use axum::{
    extract::{
        FromRequestParts, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    },
    http::{StatusCode, request::Parts},
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt, stream,
    stream::{SplitSink, SplitStream},
};
use kit::{
    Context, Failure, Kind, OperationError, Stream, Validate,
    strict::{self, Refused},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::{self, error::CapacityError};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};
use tracing::Instrument;

use crate::{
    Heartbeat, Problem, extract,
    heartbeat::Silence,
    upload::Inputs,
    waiting::{self, Reader, Writer},
};

/// Bytes that are read at a time. tungstenite writes zeros over all that it may read into before it reads, so each open
/// connection holds as much: by default 128 KiB.
pub(crate) const READ: usize = 4 << 10;
/// How long an operation may take to come to its own end when the service stops.
const GRACE: Duration = Duration::from_secs(2);
/// How long the client may take to close, once the server has.
const CLOSING: Duration = Duration::from_secs(2);
/// Bytes of the reason in a close frame at most (RFC 6455, 5.5).
const REASON: usize = 123;

/// A stream both ways that is yet to be opened. 426 if the request is no upgrade to a WebSocket.
pub struct Talk<T> {
    cx: Context,
    upgrade: WebSocketUpgrade,
    inputs: Inputs,
    heartbeat: Heartbeat,
    stopping: CancellationToken,
    /// The server waits for who holds it.
    held: Option<TaskTrackerToken>,
    of: PhantomData<fn() -> T>,
}

/// The last message of a stream that has failed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failed<P = Problem> {
    pub error: P,
}

impl<T, S: Send + Sync> FromRequestParts<S> for Talk<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let cx = extract::context(parts)?;
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await.map_err(|rejection| {
            Problem::new(StatusCode::UPGRADE_REQUIRED, format!("this opens a WebSocket: {}", rejection.body_text()))
        })?;
        let missing = || Failure::internal(anyhow::anyhow!("the router is not inside `kit_http::edge`"));
        let inputs = parts.extensions.get::<Inputs>().cloned().ok_or_else(missing)?;
        let Ok(heartbeat) = Heartbeat::from_request_parts(parts, state).await;
        let stopping = parts.extensions.get::<CancellationToken>().cloned().unwrap_or_default();
        let held = parts.extensions.get::<TaskTrackerToken>().cloned();
        Ok(Self { cx, upgrade, inputs, heartbeat, stopping, held, of: PhantomData })
    }
}

impl<T: DeserializeOwned + Validate + Send + 'static> Talk<T> {
    /// Upgrades the connection and makes the call: its output is sent as it comes, and no faster than the client reads.
    pub async fn answer<O, E, F>(
        self,
        call: impl FnOnce(Context, Stream<T, Failure>) -> F + Send + 'static,
    ) -> Result<Response, Problem>
    where
        O: Serialize + Send + 'static,
        E: OperationError,
        F: Future<Output = Result<Stream<O, E>, E>> + Send + 'static,
    {
        let Self { cx, upgrade, inputs, heartbeat, stopping, held, .. } = self;
        let upgrade = upgrade.max_message_size(inputs.item).max_frame_size(inputs.item);
        let upgrade = upgrade.read_buffer_size(READ).write_buffer_size(0);
        let span = tracing::Span::current();
        let talk = move |socket: WebSocket| {
            // Each future that a socket passes through has room for one; its halves are two pointers.
            let (sink, source) = socket.split();
            let talk = async move {
                run(sink, source, inputs.waiting, heartbeat, cx, stopping, call).await;
                drop(held);
            };
            talk.instrument(span)
        };
        Ok(upgrade.on_upgrade(talk))
    }
}

/// How a connection ends.
struct Ended {
    code: u16,
    problem: Option<Problem>,
}

impl Ended {
    fn failed(error: impl OperationError, cx: &Context, stopping: &CancellationToken) -> Self {
        let code = match error.kind() {
            Kind::Unavailable if stopping.is_cancelled() => close_code::AWAY,
            kind => code(kind),
        };
        Self { code, problem: Some(Problem::from(error).in_trace(&cx.trace().id())) }
    }
}

/// The close code of each kind of error.
fn code(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid => close_code::INVALID,
        Kind::Limited | Kind::Unavailable | Kind::Timeout => close_code::AGAIN,
        Kind::Internal => close_code::ERROR,
        Kind::Denied
        | Kind::NotFound
        | Kind::Exists
        | Kind::Conflict
        | Kind::Stale
        | Kind::Unauthenticated
        | Kind::Unsupported => close_code::POLICY,
    }
}

async fn run<T, O, E, F>(
    mut sink: SplitSink<WebSocket, Message>,
    mut source: SplitStream<WebSocket>,
    most_waiting: usize,
    heartbeat: Heartbeat,
    cx: Context,
    stopping: CancellationToken,
    call: impl FnOnce(Context, Stream<T, Failure>) -> F,
) where
    T: DeserializeOwned + Validate + Send + 'static,
    O: Serialize,
    E: OperationError,
    F: Future<Output = Result<Stream<O, E>, E>>,
{
    let (texts, waiting) = waiting::line(most_waiting);
    let input =
        stream::unfold(waiting, async |mut waiting: Reader<Utf8Bytes>| Some((item(&waiting.next().await?), waiting)));
    let input = kit::input::received(input, None, stopping.clone().cancelled_owned());
    // First what has come: it is then answered in the same turn.
    let ended = tokio::select! {
        biased;
        ended = hear(&mut source, texts, heartbeat) => ended,
        ended = say(&mut sink, heartbeat, &cx, &stopping, Box::pin(cx.reading(input, call))) => ended,
        () = stopped(&stopping) => Some(Ended::failed(
            Failure::new(Kind::Unavailable, "the service is stopping"), &cx, &stopping,
        )),
    };
    if let Some(ended) = ended {
        let _ = timeout(CLOSING, close(sink, source, ended)).await;
    }
}

async fn stopped(stopping: &CancellationToken) {
    stopping.cancelled().await;
    sleep(GRACE).await;
}

/// How far an operation is.
enum Talking<F, O, E> {
    Opens(Pin<Box<F>>),
    Items(Stream<O, E>),
}

/// Sends what the operation answers, and asks for a sign of life now and then. `None`: the client is gone.
async fn say<O: Serialize, E: OperationError>(
    sink: &mut SplitSink<WebSocket, Message>,
    Heartbeat(heartbeat): Heartbeat,
    cx: &Context,
    stopping: &CancellationToken,
    opening: Pin<Box<impl Future<Output = Result<Stream<O, E>, E>>>>,
) -> Option<Ended> {
    let mut heartbeat = interval(heartbeat);
    // After a while in which nothing could be sent, one sign of life is enough.
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What opens the stream goes when it is open: most of them are open for much longer.
    let mut talk = Talking::Opens(opening);
    loop {
        let next = async {
            match &mut talk {
                Talking::Items(items) => items.next().await.map(|item| item.map(Some)),
                Talking::Opens(opening) => Some(opening.await.map(|opened| {
                    talk = Talking::Items(opened);
                    None
                })),
            }
        };
        let message = tokio::select! {
            item = next => match item {
                None => return Some(Ended { code: close_code::NORMAL, problem: None }),
                Some(Err(error)) => return Some(Ended::failed(error, cx, stopping)),
                Some(Ok(None)) => continue,
                Some(Ok(Some(item))) => match serde_json::to_string(&item) {
                    Ok(text) => Message::text(text),
                    Err(error) => return Some(Ended::failed(Failure::internal(error), cx, stopping)),
                },
            },
            _ = heartbeat.tick() => Message::Ping(Vec::new().into()),
        };
        sink.send(message).await.ok()?;
    }
}

/// Takes what the client sends, as far as the operation has room for it. `None`: the client is gone, which is what two
/// heartbeats of silence mean.
async fn hear(source: &mut SplitStream<WebSocket>, texts: Writer<Utf8Bytes>, heartbeat: Heartbeat) -> Option<Ended> {
    let mut texts = Some(texts);
    let mut silence = Silence::after(heartbeat);
    loop {
        // While the operation has no room, nothing is read, and nobody's silence counts.
        let wanted = match &texts {
            Some(texts) => texts.room().await,
            None => false,
        };
        let message = silence.unless(source.next()).await??;
        let text = match message {
            Ok(Message::Text(text)) => text,
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Binary(_)) => {
                return Some(refused(close_code::UNSUPPORTED, "an item is a text message with JSON"));
            }
            Ok(Message::Close(_)) => return None,
            Err(error) => return too_large(&error),
        };
        if text.is_empty() {
            texts = None;
            continue;
        }
        // An operation that reads no more does not want to hear it.
        if let Some(room) = texts.as_ref().filter(|_| wanted) {
            room.push(text).await;
        }
    }
}

fn item<T: DeserializeOwned + Validate>(text: &Utf8Bytes) -> Result<T, Failure> {
    strict::json(text.as_bytes()).map_err(|refused| match refused {
        Refused::Invalid(failure) => failure,
        Refused::Unreadable(why) => Failure::invalid(format!("is no JSON: {why}")),
    })
}

fn refused(code: u16, detail: &str) -> Ended {
    Ended { code, problem: Some(Failure::invalid(detail).into()) }
}

/// A message over the limit is told so; any other error means that nobody is there.
fn too_large(error: &axum::Error) -> Option<Ended> {
    is_too_large(error).then(|| refused(close_code::SIZE, "the message is too large"))
}

/// Whether a WebSocket has failed since a message is over the limit.
pub fn is_too_large(error: &axum::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. })))
}

/// Says how it ended, and waits for the client to close.
async fn close(mut sink: SplitSink<WebSocket, Message>, mut source: SplitStream<WebSocket>, ended: Ended) {
    let Ended { code, problem } = ended;
    let mut reason = String::new();
    if let Some(error) = problem {
        reason = error.detail[..error.detail.floor_char_boundary(REASON)].to_owned();
        if let Ok(text) = serde_json::to_string(&Failed { error }) {
            let _ = sink.send(Message::text(text)).await;
        }
    }
    let _ = sink.send(Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from(reason) }))).await;
    while source.next().await.is_some_and(|message| message.is_ok()) {}
}

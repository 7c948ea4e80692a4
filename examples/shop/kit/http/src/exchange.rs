//! Streams both ways over one WebSocket (RFC 6455): the client's side.

use std::time::Duration;

use axum::http::{HeaderMap, Request as Opening};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt, future, stream,
    stream::{SplitSink, SplitStream},
};
use kit::{
    Failure, Kind, OperationError, Stream,
    input::{Broken, Sent},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message, client::IntoClientRequest, error::UrlError, protocol::WebSocketConfig,
        protocol::frame::coding::CloseCode,
    },
};

use crate::{
    Heartbeat, Problem,
    client::MAX_ANSWER,
    heartbeat::Silence,
    talk::{Failed, READ},
};

/// How long a connection may take to open, where the deadline does not say less.
const CONNECT: Duration = Duration::from_secs(5);
/// Items that have come and are not read yet. What follows stays with the service.
const WAITING: usize = 16;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens the connection.
pub(crate) async fn open<E: OperationError>(url: &str, headers: HeaderMap) -> Result<Socket, E> {
    let url = url.replacen("http", "ws", 1);
    let mut request: Opening<()> = url.into_client_request().map_err(Failure::internal)?;
    request.headers_mut().extend(headers);
    let config = WebSocketConfig::default().max_message_size(Some(MAX_ANSWER));
    let config = config.read_buffer_size(READ).write_buffer_size(0);
    match timeout(CONNECT, connect_async_with_config(request, Some(config), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(refused(error)),
        Err(late) => Err(Failure::unavailable(late).unsent().into()),
    }
}

/// An answer of HTTP in place of the upgrade, or none.
fn refused<E: OperationError>(error: Error) -> E {
    match error {
        Error::Http(response) => {
            let (parts, body) = response.into_parts();
            E::from_wire(Problem::read(parts.status, &parts.headers, &body.unwrap_or_default()).into_wire())
        }
        Error::Io(error) => Failure::unavailable(error).unsent().into(),
        Error::Url(UrlError::TlsFeatureNotEnabled) => {
            Failure::new(Kind::Unsupported, "no WebSocket over TLS").unsent().into()
        }
        error => Failure::unavailable(error).into(),
    }
}

/// Sends the input, and gives what comes. Who drops it closes the connection, which gives the call up. A service that has
/// vanished is found out as its server finds out of clients: it is asked for a sign of life at each heartbeat.
/// While it has no room for more input it does not read what it is asked, but gives signs of its own.
pub(crate) fn items<I, T, E>(socket: Socket, heartbeat: Heartbeat, input: Sent<I>, broken: Broken) -> Stream<T, E>
where
    I: Serialize + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    E: OperationError,
{
    let (told, waiting) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let (sink, source) = socket.split();
        tokio::select! {
            () = hear(Heard { source, silence: Silence::after(heartbeat) }, &told) => {}
            () = say(sink, heartbeat, input) => {}
            // Nobody listens any more.
            () = told.closed() => {}
        }
    });
    let items = stream::unfold(waiting, |mut waiting: mpsc::Receiver<Result<T, E>>| async {
        Some((waiting.recv().await?, waiting))
    });
    kit::input::unless(Box::pin(items), broken)
}

/// Sends each item, and then that there is no more. What becomes of it, the other side says.
async fn say<I: Serialize>(mut sink: SplitSink<Socket, Message>, Heartbeat(heartbeat): Heartbeat, mut input: Sent<I>) {
    let mut beat = interval_at(Instant::now() + heartbeat, heartbeat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = false;
    loop {
        let message = tokio::select! {
            item = input.next(), if !ended => match item.map(|item| serde_json::to_string(&item)) {
                Some(Ok(text)) => Message::text(text),
                Some(Err(_)) => break,
                None => {
                    ended = true;
                    Message::text("")
                }
            },
            _ = beat.tick() => Message::Ping(Bytes::new()),
        };
        if sink.send(message).await.is_err() {
            break;
        }
    }
    future::pending().await
}

/// What comes from the other side.
struct Heard {
    source: SplitStream<Socket>,
    silence: Silence,
}

impl Heard {
    async fn next(&mut self) -> Result<Message, Failure> {
        match self.silence.unless(self.source.next()).await {
            Some(Some(message)) => message.map_err(|error| cut(Some(error))),
            Some(None) => Err(cut(None)),
            None => Err(Failure::new(Kind::Unavailable, "the other side gives no sign of life")),
        }
    }
}

async fn hear<T: DeserializeOwned, E: OperationError>(mut heard: Heard, told: &mpsc::Sender<Result<T, E>>) {
    let mut pushed = None;
    loop {
        // While nobody reads here, nobody's silence counts.
        let Ok(room) = told.reserve().await else { return };
        let message = match pushed.take() {
            Some(message) => message,
            None => heard.next().await,
        };
        let text = match message {
            Ok(Message::Text(text)) => text,
            Ok(Message::Close(frame)) => {
                match frame {
                    Some(frame) if frame.code == CloseCode::Normal => {}
                    Some(frame) => room.send(Err(closed(frame.code, &frame.reason).into())),
                    None => room.send(Err(cut(None).into())),
                }
                return;
            }
            Ok(_) => continue,
            Err(failure) => return room.send(Err(failure.into())),
        };
        // An item may look like the message of an error; only that is followed by the end.
        if let Ok(Failed { error }) = serde_json::from_str::<Failed>(&text) {
            let next = loop {
                match heard.next().await {
                    Ok(Message::Ping(_) | Message::Pong(_)) => {}
                    next => break next,
                }
            };
            let is_end = match &next {
                Ok(Message::Close(Some(frame))) => frame.code != CloseCode::Normal,
                Ok(_) => false,
                Err(_) => true,
            };
            if is_end {
                return room.send(Err(E::from_wire(error.into_wire())));
            }
            pushed = Some(next);
        }
        match serde_json::from_str(&text) {
            Ok(item) => room.send(Ok(item)),
            Err(error) => return room.send(Err(Failure::internal(error).into())),
        }
    }
}

fn cut(cause: Option<Error>) -> Failure {
    let failure = Failure::new(Kind::Unavailable, "the stream was cut off");
    match cause {
        Some(cause) => failure.caused_by(cause),
        None => failure,
    }
}

/// A close without a problem: of another server, or something in between.
fn closed(code: CloseCode, reason: &str) -> Failure {
    let kind = match code {
        CloseCode::Size | CloseCode::Invalid | CloseCode::Unsupported => Kind::Invalid,
        CloseCode::Policy => Kind::Denied,
        CloseCode::Error => Kind::Internal,
        _ => Kind::Unavailable,
    };
    Failure::new(kind, format!("the stream was closed with {code}: {reason}"))
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::timeout};

    use super::*;

    const HEARTBEAT: Heartbeat = Heartbeat(Duration::from_millis(200));

    /// A connection to a service that reads what is sent, or has vanished.
    async fn connected(reads: bool) -> Stream<u32, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let stream = listener.accept().await.unwrap().0;
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            socket.send(Message::text("7")).await.unwrap();
            while reads && socket.next().await.is_some() {}
            future::pending::<()>().await;
        });
        let socket = open::<Failure>(&url, HeaderMap::new()).await.unwrap();
        let (input, broken) = kit::input::sent::<u32>(Box::pin(stream::pending()));
        items(socket, HEARTBEAT, input, broken)
    }

    #[tokio::test]
    async fn a_service_that_has_vanished_is_found_out() {
        let mut items = connected(false).await;
        assert_eq!(items.next().await, Some(Ok(7)));
        let silent = timeout(HEARTBEAT.silence() * 3, items.next()).await.expect("it waits for ever");
        assert_eq!(silent.unwrap().map_err(|failure| failure.kind), Err(Kind::Unavailable));
        assert!(items.next().await.is_none());
    }

    #[tokio::test]
    async fn one_that_is_there_may_have_nothing_to_say() {
        let mut items = connected(true).await;
        assert_eq!(items.next().await, Some(Ok(7)));
        assert!(timeout(HEARTBEAT.silence() * 3, items.next()).await.is_err());
    }
}

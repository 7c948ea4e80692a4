//! Streams both ways over one WebSocket (RFC 6455): the client's side.

use std::time::Duration;

use axum::http::{HeaderMap, Request as Opening};
use futures_util::{
    SinkExt, StreamExt, future, stream,
    stream::{SplitSink, SplitStream},
};
use kit::{
    Failure, Kind, OperationError, Stream,
    input::{Broken, Sent},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message, client::IntoClientRequest, error::UrlError, protocol::WebSocketConfig,
        protocol::frame::coding::CloseCode,
    },
};

use crate::{
    Problem,
    client::MAX_ANSWER,
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

/// Sends the input, and gives what comes. Who drops it closes the connection, which gives the call up.
pub(crate) fn items<I, T, E>(socket: Socket, input: Sent<I>, broken: Broken) -> Stream<T, E>
where
    I: Serialize + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    E: OperationError,
{
    let (told, waiting) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let (sink, source) = socket.split();
        tokio::select! {
            () = hear(source, &told) => {}
            () = say(sink, input) => {}
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
async fn say<I: Serialize>(mut sink: SplitSink<Socket, Message>, mut input: Sent<I>) {
    let send = async {
        while let Some(item) = input.next().await {
            sink.send(Message::text(serde_json::to_string(&item).ok()?)).await.ok()?;
        }
        sink.send(Message::text("")).await.ok()
    };
    send.await;
    future::pending().await
}

async fn hear<T: DeserializeOwned, E: OperationError>(
    mut source: SplitStream<Socket>,
    told: &mpsc::Sender<Result<T, E>>,
) {
    let mut pushed = None;
    loop {
        let Ok(room) = told.reserve().await else { return };
        let message = match pushed.take() {
            Some(message) => message,
            None => source.next().await,
        };
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                match frame {
                    Some(frame) if frame.code == CloseCode::Normal => {}
                    Some(frame) => room.send(Err(closed(frame.code, &frame.reason).into())),
                    None => room.send(Err(cut(None).into())),
                }
                return;
            }
            Some(Ok(_)) => continue,
            Some(Err(error)) => return room.send(Err(cut(Some(error)).into())),
            None => return room.send(Err(cut(None).into())),
        };
        // An item may look like the message of an error; only that is followed by the end.
        if let Ok(Failed { error }) = serde_json::from_str::<Failed>(&text) {
            let next = loop {
                match source.next().await {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    next => break next,
                }
            };
            let is_end = match &next {
                Some(Ok(Message::Close(Some(frame)))) => frame.code != CloseCode::Normal,
                Some(Ok(_)) => false,
                Some(Err(_)) | None => true,
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

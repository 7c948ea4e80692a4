//! A router on a socket: HTTP/1.1 and HTTP/2 without TLS on one port.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::ConnectInfo,
    http::{Request, header},
};
use futures_util::FutureExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::socket::Socket;

/// Bytes of a request's head at most.
const HEAD: usize = 64 << 10;
/// HTTP/2: how often to ask a silent client whether it is there, and how long to wait for the answer.
const PING: Duration = Duration::from_secs(20);

/// How connections are treated.
#[derive(Clone, Debug)]
pub struct Server {
    /// How long a client may take for the head of a request, from the end of the last.
    pub head_timeout: Duration,
    /// How long a client may take nothing of what is written to it.
    pub stall: Duration,
    /// Connections at a time, those that have become something else among them. One more waits until one of them closes.
    pub connections: usize,
    /// How long what is under way may take to finish once the server stops.
    pub drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            connections: 16_384,
            drain: Duration::from_secs(20),
        }
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were not done by the deadline and have been cut.
    pub cut: usize,
}

/// Serves until `stopping` is cancelled: then takes no more connections, lets each finish the requests it has, and cuts
/// those that are not done in time.
///
/// A request to upgrade its connection has `stopping` and a token of a [`TaskTracker`] among its extensions: who takes the
/// connection over ends it at the one, and is waited for while it holds the other.
pub async fn serve(listener: TcpListener, router: Router, server: Server, stopping: CancellationToken) -> Drained {
    let (mut connections, upgraded) = (JoinSet::new(), TaskTracker::new());
    let places = Arc::new(Semaphore::new(server.connections.min(Semaphore::MAX_PERMITS)));
    let accept = async || {
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        Ok((stream, peer, place))
    };
    let start = |connections: &mut JoinSet<()>, (stream, peer, place): (TcpStream, SocketAddr, _)| {
        // Small answers are not to wait for the acknowledgement of the last one.
        let _ = stream.set_nodelay(true);
        let socket = Socket::new(stream, server.stall, place);
        let (router, stopping, upgraded) = (router.clone(), stopping.clone(), upgraded.clone());
        connections.spawn(connection(socket, peer, router, server.head_timeout, stopping, upgraded));
    };
    loop {
        tokio::select! {
            () = stopping.cancelled() => break,
            accepted = accept() => match accepted {
                Ok(accepted) => start(&mut connections, accepted),
                Err(error) => refused(error).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    // Those whose connection stands already are served as well.
    while let Some(Ok(accepted)) = accept().now_or_never() {
        start(&mut connections, accepted);
    }
    drop(listener);
    upgraded.close();
    let done = async {
        while connections.join_next().await.is_some() {}
        upgraded.wait().await;
    };
    let _ = timeout(server.drain, done).await;
    while connections.try_join_next().is_some() {}
    let cut = connections.len() + upgraded.len();
    connections.shutdown().await;
    Drained { cut }
}

/// One connection, until it closes. When the server stops it finishes what it has.
async fn connection(
    socket: Socket,
    peer: SocketAddr,
    router: Router,
    head_timeout: Duration,
    stopping: CancellationToken,
    upgraded: TaskTracker,
) {
    let asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (asked, stopping) = (asked.clone(), stopping.clone());
        move |mut request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            if request.headers().contains_key(header::UPGRADE) {
                request.extensions_mut().insert(stopping.clone());
                request.extensions_mut().insert(upgraded.token());
            }
            router.clone().call(request)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout).max_buf_size(HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(socket), service));
    // The protocol's own timer starts only when it is clear which protocol it is.
    let mut first = pin!(sleep(head_timeout));
    let (mut told, mut waiting) = (false, true);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "connection");
                }
                return;
            }
            () = stopping.cancelled(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            () = first.as_mut(), if waiting => {
                waiting = false;
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }
}

/// A connection that is gone before it is taken concerns nobody; anything else, such as too many open files, may pass.
async fn refused(error: io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "cannot accept connections");
        sleep(Duration::from_secs(1)).await;
    }
}

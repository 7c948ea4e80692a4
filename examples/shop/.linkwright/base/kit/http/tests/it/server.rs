use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    routing::get as on_get,
};
use futures_util::stream;
use kit_http::{Drained, Server, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::get;

struct Running {
    address: SocketAddr,
    stopping: CancellationToken,
    ended: JoinHandle<Drained>,
    /// A request to `/work` has begun.
    entered: Arc<Notify>,
    /// Lets it go on.
    leave: Arc<Notify>,
}

async fn running(server: Server) -> Running {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let work = {
        let (entered, leave) = (entered.clone(), leave.clone());
        async move || {
            entered.notify_one();
            leave.notified().await;
            "done"
        }
    };
    let router = Router::new()
        .route("/work", on_get(work))
        .route("/me", on_get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopping = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, router, server, stopping.clone()));
    Running { address, stopping, ended, entered, leave }
}

#[tokio::test]
async fn both_versions_on_one_port() {
    let running = running(Server::default()).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    for http2 in [false, true] {
        let client = reqwest::Client::builder();
        let client = if http2 { client.http2_prior_knowledge() } else { client.http1_only() }.build().unwrap();
        let answer = client.get(format!("http://{}/me", running.address)).send().await.unwrap();
        assert_eq!(answer.version() == reqwest::Version::HTTP_2, http2);
        assert!(answer.text().await.unwrap().starts_with("127.0.0.1:"));
    }
}

#[tokio::test]
async fn what_is_under_way_is_finished_and_nothing_else_is_taken() {
    let running = running(Server::default()).await;
    let work = tokio::spawn(get(format!("http://{}/work", running.address)).send());
    let idle = TcpStream::connect(running.address).await.unwrap();
    running.entered.notified().await;
    running.stopping.cancel();
    // The connection without a request is closed: that the server has stopped listening can be told by now.
    assert_eq!(idle.peek(&mut [0]).await.unwrap(), 0);
    assert!(TcpStream::connect(running.address).await.is_err());
    assert!(!running.ended.is_finished());
    running.leave.notify_one();
    assert_eq!(work.await.unwrap().unwrap().text().await.unwrap(), "done");
    assert_eq!(running.ended.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn what_does_not_finish_is_cut_and_counted() {
    let running = running(Server { drain: Duration::from_millis(200), ..Server::default() }).await;
    let work = tokio::spawn(get(format!("http://{}/work", running.address)).send());
    running.entered.notified().await;
    running.stopping.cancel();
    assert_eq!(running.ended.await.unwrap(), Drained { cut: 1 });
    assert!(work.await.unwrap().is_err());
}

#[tokio::test]
async fn who_has_taken_a_connection_over_is_told_and_waited_for() {
    let done = Arc::new(AtomicBool::new(false));
    let take_over = {
        let done = done.clone();
        async move |Extension(stopping): Extension<CancellationToken>, Extension(held): Extension<TaskTrackerToken>| {
            tokio::spawn(async move {
                stopping.cancelled().await;
                sleep(Duration::from_millis(100)).await;
                done.store(true, Ordering::SeqCst);
                drop(held);
            });
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopping = CancellationToken::new();
    let router = Router::new().route("/over", on_get(take_over));
    let ended = tokio::spawn(serve(listener, router, Server::default(), stopping.clone()));
    assert_eq!(get(format!("http://{address}/over")).send().await.unwrap().status(), 500, "nobody asked for another");
    let upgrade = get(format!("http://{address}/over")).header("upgrade", "other").header("connection", "upgrade");
    assert_eq!(upgrade.send().await.unwrap().status(), 200);
    stopping.cancel();
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
    assert!(done.load(Ordering::SeqCst));
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_place() {
    let running = running(Server { connections: 2, ..Server::default() }).await;
    let ask = async || {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET /me HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stream
    };
    let (mut first, mut second, mut third) = (ask().await, ask().await, ask().await);
    let mut answer = [0; 12];
    for served in [&mut first, &mut second] {
        served.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    assert!(timeout(Duration::from_millis(200), third.peek(&mut [0])).await.is_err());
    drop(first);
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn who_takes_nothing_of_what_is_written_is_cut() {
    let gone = Arc::new(Notify::new());
    struct Told(Arc<Notify>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let endless = {
        let gone = gone.clone();
        async move || {
            let told = Told(gone);
            Body::from_stream(stream::repeat_with(move || {
                let _ = &told;
                Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'x'; 1 << 16]))
            }))
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server { stall: Duration::from_millis(300), ..Server::default() };
    let router = Router::new().route("/endless", on_get(endless));
    tokio::spawn(serve(listener, router, server, CancellationToken::new()));
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stream
    };
    let _silent = ask().await;
    timeout(Duration::from_secs(20), gone.notified()).await.unwrap();
    // One that reads, with pauses, is left alone.
    let mut slow = ask().await;
    let mut buffer = vec![0; 8 << 20];
    for _ in 0..6 {
        sleep(Duration::from_millis(100)).await;
        slow.read_exact(&mut buffer).await.unwrap();
    }
    assert!(timeout(Duration::ZERO, gone.notified()).await.is_err());
}

#[tokio::test]
async fn slow_clients_are_cut() {
    let running = running(Server { head_timeout: Duration::from_millis(300), ..Server::default() }).await;
    // Nothing at all; the beginning of either protocol; of HTTP/2 with its settings but no request; half a head.
    for begun in ["", "P", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /me HTTP/1.1\r\nhost: x\r\n"]
    {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Ends when the server closes the connection.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains("200"), "{begun:?}");
    }
    // While a request is at work, a connection may be silent.
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /work HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    running.entered.notified().await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let _ = silent.read(&mut [0]).await;
    running.leave.notify_one();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn heads_have_a_limit() {
    let running = running(Server::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!("GET /me HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
}

#[tokio::test]
async fn a_panic_takes_its_connection_only() {
    let seen = Arc::new(Mutex::new(0));
    let count = seen.clone();
    let router = Router::new()
        .route("/panic", on_get(async || -> &str { panic!("outside of any edge") }))
        .route("/me", on_get(async move || *count.lock().unwrap() += 1));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopping = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, router, Server::default(), stopping.clone()));
    assert!(get(format!("http://{address}/panic")).send().await.is_err());
    assert!(get(format!("http://{address}/me")).send().await.unwrap().status().is_success());
    stopping.cancel();
    assert_eq!((ended.await.unwrap().cut, *seen.lock().unwrap()), (0, 1));
}

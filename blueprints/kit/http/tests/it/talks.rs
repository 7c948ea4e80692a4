//! Streams both ways over a WebSocket: the server beside a client that is not ours, and our client beside both.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::WebSocketUpgrade,
    response::Response,
    routing::{get, get as on_get},
};
use futures_util::{SinkExt, StreamExt, stream};
use kit::{Context, Failure, Kind, Stream, Validate, Violations};
use kit_http::{Client, Edge, Problem, Request, Server, Talk};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::start;

const LONG: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Items<T> = Stream<T, Failure>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Said {
    text: String,
}

impl Validate for Said {
    fn validate(&self, v: &mut Violations) {
        v.at("text", |v| v.length(&self.text, 1..=9));
    }
}

fn said(text: &str) -> Said {
    Said { text: text.into() }
}

/// Says everything again, and counts at the end. `boom` is an error, `enough` is the end.
async fn echo(_: Context, input: Items<Said>) -> Result<Items<Said>, Failure> {
    let counted = stream::unfold((input, 0, false), |(mut input, count, ended)| async move {
        if ended {
            return None;
        }
        let item = match input.next().await {
            Some(Ok(item)) if item.text == "boom" => Err(Failure::new(Kind::Conflict, "as you say")),
            Some(Ok(item)) if item.text == "enough" => return None,
            Some(item) => item,
            None => return Some((Ok(said(&format!("{count}"))), (input, count, true))),
        };
        Some((item, (input, count + 1, ended)))
    });
    Ok(Box::pin(counted))
}

async fn talk(talk: Talk<Said>) -> Result<Response, Problem> {
    talk.answer(echo).await
}

async fn closed(_: Context, _: Items<Said>) -> Result<Items<Said>, Failure> {
    Err(Failure::new(Kind::Denied, "not you"))
}

fn router() -> Router {
    let refuse = async |talk: Talk<Said>| talk.answer(closed).await;
    Router::new().route("/talk", get(talk)).route("/closed", get(refuse))
}

async fn socket(url: &str, path: &str) -> Socket {
    connect_async(format!("{}{path}", url.replacen("http", "ws", 1))).await.unwrap().0
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

/// The next message that is not of the protocol's own.
async fn next(socket: &mut Socket) -> Option<Message> {
    loop {
        match timeout(LONG, socket.next()).await.unwrap()? {
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            message => return message.ok(),
        }
    }
}

async fn heard(socket: &mut Socket) -> Value {
    match next(socket).await {
        Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn code(socket: &mut Socket) -> (u16, String) {
    match next(socket).await {
        Some(Message::Close(Some(frame))) => (frame.code.into(), frame.reason.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn items_go_both_ways_until_both_have_ended() {
    let mut socket = socket(&start(router(), Edge::default()).await, "/talk").await;
    for text in ["a", "b"] {
        say(&mut socket, &json!({ "text": text }).to_string()).await;
        assert_eq!(heard(&mut socket).await, json!({ "text": text }));
    }
    say(&mut socket, "").await;
    assert_eq!(heard(&mut socket).await, json!({ "text": "2" }));
    assert_eq!(code(&mut socket).await, (1000, String::new()));
}

#[tokio::test]
async fn an_error_is_the_last_message_and_the_code_tells_its_kind() {
    let url = start(router(), Edge::default()).await;
    let wrong = json!({ "text": "x".repeat(10) }).to_string();
    for (path, sent, field, due) in [
        ("/talk", r#"{"text": "boom"}"#, None, 1008),
        ("/closed", "", None, 1008),
        ("/talk", wrong.as_str(), Some("[1].text"), 1007),
        ("/talk", "{\"text\":", Some("[1]"), 1007),
        ("/talk", r#"{"text": "a", "more": 1}"#, Some("[1].more"), 1007),
    ] {
        let mut socket = socket(&url, path).await;
        if path == "/talk" {
            say(&mut socket, r#"{"text": "a"}"#).await;
            heard(&mut socket).await;
            say(&mut socket, sent).await;
        }
        let message = heard(&mut socket).await;
        let problem = &message["error"];
        assert_eq!((message.as_object().unwrap().len(), problem["type"].as_str()), (1, Some("about:blank")), "{sent}");
        assert_eq!(problem["trace_id"].as_str().map(str::len), Some(32));
        assert_eq!(problem["fields"][0]["field"].as_str(), field, "{problem}");
        let (code, reason) = code(&mut socket).await;
        assert_eq!((code, Some(reason.as_str())), (due, problem["detail"].as_str()), "{sent}");
    }
}

#[tokio::test]
async fn what_is_no_item_closes_the_connection() {
    let url = start(router(), Edge { body_limit: 1000, ..Edge::default() }).await;
    for (message, due) in [(Message::binary(vec![1]), 1003), (Message::text("x".repeat(2000)), 1009)] {
        let mut socket = socket(&url, "/talk").await;
        socket.send(message).await.unwrap();
        assert_eq!(heard(&mut socket).await["error"]["kind"], "invalid");
        assert_eq!(code(&mut socket).await.0, due);
    }
}

#[tokio::test]
async fn before_the_upgrade_errors_are_answers() {
    let url = start(router(), Edge::default()).await;
    let (status, ..) = crate::problem(crate::send(crate::get(format!("{url}/talk"))).await).await;
    assert_eq!(status, 426);
    let (status, ..) = crate::problem(crate::send(crate::http(Method::POST, format!("{url}/talk"))).await).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn a_silent_connection_is_asked_for_a_sign_of_life_and_closed_without_one() {
    let heartbeat = Duration::from_millis(200);
    let url = start(router(), Edge { heartbeat, ..Edge::default() }).await;
    let (mut there, mut gone) = (socket(&url, "/talk").await, socket(&url, "/talk").await);
    // Whoever reads answers pings.
    let mut pings = 0;
    let _ = timeout(heartbeat * 6, async {
        while let Some(Ok(message)) = there.next().await {
            pings += usize::from(message.is_ping());
        }
    })
    .await;
    assert!((4..=8).contains(&pings), "{pings} in six heartbeats");
    say(&mut there, r#"{"text": "a"}"#).await;
    assert_eq!(heard(&mut there).await, json!({ "text": "a" }));
    // The other one has read nothing.
    let last = async { while gone.next().await.is_some_and(|message| message.is_ok()) {} };
    timeout(heartbeat / 2, last).await.unwrap();
}

#[tokio::test]
async fn after_a_stall_the_signs_of_life_are_not_made_up_for() {
    // More than connections hold, and nothing is read, so that nobody's silence counts.
    const ITEMS: usize = 300;
    let flood = async |talk: Talk<Said>| {
        talk.answer(|_, input: Items<Said>| async move {
            let items = stream::iter((0..ITEMS).map(|_| Ok(said(&"x".repeat(64 << 10)))));
            let held = stream::poll_fn(move |_| {
                let _ = &input;
                std::task::Poll::Ready(None)
            });
            Ok::<Items<Said>, Failure>(Box::pin(items.chain(held)))
        })
        .await
    };
    let heartbeat = Duration::from_millis(100);
    let edge = Edge { heartbeat, stream_buffer: 1, ..Edge::default() };
    let mut socket = socket(&start(Router::new().route("/flood", on_get(flood)), edge).await, "/flood").await;
    for _ in 0..2 {
        say(&mut socket, r#"{"text": "a"}"#).await;
    }
    tokio::time::sleep(heartbeat * 20).await;
    let (mut items, mut pings, begun) = (0, 0, std::time::Instant::now());
    while items < ITEMS {
        match timeout(LONG, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            _ => items += 1,
        }
    }
    let due = 3 + begun.elapsed().as_millis() / heartbeat.as_millis();
    assert!(pings <= due, "{pings} pings, {due} are due");
}

#[tokio::test]
async fn what_is_not_read_waits_up_to_the_bound() {
    let deaf = async |talk: Talk<Said>| {
        let never = |_, input| async move {
            let items = stream::once(async move {
                let _ = &input;
                std::future::pending().await
            });
            Ok::<Items<Said>, Failure>(Box::pin(items))
        };
        talk.answer(never).await
    };
    let routes = Router::new().route("/deaf", on_get(deaf));
    for (bound, is_read) in [(1, false), (2, false), (3, true)] {
        let url = start(routes.clone(), Edge { stream_buffer: bound, ..Edge::default() }).await;
        let mut socket = socket(&url, "/deaf").await;
        for _ in 0..2 {
            say(&mut socket, r#"{"text": "a"}"#).await;
        }
        socket.send(Message::Ping("here?".into())).await.unwrap();
        // It is answered if it is read.
        let pong = async { while socket.next().await.unwrap().unwrap() != Message::Pong("here?".into()) {} };
        let patience = if is_read { LONG } else { Duration::from_millis(300) };
        assert_eq!(timeout(patience, pong).await.is_ok(), is_read, "{bound}");
    }
}

#[tokio::test]
async fn a_service_that_stops_says_so_and_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stopping = CancellationToken::new();
    let edge = Edge { stopping: stopping.clone(), ..Edge::default() };
    let server =
        tokio::spawn(kit_http::serve(listener, kit_http::edge(router(), edge), Server::default(), stopping.clone()));
    let mut socket = socket(&url, "/talk").await;
    say(&mut socket, r#"{"text": "a"}"#).await;
    heard(&mut socket).await;
    stopping.cancel();
    assert_eq!(heard(&mut socket).await["error"]["detail"], "the service is stopping");
    assert_eq!(code(&mut socket).await.0, 1001);
    drop(socket);
    assert_eq!(timeout(LONG, server).await.unwrap().unwrap().cut, 0);
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn who_goes_away_ends_the_work() {
    let gone = Arc::new(Notify::new());
    let held = gone.clone();
    let hold = move |talk: Talk<Said>| {
        let told = Told(held.clone());
        talk.answer(|_, input: Items<Said>| async move {
            let items = input.map(move |item| {
                let _ = &told;
                item
            });
            Ok::<Items<Said>, Failure>(Box::pin(items))
        })
    };
    let url = start(Router::new().route("/hold", on_get(hold)), Edge::default()).await;
    let mut first = socket(&url, "/hold").await;
    say(&mut first, r#"{"text": "a"}"#).await;
    heard(&mut first).await;
    drop(first);
    timeout(LONG, gone.notified()).await.unwrap();
    let mut second = socket(&url, "/hold").await;
    second.close(None).await.unwrap();
    timeout(LONG, gone.notified()).await.unwrap();
    // Our client goes away by dropping what it reads.
    let client = Client::new(&url).unwrap();
    let input: Items<Said> = Box::pin(stream::iter([Ok(said("a"))]).chain(stream::pending()));
    let request = Request::new(Method::GET, &["hold"]);
    let mut items = client.exchange::<_, Said, Failure>(&Context::default(), request, input).await.unwrap();
    assert_eq!(timeout(LONG, items.next()).await.unwrap(), Some(Ok(said("a"))));
    drop(items);
    timeout(LONG, gone.notified()).await.unwrap();
}

/// Waits until no more is pulled, and says how much was.
async fn settled(pulled: &AtomicUsize) -> usize {
    let mut before = usize::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = pulled.load(Ordering::Relaxed);
        if now == before && now > 0 {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn a_reader_that_stops_costs_no_memory_that_grows() {
    let pulled = Arc::new(AtomicUsize::new(0));
    let counted = pulled.clone();
    let flood = move |talk: Talk<Said>| {
        let counted = counted.clone();
        talk.answer(|_, input: Items<Said>| async move {
            let items = stream::repeat_with(move || {
                let _ = &input;
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(said(&"x".repeat(16 << 10)))
            });
            Ok::<Items<Said>, Failure>(Box::pin(items))
        })
    };
    let url = start(Router::new().route("/flood", on_get(flood)), Edge::default()).await;
    let mut other = socket(&url, "/flood").await;
    heard(&mut other).await;
    let first = settled(&pulled).await;
    assert!(first * (16 << 10) < 16 << 20, "{first} items of 16 KiB were made though nobody reads them");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pulled.load(Ordering::Relaxed), first, "a stream that nobody reads goes on");
    // What the service does not read stays with the client.
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let client = Client::new(&url).unwrap();
    let input: Items<Said> = Box::pin(stream::repeat_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(said(&"x".repeat(16 << 10)))
    }));
    let request = Request::new(Method::GET, &["flood"]);
    let _items = client.exchange::<_, Said, Failure>(&Context::default(), request, input).await.unwrap();
    let first = settled(&sent).await;
    assert!(first * (16 << 10) < 16 << 20, "{first} items of 16 KiB were taken though nobody reads them");
}

#[tokio::test]
async fn our_client_gives_what_the_service_says() {
    let client = Client::new(&start(router(), Edge::default()).await).unwrap();
    let exchange = async |path: &str, input: Vec<Result<Said, Failure>>| {
        let request = Request::new(Method::GET, &[path]);
        let input: Items<Said> = Box::pin(stream::iter(input));
        let items = client.exchange::<_, Said, Failure>(&Context::default().within(LONG), request, input).await?;
        Ok::<Vec<_>, Failure>(timeout(LONG, items.collect()).await.unwrap())
    };
    let all = exchange("talk", vec![Ok(said("a")), Ok(said("b"))]).await.unwrap();
    assert_eq!(all, [Ok(said("a")), Ok(said("b")), Ok(said("2"))]);
    assert_eq!(exchange("talk", vec![]).await.unwrap(), [Ok(said("0"))]);
    assert_eq!(exchange("talk", vec![Ok(said("enough"))]).await.unwrap(), []);
    let failed = exchange("talk", vec![Ok(said("a")), Ok(said("boom"))]).await.unwrap();
    assert_eq!(failed, [Ok(said("a")), Err(Failure::new(Kind::Conflict, "as you say"))]);
    let own = exchange("talk", vec![Err(Failure::stale())]).await.unwrap();
    assert_eq!(own, [Err(Failure::stale())]);
    let refused = exchange("closed", vec![]).await.unwrap();
    assert_eq!(refused, [Err(Failure::new(Kind::Denied, "not you"))]);
    assert_eq!(exchange("nowhere", vec![]).await.map_err(|error| error.kind), Err(Kind::NotFound));
    let nobody = Client::new("http://127.0.0.1:1").unwrap();
    let input: Items<Said> = Box::pin(stream::empty());
    let (cx, request) = (Context::default(), Request::new(Method::GET, &["talk"]));
    let lost = nobody.exchange::<_, Said, Failure>(&cx, request, input).await.err().unwrap();
    assert_eq!((lost.kind, lost.unsent), (Kind::Unavailable, true));
}

#[tokio::test]
async fn an_item_that_looks_like_an_error_is_an_item() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Looks {
        error: Value,
    }
    let problem = json!({ "error": { "title": "no error", "status": 400, "detail": "" } });
    let text = problem.to_string();
    let tell = move |upgrade: WebSocketUpgrade| {
        let text = text.clone();
        async move {
            upgrade.on_upgrade(async move |mut socket| {
                for _ in 0..2 {
                    let _ = socket.send(axum::extract::ws::Message::text(text.clone())).await;
                }
                let frame = axum::extract::ws::CloseFrame { code: 1000, reason: "".into() };
                let _ = socket.send(axum::extract::ws::Message::Close(Some(frame))).await;
                while socket.recv().await.is_some() {}
            })
        }
    };
    let client = Client::new(&start(Router::new().route("/tell", on_get(tell)), Edge::default()).await).unwrap();
    let input: Items<Said> = Box::pin(stream::empty());
    let request = Request::new(Method::GET, &["tell"]);
    let items = client.exchange::<_, Looks, Failure>(&Context::default(), request, input).await.unwrap();
    let items: Vec<_> = timeout(LONG, items.collect()).await.unwrap();
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item.as_ref().is_ok_and(|item| item.error == problem["error"])), "{items:?}");
}

//! Streams of input as NDJSON: what is read, what is refused, what they may cost, and the client's side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    response::Response,
    routing::{any, post},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use kit::{Context, Failure, Kind, Stream, Validate, Violations};
use kit_http::{Client, Edge, Problem, Request, Upload, answer};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::start;

const LONG: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    name: String,
    size: u32,
}

impl Validate for Row {
    fn validate(&self, v: &mut Violations) {
        v.at("size", |v| v.range(&self.size, 0..=9));
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    rows: u32,
    size: u32,
}

async fn sum(input: Stream<Row, Failure>) -> Result<Sum, Failure> {
    let zero = Sum { rows: 0, size: 0 };
    input.try_fold(zero, async |sum, row| Ok(Sum { rows: sum.rows + 1, size: sum.size + row.size })).await
}

async fn upload(rows: Upload<Row>) -> Result<Response, Problem> {
    let answer = rows.read(|_, input| sum(input)).await?;
    Ok(answer::ok(&answer))
}

fn router() -> Router {
    Router::new().route("/rows", post(upload))
}

async fn posted(edge: Edge, kind: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let url = start(router(), edge).await;
    let request = reqwest::Client::new().post(format!("{url}/rows")).header("content-type", kind).body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn rows(body: impl Into<reqwest::Body>) -> (u16, Value) {
    posted(Edge::default(), "application/x-ndjson", body).await
}

#[tokio::test]
async fn lines_are_items() {
    let all = "{\"name\": \"a\", \"size\": 1}\n\n{\"name\":\"b\",\"size\":2}\r\n  \n{\"size\":3,\"name\":\"c\"}";
    assert_eq!(rows(all).await, (200, json!({ "rows": 3, "size": 6 })));
    assert_eq!(rows("").await, (200, json!({ "rows": 0, "size": 0 })));
    assert_eq!(posted(Edge::default(), "application/X-NDJSON; charset=utf-8", all).await.0, 200);
}

#[tokio::test]
async fn the_first_wrong_line_is_named() {
    let good = "{\"name\":\"a\",\"size\":1}\n";
    for (line, field, detail) in [
        ("{\"name\":\"a\",\"size\":10}", "[1].size", "is 10, not from 0 to 9"),
        ("{\"name\":\"a\"}", "[1].size", "is missing"),
        ("{\"name\":\"a\",\"size\":1,\"more\":1}", "[1].more", ""),
        ("{\"name\":\"a\",\"size\":\"1\"}", "[1].size", ""),
        ("{\"name\":", "[1]", "is no JSON"),
        ("[1, 2]", "[1]", ""),
    ] {
        let (status, problem) = rows(format!("{good}{line}\n{good}")).await;
        assert_eq!((status, &problem["kind"]), (422, &json!("invalid")), "{line}: {problem}");
        let wrong = &problem["fields"][0];
        assert_eq!(wrong["field"], field, "{line}: {problem}");
        assert!(wrong["detail"].as_str().unwrap().starts_with(detail), "{line}: {problem}");
    }
}

#[tokio::test]
async fn other_bodies_are_refused() {
    assert_eq!(posted(Edge::default(), "application/json", "{}").await.0, 415);
    assert_eq!(posted(Edge::default(), "application/x-ndjson; charset=latin1", "").await.0, 415);
}

#[tokio::test]
async fn a_line_has_a_limit_and_all_together_may_have_one() {
    let edge = || Edge { body_limit: 100, ..Edge::default() };
    let line = "{\"name\":\"a\",\"size\":1}\n";
    let (status, sum) = posted(edge(), "application/x-ndjson", line.repeat(1000)).await;
    assert_eq!((status, &sum["rows"]), (200, &json!(1000)), "of all lines together there is none");
    for end in ["\n", ""] {
        let long = format!("{line}{{\"name\":\"{}\",\"size\":1}}{end}", "x".repeat(200));
        let (status, problem) = posted(edge(), "application/x-ndjson", long).await;
        assert_eq!((status, &problem["fields"][0]["field"]), (422, &json!("[1]")), "{problem}");
    }
    let edge = Edge { input_limit: Some(1000), ..Edge::default() };
    assert_eq!(posted(edge, "application/x-ndjson", line.repeat(1000)).await.0, 422);
}

fn dripping(pause: Duration, count: usize) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream::iter(0..count).then(move |_| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>("{\"name\":\"a\",\"size\":1}\n")
    }))
}

#[tokio::test]
async fn items_may_take_longer_than_a_request_but_none_for_ever() {
    let edge =
        || Edge { timeout: Duration::from_millis(300), input_idle: Duration::from_millis(200), ..Edge::default() };
    let slow = dripping(Duration::from_millis(100), 8);
    assert_eq!(posted(edge(), "application/x-ndjson", slow).await.1["rows"], 8);
    let (status, problem) = posted(edge(), "application/x-ndjson", dripping(Duration::from_secs(2), 1)).await;
    assert_eq!((status, &problem["kind"]), (504, &json!("timeout")));
    // A byte now and then is no item.
    let bytes = stream::iter(0..100).then(|_| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, std::io::Error>("x")
    });
    let (status, _) = posted(edge(), "application/x-ndjson", reqwest::Body::wrap_stream(bytes)).await;
    assert_eq!(status, 504);
}

#[tokio::test]
async fn half_of_an_input_is_not_taken_for_all_of_it() {
    let seen = Arc::new(AtomicUsize::new(0));
    let (url, told) = {
        let (told, outcome) = tokio::sync::mpsc::channel(9);
        let read = move |rows: Upload<Row>| {
            let told = told.clone();
            async move {
                let _ = told.send(rows.read(|_, input| sum(input)).await).await;
            }
        };
        (start(Router::new().route("/rows", any(read)), Edge::default()).await, outcome)
    };
    let mut told = told;
    // Over HTTP/1.1 …
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head =
        "POST /rows HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    let line = "{\"name\":\"a\",\"size\":1}\n";
    socket.write_all(format!("{head}{:x}\r\n{line}\r\n", line.len()).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(socket);
    // … its call is given up, or sees that more was to come.
    let first = timeout(Duration::from_secs(1), told.recv()).await;
    assert!(!matches!(first, Ok(Some(Ok(_)))), "{first:?}");
    // Over HTTP/2 as well.
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let counted = seen.clone();
    let body = stream::iter(0..2).then(move |number| {
        let counted = counted.clone();
        async move {
            counted.fetch_add(1, Ordering::Relaxed);
            if number == 1 {
                tokio::time::sleep(LONG).await;
            }
            Ok::<_, std::io::Error>("{\"name\":\"a\",\"size\":1}\n")
        }
    });
    let request = http.post(format!("{url}/rows")).header("content-type", "application/x-ndjson");
    let request = request.body(reqwest::Body::wrap_stream(body)).send();
    assert!(timeout(Duration::from_millis(300), request).await.is_err());
    let second = timeout(Duration::from_secs(1), told.recv()).await;
    assert!(!matches!(second, Ok(Some(Ok(_)))), "{second:?}");
    assert!(seen.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_service_that_stops_does_not_wait_for_more() {
    let stopping = CancellationToken::new();
    let edge = Edge { stopping: stopping.clone(), ..Edge::default() };
    let asked = tokio::spawn(posted(edge, "application/x-ndjson", dripping(LONG, 3)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    stopping.cancel();
    let (status, problem) = timeout(LONG, asked).await.unwrap().unwrap();
    assert_eq!((status, &problem["detail"]), (503, &json!("the service is stopping")));
}

#[tokio::test]
async fn an_answer_before_the_end_arrives_over_http_1() {
    async fn first(rows: Upload<Row>) -> Result<Response, Problem> {
        let refuse = |_, mut input: Stream<Row, Failure>| async move {
            input.next().await;
            Err::<(), _>(Failure::new(Kind::Denied, "no more"))
        };
        rows.read(refuse).await?;
        Ok(answer::done())
    }
    let url = start(Router::new().route("/rows", post(first)), Edge::default()).await;
    for _ in 0..20 {
        let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        let line = format!("{{\"name\":\"{}\",\"size\":1}}\n", "x".repeat(1000));
        let body = line.repeat(500);
        let head = format!(
            "POST /rows HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body.as_bytes()).await.unwrap();
        let mut answer = vec![0; 64];
        socket.read_exact(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 403"), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn many_rows_are_read_as_they_come() {
    let line = "{\"name\":\"a\",\"size\":1}\n".repeat(1000);
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let body = stream::iter(0..100).map(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(line.clone())
    });
    assert_eq!(rows(reqwest::Body::wrap_stream(body)).await.1["rows"], 100_000);
    assert_eq!(sent.load(Ordering::Relaxed), 100);
}

#[tokio::test]
async fn what_the_service_does_not_read_stays_with_the_sender() {
    async fn wait(rows: Upload<Row>) -> Result<Response, Problem> {
        let wait = |_, input: Stream<Row, Failure>| async move {
            let _input = input;
            std::future::pending::<Result<(), Failure>>().await
        };
        rows.read(wait).await?;
        Ok(answer::done())
    }
    let url = start(Router::new().route("/rows", post(wait)), Edge::default()).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let line = "x".repeat(64 << 10);
    let body = stream::repeat_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(line.clone())
    });
    let request = reqwest::Client::new().post(format!("{url}/rows")).header("content-type", "application/x-ndjson");
    let sending = tokio::spawn(request.body(reqwest::Body::wrap_stream(body)).send());
    let mut before = usize::MAX;
    while before != sent.load(Ordering::Relaxed) || before == 0 {
        before = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(before * (64 << 10) < 32 << 20, "{before} pieces of 64 KiB were taken");
    sending.abort();
}

fn some(items: Vec<Result<Row, Failure>>) -> Stream<Row, Failure> {
    Box::pin(stream::iter(items))
}

fn row(size: u32) -> Row {
    Row { name: "a".into(), size }
}

#[tokio::test]
async fn a_client_sends_what_it_is_given_and_gives_up_what_fails() {
    let client = Client::new(&start(router(), Edge::default()).await).unwrap();
    let send = async |cx: Context, items| {
        let request = Request::new(Method::POST, &["rows"]);
        client.send::<_, Sum, Failure>(&cx, request, some(items)).await
    };
    let cx = Context::default;
    assert_eq!(send(cx(), vec![Ok(row(1)), Ok(row(2))]).await, Ok(Sum { rows: 2, size: 3 }));
    assert_eq!(send(cx(), vec![]).await, Ok(Sum { rows: 0, size: 0 }));
    let wrong = send(cx(), vec![Ok(row(1)), Ok(row(10))]).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.fields[0].field.as_str()), (Kind::Invalid, "[1].size"));
    assert_eq!(send(cx(), vec![Ok(row(1)), Err(Failure::stale())]).await, Err(Failure::stale()));
    let late = async {
        let slow = some(vec![Ok(row(1)), Ok(row(2))]).then(async |row| {
            tokio::time::sleep(Duration::from_millis(150)).await;
            row
        });
        let cx = Context::default().within(Duration::from_millis(100));
        client.send::<_, Sum, Failure>(&cx, Request::new(Method::POST, &["rows"]), Box::pin(slow)).await
    };
    assert_eq!(late.await, Ok(Sum { rows: 2, size: 3 }));
    let nobody = Client::new("http://127.0.0.1:1").unwrap();
    let request = Request::new(Method::POST, &["rows"]);
    let lost = nobody.send::<_, Sum, Failure>(&cx(), request, some(vec![Ok(row(1))])).await.unwrap_err();
    assert_eq!((lost.kind, lost.unsent), (Kind::Unavailable, true));
}

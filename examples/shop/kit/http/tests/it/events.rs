use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, response::Response, routing::get as on_get};
use futures_util::{StreamExt, stream};
use kit::{Context, Failure, Kind, Stream};
use kit_http::{Client, Edge, Events, Problem, Request};
use reqwest::Method;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
};
use tokio_util::sync::CancellationToken;

use crate::{get, header, problem, send, start};

type Items = Result<Stream<u32, Failure>, Failure>;

async fn open(client: &Client, cx: &Context, path: &str) -> Items {
    client.stream(cx, Request::new(Method::GET, &[path])).await
}

fn routes() -> Router {
    let stream = |items: Vec<Result<u32, Failure>>| -> Items { Ok(Box::pin(stream::iter(items))) };
    Router::new()
        .route(
            "/three",
            on_get(async move |events: Events| events.answer(async { stream(vec![Ok(1), Ok(2), Ok(3)]) }).await),
        )
        .route(
            "/fails",
            on_get(async move |events: Events| {
                events.answer(async { stream(vec![Ok(1), Err(Failure::new(Kind::Denied, "no more")), Ok(2)]) }).await
            }),
        )
        .route(
            "/refused",
            on_get(async |events: Events| {
                events.answer(async { Err::<Stream<u32, Failure>, _>(Failure::stale()) }).await
            }),
        )
        .route(
            "/cut",
            on_get(async || {
                let chunks = ["id: 1\ndata: 1\n\n", "data: 2\n"].map(|chunk| Ok::<_, Failure>(chunk.to_owned()));
                Response::builder()
                    .header("content-type", "text/event-stream")
                    .body(Body::from_stream(stream::iter(chunks)))
                    .unwrap()
            }),
        )
        .route("/json", on_get(async || "{}"))
        .route("/never", on_get(async |events: Events| events.answer(std::future::pending::<Items>()).await))
}

fn last_id(text: &str) -> &str {
    text.rsplit_once("id: ").unwrap().1.lines().next().unwrap()
}

#[tokio::test]
async fn as_any_client_sees_them() {
    let base = start(routes(), Edge::default()).await;
    let answer = send(get(format!("{base}/fails"))).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "text/event-stream"));
    assert_eq!(header(&answer, "cache-control"), "no-store");
    let trace = header(&answer, "trace-id").to_owned();
    let text = answer.text().await.unwrap();
    let (items, error) = text.split_once("event: error\ndata: ").unwrap();
    let id = items.lines().next().unwrap();
    assert!(id.ends_with("-1") && items.starts_with(&format!("{id}\ndata: 1\n\nid: ")), "{items}");
    let error: Problem = serde_json::from_str(error.trim()).unwrap();
    assert_eq!((error.status, error.kind, &error.trace_id), (403, Some(Kind::Denied), &Some(trace)));
    let three = send(get(format!("{base}/three"))).await.text().await.unwrap();
    let stream = last_id(&three).split_once('-').unwrap().0;
    assert_eq!(
        three,
        [("1", "data: 1"), ("2", "data: 2"), ("3", "data: 3"), ("4", "event: end\ndata:")]
            .map(|(n, lines)| { format!("id: {stream}-{n}\n{lines}\n\n") })
            .concat()
    );
    assert_eq!(problem(send(get(format!("{base}/refused"))).await).await.0, 412);
    let unacceptable = send(get(format!("{base}/three")).header("accept", "application/json")).await;
    assert_eq!(problem(unacceptable).await.0, 406);
}

#[tokio::test]
async fn as_our_client_sees_them() {
    let base = start(routes(), Edge { timeout: Duration::from_millis(200), ..Edge::default() }).await;
    let (client, cx) = (Client::new(&base).unwrap(), Context::default());
    let all = async |path: &str| open(&client, &cx, path).await.unwrap().collect::<Vec<_>>().await;
    assert_eq!(all("three").await, [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(all("fails").await, [Ok(1), Err(Failure::new(Kind::Denied, "no more"))]);
    let cut = all("cut").await;
    assert_eq!(cut[0], Ok(1));
    assert_eq!(
        cut[1].as_ref().map_err(|failure| failure.kind),
        Err(Kind::Unavailable),
        "an event without its end is none"
    );
    for (path, kind) in
        [("refused", Kind::Stale), ("never", Kind::Timeout), ("json", Kind::Internal), ("nowhere", Kind::NotFound)]
    {
        assert_eq!(open(&client, &cx, path).await.err().map(|failure| failure.kind), Some(kind), "{path}");
    }
}

/// A stream whose items the test sends.
fn live(items: mpsc::Receiver<u32>) -> Router {
    let source = Arc::new(std::sync::Mutex::new(Some(items)));
    Router::new().route(
        "/live",
        on_get(async move |events: Events| {
            let open = async {
                let items =
                    source.lock().unwrap().take().ok_or_else(|| Failure::new(Kind::Conflict, "opened twice"))?;
                Ok::<Stream<u32, Failure>, _>(Box::pin(stream::unfold(items, |mut items| async {
                    Some((Ok(items.recv().await?), items))
                })))
            };
            events.answer(open).await
        }),
    )
}

#[tokio::test]
async fn items_come_one_by_one_long_after_the_deadline() {
    let (tell, items) = mpsc::channel(1);
    let limit = Duration::from_secs(2);
    let base = start(live(items), Edge { timeout: limit, ..Edge::default() }).await;
    let client = Client::new(&base).unwrap();
    let cx = Context::default().within(limit);
    let mut items = open(&client, &cx, "live").await.unwrap();
    for n in 0..3 {
        tell.send(n).await.unwrap();
        assert_eq!(items.next().await, Some(Ok(n)));
    }
    tokio::time::sleep_until(cx.deadline().unwrap()).await;
    tell.send(4).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(4)));
}

#[tokio::test]
async fn a_service_that_stops_says_so() {
    let (tell, items) = mpsc::channel(1);
    let stopping = CancellationToken::new();
    let base = start(live(items), Edge { stopping: stopping.clone(), ..Edge::default() }).await;
    let mut items = open(&Client::new(&base).unwrap(), &Context::default(), "live").await.unwrap();
    tell.send(1).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(1)));
    stopping.cancel();
    assert_eq!(items.next().await, Some(Err(Failure::new(Kind::Unavailable, "the service is stopping"))));
    assert_eq!(items.next().await, None);
}

/// Passes connections on to a server, and cuts them when it is told to.
async fn unreliable(server: &str) -> (String, Arc<Notify>) {
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let cut = Arc::new(Notify::new());
    let cuts = cut.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (server, cuts) = (server.clone(), cuts.clone());
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    () = cuts.notified() => {}
                }
            });
        }
    });
    (base, cut)
}

#[tokio::test]
async fn a_cut_loses_nothing_and_doubles_nothing() {
    let (tell, items) = mpsc::channel(100);
    let (base, cut) = unreliable(&start(live(items), Edge::default()).await).await;
    let cx = Context::default().within(Duration::from_secs(5));
    let mut items = open(&Client::new(&base).unwrap(), &cx, "live").await.unwrap();
    for round in 0..5 {
        // Some are read before the cut, some are on their way, some come after it.
        for n in 0..6 {
            tell.send(round * 10 + n).await.unwrap();
        }
        assert_eq!(items.next().await, Some(Ok(round * 10)));
        cut.notify_one();
        for n in 6..10 {
            tell.send(round * 10 + n).await.unwrap();
        }
        for n in 1..10 {
            assert_eq!(items.next().await, Some(Ok(round * 10 + n)));
        }
    }
    drop(tell);
    assert_eq!(items.next().await, None);
}

#[tokio::test]
async fn a_stream_that_nobody_kept_is_cut_for_good() {
    let base = start(routes(), Edge::default()).await;
    let other = send(get(format!("{base}/three")).header("last-event-id", "0123456789abcdef-2")).await;
    assert_eq!(problem(other).await, (412, "stale".into(), vec![]));
}

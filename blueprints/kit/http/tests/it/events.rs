use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, response::Response, routing::get as on_get};
use futures_util::{StreamExt, stream};
use kit::{Context, Failure, Kind, Stream};
use kit_http::{Client, Edge, Events, Problem, Request};
use reqwest::Method;
use tokio::sync::{Notify, mpsc};
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

#[tokio::test]
async fn as_any_client_sees_them() {
    let base = start(routes(), Edge::default()).await;
    let answer = send(get(format!("{base}/fails"))).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "text/event-stream"));
    assert_eq!(header(&answer, "cache-control"), "no-cache");
    let trace = header(&answer, "trace-id").to_owned();
    let text = answer.text().await.unwrap();
    let (items, error) = text.split_once("event: error\ndata: ").unwrap();
    assert_eq!(items, "id: 1\ndata: 1\n\n");
    let error: Problem = serde_json::from_str(error.trim()).unwrap();
    assert_eq!((error.status, error.kind, &error.trace_id), (403, Some(Kind::Denied), &Some(trace)));
    let three = send(get(format!("{base}/three"))).await.text().await.unwrap();
    assert_eq!(three, "id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\nevent: end\ndata:\n\n");
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

/// A stream whose items the test sends, and that tells when it is dropped.
fn live(items: mpsc::Receiver<u32>, gone: Arc<Notify>) -> Router {
    struct Gone(Arc<Notify>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let source = Arc::new(std::sync::Mutex::new(Some((items, Gone(gone)))));
    Router::new().route(
        "/live",
        on_get(async move |events: Events| {
            let source = source.lock().unwrap().take();
            let items = stream::unfold(source, |source| async {
                let (mut items, gone) = source?;
                Some((Ok::<_, Failure>(items.recv().await?), Some((items, gone))))
            });
            events.answer(async { Ok::<Stream<u32, Failure>, Failure>(Box::pin(items)) }).await
        }),
    )
}

#[tokio::test]
async fn items_come_one_by_one_long_after_the_deadline() {
    let (tell, items) = mpsc::channel(1);
    let gone = Arc::new(Notify::new());
    let limit = Duration::from_millis(300);
    let base = start(live(items, gone.clone()), Edge { timeout: limit, ..Edge::default() }).await;
    let cx = Context::default().within(limit);
    let mut items = open(&Client::new(&base).unwrap(), &cx, "live").await.unwrap();
    for n in 0..3 {
        tell.send(n).await.unwrap();
        assert_eq!(items.next().await, Some(Ok(n)));
    }
    tokio::time::sleep_until(cx.deadline().unwrap()).await;
    tell.send(4).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(4)));
    // Who does not listen any more is not worked for.
    drop(items);
    gone.notified().await;
    assert!(tell.is_closed());
}

#[tokio::test]
async fn a_service_that_stops_says_so() {
    let (tell, items) = mpsc::channel(1);
    let stopping = CancellationToken::new();
    let base = start(live(items, Arc::default()), Edge { stopping: stopping.clone(), ..Edge::default() }).await;
    let mut items = open(&Client::new(&base).unwrap(), &Context::default(), "live").await.unwrap();
    tell.send(1).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(1)));
    stopping.cancel();
    assert_eq!(items.next().await, Some(Err(Failure::new(Kind::Unavailable, "the service is stopping"))));
    assert_eq!(items.next().await, None);
}

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Extension, Request, WebSocketUpgrade},
    http::StatusCode,
    response::Response,
    routing::{get as on_get, post as on_post},
};
use kit::{Context, Failure};
use kit_http::{Cx, Edge, Problem, answer};
use reqwest::Method;
use tokio::sync::{Notify, Semaphore};

use crate::{get, header, http, problem, send, start};

fn routes() -> Router {
    Router::new()
        .route(
            "/ok",
            on_get(async |cx: Cx| {
                answer::ok(&(cx.trace().id(), cx.idempotency_key(), cx.remaining().map(|left| left.as_secs())))
            }),
        )
        .route(
            "/marked",
            on_get(async |cx: Cx| {
                cx.marks().add("inventory.reserve=default");
                cx.call().marks().add("billing.due=cache");
                answer::done()
            }),
        )
        .route("/revised", on_get(async || ([("etag", "\"1\"")], "until it changes")))
        .route("/kept", on_get(async || ([("cache-control", "max-age=60")], "for a minute")))
        .route("/panic", on_get(async || -> Response { panic!("secret words") }))
        .route(
            "/broken",
            on_get(async || -> Result<(), Problem> { Err(Failure::internal(anyhow::anyhow!("secret words")).into()) }),
        )
        .route("/bare", on_get(async || StatusCode::IM_A_TEAPOT))
        .route("/slow", on_get(async || std::future::pending::<Response>().await))
        .route("/echo", on_post(async |body: Bytes| body))
        .route("/roomy", on_post(async |body: Bytes| body).layer(DefaultBodyLimit::max(20)))
        .route("/raw", on_post(async |request: Request| request.into_body()))
        .route("/refused", on_get(async || (StatusCode::CONFLICT, [("x-why", "late")], "come tomorrow")))
        .route("/told", on_get(async || (StatusCode::BAD_GATEWAY, "secret words")))
        .route("/form", on_get(async || (StatusCode::IM_A_TEAPOT, [("content-type", "application/json")], "{}")))
        .route("/socket", on_get(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |_| {})))
        .route("/pkg.Service/Fail", on_post(async || -> Response { panic!("secret words") }))
        .route(
            "/pkg.Service/Left",
            on_post(async |Extension(cx): Extension<Context>| answer::ok(&cx.remaining().map(|left| left.as_secs()))),
        )
}

#[tokio::test]
async fn every_error_is_a_problem() {
    let edge = Edge { body_limit: 10, uri_limit: 100, timeout: Duration::from_millis(300), ..Edge::default() };
    let base = start(routes(), edge).await;
    let at = |path: &str| format!("{base}{path}");
    let long = "x".repeat(100);
    for (request, status, kind) in [
        (get(at("/nowhere")), 404, "not_found"),
        (http(Method::POST, at("/ok")), 405, "unsupported"),
        (get(at("/panic")), 500, "internal"),
        (get(at("/broken")), 500, "internal"),
        (get(at("/bare")), 418, "invalid"),
        (get(at("/slow")), 504, "timeout"),
        (get(at("/ok")).header("request-timeout-ms", "0"), 504, "timeout"),
        (get(at("/ok")).header("request-timeout-ms", "soon"), 400, "invalid"),
        (get(at("/ok")).header("idempotency-key", "k".repeat(256)), 400, "invalid"),
        (get(at("/ok")).header("idempotency-key", "two words"), 400, "invalid"),
        (get(at(&format!("/ok?{long}"))), 414, "invalid"),
        (http(Method::POST, at("/echo")).body("12345678901"), 413, "invalid"),
        (
            http(Method::POST, at("/echo")).header("content-type", "application/x-ndjson").body("12345678901"),
            413,
            "invalid",
        ),
        (http(Method::POST, at("/roomy")).body("x".repeat(21)), 413, "invalid"),
        (get(at("/slow")).header("content-type", "application/x-ndjson"), 504, "timeout"),
        (get(at("/refused")), 409, "conflict"),
        (get(at("/told")), 502, "unavailable"),
        (get(at("/socket")), 400, "invalid"),
        (get(at("/ok")).header("accept", "text/html"), 406, "unsupported"),
    ] {
        let asked = format!("{request:?}");
        assert_eq!(problem(send(request).await).await, (status, kind.to_owned(), vec![]), "{asked}");
    }
    for path in ["/panic", "/broken", "/told"] {
        let body = send(get(at(path))).await.text().await.unwrap();
        assert!(!body.contains("secret"), "{body}");
    }
    let refused = send(get(at("/refused"))).await;
    assert_eq!(header(&refused, "x-why"), "late");
    assert_eq!(refused.json::<Problem>().await.unwrap().detail, "come tomorrow");
    assert_eq!(header(&send(get(at("/form"))).await, "content-type"), "application/json", "it has a form of its own");
    assert_eq!(send(http(Method::POST, at("/echo")).body("1234567890")).await.text().await.unwrap(), "1234567890");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_at_the_limit() {
    let base = start(routes(), Edge { body_limit: 10, ..Edge::default() }).await;
    let chunks = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("x")));
    let answer = send(http(Method::POST, format!("{base}/echo")).body(reqwest::Body::wrap_stream(chunks))).await;
    assert_eq!(problem(answer).await.0, 413);
}

#[tokio::test]
async fn the_route_and_not_the_caller_says_what_a_body_may_be() {
    let base = start(routes(), Edge { body_limit: 10, ..Edge::default() }).await;
    let post = |path: &str| http(Method::POST, format!("{base}{path}")).body("12345678901");
    let grpc = send(post("/echo").header("content-type", "application/grpc")).await;
    assert_eq!((header(&grpc, "grpc-status"), header(&grpc, "grpc-message")), ("3", "the body is too large"));
    assert_eq!(grpc.bytes().await.unwrap(), "");
    for path in ["/roomy", "/raw"] {
        assert_eq!(send(post(path)).await.text().await.unwrap(), "12345678901");
    }
    // More than axum allows where nobody says anything.
    let base = start(routes(), Edge { body_limit: 4 << 20, ..Edge::default() }).await;
    let echoed = send(http(Method::POST, format!("{base}/echo")).body("x".repeat(3 << 20))).await;
    assert_eq!(echoed.bytes().await.unwrap().len(), 3 << 20);
}

#[tokio::test]
async fn head_and_options_and_allow() {
    let base = start(routes(), Edge::default()).await;
    let at = |path: &str| format!("{base}{path}");
    let wrong = send(http(Method::DELETE, at("/ok"))).await;
    assert_eq!((wrong.status().as_u16(), header(&wrong, "allow")), (405, "GET,HEAD"));
    let options = send(http(Method::OPTIONS, at("/echo"))).await;
    assert_eq!((options.status().as_u16(), header(&options, "allow")), (204, "POST"));
    assert_eq!(header(&options, "content-type"), "");
    assert_eq!(send(http(Method::OPTIONS, at("/nowhere"))).await.status(), 404);
    for path in ["/ok", "/nowhere", "/panic"] {
        let (head, get) = (send(http(Method::HEAD, at(path))).await, send(get(at(path))).await);
        assert_eq!(head.status(), get.status());
        assert_eq!(header(&head, "content-type"), header(&get, "content-type"));
        assert_eq!(header(&head, "content-length"), header(&get, "content-length"), "{path}");
        assert_eq!(head.bytes().await.unwrap(), "");
    }
}

#[tokio::test]
async fn the_context_comes_in_and_the_marks_go_out() {
    let base = start(routes(), Edge::default()).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = get(format!("{base}/ok"))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .header("idempotency-key", "k-1")
        .header("request-timeout-ms", "7500");
    let answer = send(request).await;
    assert_eq!(header(&answer, "trace-id"), trace);
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "fallback"), "");
    assert_eq!(answer.json::<(String, String, u64)>().await.unwrap(), (trace.into(), "k-1".into(), 7));
    // Nobody asks for longer than the service allows.
    let capped = send(get(format!("{base}/ok")).header("request-timeout-ms", "99000")).await;
    assert_eq!(capped.json::<(String, Option<String>, u64)>().await.unwrap().2, 29);
    let marked = send(get(format!("{base}/marked"))).await;
    assert_eq!(header(&marked, "fallback"), "inventory.reserve=default, billing.due=cache");
    assert_eq!(header(&marked, "trace-id").len(), 32);
    // What its handler says of it stands; what changes something nobody keeps.
    assert_eq!(header(&send(get(format!("{base}/kept"))).await, "cache-control"), "max-age=60");
    assert_eq!(header(&send(get(format!("{base}/revised"))).await, "cache-control"), "no-cache");
    assert_eq!(header(&send(http(Method::POST, format!("{base}/echo"))).await, "cache-control"), "");
}

#[tokio::test]
async fn grpc_callers_get_a_status() {
    let base = start(routes(), Edge::default()).await;
    let call = |path: &str| {
        http(Method::POST, format!("{base}/pkg.Service/{path}")).header("content-type", "application/grpc+proto")
    };
    for (request, status, message) in [
        (call("Fail"), "13", "something went wrong inside the service"),
        (call("None"), "12", "there is nothing at this path"),
        (call("Left").header("grpc-timeout", "0S"), "4", "no answer in time"),
        (call("Left").header("grpc-timeout", "5 s"), "3", "grpc-timeout: not a span of time"),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "application/grpc"));
        assert_eq!((header(&answer, "grpc-status"), header(&answer, "grpc-message")), (status, message));
        assert_eq!(answer.bytes().await.unwrap(), "");
    }
    assert_eq!(send(call("Left").header("grpc-timeout", "7500m")).await.text().await.unwrap(), "7");
}

#[tokio::test]
async fn what_is_too_much_is_turned_away_at_once_but_not_the_question_for_health() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let work = {
        let (entered, leave) = (entered.clone(), leave.clone());
        async move || {
            entered.notify_one();
            leave.notified().await;
            "done"
        }
    };
    let hanging = Arc::new(Semaphore::new(0));
    let hang = {
        let hanging = hanging.clone();
        async move || {
            hanging.add_permits(1);
            std::future::pending::<&str>().await
        }
    };
    let router = Router::new()
        .route("/work", on_get(work))
        .route("/-/live", on_get(async || "live"))
        .route("/-/hung", on_get(hang));
    let base = start(router, Edge { in_flight: 1, ..Edge::default() }).await;
    let first = tokio::spawn(get(format!("{base}/work")).send());
    entered.notified().await;
    let second = send(get(format!("{base}/work"))).await;
    assert_eq!(header(&second, "retry-after"), "1");
    assert_eq!(problem(second).await, (503, "unavailable".into(), vec![]));
    assert_eq!(send(get(format!("{base}/-/live"))).await.status(), 200);
    let hung: Vec<_> = (0..64).map(|_| tokio::spawn(get(format!("{base}/-/hung")).send())).collect();
    hanging.acquire_many(64).await.unwrap().forget();
    assert_eq!(send(get(format!("{base}/-/live"))).await.status(), 503, "health has a bound of its own");
    hung.iter().for_each(|request| request.abort());
    leave.notify_one();
    assert_eq!(first.await.unwrap().unwrap().text().await.unwrap(), "done");
    leave.notify_one();
    assert_eq!(send(get(format!("{base}/work"))).await.status(), 200, "the slot is free again");
}

#[tokio::test]
async fn a_caller_who_goes_away_gives_the_slot_back() {
    let entered = Arc::new(Notify::new());
    let work = {
        let entered = entered.clone();
        async move || {
            entered.notify_one();
            std::future::pending::<&str>().await
        }
    };
    let base = start(Router::new().route("/work", on_get(work)), Edge { in_flight: 1, ..Edge::default() }).await;
    for _ in 0..3 {
        let call = tokio::spawn(get(format!("{base}/work")).send());
        entered.notified().await;
        call.abort();
        let _ = call.await;
        // Until the server has seen the connection close, the slot is taken.
        while send(get(format!("{base}/nowhere"))).await.status() == 503 {
            tokio::task::yield_now().await;
        }
    }
}

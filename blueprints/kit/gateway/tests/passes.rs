//! A gateway between real sockets: what passes, and as what.

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, WebSocketUpgrade, ws::Message},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use kit_gateway::{Front, Route};
use kit_http::Edge;
use kit_resilience::Policy;
use reqwest::Client;
use serde_json::{Value, json};
use support::{Gateway, Server, client, comes, gateway, gateway_behind};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_tungstenite::tungstenite::{Message as Sent, protocol::frame::coding::CloseCode};

static ORDERS: Front = Front {
    service: "orders",
    prefix: "/orders",
    routes: &[
        Route { method: "GET", path: "/v1/orders/{id}", operation: "get_order" },
        Route { method: "POST", path: "/v1/orders", operation: "create_order" },
        Route { method: "GET", path: "/v1/watch", operation: "watch" },
        Route { method: "GET", path: "/v1/chat", operation: "chat" },
        Route { method: "POST", path: "/v1/upload", operation: "upload" },
    ],
};

/// Answers with what it was asked.
async fn echo(request: Request) -> Response {
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let asked = json!({ "method": request.method().as_str(), "uri": request.uri().to_string(), "headers": headers });
    let answer = [
        ("location", "/v1/orders/7"),
        ("link", "</v1/orders?cursor=x>; rel=\"next\""),
        ("etag", "\"3\""),
        ("connection", "x-once"),
        ("x-once", "here"),
        ("access-control-allow-origin", "*"),
        ("fallback", "a.b=default"),
    ];
    (answer, axum::Json(asked)).into_response()
}

async fn behind(service: Router) -> (Server, Gateway) {
    let service = Server::start(service).await;
    let gateway = gateway(&ORDERS, &service.url, Policy::default()).await;
    (service, gateway)
}

fn said<'v>(asked: &'v Value, name: &str) -> Vec<&'v str> {
    let headers = asked["headers"].as_array().unwrap();
    headers.iter().filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap()).collect()
}

#[tokio::test]
async fn headers_of_one_hop_stay_and_all_others_pass() {
    let (_service, gateway) = behind(Router::new().fallback(echo)).await;
    let answer = client()
        .get(format!("{}/orders/v1/orders/a%2Fb..%20?x=%2e&x=2", gateway.url))
        .header("connection", "x-mine, keep-alive")
        .header("x-mine", "1")
        .header("te", "trailers")
        .header("proxy-authorization", "secret")
        .header("upgrade", "h2c")
        .header("forwarded", "for=1.2.3.4")
        .header("x-forwarded-for", "1.2.3.4")
        .header("x-forwarded-whatever", "1")
        .header("x-real-ip", "1.2.3.4")
        .header("idempotency-key", "k-1")
        .header("if-none-match", "\"2\"")
        .header("accept", "application/json")
        .header("last-event-id", "9")
        .header("request-timeout-ms", "700")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers().clone();
    let asked: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(asked["uri"], "/v1/orders/a%2Fb..%20?x=%2e&x=2", "byte by byte");
    for gone in [
        "connection",
        "x-mine",
        "te",
        "proxy-authorization",
        "upgrade",
        "keep-alive",
        "x-forwarded-for",
        "x-forwarded-whatever",
        "x-real-ip",
    ] {
        assert_eq!(said(&asked, gone), [""; 0], "{gone}");
    }
    for (name, value) in [
        ("idempotency-key", "k-1"),
        ("if-none-match", "\"2\""),
        ("accept", "application/json"),
        ("last-event-id", "9"),
        ("via", "1.1 gateway"),
    ] {
        assert_eq!(said(&asked, name), [value], "{name}");
    }
    let place = gateway.url.strip_prefix("http://").unwrap();
    assert_eq!(said(&asked, "forwarded"), [format!("for=127.0.0.1;host=\"{place}\";proto=http")]);
    assert_ne!(said(&asked, "host"), [place]);
    let left: u64 = said(&asked, "request-timeout-ms")[0].parse().unwrap();
    assert!((1..=700).contains(&left), "{left}");
    let trace = said(&asked, "traceparent")[0];
    assert!(
        trace.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && !trace.contains("b7ad6b7169203331"),
        "{trace}"
    );

    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(text("location"), Some("/orders/v1/orders/7"));
    assert_eq!(text("link"), Some("</orders/v1/orders?cursor=x>; rel=\"next\""));
    assert_eq!(
        (text("etag"), text("fallback"), text("via")),
        (Some("\"3\""), Some("a.b=default"), Some("1.1 gateway"))
    );
    assert_eq!(text("trace-id"), Some("0af7651916cd43dd8448eb211c80319c"));
    assert_eq!((text("x-once"), text("access-control-allow-origin")), (None, None));
}

#[tokio::test]
async fn what_a_proxy_of_ours_says_of_the_caller_is_passed_on() {
    let service = Server::start(Router::new().fallback(echo)).await;
    let proxies = vec!["127.0.0.0/8".to_owned().try_into().unwrap()];
    let edge = Edge { proxies, ..Edge::default() };
    let gateway = gateway_behind(&ORDERS, &service.url, Policy::default(), edge).await;
    let place = gateway.url.strip_prefix("http://").unwrap();
    for (forwarded, due) in [
        (
            "for=1.2.3.4, for=192.0.2.9;host=\"shop.example:443\";proto=https",
            "for=192.0.2.9;host=\"shop.example:443\";proto=https".to_owned(),
        ),
        ("for=\"[2001:db8::7]:80\"", format!("for=\"[2001:db8::7]\";host=\"{place}\"")),
        ("for=192.0.2.9;proto=\"a b\";host=\"a b\"", format!("for=192.0.2.9;host=\"{place}\"")),
        ("for=unknown;proto=https", format!("for=127.0.0.1;host=\"{place}\";proto=http")),
    ] {
        let ask = client().get(format!("{}/orders/v1/orders/7", gateway.url)).header("forwarded", forwarded);
        let asked: Value = serde_json::from_slice(&ask.send().await.unwrap().bytes().await.unwrap()).unwrap();
        assert_eq!(said(&asked, "forwarded"), [due], "{forwarded}");
    }
}

#[tokio::test]
async fn only_what_the_table_names_passes() {
    let (_service, gateway) = behind(Router::new().fallback(echo)).await;
    let ask = async |method: Method, path: &str| {
        let answer = client().request(method, format!("{}{path}", gateway.url)).send().await.unwrap();
        let allow = answer.headers().get(header::ALLOW).map(|value| value.to_str().unwrap().to_owned());
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, allow)
    };
    for path in ["/orders/-/links", "/orders/v1/secret", "/v1/orders/7", "/orders", "/orders/v1/orders/7/../../secret"]
    {
        let (status, kind, _) = ask(Method::GET, path).await;
        assert_eq!((status, kind.as_str()), (404, "application/problem+json"), "{path}");
    }
    let (status, kind, allow) = ask(Method::DELETE, "/orders/v1/orders/7").await;
    assert_eq!((status, kind.as_str(), allow.as_deref()), (405, "application/problem+json", Some("GET,HEAD")));
    assert_eq!(ask(Method::HEAD, "/orders/v1/orders/7").await.0, 200);
}

#[tokio::test]
async fn errors_of_the_service_are_its_own() {
    let problem = async || {
        let headers = [("content-type", "application/problem+json"), ("retry-after", "7")];
        (StatusCode::CONFLICT, headers, r#"{"type":"/errors/OutOfStock","status":409,"own":[1]}"#)
    };
    let (_service, gateway) = behind(Router::new().route("/v1/orders", post(problem))).await;
    let answer = client().post(format!("{}/orders/v1/orders", gateway.url)).body("{}").send().await.unwrap();
    assert_eq!((answer.status(), &answer.headers()["retry-after"]), (StatusCode::CONFLICT, &"7".parse().unwrap()));
    assert_eq!(answer.text().await.unwrap(), r#"{"type":"/errors/OutOfStock","status":409,"own":[1]}"#);
}

#[tokio::test]
async fn events_pass_as_they_come_and_end_when_the_gateway_stops() {
    let (send, events) = mpsc::channel::<Result<&'static str, std::convert::Infallible>>(1);
    let events = Arc::new(Mutex::new(Some(events)));
    let watch = async move || {
        let events = events.lock().unwrap().take().unwrap();
        ([("content-type", "text/event-stream")], Body::from_stream(ReceiverStream::new(events)))
    };
    let (_service, gateway) = behind(Router::new().route("/v1/watch", get(watch))).await;
    let mut answer = client().get(format!("{}/orders/v1/watch", gateway.url)).send().await.unwrap();
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        send.send(Ok(event)).await.unwrap();
        assert_eq!(answer.chunk().await.unwrap().unwrap(), event);
    }
    assert_eq!((gateway.link.state().under_way, gateway.link.state().open), (0, 1));
    gateway.stopping.cancel();
    let last = timeout(Duration::from_secs(5), answer.chunk()).await.unwrap().unwrap().unwrap();
    assert!(last.starts_with(b"event: error"), "{last:?}");
    assert!(answer.chunk().await.unwrap().is_none());
    comes("the place", || gateway.link.state().open == 0).await;
}

#[tokio::test]
async fn a_slow_reader_slows_the_service_down() {
    let (sent, passed) = (Arc::new(AtomicUsize::new(0)), 1 << 16);
    let counter = sent.clone();
    let flood = async move || {
        let chunks = stream::repeat_with(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::convert::Infallible>(vec![b'x'; passed])
        });
        Body::from_stream(chunks)
    };
    let (_service, gateway) = behind(Router::new().route("/v1/watch", get(flood))).await;
    let mut answer = client().get(format!("{}/orders/v1/watch", gateway.url)).send().await.unwrap();
    answer.chunk().await.unwrap();
    let count = || sent.load(Ordering::Relaxed);
    let mut before = 0;
    timeout(Duration::from_secs(20), async {
        while before != count() {
            before = count();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
    .await
    .expect("it never waits");
    assert!(count() * passed < 64 << 20, "{} chunks", count());
}

#[tokio::test]
async fn uploads_pass_as_they_come() {
    let (seen, mut parts) = mpsc::channel(8);
    let upload = async move |request: Request| {
        let mut body = request.into_body().into_data_stream();
        while let Some(Ok(part)) = body.next().await {
            seen.send(part).await.unwrap();
        }
        StatusCode::NO_CONTENT
    };
    let (_service, gateway) = behind(Router::new().route("/v1/upload", post(upload))).await;
    let (send, body) = mpsc::channel::<Result<&'static str, std::convert::Infallible>>(1);
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(body));
    let answer = tokio::spawn(client().post(format!("{}/orders/v1/upload", gateway.url)).body(body).send());
    for line in ["{\"n\":1}\n", "{\"n\":2}\n"] {
        send.send(Ok(line)).await.unwrap();
        assert_eq!(timeout(Duration::from_secs(5), parts.recv()).await.unwrap().unwrap(), line);
    }
    drop(send);
    assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_and_no_fault_of_the_service() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let read = async move |request: Request| {
        count.fetch_add(1, Ordering::Relaxed);
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
        body.len().to_string()
    };
    let (_service, gateway) = behind(Router::new().route("/v1/orders", post(read))).await;
    for _ in 0..30 {
        let body = reqwest::Body::wrap_stream(stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![0; 1 << 16]))));
        let answer = client().post(format!("{}/orders/v1/orders", gateway.url)).body(body).send().await;
        // The rest of it may meet a connection that is closed.
        if let Ok(answer) = answer {
            assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
    asked.store(0, Ordering::Relaxed);
    let said = client().post(format!("{}/orders/v1/orders", gateway.url)).body(vec![0; (1 << 20) + 1]).send().await;
    assert!(said.is_err() || said.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    assert_eq!(asked.load(Ordering::Relaxed), 0, "its length alone says so");
    let answer = client().post(format!("{}/orders/v1/orders", gateway.url)).body("abc").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "3");
}

#[tokio::test]
async fn http_2_comes_in() {
    let (_service, gateway) = behind(Router::new().fallback(echo)).await;
    let http = Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = http.get(format!("{}/orders/v1/orders/7", gateway.url)).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let asked: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(said(&asked, "via"), ["2.0 gateway"]);
    let place = gateway.url.strip_prefix("http://").unwrap();
    assert_eq!(said(&asked, "forwarded"), [format!("for=127.0.0.1;host=\"{place}\";proto=http")]);
}

/// Answers each text, and tells what pings it was sent.
async fn chat(headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    assert_eq!(headers["via"], "1.1 gateway");
    upgrade.protocols(["x"]).on_upgrade(async |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            let answer = match message {
                Message::Text(text) => Message::Text(format!("re: {text}").into()),
                Message::Ping(ping) => Message::Binary(ping),
                _ => continue,
            };
            if socket.send(answer).await.is_err() {
                break;
            }
        }
    })
}

#[tokio::test]
async fn a_websocket_is_a_tunnel_and_is_told_when_the_gateway_stops() {
    let (_service, gateway) = behind(Router::new().route("/v1/chat", any(chat))).await;
    let url = format!("{}/orders/v1/chat", gateway.url).replace("http:", "ws:");
    let (mut socket, answer) = tokio_tungstenite::connect_async(url).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(answer.headers()["via"], "1.1 gateway");
    let long = "x".repeat(100_000);
    for text in ["hello", &long] {
        socket.send(Sent::text(text)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Sent::text(format!("re: {text}")));
    }
    socket.send(Sent::Ping("here?".into())).await.unwrap();
    let both = [socket.next().await.unwrap().unwrap(), socket.next().await.unwrap().unwrap()];
    assert!(both.contains(&Sent::Pong("here?".into())) && both.contains(&Sent::binary("here?")), "{both:?}");
    assert_eq!((gateway.link.state().under_way, gateway.link.state().open), (0, 1));
    gateway.stopping.cancel();
    let last = timeout(Duration::from_secs(5), socket.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(&last, Sent::Close(Some(close)) if close.code == CloseCode::Away), "{last:?}");
    drop(socket);
    assert_eq!(gateway.stopped().await.cut, 0);
}

/// A connection that has become a WebSocket, as bytes.
async fn upgraded(gateway: &Gateway) -> TcpStream {
    let place = gateway.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(place).await.unwrap();
    let ask = format!(
        "GET /orders/v1/chat HTTP/1.1\r\nHost: {place}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    connection.write_all(ask.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{head:?}");
    connection
}

#[tokio::test]
async fn a_websocket_that_one_side_has_left_is_over() {
    let leaves = async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |socket| drop(socket));
    let stays = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async |socket| {
            std::future::pending::<()>().await;
            drop(socket);
        })
    };
    for (route, caller_leaves) in [(any(leaves), None), (any(stays), Some(false)), (any(stays), Some(true))] {
        let (_service, gateway) = behind(Router::new().route("/v1/chat", route)).await;
        let mut connection = upgraded(&gateway).await;
        let _kept = match caller_leaves {
            // The service has left, and the caller never closes.
            None => Some(connection),
            // Half of the connection.
            Some(false) => {
                connection.shutdown().await.unwrap();
                Some(connection)
            }
            Some(true) => {
                connection.set_zero_linger().unwrap();
                drop(connection);
                None
            }
        };
        comes("the end", || gateway.link.state().open == 0).await;
        gateway.stopping.cancel();
        let drained = timeout(Duration::from_secs(5), gateway.stopped()).await.expect("it is waited for");
        assert_eq!(drained.cut, 0);
    }
}

#[tokio::test]
async fn a_websocket_whose_caller_reads_nothing_is_over() {
    let flood = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(
            async |mut socket| {
                while socket.send(Message::Binary(vec![0; 1 << 16].into())).await.is_ok() {}
            },
        )
    };
    let service = Server::start(Router::new().route("/v1/chat", any(flood))).await;
    let edge = Edge { heartbeat: Duration::from_millis(300), ..Edge::default() };
    let gateway = gateway_behind(&ORDERS, &service.url, Policy::default(), edge).await;
    let _connection = upgraded(&gateway).await;
    comes("the beginning", || gateway.link.state().open == 1).await;
    comes("the end", || gateway.link.state().open == 0).await;
}

#[tokio::test]
async fn open_streams_leave_the_places_of_calls_free() {
    let watch = async || {
        let events = stream::iter([Ok::<_, std::convert::Infallible>("data: 1\n\n")]).chain(stream::pending());
        ([("content-type", "text/event-stream")], Body::from_stream(events))
    };
    let item = async || Body::from_stream(stream::repeat_with(|| Ok::<_, std::convert::Infallible>(vec![0; 1 << 16])));
    let small = async || "{}";
    let routes = Router::new()
        .route("/v1/watch", get(watch))
        .route("/v1/chat", any(chat))
        .route("/v1/orders/{id}", get(item))
        .route("/v1/upload", post(item))
        .route("/v1/orders", post(small));
    let service = Server::start(routes).await;
    let policy = Policy { bulkhead: 1, streams: 4, ..Policy::default() };
    let gateway = gateway(&ORDERS, &service.url, policy).await;
    let url = |path: &str| format!("{}/orders/v1/{path}", gateway.url);
    let chat = url("chat").replace("http:", "ws:");
    let events = client().get(url("watch")).send().await.unwrap();
    let (socket, _) = tokio_tungstenite::connect_async(&chat).await.unwrap();
    // Nobody reads it.
    let body = client().get(url("orders/7")).send().await.unwrap();
    let upload = client().post(url("upload")).header("content-type", "application/x-ndjson").send().await.unwrap();
    assert_eq!([events.status(), body.status(), upload.status()], [StatusCode::OK; 3]);
    assert_eq!((gateway.link.state().under_way, gateway.link.state().open), (0, 4));
    let refused = client().get(url("watch")).send().await.unwrap();
    assert_eq!(
        (refused.status(), refused.headers().contains_key("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, true)
    );
    let refused = tokio_tungstenite::connect_async(&chat).await.unwrap_err();
    assert!(
        matches!(&refused, tokio_tungstenite::tungstenite::Error::Http(answer) if answer.status() == 503),
        "{refused}"
    );
    for _ in 0..3 {
        let answer = client().post(url("orders")).send().await.unwrap();
        assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, "{}"));
    }
    drop((events, socket, body, upload));
    comes("the places", || gateway.link.state().open == 0).await;
}

#[tokio::test]
async fn whose_pages_open_websockets_is_for_the_gateway_to_say() {
    // The service has an edge of its own, and no page of it has the gateway's origin.
    let service = kit_http::edge(Router::new().route("/v1/chat", any(chat)), Edge::default());
    let (_service, gateway) = behind(service).await;
    for (origin, due) in [(gateway.url.as_str(), 101), ("https://evil.example", 403)] {
        let request = client().get(format!("{}/orders/v1/chat", gateway.url)).header("origin", origin);
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        let request =
            request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(request.send().await.unwrap().status().as_u16(), due, "{origin}");
    }
}

#[tokio::test]
async fn no_websocket_where_the_service_has_none() {
    let (_service, gateway) = behind(Router::new().route("/v1/chat", get(async || StatusCode::NO_CONTENT))).await;
    let url = format!("{}/orders/v1/chat", gateway.url).replace("http:", "ws:");
    let error = tokio_tungstenite::connect_async(url).await.unwrap_err();
    assert!(matches!(&error, tokio_tungstenite::tungstenite::Error::Http(answer) if answer.status() == 204), "{error}");
}

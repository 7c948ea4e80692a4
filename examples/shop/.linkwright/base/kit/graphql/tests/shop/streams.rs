//! Subscriptions over WebSocket and as server-sent events, over real sockets.

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, header},
};
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use kit_http::{Drained, Edge, Server};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tungstenite::{Message, client::IntoClientRequest};

use crate::store::{ENDLESS, ID, schema};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(protocol: &str) -> Result<Socket, tungstenite::Error> {
    connect_as(kit_graphql::endpoint(schema().0), protocol).await
}

async fn connect_to(router: Router) -> Result<Socket, tungstenite::Error> {
    connect_as(router, "graphql-transport-ws").await
}

async fn connect_as(router: Router, protocol: &str) -> Result<Socket, tungstenite::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/graphql/ws", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    open(url, protocol).await
}

async fn open(url: String, protocol: &str) -> Result<Socket, tungstenite::Error> {
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    connect_async(request).await.map(|(socket, _)| socket)
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_subscription_over_websocket() {
    let mut socket = connect("graphql-transport-ws").await.unwrap();
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    let query = format!("subscription {{ watch(id: \"{ID}\") {{ left customer {{ name }} }} }}");
    say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": { "query": query } })).await;
    for left in [2, 1] {
        let next = hear(&mut socket).await;
        let data = json!({ "watch": { "left": left, "customer": { "name": "Ada" } } });
        assert_eq!(
            (&next["type"], &next["id"], &next["payload"]["data"]),
            (&json!("next"), &json!("1"), &data),
            "{next}"
        );
    }
    let closed = hear(&mut socket).await;
    assert_eq!(closed["payload"]["errors"][0]["extensions"]["error"], "Closed", "{closed}");
    assert_eq!(hear(&mut socket).await, json!({ "type": "complete", "id": "1" }));

    say(
        &mut socket,
        json!({ "id": "2", "type": "subscribe", "payload": { "query": "{ orders { nodes { etag } } }" } }),
    )
    .await;
    let next = hear(&mut socket).await;
    assert_eq!(next["payload"]["extensions"], json!({ "fallback": ["stock.list=cache"] }), "{next}");
    assert_eq!(hear(&mut socket).await["type"], "complete");
    say(&mut socket, json!({ "id": "3", "type": "subscribe", "payload": { "query": "{ __typename }" } })).await;
    let next = hear(&mut socket).await;
    assert_eq!(next["payload"], json!({ "data": { "__typename": "Query" } }), "marks are those of one operation");
}

#[tokio::test]
async fn a_service_that_stops_says_so() {
    let stopping = CancellationToken::new();
    let router = kit_graphql::endpoint(schema().0);
    let mut socket = connect_to(router.layer(Extension(stopping.clone()))).await.unwrap();
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    let query = format!("subscription {{ watch(id: \"{ENDLESS}\") {{ left }} }}");
    say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": { "query": query } })).await;
    // What is asked for later is answered when that has begun.
    say(&mut socket, json!({ "id": "2", "type": "subscribe", "payload": { "query": "{ __typename }" } })).await;
    assert_eq!(hear(&mut socket).await["id"], "2");
    assert_eq!(hear(&mut socket).await["type"], "complete");
    stopping.cancel();
    let Message::Close(Some(close)) = socket.next().await.unwrap().unwrap() else { panic!("no close") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "the service is stopping"));
}

/// A socket whose client asks and reads nothing, until more is on its way than the connection holds; and its server.
async fn unread(heartbeat: Duration) -> (Socket, CancellationToken, JoinHandle<Drained>) {
    let stopping = CancellationToken::new();
    let edge = Edge { heartbeat, stopping: stopping.clone(), ..Edge::default() };
    let router = kit_http::edge(kit_graphql::endpoint(schema().0), edge);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/graphql/ws", listener.local_addr().unwrap());
    let serving = tokio::spawn(kit_http::serve(listener, router, Server::default(), stopping.clone()));
    let mut socket = open(url, "graphql-transport-ws").await.unwrap();
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    // Both answers have the id.
    let asked = |number| {
        let (id, payload) = (format!("{number}{}", "x".repeat(500_000)), json!({ "query": "{ __typename }" }));
        json!({ "id": id, "type": "subscribe", "payload": payload })
    };
    for number in 0.. {
        if timeout(Duration::from_millis(500), say(&mut socket, asked(number))).await.is_err() {
            break;
        }
    }
    (socket, stopping, serving)
}

#[tokio::test]
async fn who_reads_nothing_keeps_no_service_from_stopping() {
    let (_socket, stopping, serving) = unread(Duration::from_secs(3600)).await;
    stopping.cancel();
    let drained = timeout(Duration::from_secs(5), serving).await.expect("it is not heard that the service stops");
    assert_eq!(drained.unwrap().cut, 0);
}

#[tokio::test]
async fn who_reads_nothing_is_not_there() {
    let heartbeat = Duration::from_millis(300);
    let (mut socket, ..) = unread(heartbeat).await;
    tokio::time::sleep(heartbeat * 4).await;
    let rest = async { while socket.next().await.is_some_and(|message| message.is_ok()) {} };
    timeout(Duration::from_secs(5), rest).await.expect("it is waited for");
}

#[tokio::test]
async fn who_does_not_begin_is_cut_off_and_who_does_is_not() {
    let mut idle = connect("graphql-transport-ws").await.unwrap();
    let mut begun = connect("graphql-transport-ws").await.unwrap();
    say(&mut begun, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut begun).await["type"], "connection_ack");
    // The clock jumps to what is waited for.
    tokio::time::pause();
    match idle.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4408),
        other => panic!("{other:?}"),
    }
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    tokio::time::resume();
    say(&mut begun, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut begun).await["type"], "pong");
}

#[tokio::test]
async fn a_silent_socket_is_asked_for_a_sign_of_life_and_closed_without_one() {
    let heartbeat = Duration::from_millis(200);
    let router = || kit_http::edge(kit_graphql::endpoint(schema().0), Edge { heartbeat, ..Edge::default() });
    let (mut there, mut gone) = (connect_to(router()).await.unwrap(), connect_to(router()).await.unwrap());
    for socket in [&mut there, &mut gone] {
        say(socket, json!({ "type": "connection_init" })).await;
        assert_eq!(hear(socket).await["type"], "connection_ack");
    }
    // Whoever reads answers pings.
    let mut pings = 0;
    let _ = timeout(heartbeat * 6, async {
        while let Some(Ok(message)) = there.next().await {
            pings += usize::from(message.is_ping());
        }
    })
    .await;
    assert!((4..=7).contains(&pings), "{pings} in six heartbeats");
    say(&mut there, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut there).await["type"], "pong");
    // The other one has read nothing.
    let last = async { while gone.next().await.is_some_and(|message| message.is_ok()) {} };
    timeout(heartbeat / 2, last).await.unwrap();
}

#[tokio::test]
async fn a_message_has_as_many_bytes_as_the_edge_says() {
    let router = kit_http::edge(kit_graphql::endpoint(schema().0), Edge { body_limit: 1000, ..Edge::default() });
    let mut socket = connect_to(router).await.unwrap();
    say(&mut socket, json!({ "type": "connection_init", "payload": { "text": "x".repeat(900) } })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    say(&mut socket, json!({ "type": "ping", "payload": { "text": "x".repeat(1000) } })).await;
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1009),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn operations_of_a_socket_have_a_bound() {
    let mut socket = connect("graphql-transport-ws").await.unwrap();
    say(&mut socket, json!({ "type": "connection_init" })).await;
    hear(&mut socket).await;
    let start =
        |id: usize, query: &str| json!({ "id": id.to_string(), "type": "subscribe", "payload": { "query": query } });
    // What has ended does not count.
    for id in 0..120 {
        say(&mut socket, start(id, "{ __typename }")).await;
        assert_eq!(
            (hear(&mut socket).await["type"].clone(), hear(&mut socket).await["type"].clone()),
            ("next".into(), "complete".into())
        );
    }
    let endless = format!("subscription {{ watch(id: \"{ENDLESS}\") {{ left }} }}");
    for id in 0..=100 {
        say(&mut socket, start(id, &endless)).await;
    }
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => {
            assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1013, "at most 100 operations at a time"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_the_protocol_is_refused() {
    assert!(connect("graphql-ws").await.is_err());
    let init = json!({ "type": "connection_init" });
    let subscribe = |query: &str| json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
    let endless = subscribe(&format!("subscription {{ watch(id: \"{ENDLESS}\") {{ left }} }}"));
    for (messages, code, reason) in [
        (vec![json!("nonsense")], 4400, "Invalid message received"),
        (vec![json!({})], 4400, "Invalid message received"),
        (vec![init.clone(), json!({ "type": "unknown" })], 4400, "Invalid message received"),
        (vec![subscribe("{ __typename }")], 4401, "Unauthorized"),
        (vec![init.clone(), init.clone()], 4429, "Too many initialisation requests."),
        (vec![init.clone(), endless.clone(), endless.clone()], 4409, "Subscriber for 1 already exists"),
    ] {
        let mut socket = connect("graphql-transport-ws").await.unwrap();
        for message in &messages {
            say(&mut socket, message.clone()).await;
        }
        let closed = loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => break frame,
                Some(Ok(_)) => {}
                other => panic!("{messages:?}: {other:?}"),
            }
        };
        assert_eq!((u16::from(closed.code), closed.reason.as_str()), (code, reason), "{messages:?}");
    }
}

#[tokio::test]
async fn an_id_is_free_again_once_its_operation_has_ended() {
    let mut socket = connect("graphql-transport-ws").await.unwrap();
    let endless = format!("subscription {{ watch(id: \"{ENDLESS}\") {{ left }} }}");
    let endless = json!({ "id": "1", "type": "subscribe", "payload": { "query": endless } });
    let complete = json!({ "id": "1", "type": "complete" });
    say(&mut socket, json!({ "type": "connection_init" })).await;
    hear(&mut socket).await;
    for message in [&endless, &complete, &endless, &complete] {
        say(&mut socket, message.clone()).await;
    }
    say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": { "query": "{ __typename }" } })).await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(hear(&mut socket).await["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(heard, ["complete", "complete", "next", "complete"]);
}

#[tokio::test]
async fn a_subscription_as_events() {
    let stream = async |query: String| {
        let request = Request::post("/graphql/stream").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(json!({ "query": query }).to_string())).unwrap();
        let response = kit_graphql::endpoint(schema().0).oneshot(request).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let events = stream(format!("subscription {{ watch(id: \"{ID}\") {{ left }} }}")).await;
    let events: Vec<_> = events.split("\n\n").collect();
    assert_eq!(
        events[0],
        r#"event: next
data: {"data":{"watch":{"left":2}}}"#
    );
    assert!(events[2].contains(r#""error":"Closed""#), "{}", events[2]);
    assert_eq!(events[3..], ["event: complete\ndata:", ""], "with data, or browsers drop it");

    let nobody = "00000000-0000-0000-0000-000000000000";
    let refused = stream(format!("subscription {{ watch(id: \"{nobody}\") {{ left }} }}")).await;
    assert!(refused.contains(r#""code":"LIMITED""#) && refused.contains(r#""retryAfter":1.5"#), "{refused}");
}

#[tokio::test]
async fn a_mutation_cannot_be_sent_with_get() {
    let request = Request::get(format!("/graphql/stream?query=mutation%7BdeleteOrder(id:%22{ID}%22)%7D"));
    let (schema, store) = schema();
    let response = kit_graphql::endpoint(schema).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 405);
    assert!(store.seen.lock().unwrap().is_empty());
}

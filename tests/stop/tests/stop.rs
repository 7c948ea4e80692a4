//! A service that is told to stop while callers are at it over everything that carries it.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use desk_contract::{Desk as _, Tick, WorkRequest, grpc, queue, rest};
use futures_util::{StreamExt as _, future::join_all, stream};
use kit::{Context, Failure, Kind, Stream};
use stop::{
    calls::{Way, load, readiness},
    process::{Desk, LONG},
    relay::Relay,
    streams::{Events, Socket},
};
use tokio::time::{Instant, sleep, timeout};

/// For so long `/-/ready` says no before connections are refused.
const NOTICE: Duration = Duration::from_secs(2);
/// Longer than that.
const HELD: u32 = 6000;
const DRAIN: Duration = Duration::from_secs(10);
/// Callers at a time over each transport.
const CALLERS: usize = 4;

/// An input that has begun and never ends.
fn input() -> Stream<Tick, Failure> {
    Box::pin(stream::iter([Ok(Tick { number: 1 })]).chain(stream::pending()))
}

async fn send(desk: &Desk, milliseconds: u32, text: &str) {
    let work = WorkRequest { milliseconds, text: text.into() };
    queue::Client(desk.sender()).work(&Context::default(), work).await.unwrap();
}

fn stopping() -> Failure {
    Failure::new(Kind::Unavailable, "the service is stopping")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_is_finished_and_nothing_is_lost() {
    let mut desk = Desk::start(&[("DESK__NOTICE", "2s"), ("DESK__DRAIN", "10s")]).await;
    let heeds = Arc::new(AtomicBool::new(false));
    let callers = || Way::all(&desk.url, &desk.url).into_iter().enumerate();
    let callers: Vec<_> = (0..CALLERS).flat_map(|n| callers().map(move |(way, w)| (n * 10 + way, w))).collect();
    let load: Vec<_> = callers.into_iter().map(|(number, way)| load(way, number, heeds.clone())).collect();

    let relay = Relay::start(&desk.url).await;
    let held = Way::all(&desk.url, &relay.url).map(|way| {
        tokio::spawn(async move { (way.name, way.ponder(HELD, &format!("held {}", way.name)).await, Instant::now()) })
    });
    let (events, mut cut_off) = (Events::open(&desk.url, None).await, Events::open(&desk.url, None).await);
    let (last_seen, number) = cut_off.first().await;
    let (talk, subscription) = (Socket::talk(&desk.url).await, Socket::graphql(&desk.url).await);
    let over_rest = rest::Client(kit_http::Client::new(&desk.url).unwrap());
    let over_grpc = grpc::Client::new(kit_grpc::connect(&desk.url).unwrap());
    let mut ticks = over_grpc.watch(&Context::default()).await.unwrap();
    assert_eq!(ticks.next().await, Some(Ok(Tick { number: 1 })));
    let upload = tokio::spawn(async move { over_rest.take(&Context::default(), input()).await });
    let messages = tokio::spawn(async move { over_grpc.take(&Context::default(), input()).await });
    send(&desk, HELD, "work under way").await;
    for name in ["REST", "gRPC", "GraphQL", "JSON-RPC"] {
        desk.line(&format!("begins: held {name}")).await;
    }
    desk.line("begins: work under way").await;
    desk.line("begins: an input").await;

    let asked = readiness(&desk.url, heeds);
    sleep(Duration::from_millis(100)).await;
    let told = Instant::now();
    desk.terminate().await;
    // While it only says so, all is as ever: who was cut off goes on where it was.
    desk.line("stopping").await;
    drop(cut_off);
    assert_eq!(Events::open(&desk.url, Some(&last_seen)).await.first().await.1, number + 1);

    let (said, refused) = asked.await.unwrap();
    let unready = said.iter().position(|status| *status == 503).expect("it never said that it is not ready");
    assert!(unready > 0 && said[..unready].iter().all(|status| *status == 200), "{said:?}");
    assert!(said[unready..].iter().all(|status| *status == 503), "{said:?}");
    assert!(said.len() - unready > 3, "it said so only when it took no more connections: {said:?}");
    assert!(refused - told >= NOTICE, "connections were refused after {:?}", refused - told);
    // Nobody takes this before somebody serves again.
    send(&desk, 0, "work for later").await;

    for (right, wrong) in join_all(load).await.into_iter().map(Result::unwrap) {
        assert!(right > 0 && wrong.is_empty(), "{right} right, and {wrong:#?}");
    }
    for answer in held {
        let (name, answer, at) = answer.await.unwrap();
        assert_eq!(answer, Ok(format!("held {name}")));
        assert!(at > refused, "{name} was not under way when connections were refused");
    }
    let codes = relay.told_to_go();
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == 0), "GOAWAY: {codes:?}");
    let text = events.rest().await;
    let last = text.trim_end().rsplit_once("event: error\ndata: ").expect("no last event").1;
    assert!(last.contains("the service is stopping") && last.contains("unavailable"), "{last}");
    let (last, code) = talk.end().await;
    assert!(code == 1001 && last.contains("the service is stopping"), "{code} {last}");
    assert_eq!(subscription.end().await.1, 1001);
    let last = ticks.filter(|tick| std::future::ready(tick.is_err())).next().await;
    assert_eq!(last, Some(Err(stopping())));
    assert_eq!(upload.await.unwrap(), Err(stopping()));
    assert_eq!(messages.await.unwrap(), Err(stopping()));

    assert_eq!(desk.ended().await.code(), Some(0));
    assert!(told.elapsed() < NOTICE + DRAIN, "it took {:?}", told.elapsed());
    assert!(desk.has_said("stopped") && !desk.has_said("were cut"));
    let commands = desk.commands().await;
    assert_eq!((commands.acked, commands.delivered, commands.pending, commands.in_flight), (1, 1, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_longer_than_there_is_time_is_cut_and_told() {
    let mut desk = Desk::start(&[("DESK__DRAIN", "500ms")]).await;
    let held = Way::all(&desk.url, &desk.url)
        .map(|way| tokio::spawn(async move { way.ponder(60_000, &format!("held {}", way.name)).await }));
    send(&desk, 60_000, "work under way").await;
    for name in ["REST", "gRPC", "GraphQL", "JSON-RPC"] {
        desk.line(&format!("begins: held {name}")).await;
    }
    desk.line("begins: work under way").await;
    let told = Instant::now();
    desk.terminate().await;
    assert_eq!(desk.ended().await.code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(10), "it took {:?}", told.elapsed());
    let connections = desk.line("connections were cut").await;
    assert!(connections.contains("cut=4"), "{connections}");
    assert!(desk.line("background tasks were cut").await.contains("late=1"));
    desk.line("stopped").await;
    for answer in held {
        let failure = timeout(LONG, answer).await.unwrap().unwrap().unwrap_err();
        assert_eq!((failure.kind, failure.unsent), (Kind::Unavailable, false));
    }
    // Whoever serves next does it.
    let commands = desk.commands().await;
    assert_eq!((commands.acked, commands.pending + commands.in_flight), (0, 1));
}

//! Streams of input, alone and beside streams of output: half-close, errors in between, who stops, who goes away.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, future, stream};
use kit::{Context, Failure, FieldError, Kind};
use kit_http::Edge;
use tokio::{sync::Notify, time::timeout};

use crate::{
    calls::{Lines, Rehearsed, Watched, client, listen, router},
    contract::*,
    grpc::Client,
};

const LONG: Duration = Duration::from_secs(10);

fn line(quantity: u32) -> Line {
    Line { sku: "a".into(), quantity }
}

fn lines(items: impl IntoIterator<Item = Result<u32, Failure>>) -> Lines {
    let items: Vec<_> = items.into_iter().map(|item| item.map(line)).collect();
    Box::pin(stream::iter(items))
}

async fn sum(input: Lines) -> Result<Reserved, ReserveError> {
    Ok(Reserved { left: input.try_fold(0, async |sum, line| Ok(sum + line.quantity)).await? })
}

fn counting() -> Rehearsed {
    Rehearsed { restock: |input| Box::pin(sum(input)), ..Rehearsed::default() }
}

/// Answers each line at once.
fn echoing() -> Rehearsed {
    let talk = |input: Lines| -> Watched { Ok(Box::pin(input.map(|line| Ok(Level { left: line?.quantity })))) };
    Rehearsed { talk, ..Rehearsed::default() }
}

#[tokio::test]
async fn an_input_is_read_to_its_end_and_answered() {
    let (client, shelf) = client(counting()).await;
    let cx = Context::default().within(LONG).keyed("key-1");
    assert_eq!(client.restock(&cx, lines((1..=9).map(Ok))).await, Ok(Reserved { left: 45 }));
    assert_eq!(client.restock(&cx, lines([])).await, Ok(Reserved { left: 0 }));
    let seen = shelf.seen.lock().unwrap();
    assert_eq!((seen[0].idempotency_key(), seen[0].deadline()), (Some("key-1"), None));
    assert_eq!(seen[0].trace().id(), cx.trace().id());
}

#[tokio::test]
async fn the_first_line_that_is_not_valid_ends_the_input_and_is_named() {
    for shelf in [counting(), echoing()] {
        let talks = shelf.talk as usize == echoing().talk as usize;
        let (client, _) = client(shelf).await;
        let input = lines([Ok(1), Ok(10), Ok(2)]);
        let error = match talks {
            true => {
                let items: Vec<_> = client.talk(&Context::default(), input).await.unwrap().collect().await;
                assert_eq!(items.first(), Some(&Ok(Level { left: 1 })));
                items.into_iter().nth(1).unwrap().unwrap_err()
            }
            false => client.restock(&Context::default(), input).await.unwrap_err(),
        };
        let ReserveError::Failure(failure) = error else { panic!("{error:?}") };
        let wrong = FieldError { field: "[1].quantity".into(), detail: "is 10, not from 1 to 9".into() };
        assert_eq!((failure.kind, failure.fields), (Kind::Invalid, vec![wrong]));
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_no_item() {
    let edge = Edge { body_limit: 1000, ..Edge::default() };
    let (_, url) = listen(kit_http::edge(router(counting().into()), edge)).await;
    let client = Client::new(kit_grpc::connect(&url).unwrap());
    let huge = Line { sku: "x".repeat(1001), quantity: 1 };
    let input = Box::pin(stream::iter([Ok(line(1)), Ok(huge)]));
    let refused = client.restock(&Context::default(), input).await.unwrap_err();
    let due = Failure::invalid("the message is too large").within("[1]");
    assert_eq!(refused, due.into());
    // The limit is that of each message.
    let many = lines((0..200).map(|_| Ok(1)));
    assert_eq!(client.restock(&Context::default(), many).await, Ok(Reserved { left: 200 }));
}

#[tokio::test]
async fn a_sender_who_is_silent_gives_up_its_place_unless_both_sides_speak() {
    let edge = || Edge { input_idle: Duration::from_millis(100), ..Edge::default() };
    let silent = || -> Lines { Box::pin(lines([Ok(1)]).chain(stream::pending())) };
    let (_, url) = listen(kit_http::edge(router(counting().into()), edge())).await;
    let client = Client::new(kit_grpc::connect(&url).unwrap());
    let refused = timeout(LONG, client.restock(&Context::default(), silent())).await.unwrap().unwrap_err();
    let ReserveError::Failure(failure) = refused else { panic!("{refused:?}") };
    assert_eq!((failure.kind, &*failure.detail), (Kind::Timeout, "no item came within 100ms"));
    let (_, url) = listen(kit_http::edge(router(echoing().into()), edge())).await;
    let client = Client::new(kit_grpc::connect(&url).unwrap());
    let mut heard = client.talk(&Context::default(), silent()).await.unwrap();
    assert_eq!(heard.next().await, Some(Ok(Level { left: 1 })));
    assert!(timeout(Duration::from_millis(400), heard.next()).await.is_err(), "it is open still");
}

#[tokio::test]
async fn a_service_need_not_read_all_and_may_fail_in_between() {
    let restock = |input: Lines| -> future::BoxFuture<'static, _> {
        Box::pin(async move {
            let first: Vec<_> = input.take(2).try_collect().await?;
            Err(ReserveError::OutOfStock(Shortage { left: first.len() as u32, text: String::new() }))
        })
    };
    let talk = |input: Lines| -> Watched {
        let first = input.take(1).map(|line| Ok(Level { left: line?.quantity }));
        Ok(Box::pin(first.chain(stream::iter([Err(ReserveError::Closed), Ok(Level { left: 9 })]))))
    };
    let (client, _) = client(Rehearsed { restock, talk, ..Rehearsed::default() }).await;
    let endless = || -> Lines { Box::pin(lines([Ok(1), Ok(2)]).chain(stream::pending())) };
    let refused = timeout(LONG, client.restock(&Context::default(), endless())).await.unwrap();
    assert_eq!(refused, Err(ReserveError::OutOfStock(Shortage { left: 2, text: String::new() })));
    let items = client.talk(&Context::default(), endless()).await.unwrap();
    let items: Vec<_> = timeout(LONG, items.collect()).await.unwrap();
    assert_eq!(items, [Ok(Level { left: 1 }), Err(ReserveError::Closed)]);
}

#[tokio::test]
async fn answers_come_while_the_input_is_open_and_after_it_has_ended() {
    let talk = |input: Lines| -> Watched {
        let mut sum = 0;
        let each = input.map(Some).chain(stream::iter([None])).map(move |line| match line {
            Some(line) => {
                sum += line?.quantity;
                Ok(Level { left: 0 })
            }
            None => Ok(Level { left: sum }),
        });
        Ok(Box::pin(each))
    };
    let (client, _) = client(Rehearsed { talk, ..Rehearsed::default() }).await;
    let (say, said) = tokio::sync::mpsc::channel(1);
    let said = tokio_stream::wrappers::ReceiverStream::new(said);
    let mut heard = client.talk(&Context::default(), Box::pin(said)).await.unwrap();
    for quantity in 1..=3 {
        say.send(Ok(line(quantity))).await.unwrap();
        assert_eq!(timeout(LONG, heard.next()).await.unwrap(), Some(Ok(Level { left: 0 })));
    }
    drop(say);
    assert_eq!(timeout(LONG, heard.next()).await.unwrap(), Some(Ok(Level { left: 6 })));
    assert_eq!(heard.next().await, None);
}

#[tokio::test]
async fn an_input_that_fails_where_it_is_sent_is_no_whole_one() {
    static CUT: LazyLock<Notify> = LazyLock::new(Notify::new);
    let restock = |input: Lines| -> future::BoxFuture<'static, _> {
        Box::pin(async move {
            let guard = Told(&CUT);
            let reserved = sum(input).await;
            assert!(reserved.is_err(), "half of an input was taken for all of it");
            drop(guard);
            reserved
        })
    };
    let (client, _) = client(Rehearsed { restock, ..echoing() }).await;
    let broken = client.restock(&Context::default(), lines([Ok(1), Err(Failure::stale()), Ok(2)])).await;
    assert_eq!(broken, Err(Failure::stale().into()));
    timeout(LONG, CUT.notified()).await.unwrap();
    let late = Box::pin(lines([Ok(1)]).chain(stream::once(async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Err(Failure::stale())
    })));
    let items: Vec<_> = client.talk(&Context::default(), late).await.unwrap().collect().await;
    assert_eq!(items, [Ok(Level { left: 1 }), Err(Failure::stale().into())]);
}

/// Tells when it is dropped.
struct Told(&'static Notify);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn who_goes_away_ends_the_work_of_the_service() {
    static GONE: LazyLock<Notify> = LazyLock::new(Notify::new);
    let restock = |input: Lines| -> future::BoxFuture<'static, _> {
        Box::pin(async move {
            let _told = Told(&GONE);
            sum(input).await
        })
    };
    let talk = |input: Lines| -> Watched {
        let told = Told(&GONE);
        Ok(Box::pin(input.map(move |line| {
            let _ = &told;
            Ok(Level { left: line?.quantity })
        })))
    };
    let (client, _) = client(Rehearsed { restock, talk, ..Rehearsed::default() }).await;
    let endless = || -> Lines { Box::pin(lines([Ok(1)]).chain(stream::pending())) };
    let cut = timeout(Duration::from_millis(200), client.restock(&Context::default(), endless())).await;
    assert!(cut.is_err());
    timeout(LONG, GONE.notified()).await.unwrap();
    let mut items = client.talk(&Context::default(), endless()).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(Level { left: 1 })));
    drop(items);
    timeout(LONG, GONE.notified()).await.unwrap();
}

#[tokio::test]
async fn the_answer_has_a_deadline_and_the_items_have_none() {
    let restock = |input: Lines| -> future::BoxFuture<'static, _> {
        Box::pin(async move {
            let reserved = sum(input).await?;
            if reserved.left == 1 {
                tokio::time::sleep(LONG).await;
            }
            Ok(reserved)
        })
    };
    let (client, _) = client(Rehearsed { restock, ..Rehearsed::default() }).await;
    let within = || Context::default().within(Duration::from_millis(200));
    assert_eq!(client.restock(&within(), lines([Ok(1)])).await, Err(Failure::timeout().into()));
    let slow = lines([Ok(2), Ok(3)]).then(async |line| {
        tokio::time::sleep(Duration::from_millis(300)).await;
        line
    });
    assert_eq!(client.restock(&within(), Box::pin(slow)).await, Ok(Reserved { left: 5 }));
}

/// Items of 16 KiB each, counted as they are pulled out of their source.
fn heavy<T: Send + 'static>(
    pulled: &'static AtomicUsize,
    item: impl Fn(String) -> T + Send + 'static,
) -> impl futures_util::Stream<Item = T> + Send {
    stream::repeat_with(move || {
        pulled.fetch_add(1, Ordering::Relaxed);
        item("x".repeat(16 << 10))
    })
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

/// Bytes in flight at most: the windows of both ends and what is about to be written.
const IN_FLIGHT: usize = 8 << 20;

#[tokio::test]
async fn a_reader_that_stops_costs_no_memory_that_grows() {
    static PULLED: AtomicUsize = AtomicUsize::new(0);
    static SENT: AtomicUsize = AtomicUsize::new(0);
    let watch = || -> Watched { Ok(Box::pin(heavy(&PULLED, |text| Ok(Level { left: text.len() as u32 })))) };
    let restock = |input: Lines| -> future::BoxFuture<'static, _> {
        Box::pin(async move {
            let mut input = input;
            let _ = input.next().await;
            future::pending::<()>().await;
            Ok(Reserved { left: 0 })
        })
    };
    let (client, _) = client(Rehearsed { watch, restock, ..Rehearsed::default() }).await;
    let client = Arc::new(client);
    let mut items = client.watch(&Context::default(), crate::calls::id()).await.unwrap();
    assert!(items.next().await.is_some());
    let first = settled(&PULLED).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(PULLED.load(Ordering::Relaxed), first, "a stream that nobody reads goes on");
    for _ in 0..first + 1 {
        assert!(matches!(items.next().await, Some(Ok(_))));
    }
    assert!(settled(&PULLED).await > first, "it goes on when it is read again");

    let input: Lines = Box::pin(heavy(&SENT, |sku| Ok(Line { sku, quantity: 1 })));
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.restock(&Context::default(), input).await }
    });
    let first = settled(&SENT).await;
    assert!(first * (16 << 10) < IN_FLIGHT, "{first} items of 16 KiB were taken though nobody reads them");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(SENT.load(Ordering::Relaxed), first, "an input that nobody reads goes on");
    sending.abort();
}

//! Calls between a client and a server of the contract: context, answers, streams, trouble on the way.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use futures_util::{StreamExt, future::BoxFuture, stream};
use kit::{Context, Etag, Failure, Kind, Stream};
use kit_grpc::routes;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    contract::*,
    grpc::{Client, Server},
    messages::item,
    pb::shelf_service_server::ShelfServiceServer,
};

pub type Lines = Stream<Line, Failure>;
pub type Watched = Result<Stream<Level, ReserveError>, ReserveError>;

/// Does what the test says, and notes the contexts it was given.
pub struct Rehearsed {
    pub get: fn(&Context) -> Result<Item, Failure>,
    pub reserve: fn(Reserve) -> Result<Reserved, ReserveError>,
    pub watch: fn() -> Watched,
    pub restock: fn(Lines) -> BoxFuture<'static, Result<Reserved, ReserveError>>,
    pub talk: fn(Lines) -> Watched,
    pub seen: Mutex<Vec<Context>>,
}

impl Default for Rehearsed {
    fn default() -> Self {
        Self {
            get: |_| Ok(item()),
            reserve: |input| Ok(Reserved { left: 10 - input.quantity }),
            watch: || Ok(Box::pin(stream::iter([Ok(Level { left: 2 }), Ok(Level { left: 1 })]))),
            restock: |_| panic!("not in this test"),
            talk: |_| panic!("not in this test"),
            seen: Mutex::default(),
        }
    }
}

#[tonic::async_trait]
impl Shelf for Rehearsed {
    async fn get_item(&self, cx: &Context, _: ItemId) -> Result<Item, Failure> {
        self.seen.lock().unwrap().push(cx.clone());
        (self.get)(cx)
    }

    async fn update_item(
        &self,
        _: &Context,
        id: ItemId,
        patch: ItemPatch,
        etag: Option<Etag>,
    ) -> Result<Item, Failure> {
        Etag(3).check(etag)?;
        let mut item = Item { id, ..item() };
        kit::patch::set(&mut item.stock, patch.stock);
        kit::patch::set(&mut item.best_before, patch.best_before);
        Ok(item)
    }

    async fn delete_item(&self, _: &Context, _: ItemId, etag: Option<Etag>) -> Result<(), Failure> {
        Etag(3).check(etag)
    }

    /// More than five take for ever.
    async fn reserve(&self, _: &Context, _: ItemId, input: Reserve) -> Result<Reserved, ReserveError> {
        if input.quantity > 5 {
            std::future::pending::<()>().await;
        }
        (self.reserve)(input)
    }

    async fn watch(&self, _: &Context, _: ItemId) -> Watched {
        (self.watch)()
    }

    async fn restock(&self, cx: &Context, input: Lines) -> Result<Reserved, ReserveError> {
        self.seen.lock().unwrap().push(cx.clone());
        (self.restock)(input).await
    }

    async fn talk(&self, _: &Context, input: Lines) -> Watched {
        (self.talk)(input)
    }
}

pub fn router(shelf: Arc<Rehearsed>) -> Router {
    routes(ShelfServiceServer::new(Server(shelf)), ShelfServiceServer::max_decoding_message_size)
}

/// A server of the implementation, until the handle is aborted, and its address.
pub async fn serve(shelf: Arc<Rehearsed>) -> (JoinHandle<()>, String) {
    listen(router(shelf)).await
}

pub async fn listen(router: Router) -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (tokio::spawn(async { axum::serve(listener, router).await.unwrap() }), url)
}

pub async fn client(shelf: Rehearsed) -> (Client, Arc<Rehearsed>) {
    let shelf = Arc::new(shelf);
    let (_, url) = serve(shelf.clone()).await;
    (Client::new(kit_grpc::connect(&url).unwrap()), shelf)
}

pub fn id() -> ItemId {
    item().id
}

pub fn reserve(quantity: u32) -> Reserve {
    Reserve { quantity, lines: vec![Line { sku: "a".into(), quantity: 1 }] }
}

#[tokio::test]
async fn answers_are_those_of_the_service() {
    let (client, _) = client(Rehearsed::default()).await;
    let cx = Context::default();
    assert_eq!(client.get_item(&cx, id()).await, Ok(item()));
    assert_eq!(client.reserve(&cx, id(), reserve(3)).await, Ok(Reserved { left: 7 }));
    assert_eq!(client.delete_item(&cx, id(), Some(Etag(3))).await, Ok(()));
    assert_eq!(client.delete_item(&cx, id(), Some(Etag(2))).await, Err(Failure::stale()));
    let patch = ItemPatch { stock: Some(4), best_before: Some(None), ..ItemPatch::default() };
    let changed = Item { stock: 4, best_before: None, ..item() };
    assert_eq!(client.update_item(&cx, id(), patch, None).await, Ok(changed));
}

#[tokio::test]
async fn the_context_travels_and_the_marks_come_back() {
    let get = |cx: &Context| {
        cx.marks().add("prices.get=default");
        cx.marks().add("parts.list=queue");
        Ok(item())
    };
    let (client, shelf) = client(Rehearsed { get, ..Rehearsed::default() }).await;
    let cx = Context::default().within(Duration::from_secs(60)).keyed("key-1");
    client.get_item(&cx, id()).await.unwrap();
    client.get_item(&Context::default(), id()).await.unwrap();

    let seen = shelf.seen.lock().unwrap();
    assert_eq!(seen[0].idempotency_key(), Some("key-1"));
    assert_eq!(seen[0].trace().id(), cx.trace().id());
    assert_ne!(seen[0].trace(), cx.trace());
    assert!(seen[0].remaining().is_some_and(|left| left <= Duration::from_secs(60)));
    assert_eq!((seen[1].idempotency_key(), seen[1].deadline()), (None, None));
    assert_eq!(cx.marks().list(), ["prices.get=default", "parts.list=queue"]);
}

#[tokio::test]
async fn input_is_decoded_and_valid_before_the_service_sees_it() {
    let reserve_nothing = |_| panic!("the service was called");
    let (client, _) = client(Rehearsed { reserve: reserve_nothing, ..Rehearsed::default() }).await;
    let Err(ReserveError::Failure(failure)) = client.reserve(&Context::default(), id(), reserve(0)).await else {
        panic!("accepted")
    };
    assert_eq!((failure.kind, failure.fields[0].field.as_str()), (Kind::Invalid, "quantity"));
}

#[tokio::test]
async fn a_deadline_ends_the_wait_of_both_sides() {
    let (client, _) = client(Rehearsed::default()).await;
    let cx = Context::default().within(Duration::from_millis(50));
    let late = client.reserve(&cx, id(), reserve(6)).await;
    assert_eq!(late, Err(Failure::timeout().into()));
    let past = client.reserve(&cx, id(), reserve(1)).await;
    assert_eq!(past, Err(Failure::timeout().into()));
}

#[tokio::test]
async fn streams_bring_items_and_the_error_that_ends_them() {
    let watch = || -> Watched {
        Ok(Box::pin(stream::iter([Ok(Level { left: 1 }), Err(ReserveError::Closed), Ok(Level { left: 0 })])))
    };
    let (client, _) = client(Rehearsed { watch, ..Rehearsed::default() }).await;
    let items: Vec<_> = client.watch(&Context::default(), id()).await.unwrap().collect().await;
    assert_eq!(items, [Ok(Level { left: 1 }), Err(ReserveError::Closed)]);
}

#[tokio::test]
async fn a_stream_that_does_not_open_fails_with_the_typed_error() {
    let (client, _) = client(Rehearsed { watch: || Err(ReserveError::Closed), ..Rehearsed::default() }).await;
    let opened = client.watch(&Context::default(), id()).await;
    assert_eq!(opened.err(), Some(ReserveError::Closed));
}

#[tokio::test]
async fn a_stream_outlives_the_deadline_of_its_opening() {
    let watch = || -> Watched {
        let late = stream::once(tokio::time::sleep(Duration::from_millis(300))).map(|()| Ok(Level { left: 1 }));
        Ok(Box::pin(late))
    };
    let (client, _) = client(Rehearsed { watch, ..Rehearsed::default() }).await;
    let cx = Context::default().within(Duration::from_millis(200));
    let items: Vec<_> = client.watch(&cx, id()).await.unwrap().collect().await;
    assert_eq!(items, [Ok(Level { left: 1 })]);
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_surely_unsent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(kit_grpc::connect(&url).unwrap());
    for _ in 0..2 {
        let failure = client.get_item(&Context::default(), id()).await.unwrap_err();
        assert_eq!((failure.kind, failure.unsent), (Kind::Unavailable, true));
        assert!(failure.source.is_some());
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_a_stream_is_unavailable_and_maybe_sent() {
    let watch = || -> Watched { Ok(Box::pin(stream::once(async { Ok(Level { left: 1 }) }).chain(stream::pending()))) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let shelf = Arc::new(Rehearsed { watch, ..Rehearsed::default() });
    let (_, url) = runtime.spawn(serve(shelf)).await.unwrap();
    let client = Client::new(kit_grpc::connect(&url).unwrap());
    let mut items = client.watch(&Context::default(), id()).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(Level { left: 1 })));
    // With its runtime go all of the server's connections.
    runtime.shutdown_background();
    let Some(Err(ReserveError::Failure(failure))) = items.next().await else { panic!("no failure") };
    assert_eq!((failure.kind, failure.unsent), (Kind::Unavailable, false));
    let next = client.get_item(&Context::default(), id()).await.unwrap_err();
    assert_eq!(next.kind, Kind::Unavailable);
}

//! The `desk` of the design, as one writes it with axum, tonic and async-graphql alone: the types of the contract with
//! their serialisation and validation, and the service's own store. No edge, no context, no deadline, no trait.

mod graphql;
mod grpc;
mod jsonrpc;
mod streams;

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{any, get, post},
    serve::ListenerExt,
};
use desk::store;
use desk_contract::{EchoRequest, EchoResponse, NewNote, Note, NoteId, Tick, WatchRequest};
use futures_util::{Stream, StreamExt as _, stream};
use kit::{Etag, Validate};
use kit_store::Store;
use tokio::net::TcpListener;

/// What goes over HTTP/1.1 at one address, gRPC at another, until somebody ends the process.
pub async fn serve(http: &str, grpc: &str, database: &str) -> Result<()> {
    let store = store::open(database).await?;
    let routes = Router::new()
        .route("/-/live", get(async || "alive"))
        .route("/v1/echo", post(echo))
        .route("/v1/notes", post(create_note))
        .route("/v1/notes/{id}", get(get_note))
        .with_state(store.clone())
        .route("/v1/watch", get(streams::watch))
        .route("/v1/talk", any(streams::talk))
        .route("/v1/take", post(streams::take))
        .route("/v1/rpc", post(jsonrpc::answer))
        .route("/graphql", post(graphql::answer).with_state(graphql::schema(store.clone())));
    let listener = TcpListener::bind(http).await?.tap_io(|stream| _ = stream.set_nodelay(true));
    tokio::try_join!(async { Ok(axum::serve(listener, routes).await?) }, grpc::serve(grpc, store))?;
    Ok(())
}

fn echoed(input: EchoRequest) -> EchoResponse {
    EchoResponse { id: input.id, text: input.text, at: input.at, lines: input.lines }
}

/// As the business code of `desk` has them.
fn ticks(input: WatchRequest) -> impl Stream<Item = Tick> + Send + 'static {
    let ticks = stream::iter(1..=input.ticks).map(|number| Tick { number, text: "Tick, tock. ".repeat(4) });
    ticks.chain(stream::pending().take_until(async move {
        if input.stay {
            std::future::pending().await
        }
    }))
}

async fn created(store: &Store, new: NewNote) -> Result<Note> {
    let note = Note {
        id: NoteId(uuid::Uuid::now_v7()),
        title: new.title,
        text: new.text,
        level: new.level,
        price: new.price,
        written_at: kit::json::now(),
        etag: Etag(1),
    };
    let mut tx = store.begin().await?;
    store::note::insert(&mut tx, &note).await?;
    tx.commit().await?;
    Ok(note)
}

type Answer<T> = Result<Json<T>, (StatusCode, String)>;

fn unprocessable(failure: kit::Failure) -> (StatusCode, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, failure.to_string())
}

fn broken(error: anyhow::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

async fn echo(Json(input): Json<EchoRequest>) -> Answer<EchoResponse> {
    input.check().map_err(unprocessable)?;
    Ok(Json(echoed(input)))
}

async fn create_note(
    State(store): State<Store>,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<Note>), (StatusCode, String)> {
    new.check().map_err(unprocessable)?;
    Ok((StatusCode::CREATED, Json(created(&store, new).await.map_err(broken)?)))
}

async fn get_note(State(store): State<Store>, Path(id): Path<NoteId>) -> Answer<Note> {
    store::note::get(store.read(), &id).await.map(Json).map_err(broken)
}

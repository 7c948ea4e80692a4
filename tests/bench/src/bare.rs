//! The `desk` of the design, as one writes it with axum, tonic and async-graphql alone: the types of the contract with
//! their serialisation and validation, and the service's own store. No edge, no context, no deadline, no trait.

use anyhow::Result;
use async_graphql::{EmptySubscription, InputObject, Object, Schema, SimpleObject};
use async_trait::async_trait;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
    serve::ListenerExt,
};
use desk::store;
use desk_contract::{EchoRequest, EchoResponse, Line, NewNote, Note, NoteId, grpc::pb};
use kit::{Etag, Validate};
use kit_graphql::{DateTime, Decimal, UInt32, Uuid};
use kit_grpc::Proto;
use kit_store::Store;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

/// REST and GraphQL at one address, gRPC at another, until somebody ends the process.
pub async fn serve(http: &str, grpc: &str, database: &str) -> Result<()> {
    let store = store::open(database).await?;
    let schema = Schema::build(Query, Mutation, EmptySubscription).data(store.clone()).finish();
    let routes = Router::new()
        .route("/-/live", get(async || "alive"))
        .route("/v1/echo", post(echo))
        .route("/v1/notes", post(create_note))
        .route("/v1/notes/{id}", get(get_note))
        .with_state(store.clone())
        .route("/graphql", post(graphql).with_state(schema));
    let listener = TcpListener::bind(http).await?.tap_io(|stream| _ = stream.set_nodelay(true));
    let service = pb::desk_service_server::DeskServiceServer::new(Grpc(store));
    let grpc = tonic::transport::Server::builder().add_service(service).serve(grpc.parse()?);
    tokio::try_join!(async { anyhow::Ok(axum::serve(listener, routes).await?) }, async { anyhow::Ok(grpc.await?) })?;
    Ok(())
}

fn echoed(input: EchoRequest) -> EchoResponse {
    EchoResponse { id: input.id, text: input.text, at: input.at, lines: input.lines }
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

struct Grpc(Store);

fn invalid(failure: kit::Failure) -> Status {
    Status::invalid_argument(failure.to_string())
}

fn internal(error: anyhow::Error) -> Status {
    Status::internal(error.to_string())
}

#[async_trait]
impl pb::desk_service_server::DeskService for Grpc {
    async fn echo(&self, request: Request<pb::EchoRequest>) -> Result<Response<pb::EchoResponse>, Status> {
        let input = EchoRequest::decode(request.into_inner()).map_err(invalid)?;
        input.check().map_err(invalid)?;
        Ok(Response::new(echoed(input).encode()))
    }

    async fn create_note(&self, request: Request<pb::CreateNoteRequest>) -> Result<Response<pb::Note>, Status> {
        let (new,) = <(NewNote,)>::decode(request.into_inner()).map_err(invalid)?;
        new.check().map_err(invalid)?;
        Ok(Response::new(created(&self.0, new).await.map_err(internal)?.encode()))
    }

    async fn get_note(&self, request: Request<pb::GetNoteRequest>) -> Result<Response<pb::Note>, Status> {
        let (id,) = <(NoteId,)>::decode(request.into_inner()).map_err(invalid)?;
        Ok(Response::new(store::note::get(self.0.read(), &id).await.map_err(internal)?.encode()))
    }
}

type Graph = Schema<Query, Mutation, EmptySubscription>;

async fn graphql(
    State(schema): State<Graph>,
    Json(request): Json<async_graphql::Request>,
) -> Json<async_graphql::Response> {
    Json(schema.execute(request).await)
}

#[derive(InputObject)]
struct LineInput {
    sku: String,
    quantity: UInt32,
    price: Decimal,
}

#[derive(SimpleObject)]
#[graphql(name = "Line")]
struct LineView {
    sku: String,
    quantity: UInt32,
    price: Decimal,
}

#[derive(SimpleObject)]
#[graphql(name = "EchoResponse")]
struct EchoView {
    id: Uuid,
    text: String,
    at: DateTime,
    lines: Vec<LineView>,
}

struct Query;

#[Object]
impl Query {
    async fn echo(
        &self,
        id: Uuid,
        text: String,
        at: DateTime,
        lines: Vec<LineInput>,
    ) -> async_graphql::Result<EchoView> {
        let line = |line: LineInput| Line { sku: line.sku, quantity: line.quantity.0, price: line.price.0 };
        let input = EchoRequest { id: id.0, text, at: at.0, lines: lines.into_iter().map(line).collect() };
        input.check()?;
        let EchoResponse { id, text, at, lines } = echoed(input);
        let view = |line: Line| LineView {
            sku: line.sku,
            quantity: kit_graphql::Scalar(line.quantity),
            price: kit_graphql::Scalar(line.price),
        };
        Ok(EchoView {
            id: kit_graphql::Scalar(id),
            text,
            at: kit_graphql::Scalar(at),
            lines: lines.into_iter().map(view).collect(),
        })
    }
}

struct Mutation;

#[Object]
impl Mutation {
    /// As many roots as the emitted schema has.
    async fn create_note(
        &self,
        context: &async_graphql::Context<'_>,
        title: String,
        text: String,
    ) -> async_graphql::Result<String> {
        let new = NewNote { title, text, level: 1, price: rust_decimal::Decimal::ONE };
        new.check()?;
        Ok(created(context.data()?, new).await?.id.to_string())
    }
}

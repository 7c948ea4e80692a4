//! gRPC by hand, with the messages of the contract.

use std::pin::Pin;

use anyhow::Result;
use async_trait::async_trait;
use desk_contract::{EchoRequest, NewNote, NoteId, Tick, WatchRequest, grpc::pb};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use kit::Validate;
use kit_grpc::Proto;
use kit_store::Store;
use tonic::{Request, Response, Status, Streaming};

use super::{created, echoed, store, ticks};

/// At an address, until somebody ends the process.
pub async fn serve(address: &str, store: Store) -> Result<()> {
    let service = pb::desk_service_server::DeskServiceServer::new(Grpc(store));
    Ok(tonic::transport::Server::builder().add_service(service).serve(address.parse()?).await?)
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

    type WatchStream = Items;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Items>, Status> {
        let input = WatchRequest::decode(request.into_inner()).map_err(invalid)?;
        input.check().map_err(invalid)?;
        Ok(Response::new(ticks(input).map(|tick| Ok(tick.encode())).boxed()))
    }

    type TalkStream = Items;

    async fn talk(&self, request: Request<Streaming<pb::Tick>>) -> Result<Response<Items>, Status> {
        Ok(Response::new(request.into_inner().map(|message| Ok(read(message?)?.encode())).boxed()))
    }

    async fn take(&self, request: Request<Streaming<pb::Tick>>) -> Result<Response<pb::TakeResponse>, Status> {
        let ticks =
            request.into_inner().map(|message| read(message?)).try_fold(0, async |count, _| Ok(count + 1)).await?;
        Ok(Response::new(pb::TakeResponse { ticks: Some(ticks) }))
    }
}

type Items = Pin<Box<dyn Stream<Item = Result<pb::Tick, Status>> + Send>>;

fn read(message: pb::Tick) -> Result<Tick, Status> {
    let tick = Tick::decode(message).map_err(invalid)?;
    tick.check().map_err(invalid)?;
    Ok(tick)
}

//! The contract's `grpc` module: conversions, server, client.

use std::sync::Arc;

use kit::{Context, Etag, Failure, Stream};
use kit_grpc::{
    Channel, Items, answer, exchange, list, message, option, output, outputs, patch, read, received, request, send,
    stream, talk, union,
};
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::{
    contract::*,
    pb::{self, shelf_service_client::ShelfServiceClient, shelf_service_server::ShelfService, source},
};

message!(Money = pb::Money { required amount, required currency });
message!(Item = pb::Item {
    required id,
    required price,
    required stock,
    required since,
    required lead,
    required extra,
    required picture,
    required weight,
    optional best_before,
    repeated accepted,
    optional tags,
    repeated notes,
    repeated rows,
    map bins,
    map prices,
    map history,
    optional part,
    required source,
    optional r#type = 7,
});
list!(String = pb::StringList);
option!(String = pb::StringOption);
message!(Part = pb::Part { required name, optional inner });
message!(Bought = pb::Bought { required from });
message!(Made = pb::Made { required batch });
union!(Source = pb::Source, source::Kind { Bought, Made });
patch!(ItemPatch = pb::Item {
    record price,
    required stock,
    optional best_before,
    repeated accepted,
    optional tags,
    map bins,
    nullable part,
    required r#type,
});
patch!(MoneyPatch = pb::Money { required amount, required currency });
patch!(PartPatch = pb::Part { required name });
message!(Line = pb::Line { required sku, required quantity });
message!(Reserved = pb::ReserveResponse { required left });
message!(Level = pb::Level { required left });

message!((ItemId,) = pb::GetItemRequest { required id });
message!((ItemId, ItemPatch, Option<Etag>) = pb::UpdateItemRequest { required id, patch item, optional etag });
message!((ItemId, Option<Etag>) = pb::DeleteItemRequest { required id, optional etag });
message!((ItemId, Reserve { required quantity, repeated lines }) = pb::ReserveRequest { required id });
message!((ItemId,) = pb::WatchRequest { required id });

/// The gRPC face of any `Shelf`.
pub struct Server(pub Arc<dyn Shelf>);

#[async_trait]
impl ShelfService for Server {
    async fn get_item(&self, request: Request<pb::GetItemRequest>) -> Result<Response<pb::Item>, Status> {
        let (cx, (id,)) = received(request)?;
        answer(&cx, cx.limit(self.0.get_item(&cx, id)).await)
    }

    async fn update_item(&self, request: Request<pb::UpdateItemRequest>) -> Result<Response<pb::Item>, Status> {
        let (cx, (id, patch, etag)) = received(request)?;
        answer(&cx, cx.limit(self.0.update_item(&cx, id, patch, etag)).await)
    }

    async fn delete_item(&self, request: Request<pb::DeleteItemRequest>) -> Result<Response<()>, Status> {
        let (cx, (id, etag)) = received(request)?;
        answer(&cx, cx.limit(self.0.delete_item(&cx, id, etag)).await)
    }

    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Result<Response<pb::ReserveResponse>, Status> {
        let (cx, (id, input)) = received(request)?;
        answer(&cx, cx.limit(self.0.reserve(&cx, id, input)).await)
    }

    type WatchStream = Items<pb::Level>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (cx, (id,)) = received(request)?;
        stream(&cx, cx.limit(self.0.watch(&cx, id)).await)
    }

    async fn restock(&self, request: Request<Streaming<pb::Line>>) -> Result<Response<pb::ReserveResponse>, Status> {
        let (cx, result) = read(request, |cx, input| async move { self.0.restock(&cx, input).await }).await;
        answer(&cx, result)
    }

    type TalkStream = Items<pb::Level>;

    async fn talk(&self, request: Request<Streaming<pb::Line>>) -> Result<Response<Self::TalkStream>, Status> {
        let (cx, result) = talk(request, |cx, input| async move { self.0.talk(&cx, input).await }).await;
        stream(&cx, result)
    }
}

/// A `Shelf` somewhere else.
pub struct Client(ShelfServiceClient<Channel>);

impl Client {
    pub fn new(channel: Channel) -> Self {
        Self(ShelfServiceClient::new(channel))
    }
}

#[async_trait]
impl Shelf for Client {
    async fn get_item(&self, cx: &Context, id: ItemId) -> Result<Item, Failure> {
        output(cx, self.0.clone().get_item(request(cx, (id,))).await)
    }

    async fn update_item(
        &self,
        cx: &Context,
        id: ItemId,
        patch: ItemPatch,
        etag: Option<Etag>,
    ) -> Result<Item, Failure> {
        output(cx, self.0.clone().update_item(request(cx, (id, patch, etag))).await)
    }

    async fn delete_item(&self, cx: &Context, id: ItemId, etag: Option<Etag>) -> Result<(), Failure> {
        output(cx, self.0.clone().delete_item(request(cx, (id, etag))).await)
    }

    async fn reserve(&self, cx: &Context, id: ItemId, input: Reserve) -> Result<Reserved, ReserveError> {
        output(cx, self.0.clone().reserve(request(cx, (id, input))).await)
    }

    async fn watch(&self, cx: &Context, id: ItemId) -> Result<Stream<Level, ReserveError>, ReserveError> {
        outputs(cx, self.0.clone().watch(request(cx, (id,))).await)
    }

    async fn restock(&self, cx: &Context, input: Stream<Line, Failure>) -> Result<Reserved, ReserveError> {
        let mut client = self.0.clone();
        send(cx, input, |request| async move { client.restock(request).await }).await
    }

    async fn talk(
        &self,
        cx: &Context,
        input: Stream<Line, Failure>,
    ) -> Result<Stream<Level, ReserveError>, ReserveError> {
        let mut client = self.0.clone();
        exchange(cx, input, |request| async move { client.talk(request).await }).await
    }
}

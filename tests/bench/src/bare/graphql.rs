//! GraphQL by hand, with scalars of the kit.

use async_graphql::{EmptySubscription, InputObject, Object, Schema, SimpleObject};
use axum::{Json, extract::State};
use desk_contract::{EchoRequest, EchoResponse, Line, NewNote};
use kit::Validate;
use kit_graphql::{DateTime, Decimal, UInt32, Uuid};
use kit_store::Store;

use super::{created, echoed};

pub fn schema(store: Store) -> Graph {
    Schema::build(Query, Mutation, EmptySubscription).data(store).finish()
}

pub type Graph = Schema<Query, Mutation, EmptySubscription>;

pub async fn answer(
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

pub struct Query;

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

pub struct Mutation;

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

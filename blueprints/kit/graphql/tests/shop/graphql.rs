//! The contract's `graphql` module.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, MaybeUndefined, Object, Result, Subscription};
use kit_graphql::{
    Batches, Bytes, Change, Date, DateTime, Decimal, Duration, Int64, Items, Json, Key, Limited, Scalar, Settings,
    UInt32, UInt64, alone, answer, arguments, batches, choice, connection, context, done, entry, found, input, items,
    object, one_of, received, reference, union,
};

use crate::contract::{self, CustomerId, OrderId, Shop};

choice!(pub Currency for contract::Currency);
choice! {
    /// How far an order is.
    pub OrderStatus for contract::OrderStatus
}
choice!(pub OrderSort for contract::OrderSort);

object!(pub Money for contract::Money { amount: Decimal, currency: Currency });
object!(pub Line for contract::Line { sku: String, quantity: UInt32 });
object!(pub CardPayment for contract::CardPayment { last_digits: String });
object!(pub Invoice for contract::Invoice { due: Date });
union!(pub Payment for contract::Payment { CardPayment(CardPayment), Invoice(Invoice) });
object!(pub Part for contract::Part { name: String, inner: Option<Box<Part>> });
entry!(pub CountEntry { key: String, value: UInt32 });
object! {
    /// What a customer wants.
    #[graphql(complex)]
    pub Order for contract::Order {
        id: Key<OrderId>,
        etag: String,
        customer_id: Key<CustomerId>,
        total: Money,
        lines: Vec<Line>,
        status: OrderStatus,
        /// Whatever else there is to say.
        note: Option<String>,
        counts: Vec<CountEntry>,
        payment: Payment,
        weight: Int64,
        serial: UInt64,
        placed_at: DateTime,
        lead: Duration,
        picture: Bytes,
        extra: Option<Json>,
        part: Option<Part>,
        r#type: i32,
    }
}

#[ComplexObject]
impl Order {
    #[graphql(cache_control(no_cache))]
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Customer>> {
        reference(ctx, &self.customer_id.0).await
    }
}

connection!(pub OrderConnection, pub OrderEdge for contract::OrderPage { Order });
object!(pub Customer for contract::Customer { id: Key<CustomerId>, name: String });
object!(#[graphql(complex)] pub Level for contract::Level { left: UInt32, customer_id: Key<CustomerId> });

#[ComplexObject]
impl Level {
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Customer>> {
        reference(ctx, &self.customer_id.0).await
    }
}

input!(pub MoneyInput for contract::Money { amount: Decimal, currency: Currency });
input! {
    pub LineInput for contract::Line {
        sku: String,
        #[graphql(default_with = "Scalar(1)")]
        quantity: UInt32,
    }
}
input!(pub CardPaymentInput for contract::CardPayment { last_digits: String });
input!(pub InvoiceInput for contract::Invoice { due: Date });
one_of!(pub PaymentInput for contract::Payment { CardPayment(CardPaymentInput), Invoice(InvoiceInput) });
entry!(input pub CountEntryInput { key: String, value: UInt32 });
entry!(input pub CountEntryPatch { key: String, value: Option<UInt32> });
input! {
    pub NewOrderInput for contract::NewOrder {
        customer_id: Key<CustomerId>,
        total: MoneyInput,
        lines: Vec<LineInput>,
        note: Option<String>,
        counts: Vec<CountEntryInput>,
        payment: PaymentInput,
        weight: Int64,
        extra: Option<Json>,
    }
}
input!(pub MoneyPatch for contract::MoneyPatch { amount: Change<Decimal>, currency: Change<Currency> });
input! {
    pub OrderPatch for contract::OrderPatch {
        note: MaybeUndefined<String>,
        weight: Change<Int64>,
        total: Change<MoneyPatch>,
        counts: Change<Vec<CountEntryPatch>>,
    }
}
/// Which orders to list.
#[derive(Default, async_graphql::InputObject)]
pub struct OrderFilter {
    status: Option<Vec<OrderStatus>>,
}

pub type Schema = Limited<async_graphql::Schema<Query, Mutation, Subscription>>;

/// The GraphQL face of any `Shop`.
pub fn schema(service: Arc<dyn Shop>, settings: Settings) -> Schema {
    loading(service.clone(), settings, load_customers(service))
}

/// The same with another way to load what orders refer to.
pub fn loading(service: Arc<dyn Shop>, settings: Settings, customers: Batches) -> Schema {
    let builder =
        async_graphql::Schema::build(Query(service.clone()), Mutation(service.clone()), Subscription(service));
    kit_graphql::schema(builder, settings, [customers])
}

fn load_customers(service: Arc<dyn Shop>) -> Batches {
    let get = move |cx, ids: Vec<CustomerId>| {
        let service = service.clone();
        async move { service.batch_get_customers(&cx, ids).await }
    };
    batches(get, |item: &contract::Customer| item.id.clone())
}

/// The same, where the service has no method for several.
pub fn load_each_customer(service: Arc<dyn Shop>) -> Batches {
    kit_graphql::each(move |cx, id: CustomerId| {
        let service = service.clone();
        async move { service.get_customer(&cx, id).await }
    })
}

pub struct Query(Arc<dyn Shop>);

#[Object]
impl Query {
    #[graphql(cache_control(max_age = 60))]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(name = "where")] filter: Option<OrderFilter>,
        order_by: Option<OrderSort>,
    ) -> Result<OrderConnection> {
        let cx = context(ctx);
        let filter = filter.unwrap_or_default();
        let status = filter.status.unwrap_or_default();
        let input = received(&cx, ListOrders { limit: first, cursor: after, status, sort: order_by })?;
        answer(&cx, cx.limit(self.0.list_orders(&cx, input)).await)
    }

    #[graphql(cache_control(max_age = 30))]
    async fn order(&self, ctx: &Context<'_>, id: Key<OrderId>) -> Option<Order> {
        let cx = context(ctx);
        let answer = async {
            let id = received(&cx, id)?;
            found(&cx, cx.limit(self.0.get_order(&cx, id)).await)
        };
        alone(ctx, answer.await).flatten()
    }
}

arguments! {
    ListOrders for contract::ListOrders {
        limit: Option<i32>,
        cursor: Option<String>,
        status: Vec<OrderStatus>,
        sort: Option<OrderSort>,
    }
}

pub struct Mutation(Arc<dyn Shop>);

#[Object]
impl Mutation {
    async fn create_order(&self, ctx: &Context<'_>, input: NewOrderInput) -> Result<Order> {
        let cx = context(ctx);
        let input = received(&cx, input)?;
        answer(&cx, cx.limit(self.0.create_order(&cx, input)).await)
    }

    async fn patch_order(
        &self,
        ctx: &Context<'_>,
        id: Key<OrderId>,
        set: OrderPatch,
        etag: Option<String>,
    ) -> Result<Order> {
        let cx = context(ctx);
        let (id, set, etag) = received(&cx, (id, set, etag))?;
        answer(&cx, cx.limit(self.0.patch_order(&cx, id, set, etag)).await)
    }

    async fn delete_order(&self, ctx: &Context<'_>, id: Key<OrderId>, etag: Option<String>) -> Result<bool> {
        let cx = context(ctx);
        let (id, etag) = received(&cx, (id, etag))?;
        done(&cx, cx.limit(self.0.delete_order(&cx, id, etag)).await)
    }

    async fn ship(&self, ctx: &Context<'_>, id: Key<OrderId>) -> Result<Order> {
        let cx = context(ctx);
        let id = received(&cx, id)?;
        answer(&cx, cx.limit(self.0.ship(&cx, id)).await)
    }
}

pub struct Subscription(Arc<dyn Shop>);

#[Subscription]
impl Subscription {
    async fn watch(&self, ctx: &Context<'_>, id: Key<OrderId>) -> Result<Items<Level>> {
        let cx = context(ctx);
        let id = received(&cx, id)?;
        items(&cx, cx.limit(self.0.watch(&cx, id)).await)
    }
}

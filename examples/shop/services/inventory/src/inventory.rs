// Yours: written once by Linkwright, never overwritten.
//! Knows what is on the shelf, and what is promised.

use async_trait::async_trait;
use inventory_contract::{
    Currency, ListProducts, Money, OrderId, ParcelSent, Product, ProductChanges as _, ProductDraft, ProductId,
    ProductPage, ReleaseRequest, Reservation, ReservationId, ReserveError, ReserveRequest, ReserveResponse, Shortage,
};
use kit::{Context, Etag, Failure, Kind};
use kit_store::Store;
use rust_decimal::Decimal;

use crate::store;

/// The business code of `inventory`.
pub struct Inventory {
    store: Store,
}

impl Inventory {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl inventory_contract::Inventory for Inventory {
    async fn list_products(&self, _cx: &Context, query: ListProducts) -> Result<ProductPage, Failure> {
        Ok(store::product::list(self.store.read(), &query).await?)
    }

    async fn get_product(&self, _cx: &Context, id: ProductId) -> Result<Product, Failure> {
        Ok(store::product::get(self.store.read(), &id).await?)
    }

    async fn replace_product(
        &self,
        cx: &Context,
        id: ProductId,
        draft: ProductDraft,
        etag: Option<Etag>,
    ) -> Result<Product, Failure> {
        let mut tx = self.store.begin().await?;
        let found = store::product::get(&mut *tx, &id).await.map_err(Failure::from);
        let product = match found {
            Ok(mut product) => {
                product.etag.check(etag)?;
                product.replace(draft);
                store::product::update(&mut tx, &mut product).await?;
                product
            }
            // A caller who has a revision in mind does not mean a new one.
            Err(missing) if missing.kind == Kind::NotFound && etag.is_none() => {
                let product = Product {
                    sku: id,
                    name: draft.name,
                    price: draft.price,
                    on_hand: draft.on_hand,
                    reserved: 0,
                    etag: Etag(1),
                };
                store::product::insert(&mut tx, &product).await?;
                cx.note_created();
                product
            }
            Err(other) => return Err(other),
        };
        tx.commit().await?;
        Ok(product)
    }

    async fn reserve(&self, cx: &Context, input: ReserveRequest) -> Result<ReserveResponse, ReserveError> {
        let mut tx = self.store.begin().await?;
        let id = ReservationId(input.order_id);
        // Whoever asks again for the same order, under another key, has not heard our answer: it is the same.
        if let Some(made) = store::reservation::find(&mut *tx, &id).await? {
            return Ok(ReserveResponse { total: made.total });
        }
        let mut total: Option<Money> = None;
        for line in &input.lines {
            let short = |left| ReserveError::OutOfStock(Shortage { sku: line.sku.clone(), left });
            let product = store::product::get(&mut *tx, &ProductId(line.sku.clone())).await.map_err(Failure::from);
            let mut product = match product {
                Err(missing) if missing.kind == Kind::NotFound => return Err(short(0)),
                other => other?,
            };
            let left = product.on_hand.saturating_sub(product.reserved);
            if left < line.quantity {
                return Err(short(left));
            }
            product.reserved += line.quantity;
            let price = Money {
                amount: product.price.amount * Decimal::from(line.quantity),
                currency: product.price.currency.clone(),
            };
            total = Some(match total {
                None => price,
                Some(sum) if sum.currency == price.currency => Money { amount: sum.amount + price.amount, ..sum },
                Some(_) => return Err(Failure::invalid("prices in several currencies have no total").into()),
            });
            store::product::update(&mut tx, &mut product).await?;
        }
        let total = total.unwrap_or(Money { amount: Decimal::ZERO, currency: Currency::Eur });
        let reservation = Reservation { order_id: id, lines: input.lines, total, etag: Etag(1) };
        store::reservation::insert(&mut tx, &reservation).await?;
        let answer = ReserveResponse { total: reservation.total };
        kit_answers::keep(&mut tx, cx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn release(&self, cx: &Context, input: ReleaseRequest) -> Result<(), Failure> {
        self.end(cx, input.order_id, |product, quantity| {
            product.reserved = product.reserved.saturating_sub(quantity);
        })
        .await
    }

    async fn dispatch(&self, cx: &Context, input: ParcelSent) -> Result<(), Failure> {
        self.end(cx, input.order_id, |product, quantity| {
            product.reserved = product.reserved.saturating_sub(quantity);
            product.on_hand = product.on_hand.saturating_sub(quantity);
        })
        .await
    }
}

impl Inventory {
    /// Ends a reservation: what becomes of the goods is said by `settle`. One that has ended has nothing left to do.
    async fn end(
        &self,
        cx: &Context,
        order: OrderId,
        settle: impl Fn(&mut Product, u32) + Send + Sync,
    ) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        let id = ReservationId(order);
        if let Some(reservation) = store::reservation::find(&mut *tx, &id).await? {
            for line in reservation.lines {
                let mut product = store::product::get(&mut *tx, &ProductId(line.sku)).await?;
                settle(&mut product, line.quantity);
                store::product::update(&mut tx, &mut product).await?;
            }
            store::reservation::delete(&mut tx, &id).await?;
        }
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }
}

// Yours: written once by Linkwright, never overwritten.
//! Knows what is on the shelf, and what is promised.

use async_trait::async_trait;
use inventory_contract::{
    Currency, ListProducts, Money, ParcelSent, Product, ProductChanges as _, ProductDraft, ProductId, ProductPage,
    ReleaseRequest, ReserveError, ReserveRequest, ReserveResponse,
};
use kit::{Context, Etag, Failure, Kind};
use kit_messaging::inbox;
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

    async fn reserve(&self, _cx: &Context, _input: ReserveRequest) -> Result<ReserveResponse, ReserveError> {
        Ok(ReserveResponse { total: Money { amount: Decimal::new(1, 2), currency: Currency::Eur } })
    }

    async fn release(&self, cx: &Context, _input: ReleaseRequest) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "inventory.release").await? {
            // Yours: what this does.
            tx.commit().await?;
        }
        Ok(())
    }

    async fn dispatch(&self, cx: &Context, _input: ParcelSent) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "inventory.dispatch").await? {
            // Yours: what this does.
            tx.commit().await?;
        }
        Ok(())
    }
}

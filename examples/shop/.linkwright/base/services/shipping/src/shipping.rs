// Yours: written once by Linkwright, never overwritten.
//! Packs parcels and sends them when they are paid.

use async_trait::async_trait;
use kit::{Context, Failure};
use kit_messaging::{inbox, outbox};
use kit_store::Store;
use shipping_contract::{CardCharged, ListParcels, Order, Parcel, ParcelId, ParcelPage, ParcelSent, UnpackRequest};

use crate::store;

/// The business code of `shipping`.
pub struct Shipping {
    store: Store,
}

impl Shipping {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl shipping_contract::Shipping for Shipping {
    async fn list_parcels(&self, _cx: &Context, query: ListParcels) -> Result<ParcelPage, Failure> {
        Ok(store::parcel::list(self.store.read(), &query).await?)
    }

    async fn get_parcel(&self, _cx: &Context, id: ParcelId) -> Result<Parcel, Failure> {
        Ok(store::parcel::get(self.store.read(), &id).await?)
    }

    async fn pack(&self, cx: &Context, _input: Order) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "shipping.pack").await? {
            // Yours: what this does.
            tx.commit().await?;
        }
        Ok(())
    }

    async fn send(&self, cx: &Context, input: CardCharged) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "shipping.send").await? {
            // Yours: what this does.
            outbox::publish(&mut tx, cx, &ParcelSent { order_id: input.order_id }).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn unpack(&self, cx: &Context, _input: UnpackRequest) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "shipping.unpack").await? {
            // Yours: what this does.
            tx.commit().await?;
        }
        Ok(())
    }
}

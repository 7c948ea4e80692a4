// Yours: written once by Linkwright, never overwritten.
//! Packs parcels and sends them when they are paid.

use async_trait::async_trait;
use kit::{Context, Etag, Failure};
use kit_messaging::outbox;
use kit_store::{Store, Tx};
use shipping_contract::{
    CardCharged, Line, ListParcels, Order, Parcel, ParcelId, ParcelPage, ParcelSent, ParcelStatus, UnpackRequest,
};

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

    async fn pack(&self, cx: &Context, input: Order) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        let id = ParcelId(input.id);
        match store::parcel::find(&mut *tx, &id).await? {
            None => store::parcel::insert(&mut tx, &parcel(id, input.lines, ParcelStatus::Packed)).await?,
            // Word of the payment came first, and waits for the goods.
            Some(mut parcel) if parcel.status == ParcelStatus::Paid => {
                parcel.lines = input.lines;
                ship(&mut tx, cx, &mut parcel).await?;
            }
            // Word of the cancellation came first.
            Some(_) => {}
        }
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn send(&self, cx: &Context, input: CardCharged) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        let id = ParcelId(input.order_id);
        match store::parcel::find(&mut *tx, &id).await? {
            Some(mut parcel) if parcel.status == ParcelStatus::Packed => ship(&mut tx, cx, &mut parcel).await?,
            // Sent, or not to be sent any more.
            Some(_) => {}
            // Events of two kinds come in any order: the order itself is still to come.
            None => store::parcel::insert(&mut tx, &parcel(id, Vec::new(), ParcelStatus::Paid)).await?,
        }
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn unpack(&self, cx: &Context, input: UnpackRequest) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        let id = ParcelId(input.order_id);
        match store::parcel::find(&mut *tx, &id).await? {
            Some(mut parcel) if parcel.status != ParcelStatus::Sent => {
                parcel.status = ParcelStatus::Unpacked;
                store::parcel::update(&mut tx, &mut parcel).await?;
            }
            // It is on its way.
            Some(_) => {}
            None => store::parcel::insert(&mut tx, &parcel(id, Vec::new(), ParcelStatus::Unpacked)).await?,
        }
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Sends a parcel that is packed and paid.
async fn ship(tx: &mut Tx, cx: &Context, parcel: &mut Parcel) -> Result<(), Failure> {
    parcel.status = ParcelStatus::Sent;
    store::parcel::update(tx, parcel).await?;
    outbox::publish(tx, cx, &ParcelSent { order_id: parcel.order_id.0.clone() }).await?;
    Ok(())
}

fn parcel(order_id: ParcelId, lines: Vec<Line>, status: ParcelStatus) -> Parcel {
    Parcel { order_id, lines, status, etag: Etag(1) }
}

// Yours: written once by Linkwright, never overwritten.
//! Charges cards and writes invoices.

use async_trait::async_trait;
use billing_contract::{CardCharged, Currency, Money, Order, OrderCancelled};
use kit::{Context, Failure};
use kit_messaging::{inbox, outbox};
use kit_store::Store;
use rust_decimal::Decimal;

/// The business code of `billing`.
pub struct Billing {
    store: Store,
}

impl Billing {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl billing_contract::Billing for Billing {
    async fn charge(&self, cx: &Context, input: Order) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "billing.charge").await? {
            // Yours: what this does.
            outbox::publish(
                &mut tx,
                cx,
                &CardCharged {
                    order_id: input.id,
                    charged: Money { amount: Decimal::new(1, 2), currency: Currency::Eur },
                },
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn refund(&self, cx: &Context, _input: OrderCancelled) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        if inbox::first_time(&mut tx, cx, "billing.refund").await? {
            // Yours: what this does.
            tx.commit().await?;
        }
        Ok(())
    }
}

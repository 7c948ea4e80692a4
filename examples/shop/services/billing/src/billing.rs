// Yours: written once by Linkwright, never overwritten.
//! Charges cards and writes invoices.

use async_trait::async_trait;
use billing_contract::{CardCharged, Charge, ChargeId, ChargeRefused, Currency, Money, Order, OrderCancelled, Payment};
use kit::{Context, Etag, Failure};
use kit_messaging::outbox;
use kit_store::Store;
use rust_decimal::Decimal;

use crate::store;

/// The business code of `billing`.
pub struct Billing {
    store: Store,
}

impl Billing {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

/// Above this the card provider wants a person to confirm.
const LIMIT: Decimal = Decimal::from_parts(500_000, 0, 0, false, 2);

#[async_trait]
impl billing_contract::Billing for Billing {
    async fn charge(&self, cx: &Context, input: Order) -> Result<(), Failure> {
        // No repeat helps against this: the message becomes a dead letter at once, and a person looks at it.
        if input.total.amount > LIMIT {
            return Err(Failure::invalid(format!(
                "{} is more than {LIMIT}, which a person has to confirm",
                input.total.amount
            )));
        }
        let mut tx = self.store.begin().await?;
        let id = ChargeId(input.id.clone());
        // There is one already if word of the cancellation came first.
        if store::charge::find(&mut *tx, &id).await?.is_none() {
            match refusal(&input.payment) {
                Some(reason) => {
                    let refused = ChargeRefused { order_id: input.id, reason: reason.into() };
                    outbox::publish(&mut tx, cx, &refused).await?;
                }
                None => {
                    store::charge::insert(&mut tx, &charge(id, input.total.clone(), false)).await?;
                    let charged = CardCharged { order_id: input.id, charged: input.total };
                    outbox::publish(&mut tx, cx, &charged).await?;
                }
            }
        }
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn refund(&self, cx: &Context, input: OrderCancelled) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        let id = ChargeId(input.order_id);
        match store::charge::find(&mut *tx, &id).await? {
            Some(mut charge) => {
                charge.refunded = true;
                store::charge::update(&mut tx, &mut charge).await?;
            }
            // Events of two kinds come in any order: what is not charged yet never will be.
            None => {
                let nothing = Money { amount: Decimal::ZERO, currency: Currency::Eur };
                store::charge::insert(&mut tx, &charge(id, nothing, true)).await?;
            }
        }
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn charge(order_id: ChargeId, amount: Money, refunded: bool) -> Charge {
    Charge { order_id, amount, charged_at: kit::json::now(), refunded, etag: Etag(1) }
}

/// Why the card provider says no. Like those of real providers in test mode, its answer is in the token.
fn refusal(payment: &Payment) -> Option<&'static str> {
    match payment {
        Payment::CardPayment(card) if card.token.starts_with("declined") => Some("the card was declined"),
        // Whoever gets an invoice pays later; for the shop it is paid.
        Payment::CardPayment(_) | Payment::InvoicePayment(_) => None,
    }
}

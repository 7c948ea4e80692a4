//! Messages that are taken together and settled together.

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{Broker, Delivery, Policy};

/// Adds to a batch until it is full, its time is over, or `stop`.
pub(crate) async fn fill(
    batch: &mut Vec<Delivery>,
    broker: &dyn Broker,
    subscription: &str,
    policy: &Policy,
    stop: impl Future<Output = ()>,
) {
    let end = Instant::now() + policy.batch.within;
    let mut stop = std::pin::pin!(stop);
    while let Some(room) = policy.batch.size.checked_sub(batch.len()).filter(|room| *room > 0) {
        let lease = policy.lease + policy.batch.within;
        let received = tokio::select! {
            biased;
            () = &mut stop => return,
            received = timeout_at(end, broker.receive(subscription, room, lease)) => received,
        };
        match received {
            Ok(Ok(more)) => batch.extend(more),
            // An error will come again where there is somebody to hear it.
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// One message's part in its batch. Dropped, its work is over.
pub(crate) struct Part {
    /// How many are at work.
    working: watch::Sender<usize>,
}

impl Part {
    /// One for each message.
    pub(crate) fn each(count: usize) -> impl Iterator<Item = Self> {
        let working = watch::Sender::new(count);
        (0..count).map(move |_| Self { working: working.clone() })
    }

    /// Comes back when all the work of the batch is over, this one's being so now.
    pub(crate) async fn all(self) {
        let mut working = self.working.subscribe();
        drop(self);
        // Everyone who could say otherwise has gone, and so is done too.
        let _ = working.wait_for(|working| *working == 0).await;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.working.send_modify(|working| *working = working.saturating_sub(1));
    }
}

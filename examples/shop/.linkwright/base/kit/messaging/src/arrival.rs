use std::time::Duration;

use kit::{Context, Failure};
use tokio::time::sleep;

use crate::{Broker, SubscriptionStats};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until a message of the subscription is settled, done or dead, and none is on its way.
///
/// # Errors
/// `timeout` at the deadline of `cx`; what the broker says.
pub async fn delivered(broker: &dyn Broker, cx: &Context, subscription: &str) -> Result<SubscriptionStats, Failure> {
    let arrived = async {
        loop {
            let all = broker.stats().await?;
            let found = all.into_iter().find(|stats| stats.subscription == subscription);
            if let Some(stats) =
                found.filter(|stats| stats.pending == 0 && stats.in_flight == 0 && stats.acked + stats.dead > 0)
            {
                return Ok(stats);
            }
            sleep(LOOK).await;
        }
    };
    cx.limit(arrived).await
}

/// The same, where none may be dead.
///
/// # Errors
/// As before, and `internal` with the reason if there is a dead letter.
pub async fn acknowledged(broker: &dyn Broker, cx: &Context, subscription: &str) -> Result<SubscriptionStats, Failure> {
    let stats = delivered(broker, cx, subscription).await?;
    match broker.dead_letters(Some(subscription), 1).await?.pop() {
        None => Ok(stats),
        Some(letter) => {
            let why = format!("message {} of {subscription} is dead: {}", letter.message.id, letter.reason);
            Err(Failure::new(kit::Kind::Internal, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use kit::Kind;

    use super::*;
    use crate::{MemoryBroker, Message, Subscription, Verdict};

    #[tokio::test(start_paused = true)]
    async fn tells_done_from_dead_from_missing() -> Result<(), Failure> {
        let broker = MemoryBroker::default();
        let cx = || Context::default().within(Duration::from_secs(1));
        broker.declare(&Subscription::new("a.b", ["t"])).await?;
        let missing = acknowledged(&broker, &cx(), "a.b").await;
        assert_eq!(missing.map_err(|e| e.kind), Err(Kind::Timeout));
        for (verdict, expected) in
            [(Verdict::Ack, Ok(1)), (Verdict::DeadLetter { reason: "broken".into() }, Err(Kind::Internal))]
        {
            broker.publish(&[Message::new(&cx(), "t", "/a", &1)?]).await?;
            let got = broker.receive("a.b", 1, Duration::from_secs(9)).await?;
            let under_way = delivered(&broker, &cx(), "a.b").await;
            assert_eq!(under_way.map_err(|e| e.kind), Err(Kind::Timeout));
            broker.settle(&got[0].receipt, verdict).await?;
            assert_eq!(acknowledged(&broker, &cx(), "a.b").await.map(|s| s.acked).map_err(|e| e.kind), expected);
        }
        assert_eq!(delivered(&broker, &cx(), "a.b").await?.dead, 1);
        Ok(())
    }
}

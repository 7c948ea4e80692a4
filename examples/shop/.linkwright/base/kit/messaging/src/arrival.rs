use std::time::Duration;

use kit::{Context, Failure, OperationError};
use tokio::time::sleep;

use crate::{Broker, DeadLetter, Delivery, Message, Policy, SubscriptionStats, Verdict};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// How long a message that has been published may take to come.
const SOON: Duration = Duration::from_secs(5);
/// Dead letters looked through.
const MANY: usize = 1000;

/// Waits until a message of the subscription is settled and none is on its way. One that was refused at once, for what it
/// names is not there, has been delivered; one that was tried again and again has not.
///
/// # Errors
/// `timeout` at the deadline of `cx`; `internal` with the reason if a message died of its tries; what the broker says.
pub async fn delivered(broker: &dyn Broker, cx: &Context, subscription: &str) -> Result<SubscriptionStats, Failure> {
    without(broker, cx, subscription, |letter| letter.attempts > 1).await
}

/// The same, where none may be dead.
///
/// # Errors
/// As before, and `internal` with the reason if there is a dead letter.
pub async fn acknowledged(broker: &dyn Broker, cx: &Context, subscription: &str) -> Result<SubscriptionStats, Failure> {
    without(broker, cx, subscription, |_| true).await
}

/// Waits as said, and looks for dead letters of one sort.
async fn without(
    broker: &dyn Broker,
    cx: &Context,
    subscription: &str,
    unwanted: fn(&DeadLetter) -> bool,
) -> Result<SubscriptionStats, Failure> {
    let arrived = async {
        loop {
            let all = broker.stats().await?;
            let found = all.into_iter().find(|stats| stats.subscription == subscription);
            if let Some(stats) =
                found.filter(|stats| stats.pending == 0 && stats.in_flight == 0 && stats.acked + stats.dead > 0)
            {
                return Ok::<_, Failure>(stats);
            }
            sleep(LOOK).await;
        }
    };
    let stats = cx.limit(arrived).await?;
    match broker.dead_letters(Some(subscription), MANY).await?.into_iter().find(unwanted) {
        None => Ok(stats),
        Some(letter) => {
            let why = format!("message {} of {subscription} is dead: {}", letter.message.id, letter.reason);
            Err(Failure::new(kit::Kind::Internal, why))
        }
    }
}

/// Takes one message of the subscription, lets `handler` do what it asks as a consumer that tries once would, and gives
/// its answer: none comes again.
///
/// # Errors
/// The handler's; `timeout` if no message comes within a few seconds; what the broker says.
pub async fn taken<T, E, F>(
    broker: &dyn Broker,
    subscription: &str,
    handler: impl FnOnce(Context, Message) -> F,
) -> Result<T, E>
where
    E: OperationError,
    F: Future<Output = Result<T, E>>,
{
    let policy = Policy { attempts: 1, ..Policy::default() };
    let soon = Context::default().within(SOON);
    let received = soon.limit(broker.receive(subscription, 1, policy.lease)).await?;
    let Some(Delivery { message, attempt, receipt }) = received.into_iter().next() else {
        return Err(Failure::timeout().into());
    };
    let result = handler(message.context(attempt), message).await;
    let verdict = match &result {
        Ok(_) => Verdict::Ack,
        Err(error) => policy.verdict(attempt, error),
    };
    broker.settle(&receipt, verdict).await?;
    result
}

#[cfg(test)]
mod tests {
    use kit::Kind;

    use super::*;
    use crate::{MemoryBroker, Subscription};

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

    #[tokio::test(start_paused = true)]
    async fn what_died_of_its_tries_was_not_delivered() -> Result<(), Failure> {
        let broker = MemoryBroker::default();
        let cx = Context::default().within(Duration::from_secs(1));
        broker.declare(&Subscription::new("a.b", ["t"])).await?;
        broker.publish(&[Message::new(&cx, "t", "/a", &1)?]).await?;
        for verdict in [
            Verdict::Retry { after: Duration::ZERO, reason: "broken".into() },
            Verdict::DeadLetter { reason: "still broken".into() },
        ] {
            let got = broker.receive("a.b", 1, Duration::from_secs(9)).await?;
            broker.settle(&got[0].receipt, verdict).await?;
        }
        let failure = delivered(&broker, &cx, "a.b").await.expect_err("dead");
        assert!(failure.kind == Kind::Internal && failure.detail.contains("still broken"), "{failure:?}");
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn one_message_is_taken_and_settled_as_its_error_says() -> Result<(), Failure> {
        let broker = MemoryBroker::default();
        broker.declare(&Subscription::new("a.b", ["t"])).await?;
        let ask = async |answer: Result<(), Failure>| {
            broker.publish(&[Message::new(&Context::default(), "t", "/a", &1)?]).await?;
            let got = taken(&broker, "a.b", |_, message| async move { answer.and(message.data::<u32>()) }).await;
            let dead = broker.dead_letters(Some("a.b"), 9).await?.len();
            Ok::<_, Failure>((got, dead))
        };
        assert_eq!(ask(Ok(())).await?, (Ok(1), 0));
        assert_eq!(ask(Err(Failure::invalid("no"))).await?, (Err(Failure::invalid("no")), 1));
        assert_eq!(ask(Err(Failure::timeout())).await?, (Err(Failure::timeout()), 2));
        let nothing: Result<(), _> = taken(&broker, "a.b", async |_, _| Ok::<_, Failure>(())).await;
        assert_eq!(nothing.map_err(|error| error.kind), Err(Kind::Timeout));
        Ok(())
    }
}

//! The broker in memory, which tests rely on, does what the durable one does: the same steps lead to the same end.

use std::time::Duration;

use kit::Context;
use kit_messaging::{Broker, EmbeddedBroker, MemoryBroker, Message, Receipt, Subscription, Verdict, Which};
use proptest::{collection::vec, prelude::*, sample::Index};

const LONG: Duration = Duration::from_secs(3600);
const NAMES: [&str; 2] = ["one", "two"];
const TYPES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Declare {
        name: usize,
        types: Vec<bool>,
    },
    Publish {
        kinds: Vec<usize>,
    },
    /// The message of that number once more.
    Repeat {
        message: Index,
    },
    Receive {
        name: usize,
    },
    Settle {
        receipt: Index,
        verdict: Verdict,
    },
    Extend {
        receipt: Index,
    },
    Replay {
        name: usize,
        message: Option<Index>,
    },
    Drop {
        name: usize,
        message: Option<Index>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    let verdict = prop_oneof![
        3 => Just(Verdict::Ack),
        2 => Just(Verdict::Retry { after: Duration::ZERO, reason: "busy".into() }),
        1 => Just(Verdict::Retry { after: LONG, reason: "later".into() }),
        1 => Just(Verdict::Release),
        3 => Just(Verdict::DeadLetter { reason: "poison".into() }),
    ];
    prop_oneof![
        1 => (name.clone(), vec(any::<bool>(), 3)).prop_map(|(name, types)| Step::Declare { name, types }),
        3 => vec(0..TYPES.len(), 1..4).prop_map(|kinds| Step::Publish { kinds }),
        1 => any::<Index>().prop_map(|message| Step::Repeat { message }),
        4 => name.clone().prop_map(|name| Step::Receive { name }),
        6 => (any::<Index>(), verdict).prop_map(|(receipt, verdict)| Step::Settle { receipt, verdict }),
        1 => any::<Index>().prop_map(|receipt| Step::Extend { receipt }),
        1 => (name.clone(), any::<Option<Index>>()).prop_map(|(name, message)| Step::Replay { name, message }),
        1 => (name, any::<Option<Index>>()).prop_map(|(name, message)| Step::Drop { name, message }),
    ]
}

/// What the steps come to, as text.
async fn walk(broker: &dyn Broker, steps: &[Step], messages: &[Message]) -> Vec<String> {
    let (mut seen, mut receipts, mut published) = (Vec::new(), Vec::<(usize, Receipt)>::new(), 0);
    let place = |message: &Message| messages.iter().position(|other| other == message);
    let id = |message: &Option<Index>| message.map(|message| [message.get(messages).id.clone()]);
    for step in steps {
        seen.push(match step {
            Step::Declare { name, types } => {
                let types = TYPES.iter().zip(types).filter(|(_, wanted)| **wanted).map(|(kind, _)| *kind);
                format!("{:?}", broker.declare(&Subscription::new(NAMES[*name], types)).await)
            }
            Step::Publish { kinds } => {
                let next = published..published + kinds.len();
                published = next.end;
                format!("{:?}", broker.publish(&messages[next]).await)
            }
            Step::Repeat { message } => {
                format!(
                    "{:?}",
                    broker
                        .publish(if published == 0 {
                            &[]
                        } else {
                            std::slice::from_ref(&messages[message.index(published)])
                        })
                        .await
                )
            }
            Step::Receive { name } => {
                let pending = broker
                    .stats()
                    .await
                    .unwrap()
                    .iter()
                    .any(|stats| stats.subscription == NAMES[*name] && stats.pending > 0);
                let received = tokio::time::timeout(
                    Duration::from_millis(if pending { 50 } else { 0 }),
                    broker.receive(NAMES[*name], 99, LONG),
                );
                let mut deliveries = received.await.unwrap_or(Ok(Vec::new())).unwrap_or_default();
                deliveries.sort_by_key(|delivery| place(&delivery.message));
                let taken: Vec<_> =
                    deliveries.iter().map(|delivery| (place(&delivery.message), delivery.attempt)).collect();
                receipts.extend(
                    deliveries.into_iter().map(|delivery| (place(&delivery.message).unwrap(), delivery.receipt)),
                );
                format!("{taken:?}")
            }
            Step::Settle { receipt, verdict } if !receipts.is_empty() => {
                let (message, receipt) = receipt.get(&receipts);
                format!("{message} {:?}", broker.settle(receipt, verdict.clone()).await)
            }
            Step::Extend { receipt } if !receipts.is_empty() => {
                format!("{:?}", broker.extend(&receipt.get(&receipts).1, LONG).await)
            }
            Step::Settle { .. } | Step::Extend { .. } => "nothing in hand".into(),
            Step::Replay { name, message } => {
                let id = id(message);
                let which = id.as_ref().map_or(Which::All, |id| Which::Ids(id));
                format!("{:?}", broker.replay(NAMES[*name], which).await.map_err(|failure| failure.kind))
            }
            Step::Drop { name, message } => {
                let id = id(message);
                let which = id.as_ref().map_or(Which::All, |id| Which::Ids(id));
                format!("{:?}", broker.drop_dead(NAMES[*name], which).await.map_err(|failure| failure.kind))
            }
        });
    }
    for mut stats in broker.stats().await.unwrap() {
        stats.oldest_age_ms = 0;
        seen.push(format!("{stats:?}"));
    }
    let mut letters = broker.dead_letters(None, 999).await.unwrap();
    letters.sort_by_key(|letter| (letter.subscription.clone(), place(&letter.message)));
    for letter in letters {
        let past: Vec<_> = letter.history.iter().map(|past| (past.attempt, &past.reason)).collect();
        seen.push(format!(
            "{} {:?} {} {} {past:?}",
            letter.subscription,
            place(&letter.message),
            letter.attempts,
            letter.reason
        ));
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_time: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_steps_lead_to_the_same_end(steps in vec(step(), 1..40)) {
        let kinds = steps.iter().flat_map(|step| if let Step::Publish { kinds } = step { kinds.as_slice() } else { &[] });
        let messages: Vec<_> = kinds.chain(&[0]).map(|kind| Message::new(&Context::default(), TYPES[*kind], "/x", &()).unwrap()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (embedded, memory) = runtime.block_on(async {
            let embedded = EmbeddedBroker::open(":memory:").await.unwrap();
            (walk(&embedded, &steps, &messages).await, walk(&MemoryBroker::default(), &steps, &messages).await)
        });
        prop_assert_eq!(embedded, memory);
    }
}

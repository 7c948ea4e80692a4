//! How many calls a caller may make.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use kit::{Cause, Context, Failure, Kind, Operation, Origin, Standing};
use serde::Deserialize;
use tokio::time::Instant;

use crate::rate::Rate;

/// Callers are forgotten when there are more than this, and twice as many as were left the last time.
const MANY: usize = 4096;

/// `[limits]`: calls of one caller.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Whether they are counted at all.
    pub enabled: bool,
    /// Of all operations whose calls are counted together …
    pub service: Option<Rate>,
    /// … and over a long time.
    pub quota: Option<Rate>,
    /// Of some of them besides, by name.
    pub operations: BTreeMap<String, Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { enabled: true, service: None, quota: None, operations: BTreeMap::new() }
    }
}

/// What a call counts in: a limit and what it allows. In a system there is one of a name: `orders` and `orders-quota` on all
/// operations of the service, `orders.place` on one.
pub type Counted = (Arc<str>, Rate);

/// Where calls are counted: in this process, or where all instances of a service see them.
#[async_trait]
pub trait Counters: Send + Sync + 'static {
    /// One more call of this caller, in all of these limits or in none: where the caller stands with each, and for how
    /// long the call is one too many, if it is.
    ///
    /// # Errors
    /// Whoever counts cannot be reached.
    async fn take(&self, caller: &str, limits: &[Counted]) -> Result<(Vec<Standing>, Option<Duration>), Failure>;
}

/// Counts in this process.
#[derive(Debug, Default)]
pub struct LocalCounters(Mutex<Callers>);

#[derive(Debug)]
struct Callers {
    start: Instant,
    /// When each caller has all calls of a limit again, since the start. Who has them all need not be known.
    full: HashMap<(Arc<str>, String), Duration>,
    /// So many were left when callers were forgotten.
    left: usize,
}

impl Default for Callers {
    fn default() -> Self {
        Self { start: Instant::now(), full: HashMap::new(), left: 0 }
    }
}

#[async_trait]
impl Counters for LocalCounters {
    async fn take(&self, caller: &str, limits: &[Counted]) -> Result<(Vec<Standing>, Option<Duration>), Failure> {
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = callers.start.elapsed();
        let key = |name: &Arc<str>| (name.clone(), caller.to_owned());
        let mut full: Vec<Duration> =
            limits.iter().map(|(name, _)| callers.full.get(&key(name)).copied().unwrap_or_default()).collect();
        let taken: Vec<Result<Duration, Duration>> =
            limits.iter().zip(&full).map(|((_, rate), full)| rate.take(*full, now)).collect();
        let wait = taken.iter().filter_map(|taken| taken.err()).max();
        if wait.is_none() {
            full = taken.into_iter().flatten().collect();
            callers.full.extend(limits.iter().map(|(name, _)| key(name)).zip(full.iter().copied()));
        }
        let standings =
            limits.iter().zip(full).map(|((name, rate), full)| rate.standing(name.clone(), full, now)).collect();
        callers.forget(now);
        Ok((standings, wait))
    }
}

impl Callers {
    fn forget(&mut self, now: Duration) {
        if self.full.len() > MANY.max(2 * self.left) {
            self.full.retain(|_, full| *full > now);
            self.left = self.full.len();
        }
    }
}

/// The limits of a service, and where its calls are counted.
pub(crate) struct Limited {
    common: Vec<Counted>,
    operations: BTreeMap<&'static str, Counted>,
    counters: Arc<dyn Counters>,
}

impl Limited {
    /// Those of `operations` that have a limit of their own are found by name.
    pub(crate) fn new(
        service: &str,
        limits: &Limits,
        operations: &[&'static Operation],
        counters: Arc<dyn Counters>,
    ) -> Result<Self, Cause> {
        let common = [(service.to_owned(), limits.service), (format!("{service}-quota"), limits.quota)];
        let common = common.into_iter().filter_map(|(name, rate)| Some((name.into(), rate?))).collect();
        let own = limits.operations.iter().map(|(name, rate)| {
            let Some(operation) = operations.iter().find(|operation| operation.name == name) else {
                let names: Vec<&str> = operations.iter().map(|operation| operation.name).collect();
                return Err(Cause::msg(format!("limits.operations: `{name}` is none of {}", names.join(", "))));
            };
            Ok((operation.name, (format!("{service}.{name}").into(), *rate)))
        });
        Ok(Self { common, operations: own.collect::<Result<_, Cause>>()?, counters })
    }

    /// Lets a call in, and notes where its caller stands. It counts for its operation too, if it is of one.
    pub(crate) async fn admit(&self, cx: &Context, operation: Option<&'static Operation>) -> Result<(), Failure> {
        let own = operation.and_then(|operation| self.operations.get(operation.name));
        let limits: Vec<Counted> = self.common.iter().chain(own).cloned().collect();
        if limits.is_empty() || cx.origin() != Origin::Request {
            return Ok(());
        }
        let (standings, wait) = self.counters.take(&caller(cx), &limits).await?;
        cx.note_standings(standings);
        match wait {
            None => Ok(()),
            Some(wait) => Err(Failure::new(Kind::Limited, "too many calls").retry_after(wait)),
        }
    }
}

/// Who has proved who they are, else an address. Of IPv6 it is the network that counts: one caller has 2⁶⁴ addresses there.
fn caller(cx: &Context) -> String {
    let id = cx.caller().id();
    match cx.address() {
        _ if !id.is_empty() => format!("caller {id}"),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Some(address) => address.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use kit::Safety;

    use super::*;

    static PLACE: Operation = Operation { service: "orders", name: "place", safety: Safety::Keyed };
    static LOOK: Operation = Operation { service: "orders", name: "look", safety: Safety::Safe };

    fn limited(limits: Limits) -> Result<Limited, Cause> {
        Limited::new("orders", &limits, &[&PLACE, &LOOK], Arc::new(LocalCounters::default()))
    }

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn from(address: &str) -> Context {
        Context::default().from_address(address.parse().unwrap())
    }

    fn said(cx: &Context) -> Vec<String> {
        cx.standings().iter().map(|it| format!("{} {}/{}", it.name, it.remaining, it.calls)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_for_its_operation_and_for_the_service() {
        let operations = [("place".to_owned(), rate("1/1s"))].into();
        let limits =
            Limits { service: Some(rate("3/1m")), quota: Some(rate("100/1d")), operations, ..Limits::default() };
        let limited = limited(limits).unwrap();
        let cx = from("192.0.2.1");
        limited.admit(&cx, Some(&PLACE)).await.unwrap();
        assert_eq!(said(&cx), ["orders 2/3", "orders-quota 99/100", "orders.place 0/1"]);

        // What one limit refuses counts in no other.
        let refused = limited.admit(&cx, Some(&PLACE)).await.unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (Kind::Limited, Some(Duration::from_secs(1))));
        assert_eq!(said(&cx), ["orders 2/3", "orders-quota 99/100", "orders.place 0/1"]);

        limited.admit(&cx, Some(&LOOK)).await.unwrap();
        limited.admit(&cx, Some(&LOOK)).await.unwrap();
        assert!(limited.admit(&cx, Some(&LOOK)).await.is_err());
        assert!(limited.admit(&cx, None).await.is_err(), "what is no operation counts in what all count in");
        // Others are not kept from anything.
        limited.admit(&from("192.0.2.2"), Some(&PLACE)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        limited.admit(&cx, Some(&PLACE)).await.unwrap();
        assert_eq!(said(&cx)[0], "orders 0/3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_is_one_caller_and_a_message_none() {
        let limited = limited(Limits { service: Some(rate("1/1m")), ..Limits::default() }).unwrap();
        limited.admit(&from("2001:db8::1"), Some(&LOOK)).await.unwrap();
        assert!(limited.admit(&from("2001:db8::ffff:2"), Some(&LOOK)).await.is_err());
        limited.admit(&from("2001:db8:0:1::1"), Some(&LOOK)).await.unwrap();
        for origin in [Origin::Message, Origin::Part] {
            limited.admit(&from("2001:db8::1").made_by(origin), Some(&LOOK)).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_are_forgotten() {
        let counters = LocalCounters::default();
        let limits: [Counted; 1] = [("place".into(), rate("1/1s"))];
        for caller in 0..MANY {
            counters.take(&caller.to_string(), &limits).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        counters.take("one more", &limits).await.unwrap();
        assert_eq!(counters.0.lock().unwrap().full.len(), 1);
    }

    #[test]
    fn a_limit_on_what_is_not_there_is_a_mistake() {
        let wrong = limited(Limits { operations: [("plac".to_owned(), rate("1/1s"))].into(), ..Limits::default() });
        assert_eq!(wrong.err().unwrap().to_string(), "limits.operations: `plac` is none of place, look");
    }
}

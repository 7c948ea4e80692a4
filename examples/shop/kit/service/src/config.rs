//! The sections that `config.toml` has in every service, in every link, in every store.

use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

use kit_http::{Network, Origin};
use kit_resilience::{Backoff, Breaker, LastAnswers, Policy, Retry};
use serde::{Deserialize, Deserializer, de::Error};
use tracing_subscriber::EnvFilter;

use kit::Span;

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct ServerConfig {
    /// Where the service listens. Port 0: at a free one.
    pub listen: SocketAddr,
    /// Whether this is the machine of those who write the service: they may see what callers elsewhere need not.
    pub development: bool,
    /// How long a request may take at most.
    pub timeout: Span,
    /// How long to go on as before once `/-/ready` says no, so that balancers notice before connections are refused.
    pub notice: Span,
    /// How long what is under way may take to finish when the service stops.
    pub drain: Span,
    /// Bytes of a request's body at most, and of each message over gRPC and WebSockets.
    pub body_limit: usize,
    /// How long the next item of a streamed input may take; `body_limit` is that of each item.
    pub input_idle: Span,
    /// Bytes of a streamed input over REST at most; without it there is no limit.
    pub input_limit: Option<u64>,
    /// How long a stream of events or a WebSocket is silent at most: then a sign of life goes over it, and a WebSocket that
    /// gives none back for twice as long is closed.
    #[serde(deserialize_with = "heartbeat")]
    pub heartbeat: Span,
    /// Items of a WebSocket that have come and are not read yet; what follows stays with the caller.
    #[serde(deserialize_with = "stream_buffer")]
    pub stream_buffer: usize,
    /// Requests at work at a time; one more is answered 503.
    pub in_flight: usize,
    /// Connections at a time; one more waits until one closes.
    pub connections: NonZeroUsize,
    /// How long a client may take nothing of what is written to it, until its connection is cut.
    pub stall: Span,
    /// Origins whose pages may call the service from a browser, and open WebSockets: `https://app.example`, or `*`. Pages of
    /// the service's own host, as `Host` has it, always may.
    pub cors: Vec<Origin>,
    /// Where proxies are whose `Forwarded` says who calls: addresses and networks, `10.0.0.1`, `10.0.0.0/8`.
    pub proxies: Vec<Network>,
    /// What is logged: `info`, `orders=debug,info`. `RUST_LOG` replaces it.
    #[serde(deserialize_with = "filter")]
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

fn filter<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let wrong = |_| D::Error::custom(format!("{text:?} is not a filter as \"info\" or \"orders=debug,info\""));
    EnvFilter::try_new(&text).map_err(wrong)?;
    Ok(text)
}

/// Less would be traffic of its own; after more, whoever stands between the two has long taken the connection for dead.
fn heartbeat<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
    let span = Span::deserialize(from)?;
    match (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&span.0) {
        true => Ok(span),
        false => Err(D::Error::custom(format!("{span} is not from \"1s\" to \"1h\""))),
    }
}

/// Without room nothing would ever be read; each place may hold as much as `body_limit`.
fn stream_buffer<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    match usize::deserialize(from)? {
        items @ 1..=10_000 => Ok(items),
        items => Err(D::Error::custom(format!("{items} is not from 1 to 10000"))),
    }
}

/// `log_format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    Text,
    Json,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            development: false,
            timeout: Span(Duration::from_secs(30)),
            notice: Span(Duration::ZERO),
            drain: Span(Duration::from_secs(10)),
            body_limit: 1 << 20,
            input_idle: Span(Duration::from_secs(30)),
            input_limit: None,
            heartbeat: Span(Duration::from_secs(15)),
            stream_buffer: 16,
            in_flight: 1024,
            connections: const { NonZeroUsize::new(16_384).unwrap() },
            stall: Span(Duration::from_secs(60)),
            cors: Vec::new(),
            proxies: Vec::new(),
            log: "info".into(),
            log_format: LogFormat::Auto,
        }
    }
}

/// `[store]`
#[derive(Clone, Debug, Deserialize)]
pub struct StoreConfig {
    /// `sqlite:data/orders.db`; `DATABASE_URL` replaces it.
    pub url: String,
}

/// `[broker]`
#[derive(Clone, Debug, Deserialize)]
pub struct BrokerConfig {
    /// `sqlite:data/queue.sqlite`; `BROKER_URL` replaces it.
    pub url: String,
}

/// `[links.<service>]`: where the other side is, and the policy of the calls to it.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkConfig {
    /// `http://127.0.0.1:7101`; `<SERVICE>_URL` replaces it.
    pub url: String,
    /// How long one try may take.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// Tries, the first one included.
    #[serde(default)]
    pub attempts: Option<u32>,
    /// The pause before the second try, and the longest pause.
    #[serde(default)]
    pub backoff: Option<(Span, Span)>,
    /// Calls in flight.
    #[serde(default)]
    pub bulkhead: Option<usize>,
    /// Streams open at a time, besides; ten times as many where nothing is said.
    #[serde(default)]
    pub streams: Option<usize>,
    /// The oldest answer that stands in where a call fails.
    #[serde(default)]
    pub stale: Option<Span>,
    /// Without it the link has no breaker.
    #[serde(default)]
    pub breaker: Option<BreakerConfig>,
}

/// `[links.<service>.breaker]`
#[derive(Clone, Debug, Deserialize)]
pub struct BreakerConfig {
    /// The share of failed calls that opens it.
    pub failure_rate: f64,
    /// The number of calls looked at: the last ones, of the last minute, and at least [half](Breaker::least) as many.
    pub window: usize,
    /// How long no call is let through.
    pub open_for: Span,
}

/// `[links.<service>_<operation>]`: the policy of the calls of one operation, which is where its service is.
#[derive(Clone, Debug, Deserialize)]
pub struct PolicyConfig {
    /// As in [`LinkConfig`].
    #[serde(default)]
    pub timeout: Option<Span>,
    #[serde(default)]
    pub attempts: Option<u32>,
    #[serde(default)]
    pub backoff: Option<(Span, Span)>,
    #[serde(default)]
    pub bulkhead: Option<usize>,
    #[serde(default)]
    pub streams: Option<usize>,
    #[serde(default)]
    pub stale: Option<Span>,
    #[serde(default)]
    pub breaker: Option<BreakerConfig>,
}

impl LinkConfig {
    /// What is not said is as the policy has it by default.
    pub fn policy(&self) -> Policy {
        let Self { url: _, timeout, attempts, backoff, bulkhead, streams, stale, breaker } = self.clone();
        PolicyConfig { timeout, attempts, backoff, bulkhead, streams, stale, breaker }.policy()
    }

    /// As in [`PolicyConfig`].
    pub fn answers(&self, link: &'static str) -> LastAnswers {
        answers(link, self.stale)
    }
}

/// An hour where nothing is said.
fn answers(link: &'static str, stale: Option<Span>) -> LastAnswers {
    LastAnswers::new(link, stale.map_or(Duration::from_secs(3600), |stale| stale.0))
}

impl PolicyConfig {
    /// Where the last answers of the link are kept, for links that fall back on them.
    pub fn answers(&self, link: &'static str) -> LastAnswers {
        answers(link, self.stale)
    }

    /// What is not said is as the policy has it by default.
    pub fn policy(&self) -> Policy {
        let default = Policy::default();
        let bulkhead = self.bulkhead.unwrap_or(default.bulkhead);
        let backoff = self.backoff.map(|(first, most)| Backoff { first: first.0, most: most.0 });
        Policy {
            retry: Retry {
                attempts: self.attempts.unwrap_or(default.retry.attempts),
                backoff: backoff.unwrap_or(default.retry.backoff),
                budget: default.retry.budget,
            },
            breaker: self.breaker.as_ref().map(|breaker| Breaker {
                failure_rate: breaker.failure_rate,
                window: breaker.window,
                open_for: breaker.open_for.0,
                ..Breaker::default()
            }),
            bulkhead,
            streams: self.streams.unwrap_or_else(|| Policy::streams_beside(bulkhead)),
            timeout: self.timeout.map_or(default.timeout, |timeout| timeout.0),
        }
    }
}

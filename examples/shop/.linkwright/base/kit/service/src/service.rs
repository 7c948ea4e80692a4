//! What a service registers with its runtime while it starts.

use std::{
    fmt::Display,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::FutureExt;
use kit_resilience::{Link, Policy};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{LinkConfig, ServerConfig};

type Checked = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;
pub(crate) type Check = Box<dyn Fn() -> Checked + Send + Sync>;
pub(crate) type State = Box<dyn Fn() -> Value + Send + Sync>;

/// The service as it starts: its conditions of readiness, its links, its work beside the requests.
pub struct Service {
    pub(crate) development: bool,
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) checks: Vec<(&'static str, Check)>,
    pub(crate) links: Vec<State>,
    pub(crate) tasks: JoinSet<&'static str>,
    pub(crate) last: JoinSet<&'static str>,
    /// Cancelled one after the other: nothing new is to come here; nothing new is taken; what was taken is done.
    pub(crate) leaving: CancellationToken,
    pub(crate) stopping: CancellationToken,
    pub(crate) done: CancellationToken,
}

impl Service {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        let stopping = CancellationToken::new();
        Self {
            development: config.development,
            lines: Vec::new(),
            checks: Vec::new(),
            links: Vec::new(),
            tasks: JoinSet::new(),
            last: JoinSet::new(),
            // Who stops at once leaves too.
            leaving: stopping.child_token(),
            stopping,
            done: CancellationToken::new(),
        }
    }

    /// Whether this is the machine of those who write the service, as `[server]` says.
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// A link under the configured policy. Its state is shown at `/-/links`.
    pub fn link(&mut self, name: &'static str, config: &LinkConfig) -> Link {
        self.link_to(name, &config.url, config.policy())
    }

    /// The same, where address and policy are configured apart.
    pub fn link_to(&mut self, name: &'static str, url: &str, policy: Policy) -> Link {
        let link = Link::new(name, policy);
        let state = link.clone();
        self.show(move || state.state());
        self.line(name, url);
        link
    }

    /// Shows the state of something else that connects the service, such as a consumer of messages, at `/-/links`.
    pub fn show<T: Serialize>(&mut self, state: impl Fn() -> T + Send + Sync + 'static) {
        self.links.push(Box::new(move || serde_json::to_value(state()).unwrap_or_default()));
    }

    /// A line of the table that is shown at the start: `store`, `sqlite:data/orders.db`. Passwords in URLs are not shown.
    pub fn line(&mut self, what: impl Display, place: impl Display) {
        self.lines.push((what.to_string(), without_password(&place.to_string())));
    }

    /// A condition of readiness, asked at each `/-/ready` of a clone of `subject`:
    /// `service.check("store", &store, async |store| store.ping().await)`.
    pub fn check<S, F>(&mut self, name: &'static str, subject: &S, check: impl Fn(S) -> F + Send + Sync + 'static)
    where
        S: Clone + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let subject = subject.clone();
        self.checks.push((name, Box::new(move || Box::pin(check(subject.clone())))));
    }

    /// Work beside the requests. It runs until the token is cancelled, when the service takes no more requests, and is
    /// then waited for. If it ends before, or panics, the log says so and the service is no longer ready.
    pub fn task<F>(&mut self, name: &'static str, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = self.watched(name, self.stopping.clone(), work(self.stopping.child_token()));
        self.tasks.spawn(work);
    }

    /// The same, where the work goes on until the requests under way and every [task](Self::task) are done: it has to do
    /// with what they leave behind, as an outbox.
    pub fn last<F>(&mut self, name: &'static str, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = self.watched(name, self.done.clone(), work(self.done.child_token()));
        self.last.spawn(work);
    }

    /// What is done as soon as `/-/ready` says no because the service is to stop, while it still serves.
    pub fn leaving(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let leaving = self.leaving.clone();
        self.tasks.spawn(async move {
            leaving.cancelled().await;
            work.await;
            name
        });
    }

    fn watched<F>(
        &mut self,
        name: &'static str,
        stop: CancellationToken,
        work: F,
    ) -> impl Future<Output = &'static str> + Send + use<F>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let ended = Arc::new(AtomicBool::new(false));
        self.check(name, &ended, |ended| async move {
            anyhow::ensure!(!ended.load(Ordering::Relaxed), "has ended by itself");
            Ok(())
        });
        let work = AssertUnwindSafe(work).catch_unwind();
        async move {
            let panicked = work.await.is_err();
            if panicked || !stop.is_cancelled() {
                ended.store(true, Ordering::Relaxed);
                tracing::error!(task = name, panicked, "ended by itself: the service is not ready any more");
            }
            name
        }
    }
}

/// `postgres://orders:***@db/orders`
fn without_password(text: &str) -> String {
    let hidden = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user, host) = rest.split(['/', '?']).next()?.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{host}{}", &rest[user.len() + 1 + host.len()..]))
    };
    hidden().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://orders:p:a@ss@db:5432/orders?x=1", "postgres://orders:***@db:5432/orders?x=1"),
            ("amqp://u:secret@host", "amqp://u:***@host"),
            ("http://127.0.0.1:7101", "http://127.0.0.1:7101"),
            ("nats://token@host/x", "nats://token@host/x"),
            ("sqlite:data/a@b:c.db", "sqlite:data/a@b:c.db"),
            ("REST, gRPC", "REST, gRPC"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}

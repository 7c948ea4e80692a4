use std::{fmt::Display, pin::Pin, sync::Arc};

use kit_resilience::{Link, LinkState};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::LinkConfig;

type Checked = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;
pub(crate) type Check = Arc<dyn Fn() -> Checked + Send + Sync>;

/// What a service registers with its runtime while it starts.
#[derive(Default)]
pub struct Service {
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) checks: Vec<(&'static str, Check)>,
    pub(crate) links: Vec<Link>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) stopping: CancellationToken,
}

impl Service {
    /// A link under the configured policy, whose state is shown at `/-/links`.
    pub fn link(&mut self, name: &'static str, config: &LinkConfig) -> Link {
        let link = Link::new(name, config.policy());
        self.links.push(link.clone());
        self.line(name, &config.url);
        link
    }

    /// A line of the table that is shown at the start.
    pub fn line(&mut self, what: impl Display, where_: impl Display) {
        self.lines.push((what.to_string(), where_.to_string()));
    }

    /// A condition of readiness, asked at each `/-/ready`.
    pub fn check<F>(&mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || Box::pin(check()))));
    }

    /// Work beside the requests, which ends by itself when the token is cancelled. If it ends before, or panics, the
    /// service stops: better started again than half alive.
    pub fn task<F>(&mut self, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(work(self.stopping.clone()));
    }

    /// Cancelled when the service stops.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    pub(crate) fn link_states(&self) -> impl Fn() -> Vec<LinkState> + Clone + Send + Sync + 'static {
        let links = self.links.clone();
        move || links.iter().map(Link::state).collect()
    }
}

//! Runs the services of a workspace together on this machine, for `cargo xtask`.
//!
//! * `dev`: builds once, starts every service, follows one request through them, shows their logs with their names
//!   before them, shows what they offer as pages ([`kit_pages`]), restarts what crashes, and stops everything at Ctrl-C.
//! * `smoke`: the same on free ports with fresh data, then runs every declared flow once, and stops.
//! * `test`: the workspace's own tests.

mod build;
mod command;
mod fleet;
mod logs;
mod ports;
mod process;
mod story;

pub use command::main;

/// One service of the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// As in the design.
    pub name: &'static str,
    /// Its binary.
    pub binary: &'static str,
    /// Begins its environment variables: `ORDERS` of `ORDERS__LISTEN` and `ORDERS_URL`.
    pub variable: &'static str,
    /// Where `dev` lets it listen.
    pub port: u16,
    /// What callers find there: `REST`, `gRPC`.
    pub faces: &'static [&'static str],
    /// Whether it keeps anything.
    pub store: bool,
    /// Whether it counts the calls of its callers.
    pub limited: bool,
    /// The files that describe it to others, from the workspace's root.
    pub documents: &'static [&'static str],
}

/// The workspace as its design describes it.
#[derive(Clone, Copy, Debug)]
pub struct Workspace {
    pub name: &'static str,
    /// Every service comes after those it calls.
    pub services: &'static [Service],
    /// Lines to paste in a terminal, with `{ORDERS_URL}` for addresses.
    pub tries: &'static [&'static str],
    /// The flow that `dev` runs once and follows through all services.
    pub walk: Option<&'static str>,
    /// The services share a queue.
    pub queue: bool,
    /// Where `dev` shows what the services offer.
    pub pages: u16,
}

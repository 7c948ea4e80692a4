//! What contract tests and flows share.
//!
//! * [`Script`]: an operation that does as it is told, and remembers what it was asked.
//! * [`Server`]: routes on a free port, as they are served in earnest.
//! * [`Flows`]: calls to running services, each a line of a report.
//! * [`graphql`]: requests over GraphQL, and what comes of them.
//! * [`provider`]: a real service over every transport, judged by what is true of any correct one.

mod flows;
pub mod graphql;
pub mod provider;
mod script;
mod server;

pub use flows::{Flows, url};
pub use script::{Play, Script, gathered, sent, streamed};
pub use server::Server;

use std::net::TcpListener;

use anyhow::{Context, Result};

/// Nothing listens on this port of the loopback interface.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Ports that were free a moment ago, all different.
pub fn free(count: usize) -> Result<Vec<u16>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>().context("no free port")?;
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    listeners.iter().map(port).collect::<Result<_, _>>().context("no free port")
}

//! The two processes that are measured: the emitted service as it comes, and what one writes by hand in its place.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Setup, Side, usage};
use crate::repository::child::command;

const PATIENCE: Duration = Duration::from_secs(10);

/// A process that serves, until it is dropped.
pub struct Server {
    process: Child,
    http: SocketAddr,
    grpc: SocketAddr,
    /// How long it took to the first answer.
    pub start: Duration,
}

impl Server {
    /// One whose database is in this folder.
    pub fn begin(setup: &Setup, side: Side, folder: &Path) -> Result<Self> {
        match side {
            Side::Ours => {
                let at = free()?;
                let mut desk = command(setup.programs()?.join("desk"), folder);
                desk.env("DESK__SERVER__LISTEN", at.to_string()).env("DATABASE_URL", "sqlite:ours.db");
                desk.env_remove("RUST_LOG");
                Self::run(desk, at, at)
            }
            Side::Bare => {
                let (http, grpc) = (free()?, free()?);
                let mut bare = setup.bench(&["bare", &http.to_string(), &grpc.to_string(), "sqlite:bare.db"])?;
                bare.current_dir(folder);
                Self::run(bare, http, grpc)
            }
        }
    }

    fn run(mut command: Command, http: SocketAddr, grpc: SocketAddr) -> Result<Self> {
        let began = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().context("cannot run a server")?;
        let mut server = Self { process, http, grpc, start: Duration::ZERO };
        while !answers(http) {
            if let Some(status) = server.process.try_wait()? {
                bail!("a server ended by itself: {status}");
            }
            if began.elapsed() > PATIENCE {
                bail!("a server does not answer");
            }
            thread::sleep(Duration::from_millis(1));
        }
        server.start = began.elapsed();
        Ok(server)
    }

    pub fn address(&self, transport: &str) -> String {
        if transport == "grpc" { self.grpc } else { self.http }.to_string()
    }

    /// CPU seconds so far.
    pub fn used(&self) -> Result<f64> {
        usage::used(self.process.id())
    }

    /// MB of memory now.
    pub fn held(&self) -> Result<f64> {
        usage::held(self.process.id())
    }

    /// MB of memory at most, so far.
    pub fn peak(&self) -> Result<f64> {
        usage::peak(&self.process.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address of this machine that nobody listened at just now.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn answers(at: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(at)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET /-/live HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

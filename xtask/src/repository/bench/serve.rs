//! The emitted service of `tests/designs/bench.toml`, as it comes, beside handlers with the same types and store.
//!
//! Both run all the time, each with a database of its own, and are loaded in turns by a process that is neither. On a
//! small machine that process takes much of the CPU, which brings the rates of both sides closer together; the CPU
//! that the server itself has used is not touched by that.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Setup, Side, in_turns, median, number, table::Aim, table::Row, usage};
use crate::repository::child::command;

/// Transport, operation, how many requests a run has, whether it comes to the store.
const PATHS: [(&str, &str, usize, bool); 5] = [
    ("rest", "echo", 80_000, false),
    ("grpc", "echo", 50_000, false),
    ("graphql", "echo", 30_000, false),
    ("rest", "read", 40_000, true),
    ("rest", "write", 3_000, true),
];
/// How long a service that has nothing to do is left alone before its memory is looked at.
const SETTLE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);

struct Sample {
    /// Requests a second.
    rate: f64,
    /// Microseconds of the server a request.
    cpu: f64,
    /// Milliseconds.
    p99: f64,
}

pub fn measure(setup: &Setup) -> Result<Vec<Row>> {
    let mut rows = starts(setup)?;
    let folder = setup.folder()?;
    let ours = Server::ours(setup, folder.path())?;
    let bare = Server::bare(setup, folder.path())?;
    for (transport, operation, count, stored) in PATHS {
        setup.say(&format!("serve: {operation} over {transport}"));
        let load = |side, count: usize| {
            let server = if side == Side::Ours { &ours } else { &bare };
            let address = if transport == "grpc" { server.grpc } else { server.http };
            let before = usage::used(server.process.id())?;
            let load = setup.json(setup.bench(&[
                "load",
                transport,
                operation,
                &address.to_string(),
                &count.to_string(),
            ])?)?;
            let cpu = usage::used(server.process.id())? - before;
            let sample = Sample {
                rate: number(&load, "per_second")?,
                cpu: cpu * 1e6 / number(&load, "requests")?,
                p99: number(&load, "p99_ms")?,
            };
            anyhow::Ok(sample)
        };
        // Nothing is measured the first time.
        in_turns(1, |side| load(side, count / 4))?;
        let (ours, bare) = in_turns(setup.runs, |side| load(side, count))?;
        let row = |unit, figure: fn(&Sample) -> f64, aim| Row {
            what: format!("{transport} {operation}"),
            unit,
            ours: median(&ours, figure),
            bare: Some(median(&bare, figure)),
            aim,
        };
        let rate = Aim::RatioAtLeast(if stored { 0.9 } else { 0.75 });
        let cpu = if stored { Aim::RatioAtMost(1.0 / 0.9) } else { Aim::Above(4.0) };
        rows.push(row("req/s", |sample| sample.rate, Some(rate)));
        rows.push(row("CPU µs/req", |sample| sample.cpu, Some(cpu)));
        rows.push(row("ms p99", |sample| sample.p99, Some(Aim::RatioAtMost(1.3))));
    }
    Ok(rows)
}

/// From nothing to the first answer, and what is held then.
fn starts(setup: &Setup) -> Result<Vec<Row>> {
    setup.programs()?;
    setup.say("serve: start");
    let (ours, bare) = in_turns(setup.runs, |side| {
        let folder = setup.folder()?;
        let server = match side {
            Side::Ours => Server::ours(setup, folder.path())?,
            Side::Bare => Server::bare(setup, folder.path())?,
        };
        thread::sleep(SETTLE);
        Ok((server.start.as_secs_f64() * 1e3, usage::held(server.process.id())?))
    })?;
    let row = |what: &str, unit, figure: fn(&(f64, f64)) -> f64, aim| Row {
        what: what.into(),
        unit,
        ours: median(&ours, figure),
        bare: Some(median(&bare, figure)),
        aim: Some(Aim::AtMost(aim)),
    };
    Ok(vec![
        row("start to first answer", "ms", |(start, _)| *start, 100.0),
        row("idle", "MB", |(_, memory)| *memory, 25.0),
    ])
}

/// A process that serves, until it is dropped.
struct Server {
    process: Child,
    http: SocketAddr,
    grpc: SocketAddr,
    /// How long it took to the first answer.
    start: Duration,
}

impl Server {
    fn ours(setup: &Setup, folder: &Path) -> Result<Self> {
        let at = free()?;
        let mut desk = command(setup.programs()?.join("desk"), folder);
        desk.env("DESK__SERVER__LISTEN", at.to_string()).env("DATABASE_URL", "sqlite:ours.db").env_remove("RUST_LOG");
        Self::begin(desk, at, at)
    }

    fn bare(setup: &Setup, folder: &Path) -> Result<Self> {
        let (http, grpc) = (free()?, free()?);
        let mut bare = setup.bench(&["bare", &http.to_string(), &grpc.to_string(), "sqlite:bare.db"])?;
        bare.current_dir(folder);
        Self::begin(bare, http, grpc)
    }

    fn begin(mut command: Command, http: SocketAddr, grpc: SocketAddr) -> Result<Self> {
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

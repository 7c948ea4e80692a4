//! Calls of the emitted service of `tests/designs/bench.toml`, as it comes, beside handlers with the same types and store.
//!
//! Both run all the time, each with a database of its own, and are loaded in turns by a process that is neither. On a
//! small machine that process takes much of the CPU, which brings the rates of both sides closer together; the CPU
//! that the server itself has used is not touched by that.

use std::{thread, time::Duration};

use anyhow::Result;

use super::{
    Setup, Side, in_turns, median, number,
    server::Server,
    table::{Aim, Row},
};

/// Transport, operation, whether it comes to the store.
const CALLS: [(&str, &str, bool); 6] = [
    ("rest", "echo", false),
    ("grpc", "echo", false),
    ("graphql", "echo", false),
    ("jsonrpc", "echo", false),
    ("rest", "read", true),
    ("rest", "write", true),
];
/// How many ask at the same time.
const CONNECTIONS: [usize; 3] = [1, 16, 256];
/// How long they do.
const SPAN: Duration = Duration::from_secs(1);
/// How long a service that has nothing to do is left alone before its memory is looked at.
const SETTLE: Duration = Duration::from_millis(500);

/// What came of one load.
pub struct Sample {
    /// Requests, or items of streams, a second.
    pub rate: f64,
    /// Microseconds of the server for each.
    pub cpu: f64,
    /// Milliseconds.
    pub p99: f64,
}

pub fn measure(setup: &Setup) -> Result<Vec<Row>> {
    let mut rows = starts(setup)?;
    let folder = setup.folder()?;
    let ours = Server::begin(setup, Side::Ours, folder.path())?;
    let bare = Server::begin(setup, Side::Bare, folder.path())?;
    for (transport, operation, stored) in CALLS {
        for connections in CONNECTIONS {
            let (what, ours, bare) = loads(setup, (&ours, &bare), transport, operation, connections)?;
            let row = |unit, figure: fn(&Sample) -> f64, aim| Row {
                what: what.clone(),
                unit,
                ours: median(&ours, figure),
                bare: Some(median(&bare, figure)),
                aim: Some(aim),
            };
            let rate = Aim::RatioAtLeast(if stored { 0.9 } else { 0.75 });
            let cpu = if stored { Aim::RatioAtMost(1.0 / 0.9) } else { Aim::Above(4.0) };
            rows.push(row("req/s", |sample| sample.rate, rate));
            rows.push(row("CPU µs/req", |sample| sample.cpu, cpu));
            rows.push(row("ms p99", |sample| sample.p99, Aim::RatioAtMost(1.3)));
        }
    }
    Ok(rows)
}

/// Loads both servers in turns: what that is called, and the samples of each.
pub fn loads(
    setup: &Setup,
    (ours, bare): (&Server, &Server),
    transport: &str,
    operation: &str,
    connections: usize,
) -> Result<(String, Vec<Sample>, Vec<Sample>)> {
    let what = format!("{transport} {operation}, {connections} connection{}", if connections == 1 { "" } else { "s" });
    setup.say(&what);
    let load = |side, span: Duration| {
        let server = if side == Side::Ours { ours } else { bare };
        let (address, span) = (server.address(transport), span.as_millis().to_string());
        let before = server.used()?;
        let load =
            setup.json(setup.bench(&["load", transport, operation, &address, &connections.to_string(), &span])?)?;
        let cpu = server.used()? - before;
        anyhow::Ok(Sample {
            rate: number(&load, "per_second")?,
            cpu: cpu * 1e6 / number(&load, "items")?,
            p99: number(&load, "p99_ms")?,
        })
    };
    // Nothing is measured the first time.
    in_turns(1, |side| load(side, SPAN / 4))?;
    let (ours, bare) = in_turns(setup.runs, |side| load(side, SPAN))?;
    Ok((what, ours, bare))
}

/// From nothing to the first answer, and what is held then.
fn starts(setup: &Setup) -> Result<Vec<Row>> {
    setup.programs()?;
    setup.say("start");
    let (ours, bare) = in_turns(setup.runs, |side| {
        let folder = setup.folder()?;
        let server = Server::begin(setup, side, folder.path())?;
        thread::sleep(SETTLE);
        Ok((server.start.as_secs_f64() * 1e3, server.held()?))
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

//! Streams of the emitted service beside those written by hand: how fast items go, and what an open stream, a long one and
//! one that nobody reads take of the memory.
//!
//! Memory is measured of processes that have done nothing else.

use std::{
    io::{BufRead, BufReader, Read as _},
    process::Stdio,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{
    Setup, Side, in_turns, median, number,
    serve::{self, Sample},
    server::Server,
    table::{Aim, Row},
};

/// Transport, operation, the unit of its rate, whether each item is waited for before the next.
const STREAMS: [(&str, &str, &str, bool); 4] = [
    ("sse", "watch", "items/s", false),
    ("websocket", "talk", "messages/s", true),
    ("grpc", "watch", "items/s", false),
    ("grpc", "talk", "messages/s", true),
];
const CONNECTIONS: [usize; 3] = [1, 16, 256];
/// Rows of a short upload, and of a long one.
const ROWS: [usize; 2] = [100_000, 1_000_000];
/// Streams that stay open, each with nothing on it but one item.
const OPEN: [(&str, &str); 4] = [("sse", "watch"), ("websocket", "talk"), ("grpc", "watch"), ("grpc", "talk")];
const MANY: u64 = 10_000;
/// Streams that nobody reads, though there is always more on them.
const UNREAD: [(&str, &str); 2] = [("sse", "stalled"), ("grpc", "stalled")];
const SOME: u64 = 200;
/// Files that a process has besides its streams, at most.
const OTHERS: u64 = 200;
/// How long nothing happens before the memory is looked at.
const SETTLE: Duration = Duration::from_secs(1);
/// How long memory that grows would have to grow.
const LATER: Duration = Duration::from_secs(3);
/// What differs anyway, in MB.
const NOISE: f64 = 4.0;

pub fn measure(setup: &Setup) -> Result<Vec<Row>> {
    let many = limit(setup)?;
    let mut rows = rates(setup)?;
    rows.extend(uploads(setup)?);
    // Memory hardly differs from run to run.
    let runs = setup.runs.min(3);
    for (transport, operation) in OPEN {
        let what = format!("{many} open streams, {transport} {operation}");
        setup.say(&what);
        let (ours, bare) = in_turns(runs, |side| {
            let open = Open::streams(setup, side, transport, operation, many)?;
            thread::sleep(SETTLE);
            open.close(|server| server.held())
        })?;
        rows.push(Row {
            what,
            unit: "MB",
            ours: median(&ours, |held| *held),
            bare: Some(median(&bare, |held| *held)),
            aim: Some(Aim::RatioAtMost(1.3)),
        });
    }
    for (transport, operation) in UNREAD {
        let what = format!("{SOME} streams that nobody reads, {transport} (bare: {LATER:?} before)");
        setup.say(&what);
        let open = Open::streams(setup, Side::Ours, transport, operation, SOME)?;
        thread::sleep(SETTLE);
        let [before, after] = open.close(|server| {
            let before = server.held()?;
            thread::sleep(LATER);
            Ok([before, server.held()?])
        })?;
        rows.push(Row { what, unit: "MB", ours: after, bare: Some(before), aim: Some(Aim::Above(NOISE)) });
    }
    Ok(rows)
}

fn rates(setup: &Setup) -> Result<Vec<Row>> {
    let folder = setup.folder()?;
    let ours = Server::begin(setup, Side::Ours, folder.path())?;
    let bare = Server::begin(setup, Side::Bare, folder.path())?;
    let mut rows = Vec::new();
    for (transport, operation, unit, waits) in STREAMS {
        for connections in CONNECTIONS {
            let (what, ours, bare) = serve::loads(setup, (&ours, &bare), transport, operation, connections)?;
            let row = |unit, figure: fn(&Sample) -> f64, aim| Row {
                what: what.clone(),
                unit,
                ours: median(&ours, figure),
                bare: Some(median(&bare, figure)),
                aim: Some(aim),
            };
            rows.push(row(unit, |sample| sample.rate, Aim::RatioAtLeast(0.75)));
            rows.push(row("CPU µs each", |sample| sample.cpu, Aim::Above(4.0)));
            if waits {
                rows.push(row("ms p99", |sample| sample.p99, Aim::RatioAtMost(1.3)));
            }
        }
    }
    Ok(rows)
}

fn uploads(setup: &Setup) -> Result<Vec<Row>> {
    let upload = |side, rows: usize| {
        let folder = setup.folder()?;
        let server = Server::begin(setup, side, folder.path())?;
        let upload = setup.json(setup.bench(&["upload", &server.address("rest"), &rows.to_string()])?)?;
        let cpu = server.used()? * 1e6 / number(&upload, "items")?;
        anyhow::Ok((number(&upload, "per_second")?, cpu, server.peak()?))
    };
    let [short, long] = ROWS;
    let what = format!("upload of {long} rows");
    setup.say(&what);
    let (ours, bare) = in_turns(setup.runs.min(3), |side| upload(side, long))?;
    let before = median(&[upload(Side::Ours, short)?], |(_, _, peak)| *peak);
    let row = |unit, figure: fn(&(f64, f64, f64)) -> f64, aim| Row {
        what: what.clone(),
        unit,
        ours: median(&ours, figure),
        bare: Some(median(&bare, figure)),
        aim: Some(aim),
    };
    Ok(vec![
        row("rows/s", |(rate, ..)| *rate, Aim::RatioAtLeast(0.75)),
        row("CPU µs each", |(_, cpu, _)| *cpu, Aim::Above(4.0)),
        row("MB peak", |(.., peak)| *peak, Aim::RatioAtMost(1.3)),
        Row {
            what: format!("{what} (bare: of {short})"),
            unit: "MB peak",
            ours: median(&ours, |(.., peak)| *peak),
            bare: Some(before),
            aim: Some(Aim::Above(NOISE)),
        },
    ])
}

/// A server, and a process that has streams open to it.
struct Open {
    server: Server,
    client: std::process::Child,
    _folder: tempfile::TempDir,
}

impl Open {
    fn streams(setup: &Setup, side: Side, transport: &str, operation: &str, count: u64) -> Result<Self> {
        let folder = setup.folder()?;
        let server = Server::begin(setup, side, folder.path())?;
        let address = server.address(transport);
        let mut client = setup.bench(&["open", transport, operation, &address, &count.to_string()])?;
        let client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut open = Self { server, client: client.context("cannot open streams")?, _folder: folder };
        let mut line = String::new();
        BufReader::new(open.client.stdout.as_mut().context("the client says nothing")?).read_line(&mut line)?;
        if line.trim() != "\"open\"" {
            let mut why = String::new();
            open.client.stderr.take().context("the client has no errors")?.read_to_string(&mut why)?;
            ensure!(false, "the streams are not open: {why}");
        }
        Ok(open)
    }

    /// Looks at the server, and closes the streams, which must be as open as before.
    fn close<T>(mut self, look: impl FnOnce(&Server) -> Result<T>) -> Result<T> {
        let seen = look(&self.server)?;
        drop(self.client.stdin.take());
        let status = self.client.wait()?;
        ensure!(status.success(), "the client failed: {status}");
        Ok(seen)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

/// How many streams a process may have open: as many as we want, if the machine allows as many files. What we start has
/// the limits that this process has.
fn limit(setup: &Setup) -> Result<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = MANY + OTHERS;
    let least = |limit: Option<u64>| limit.map_or(wanted, |limit| limit.min(wanted));
    if least(current) < wanted {
        let raised = least(maximum);
        setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).context("cannot raise `ulimit -n`")?;
        if raised < wanted {
            setup.say(&format!("streams: `ulimit -n` is {raised} at most, so there are fewer than {MANY}"));
        }
    }
    Ok(least(getrlimit(Resource::Nofile).current).saturating_sub(OTHERS))
}

//! The embedded queue beside SQLite: the same rows inserted into a table with nothing around it, as safe, in commits of
//! as many as there are publishers, which is the most that can share one. And how soon a message has an effect in
//! another process.

use std::{
    io::{BufRead, BufReader, Read as _},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Setup, Side, in_turns, median, number, table::Aim, table::Row};

/// How many publish at the same time, and how many messages in all.
const PUBLISHERS: [(usize, usize); 2] = [(1, 500), (64, 16_000)];
/// How the messages come: what that is called, milliseconds between two, how many.
const PACES: [(&str, usize, usize); 2] = [("5 ms apart", 5, 600), ("150 ms apart", 150, 40)];

pub fn measure(setup: &Setup) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (publishers, count) in PUBLISHERS {
        let what = format!("queue, {publishers} publisher{}", if publishers == 1 { "" } else { "s" });
        setup.programs()?;
        setup.say(&what);
        let (ours, bare) = in_turns(setup.runs, |side| {
            let folder = setup.folder()?;
            let file = folder.path().join("queue.sqlite");
            let work = if side == Side::Ours { "publish" } else { "insert" };
            let bench = setup.bench(&[work, &file.to_string_lossy(), &publishers.to_string(), &count.to_string()])?;
            number(&setup.json(bench)?, "per_second")
        })?;
        rows.push(Row {
            what,
            unit: "msg/s",
            ours: median(&ours, |rate| *rate),
            bare: Some(median(&bare, |rate| *rate)),
            aim: Some(Aim::RatioAtLeast(0.8)),
        });
    }
    for (pace, pause, count) in PACES {
        setup.say(&format!("queue, publish to effect, {pace}"));
        let runs = (0..setup.runs.min(3)).map(|_| latency(setup, pause, count)).collect::<Result<Vec<_>>>()?;
        for (unit, name) in [("ms p50", "p50_ms"), ("ms p99", "p99_ms")] {
            let ours = median(&runs, |run| number(run, name).unwrap_or(f64::NAN));
            rows.push(Row { what: format!("publish to effect, {pace}"), unit, ours, bare: None, aim: None });
        }
    }
    Ok(rows)
}

/// From one process to another, over a queue of their own.
fn latency(setup: &Setup, pause: usize, count: usize) -> Result<Value> {
    let folder = setup.folder()?;
    let file = folder.path().join("queue.sqlite");
    let (file, count) = (file.to_string_lossy(), count.to_string());
    let mut consumer = setup.bench(&["consume", &file, &count])?;
    let mut consumer =
        consumer.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot run the consumer")?;
    let mut output = BufReader::new(consumer.stdout.take().context("the consumer has no output")?);
    let measured = (|| {
        let mut line = String::new();
        output.read_line(&mut line)?;
        ensure!(line.trim() == "\"ready\"", "the consumer says {line:?}");
        setup.output(setup.bench(&["send", &file, &count, &pause.to_string()])?)?;
        let mut text = String::new();
        output.read_to_string(&mut text)?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    })();
    if measured.is_err() {
        // It waits for messages that will not come.
        let _ = consumer.kill();
    }
    consumer.wait()?;
    measured
}

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use kit::{Context, Kind, OperationError, Trace};
use tokio::time::Instant;

/// How long one call of a flow may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Calls to running services. Each prints a line; one that fails makes the whole fail.
#[derive(Debug, Default)]
pub struct Flows {
    /// Only this one is run.
    only: Option<String>,
    /// The trace that they belong to; each starts its own if there is none.
    trace: Option<Trace>,
    run: usize,
    failed: usize,
}

impl Flows {
    /// All flows, or the one that the first argument of the program names; in the trace that `TRACEPARENT` says.
    pub fn new() -> Self {
        let trace = env::var("TRACEPARENT").ok().and_then(|trace| trace.parse().ok());
        Self { only: env::args().nth(1), trace, ..Self::default() }
    }

    /// Runs a call, and gives its answer. It passes if it answers, or fails with an error that the operation declares,
    /// since only the business code knows what an example is worth.
    pub async fn run<T, E, F>(&mut self, what: &str, call: impl FnOnce(Context) -> F) -> Option<T>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>>,
    {
        self.run_or(&[], what, call).await
    }

    /// As [`run`](Self::run), but the call may fail with one of these kinds as well:
    /// - `not_found`: nobody makes what it is about, or another flow has deleted it
    /// - `exists`: what it makes was made over another transport
    /// - `conflict`: it deletes an item to which others may refer
    /// - `invalid`: nobody makes what it has to refer to
    /// - `internal`: another service refuses it one of these, for until somebody writes which item it means it asks for
    ///   that of an example
    pub async fn run_or<T, E, F>(&mut self, kinds: &[Kind], what: &str, call: impl FnOnce(Context) -> F) -> Option<T>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>>,
    {
        if self.only.as_ref().is_some_and(|only| only != what) {
            return None;
        }
        let cx = Context::default().in_trace(self.trace.unwrap_or_else(Trace::start)).within(LIMIT);
        let marks = cx.marks().clone();
        let begin = Instant::now();
        let outcome = call(cx).await;
        let took = begin.elapsed().as_millis();
        self.run += 1;
        match outcome {
            Ok(answer) if marks.list().is_empty() => {
                println!("ok    {what}  {took} ms");
                Some(answer)
            }
            // With every service running nothing should have to stand in.
            Ok(answer) => {
                self.failed += 1;
                println!("FAIL  {what}  {took} ms: stand-ins: {}", marks.list().join(", "));
                Some(answer)
            }
            Err(error) if error.failure().is_none() || kinds.contains(&error.kind()) => {
                println!("ok    {what}  {took} ms: {error}");
                None
            }
            Err(error) => {
                self.failed += 1;
                println!("FAIL  {what}  {took} ms: {error}");
                None
            }
        }
    }

    /// The last line, and the exit code.
    pub fn report(self) -> ExitCode {
        println!("{} flows, {} failed", self.run, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The address of a service: `GREETER_URL`.
pub fn url(variable: &str) -> Result<String> {
    let name = format!("{variable}_URL");
    env::var(&name).with_context(|| format!("{name} is not set: run `cargo xtask smoke`, which sets it"))
}

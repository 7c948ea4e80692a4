use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use kit::{Context, OperationError};
use tokio::time::Instant;

/// How long one call of a flow may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Calls to running services. Each prints a line; one that fails makes the whole fail.
#[derive(Debug, Default)]
pub struct Flows {
    run: usize,
    failed: usize,
}

impl Flows {
    /// Runs a call. It passes if it answers, or fails with an error that the operation declares or that refuses the
    /// input, since only the business code knows what an example is worth.
    pub async fn run<T, E, F>(&mut self, what: &str, call: impl FnOnce(Context) -> F)
    where
        E: OperationError,
        F: Future<Output = Result<T, E>>,
    {
        let cx = Context::default().within(LIMIT);
        let marks = cx.marks().clone();
        let begin = Instant::now();
        let outcome = call(cx).await;
        let took = begin.elapsed().as_millis();
        self.run += 1;
        match outcome {
            Ok(_) if marks.list().is_empty() => println!("ok    {what}  {took} ms"),
            // With every service running nothing should have to stand in.
            Ok(_) => {
                self.failed += 1;
                println!("FAIL  {what}  {took} ms: stand-ins: {}", marks.list().join(", "));
            }
            Err(error) if error.failure().is_none() => println!("ok    {what}  {took} ms: {error}, as declared"),
            Err(error) => {
                self.failed += 1;
                println!("FAIL  {what}  {took} ms: {error}");
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

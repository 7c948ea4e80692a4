//! What the log says of the causes of failures.
//!
//! The only test of its binary: what another thread has found uninteresting would not be logged here either.

use std::{
    io,
    sync::{Arc, Mutex},
};

use kit::{Failure, Kind, log_cause};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn only_faults_are_errors() {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().json().with_max_level(tracing::Level::DEBUG).with_writer(lines.clone());
    let cause = || anyhow::anyhow!("UNIQUE constraint").context("insert");
    tracing::subscriber::with_default(log.finish(), || {
        log_cause(&Failure::new(Kind::Exists, "is taken").caused_by(cause()), None);
        log_cause(&Failure::internal(cause()), Some("7"));
        log_cause(&Failure::stale(), None);
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let said: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> =
        said.iter().map(|line| (&line["level"], &line["fields"]["trace_id"], &line["fields"]["cause"])).collect();
    let cause = json!("insert: UNIQUE constraint");
    assert_eq!(said, [(&json!("DEBUG"), &Value::Null, &cause), (&json!("ERROR"), &json!("7"), &cause)]);
}

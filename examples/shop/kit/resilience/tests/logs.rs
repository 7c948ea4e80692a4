//! What is logged of a call: a span for the call, an event for each failed try, one for each change of the breaker.
//!
//! The only test of its binary: what another thread has found uninteresting would not be logged here either.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use kit::{Context, Failure, Kind, Operation, Safety};
use kit_resilience::{Breaker, Link, Policy, Retry};
use serde_json::{Value, json};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

const SECOND: Duration = Duration::from_secs(1);
const LOOK: Operation = Operation { service: "b", name: "look", safety: Safety::Safe };

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

#[tokio::test(start_paused = true)]
async fn a_call_leaves_a_span_its_failed_tries_and_the_breaker_s_changes() {
    let lines = Lines::default();
    let format = tracing_subscriber::fmt().json().with_writer(lines.clone()).with_span_events(FmtSpan::CLOSE);
    let guard = tracing::subscriber::set_default(format.with_max_level(tracing::Level::DEBUG).finish());
    let policy = Policy {
        retry: Retry { attempts: 1, ..Retry::default() },
        breaker: Some(Breaker { failure_rate: 1.0, window: 1, within: 60 * SECOND, open_for: 10 * SECOND }),
        ..Policy::default()
    };
    let link = Link::new("a → b", policy);
    for fails in [true, false] {
        let answer = async |_| if fails { Err(Failure::new(Kind::Internal, "as told")) } else { Ok(()) };
        let _ = link.call(&Context::default(), &LOOK, answer).await;
        tokio::time::sleep(10 * SECOND).await;
    }
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let logged: Vec<_> = text
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let (fields, span) = (&line["fields"], &line["span"]);
            assert_eq!(
                (&span["link"], &span["service"], &span["operation"]),
                (&json!("a → b"), &json!("b"), &json!("look"))
            );
            json!([line["level"], fields["message"], fields["error"], span["outcome"]])
        })
        .collect();
    assert_eq!(
        logged,
        [
            json!(["WARN", "circuit open", null, null]),
            json!(["DEBUG", "try failed", "internal: as told", null]),
            json!(["INFO", "close", null, "internal"]),
            json!(["INFO", "circuit half-open", null, null]),
            json!(["INFO", "circuit closed", null, null]),
            json!(["INFO", "close", null, "ok"]),
        ]
    );
}

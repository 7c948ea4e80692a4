//! What is logged of a call: a span for the call, an event for each failed try, one for each change of the breaker.

use std::{io, sync::Arc};

use kit_resilience::Link;
use serde_json::{Value, json};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

use super::*;

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
    let link = Link::new("a → b", Policy { breaker: breaker(1), ..once(policy()) });
    let callee = Callee::new([Reply::Fails(Kind::Internal), Reply::Answers]);
    for _ in 0..2 {
        let _ = link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await;
        sleep(10 * SECOND).await;
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

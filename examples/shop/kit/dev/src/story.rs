//! One request, followed through the services by what they log of its trace.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant},
};

/// Without news for so long a request has come to its end.
const QUIET: Duration = Duration::from_millis(1500);

/// A trace whose lines are told as a story.
#[derive(Debug)]
pub struct Story {
    trace_id: String,
    last: Instant,
}

impl Story {
    pub fn begin() -> Self {
        let random = || RandomState::new().build_hasher().finish() | 1;
        Self { trace_id: format!("{:016x}{:016x}", random(), random()), last: Instant::now() }
    }

    /// W3C Trace Context, as a program takes it from its environment.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{:016x}-01", self.trace_id, 1)
    }

    pub fn is_over(&self) -> bool {
        self.last.elapsed() > QUIET
    }

    /// What a line of a log says, if it is of this trace.
    pub fn tell(&mut self, line: &str) -> Option<String> {
        if !line.contains(&self.trace_id) {
            return None;
        }
        self.last = Instant::now();
        Some(said(line).unwrap_or_else(|| line.to_owned()))
    }
}

/// The lines that the kit writes at each end of a request and of a message.
fn said(line: &str) -> Option<String> {
    let value = |name: &str| value(line, name);
    if line.contains(": asked") {
        return Some(format!("← {} {}", value("method")?, value("path")?));
    }
    if line.contains(": answered") {
        return Some(format!("→ {}", value("status")?));
    }
    let message = || Some(format!("{} for {}", value("type")?, value("subscription")?));
    if line.contains(": taken") {
        return Some(format!("⇠ {}", message()?));
    }
    line.contains(": done").then(|| Some(format!("✓ {}", message()?))).flatten()
}

/// `name=value` or `name="value"`, as `tracing` writes fields.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let begins = |at: usize| line[..at].ends_with([' ', '{']) && line[at + name.len()..].starts_with('=');
    let at = line.match_indices(name).map(|(at, _)| at).find(|&at| begins(at))? + name.len() + 1;
    let rest = &line[at..];
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split([' ', '}']).next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_told_and_other_lines_are_not() {
        let mut story = Story::begin();
        let trace = story.trace_id.clone();
        assert_eq!(story.traceparent().len(), 55);
        for (line, told) in [
            (
                format!(
                    "T DEBUG request: kit_http::edge: asked path=\"/v1/a\" method=GET route=\"/v1/{{x}}\" trace_id=\"{trace}\""
                ),
                Some("← GET /v1/a"),
            ),
            (
                format!("T DEBUG request{{method=GET trace_id=\"{trace}\"}}: kit_http::edge: answered status=200"),
                Some("→ 200"),
            ),
            (
                format!("T DEBUG message: taken subscription=\"b.c\" type=\"a.E.v1\" trace_id=\"{trace}\""),
                Some("⇠ a.E.v1 for b.c"),
            ),
            (
                format!("T DEBUG message: done subscription=\"b.c\" type=\"a.E.v1\" trace_id=\"{trace}\""),
                Some("✓ a.E.v1 for b.c"),
            ),
            ("T DEBUG request: asked".to_owned(), None),
        ] {
            assert_eq!(story.tell(&line).as_deref(), told, "{line}");
        }
        let other = format!("T WARN circuit open trace_id=\"{trace}\"");
        assert_eq!(story.tell(&other), Some(other.clone()));
    }
}

//! What came of the rules.

use std::{cell::RefCell, fmt::Display, io::Write};

/// Collects the rules that are broken over one transport.
#[derive(Debug)]
pub(crate) struct Report {
    service: String,
    transport: &'static str,
    broken: RefCell<Vec<String>>,
    skipped: RefCell<Vec<String>>,
}

impl Report {
    pub(crate) fn new(service: &str, transport: &'static str) -> Self {
        Self { service: service.to_owned(), transport, broken: RefCell::default(), skipped: RefCell::default() }
    }

    pub(crate) fn fail(&self, operation: &str, rule: &str, why: impl Display) {
        let line = self.line(operation, rule, why);
        // One mistake may show in many calls.
        if !self.broken.borrow().contains(&line) {
            self.broken.borrow_mut().push(line);
        }
    }

    /// A rule that could not be tried.
    pub(crate) fn skip(&self, operation: &str, rule: &str, why: impl Display) {
        let line = self.line(operation, rule, why);
        if !self.skipped.borrow().contains(&line) {
            self.skipped.borrow_mut().push(line);
        }
    }

    fn line(&self, operation: &str, rule: &str, why: impl Display) -> String {
        format!("{}.{operation} over {}: {rule}: {why}", self.service, self.transport)
    }

    /// Shows what was skipped, past what captures the output of tests, and fails with what is broken.
    pub(crate) fn finish(&self, cases: usize) -> anyhow::Result<()> {
        let mut lines: String = self.skipped.borrow().iter().map(|line| format!("skipped  {line}\n")).collect();
        if cases > 0 {
            lines += &format!("{} cases of {} over {}\n", cases, self.service, self.transport);
        }
        // Nobody may be there to read it.
        let _ = std::io::stderr().write_all(lines.as_bytes());
        let broken = self.broken.borrow();
        anyhow::ensure!(broken.is_empty(), "{} broken\n  {}", broken.len(), broken.join("\n  "));
        Ok(())
    }
}

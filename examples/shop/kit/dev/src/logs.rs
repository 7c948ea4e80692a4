//! The logs of all services in one place, each line with its service's name before it.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, IsTerminal, Read, Write as _},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use crate::story::Story;

/// Lines kept to be shown if something fails.
const KEPT: usize = 2000;

/// Where the lines go.
#[derive(Clone, Debug)]
pub struct Logs {
    /// Shown as they come; else kept.
    live: bool,
    color: bool,
    wide: usize,
    kept: Arc<Mutex<VecDeque<String>>>,
    story: Arc<Mutex<Option<Story>>>,
}

impl Logs {
    /// `wide`: the longest name of a service.
    pub fn new(live: bool, wide: usize) -> Self {
        let color =
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { live, color, wide, kept: Arc::default(), story: Arc::default() }
    }

    /// Takes over the output of a service until it ends.
    pub fn follow(&self, number: usize, name: &'static str, output: impl Read + Send + 'static) {
        let logs = self.clone();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                logs.line(number, name, String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
    }

    /// Tells the lines of a trace as a story, until it is over or `stop` says so. `tell` is given the trace.
    pub fn follow_through(&self, begin: impl FnOnce(&Story), stop: impl Fn() -> bool) {
        let story = || self.story.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Story::begin();
        begin(story().insert(new));
        while story().as_ref().is_some_and(|story| !story.is_over()) && !stop() {}
        *story() = None;
    }

    /// One line of a service.
    pub fn line(&self, number: usize, name: &str, line: &str) {
        let told =
            self.story.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(|story| story.tell(line));
        let line = told.as_deref().unwrap_or(line);
        let wide = self.wide;
        let line = match self.color {
            // Cyan, green, yellow, blue, magenta, in turn.
            true => format!("\u{1b}[{}m{name:wide$}\u{1b}[0m  {line}", [36, 32, 33, 34, 35][number % 5]),
            false => format!("{name:wide$}  {line}"),
        };
        if self.live {
            // Nobody is there to read it if stderr is closed.
            let _ = writeln!(std::io::stderr(), "{line}");
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }

    /// Shows what was kept.
    pub fn show(&self) {
        for line in &*self.kept.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

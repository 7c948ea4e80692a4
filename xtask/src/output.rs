//! What a command found → stdout for programs and pipes, stderr for people.

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::Result;
use generator::{
    changes::{Action, Change, Changes, Count, MissingStub},
    diagnostic::{Diagnostic, render},
    diff::show,
    plan::Owner,
    source::Sources,
};
use serde::Serialize;

/// The two streams and how to write to them.
pub struct Output<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    /// One [`Record`] a line on stdout, instead of text.
    pub json: bool,
    pub quiet: bool,
    /// On stderr.
    pub color: bool,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    /// There are changes to make, or conflicts.
    Changes,
    /// As a child process ended.
    Child(u8),
}

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Problem {
    /// The design has mistakes.
    Design(Vec<Diagnostic>, Sources),
    Other(anyhow::Error),
}

/// One line of `--json`; `output.schema.json` describes each.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Record<'a> {
    /// A workspace was created.
    Created {
        path: &'a str,
        files: usize,
    },
    Change(&'a Change),
    Missing(&'a MissingStub),
    /// A sync was cut short and is not finished yet.
    Unfinished {
        left: usize,
        total: usize,
    },
    /// After all changes.
    Summary {
        /// Whether the changes were made.
        applied: bool,
        #[serde(flatten)]
        count: Count,
    },
    Example {
        name: &'a str,
        summary: &'a str,
    },
    Finding(&'a crate::toolchain::Finding),
    Diagnostic(&'a render::Entry),
    Difference(&'a show::Entry<'a>),
    Warning {
        message: &'a str,
    },
    Error {
        message: &'a str,
    },
}

impl Output<'_> {
    /// For programs: a record, or what people read in its place.
    pub fn result(&mut self, record: &Record, text: &str) -> Result<()> {
        if self.json {
            serde_json::to_writer(&mut *self.out, record)?;
            writeln!(self.out)?;
        } else if !text.is_empty() {
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    /// For people: what happens, and what to do next.
    pub fn note(&mut self, text: &str) -> Result<()> {
        if !self.quiet {
            writeln!(self.err, "{text}")?;
        }
        Ok(())
    }

    pub fn warning(&mut self, message: &str) -> Result<()> {
        let label = self.paint("warning", "33");
        writeln!(self.err, "{label}: {message}")?;
        if self.json { self.result(&Record::Warning { message }, "") } else { Ok(()) }
    }

    /// What a design probably does not mean.
    pub fn doubts(&mut self, (warnings, sources): &(Vec<Diagnostic>, Sources)) -> Result<()> {
        write!(self.err, "{}", render::render(warnings, sources, self.color))?;
        self.entries(warnings, sources)
    }

    /// One warning if files stay as rendered for want of a rustfmt.
    pub fn unformatted(&mut self, files: usize) -> Result<()> {
        if files == 0 {
            return Ok(());
        }
        self.warning(&format!("there is no rustfmt, so {files} Rust files are written unformatted; they work"))
    }

    /// A line a change, and what to do about those that stop the rest.
    pub fn changes(&mut self, changes: &Changes, applied: bool) -> Result<()> {
        for change in &changes.files {
            self.result(&Record::Change(change), &change.to_string())?;
        }
        for (change, conflict) in changes.conflicts() {
            let title = self.paint(&change.path, "1");
            writeln!(self.err, "\n{title}: {}", conflict.reason)?;
            if let Some(diff) = &conflict.diff {
                let diff = self.painted(diff);
                writeln!(self.err, "{}", diff.trim_end())?;
            }
            writeln!(self.err, "help: {}", conflict.reason.help())?;
        }
        for change in &changes.files {
            if let Action::Propose(diff) = &change.action {
                let (title, diff) = (self.paint(&change.path, "1"), self.painted(diff));
                let whose = match change.owner {
                    Owner::Applied => "stays as databases have it. What another migration has to bring about",
                    _ => "is yours. To take over",
                };
                let text = format!("\n{title} {whose}:\n{}", diff.trim_end());
                // Said once, when the rest is done, so it is said however quiet that is.
                if applied { writeln!(self.err, "{text}")? } else { self.note(&text)? }
            }
        }
        for stub in &changes.stubs {
            let text =
                format!("missing   {}:{}: `{}` of `{}`\n{}", stub.path, stub.line, stub.method, stub.of, stub.text);
            self.result(&Record::Missing(stub), text.trim_end())?;
        }
        if self.json {
            self.result(&Record::Summary { applied, count: changes.count() }, "")?;
        }
        Ok(())
    }

    /// Says what went wrong, and how the command therefore ends.
    pub fn problem(&mut self, problem: Problem) -> Exit {
        // If even this cannot be written there is nobody to tell.
        let _ = match problem {
            Problem::Design(diagnostics, sources) => self.diagnostics(&diagnostics, &sources),
            Problem::Other(error) => {
                if error.chain().any(is_broken_pipe) {
                    return Exit::Done;
                }
                self.error(&format!("{error:#}"))
            }
        };
        Exit::Failed
    }

    fn diagnostics(&mut self, diagnostics: &[Diagnostic], sources: &Sources) -> Result<()> {
        write!(self.err, "{}", render::render(diagnostics, sources, self.color))?;
        let count = diagnostics.len();
        let mistakes = if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") };
        let label = self.paint("error", "31");
        writeln!(self.err, "{label}: the design has {mistakes}; nothing was written")?;
        self.entries(diagnostics, sources)
    }

    fn entries(&mut self, diagnostics: &[Diagnostic], sources: &Sources) -> Result<()> {
        if self.json {
            for entry in render::entries(diagnostics, sources) {
                self.result(&Record::Diagnostic(&entry), "")?;
            }
        }
        Ok(())
    }

    fn error(&mut self, message: &str) -> Result<()> {
        let label = self.paint("error", "31");
        writeln!(self.err, "{label}: {message}")?;
        if self.json { self.result(&Record::Error { message }, "") } else { Ok(()) }
    }

    fn paint(&self, text: &str, style: &str) -> String {
        if self.color { format!("\x1b[1;{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn painted(&self, diff: &str) -> String {
        let line = |line: &str| match line.chars().next().filter(|_| self.color) {
            Some('+') => format!("\x1b[32m{line}\x1b[0m\n"),
            Some('-') => format!("\x1b[31m{line}\x1b[0m\n"),
            _ => format!("{line}\n"),
        };
        diff.lines().map(line).collect()
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(kind)
        || error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind)
            == Some(io::ErrorKind::BrokenPipe)
}

/// Whether a stream gets colours: a terminal does, unless `NO_COLOR` is set to anything.
pub fn colored(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Exit {
    /// The number that the shell sees. 2, wrong usage, is clap's.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 3,
            Self::Child(code) => code,
        }
    }
}

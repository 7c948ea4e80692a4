//! A command to its output, shown as it comes, and what that output counts.

use std::{
    ffi::OsStr,
    io::{self, BufRead, BufReader, PipeReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{output, toolchain};

/// How long output may stay open and silent after the command is gone.
const LEFT_BEHIND: Duration = Duration::from_secs(10);

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    /// Ignored, or passed over because an outside tool is missing.
    pub skipped: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// A program that is run in `folder`.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    placed(toolchain::command(program), folder)
}

/// A call of cargo in `folder`.
pub fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = placed(toolchain::cargo(), folder);
    command.args(arguments);
    command
}

fn placed(mut command: Command, folder: &Path) -> Command {
    let color = if output::colored(&io::stdout()) { "always" } else { "never" };
    command.current_dir(folder).env("CARGO_TERM_COLOR", color);
    command
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub success: bool,
    /// Its tests, or itself where it ran none.
    pub counts: Counts,
    /// It printed nothing at all.
    pub silent: bool,
}

/// Runs a command and writes what it prints to `out`, line by line.
pub fn run(command: Command, out: &mut dyn Write) -> Result<Ended> {
    run_patiently(command, out, LEFT_BEHIND)
}

fn run_patiently(mut command: Command, out: &mut dyn Write, patience: Duration) -> Result<Ended> {
    let program = command.get_program().to_string_lossy().into_owned();
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    // With it go our ends of the pipe, which then closes when the last process that writes to it is gone.
    drop(command);
    let lines = lines(reader);
    let mut read = Read::default();
    let mut gone = false;
    loop {
        match lines.recv_timeout(patience) {
            Ok(line) => {
                read.line(&String::from_utf8_lossy(&line));
                out.write_all(&line)?;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(read.ended(child.wait()?.success())),
            Err(mpsc::RecvTimeoutError::Timeout) if gone => {
                writeln!(out, "error: {program} is gone and left a process behind that holds its output")?;
                return Ok(read.ended(false));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => gone = child.try_wait()?.is_some(),
        }
    }
}

/// The lines of a pipe, each with its end.
fn lines(reader: PipeReader) -> mpsc::Receiver<Vec<u8>> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if send.send(std::mem::take(&mut line)).is_err() {
                break;
            }
        }
    });
    lines
}

/// What the lines of a command's output count.
#[derive(Debug, Default)]
struct Read {
    tests: Counts,
    /// Tests that passed without having tested anything, and said so.
    passed_over: u64,
    any: bool,
}

impl Read {
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …` is libtest's; `SKIP name: why` is written by a test that
    /// misses an outside tool.
    fn line(&mut self, line: &str) {
        self.any = true;
        if let Some((_, numbers)) = line.split_once("test result: ") {
            let number = |name: &str| {
                let (before, _) = numbers.split_once(name)?;
                before.rsplit(' ').next()?.parse().ok()
            };
            self.tests.add(Counts {
                passed: number(" passed;").unwrap_or(0),
                failed: number(" failed;").unwrap_or(0),
                skipped: number(" ignored;").unwrap_or(0),
            });
        } else if line.starts_with("SKIP ") {
            self.passed_over += 1;
        }
    }

    fn ended(self, success: bool) -> Ended {
        let mut counts = self.tests;
        if success && counts == Counts::default() {
            counts.passed = 1;
        } else if !success && counts.failed == 0 {
            counts.failed = 1;
        }
        counts.passed = counts.passed.saturating_sub(self.passed_over);
        counts.skipped += self.passed_over;
        Ended { success, counts, silent: !self.any }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], success: bool) -> Counts {
        let mut read = Read::default();
        lines.iter().for_each(|line| read.line(line));
        read.ended(success).counts
    }

    #[test]
    fn counts_what_the_output_says() {
        let counts = |passed, failed, skipped| Counts { passed, failed, skipped };
        let lib = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n";
        let bad = "test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        for (lines, success, expected) in [
            (&[lib][..], true, counts(12, 0, 1)),
            (&[lib, "noise\n", bad][..], false, counts(15, 2, 1)),
            (&[lib, "SKIP kafka: no noida-db\n"][..], true, counts(11, 0, 2)),
            // A command that runs no test is one itself.
            (&[][..], true, counts(1, 0, 0)),
            (&["error[E0425]: cannot find value\n"][..], false, counts(0, 1, 0)),
            // All tests passed and the command failed all the same.
            (&[lib][..], false, counts(12, 1, 1)),
        ] {
            assert_eq!(read(lines, success), expected, "{lines:?}");
        }
    }

    #[test]
    fn shows_both_outputs_of_a_command_and_says_how_it_ended() {
        let mut out = Vec::new();
        let ended = run(cargo(Path::new("."), &["--version"]), &mut out).unwrap();
        assert!(ended.success && !ended.silent && ended.counts.passed == 1);
        assert!(String::from_utf8(out).unwrap().starts_with("cargo "));

        let mut out = Vec::new();
        let ended = run(cargo(Path::new("."), &["no-such-command"]), &mut out).unwrap();
        assert!(!ended.success && ended.counts.failed == 1);
        assert!(String::from_utf8(out).unwrap().contains("no-such-command"));
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_leaves_a_process_behind_has_failed() {
        let mut shell = command("sh", Path::new("."));
        shell.args(["-c", "echo one passed; sleep 60 & echo $!"]);
        let mut out = Vec::new();
        let ended = run_patiently(shell, &mut out, Duration::from_millis(50)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!ended.success && text.contains("left a process behind"), "{text}");
        let id = text.lines().nth(1).unwrap();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        assert!(run(command("linkwright-has-no-such-program", Path::new(".")), &mut Vec::new()).is_err());
    }
}

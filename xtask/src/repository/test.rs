//! `cargo xtask test`: the stages asked for, one after another, and a summary whose last line counts all.

use std::{
    env, fs,
    io::Write,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use clap::builder::PossibleValuesParser;

use crate::{
    Session,
    output::{Exit, Problem},
    process::Interrupts,
};

use super::{
    child::{self, Counts},
    root,
    stage::{STAGES, Stage},
};

/// Test this repository: its own code, the kit, and workspaces made from the examples
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Everything that CI runs
    #[arg(long)]
    full: bool,
    /// The same with many more cases, for a night
    #[arg(long, conflicts_with = "full")]
    thorough: bool,
    /// Only this stage (may be repeated)
    #[arg(long = "stage", value_name = "NAME", value_parser = PossibleValuesParser::new(STAGES.iter().map(|stage| stage.name)))]
    stages: Vec<String>,
    /// Say which stages there are
    #[arg(long)]
    list: bool,
}

/// How deep the tests go. They are the same tests: a greater depth has more stages, and more cases in each property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Quick,
    Full,
    Thorough,
}

impl Depth {
    /// How many cases proptest tries of each property.
    fn cases(self) -> &'static str {
        match self {
            Self::Quick => "64",
            Self::Full => "256",
            Self::Thorough => "8192",
        }
    }

    /// How many seconds a search for designs that make trouble goes on.
    fn search(self) -> &'static str {
        match self {
            Self::Quick => "2",
            Self::Full => "60",
            Self::Thorough => "1800",
        }
    }
}

/// Runs the stages asked for; exits with 1 if anything failed.
pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    if session.output.json {
        return Err(anyhow!("`test` writes no JSON").into());
    }
    if args.list {
        for stage in STAGES {
            let when = match stage.from {
                Depth::Quick => "always",
                Depth::Full => "--full",
                Depth::Thorough => "--thorough",
            };
            writeln!(session.output.out, "{:<10} {when:<10} {}", stage.name, stage.shows)?;
        }
        return Ok(Exit::Done);
    }
    let depth = match args {
        Args { thorough: true, .. } => Depth::Thorough,
        Args { full: true, .. } => Depth::Full,
        _ => Depth::Quick,
    };
    let wanted = |stage: &Stage| {
        if args.stages.is_empty() { stage.from <= depth } else { args.stages.iter().any(|name| name == stage.name) }
    };
    let mut bench = Bench::new(session, depth)?;
    let mut results = Vec::new();
    for stage in STAGES.iter().filter(|stage| wanted(stage)) {
        results.push(bench.stage(stage)?);
    }
    Ok(summarise(&results, session.output.out)?)
}

fn summarise(results: &[StageResult], out: &mut dyn Write) -> Result<Exit> {
    let mut all = Counts::default();
    writeln!(out, "\n── Summary")?;
    for StageResult { name, counts, time, failures } in results {
        all.add(*counts);
        let Counts { passed, failed, skipped } = counts;
        writeln!(out, "{name:<10} {passed:>5} passed {failed:>3} failed {skipped:>3} skipped {:>8}", seconds(*time))?;
        for failure in failures {
            writeln!(out, "{:<10} failed: {failure}", "")?;
        }
    }
    let Counts { passed, failed, skipped } = all;
    writeln!(out, "{:<10} {}", "", seconds(results.iter().map(|result| result.time).sum()))?;
    writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
    out.flush()?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

struct StageResult {
    name: &'static str,
    counts: Counts,
    time: Duration,
    /// The steps that failed.
    failures: Vec<String>,
}

/// An outside tool that a step needs.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    pub name: &'static str,
    /// `cargo` with these args succeeds where the tool is.
    pub probe: &'static [&'static str],
    /// How to get it.
    pub install: &'static str,
}

/// What stages work with.
pub struct Bench<'a> {
    /// The checkout.
    pub root: PathBuf,
    /// The program under test: what runs now, at a place where no build replaces it.
    pub linkwright: PathBuf,
    pub depth: Depth,
    /// A missing tool is a failure (`TESTBED_REQUIRE=all`).
    strict: bool,
    out: &'a mut dyn Write,
    /// What passes prints nothing.
    quiet: bool,
    offline: bool,
    interrupts: Interrupts,
    counts: Counts,
    failures: Vec<String>,
}

impl<'a> Bench<'a> {
    fn new(session: &'a mut Session, depth: Depth) -> Result<Self> {
        let root = root();
        let programs = root.join("target/workspaces/bin");
        let linkwright = programs.join(format!("linkwright{}", env::consts::EXE_SUFFIX));
        // One that still runs cannot be written to.
        let _ = fs::remove_file(&linkwright);
        fs::create_dir_all(&programs)
            .and_then(|()| fs::copy(env::current_exe()?, &linkwright))
            .with_context(|| format!("cannot write {}", linkwright.display()))?;
        let strict = env::var_os("TESTBED_REQUIRE").is_some_and(|require| require == "all");
        Ok(Self {
            root,
            linkwright,
            depth,
            strict,
            out: &mut *session.output.out,
            quiet: session.output.quiet,
            offline: session.offline,
            interrupts: session.interrupts.clone(),
            counts: Counts::default(),
            failures: Vec::new(),
        })
    }

    fn stage(&mut self, stage: &Stage) -> Result<StageResult> {
        let start = Instant::now();
        writeln!(self.out, "\n── {}: {}", stage.name, stage.shows)?;
        (stage.run)(self)?;
        let counts = std::mem::take(&mut self.counts);
        let failures = std::mem::take(&mut self.failures);
        let time = start.elapsed();
        let outcome = if counts.failed == 0 { "done" } else { "FAILED" };
        writeln!(self.out, "── {}: {outcome} in {}", stage.name, seconds(time))?;
        Ok(StageResult { name: stage.name, counts, time, failures })
    }

    /// As [`step`](Self::step), for tests that search: here they have the time that this depth gives them.
    pub fn search(&mut self, what: &str, mut command: Command) -> Result<bool> {
        command.env("FUZZ_SECONDS", self.depth.search());
        self.step(what, command)
    }

    /// Runs a command and counts it. Says whether it succeeded, for steps that build on it.
    pub fn step(&mut self, what: &str, command: Command) -> Result<bool> {
        let (ended, held) = self.run(what, command)?;
        self.end(what, ended.success, ended.counts, &held)
    }

    /// The same for a command that has nothing to say when all is well.
    pub fn silent_step(&mut self, what: &str, command: Command) -> Result<bool> {
        let (ended, held) = self.run(what, command)?;
        if ended.success && !ended.silent {
            writeln!(self.out, "error: expected no output")?;
            return self.end(what, false, Counts { failed: 1, ..Counts::default() }, &held);
        }
        self.end(what, ended.success, ended.counts, &held)
    }

    /// Does something that is no command, and counts it.
    pub fn judge(&mut self, what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        writeln!(self.out, "─ {what}")?;
        let (counts, held) = match work() {
            Ok(()) => (Counts { passed: 1, ..Counts::default() }, String::new()),
            Err(error) => (Counts { failed: 1, ..Counts::default() }, format!("error: {error:#}\n")),
        };
        self.interrupts.check()?;
        self.end(what, counts.failed == 0, counts, held.as_bytes())?;
        Ok(())
    }

    /// A choice, another one in each run, or that of the number in a variable. It says the number.
    pub fn rng(&mut self, variable: &str) -> Result<fastrand::Rng> {
        let seed = match env::var(variable) {
            Ok(seed) => seed.parse().with_context(|| format!("{variable} is no number: {seed:?}"))?,
            Err(_) => fastrand::u64(..),
        };
        writeln!(self.out, "{variable}={seed}")?;
        Ok(fastrand::Rng::with_seed(seed))
    }

    /// Runs a command; what it prints is shown, or held back to be shown if it fails.
    fn run(&mut self, what: &str, mut command: Command) -> Result<(child::Ended, Vec<u8>)> {
        writeln!(self.out, "─ {what}")?;
        command.env("PROPTEST_CASES", self.depth.cases());
        if self.offline {
            command.env("CARGO_NET_OFFLINE", "true");
        }
        let mut held = Vec::new();
        let ended = child::run(command, if self.quiet { &mut held } else { &mut *self.out })?;
        self.interrupts.check()?;
        Ok((ended, held))
    }

    fn end(&mut self, what: &str, success: bool, counts: Counts, held: &[u8]) -> Result<bool> {
        self.counts.add(counts);
        if !success {
            self.out.write_all(held)?;
            self.failures.push(what.to_owned());
        }
        Ok(success)
    }

    /// Whether a tool is there. If not, that counts as a skip, or as a failure where nothing may be missing.
    pub fn has(&mut self, tool: Tool) -> Result<bool> {
        let found = child::cargo(&self.root, tool.probe).output().context("cannot run cargo")?.status.success();
        if !found {
            self.lacks(tool.name, tool.install)?;
        }
        Ok(found)
    }

    /// Counts what is not there and how to get it: a skip, or a failure where nothing may be missing.
    pub fn lacks(&mut self, name: &str, install: &str) -> Result<()> {
        let missing = format!("no {name} ({install})");
        let word = if self.strict { "FAIL" } else { "SKIP" };
        writeln!(self.out, "{word} {missing}")?;
        if self.strict {
            self.end(&missing, false, Counts { failed: 1, ..Counts::default() }, &[])?;
        } else {
            self.counts.skipped += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_all_and_failures_are_named() {
        let result = |name, passed, failed, skipped, failures: &[&str]| StageResult {
            name,
            counts: Counts { passed, failed, skipped },
            time: Duration::from_millis(1500),
            failures: failures.iter().map(|&failure| failure.to_owned()).collect(),
        };
        for (results, exit, expected) in [
            (vec![], Exit::Done, "\n0 passed, 0 failed, 0 skipped\n"),
            (
                vec![result("fmt", 2, 0, 1, &[]), result("kit", 10, 0, 0, &[])],
                Exit::Done,
                "\n12 passed, 0 failed, 1 skipped\n",
            ),
            (
                vec![result("fmt", 2, 0, 0, &[]), result("kit", 9, 1, 0, &["the kit"])],
                Exit::Failed,
                "\n11 passed, 1 failed, 0 skipped\n",
            ),
        ] {
            let mut out = Vec::new();
            assert_eq!(summarise(&results, &mut out).unwrap(), exit);
            let text = String::from_utf8(out).unwrap();
            assert!(text.ends_with(expected), "{text}");
            assert_eq!(text.contains("failed: the kit\n"), exit == Exit::Failed, "{text}");
        }
    }
}

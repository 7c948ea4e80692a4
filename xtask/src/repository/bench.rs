//! `cargo xtask bench`: what we cost beside the same work without us, as a table and as `target/bench/results.json`.
//!
//! Machines are noisy and shared, so what counts is CPU seconds and ratios: both sides run in turns, and the table has
//! the medians. A missed aim is a result like any other: only what could not be measured is an error.

mod build;
mod generate;
mod queue;
mod serve;
mod server;
mod streams;
mod table;
mod usage;

use std::{
    cell::OnceCell,
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{
    Session,
    output::{Exit, Problem},
};

use super::{
    child::{cargo, command},
    root,
    slot::copy,
};

/// Measure the generator and what it emits, in release, beside bare baselines
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to measure; without a name everything
    subjects: Vec<Subject>,
    /// Measure each side this often, in turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// One generation in this process: which side, of which design, into which folder
    #[arg(long, hide = true, num_args = 3)]
    once: Vec<String>,
}

/// What can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// The generator, beside rendering, writing and formatting the same bytes
    Generate,
    /// A cold build, beside the same dependencies with empty crates
    Build,
    /// Calls of the emitted service, beside bare handlers with the same types and store
    Serve,
    /// Its streams, beside bare ones: how fast they are, and what thousands of open ones hold
    Streams,
    /// The embedded queue, beside inserting the same rows
    Queue,
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Ours,
    Bare,
}

/// Measures what was asked for.
pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    if let [side, design, folder] = args.once.as_slice() {
        return generate::once(session, side, Path::new(design), Path::new(folder));
    }
    // Only the generator is measured in this program.
    let wants = |subject| args.subjects.is_empty() || args.subjects.contains(&subject);
    if cfg!(debug_assertions) && wants(Subject::Generate) {
        return in_release(session.offline);
    }
    usage::spent().context("`bench` reads the /proc of Linux")?;
    let scratch = root().join("target/workspaces");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let setup = Setup {
        scratch,
        program: env::current_exe().context("cannot tell which program runs")?,
        runs: args.runs.into(),
        offline: session.offline,
        quiet: session.output.quiet,
        programs: OnceCell::new(),
    };
    let machine = machine();
    let mut rows = Vec::new();
    for &subject in Subject::value_variants() {
        if wants(subject) {
            rows.extend(match subject {
                Subject::Generate => generate::measure(&setup)?,
                Subject::Build => build::measure(&setup)?,
                Subject::Serve => serve::measure(&setup)?,
                Subject::Streams => streams::measure(&setup)?,
                Subject::Queue => queue::measure(&setup)?,
            });
        }
    }
    let results = json!({ "machine": machine, "runs": args.runs, "rows": table::json(&rows) });
    let file = root().join("target/bench/results.json");
    fs::create_dir_all(file.parent().unwrap_or(&file)).and_then(|()| fs::write(&file, format!("{results:#}\n")))?;
    if session.output.json {
        writeln!(session.output.out, "{results}")?;
    } else {
        write!(session.output.out, "{}", table::text(&rows))?;
    }
    session.output.note(&format!("\nmedians of {} runs; written to {}", args.runs, file.display()))?;
    Ok(Exit::Done)
}

/// The same call again, of a program that the compiler has optimised.
fn in_release(offline: bool) -> Result<Exit, Problem> {
    let run = ["run", "--quiet", "--release", "--package", "xtask", "--bin", "linkwright", "--features", "repository"];
    let mut again = cargo(&root(), &run);
    again.arg("--").args(env::args_os().skip(1));
    if offline {
        again.env("CARGO_NET_OFFLINE", "true");
    }
    let status = again.status().context("cannot run cargo")?;
    Ok(if status.success() {
        Exit::Done
    } else {
        Exit::Child(status.code().and_then(|c| c.try_into().ok()).unwrap_or(1))
    })
}

/// What one has to know to read the figures.
fn machine() -> Value {
    let rustc = command("rustc", Path::new(".")).arg("--version").output().map(|output| output.stdout);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cores": thread::available_parallelism().map_or(1, usize::from),
        "processor": model,
        "architecture": env::consts::ARCH,
        "rustc": String::from_utf8_lossy(&rustc.unwrap_or_default()).trim(),
        "load": load.split(' ').next(),
    })
}

/// What all measurements work with.
struct Setup {
    /// Where workspaces and their target folders are.
    scratch: PathBuf,
    /// This program.
    program: PathBuf,
    runs: usize,
    offline: bool,
    quiet: bool,
    /// Where the binaries of the workspace `bench` are, once they are built.
    programs: OnceCell<PathBuf>,
}

impl Setup {
    /// Says on stderr what is measured now.
    fn say(&self, what: &str) {
        if !self.quiet {
            // If nobody listens, nothing is lost.
            let _ = writeln!(std::io::stderr(), "─ {what}");
        }
    }

    /// Makes a new workspace in place of an old one.
    fn workspace(&self, name: &str, made_from: &[&str]) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        remove(&folder)?;
        let mut new = command(&self.program, &self.scratch);
        new.args(["new", name, "--vcs", "none"]).args(made_from);
        self.output(new)?;
        Ok(folder)
    }

    /// A call of cargo as a newcomer makes it, with a target folder of its own.
    fn cargo(&self, folder: &Path, target: &Path, arguments: &[&str]) -> Command {
        let mut command = cargo(folder, arguments);
        command.env("CARGO_TARGET_DIR", target).env_remove("CARGO_INCREMENTAL").env_remove("RUSTC_WRAPPER");
        if self.offline {
            command.env("CARGO_NET_OFFLINE", "true");
        }
        command
    }

    /// What a command that succeeds writes to stdout; what it writes to stderr is shown if it does not.
    fn output(&self, mut command: Command) -> Result<String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
        ensure!(output.status.success(), "{program} failed\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).with_context(|| format!("{program} writes no text"))
    }

    /// The one line of JSON that a command writes.
    fn json(&self, command: Command) -> Result<Value> {
        let text = self.output(command)?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    }

    /// The emitted service `desk` and our own `bench`, built in release in one workspace: one lock file, one resolution
    /// of features.
    fn programs(&self) -> Result<&Path> {
        if self.programs.get().is_none() {
            self.say("build: the emitted service and the load generator, in release");
            let tests = root().join("tests");
            let design = tests.join("designs/bench.toml");
            let fresh = self.workspace("bench.new", &["--design", &design.to_string_lossy()])?;
            copy(&tests.join("bench"), &fresh.join("services/bench"))?;
            fill(&fresh.join("services/desk/src/desk.rs"))?;
            let workspace = self.scratch.join("bench");
            keep_times(&workspace, &fresh)?;
            remove(&workspace)?;
            fs::rename(&fresh, &workspace).with_context(|| format!("cannot make {}", workspace.display()))?;
            let target = self.scratch.join("target/bench");
            let build = ["build", "--release", "--bin", "desk", "--bin", "bench"];
            self.output(self.cargo(&workspace, &target, &build))?;
            let _ = self.programs.set(target.join("release"));
        }
        Ok(self.programs.get().context("the workspace is not built")?)
    }

    /// A command of our own crate in that workspace.
    fn bench(&self, arguments: &[&str]) -> Result<Command> {
        let mut bench = command(self.programs()?.join("bench"), &self.scratch);
        bench.args(arguments);
        Ok(bench)
    }

    /// A folder for databases, on the disk of the workspaces.
    fn folder(&self) -> Result<tempfile::TempDir> {
        tempfile::tempdir_in(&self.scratch).context("cannot make a temporary folder")
    }
}

/// Writes the one operation of the service of which the design does not say enough; the others are measured as they come.
fn fill(business: &Path) -> Result<()> {
    const DAY_ONE: [&str; 2] = [
        "_input: WatchRequest",
        "Ok(Box::pin(futures_util::stream::iter([Ok(Tick { number: 1, text: \"example\".into() })])))",
    ];
    const WRITTEN: [&str; 2] = [
        "input: WatchRequest",
        r#"let ticks = futures_util::stream::iter(1..=input.ticks);
        let ticks = ticks.map(|number| Ok(Tick { number, text: "Tick, tock. ".repeat(4) }));
        let rest = futures_util::stream::pending().take_until(async move {
            if input.stay {
                std::future::pending().await
            }
        });
        Ok(Box::pin(ticks.chain(rest)))"#,
    ];
    let mut text = fs::read_to_string(business)?;
    for (day_one, written) in DAY_ONE.into_iter().zip(WRITTEN) {
        ensure!(text.matches(day_one).count() == 1, "`{day_one}` is not in {}", business.display());
        text = text.replace(day_one, written);
    }
    Ok(fs::write(business, text)?)
}

/// Measures both sides in turns, and who begins takes turns too, so that both meet what else the machine does.
fn in_turns<T>(runs: usize, mut measure: impl FnMut(Side) -> Result<T>) -> Result<(Vec<T>, Vec<T>)> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let order = if run % 2 == 0 { [Side::Ours, Side::Bare] } else { [Side::Bare, Side::Ours] };
        for side in order {
            let samples = if side == Side::Ours { &mut ours } else { &mut bare };
            samples.push(measure(side)?);
        }
    }
    Ok((ours, bare))
}

/// The median of one figure of all samples.
fn median<T>(samples: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut figures: Vec<f64> = samples.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    match (figures.get(figures.len().saturating_sub(1) / 2), figures.get(figures.len() / 2)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

/// A number of what a command measured.
fn number(measured: &Value, name: &str) -> Result<f64> {
    match measured[name].as_f64() {
        Some(number) => Ok(number),
        None => bail!("no number {name} in {measured}"),
    }
}

/// Files that are what they were keep their times, for cargo builds what is newer than its last build.
fn keep_times(old: &Path, new: &Path) -> Result<()> {
    for entry in fs::read_dir(new)? {
        let entry = entry?;
        let (before, now) = (old.join(entry.file_name()), entry.path());
        if entry.file_type()?.is_dir() {
            keep_times(&before, &now)?;
        } else if fs::read(&before).ok() == Some(fs::read(&now)?) {
            let time = fs::metadata(&before)?.modified()?;
            fs::File::options().write(true).open(&now)?.set_modified(time)?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (samples, expected) in [(&[3.0][..], 3.0), (&[9.0, 1.0, 2.0], 2.0), (&[4.0, 1.0, 2.0, 100.0], 3.0)] {
            assert_eq!(median(samples, |sample| *sample), expected, "{samples:?}");
        }
        assert!(median(&[], |sample: &f64| *sample).is_nan());
    }

    #[test]
    fn the_help_says_what_can_be_measured() {
        use clap::CommandFactory;
        let mut cli = crate::Cli::command();
        assert!(cli.render_help().to_string().contains("  bench        Measure the generator"));
        let help = cli.find_subcommand_mut("bench").unwrap().render_long_help().to_string();
        for word in ["generate:", "build:", "serve:", "streams:", "queue:", "--runs <N>"] {
            assert!(help.contains(word), "{word}\n{help}");
        }
        assert!(!help.contains("--once"), "{help}");
    }

    #[test]
    fn what_is_the_same_keeps_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let day = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400);
        for (root, changed) in [(&old, "before"), (&new, "after")] {
            fs::create_dir_all(root.join("src")).unwrap();
            fs::write(root.join("src/same.rs"), "same").unwrap();
            fs::write(root.join("src/changed.rs"), changed).unwrap();
        }
        fs::write(new.join("added.rs"), "").unwrap();
        for name in ["same", "changed"] {
            let file = fs::File::options().write(true).open(old.join(format!("src/{name}.rs"))).unwrap();
            file.set_modified(day).unwrap();
        }
        keep_times(&old, &new).unwrap();
        let is_old = |path: &str| fs::metadata(new.join(path)).unwrap().modified().unwrap() == day;
        assert!(is_old("src/same.rs") && !is_old("src/changed.rs") && !is_old("added.rs"));
    }

    #[test]
    fn both_sides_take_turns() {
        let mut order = Vec::new();
        let (ours, bare) = in_turns(3, |side| {
            order.push(side == Side::Ours);
            Ok(order.len())
        })
        .unwrap();
        assert_eq!(order, [true, false, false, true, true, false]);
        assert_eq!((ours, bare), (vec![1, 4, 5], vec![2, 3, 6]));
    }
}

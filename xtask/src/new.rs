//! `new`: a design or an example → a workspace, and on request built and running.

use std::path::{Path, PathBuf};

use generator::{
    changes::Write,
    disk::{create, workspace},
    lock,
};

use crate::{
    Session,
    design::{self, Origin},
    output::{Exit, Problem, Record},
    run::{self, Then},
    toolchain,
    vcs::{self, Vcs},
};

/// Create a workspace from a design or an example
#[derive(clap::Args)]
pub struct Args {
    /// Where: a folder that does not exist yet, or is empty
    path: PathBuf,
    /// The design to start from
    #[arg(long, value_name = "FILE", conflicts_with = "example")]
    design: Option<PathBuf>,
    /// The example to start from (see examples)
    #[arg(long, value_name = "NAME", default_value = "hello")]
    example: String,
    /// Build it and run it until Ctrl-C
    #[arg(long, conflicts_with = "smoke")]
    run: bool,
    /// Build it, run every flow once on free ports, and stop
    #[arg(long)]
    smoke: bool,
    /// Version control; without it a git repository is made unless there is one already
    #[arg(long)]
    vcs: Option<Vcs>,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    let then = if args.run { Some(Then::Dev) } else { args.smoke.then_some(Then::Smoke) };
    create::check(&args.path)?;
    if then.is_some() {
        toolchain::require_build()?;
    }
    let origin = match &args.design {
        Some(design) => Origin::File(design.clone()),
        None => Origin::Example(args.example.clone()),
    };
    let designed = (session.planner)(&origin)?;
    session.output.doubts(&designed.warnings)?;
    let rustfmt = toolchain::rustfmt();
    let (mut writes, unformatted) = workspace::fresh(&designed.plan, &designed.own, rustfmt.as_ref())?;
    session.output.unformatted(unformatted)?;
    if let Origin::Example(name) = &origin {
        design::add_code(&mut writes, &designed.plan, name);
    }
    let interrupts = session.interrupts.clone();
    let mut without_git = None;
    let root = create::create(&args.path, &writes, &mut |_| interrupts.check(), |staged| {
        without_git = vcs::init(staged, &std::path::absolute(&args.path)?, args.vcs)?;
        Ok::<(), Problem>(())
    })?;
    if let Some(reason) = without_git {
        session.output.warning(reason)?;
    }
    report(session, &root, &writes, &designed.name)?;
    match then {
        Some(then) => run::run(session, &root, &args.path, packages(&writes), then),
        None => {
            let next = format!("\nNext:\n\n    cd {}\n    cargo xtask dev\n", args.path.display());
            session.output.note(&next)?;
            Ok(Exit::Done)
        }
    }
}

fn report(session: &mut Session, root: &Path, writes: &[Write], name: &str) -> Result<(), Problem> {
    let own = format!("{}/", lock::FOLDER);
    let files = writes.iter().filter(|write| !write.path.starts_with(&own)).count();
    let path = root.display().to_string();
    session.output.note(&format!("Created `{name}`: {files} files in"))?;
    session.output.result(&Record::Created { path: &path, files }, &path)?;
    Ok(())
}

fn packages(writes: &[Write]) -> usize {
    let lock = writes.iter().find(|write| write.path == "Cargo.lock").and_then(|write| write.text.as_deref());
    lock.map_or(0, |text| text.matches("[[package]]").count())
}

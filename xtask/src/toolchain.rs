//! What this machine has: Rust, a C compiler that links, rustfmt, git, ports, room on the disk.

use std::{
    env,
    ffi::OsStr,
    fs, iter,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};
use generator::{disk::rustfmt::Rustfmt, plan};
use serde::Serialize;

/// The oldest Rust that emitted code compiles with.
const OLDEST_RUST: (u32, u32) = (1, 95);
/// What the build of a workspace takes, roughly, in bytes.
const ROOM: u64 = 3_000_000_000;
const COMPILER_HELP: &str = "install a C compiler: `apt install build-essential` (Debian, Ubuntu), `dnf install gcc` (Fedora), \
     `xcode-select --install` (macOS), the Visual Studio build tools (Windows)";

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub ok: bool,
    /// Nothing builds or runs without it.
    pub needed: bool,
    /// What there is, or what is wrong.
    pub found: String,
    /// What to do, if it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    fn new(name: &'static str, needed: bool, found: Result<String, String>, help: &str) -> Self {
        let ok = found.is_ok();
        let help = (!ok).then(|| help.to_owned());
        Self { name, ok, needed, found: found.unwrap_or_else(|wrong| wrong), help }
    }
}

/// Everything, in the order it is needed: to build a workspace in `folder`, and to run that many services.
pub fn all(folder: &Path, services: usize) -> Vec<Finding> {
    vec![
        rust("rustc", "RUSTC"),
        rust("cargo", "CARGO"),
        compiler(),
        Finding::new(
            "rustfmt",
            false,
            rustfmt().map(|rustfmt| rustfmt.version).ok_or("not found".into()),
            "`rustup component add rustfmt`; without it generated code stays unformatted",
        ),
        Finding::new("git", false, said("git"), "install git; without it `new` makes no repository"),
        Finding::new(
            "ports",
            false,
            ports(services),
            "stop what listens there; `cargo xtask dev` needs them, `dev --free` and `smoke` take others",
        ),
        Finding::new("disk", true, room(folder), "make room: the build of a workspace takes about 3 GB"),
    ]
}

/// Fails with a clear message if a workspace could not even be built.
///
/// # Errors
///
/// If Rust or the C compiler is missing or too old.
pub fn require_build() -> Result<()> {
    for finding in [rust("rustc", "RUSTC"), rust("cargo", "CARGO"), compiler()] {
        if let Finding { name, ok: false, found, help, .. } = finding {
            bail!("{name}: {found}\nhelp: {}", help.unwrap_or_default());
        }
    }
    Ok(())
}

/// The program that cargo would call, too.
pub fn rustfmt() -> Option<Rustfmt> {
    Rustfmt::at(env::var_os("RUSTFMT").unwrap_or("rustfmt".into()))
}

/// The cargo that runs us, or the one of the search path.
pub fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or("cargo".into()))
}

/// A program that may run cargo. What the cargo that runs us says of our own package is left out: the build scripts of
/// others look at it, and would run anew each time.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|own| name.starts_with(own)) {
            command.env_remove(&*name);
        }
    }
    command
}

fn rust(name: &'static str, variable: &str) -> Finding {
    let program = env::var(variable).unwrap_or(name.to_owned());
    let found = said(&program).and_then(|text| {
        let mut numbers =
            text.split_whitespace().nth(1).unwrap_or_default().split(['.', '-']).map_while(|n| n.parse().ok());
        let version = (numbers.next().unwrap_or(0u32), numbers.next().unwrap_or(0u32));
        if version >= OLDEST_RUST { Ok(text) } else { Err(format!("{text} is too old")) }
    });
    let (major, minor) = OLDEST_RUST;
    Finding::new(
        name,
        true,
        found,
        &format!("install Rust {major}.{minor} or newer: https://rustup.rs, `rustup update`"),
    )
}

/// What a program answers to `--version`, in one line.
fn said(program: &str) -> Result<String, String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|_| format!("`{program}` not found"))?;
    let text = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned();
    if output.status.success() { Ok(text) } else { Err(format!("`{program} --version` failed")) }
}

/// Compiles and links a small program, as cargo will for some crates: a compiler without the C library's headers, or
/// without a linker, is none.
fn compiler() -> Finding {
    let (program, file, text) = if cfg!(windows) {
        (env::var("RUSTC").unwrap_or("rustc".into()), "main.rs", "fn main() {}\n")
    } else {
        (
            env::var("CC").unwrap_or("cc".into()),
            "main.c",
            "#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n",
        )
    };
    let tried = || -> Result<String, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::write(folder.path().join(file), text).map_err(|error| error.to_string())?;
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).args([file, "-o", "linked.exe"]).stdin(Stdio::null());
        let output =
            command.output().map_err(|_| format!("there is no `{program}`, which Rust needs to link programs"))?;
        if output.status.success() {
            return Ok(format!("`{program}` compiles and links"));
        }
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(format!("`{program}` does not compile and link a small program: {reason}"))
    };
    Finding::new("C compiler", true, tried(), COMPILER_HELP)
}

/// Whether services, and the pages of what they offer, find the ports free that `dev` gives them.
fn ports(services: usize) -> Result<String, String> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let (free, taken): (Vec<u16>, Vec<u16>) =
        iter::once(plan::PAGES).chain((0..services).map(plan::port)).partition(free);
    let taken: Vec<String> = taken.iter().map(u16::to_string).collect();
    match (free.first(), free.last(), taken.is_empty()) {
        (Some(first), Some(last), true) => Ok(format!("{first} to {last} are free on 127.0.0.1")),
        _ => Err(format!("taken on 127.0.0.1: {}", taken.join(", "))),
    }
}

fn room(folder: &Path) -> Result<String, String> {
    let free = fs4::available_space(folder).map_err(|error| error.to_string())?;
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let text = format!("{:.1} GB free here", free as f64 / 1e9);
    if free >= ROOM { Ok(text) } else { Err(text) }
}

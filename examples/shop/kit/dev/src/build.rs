//! cargo, as the one who runs us has it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::root;

/// What judges pacts, if there are any.
const VERIFIER: &str = "tests/verifier/Cargo.toml";

/// Builds every member, so that all of them share one resolution of features, and shows cargo's own progress.
pub fn workspace() -> Result<()> {
    let status = cargo(&["build", "--workspace", "--bins"])?.status().context("cannot run cargo")?;
    if status.success() { Ok(()) } else { bail!("the workspace does not build") }
}

/// Runs the tests of every member but the kit, which is proved where it comes from; `rest` goes to `cargo test`.
pub fn test(rest: &[&str]) -> Result<()> {
    let status = cargo(&["test", "--workspace", "--exclude", "kit", "--exclude", "kit-*"])?.args(rest).status();
    if status.context("cannot run cargo")?.success() { Ok(()) } else { bail!("a test failed") }
}

/// Whether services of the workspace have pacts with each other.
pub fn has_pacts() -> bool {
    root().is_ok_and(|root| root.join(VERIFIER).is_file())
}

/// Lets those who ask write the pacts that are missing, or all anew, and then holds those who answer to all of them.
pub fn pacts(anew: bool) -> Result<()> {
    let tests =
        |arguments: &[&str]| cargo(&[&["test", "--package", "tests", "--test", "contracts", "--"], arguments].concat());
    let mut write = tests(&["pacts::"])?;
    if anew {
        write.env("PACTS", "write");
    }
    if !write.status().context("cannot run cargo")?.success() {
        bail!("a service asks something else than its pact says");
    }
    // A workspace of its own, built where all else is: what both stand on is built once.
    let here = env::current_exe().context("cannot tell where the build is")?;
    let target = here.parent().and_then(Path::parent).context("cannot tell where the build is")?;
    let built = cargo(&["build", "--manifest-path", VERIFIER, "--target-dir"])?.arg(target).status();
    if !built.context("cannot run cargo")?.success() {
        bail!("the verifier does not build");
    }
    let mut verify = tests(&["--ignored", "keeps_its_pacts"])?;
    let verified = verify.env("PACT_VERIFIER", binary("pact-verifier")?).status();
    if verified.context("cannot run cargo")?.success() { Ok(()) } else { bail!("a service does not keep a pact") }
}

/// Builds and runs a binary of the workspace, with some more environment.
pub fn run(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let mut command = cargo(&["run", "--quiet", "--bin", name, "--"])?;
    command.args(arguments).envs(environment.iter().copied());
    if command.status().context("cannot run cargo")?.success() { Ok(()) } else { bail!("`{name}` failed") }
}

/// Where the build put a binary of the workspace: beside the one that runs now.
pub fn binary(name: &str) -> Result<PathBuf> {
    let here = env::current_exe().context("cannot tell where the build is")?;
    let path = here.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
    if path.is_file() { Ok(path) } else { bail!("{} was not built", path.display()) }
}

/// A call of cargo in the workspace. What the cargo that runs us says of our own package is left out: the build
/// scripts of others look at it, and would run anew each time.
fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    for (name, _) in env::vars() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(root()?);
    Ok(command)
}

//! The command line.
#[cfg(feature = "repository")]
mod repository;

#[cfg(feature = "repository")]
#[derive(clap::Parser)]
struct Line {
    #[command(subcommand)]
    command: repository::Command,
}

#[cfg(feature = "repository")]
fn main() -> anyhow::Result<std::process::ExitCode> {
    repository::run(<Line as clap::Parser>::parse().command)
}

#[cfg(not(feature = "repository"))]
fn main() {}

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{Service, Workspace, build, fleet::Fleet, ports, process};

const HELP: &str = "\
Usage: cargo xtask COMMAND

  dev      build, start every service, show their logs; Ctrl-C stops them
  smoke    build, start every service on free ports, run every flow once, stop
  test     run the workspace's own tests

The design is read by `linkwright`: `linkwright check` says what `linkwright sync` would write.";

/// The `main` of the workspace's `cargo xtask`. Exits with 0 if all is well, 1 if something failed, 2 if the command
/// is none.
pub fn main(workspace: &Workspace) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let work = match words.as_slice() {
        ["dev"] => run(dev(workspace)),
        ["smoke"] => run(smoke(workspace)),
        ["test", rest @ ..] => build::test(rest),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match work {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

async fn dev(workspace: &Workspace) -> Result<()> {
    for service in workspace.services {
        if !ports::is_free(service.port) {
            bail!(
                "port {} is taken, and `{}` listens there: stop what holds it, or give `{}` another port in xtask/src/main.rs",
                service.port,
                service.name,
                service.name
            );
        }
    }
    build::workspace().await?;
    let data = root()?.join(".data");
    let ports: Vec<u16> = workspace.services.iter().map(|service| service.port).collect();
    let mut fleet = Fleet::start(workspace, &ports, &data, true)?;
    let ready = tokio::select! {
        ready = fleet.ready(Duration::from_secs(60)) => ready,
        () = process::interrupted() => Ok(()),
    };
    if let Err(error) = ready {
        fleet.stop().await;
        return Err(error);
    }
    eprintln!("\n{}", table(workspace, &ports));
    if !workspace.tries.is_empty() {
        eprintln!("Try it:\n");
        for line in workspace.tries {
            println!("{}", with_addresses(line, workspace, &ports));
        }
        eprintln!();
    }
    eprintln!("Everything runs. Ctrl-C stops it.\n");
    fleet.watch(process::interrupted()).await;
    eprintln!("\nStopping.");
    fleet.stop().await;
    Ok(())
}

async fn smoke(workspace: &Workspace) -> Result<()> {
    build::workspace().await?;
    let data = env::temp_dir().join(format!("{}-smoke-{}", workspace.name, std::process::id()));
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    let ports = ports::free(workspace.services.len())?;
    let outcome = async {
        let mut fleet = Fleet::start(workspace, &ports, &data, false)?;
        let outcome = tokio::select! {
            outcome = async {
                fleet.ready(Duration::from_secs(60)).await?;
                flows(workspace, &ports, &data).await
            } => outcome,
            () = process::interrupted() => Err(anyhow::anyhow!("interrupted")),
        };
        if outcome.is_err() {
            fleet.show_logs();
        }
        fleet.stop().await;
        outcome
    }
    .await;
    // What is left behind is in the system's folder for such things; failing to remove it spoils nothing.
    let _ = std::fs::remove_dir_all(&data);
    outcome
}

/// Runs the flows of the generated `flows` binary against the running services.
async fn flows(workspace: &Workspace, ports: &[u16], data: &Path) -> Result<()> {
    let mut command = tokio::process::Command::new(build::binary("flows")?);
    for (service, port) in workspace.services.iter().zip(ports) {
        command.env(format!("{}_URL", service.variable), address(*port));
    }
    if workspace.queue {
        command.env("BROKER_URL", crate::fleet::broker_url(data));
    }
    let status = command.kill_on_drop(true).status().await.context("cannot run the flows")?;
    if status.success() { Ok(()) } else { bail!("a flow did not do what the design says") }
}

/// The workspace's root: where its `design.toml` is.
pub(crate) fn root() -> Result<PathBuf> {
    let here = env::current_dir().context("cannot tell the current folder")?;
    let found = here.ancestors().find(|folder| folder.join(".linkwright").is_dir());
    found.map(Path::to_path_buf).with_context(|| format!("{} is in no workspace", here.display()))
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn table(workspace: &Workspace, ports: &[u16]) -> String {
    let wide = workspace.services.iter().map(|s| s.name.len()).max().unwrap_or_default();
    let line = |(Service { name, faces, .. }, port): (&Service, &u16)| {
        let faces = if faces.is_empty() { "health only".to_owned() } else { faces.join(", ") };
        format!("  {name:wide$}  {}  {faces}\n", address(*port))
    };
    workspace.services.iter().zip(ports).map(line).collect()
}

fn with_addresses(line: &str, workspace: &Workspace, ports: &[u16]) -> String {
    let mut line = line.to_owned();
    for (service, port) in workspace.services.iter().zip(ports) {
        line = line.replace(&format!("{{{}_URL}}", service.variable), &address(*port));
        line = line.replace(&format!("{{{}_ADDRESS}}", service.variable), &format!("127.0.0.1:{port}"));
    }
    line
}

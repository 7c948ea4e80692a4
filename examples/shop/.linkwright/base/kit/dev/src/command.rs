use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use kit_pages::{Pages, Site};

use crate::{Service, Workspace, build, fleet::Fleet, ports, process::Interrupt, story::Story};

/// What services may take to start.
const READY: Duration = Duration::from_secs(60);

const COMMANDS: &str = "\
Usage: cargo xtask COMMAND

  dev      build, start every service, show their logs and pages of what they offer; Ctrl-C stops them;
           with --free on ports that are free
  smoke    build, start every service on free ports, run every flow once, stop
  test     run the workspace's own tests
";
const MESSAGES: &str = "  messages list | show | replay | drop | forget: what is in the queue of `dev`\n";
const PACTS: &str = "  pacts    write what services ask of each other, or with --write anew, and hold them to it\n";
const DESIGN: &str =
    "\nThe design is read by `linkwright`: `linkwright check` says what `linkwright sync` would write.";

fn help(workspace: &Workspace) -> String {
    let messages = if workspace.queue { MESSAGES } else { "" };
    let pacts = if build::has_pacts() { PACTS } else { "" };
    format!("{COMMANDS}{pacts}{messages}{DESIGN}")
}

/// The `main` of the workspace's `cargo xtask`. Exits with 0 if all is well, 1 if something failed, 2 if the command
/// is none.
pub fn main(workspace: &Workspace) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let work = match words.as_slice() {
        ["dev"] => dev(workspace, false),
        ["dev", "--free"] => dev(workspace, true),
        ["smoke"] => smoke(workspace),
        ["test", rest @ ..] => build::test(rest),
        ["pacts"] if build::has_pacts() => build::pacts(false),
        ["pacts", "--write"] if build::has_pacts() => build::pacts(true),
        ["messages", rest @ ..] if workspace.queue => messages(rest),
        ["help" | "--help" | "-h"] => {
            println!("{}", help(workspace));
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{}", help(workspace));
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

fn dev(workspace: &Workspace, free: bool) -> Result<()> {
    let stop = Interrupt::install()?;
    let taken = |port: u16, what: &str| {
        anyhow!("port {port} is taken, and {what} there: stop what holds it, or run `cargo xtask dev --free`")
    };
    let pages = Pages::listen(if free { 0 } else { workspace.pages })
        .map_err(|_| taken(workspace.pages, "the pages of the services are"))?;
    let ports: Vec<u16> = match free {
        true => ports::free(workspace.services.len())?,
        false => workspace.services.iter().map(|service| service.port).collect(),
    };
    for (Service { name, .. }, port) in workspace.services.iter().zip(&ports) {
        if !ports::is_free(*port) {
            return Err(taken(*port, &format!("`{name}` listens")));
        }
    }
    build::workspace()?;
    let data = root()?.join(".data");
    let mut fleet = Fleet::start(workspace, &ports, &data, true, &stop)?;
    if let Err(error) = fleet.ready(READY) {
        fleet.stop();
        return Err(error);
    }
    eprintln!("\n{}", table(workspace, &ports));
    eprintln!("What they offer, to read and to try: {}\n", address(pages.port()?));
    pages.show(site(workspace, &ports)?)?;
    if !workspace.tries.is_empty() {
        eprintln!("Try it:\n");
        for line in workspace.tries {
            println!("{}", with_addresses(line, workspace, &ports));
        }
        eprintln!();
    }
    if let Some(walk) = workspace.walk {
        eprintln!("One request, followed through the system: {walk}\n");
        let mut flow = None;
        fleet.follow_through(|story| flow = Some(walk_through(workspace, &ports, &data, walk, story)));
        // What became of it was told by the services; a request that fails is no reason to stop them.
        if let Some(Err(error)) = flow.map(|flow| flow.and_then(|mut child| Ok(child.wait()?))) {
            eprintln!("{error:#}");
        }
        eprintln!();
    }
    eprintln!("Everything runs. Ctrl-C stops it.\n");
    fleet.watch();
    eprintln!("\nStopping.");
    fleet.stop();
    Ok(())
}

fn smoke(workspace: &Workspace) -> Result<()> {
    let stop = Interrupt::install()?;
    build::workspace()?;
    let data = env::temp_dir().join(format!("{}-smoke-{}", workspace.name, std::process::id()));
    let ports = ports::free(workspace.services.len())?;
    let fleet = Fleet::start(workspace, &ports, &data, false, &stop)?;
    let outcome = fleet.ready(READY).and_then(|()| flows(workspace, &ports, &data, &stop));
    if outcome.is_err() {
        fleet.show_logs();
    }
    fleet.stop();
    // What is left behind is in the system's folder for such things; failing to remove it spoils nothing.
    let _ = std::fs::remove_dir_all(&data);
    outcome
}

/// Runs the flows of the generated `flows` binary against the running services.
fn flows(workspace: &Workspace, ports: &[u16], data: &Path, stop: &Interrupt) -> Result<()> {
    let mut child = flows_command(workspace, ports, data)?.spawn().context("cannot run the flows")?;
    loop {
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(()) } else { Err(anyhow!("a flow did not do what the design says")) };
        }
        if stop.wait(Duration::from_millis(20)) {
            // It ends with us.
            let _ = child.kill();
            bail!("interrupted");
        }
    }
}

fn walk_through(workspace: &Workspace, ports: &[u16], data: &Path, flow: &str, story: &Story) -> Result<Child> {
    let mut command = flows_command(workspace, ports, data)?;
    command.arg(flow).env("TRACEPARENT", story.traceparent()).stdout(Stdio::null());
    command.spawn().context("cannot run the flow")
}

/// The generated `flows` binary, told where the services are.
fn flows_command(workspace: &Workspace, ports: &[u16], data: &Path) -> Result<Command> {
    let mut command = Command::new(build::binary("flows")?);
    for (service, port) in workspace.services.iter().zip(ports) {
        command.env(format!("{}_URL", service.variable), address(*port));
    }
    if workspace.queue {
        command.env("BROKER_URL", crate::fleet::broker_url(data));
    }
    Ok(command)
}

/// Runs the generated `messages` binary on the queue that `dev` uses.
fn messages(arguments: &[&str]) -> Result<()> {
    build::run("messages", arguments, &[("BROKER_URL", &crate::fleet::broker_url(&root()?.join(".data")))])
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

/// What the pages show.
fn site(workspace: &Workspace, ports: &[u16]) -> Result<Site> {
    let shown = |(service, port): (&Service, &u16)| kit_pages::Service {
        name: service.name,
        port: *port,
        documents: service.documents,
    };
    let services = workspace.services.iter().zip(ports).map(shown).collect();
    Ok(Site { root: root()?, name: workspace.name, services })
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

//! The services as processes: started, watched, restarted, stopped.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    Service, Workspace, build,
    logs::Logs,
    process::{Interrupt, Running},
    story::Story,
};

/// What a service may take to end after it was asked to.
const STOP: Duration = Duration::from_secs(15);
/// A service that ran for less than this is restarted later each time.
const STABLE: Duration = Duration::from_secs(10);

/// What is logged where people look on: each request and each message too.
const LOG: &str = "info,kit_http::edge=debug,kit_messaging::consumer=debug";

/// All services of a workspace, running.
pub struct Fleet {
    members: Vec<Member>,
    logs: Logs,
    stop: Interrupt,
}

struct Member {
    number: usize,
    service: Service,
    port: u16,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    child: Running,
    started: Instant,
    crashes: u32,
}

/// The queue that all services of a workspace share. No service keeps its own things in a file of that name.
pub fn broker_url(data: &Path) -> String {
    format!("sqlite:{}", data.join("queue.sqlite").display())
}

impl Fleet {
    /// Starts every service, and keeps them until somebody interrupts. `data` is where they keep what they keep.
    pub fn start(workspace: &Workspace, ports: &[u16], data: &Path, live: bool, stop: &Interrupt) -> Result<Self> {
        std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
        let mut shared: Vec<(String, String)> = Vec::new();
        for (service, port) in workspace.services.iter().zip(ports) {
            shared.push((format!("{}_URL", service.variable), format!("http://127.0.0.1:{port}")));
        }
        if workspace.queue {
            shared.push(("BROKER_URL".into(), broker_url(data)));
        }
        let logs = Logs::new(live, workspace.services.iter().map(|s| s.name.len()).max().unwrap_or_default());
        let mut members = Vec::new();
        for (number, (service, port)) in workspace.services.iter().zip(ports).enumerate() {
            let mut environment = shared.clone();
            environment.push((format!("{}__SERVER__LISTEN", service.variable), format!("127.0.0.1:{port}")));
            environment.push((format!("{}__DEVELOPMENT", service.variable), "true".into()));
            // They write to us, not to a terminal; people read it all the same.
            environment.push((format!("{}__LOG_FORMAT", service.variable), "text".into()));
            if live {
                environment.push((format!("{}__LOG", service.variable), LOG.into()));
            }
            if service.limited && !live {
                // The flows are one caller, who is in a hurry.
                environment.push((format!("{}__LIMITS__ENABLED", service.variable), "false".into()));
            }
            if service.store {
                let file = data.join(format!("{}.db", service.name));
                environment.push(("DATABASE_URL".into(), format!("sqlite:{}", file.display())));
            }
            let binary = build::binary(service.binary)?;
            let child = launch(stop, number, service, &binary, &environment, &logs)?;
            let started = Instant::now();
            members.push(Member {
                number,
                service: *service,
                port: *port,
                binary,
                environment,
                child,
                started,
                crashes: 0,
            });
        }
        Ok(Self { members, logs, stop: stop.clone() })
    }

    /// Comes back when every service says that it is ready.
    pub fn ready(&self, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        for member in &self.members {
            let name = member.service.name;
            while !answers(member.port) {
                if let Some(status) = member.child.ended()? {
                    bail!("`{name}` ended while it started: {status}");
                }
                if Instant::now() > end {
                    bail!("`{name}` is not ready after {} s", limit.as_secs());
                }
                if self.stop.wait(Duration::from_millis(20)) {
                    bail!("interrupted");
                }
            }
        }
        Ok(())
    }

    /// Restarts what crashes, until somebody interrupts.
    pub fn watch(&mut self) {
        while !self.stop.wait(Duration::from_millis(200)) {
            for member in &mut self.members {
                let Ok(Some(status)) = member.child.ended() else { continue };
                member.crashes = if member.started.elapsed() > STABLE { 1 } else { member.crashes + 1 };
                let pause = Duration::from_millis(200) * 2u32.pow(member.crashes.min(6));
                let said = format!("ended: {status}; starts again in {} ms", pause.as_millis());
                self.logs.line(member.number, member.service.name, &said);
                if self.stop.wait(pause) {
                    return;
                }
                match launch(
                    &self.stop,
                    member.number,
                    &member.service,
                    &member.binary,
                    &member.environment,
                    &self.logs,
                ) {
                    Ok(child) => (member.child, member.started) = (child, Instant::now()),
                    Err(error) => self.logs.line(member.number, member.service.name, &format!("{error:#}")),
                }
            }
        }
    }

    /// Tells what the services log of one trace, which `begin` starts.
    pub fn follow_through(&self, begin: impl FnOnce(&Story)) {
        self.logs.follow_through(begin, || self.stop.wait(Duration::from_millis(20)));
    }

    /// Shows the logs kept so far.
    pub fn show_logs(&self) {
        self.logs.show();
    }

    /// Asks all to stop, waits, and ends what did not.
    pub fn stop(self) {
        for member in &self.members {
            member.child.ask_to_stop();
        }
        let end = Instant::now() + STOP;
        for member in &self.members {
            while matches!(member.child.ended(), Ok(None)) {
                if Instant::now() > end {
                    self.logs.line(member.number, member.service.name, "does not stop in time and is ended");
                    break;
                }
                sleep(Duration::from_millis(10));
            }
        }
    }
}

fn launch(
    stop: &Interrupt,
    number: usize,
    service: &Service,
    binary: &Path,
    environment: &[(String, String)],
    logs: &Logs,
) -> Result<Running> {
    let mut command = Command::new(binary);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = stop.start(&mut command).with_context(|| format!("cannot start {}", binary.display()))?;
    let (stdout, stderr) = child.outputs();
    if let Some(output) = stdout {
        logs.follow(number, service.name, output);
    }
    if let Some(output) = stderr {
        logs.follow(number, service.name, output);
    }
    Ok(child)
}

/// The service says that it is ready.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /-/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

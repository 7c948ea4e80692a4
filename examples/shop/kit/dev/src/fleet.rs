//! The services as processes: started, watched, restarted, stopped.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    Service, Workspace, build,
    logs::Logs,
    process::{self, Interrupt},
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
}

struct Member {
    number: usize,
    service: Service,
    port: u16,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    child: Child,
    started: Instant,
    crashes: u32,
}

/// The queue that all services of a workspace share. No service keeps its own things in a file of that name.
pub fn broker_url(data: &Path) -> String {
    format!("sqlite:{}", data.join("queue.sqlite").display())
}

impl Fleet {
    /// Starts every service. `data` is where they keep what they keep.
    pub fn start(workspace: &Workspace, ports: &[u16], data: &Path, live: bool) -> Result<Self> {
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
            // They write to us, not to a terminal; people read it all the same.
            environment.push((format!("{}__LOG_FORMAT", service.variable), "text".into()));
            if live {
                environment.push((format!("{}__LOG", service.variable), LOG.into()));
            }
            if service.store {
                let file = data.join(format!("{}.db", service.name));
                environment.push(("DATABASE_URL".into(), format!("sqlite:{}", file.display())));
            }
            let binary = build::binary(service.binary)?;
            let child = launch(number, service, &binary, &environment, &logs)?;
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
        Ok(Self { members, logs })
    }

    /// Comes back when every service says that it is ready.
    pub fn ready(&mut self, limit: Duration, stop: &Interrupt) -> Result<()> {
        let end = Instant::now() + limit;
        for member in &mut self.members {
            let name = member.service.name;
            while !answers(member.port) {
                if let Some(status) = member.child.try_wait()? {
                    bail!("`{name}` ended while it started: {status}");
                }
                if Instant::now() > end {
                    bail!("`{name}` is not ready after {} s", limit.as_secs());
                }
                if stop.wait(Duration::from_millis(20)) {
                    bail!("interrupted");
                }
            }
        }
        Ok(())
    }

    /// Restarts what crashes, until somebody interrupts.
    pub fn watch(&mut self, stop: &Interrupt) {
        while !stop.wait(Duration::from_millis(200)) {
            for member in &mut self.members {
                let Ok(Some(status)) = member.child.try_wait() else { continue };
                member.crashes = if member.started.elapsed() > STABLE { 1 } else { member.crashes + 1 };
                let pause = Duration::from_millis(200) * 2u32.pow(member.crashes.min(6));
                let said = format!("ended: {status}; starts again in {} ms", pause.as_millis());
                self.logs.line(member.number, member.service.name, &said);
                if stop.wait(pause) {
                    return;
                }
                match launch(member.number, &member.service, &member.binary, &member.environment, &self.logs) {
                    Ok(child) => (member.child, member.started) = (child, Instant::now()),
                    Err(error) => self.logs.line(member.number, member.service.name, &format!("{error:#}")),
                }
            }
        }
    }

    /// Tells what the services log of one trace, which `begin` starts.
    pub fn follow_through(&self, stop: &Interrupt, begin: impl FnOnce(&Story)) {
        self.logs.follow_through(begin, || stop.wait(Duration::from_millis(20)));
    }

    /// Shows the logs kept so far.
    pub fn show_logs(&self) {
        self.logs.show();
    }

    /// Asks all to stop, waits, and ends what did not.
    pub fn stop(mut self) {
        for member in &mut self.members {
            process::ask_to_stop(&mut member.child);
        }
        let end = Instant::now() + STOP;
        for member in &mut self.members {
            while matches!(member.child.try_wait(), Ok(None)) {
                if Instant::now() > end {
                    self.logs.line(member.number, member.service.name, "did not stop in time and was ended");
                    // It may have ended in between.
                    let _ = member.child.kill();
                    let _ = member.child.wait();
                    break;
                }
                sleep(Duration::from_millis(10));
            }
        }
    }
}

/// A service that outlives us would hold its port.
impl Drop for Member {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn launch(
    number: usize,
    service: &Service,
    binary: &Path,
    environment: &[(String, String)],
    logs: &Logs,
) -> Result<Child> {
    let mut command = Command::new(binary);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    process::detach(&mut command);
    let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
    if let Some(output) = child.stdout.take() {
        logs.follow(number, service.name, output);
    }
    if let Some(output) = child.stderr.take() {
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

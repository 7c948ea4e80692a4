//! The services of a workspace as processes that can be killed.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    env, fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use ureq::{Agent, http::HeaderMap};

use crate::proxy::Proxy;

pub const FRONT: &str = "front";
pub const ORDERS: &str = "orders";
pub const INVENTORY: &str = "inventory";
pub const BILLING: &str = "billing";
pub const SHIPPING: &str = "shipping";
const ALL: [&str; 5] = [FRONT, ORDERS, INVENTORY, BILLING, SHIPPING];

/// What a service may take to start.
const START: Duration = Duration::from_secs(30);
/// What a customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    /// A customer's connections.
    static AGENT: RefCell<Agent> = RefCell::new(
        Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build().into()
    );
}

pub struct Shop {
    programs: PathBuf,
    services: &'static [&'static str],
    data: TempDir,
    ports: BTreeMap<&'static str, u16>,
    /// What single services are told besides: variables of their environment.
    settings: BTreeMap<&'static str, Vec<(String, String)>>,
    running: Mutex<BTreeMap<&'static str, Child>>,
}

impl Shop {
    /// All services of the shop, ready, with fresh data.
    pub fn start() -> Self {
        let shop = Self::new();
        shop.launch_all();
        shop
    }

    /// Nothing runs yet.
    pub fn new() -> Self {
        Self::of("SHOP_PROGRAMS", &ALL)
    }

    /// Those of another workspace, whose programs are in the folder that the variable names. Nothing runs yet.
    pub fn of(programs: &str, services: &'static [&'static str]) -> Self {
        let programs = env::var_os(programs)
            .unwrap_or_else(|| panic!("{programs} is not set: run `cargo xtask test --stage outage`"))
            .into();
        // All are taken before one is given back, so that they differ.
        let taken: Vec<_> = services.iter().map(|name| (*name, TcpListener::bind(("127.0.0.1", 0)).unwrap())).collect();
        let ports = taken.iter().map(|(name, listener)| (*name, listener.local_addr().unwrap().port())).collect();
        drop(taken);
        let (data, settings) = (tempfile::tempdir().unwrap(), BTreeMap::new());
        Self { programs, services, data, ports, settings, running: Mutex::default() }
    }

    pub fn launch_all(&self) {
        self.services.iter().for_each(|service| self.launch(service));
        self.services.iter().for_each(|service| self.ready(service));
    }

    /// Before it is launched: another value for a setting, `ORDERS__SERVER__IN_FLIGHT`.
    pub fn set(&mut self, service: &'static str, variable: &str, value: &str) {
        self.settings.entry(service).or_default().push((variable.into(), value.into()));
    }

    /// Before it is launched: one service calls another through a proxy.
    pub fn proxy(&mut self, from: &'static str, to: &str) -> Proxy {
        let proxy = Proxy::start(self.ports[to]);
        self.set(from, &format!("{}_URL", to.to_uppercase()), &format!("http://127.0.0.1:{}", proxy.port()));
        proxy
    }

    pub fn launch(&self, service: &'static str) {
        let data = |file: &str| format!("sqlite:{}", self.data.path().join(file).display());
        let log = fs::File::options().append(true).create(true).open(self.data.path().join(format!("{service}.log")));
        let mut command = Command::new(self.programs.join(service.replace('_', "-")));
        for (name, port) in &self.ports {
            command.env(format!("{}_URL", name.to_uppercase()), format!("http://127.0.0.1:{port}"));
        }
        command
            .env(format!("{}__SERVER__LISTEN", service.to_uppercase()), format!("127.0.0.1:{}", self.ports[service]))
            .env("DATABASE_URL", data(&format!("{service}.db")))
            .env("BROKER_URL", data("queue.db"))
            .envs(self.settings.get(service).into_iter().flatten().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        self.running().insert(service, child);
    }

    /// `kill -9`.
    pub fn kill(&self, service: &str) {
        let mut child = self.running().remove(service).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends a signal to a service that goes on running: `STOP`, `CONT`.
    pub fn signal(&self, service: &str, signal: &str) {
        let pid = self.running()[service].id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    /// What becomes of a service that was told to end.
    pub fn ended(&self, service: &str) -> ExitStatus {
        let mut child = self.running().remove(service).unwrap();
        child.wait().unwrap()
    }

    pub fn stop(&self) {
        self.services.iter().for_each(|service| self.kill(service));
    }

    pub fn ready(&self, service: &str) {
        let ready = self.wait(START, || match self.call(|agent| agent.get(self.url(service, "/-/ready")).call()) {
            Some((200, _)) => Ok(()),
            other => Err(format!("{service} is not ready: {other:?}")),
        });
        ready.unwrap();
    }

    /// Asks until something is so; gives the last answer if it never is.
    pub fn wait(&self, limit: Duration, so: impl Fn() -> Result<(), String>) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            match so() {
                Err(_) if Instant::now() < end => thread::sleep(Duration::from_millis(100)),
                last => return last,
            }
        }
    }

    /// Status and JSON; 0 if nobody answered.
    pub fn post(&self, service: &str, path: &str, body: &Value) -> (u16, Value) {
        self.call(|agent| agent.post(self.url(service, path)).send_json(body)).unwrap_or_default()
    }

    /// The same of someone who waits no longer than this; with the headers of the answer.
    pub fn post_within(&self, limit: Duration, service: &str, path: &str, body: &Value) -> (u16, HeaderMap, Value) {
        let request = |agent: &Agent| {
            agent
                .post(self.url(service, path))
                .header("request-timeout-ms", limit.as_millis().to_string())
                .send_json(body)
        };
        let Ok(mut answer) = AGENT.with_borrow(request) else { return Default::default() };
        let json = answer.body_mut().read_json().unwrap_or_default();
        (answer.status().as_u16(), answer.headers().clone(), json)
    }

    pub fn put(&self, service: &str, path: &str, body: &Value) -> (u16, Value) {
        self.call(|agent| agent.put(self.url(service, path)).send_json(body)).unwrap_or_default()
    }

    pub fn get(&self, service: &str, path: &str) -> Value {
        self.call(|agent| agent.get(self.url(service, path)).call()).unwrap_or_default().1
    }

    /// Status, JSON and the header of this name.
    pub fn get_with(&self, service: &str, path: &str, header: &str) -> (u16, Value, Option<String>) {
        let mut told = None;
        let answer = self.call(|agent| {
            let answer = agent.get(self.url(service, path)).call()?;
            told = answer.headers().get(header).and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok(answer)
        });
        let (status, body) = answer.unwrap_or_default();
        (status, body, told)
    }

    fn call(
        &self,
        call: impl FnOnce(&Agent) -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Option<(u16, Value)> {
        let mut answer = AGENT.with_borrow(call).ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.body_mut().read_json().unwrap_or_default()))
    }

    fn url(&self, service: &str, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[service])
    }

    /// What a service has in its store: one number.
    pub fn number(&self, service: &str, query: &str) -> i64 {
        self.ask(&format!("{service}.db"), query)
    }

    /// What a service has in its store: one column.
    pub fn texts(&self, service: &str, query: &str) -> BTreeSet<String> {
        let store = self.open(&format!("{service}.db"));
        let mut query = store.prepare(query).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// What is in the queue.
    pub fn queue(&self, query: &str) -> i64 {
        self.ask("queue.db", query)
    }

    fn ask(&self, file: &str, query: &str) -> i64 {
        self.open(file).query_row(query, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    fn open(&self, file: &str) -> Connection {
        // To read a store whose service was killed, its log has to be recovered, which is writing.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Connection::open_with_flags(self.data.path().join(file), flags).unwrap();
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        store
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        for child in self.running().values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            for service in self.services {
                let log = fs::read_to_string(self.data.path().join(format!("{service}.log"))).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let last = &lines[lines.len().saturating_sub(40)..];
                println!("── {service}\n{}", last.join("\n"));
            }
        }
    }
}

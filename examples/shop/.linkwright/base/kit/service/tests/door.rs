//! A whole service from outside: `examples/door.rs` as a process, its exit codes, its signals, what it says.
#![cfg(unix)]

use std::{net::TcpListener, path::PathBuf, process::Stdio};

use reqwest::Response;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

fn door() -> Command {
    // Cargo builds examples beside the folder of the tests.
    let mut program = PathBuf::from(std::env::current_exe().unwrap().parent().unwrap().parent().unwrap());
    program.extend(["examples", "door"]);
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .env_remove("RUST_LOG");
    command
}

/// The exit code, and the lines on both outputs, of a process that ends by itself.
async fn ended(command: &mut Command) -> (i32, Vec<String>, Vec<String>) {
    let output = command.output().await.unwrap();
    let lines = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines(output.stdout), lines(output.stderr))
}

/// A door that is open.
struct Open {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    base: String,
}

impl Open {
    async fn new(command: &mut Command) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut process = command.env("DOOR__LOG_FORMAT", "text").spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut open = Self { process, log, base: String::new() };
        let line = open.line("listens at").await;
        open.base = line.rsplit_once(' ').unwrap().1.to_owned();
        open
    }

    /// The next line of the log with these words.
    async fn line(&mut self, words: &str) -> String {
        loop {
            let line = self.log.next_line().await.unwrap().unwrap_or_else(|| panic!("the log ended without {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    async fn get(&self, path: &str) -> Response {
        reqwest::get(format!("{}{path}", self.base)).await.unwrap()
    }

    /// A request that is under way.
    async fn knock(&mut self) -> tokio::task::JoinHandle<reqwest::Result<Response>> {
        let knock = tokio::spawn(reqwest::get(format!("{}/knock", self.base)));
        self.line("knock").await;
        knock
    }

    async fn signal(&self, name: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().await.unwrap().success());
    }

    async fn exit_code(&mut self) -> Option<i32> {
        self.process.wait().await.unwrap().code()
    }
}

#[tokio::test]
async fn it_says_where_it_is_and_how_it_feels() {
    let mut open = Open::new(door().env("BELL_URL", "http://u:p@bell:80")).await;
    assert_eq!(open.log.next_line().await.unwrap().unwrap(), "  door → bell  http://u:***@bell:80");
    assert_eq!(open.log.next_line().await.unwrap().unwrap(), "  store        postgres://door:***@db/door");
    assert_eq!(open.get("/-/live").await.text().await.unwrap(), r#"{"live":true}"#);
    let ready = open.get("/-/ready").await;
    assert_eq!(ready.status(), 200);
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready, serde_json::json!({ "ready": true, "checks": { "hinges": "ok", "watch": "ok", "book": "ok" } }));
    let links: Value = open.get("/-/links").await.json().await.unwrap();
    assert_eq!(links[0]["link"], "door → bell");
    let problem: Value = open.get("/nowhere").await.json().await.unwrap();
    assert_eq!(problem["status"], 404);
    let fallen: Value = open.get("/fall").await.json().await.unwrap();
    let line = open.line("panic: secret").await;
    assert!(line.contains(fallen["trace_id"].as_str().unwrap()), "{line}");
    open.signal("TERM").await;
    open.line("stopped").await;
    assert_eq!(open.exit_code().await, Some(0));
}

#[tokio::test]
async fn work_beside_the_requests_that_ends_makes_it_unready() {
    for trouble in ["task", "panic"] {
        let mut open = Open::new(door().env("DOOR__DOOR__TROUBLE", trouble).env("DOOR__DOOR__TAKES", "0ms")).await;
        assert_eq!(open.get("/-/ready").await.status(), 200);
        assert_eq!(open.get("/knock").await.status(), 200);
        open.line("ended by itself").await;
        let ready = open.get("/-/ready").await;
        assert_eq!(ready.status(), 503);
        assert_eq!(ready.json::<Value>().await.unwrap()["checks"]["watch"], "failed");
        assert_eq!(open.get("/-/live").await.status(), 200);
        open.signal("INT").await;
        assert_eq!(open.exit_code().await, Some(0));
    }
}

#[tokio::test]
async fn what_is_under_way_is_finished() {
    let mut open = Open::new(door().env("DOOR__DOOR__TAKES", "300ms").env("DOOR__NOTICE", "1h")).await;
    let knock = open.knock().await;
    open.signal("TERM").await;
    open.line("the sign says closed").await;
    let ready = open.get("/-/ready").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["checks"]["service"], "is stopping");
    assert_eq!(knock.await.unwrap().unwrap().text().await.unwrap(), "come in");
    assert_eq!(open.get("/knock").await.status(), 200, "it serves until everyone has noticed");

    let mut open = Open::new(door().env("DOOR__DOOR__TAKES", "300ms")).await;
    let knock = open.knock().await;
    open.signal("TERM").await;
    assert!(open.line("the book is closed").await.contains("let_in=1"), "what is last comes after all the rest");
    assert_eq!(knock.await.unwrap().unwrap().text().await.unwrap(), "come in");
    open.line("stopped").await;
    assert_eq!(open.exit_code().await, Some(0));
}

#[tokio::test]
async fn what_cannot_be_finished_is_cut_and_told() {
    let mut open = Open::new(door().env("DOOR__DRAIN", "200ms").env("DOOR__DOOR__TROUBLE", "deaf")).await;
    let knock = open.knock().await;
    open.signal("INT").await;
    assert!(open.line("connections were cut").await.contains("cut=1"));
    assert!(open.line("background tasks were cut").await.contains("late=1"));
    open.line("stopped").await;
    assert_eq!(open.exit_code().await, Some(0));
    assert!(knock.await.unwrap().is_err());
}

#[tokio::test]
async fn asked_twice_it_ends_at_once() {
    let mut open = Open::new(door().env("DOOR__DRAIN", "1h")).await;
    let _knock = open.knock().await;
    open.signal("TERM").await;
    open.line("stopping").await;
    open.signal("TERM").await;
    assert_eq!(open.exit_code().await, Some(1));
}

#[tokio::test]
async fn asked_to_stop_before_it_has_started() {
    let mut process = door().env("DOOR__DOOR__TROUBLE", "slow start").spawn().unwrap();
    let id = process.id().unwrap().to_string();
    while !hears_sigterm(&id).await {
        tokio::task::yield_now().await;
    }
    assert!(Command::new("kill").arg(&id).status().await.unwrap().success());
    assert_eq!(process.wait().await.unwrap().code(), Some(0));
}

/// Whether the process has a handler for SIGTERM, which is number 15.
async fn hears_sigterm(id: &str) -> bool {
    let status = tokio::fs::read_to_string(format!("/proc/{id}/status")).await.unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> 14 & 1 == 1)
}

#[tokio::test]
async fn what_cannot_start_says_why_in_a_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "\n[server]\ndrian = \"5s\"\n").unwrap();
    let file = file.path().to_str().unwrap();
    let port = format!(
        "door: cannot listen at {address}: another process has the port (`listen` in [server], from DOOR__LISTEN)"
    );
    let bad_file = format!("door: {file}:3: `server.drian`: is not known here");
    for (variable, text, arguments, code, line) in [
        ("DOOR__LISTEN", address.as_str(), &[][..], 1, port.as_str()),
        ("DOOR__DOOR__TROUBLE", "start", &[], 1, "door: cannot start: there is no door"),
        ("DOOR__DOOR__TRUBLE", "start", &[], 64, "door: DOOR__DOOR__TRUBLE: `door.truble`: is not known here"),
        ("X", "", &["--config", file], 64, &bad_file),
        ("X", "", &["--confg"], 64, "door: unknown argument \"--confg\": see door --help"),
        (
            "DOOR__LOG",
            "a=b=c",
            &[],
            64,
            "door: DOOR__LOG: `server.log`: \"a=b=c\" is not a filter as \"info\" or \"orders=debug,info\"",
        ),
    ] {
        let mut command = door();
        command.env("DOOR__LOG_FORMAT", "text").env(variable, text).args(arguments);
        assert_eq!(ended(&mut command).await, (code, vec![], vec![line.to_owned()]));
    }
}

#[tokio::test]
async fn it_can_be_asked_about_its_configuration() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "[door]\ntakes = \"1s\"\n").unwrap();
    let file = file.path().to_str().unwrap();
    let right = vec!["door: the configuration is right".to_owned()];
    assert_eq!(ended(door().args(["--config", file, "--check-config"])).await, (0, right, vec![]));
    let (code, help, _) = ended(door().arg("--help")).await;
    assert_eq!((code, help[0].as_str()), (0, "Usage: door [--config FILE] [--check-config]"));
}

#[tokio::test]
async fn a_collector_gets_json() {
    let mut process = door().env("DOOR__DOOR__TAKES", "0ms").spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut next = async || serde_json::from_str::<Value>(&log.next_line().await.unwrap().unwrap()).unwrap();
    let listening = next().await;
    assert_eq!((listening["message"].as_str(), listening["service"].as_str()), (Some("listening"), Some("door")));
    assert_eq!(next().await["what"], "door → bell");
    assert_eq!(next().await["place"], "postgres://door:***@db/door");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(format!("{}/knock", listening["address"].as_str().unwrap())).await.unwrap();
    let knock = next().await;
    assert_eq!((knock["message"].as_str(), knock["level"].as_str()), (Some("knock"), Some("INFO")));
    assert_eq!(knock["spans"][0]["trace_id"], answer.headers()["trace-id"].to_str().unwrap());
    let failed = ended(door().env("DOOR__DOOR__TROUBLE", "start")).await;
    let line: Value = serde_json::from_str(&failed.2[0]).unwrap();
    assert_eq!((failed.0, line["error"].as_str()), (1, Some("cannot start: there is no door")));
}

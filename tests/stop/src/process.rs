//! The service as a process.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use kit_messaging::{Broker, Sender, SubscriptionStats};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

/// Longer than anything takes here.
pub const LONG: Duration = Duration::from_secs(30);

pub struct Desk {
    /// `http://127.0.0.1:40123`
    pub url: String,
    process: Child,
    log: watch::Receiver<Vec<String>>,
    broker: Arc<dyn Broker>,
    _data: TempDir,
}

impl Desk {
    /// With these variables, at a free port and with an empty queue.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        // Cargo builds programs beside the folder of the tests.
        let here = std::env::current_exe().unwrap();
        let program: PathBuf = [here.parent().unwrap().parent().unwrap(), "desk".as_ref()].iter().collect();
        let data = tempfile::tempdir().unwrap();
        let queue = format!("sqlite:{}", data.path().join("queue.sqlite").display());
        let mut command = Command::new(program);
        command.env("DESK__LISTEN", "127.0.0.1:0").env("DESK__LOG_FORMAT", "text").env("BROKER_URL", &queue);
        command.envs(variables.iter().copied()).env_remove("RUST_LOG").kill_on_drop(true);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (written, log) = watch::channel(Vec::new());
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                written.send_modify(|all: &mut Vec<String>| all.push(line));
            }
        });
        let broker = kit_messaging::connect(&queue).await.unwrap();
        let mut desk = Self { url: String::new(), process, log, broker, _data: data };
        desk.url = desk.line("listens at").await.rsplit_once(' ').unwrap().1.to_owned();
        desk
    }

    /// The first line of the log with these words, once it is there.
    pub async fn line(&self, words: &str) -> String {
        let mut log = self.log.clone();
        let lines = timeout(LONG, log.wait_for(|lines| lines.iter().any(|line| line.contains(words)))).await;
        let lines = lines.unwrap_or_else(|_| panic!("the log never says {words:?}")).unwrap();
        lines.iter().find(|line| line.contains(words)).unwrap().clone()
    }

    /// Whether the log has a line with these words.
    pub fn has_said(&self, words: &str) -> bool {
        self.log.borrow().iter().any(|line| line.contains(words))
    }

    pub async fn terminate(&self) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().await.unwrap().success());
    }

    pub async fn ended(&mut self) -> ExitStatus {
        timeout(LONG, self.process.wait()).await.expect("the service does not end").unwrap()
    }

    /// Who puts commands into the queue.
    pub fn sender(&self) -> Sender {
        Sender::new("/stop", self.broker.clone())
    }

    /// What has become of the commands.
    pub async fn commands(&self) -> SubscriptionStats {
        self.broker.stats().await.unwrap().into_iter().find(|stats| stats.subscription == "desk.work").unwrap()
    }
}

//! Signals and children. On Unix services run in process groups of their own, so that Ctrl-C in the terminal reaches
//! only us and everything stops in order; on Windows they are ended.

use std::{
    io,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use anyhow::{Context, Result};

/// Someone wants us to stop: Ctrl-C, or SIGTERM.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Default)]
struct Shared {
    told: Mutex<bool>,
    changed: Condvar,
    running: Mutex<Vec<Weak<Mutex<Child>>>>,
}

impl Interrupt {
    /// Takes over the process's signals. A second one ends it at once, and what it has [started](Self::start) with it.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        let shared = interrupt.0.clone();
        ctrlc::set_handler(move || {
            let mut told = lock(&shared.told);
            if *told {
                // Kept locked to the end: nobody starts another.
                let running = lock(&shared.running);
                for child in running.iter().filter_map(Weak::upgrade) {
                    // It may have ended by itself.
                    let _ = lock(&child).kill();
                }
                std::process::exit(130);
            }
            *told = true;
            shared.changed.notify_all();
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Waits as long as nobody interrupts. `true`: somebody has.
    pub fn wait(&self, span: Duration) -> bool {
        let told = lock(&self.0.told);
        let (told, _) =
            self.0.changed.wait_timeout_while(told, span, |told| !*told).unwrap_or_else(PoisonError::into_inner);
        *told
    }

    /// Starts a child that the terminal's Ctrl-C does not reach, and that does not outlive us.
    pub fn start(&self, command: &mut Command) -> io::Result<Running> {
        detach(command);
        let mut running = lock(&self.0.running);
        let child = Arc::new(Mutex::new(command.spawn()?));
        running.retain(|child| child.strong_count() > 0);
        running.push(Arc::downgrade(&child));
        Ok(Running(child))
    }
}

/// A child, which ends when this is dropped: one that outlives us would hold its port.
pub struct Running(Arc<Mutex<Child>>);

impl Running {
    /// What it writes, for the first who asks.
    pub fn outputs(&self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        let mut child = lock(&self.0);
        (child.stdout.take(), child.stderr.take())
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> io::Result<Option<ExitStatus>> {
        lock(&self.0).try_wait()
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        ask_to_stop(&mut lock(&self.0));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut child = lock(&self.0);
        if matches!(child.try_wait(), Ok(None)) {
            // It may have ended in between.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What is inside is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn detach(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn detach(_: &mut Command) {}

#[cfg(unix)]
fn ask_to_stop(child: &mut Child) {
    // One that has ended is not there any more, and its number may be another's.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn ask_to_stop(child: &mut Child) {
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        env,
        io::{BufRead, BufReader, Read},
        process::Stdio,
        thread::sleep,
    };

    use super::*;

    const ROLE: &str = "KIT_DEV_TEST_ROLE";

    /// This test once more, as another process.
    fn again(role: &str) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "process::tests::a_second_interrupt_takes_the_children_along", "--nocapture"]);
        command.env(ROLE, role).stdin(Stdio::null());
        command
    }

    #[test]
    fn a_second_interrupt_takes_the_children_along() {
        match env::var(ROLE).as_deref() {
            Ok("child") => {
                sleep(Duration::from_secs(5));
                println!("the child has outlived us");
                return;
            }
            Ok(_) => {
                let stop = Interrupt::install().unwrap();
                let _running = stop.start(&mut again("child")).unwrap();
                println!("\nstarted");
                assert!(stop.wait(Duration::from_secs(60)));
                println!("told");
                sleep(Duration::from_secs(60));
                return;
            }
            Err(_) => {}
        }
        let mut parent = again("parent").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(parent.stdout.take().unwrap());
        for word in ["started", "told"] {
            let line = output.by_ref().lines().map_while(Result::ok).find(|line| line == word);
            assert_eq!(line.as_deref(), Some(word));
            ask_to_stop(&mut parent);
        }
        // To the end, which comes when neither of them holds the other side any more.
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert!(!rest.contains("outlived"), "{rest}");
        assert_eq!(parent.wait().unwrap().code(), Some(130));
    }
}

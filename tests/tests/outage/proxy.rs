//! A proxy between two services that does to their connections what bad networks do.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// How much of what callers send is remembered.
const MEMORY: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    /// What comes back comes so much later.
    Slow(Duration),
    /// Of so many requests the first is cut off when it is there.
    Cut(u64),
    /// Connections are taken, and nothing goes through.
    Silent,
}

/// Ends with the process of the test.
pub struct Proxy(Arc<Shared>);

struct Shared {
    port: u16,
    to: u16,
    fault: Mutex<Fault>,
    /// Heads of HTTP/1.1 requests that have come.
    requests: AtomicU64,
    sent: Mutex<Vec<u8>>,
}

impl Proxy {
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault = Mutex::new(Fault::None);
        let shared = Arc::new(Shared { port, to, fault, requests: AtomicU64::new(0), sent: Mutex::default() });
        let proxy = Self(shared.clone());
        thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.connect(caller));
            }
        });
        proxy
    }

    pub fn port(&self) -> u16 {
        self.0.port
    }

    pub fn set(&self, fault: Fault) {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// How many requests have come, of those who speak HTTP/1.1.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// The values of a header in the requests that have come, of those who speak HTTP/1.1.
    pub fn header(&self, name: &str) -> Vec<String> {
        let sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = String::from_utf8_lossy(&sent).into_owned();
        let values = lines.lines().filter_map(|line| line.split_once(": ")).filter(|(key, _)| *key == name);
        values.map(|(_, value)| value.to_owned()).collect()
    }
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: Arc<Self>, caller: TcpStream) {
        let Ok(callee) = TcpStream::connect(("127.0.0.1", self.to)) else { return };
        let (back_from, back_to) = (callee.try_clone().unwrap(), caller.try_clone().unwrap());
        let there = self.clone();
        thread::spawn(move || pass(caller, callee, |bytes| there.ask(bytes)));
        pass(back_from, back_to, |_| self.answer());
    }

    /// Whether what a caller sends goes on.
    fn ask(&self, bytes: &[u8]) -> bool {
        let heads = bytes.windows(11).filter(|window| window == b" HTTP/1.1\r\n").count() as u64;
        let number = self.requests.fetch_add(heads, Ordering::Relaxed);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MEMORY.saturating_sub(sent.len()).min(bytes.len());
        sent.extend_from_slice(&bytes[..room]);
        drop(sent);
        match self.fault() {
            Fault::Cut(of) => heads == 0 || !number.is_multiple_of(of),
            Fault::Silent => {
                self.hold();
                true
            }
            Fault::None | Fault::Slow(_) => true,
        }
    }

    /// Lets an answer pass, when it may.
    fn answer(&self) -> bool {
        if let Fault::Slow(pause) = self.fault() {
            thread::sleep(pause);
        }
        self.hold();
        true
    }

    fn hold(&self) {
        while self.fault() == Fault::Silent {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Copies until one side ends, or it may not go on.
fn pass(mut from: TcpStream, mut to: TcpStream, may: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !may(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

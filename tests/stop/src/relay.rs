//! Stands between a caller and the service, and keeps what the service says: gRPC clients tell nobody of GOAWAY.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The type of a GOAWAY frame (RFC 9113, 6.8).
const GOAWAY: u8 = 7;

/// For one connection.
pub struct Relay {
    pub url: String,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    pub async fn start(service: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = service.strip_prefix("http://").unwrap().to_owned();
        let said: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = said.clone();
        tokio::spawn(async move {
            let (caller, _) = listener.accept().await.unwrap();
            let (mut from_caller, mut to_caller) = caller.into_split();
            let (mut from_service, mut to_service) = TcpStream::connect(service).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_caller, &mut to_service).await });
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = from_service.read(&mut some).await {
                kept.lock().unwrap().extend_from_slice(&some[..length]);
                to_caller.write_all(&some[..length]).await.unwrap();
            }
        });
        Self { url, said }
    }

    /// The error codes of all GOAWAY frames.
    pub fn told_to_go(&self) -> Vec<u32> {
        let said = self.said.lock().unwrap();
        let (mut rest, mut codes) = (&said[..], Vec::new());
        while let Some((head, after)) = rest.split_at_checked(9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let Some((payload, next)) = after.split_at_checked(length) else { break };
            if head[3] == GOAWAY {
                codes.push(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
            }
            rest = next;
        }
        codes
    }
}

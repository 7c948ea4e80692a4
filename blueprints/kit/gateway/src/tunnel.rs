//! A connection that has become a WebSocket: bytes both ways, of which nothing is read but where messages begin and end, so
//! that a gateway that stops can say goodbye (RFC 6455, 5.2 and 7.4.1) and not in the middle of something.

use std::{
    io,
    pin::{Pin, pin},
    time::Duration,
};

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use kit_resilience::Held;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

/// Bytes on their way in one direction.
const BUFFER: usize = 16 << 10;
/// How long the other side may take to close when it was told to, or when there is nobody any more to whom it could speak.
const GOODBYE: Duration = Duration::from_secs(1);
/// Close, 1001: going away. To the service it is masked as clients have to, with zeros: there is nothing to hide.
const TO_CALLER: &[u8] = &[0x88, 2, 0x03, 0xE9];
const TO_SERVICE: &[u8] = &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE9];

/// What a tunnel holds while it is open.
pub(crate) struct Open {
    pub held: Held,
    /// How long a side may take nothing of what is sent to it. Until it does, nobody hears the other, not even that it leaves.
    pub patience: Duration,
    pub stopping: CancellationToken,
    /// Somebody waits for it when the gateway stops.
    pub token: Option<TaskTrackerToken>,
}

/// Joins two connections as soon as both have been upgraded, until either ends or the gateway stops.
pub(crate) async fn join(caller: OnUpgrade, service: OnUpgrade, open: Open) {
    let Open { held, patience, stopping, token } = open;
    let joined = async {
        let (caller, service) = tokio::try_join!(caller, service)?;
        let (from_caller, to_caller) = split(caller);
        let (from_service, to_service) = split(service);
        let there = pump(from_caller, to_service, patience, &stopping, TO_SERVICE);
        let back = pump(from_service, to_caller, patience, &stopping, TO_CALLER);
        anyhow::Ok(both(pin!(there), pin!(back)).await?)
    };
    if let Err(error) = joined.await {
        tracing::debug!(error = format!("{error:#}"), "tunnel");
    }
    drop((held, token));
}

fn split(connection: Upgraded) -> (impl AsyncRead + Unpin, impl AsyncWrite + Unpin) {
    tokio::io::split(TokioIo::new(connection))
}

/// Both directions, until one ends, however that is: a WebSocket has no half that goes on alone. What is on its way in the
/// other has a moment.
async fn both(
    mut there: Pin<&mut impl Future<Output = io::Result<()>>>,
    mut back: Pin<&mut impl Future<Output = io::Result<()>>>,
) -> io::Result<()> {
    let (first, other) = tokio::select! {
        ended = &mut there => (ended, timeout(GOODBYE, back).await),
        ended = &mut back => (ended, timeout(GOODBYE, there).await),
    };
    first.and(other.unwrap_or(Ok(())))
}

/// One direction, until its source ends or the gateway stops. Whoever was written to is told.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    patience: Duration,
    stopping: &CancellationToken,
    goodbye: &[u8],
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let passed = pass(&mut from, &mut to, &mut buffer, patience, stopping).await;
    let stops = matches!(passed, Ok(Ended::Stopped));
    let leave = async {
        if stops {
            to.write_all(goodbye).await?;
        }
        to.shutdown().await
    };
    let left = timeout(GOODBYE, leave).await;
    if stops {
        // What is left unread would reset the connection before the other side has read the goodbye.
        let _ = timeout(GOODBYE, async { while from.read(&mut buffer).await.is_ok_and(|length| length > 0) {} }).await;
    }
    passed?;
    left?
}

/// Why nothing more is passed on.
enum Ended {
    Source,
    Stopped,
}

async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    buffer: &mut [u8],
    patience: Duration,
    stopping: &CancellationToken,
) -> io::Result<Ended> {
    let mut frames = Frames::default();
    loop {
        let length = tokio::select! {
            () = stopping.cancelled(), if frames.is_between() => return Ok(Ended::Stopped),
            length = from.read(buffer) => length?,
        };
        if length == 0 {
            return Ok(Ended::Source);
        }
        frames.pass(&buffer[..length]);
        let write = async {
            to.write_all(&buffer[..length]).await?;
            to.flush().await
        };
        timeout(patience, write).await??;
    }
}

/// Follows the frames of one direction (RFC 6455, 5.2).
#[derive(Default)]
struct Frames {
    /// The head of a frame that has begun.
    head: Vec<u8>,
    /// Bytes of its payload that are to come.
    left: u64,
}

impl Frames {
    fn is_between(&self) -> bool {
        self.head.is_empty() && self.left == 0
    }

    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= taken as u64;
                bytes = &bytes[taken..];
            } else {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                if let Some(payload) = payload(&self.head) {
                    self.head.clear();
                    self.left = payload;
                }
            }
        }
    }
}

/// The length of the payload, once the head is whole.
fn payload(head: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = head else { return None };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (extended, length) = match second & 0x7F {
        126 => (2, rest.get(..2).map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))),
        127 => (8, rest.get(..8).map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))),
        short => (0, Some(u64::from(short))),
    };
    length.filter(|_| rest.len() == extended + mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_end_where_they_end() {
        let long = [&[0x82, 126, 0x01, 0x00][..], &[7; 256]].concat();
        let longest = [&[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4][..], &vec![7; 65_536]].concat();
        for frame in [&[0x89, 0][..], &[0x81, 2, b'h', b'i'], &[0x81, 0x82, 1, 2, 3, 4, 5, 6], &long, &longest] {
            for size in [1, 3, frame.len()] {
                let mut frames = Frames::default();
                let mut passed = 0;
                for piece in frame.chunks(size) {
                    frames.pass(piece);
                    passed += piece.len();
                    assert_eq!(frames.is_between(), passed == frame.len(), "{passed} of {}", frame.len());
                }
            }
            let mut frames = Frames::default();
            frames.pass(&[frame, frame].concat());
            assert!(frames.is_between());
        }
    }
}

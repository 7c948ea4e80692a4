//! A stream of input as the body of a request: NDJSON, one JSON text a line (`application/x-ndjson`, ndjson.org).

use std::{marker::PhantomData, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, Version, header},
};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use http_body_util::BodyExt;
use kit::{
    Context, Failure, Kind, OperationError, Stream, Validate,
    strict::{self, Refused},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Problem, accept, extract};

/// The media type of NDJSON.
pub(crate) const TYPE: &str = "application/x-ndjson";

/// Whether a request seems to bring NDJSON, for those who pass it on unread.
pub fn brings_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(is)
}

/// Whether this media type seems to be NDJSON: asked of every request, so nothing is taken apart.
pub(crate) fn is(content_type: &HeaderValue) -> bool {
    let kind = content_type.as_bytes().get(..TYPE.len());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(TYPE.as_bytes()))
}

/// What is still read of an input that the service has answered before its end, so that the answer arrives: an HTTP/1.1
/// connection that is closed with unread bytes is reset, and the answer lost (RFC 9112, 9.6).
const REST: usize = 1 << 20;
const REST_TIME: Duration = Duration::from_secs(2);

/// What streams of input are held to. The edge puts it into the extensions of their requests.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// Bytes of an item at most.
    pub item: usize,
    /// How long the next item may take, once it is asked for.
    pub idle: Duration,
    /// Bytes of all together at most.
    pub total: Option<u64>,
    /// Items of a WebSocket at most that have come and are not read yet. What follows stays with the client.
    pub waiting: usize,
    pub stopping: CancellationToken,
}

/// A stream of input that is yet to be read. 415 if the body is no NDJSON, 406 if the caller cannot take JSON.
///
/// Each line is read as strictly as the body of any other request, and when the operation asks for it: memory holds one
/// line at a time. The limit of bodies does not count here; it is that of each line instead.
pub struct Upload<T> {
    cx: Context,
    body: Body,
    /// HTTP/2 tells a body that has ended from one that was given up.
    told: bool,
    inputs: Inputs,
    of: PhantomData<fn() -> T>,
}

impl<T, S: Sync> FromRequest<S> for Upload<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        accept::check(&parts.headers, "application/json")?;
        if !extract::is(&parts.headers, |essence| essence == TYPE) {
            return Err(extract::unsupported(TYPE));
        }
        let cx = extract::context(&parts)?;
        let missing = || Failure::internal(anyhow::anyhow!("the router is not inside `kit_http::edge`"));
        let inputs = parts.extensions.get::<Inputs>().cloned().ok_or_else(missing)?;
        Ok(Self { cx, body, told: parts.version == Version::HTTP_2, inputs, of: PhantomData })
    }
}

impl<T: DeserializeOwned + Validate + Send + 'static> Upload<T> {
    /// Makes the call that reads it, within the limits of [`Context::reading`].
    pub async fn read<O, E, F>(self, call: impl FnOnce(Context, Stream<T, Failure>) -> F) -> Result<O, E>
    where
        E: OperationError,
        F: Future<Output = Result<O, E>>,
    {
        let Self { cx, body, told, inputs, .. } = self;
        let stopping = inputs.stopping.clone().cancelled_owned();
        let idle = Some(inputs.idle);
        let reader = Reader { body: Some(body), told, buffer: BytesMut::new(), searched: 0, read: 0, inputs };
        let lines = stream::unfold(reader, |mut reader| async {
            let item = reader.item().await.transpose()?;
            Some((item, reader))
        });
        let input = kit::input::received(lines, idle, stopping);
        cx.reading(input, call).await
    }
}

struct Reader {
    /// `None`: it has ended, or broken off.
    body: Option<Body>,
    told: bool,
    buffer: BytesMut,
    /// Bytes of the buffer that are known to hold no end of a line.
    searched: usize,
    read: u64,
    inputs: Inputs,
}

impl Reader {
    async fn item<T: DeserializeOwned + Validate>(&mut self) -> Result<Option<T>, Failure> {
        while let Some(length) = self.line().await? {
            let line = &self.buffer[..length];
            let item = (!line.trim_ascii().is_empty()).then(|| strict::json(line));
            // With its end, which the last one need not have.
            self.buffer.advance(self.buffer.len().min(length + 1));
            self.searched = 0;
            match item {
                None => {}
                Some(Ok(item)) => return Ok(Some(item)),
                Some(Err(Refused::Invalid(failure))) => return Err(failure),
                Some(Err(Refused::Unreadable(why))) => return Err(Failure::invalid(format!("is no JSON: {why}"))),
            }
        }
        Ok(None)
    }

    /// How long the next line is, which then stands at the start of the buffer.
    async fn line(&mut self) -> Result<Option<usize>, Failure> {
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let length = self.searched + at;
                return self.fits(length).map(|()| Some(length));
            }
            self.searched = self.buffer.len();
            self.fits(self.searched)?;
            let Some(body) = &mut self.body else {
                return Ok((!self.buffer.is_empty()).then_some(self.searched));
            };
            match body.frame().await {
                None if self.told && !body.is_end_stream() => return Err(cut(anyhow::anyhow!("the caller has gone"))),
                None => self.body = None,
                Some(Err(error)) => return Err(cut(error.into())),
                Some(Ok(frame)) => self.take(frame.into_data().unwrap_or_default())?,
            }
        }
    }

    fn take(&mut self, data: Bytes) -> Result<(), Failure> {
        self.read += data.len() as u64;
        if self.inputs.total.is_some_and(|most| self.read > most) {
            return Err(Failure::invalid("the input is larger than this service takes"));
        }
        self.buffer.extend_from_slice(&data);
        Ok(())
    }

    fn fits(&self, length: usize) -> Result<(), Failure> {
        match length > self.inputs.item {
            true => Err(Failure::invalid(format!("has more than {} bytes", self.inputs.item))),
            false => Ok(()),
        }
    }
}

fn cut(cause: anyhow::Error) -> Failure {
    Failure::new(Kind::Unavailable, "the input was cut off").caused_by(cause)
}

/// Who answers before the end of an input has it read on for a little while.
impl Drop for Reader {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take().filter(|_| !self.told) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(timeout(REST_TIME, async move {
            let mut left = REST;
            while let Some(Ok(frame)) = body.frame().await {
                let length = frame.data_ref().map_or(0, Buf::remaining);
                let Some(rest) = left.checked_sub(length) else { return };
                left = rest;
            }
        }));
    }
}

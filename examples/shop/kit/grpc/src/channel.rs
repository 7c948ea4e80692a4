use std::{
    fmt::Display,
    task::{Context as Task, Poll},
    time::Duration,
};

use http::Uri;
use kit::Failure;
use tonic::{
    body::Body,
    transport::{self, channel::ResponseFuture},
};
use tower::Service;

use crate::whole::{Breaking, GivenUp};

/// A connection is made within this or not at all.
const CONNECT: Duration = Duration::from_secs(2);
/// A connection with calls in flight is asked for a sign of life this often …
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// … and closed if none comes within this.
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(5);

/// A channel to `http://host:port`. It connects with the first call and again whenever the connection is gone, so the
/// server need not be there yet. An answer's message may have 4 MiB. Within a tokio runtime only.
pub fn connect(url: &str) -> Result<Channel, Failure> {
    let refuse = |why: &dyn Display| Failure::invalid(format!("{url:?} is no address of a gRPC service: {why}"));
    let uri: Uri = url.parse().map_err(|error| refuse(&error))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
        return Err(refuse(&"it must look like http://host:port"));
    }
    let channel = transport::Channel::builder(uri)
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .connect_lazy();
    Ok(Channel(channel))
}

/// A connection to a service, made when it is needed. Clones share it.
#[derive(Clone, Debug)]
pub struct Channel(transport::Channel);

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), transport::Error>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> ResponseFuture {
        if let Some(given_up) = request.extensions_mut().remove::<GivenUp>() {
            request = request.map(|inner| Body::new(Breaking::new(inner, given_up)));
        }
        self.0.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_checked_without_anybody_there() {
        assert!(connect("http://127.0.0.1:1").is_ok());
        for bad in ["", "localhost", "localhost:50051", "https://a", "ftp://a", "http://", "http://a b", "unix:/tmp/x"]
        {
            assert!(connect(bad).is_err(), "{bad}");
        }
    }
}

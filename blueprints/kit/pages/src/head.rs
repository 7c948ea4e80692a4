//! The head of a request: its first line and headers (RFC 9112).

use std::{
    io::{self, Read},
    net::TcpStream,
};

/// Bytes of a head, and headers in it.
pub(crate) const LIMIT: usize = 64 << 10;
pub(crate) const HEADERS: usize = 100;

/// The head of a request, and what has come after it already.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// Path and query; it begins with `/`.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) rest: Vec<u8>,
}

/// Why there is no head.
pub(crate) enum Unreadable {
    /// Nobody is there any more, or takes too long.
    Gone(io::Error),
    /// A status, and what is wrong.
    Wrong(&'static str, &'static str),
}

impl Head {
    pub(crate) fn read(from: &mut TcpStream) -> Result<Self, Unreadable> {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let length = match from.read(&mut piece).map_err(Unreadable::Gone)? {
                0 => return Err(Unreadable::Gone(io::ErrorKind::UnexpectedEof.into())),
                length => length,
            };
            bytes.extend_from_slice(&piece[..length]);
            if let Some(head) = Self::parse(&bytes)? {
                return Ok(head);
            }
            if bytes.len() > LIMIT {
                return Err(Unreadable::Wrong(
                    "431 Request Header Fields Too Large",
                    "The request's head is too long.",
                ));
            }
        }
    }

    /// `None`: there is more to come.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Unreadable> {
        let wrong = |why| Unreadable::Wrong("400 Bad Request", why);
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(wrong("This is no request of HTTP/1.1.")),
        };
        let (Some(method), Some(target), Some(1)) = (request.method, request.path, request.version) else {
            return Err(Unreadable::Wrong("505 HTTP Version Not Supported", "HTTP/1.1 is spoken here."));
        };
        if !target.starts_with('/') {
            return Err(wrong("The target of a request begins with a slash."));
        }
        let header = |header: &httparse::Header<'_>| (header.name.to_ascii_lowercase(), header.value.to_vec());
        Ok(Some(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: request.headers.iter().map(header).collect(),
            rest: bytes[length..].to_vec(),
        }))
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The values of a header, named in lower case.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_slice())
    }
}

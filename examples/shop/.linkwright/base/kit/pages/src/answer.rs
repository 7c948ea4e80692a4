//! An answer of the pages' own.

use std::{
    io::{self, Write},
    net::{Shutdown, TcpStream},
};

/// What a page of ours may do: run the scripts that come with it, and ask where it comes from. Nothing else.
pub(crate) const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The same, with the styles and pictures that libraries bring along in their texts.
pub(crate) const WITH_LIBRARIES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

#[derive(Debug)]
pub(crate) struct Answer {
    status: &'static str,
    content_type: &'static str,
    policy: &'static str,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: "200 OK", content_type, policy: STRICT, body: body.into() }
    }

    /// One that is not what was asked for, and says why.
    pub(crate) fn text(status: &'static str, why: &str) -> Self {
        let body = format!("{why}\n").into_bytes();
        Self { status, content_type: "text/plain; charset=utf-8", policy: STRICT, body }
    }

    /// A page that stands on a library.
    pub(crate) fn with_libraries(self) -> Self {
        Self { policy: WITH_LIBRARIES, ..self }
    }

    pub(crate) fn send(self, to: &mut TcpStream, with_body: bool) -> io::Result<()> {
        let Self { status, content_type, policy, body } = self;
        let head = format!(
            "HTTP/1.1 {status}\r\n\
             content-type: {content_type}\r\n\
             content-length: {}\r\n\
             cache-control: no-store\r\n\
             content-security-policy: {policy}\r\n\
             cross-origin-opener-policy: same-origin\r\n\
             cross-origin-resource-policy: same-origin\r\n\
             referrer-policy: no-referrer\r\n\
             x-content-type-options: nosniff\r\n\
             connection: close\r\n\r\n",
            body.len()
        );
        to.write_all(head.as_bytes())?;
        if with_body {
            to.write_all(&body)?;
        }
        to.shutdown(Shutdown::Write)
    }
}

//! What a page asks of its service, passed on: bodies, streams and WebSockets go through as they come.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    thread,
};

use crate::{
    Service,
    answer::Answer,
    head::{HEADERS, Head, LIMIT},
};

/// What concerns the connection to us alone, or tells the service of a page that it need not know. Cookies of this
/// machine belong to whatever runs on any of its ports.
const OURS: &[&str] =
    &["host", "connection", "keep-alive", "proxy-connection", "expect", "origin", "referer", "cookie"];

/// Passes a request on, and its answer back, until either side has ended.
pub(crate) fn pass(head: &Head, service: &Service, target: &str, mut browser: TcpStream) -> io::Result<()> {
    let Ok(mut other) = TcpStream::connect((Ipv4Addr::LOCALHOST, service.port)) else {
        let why = format!("`{}` does not answer at 127.0.0.1:{}.", service.name, service.port);
        return Answer::text("502 Bad Gateway", &why).send(&mut browser, true);
    };
    other.write_all(&request(head, service.port, target))?;
    other.write_all(&head.rest)?;
    let (mut from, mut to) = (browser.try_clone()?, other.try_clone()?);
    let upload = thread::spawn(move || {
        // Who has gone needs no answer, and the service is to know.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let answered = answer(&mut other, &mut browser);
    // Whatever became of it, nobody is to wait any longer.
    let _ = (browser.shutdown(Shutdown::Both), other.shutdown(Shutdown::Both));
    let _ = upload.join();
    answered
}

/// The head as the service gets it.
fn request(head: &Head, port: u16, target: &str) -> Vec<u8> {
    let upgrades = head.values("upgrade").next().is_some();
    let connection = if upgrades { "upgrade" } else { "close" };
    let mut text =
        format!("{} {target} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: {connection}\r\n", head.method)
            .into_bytes();
    for (name, value) in &head.headers {
        if !OURS.contains(&name.as_str()) && !name.starts_with("sec-fetch-") {
            line(&mut text, name, value);
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// Passes the answer on. Whatever it is, it is no page of ours: opened in a browser it runs nothing.
fn answer(from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some((head, length)) = answer_head(&bytes)? {
            to.write_all(&head)?;
            to.write_all(&bytes[length..])?;
            return io::copy(from, to).map(drop);
        }
        match from.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if bytes.len() > LIMIT => return Err(io::ErrorKind::InvalidData.into()),
            length => bytes.extend_from_slice(&piece[..length]),
        }
    }
}

/// The head for the browser, and the length of the one that has come. `None`: there is more to come.
fn answer_head(bytes: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    };
    let status = response.code.unwrap_or_default();
    let connection = if status == 101 { "upgrade" } else { "close" };
    let reason = response.reason.unwrap_or_default();
    let mut text = format!(
        "HTTP/1.1 {status} {reason}\r\nconnection: {connection}\r\ncontent-security-policy: sandbox; default-src 'none'\r\n\
         cross-origin-resource-policy: same-origin\r\nx-content-type-options: nosniff\r\n"
    )
    .into_bytes();
    let replaced = [
        "connection",
        "content-security-policy",
        "cross-origin-resource-policy",
        "x-content-type-options",
        "set-cookie",
    ];
    for header in response.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        if !replaced.contains(&name.as_str()) {
            line(&mut text, &name, header.value);
        }
    }
    text.extend_from_slice(b"\r\n");
    Ok(Some((text, length)))
}

fn line(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b": ");
    text.extend_from_slice(value);
    text.extend_from_slice(b"\r\n");
}

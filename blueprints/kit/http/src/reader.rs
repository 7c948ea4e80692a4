//! Server-sent events into items: the event stream format of the HTML standard.

use std::time::Duration;

use axum::http::{HeaderValue, header};
use futures_util::stream;
use kit::{Failure, Kind, OperationError, Stream};
use reqwest::{Client, Request, Response};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::{
    Problem,
    client::{MAX_ANSWER, lost},
    events::{LAST, TYPE},
    headers::TIMEOUT,
};

/// How often a cut stream is asked for again before the next event has come, after which pause at first, for how long.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);
const OPENING: Duration = Duration::from_secs(5);

/// The items of an answer, as far as its events are whole. `again` is the request for it.
pub(crate) fn items<T, E>(http: Client, again: Option<Request>, response: Response) -> Stream<T, E>
where
    T: DeserializeOwned + Send + 'static,
    E: OperationError,
{
    let reader = Reader { http, again, response, parser: Parser::default(), last: String::new(), tries: 0 };
    Box::pin(stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(item)) => Some((Ok(item), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    }))
}

pub(crate) fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status().is_success() && kind.is_some_and(|kind| kind.as_bytes().starts_with(TYPE.as_bytes()))
}

/// The events of an answer, one after another: for protocols over server-sent events that are not ours.
#[derive(Debug)]
pub struct EventReader {
    response: Response,
    parser: Parser,
}

impl EventReader {
    pub fn new(response: Response) -> Self {
        Self { response, parser: Parser::default() }
    }

    /// The next event. `None`: the connection has ended.
    pub async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(Some(event));
            }
            match self.response.chunk().await.map_err(lost)? {
                Some(chunk) => self.parser.push(&chunk)?,
                None => return Ok(None),
            }
        }
    }
}

struct Reader {
    http: Client,
    again: Option<Request>,
    response: Response,
    parser: Parser,
    /// The id of the last event; empty if it had none.
    last: String,
    /// Since that event.
    tries: u32,
}

impl Reader {
    async fn next<T: DeserializeOwned, E: OperationError>(&mut self) -> Result<Option<T>, E> {
        loop {
            while let Some(event) = self.parser.next() {
                self.tries = 0;
                self.last = event.id;
                match event.name.as_str() {
                    "" | "message" => {
                        return serde_json::from_str(&event.data).map(Some).map_err(|e| Failure::internal(e).into());
                    }
                    "error" => {
                        let problem = serde_json::from_str::<Problem>(&event.data).map_err(Failure::internal)?;
                        return Err(E::from_wire(problem.into_wire()));
                    }
                    "end" => return Ok(None),
                    _ => {}
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.parser.push(&chunk)?,
                Ok(None) => self.resume(Failure::new(Kind::Unavailable, "the stream was cut off")).await?,
                Err(error) => self.resume(lost(error)).await?,
            }
        }
    }

    /// Asks for what follows the last event; the answer takes the place of the one that was cut off.
    async fn resume(&mut self, cut: Failure) -> Result<(), Failure> {
        while self.tries < TRIES {
            sleep(PAUSE * 2u32.pow(self.tries)).await;
            self.tries += 1;
            let Some(mut request) = self.again.as_ref().and_then(Request::try_clone) else { break };
            let Ok(last) = HeaderValue::try_from(&self.last) else { break };
            if last.is_empty() {
                break;
            }
            // The deadline was for the first opening.
            request.headers_mut().remove(&TIMEOUT);
            request.headers_mut().insert(LAST, last.clone());
            match timeout(OPENING, self.http.execute(request)).await {
                // Servers other than ours may begin from the start, without saying so.
                Ok(Ok(response)) if is_stream(&response) && response.headers().get(LAST) == Some(&last) => {
                    self.response = response;
                    self.parser = Parser::default();
                    return Ok(());
                }
                Ok(Ok(_)) => break,
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(cut)
    }
}

/// One event, complete.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    /// The last id that was given, to this event or one before.
    pub id: String,
    pub name: String,
    pub data: String,
}

/// Bytes as they come, into events. Lines end in LF, CR LF or CR; chunks end anywhere.
#[derive(Debug, Default)]
struct Parser {
    /// What has come; whole lines of it up to `read` are in `event`.
    buffer: Vec<u8>,
    read: usize,
    /// The last line ended in CR: an LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
    event: Event,
    has_data: bool,
}

impl Parser {
    fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(chunk);
        if self.buffer.len() + self.event.data.len() > MAX_ANSWER {
            return Err(Failure::internal(anyhow::anyhow!("an event is larger than {MAX_ANSWER} bytes")));
        }
        Ok(())
    }

    /// The next event that is complete.
    fn next(&mut self) -> Option<Event> {
        while let Some(line) = self.line() {
            if line.is_empty() {
                let next = Event { id: self.event.id.clone(), ..Event::default() };
                let event = std::mem::replace(&mut self.event, next);
                if std::mem::take(&mut self.has_data) {
                    return Some(event);
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" if !value.contains('\0') => self.event.id = value.to_owned(),
                "event" => self.event.name = value.to_owned(),
                "data" => {
                    if std::mem::replace(&mut self.has_data, true) {
                        self.event.data.push('\n');
                    }
                    self.event.data.push_str(value);
                }
                // Comments have an empty field.
                _ => {}
            }
        }
        None
    }

    fn line(&mut self) -> Option<String> {
        if let (true, Some(byte)) = (self.after_cr, self.buffer.get(self.read)) {
            self.after_cr = false;
            self.read += usize::from(*byte == b'\n');
        }
        let rest = &self.buffer[self.read..];
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.after_cr = rest[end] == b'\r';
        self.read += end + 1;
        // The stream may begin with a byte order mark.
        Some(if std::mem::replace(&mut self.begun, true) { line } else { line.trim_start_matches('\u{feff}').into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str, chunk: usize) -> Vec<(String, String, String)> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for chunk in text.as_bytes().chunks(chunk) {
            parser.push(chunk).unwrap();
            events.extend(std::iter::from_fn(|| parser.next()).map(|event| (event.id, event.name, event.data)));
        }
        events
    }

    #[test]
    fn chunks_and_line_ends_make_no_difference() {
        let text = "\u{feff}: hello\n\ndata: one\n\nid: 7\nevent: told\ndata:two\ndata\ndata:  ü€😀\nretry: 5\n\nevent: lost\n\ndata: x: y\n\n";
        let expected = [("", "", "one"), ("7", "told", "two\n\n ü€😀"), ("7", "", "x: y")];
        let expected = expected.map(|(id, name, data)| (id.to_owned(), name.to_owned(), data.to_owned()));
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            for chunk in 1..text.len() {
                assert_eq!(events(&text, chunk), expected, "chunks of {chunk} of {text:?}");
            }
        }
        assert_eq!(events("data: a\r\rdata: b\n\n", 1).len(), 2, "an event ends with its line, not with the next byte");
        assert_eq!(events("data: never ended\n", 99), []);
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; MAX_ANSWER / 2];
        assert!(parser.push(&chunk).is_ok() && parser.next().is_none());
        assert!(parser.push(&chunk).is_ok() && parser.next().is_none());
        assert!(parser.push(&chunk).is_err());
        let mut lines = Parser::default();
        let line = format!("data: {}\n", "x".repeat(MAX_ANSWER / 2));
        assert!(lines.push(line.as_bytes()).is_ok() && lines.next().is_none());
        assert!(lines.push(line.as_bytes()).is_err(), "nor one of many lines");
    }
}

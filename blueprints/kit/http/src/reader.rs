//! Server-sent events into items: the event stream format of the HTML standard.

use futures_util::stream;
use kit::{Failure, Kind, OperationError, Stream};
use reqwest::Response;
use serde::de::DeserializeOwned;

use crate::{
    Problem,
    client::{MAX_ANSWER, lost},
};

/// The items of an answer, as far as its events are whole.
pub(crate) fn items<T, E>(response: Response) -> Stream<T, E>
where
    T: DeserializeOwned + Send + 'static,
    E: OperationError,
{
    let reader = Reader { response, events: Parser::default() };
    Box::pin(stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(item)) => Some((Ok(item), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    }))
}

struct Reader {
    response: Response,
    events: Parser,
}

impl Reader {
    async fn next<T: DeserializeOwned, E: OperationError>(&mut self) -> Result<Option<T>, E> {
        loop {
            while let Some(event) = self.events.next() {
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
                Ok(Some(chunk)) => self.events.push(&chunk)?,
                Ok(None) => return Err(Failure::new(Kind::Unavailable, "the stream was cut off").into()),
                Err(error) => return Err(lost(error).into()),
            }
        }
    }
}

/// One event, complete.
#[derive(Debug, Default, PartialEq)]
struct Event {
    name: String,
    data: String,
}

/// Bytes as they come, into events. Lines end in LF, CR LF or CR; chunks end anywhere.
#[derive(Default)]
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
                let event = std::mem::take(&mut self.event);
                if std::mem::take(&mut self.has_data) {
                    return Some(event);
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => self.event.name = value.to_owned(),
                "data" => {
                    if std::mem::replace(&mut self.has_data, true) {
                        self.event.data.push('\n');
                    }
                    self.event.data.push_str(value);
                }
                // Comments have an empty field; what else there is concerns reconnecting browsers.
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

    fn events(text: &str, chunk: usize) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for chunk in text.as_bytes().chunks(chunk) {
            parser.push(chunk).unwrap();
            events.extend(std::iter::from_fn(|| parser.next()).map(|event| (event.name, event.data)));
        }
        events
    }

    #[test]
    fn chunks_and_line_ends_make_no_difference() {
        let text = "\u{feff}: hello\n\ndata: one\n\nid: 7\nevent: told\ndata:two\ndata\ndata:  ü€😀\nretry: 5\n\nevent: lost\n\ndata: x: y\n\n";
        let expected = [("", "one"), ("told", "two\n\n ü€😀"), ("", "x: y")].map(|(n, d)| (n.to_owned(), d.to_owned()));
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

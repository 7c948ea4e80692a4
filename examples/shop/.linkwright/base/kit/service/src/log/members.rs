//! The fields of spans as the members of a JSON object.

use std::fmt::{self, Debug, Display, Write};

use tracing::{
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, FormattedFields, format::Writer},
};

/// What [`JsonFields`](tracing_subscriber::fmt::format::JsonFields) does, without a map of values in between: every request
/// has a span, and most end without a line that shows it.
pub(super) struct Members;

impl<'w> FormatFields<'w> for Members {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut object = Object(String::with_capacity(ROOM));
        object.0.push('{');
        fields.record(&mut object);
        object.0.push('}');
        writer.write_str(&object.0)
    }

    fn add_fields(&self, current: &'w mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let mut object = Object(std::mem::take(&mut current.fields));
        if object.0.pop() != Some('}') {
            object.0 = "{".into();
        }
        fields.record(&mut object);
        object.0.push('}');
        current.fields = object.0;
        Ok(())
    }
}

/// Bytes for the fields of a request's span.
const ROOM: usize = 128;

/// An object that is open still.
struct Object(String);

impl Object {
    /// The text of the object, where the value of the member is to be written.
    fn member(&mut self, field: &Field) -> &mut String {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        let name = field.name();
        self.0.push('"');
        self.0.push_str(name.strip_prefix("r#").unwrap_or(name));
        self.0.push_str("\":");
        &mut self.0
    }

    /// A value that JSON writes as Rust does.
    fn bare(&mut self, field: &Field, value: impl Display) {
        // Writing to a string does not fail.
        let _ = write!(self.member(field), "{value}");
    }
}

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let to = self.member(field);
        to.push('"');
        let _ = write!(Escaped(to), "{value:?}");
        to.push('"');
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let to = self.member(field);
        to.push('"');
        let _ = Escaped(to).write_str(value);
        to.push('"');
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.bare(field, value);
        } else {
            self.member(field).push_str("null");
        }
    }
}

/// As the inside of a JSON string (RFC 8259, 7).
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        // Without an early end the compiler looks at many bytes at a time.
        if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
            self.0.push_str(text);
            return Ok(());
        }
        for char in text.chars() {
            match char {
                '"' | '\\' => self.0.extend(['\\', char]),
                ..' ' => write!(self.0, "\\u{:04x}", u32::from(char))?,
                plain => self.0.push(plain),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn spans_are_objects_whatever_is_in_them() {
        let lines = Lines::default();
        let log = tracing_subscriber::fmt().json().fmt_fields(Members).with_writer(lines.clone());
        tracing::subscriber::with_default(log.finish(), || {
            let hostile = "a \"quote\", a \\, a \n, \u{1} ü";
            let span = tracing::info_span!(
                "outer",
                hostile,
                debug = ?hostile,
                display = %hostile,
                r#type = 1,
                below = -1,
                part = 0.5,
                none = f64::NAN,
                is = true,
                later = tracing::field::Empty,
            );
            span.record("later", hostile);
            let _outer = span.enter();
            let empty = tracing::info_span!("empty", later = tracing::field::Empty);
            empty.record("later", 7);
            let _empty = empty.enter();
            tracing::info_span!("nothing").in_scope(|| tracing::info!("said"));
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        let hostile = "a \"quote\", a \\, a \n, \u{1} ü";
        assert_eq!(
            line["spans"],
            json!([
                {
                    "name": "outer",
                    "hostile": hostile,
                    "debug": format!("{hostile:?}"),
                    "display": hostile,
                    "type": 1,
                    "below": -1,
                    "part": 0.5,
                    "none": null,
                    "is": true,
                    "later": hostile,
                },
                { "name": "empty", "later": 7 },
                { "name": "nothing" },
            ])
        );
    }
}

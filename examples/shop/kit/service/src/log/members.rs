//! The fields of spans as the members of a JSON object.

use std::fmt::{self, Debug, Write};

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
        writer.write_char('{')?;
        write(&mut writer, true, fields)?;
        writer.write_char('}')
    }

    fn add_fields(&self, current: &'w mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        if current.fields.pop() != Some('}') {
            current.fields = "{".into();
        }
        let is_first = current.fields.ends_with('{');
        write(&mut current.fields, is_first, fields)?;
        current.fields.write_char('}')
    }
}

fn write<R: RecordFields>(to: &mut dyn Write, is_first: bool, fields: R) -> fmt::Result {
    let mut object = Object { to, is_first, done: Ok(()) };
    fields.record(&mut object);
    object.done
}

struct Object<'a> {
    to: &'a mut dyn Write,
    is_first: bool,
    done: fmt::Result,
}

impl Object<'_> {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        let before = if self.is_first { "" } else { "," };
        self.is_first = false;
        let name = field.name().trim_start_matches("r#");
        let written = write!(self.to, "{before}\"{name}\":").and_then(|()| value(self.to));
        self.done = self.done.and(written);
    }
}

impl Visit for Object<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, |to| {
            to.write_char('"')?;
            write!(Escaped(to), "{value:?}")?;
            to.write_char('"')
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |to| {
            to.write_char('"')?;
            Escaped(to).write_str(value)?;
            to.write_char('"')
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |to| write!(to, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |to| write!(to, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |to| write!(to, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, |to| if value.is_finite() { write!(to, "{value}") } else { to.write_str("null") });
    }
}

/// As the inside of a JSON string (RFC 8259, 7).
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        while let Some(at) = text.bytes().position(is_special) {
            let (plain, rest) = text.split_at(at);
            let (special, rest) = rest.split_at(1);
            self.0.write_str(plain)?;
            match special {
                "\"" | "\\" => write!(self.0, "\\{special}")?,
                control => control.bytes().try_for_each(|byte| write!(self.0, "\\u{byte:04x}"))?,
            }
            text = rest;
        }
        self.0.write_str(text)
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

//! Single values: text with the places of its parts, numbers, dates.

use toml_parser::{
    decoder::{ScalarKind, StringBuilder},
    parser::Event,
};

use super::{Builder, Diagnostic, Node, Run, Span, Spanned, Text};

impl Builder<'_> {
    pub(super) fn scalar(&mut self, event: Event) -> Node {
        let span = self.span(event.span());
        let mut decoded = Decoded { whole: self.source.input(), value: String::new(), runs: Vec::new() };
        let before = self.errors.len();
        let Some(raw) = self.source.get(event) else { return Node::Broken(span) };
        let kind = raw.decode_scalar(&mut decoded, &mut self.errors);
        if before < self.errors.len() {
            return Node::Broken(span);
        }
        let Decoded { value, runs, .. } = decoded;
        let overflow = |span: &Span| {
            Diagnostic::new("E100", span.clone(), "a number that is too large")
                .help("whole numbers have up to 18 digits")
        };
        match kind {
            ScalarKind::String => Node::Text(Text { value, span, runs }),
            ScalarKind::Boolean(boolean) => Node::Boolean(Spanned::new(boolean, span)),
            ScalarKind::DateTime => match value.parse::<toml_edit::Datetime>() {
                Ok(_) => Node::Moment(Spanned::new(value, span)),
                Err(error) => {
                    self.diagnostics.push(
                        Diagnostic::new("E100", span.clone(), error.to_string()).help("write a date as `2026-12-31`"),
                    );
                    Node::Broken(span)
                }
            },
            ScalarKind::Float => match value.parse::<f64>() {
                Ok(number) if number.is_finite() || value.ends_with("inf") || value.ends_with("nan") => {
                    Node::Float(Spanned::new(number, span))
                }
                _ => {
                    self.diagnostics.push(overflow(&span));
                    Node::Broken(span)
                }
            },
            ScalarKind::Integer(radix) => match i64::from_str_radix(&value, radix.value()) {
                Ok(number) => Node::Integer(Spanned::new(number, span)),
                Err(_) => {
                    self.diagnostics.push(overflow(&span));
                    Node::Broken(span)
                }
            },
        }
    }
}

/// Collects a string and where its runs stand. Escapes are pushed as characters, everything else as slices of `whole`.
struct Decoded<'s> {
    whole: &'s str,
    value: String,
    runs: Vec<Run>,
}

impl<'s> StringBuilder<'s> for Decoded<'s> {
    fn clear(&mut self) {
        self.value.clear();
        self.runs.clear();
    }

    fn push_str(&mut self, append: &'s str) -> bool {
        let source = (append.as_ptr() as usize).wrapping_sub(self.whole.as_ptr() as usize);
        if self.whole.get(source..).is_some_and(|rest| rest.starts_with(append)) {
            self.runs.push(Run { decoded: self.value.len(), source, len: append.len() });
        }
        self.value.push_str(append);
        true
    }

    fn push_char(&mut self, append: char) -> bool {
        self.value.push(append);
        true
    }
}

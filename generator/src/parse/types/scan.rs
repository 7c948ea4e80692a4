//! A position in the string of a type expression.

use std::ops::Range;

use super::Reported;
use crate::{
    diagnostic::{Diagnostic, is_typographic_quote},
    parse::{reader::Reader, tree::Text},
    source::Span,
};

pub(super) struct Scan<'t> {
    pub reader: &'t mut Reader,
    source: &'t Text,
    /// Byte in the text.
    pub at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(reader: &'t mut Reader, source: &'t Text) -> Self {
        Self { reader, source, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.source.value.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips white space.
    pub(super) fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    /// Takes `word` if white space follows it.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = self.rest().strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace));
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes characters as long as they fit.
    pub(super) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Takes letters, digits and `_`, of any script: whether a name is a good one is said elsewhere.
    pub(super) fn word(&mut self) -> &'t str {
        self.take_while(|c| c.is_alphanumeric() || c == '_')
    }

    pub(super) fn span(&self, range: Range<usize>) -> Span {
        self.source.place(range.start, range.end)
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'t str {
        self.source.value.get(range).unwrap_or_default()
    }

    pub(super) fn remainder(&mut self) -> &'t str {
        let rest = self.rest();
        self.at += rest.len();
        rest
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.reader.report(diagnostic);
    }

    pub(super) fn fail<T>(
        &mut self,
        code: &'static str,
        range: Range<usize>,
        message: &str,
        help: &str,
    ) -> Result<T, Reported> {
        let span = self.span(range);
        self.report(Diagnostic::new(code, span, message).help(help));
        Err(Reported)
    }

    /// E302 at the next character.
    pub(super) fn expected<T>(&mut self, what: &str, help: &str) -> Result<T, Reported> {
        let before = self.source.value[..self.at].trim_end();
        let message = match (before, self.peek()) {
            ("", None) => format!("expected {what}, but there is nothing"),
            ("", Some(found)) => format!("expected {what}, but there is `{found}`"),
            (before, _) => format!("expected {what} after `{before}`"),
        };
        let help = match self.peek() {
            Some(found) if is_typographic_quote(found) => "it is a typographic quote: TOML's own `\"` are enough",
            _ => help,
        };
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        self.fail("E302", self.at..end, &message, help)
    }
}

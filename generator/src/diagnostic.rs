//! What is wrong with a design: data only. How it looks is decided where it is printed.

use crate::source::Span;

pub mod render;
mod suggest;

pub use suggest::{is_typographic_quote, nearest};

/// One mistake in a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// `E203`: the code of LANGUAGE's table.
    pub code: &'static str,
    /// Where it is; a file that could not be read has an empty span at its start.
    pub span: Span,
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
    /// Other places that matter ("first set here").
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None, related: Vec::new() }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related.push((span, note.into()));
        self
    }
}

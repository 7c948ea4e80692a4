//! The text of a design: one root file and what it includes, and places in them.

use std::{ops::Range, path::PathBuf, sync::Arc};

/// One file of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As shown to people: relative to the folder of the root file, with `/`.
    pub path: String,
    /// Where it was read from; empty for text that never was a file.
    pub location: PathBuf,
    pub text: Arc<str>,
}

/// The files of a design. The root comes first, included files follow in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(pub Vec<Source>);

/// A place in one file of the design: bytes `range` of file number `file` of the [`Sources`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(file: usize, range: Range<usize>) -> Self {
        Self { file, start: range.start, end: range.end }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl Sources {
    /// Line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, file: usize, byte: usize) -> (usize, usize) {
        let text = self.0.get(file).map_or("", |source| &source.text);
        let before = &text[..text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

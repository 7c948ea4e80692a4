//! Diagnostics as people read them, and as programs do. Pure: nothing is printed here.

use std::{cmp::Ordering, fmt::Write as _, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::Diagnostic;
use crate::source::{Sources, Span};

/// How many diagnostics are shown; a file that is no design at all has as many mistakes as lines.
const MOST_SHOWN: usize = 100;
/// How wide lines are shown.
const WIDTH: usize = 140;
/// Of a very long line, how many characters on each side of the place are looked at.
const AROUND: usize = 1000;

/// How many characters of a message are shown: names in it are the user's.
const LONGEST: usize = 500;

/// A diagnostic for programs. Lines and columns are from 1; columns count characters; ends are exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `E203`; of warnings `W01`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Other places that matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// Another place that matters, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Why.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// A place in a design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// As shown to people.
    pub file: String,
    /// Of the first character.
    pub line: usize,
    /// Of the first character.
    pub column: usize,
    /// Of the end.
    pub end_line: usize,
    /// Of the end.
    pub end_column: usize,
}

/// The diagnostics as data, in the order of the text.
pub fn entries(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Entry> {
    let lines = Lines::of(sources);
    let entry = |diagnostic: &Diagnostic| Entry {
        code: diagnostic.code,
        message: visible(&diagnostic.message),
        help: diagnostic.help.as_deref().map(visible),
        place: lines.place(&diagnostic.span),
        related: diagnostic
            .related
            .iter()
            .map(|(span, note)| Related { message: visible(note), place: lines.place(span) })
            .collect(),
    };
    sorted(diagnostics).into_iter().map(entry).collect()
}

/// The diagnostics as text, in the order of the text: `error[E203]: …`, the place, the line, `help: …`.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let lines = Lines::of(sources);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = sized(renderer);
    let mut text = String::new();
    for diagnostic in sorted(diagnostics).into_iter().take(MOST_SHOWN) {
        text.push_str(&shown(diagnostic, &lines, &renderer));
        text.push_str("\n\n");
    }
    if let Some(more) = diagnostics.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "… and {more} more\n");
    }
    text
}

/// By place; of one place, the code that says more about the form first.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    let order = |a: &&Diagnostic, b: &&Diagnostic| -> Ordering {
        (&a.span, a.code, &a.message).cmp(&(&b.span, b.code, &b.message))
    };
    sorted.sort_by(order);
    sorted
}

fn shown(diagnostic: &Diagnostic, lines: &Lines<'_>, renderer: &Renderer) -> String {
    let said = Said {
        level: if diagnostic.code.starts_with('W') { Level::WARNING } else { Level::ERROR },
        code: diagnostic.code,
        message: &diagnostic.message,
        span: &diagnostic.span,
        related: &diagnostic.related,
        notes: diagnostic.help.iter().map(|help| (Level::HELP, help.clone())).collect(),
    };
    message(said, lines, renderer)
}

/// A message about a place.
pub(crate) struct Said<'a> {
    pub level: Level<'a>,
    pub code: &'a str,
    pub message: &'a str,
    pub span: &'a Span,
    /// Other places, and why they matter.
    pub related: &'a [(Span, String)],
    /// What stands below the lines.
    pub notes: Vec<(Level<'a>, String)>,
}

/// A renderer of our width.
pub(crate) fn sized(renderer: Renderer) -> Renderer {
    renderer.term_width(WIDTH)
}

/// The message, the lines that it is about, and its notes.
pub(crate) fn message(said: Said<'_>, lines: &Lines<'_>, renderer: &Renderer) -> String {
    let labels: Vec<String> = said.related.iter().map(|(_, label)| visible(label)).collect();
    let mut group = Group::with_title(said.level.primary_title(visible(said.message)).id(said.code));
    let context =
        said.related.iter().zip(&labels).map(|((span, _), label)| (span, AnnotationKind::Context, Some(label)));
    for (span, kind, label) in [(said.span, AnnotationKind::Primary, None)].into_iter().chain(context) {
        let Some(excerpt) = lines.excerpt(span) else {
            group = group.element(lines.origin(span));
            continue;
        };
        let annotation = kind.span(excerpt.range).label(label.cloned());
        let snippet = Snippet::source(excerpt.text).line_start(excerpt.line).annotation(annotation);
        group = if excerpt.cut {
            // The snippet would count its columns from the cut.
            group.element(lines.origin(span)).element(snippet)
        } else {
            group.element(snippet.path(lines.path(span)))
        };
    }
    for (level, note) in said.notes {
        group = group.element(level.message(visible(&note)));
    }
    renderer.render(&[group])
}

/// Characters that cannot be seen, or that move others about, as escapes; and not without end.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if is_treacherous(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control characters, and the marks that change the direction of text or are nothing at all.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{061C}')
}

/// Where the lines of each file begin.
pub(crate) struct Lines<'s> {
    sources: &'s Sources,
    starts: Vec<Vec<usize>>,
}

/// A part of a line, and the place within it.
struct Excerpt {
    text: String,
    line: usize,
    range: Range<usize>,
    /// It does not begin where the line begins.
    cut: bool,
}

impl<'s> Lines<'s> {
    pub(crate) fn of(sources: &'s Sources) -> Self {
        let starts = |text: &str| [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { sources, starts: sources.0.iter().map(|source| starts(&source.text)).collect() }
    }

    fn text(&self, file: usize) -> &'s str {
        self.sources.0.get(file).map_or("", |source| &source.text)
    }

    /// The number of the line that a byte is in, from 0, and where it begins.
    fn line(&self, file: usize, byte: usize) -> (usize, usize) {
        let starts = self.starts.get(file).map_or(&[0][..], Vec::as_slice);
        let line = starts.partition_point(|start| *start <= byte).saturating_sub(1);
        (line, starts.get(line).copied().unwrap_or(0))
    }

    fn position(&self, file: usize, byte: usize) -> (usize, usize) {
        let text = self.text(file);
        let byte = text.floor_char_boundary(byte);
        let (line, start) = self.line(file, byte);
        // A byte order mark is no column.
        let before = text.get(start..byte).unwrap_or_default().trim_start_matches('\u{FEFF}');
        (line + 1, before.chars().count() + 1)
    }

    pub(crate) fn place(&self, span: &Span) -> Place {
        let (line, column) = self.position(span.file, span.start);
        let (end_line, end_column) = self.position(span.file, span.end.max(span.start));
        let file = self.sources.0.get(span.file).map_or_else(String::new, |source| source.path.clone());
        Place { file, line, column, end_line, end_column }
    }

    fn path(&self, span: &Span) -> String {
        self.sources.0.get(span.file).map_or_else(String::new, |source| visible(&source.path))
    }

    fn origin(&self, span: &Span) -> Origin<'static> {
        let (line, column) = self.position(span.file, span.start);
        Origin::path(self.path(span)).line(line).char_column(column)
    }

    /// The line in which a place begins, as far as it is of interest. None of an empty file.
    fn excerpt(&self, span: &Span) -> Option<Excerpt> {
        let text = self.text(span.file);
        if text.is_empty() {
            return None;
        }
        let at = text.floor_char_boundary(span.start);
        let (number, start) = self.line(span.file, at);
        let line = text[start..].lines().next().unwrap_or_default();
        let (from, to) = (at - start, (span.end.max(at) - start).min(line.len()));
        let from = from.min(line.len());
        let cut_start = line[..from].char_indices().rev().nth(AROUND).map_or(0, |(at, _)| at);
        let to = line[from..].char_indices().nth(AROUND).map_or(to, |(at, _)| to.min(from + at));
        let to = line.floor_char_boundary(to.max(from));
        let cut_end = line[to..].char_indices().nth(AROUND).map_or(line.len(), |(at, _)| to + at);
        let mut excerpt = Excerpt { text: String::new(), line: number + 1, range: 0..0, cut: cut_start > 0 };
        if cut_start > 0 {
            excerpt.text.push('…');
        }
        let safe = |c: char| if is_treacherous(c) && c != '\t' { '\u{FFFD}' } else { c };
        excerpt.text.extend(line[cut_start..from].chars().filter(|c| *c != '\u{FEFF}').map(safe));
        excerpt.range.start = excerpt.text.len();
        excerpt.text.extend(line[from..to].chars().map(safe));
        excerpt.range.end = excerpt.text.len();
        excerpt.text.extend(line[to..cut_end].chars().map(safe));
        if cut_end < line.len() {
            excerpt.text.push('…');
        }
        Some(excerpt)
    }
}

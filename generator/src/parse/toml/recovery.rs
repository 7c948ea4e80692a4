//! Going on after a mistake in the TOML itself, so that each mistake is reported once and the rest of the file is read.

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use toml_parser::{Expected, ParseError};

use super::{Builder, File};
use crate::{
    diagnostic::{Diagnostic, is_typographic_quote},
    source::Span,
};

/// How many values that never end are recovered from in one file.
const MOST_RUNAWAYS: usize = 10;

/// How many lines that are not TOML are reported one by one in one file.
const MOST_REPORTED: usize = 100;

/// A value that is never closed and so swallowed the lines after it.
pub(super) struct Runaway {
    /// From after its `=` to the line where reading goes on.
    value: Range<usize>,
    error: ParseError,
}

/// Reads a file. A value that is never closed is blanked out up to the next line that looks like a key or a header, and
/// the file is read again, so that what was swallowed has its say. Places stay the same.
pub(super) fn read(text: &str, file: usize) -> File {
    let mut text = Cow::Borrowed(text);
    let mut runaways = Vec::new();
    loop {
        let mut builder = Builder::new(&text, file);
        let runaway = builder.document();
        builder.lost_tables |= runaway.is_some();
        match runaway {
            Some(runaway) if runaways.len() < MOST_RUNAWAYS => {
                let blanked = text[runaway.value.clone()].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' });
                let (before, after) = (&text[..runaway.value.start], &text[runaway.value.end..]);
                text = before.chars().chain(blanked).chain(after.chars()).collect::<String>().into();
                runaways.push(runaway);
            }
            _ => return finish(builder, &runaways),
        }
    }
}

/// The first error of each line; of a value without an end only that it has none.
fn finish(builder: Builder<'_>, runaways: &[Runaway]) -> File {
    let Builder { source, file, errors, root, mut diagnostics, twice, lost_tables, .. } = builder;
    let text = source.input();
    let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |at: usize| newlines.partition_point(|newline| *newline < at);
    let mut reported: BTreeSet<usize> = runaways.iter().map(|runaway| line_of(runaway.value.start)).collect();
    diagnostics.extend(runaways.iter().map(|runaway| diagnostic(&runaway.error, text, file, true)));
    let mut errors: Vec<_> = errors.iter().map(|error| (place(error, text).start, error)).collect();
    errors.sort_by_key(|(start, _)| *start);
    errors.retain(|(start, _)| reported.insert(line_of(*start)));
    diagnostics.extend(errors.iter().take(MOST_REPORTED).map(|(_, error)| diagnostic(error, text, file, false)));
    if let Some((start, _)) = errors.get(MOST_REPORTED) {
        let message = format!("{} more lines are not TOML", errors.len() - MOST_REPORTED);
        let help = "is this the right file?";
        diagnostics.push(Diagnostic::new("E100", Span::new(file, *start..*start), message).help(help));
    }
    File { root, diagnostics, twice, lost_tables }
}

/// Whether one of the sorted `places` is between the start of `range` and the end of the line in which it ends.
pub(super) fn has_error(text: &str, places: &[usize], range: Range<usize>) -> bool {
    let next = places.get(places.partition_point(|place| *place < range.start));
    next.is_some_and(|place| *place <= line_end(text, range.end))
}

/// Whether the value in `range` has no end and so took lines that look like something else.
pub(super) fn runaway<'e>(
    text: &str,
    errors: impl Iterator<Item = &'e ParseError>,
    range: Range<usize>,
) -> Option<Runaway> {
    let first_line = line_end(text, range.start);
    if range.end <= first_line {
        return None;
    }
    let error = errors
        .filter(|error| is_unclosed(error) && (range.start..=range.end).contains(&opening(error, text).start))
        .min_by_key(|error| opening(error, text).start)?;
    let mut line = (first_line + 1).min(text.len());
    while line < text.len() && !begins_statement(&text[line..]) {
        line = (line_end(text, line) + 1).min(text.len());
    }
    // The newline before that line stays: it ends the statement. The last line may have none.
    let end = if text[..line].ends_with('\n') { line - 1 } else { line };
    Some(Runaway { value: range.start..end.max(first_line), error: error.clone() })
}

fn line_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().position(|b| *b == b'\n').map_or(text.len(), |newline| at + newline)
}

/// `[name` or `name =` without indentation.
fn begins_statement(line: &str) -> bool {
    let key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
    match line.strip_prefix('[') {
        Some(header) => header.trim_start_matches('[').starts_with(|c: char| c.is_ascii_alphabetic()),
        None => {
            let rest = line.trim_start_matches(key);
            rest.len() < line.len() && rest.trim_start_matches([' ', '\t']).starts_with('=')
        }
    }
}

/// Of lists, inline tables and strings, not of headers.
pub(super) fn is_unclosed(error: &ParseError) -> bool {
    let quote = matches!(error.expected(), Some([Expected::Literal("\"" | "'")]));
    quote || matches!(error.description(), "unclosed array" | "unclosed inline table")
}

/// Where something unexpected stands.
pub(super) fn place(error: &ParseError, text: &str) -> Range<usize> {
    within(error.unexpected().or(error.context()), text)
}

/// Where what was never closed begins.
fn opening(error: &ParseError, text: &str) -> Range<usize> {
    within(error.context().or(error.unexpected()), text)
}

fn within(span: Option<toml_parser::Span>, text: &str) -> Range<usize> {
    let span = span.unwrap_or_default();
    let start = text.floor_char_boundary(span.start());
    start..text.ceil_char_boundary(span.end().max(start))
}

fn diagnostic(error: &ParseError, text: &str, file: usize, runaway: bool) -> Diagnostic {
    let range = if runaway { opening(error, text) } else { place(error, text) };
    let range = if runaway { range.start..text.ceil_char_boundary(range.start + 1) } else { range };
    let shown = text.get(range.clone()).unwrap_or_default();
    let report =
        |message: &str, help: &str| Diagnostic::new("E100", Span::new(file, range.clone()), message).help(help);
    match error.description() {
        "cannot recurse further; max recursion depth met" => {
            return report("nested too deeply", "a design nests three deep");
        }
        "string values must be quoted" if shown.is_empty() => {
            return report("a value is missing", "write it after the `=`, or remove the key");
        }
        "string values must be quoted" if shown.contains(is_typographic_quote) => {
            let help = format!("use straight ones: `\"{}\"`", shown.trim_matches(is_typographic_quote));
            return report("typographic quotes, which TOML does not know", &help);
        }
        "string values must be quoted" => {
            let help = format!("write `\"{shown}\"`");
            return report("text without quotes", &help);
        }
        "invalid unquoted key" if shown.starts_with(is_typographic_quote) => {
            return report("typographic quotes, which TOML does not know", "names need none");
        }
        "unexpected key or value" => {
            return report("something is left over here", "a value ends with its line, or with a comment");
        }
        "unclosed array" if runaway => return report("a list without an end", "close it with `]`"),
        "unclosed inline table" if runaway => return report("a table without an end", "close it with `}`"),
        _ if runaway => return report("text without an end", "close it with the quotes it begins with"),
        _ => {}
    }
    let diagnostic = Diagnostic::new("E100", Span::new(file, range), error.description());
    let expected: Vec<String> = error.expected().unwrap_or_default().iter().map(wanted).collect();
    match expected.as_slice() {
        [] => diagnostic.help("correct or remove it"),
        [one] => diagnostic.help(format!("expected {one}")),
        [most @ .., last] => diagnostic.help(format!("expected {} or {last}", most.join(", "))),
    }
}

fn wanted(expected: &Expected) -> String {
    match expected {
        Expected::Literal("\n") => "the end of the line".to_owned(),
        Expected::Literal("#") => "a comment".to_owned(),
        Expected::Literal(literal) => format!("`{literal}`"),
        Expected::Description(description) => (*description).to_owned(),
        _ => "something else".to_owned(),
    }
}

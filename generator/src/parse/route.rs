//! `rest`: a method and a path.

use super::{
    reader::{At, Reader, quoted},
    tree::Node,
    values::raw,
};
use crate::{
    design::{Method, Route, Word},
    diagnostic::{Diagnostic, nearest},
    model::Segment,
    source::Spanned,
};

/// `POST /bookings/{id}/confirm`
pub(super) fn route(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Route>> {
    let help = "write a method and a path: `\"POST /bookings/{id}/confirm\"`";
    let text = raw(reader, at, node, help)?;
    let wrong = |start: usize, end: usize, message: String| Diagnostic::new("E108", text.place(start, end), message);
    let Some((method, path)) = text.value.split_once(' ') else {
        let message = format!("`{}` is not a route", text.value);
        reader.report(Diagnostic::new("E108", text.span, message).help(help));
        return None;
    };
    let Some(value) = Method::from_word(method) else {
        let words: Vec<&str> = Method::WORDS.iter().map(|(word, _)| *word).collect();
        let help = match nearest(method, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("it is one of {}", quoted(&words)),
        };
        reader.report(wrong(0, method.len(), format!("`{method}` is not a method")).help(help));
        return None;
    };
    let mut at = method.len() + 1;
    let Some(path) = path.strip_prefix('/') else {
        reader.report(wrong(at, text.value.len(), format!("`{path}` is not a path")).help("a path begins with `/`"));
        return None;
    };
    at += 1;
    let mut segments: Vec<Spanned<Segment>> = Vec::new();
    let all = if path.is_empty() { None } else { Some(path.split('/')) };
    for segment in all.into_iter().flatten() {
        let field = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        let plain = |text: &str| !text.is_empty() && text.chars().all(letter) && text != "." && text != "..";
        let span = text.place(at, at + segment.len());
        let value = match field {
            Some(field) if plain(field) => Segment::Field(field.to_owned()),
            None if plain(segment) => Segment::Literal(segment.to_owned()),
            _ => {
                let message = format!("`{segment}` cannot be a part of a path");
                let help = "a part is a field in braces, `{id}`, or letters, digits, `-`, `_`, `.` and `~`";
                reader.report(Diagnostic::new("E108", span, message).help(help));
                return None;
            }
        };
        let twice = segments.iter().find(|there| matches!(value, Segment::Field(_)) && there.value == value);
        if let Some(first) = twice {
            let message = format!("`{segment}` is in the path twice");
            let diagnostic = Diagnostic::new("E111", span, message).related(first.span.clone(), "first here");
            reader.report(diagnostic.help("a field can be in one place only"));
            return None;
        }
        segments.push(Spanned::new(value, span));
        at += segment.len() + 1;
    }
    let method = Spanned::new(value, text.place(0, method.len()));
    Some(Spanned::new(Route { method, path: segments }, text.span))
}

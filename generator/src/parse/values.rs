//! Single values of the tree to what they mean. Each reports what is wrong and then has no value.

use std::time::Duration;

use indexmap::IndexMap;

use super::{
    keys, literal,
    reader::{At, Reader, TableReader, key, quoted},
    tree::{Node, Text},
};
use crate::{
    design::{
        Batch, Date, DurationRange, FieldPath, Limit, Mapped, Mapping, PlanRate, Rate, Reference, Schedule, Slo, Word,
    },
    diagnostic::{Diagnostic, nearest},
    source::Spanned,
};

const DURATION: &str = "write a duration in quotes: `\"300ms\"`, `\"5s\"`, `\"1m\"`, `\"2h\"` or `\"7d\"`";
const RANGE: &str = "write the shortest and the longest time in quotes: `\"50ms..1s\"`";
const RATE: &str = "write how many in which time, in quotes: `\"60/1m\"`";
const SCHEDULE: &str = "write `\"every 5m\"` or five cron fields: `\"0 3 * * *\"` is every night at three (UTC)";
const PERCENT: &str = "write a share in quotes: `\"99.9%\"`";
const DATE: &str = "write year, month and day: `2026-12-31`";

/// A string, whatever it says.
pub(super) fn raw(reader: &mut Reader, at: At<'_>, node: Node, help: &str) -> Option<Text> {
    let Node::Text(text) = node else {
        reader.wrong_kind(at, &node, help);
        return None;
    };
    // They cannot be seen, and few of the formats that a text ends up in can carry them.
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if let Some((offset, found)) = text.value.char_indices().find(|(_, c)| control(*c)) {
        let message = format!("`{}` has the control character U+{:04X}", key(at), u32::from(found));
        reader
            .report(Diagnostic::new("E110", text.place(offset, offset + found.len_utf8()), message).help("remove it"));
        return None;
    }
    Some(text)
}

/// A text of one line.
pub(super) fn line(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<String>> {
    let text = raw(reader, at, node, "write text in quotes")?;
    if let Some(newline) = text.value.find('\n') {
        let help = match key(at) {
            "summary" => "keep the first line, and put the rest in a `##` comment above the table",
            _ => "write it on one line",
        };
        let message = format!("`{}` is one line", key(at));
        reader.report(Diagnostic::new("E110", text.place(newline, newline + 1), message).help(help));
        return None;
    }
    Some(Spanned::new(text.value, text.span))
}

/// A text that is not empty, on one line: names, URLs, paths, words of others.
pub(super) fn name(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<String>> {
    let text = line(reader, at, node)?;
    if text.value.trim().is_empty() {
        reader.report(
            Diagnostic::new("E108", text.span, format!("`{}` is empty here", key(at)))
                .help("write it, or remove the key"),
        );
        return None;
    }
    Some(text)
}

pub(super) fn boolean(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<bool>> {
    match node {
        Node::Boolean(boolean) => Some(boolean),
        node => {
            reader.wrong_kind(at, &node, "write `true` or `false`, without quotes");
            None
        }
    }
}

/// A whole number of at least `min`.
fn whole(reader: &mut Reader, at: At<'_>, node: Node, min: u32) -> Option<Spanned<u32>> {
    let Node::Integer(number) = node else {
        reader.wrong_kind(at, &node, format!("write a whole number, without quotes: `{}`", min.max(10)));
        return None;
    };
    match u32::try_from(number.value) {
        Ok(value) if value >= min => Some(Spanned::new(value, number.span)),
        _ => {
            let message = format!("`{}` is {} here", key(at), number.value);
            let help = format!("it is at least {min} and at most {}", u32::MAX);
            reader.report(Diagnostic::new("E109", number.span, message).help(help));
            None
        }
    }
}

/// A whole number of at least 1.
pub(super) fn count(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<u32>> {
    whole(reader, at, node, 1)
}

/// A number within bounds, which `fits` and `bounds` both say.
fn number(
    reader: &mut Reader,
    at: At<'_>,
    node: Node,
    fits: impl Fn(f64) -> bool,
    bounds: &str,
) -> Option<Spanned<f64>> {
    let number = match node {
        Node::Float(number) => number,
        Node::Integer(number) => Spanned::new(number.value as f64, number.span),
        node => {
            reader.wrong_kind(at, &node, format!("write a number without quotes, {bounds}"));
            return None;
        }
    };
    if !fits(number.value) {
        let message = format!("`{}` is {} here", key(at), number.value);
        reader.report(Diagnostic::new("E109", number.span, message).help(format!("it is a number {bounds}")));
        return None;
    }
    Some(number)
}

/// Above 0, at most 1.
pub(super) fn ratio(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<f64>> {
    number(reader, at, node, |n| n > 0.0 && n <= 1.0, "above 0 and at most 1")
}

/// 0 to 100.
pub(super) fn share(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<f64>> {
    number(reader, at, node, |n| (0.0..=100.0).contains(&n), "from 0 to 100")
}

/// One of the words of `W`.
pub(super) fn word<W: Word>(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<W>> {
    word_but(reader, at, node, &[])
}

/// One of the words of `W`, except some.
pub(super) fn word_but<W: Word>(reader: &mut Reader, at: At<'_>, node: Node, except: &[W]) -> Option<Spanned<W>> {
    let words: Vec<&str> =
        W::WORDS.iter().filter(|(_, value)| !except.contains(value)).map(|(word, _)| *word).collect();
    let help = format!("write one of {}, in quotes", quoted(&words));
    let text = raw(reader, at, node, &help)?;
    match W::from_word(&text.value).filter(|value| !except.contains(value)) {
        Some(value) => Some(Spanned::new(value, text.span)),
        None => {
            let others = W::OTHERS.iter().find(|(other, _)| other.eq_ignore_ascii_case(&text.value));
            let help = match (others, nearest(&text.value, words.iter().copied())) {
                (Some((_, ours)), _) => {
                    let ours: Vec<String> = ours.iter().map(|word| format!("`{word}`")).collect();
                    format!("did you mean {}?", ours.join(" or "))
                }
                (None, Some(word)) => format!("did you mean `{word}`?"),
                (None, None) => format!("it is one of {}", quoted(&words)),
            };
            let message = format!("`{}` cannot be `{}`", key(at), text.value);
            reader.report(Diagnostic::new("E106", text.span, message).help(help));
            None
        }
    }
}

/// A text that `read` turns into something, or says why it cannot.
fn literal<T>(
    reader: &mut Reader,
    at: At<'_>,
    node: Node,
    help: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Spanned<T>> {
    let text = raw(reader, at, node, help)?;
    match read(&text.value) {
        Ok(value) => Some(Spanned::new(value, text.span)),
        Err(message) => {
            reader.report(Diagnostic::new("E108", text.span, message).help(help));
            None
        }
    }
}

pub(super) fn duration(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Duration>> {
    literal(reader, at, node, DURATION, literal::duration)
}

pub(super) fn range(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<DurationRange>> {
    literal(reader, at, node, RANGE, literal::range)
}

pub(super) fn rate(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Rate>> {
    literal(reader, at, node, RATE, literal::rate)
}

pub(super) fn schedule(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Schedule>> {
    literal(reader, at, node, SCHEDULE, literal::schedule)
}

/// A TOML date, or the same in quotes.
pub(super) fn date(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Date>> {
    match node {
        Node::Moment(moment) => match literal::date(&moment.value) {
            Ok(date) => Some(Spanned::new(date, moment.span)),
            Err(message) => {
                reader.report(Diagnostic::new("E108", moment.span, message).help(DATE));
                None
            }
        },
        node => literal(reader, at, node, DATE, literal::date),
    }
}

/// `"60/1m"`, or a table by plan.
pub(super) fn limit(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Limit>> {
    let Node::Table(_) = node else {
        let rate = rate(reader, at, node)?;
        return Some(Spanned::new(Limit::All(rate.value), rate.span));
    };
    let span = node.span().clone();
    let items = reader.items(at, node, RATE)?;
    let mut plans = IndexMap::new();
    for item in items {
        if let Some(rate) = rate(reader, &item.path, item.node) {
            plans.insert(item.name.value.clone(), PlanRate { plan: item.name, rate });
        }
    }
    Some(Spanned::new(Limit::ByPlan(plans), span))
}

/// `{ availability, p99, window, escalate }`
pub(super) fn slo(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Slo>> {
    let help = "write a table: `{ availability = \"99.9%\", p99 = \"300ms\" }`";
    reader.table(at, node, keys::SLO, help, |t| Slo {
        availability: t.get("availability", |reader, at, node| literal(reader, at, node, PERCENT, literal::percent)),
        p99: t.get("p99", duration),
        window: t.get("window", duration),
        escalate: names(t, "escalate"),
        lag: None,
    })
}

/// `{ size, within }`
pub(super) fn batch(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Batch>> {
    let help = "write a table: `{ size = 100, within = \"1s\" }`";
    reader
        .table(at, node, keys::BATCH, help, |t| Batch { size: t.get("size", count), within: t.get("within", duration) })
}

/// A list of names; empty if it is not there.
pub(super) fn names(t: &mut TableReader<'_>, key: &'static str) -> Vec<Spanned<String>> {
    t.list(key, "write a list: `[\"…\"]`", name).map_or_else(Vec::new, |list| list.value)
}

/// A name, perhaps with its owner.
pub(super) fn reference(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Reference>> {
    let text = raw(reader, at, node, "write a name in quotes: `\"reserve\"`, `\"inventory.reserve\"`")?;
    match reference_of(&text.value) {
        Some(reference) => Some(Spanned::new(reference, text.span)),
        None => {
            let message = format!("`{}` is not a name", text.value);
            let help = "a name stands alone or after its owner: `reserve`, `inventory.reserve`";
            reader.report(Diagnostic::new("E108", text.span, message).help(help));
            None
        }
    }
}

/// `name` or `owner.name`. What letters a name may have is for the checker to say.
pub(super) fn reference_of(text: &str) -> Option<Reference> {
    let good =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '.');
    let (owner, name) = match text.split_once('.') {
        Some((owner, name)) => (Some(owner), name),
        None => (None, text),
    };
    (good(name) && owner.is_none_or(good)).then(|| Reference { owner: owner.map(str::to_owned), name: name.to_owned() })
}

/// A path of fields: `total.amount`.
pub(super) fn field_path(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<FieldPath>> {
    let text = raw(reader, at, node, "write a field's name in quotes: `\"total.amount\"`")?;
    let mut segments = Vec::new();
    let mut start = 0;
    for segment in text.value.split('.') {
        if segment.is_empty() || segment.contains(char::is_whitespace) {
            let message = format!("`{}` is not a path of fields", text.value);
            reader.report(
                Diagnostic::new("E108", text.span, message).help("write names with dots between them: `total.amount`"),
            );
            return None;
        }
        segments.push(Spanned::new(segment.to_owned(), text.place(start, start + segment.len())));
        start += segment.len() + 1;
    }
    Some(Spanned::new(FieldPath(segments), text.span))
}

/// `field = "expression"`
pub(super) fn mapping(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Mapping>> {
    let span = node.span().clone();
    let items = reader.items(at, node, "write a table: `{ field = \"their.field\" }`")?;
    let mut mapping = Mapping::new();
    for item in items {
        if let Some(expression) = name(reader, &item.path, item.node) {
            mapping.insert(item.name.value.clone(), Mapped { target: item.name, expression });
        }
    }
    Some(Spanned::new(mapping, span))
}

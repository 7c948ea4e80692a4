//! The methods an implementation should have, and its sources → those that it lacks, and where they belong.
//!
//! By text and not by syntax: a wrong guess costs a hint, since the compiler names every missing method anyway.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Action, Change, Snapshot};
use crate::{format::Formatted, path, plan::Stub};

/// One method to add to a file of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingStub {
    pub path: String,
    /// The line that the method would go above, from 1: the end of the trait's `impl`.
    pub line: usize,
    /// The trait.
    #[serde(rename = "trait")]
    pub of: String,
    pub method: String,
    pub text: String,
}

pub(super) fn missing(wanted: &Formatted, disk: &Snapshot, changes: &[Change], own: &[String]) -> Vec<MissingStub> {
    let mut missing = Vec::new();
    for (path, stubs) in wanted.stubs.iter().filter(|(path, _)| !path::within(path, own)) {
        let mut sources = disk.sources.get(path).cloned().unwrap_or_default();
        for change in changes.iter().filter(|change| change.path == *path) {
            if let Action::Create(text) = &change.action {
                sources.insert(path.clone(), text.to_string());
            }
        }
        missing.extend(stubs.iter().filter_map(|stub| lacks(path, stub, &sources)));
    }
    missing
}

/// Nothing if no source implements the trait: then the user has another plan, and the compiler the last word.
fn lacks(home: &str, stub: &Stub, sources: &BTreeMap<String, String>) -> Option<MissingStub> {
    let first = sources.get_key_value(home);
    let all = first.into_iter().chain(sources.iter().filter(|(path, _)| *path != home));
    let mut implementing = all.filter_map(|(path, text)| Some((path, text, implementation(text, &stub.of)?)));
    let (path, text, header) = implementing.next()?;
    let has = |text: &str| lines_of_code(text).any(|(_, line)| declares(line, &stub.method));
    if has(text) || implementing.any(|(_, text, _)| has(text)) {
        return None;
    }
    Some(MissingStub {
        path: path.clone(),
        line: end(text, header),
        of: stub.of.clone(),
        method: stub.method.clone(),
        text: stub.text.clone(),
    })
}

fn lines_of_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The line (from 0) where `impl … Trait for …` begins.
fn implementation(text: &str, of: &str) -> Option<usize> {
    lines_of_code(text).find_map(|(number, line)| {
        let (before, _) = line.split_once(&format!("{of} for "))?;
        let ends = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        (ends && before.trim_start().starts_with("impl")).then_some(number)
    })
}

fn declares(line: &str, method: &str) -> bool {
    line.split_once(&format!("fn {method}")).is_some_and(|(before, after)| {
        let starts = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        starts && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

/// The line (from 1) of the brace that closes what begins at a line (from 0), going by its indentation.
fn end(text: &str, header: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let depth = text.lines().nth(header).map_or(0, indent);
    let close = text.lines().enumerate().skip(header + 1).find(|(_, line)| indent(line) == depth && line.trim() == "}");
    close.map_or(header, |(number, _)| number) + 1
}

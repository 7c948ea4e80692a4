//! Names of one scope, judged by their keys over all targets.

use std::collections::HashMap;

use crate::{
    check::Checker,
    diagnostic::Diagnostic,
    names::{
        self,
        rules::{self, Kind},
    },
    source::{Span, Spanned},
};

/// Names that must not meet, by their key.
pub(super) struct Scope {
    /// Where two that meet would be one.
    targets: &'static str,
    pub(super) seen: HashMap<String, (String, Span)>,
}

impl Scope {
    pub(super) fn new(targets: &'static str) -> Self {
        Self { targets, seen: HashMap::new() }
    }

    /// Adds a name if it can be carried; reports why not, or what it meets.
    pub(super) fn add(&mut self, checker: &mut Checker, kind: Kind, name: &Spanned<String>) {
        if !checker.name(kind, name) {
            return;
        }
        let text = &name.value;
        match self.seen.get(&names::key(text)) {
            None => {
                self.seen.insert(names::key(text), (text.clone(), name.span.clone()));
            }
            Some((first, span)) => {
                let message = if first == text {
                    format!("there are two called `{text}`")
                } else if kind == Kind::Field {
                    format!("`{first}` and `{text}` are both `{}` in GraphQL", names::graphql::field(text))
                } else {
                    format!("`{first}` and `{text}` are the same name in {}", self.targets)
                };
                let error = Diagnostic::new("E205", name.span.clone(), message).help("rename one");
                checker.report(error.related(span.clone(), format!("`{first}` is here")));
            }
        }
    }
}

impl Checker<'_> {
    /// Whether a name can be carried everywhere; reports why not.
    pub(super) fn name(&mut self, kind: Kind, name: &Spanned<String>) -> bool {
        match rules::check(kind, &name.value) {
            Ok(()) => true,
            Err(refusal) => {
                self.error(refusal.code, &name.span, refusal.message, refusal.help);
                false
            }
        }
    }
}

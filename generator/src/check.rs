//! [`Design`] to [`Model`]: names legal and unique in every target, references resolved, types lowered, defaults
//! filled. What is wrong is collected, all of it at once.
//!
//! The model is built even where the design is wrong, so that every rule sees as much as there is. What could not be
//! understood stands in it as *unknown* (a type [`types::unknown`], a record with an empty name) and was reported when
//! it was met; rules stay silent about it. A model is handed out only if nothing was reported, so it holds no unknowns.

mod bodies;
mod caches;
mod calls;
mod circles;
mod collisions;
mod defaults;
mod events;
mod fronts;
mod graphql;
mod limits;
mod links;
mod names;
mod operations;
mod policies;
mod recursion;
mod resources;
mod routes;
mod scopes;
mod shapes;
mod shared;
mod symbols;
mod triggers;
mod types;
mod unavailable;
mod unbuilt;
mod unreached;
mod verbs;
mod versions;

use indexmap::IndexMap;

use crate::{
    design::{self, Design},
    diagnostic::Diagnostic,
    model::{Docs, Model},
    source::{Span, Spanned},
};
use symbols::Symbols;

/// What a design means, or everything that is wrong with it in the order of the text. There is a model exactly if
/// there are no diagnostics.
pub fn check(design: &Design) -> (Option<Model>, Vec<Diagnostic>) {
    let (mut model, mut found) = one(design, None);
    let mut checker = Checker::new(design, None);
    versions::check(&mut checker);
    for (name, service) in &design.services {
        for version in versions::old(service) {
            let (at, more) = one(&versions::as_it_was(design, name, version), Some((name, version)));
            found.extend(more);
            let old = versions::lowered(&mut checker, &model, at, name, version);
            if let Some(service) = model.services.get_mut(name) {
                service.old.extend(old);
            }
        }
    }
    found.extend(checker.found);
    in_order(&mut found);
    found.dedup();
    (found.is_empty().then_some(model), found)
}

/// What a design that has a meaning probably does not mean, in the order of the text.
pub fn warnings(design: &Design, model: &Model) -> Vec<Diagnostic> {
    let mut found = unreached::warnings(design, model);
    in_order(&mut found);
    found
}

/// As they stand in the text.
fn in_order(found: &mut [Diagnostic]) {
    found.sort_by(|a, b| (&a.span, a.code, &a.message).cmp(&(&b.span, b.code, &b.message)));
}

/// One design, in which a service may be as it was in a version.
fn one(design: &Design, at: Option<(&str, u32)>) -> (Model, Vec<Diagnostic>) {
    let mut checker = Checker::new(design, at);
    unavailable::refuse(&mut checker);
    unbuilt::check(&mut checker);
    names::check(&mut checker);

    let mut model = Model {
        name: design.system.name.as_ref().map(|name| name.value.clone()).unwrap_or_default(),
        docs: docs(&design.system.head.docs),
        own: design.system.own.iter().map(|path| path.value.clone()).collect(),
        types: IndexMap::new(),
        services: IndexMap::new(),
        links: Vec::new(),
    };
    types::lower(&mut checker, &mut model);
    operations::lower_services(&mut checker, &mut model);

    recursion::check(&mut checker, &model);
    shapes::check(&mut checker, &model);
    calls::check(&mut checker, &model);
    circles::check(&mut checker, &model);
    triggers::check(&mut checker, &model);
    routes::check(&mut checker, &model);
    scopes::check(&mut checker, &model);
    collisions::check(&mut checker, &model);
    shared::check(&mut checker, &model);
    fronts::lower(&mut checker, &mut model);
    links::lower(&mut checker, &mut model);
    graphql::check(&mut checker, &model);
    caches::check(&mut checker, &model);
    limits::check(&mut checker, &model);
    fronts::check(&mut checker, &model);
    (model, checker.found)
}

/// A design being checked.
struct Checker<'d> {
    design: &'d Design,
    /// The service that is as it was, and the version.
    at: Option<(&'d str, u32)>,
    symbols: Symbols<'d>,
    /// What is read belongs to a resource that is gone: it may refer to what is gone too.
    in_past: bool,
    found: Vec<Diagnostic>,
}

impl<'d> Checker<'d> {
    fn new(design: &'d Design, at: Option<(&'d str, u32)>) -> Self {
        Self { design, at, symbols: Symbols::of(design, at), in_past: false, found: Vec::new() }
    }
}

impl Checker<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Reports a mistake with what would be right.
    fn error(&mut self, code: &'static str, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::new(code, span.clone(), message).help(help));
    }
}

/// The texts of a table, with empty for absent.
fn docs(docs: &design::Docs) -> Docs {
    Docs {
        summary: docs.summary.as_ref().map(|summary| summary.value.clone()).unwrap_or_default(),
        description: docs.description.clone(),
    }
}

/// The texts of a key that has no summary.
fn description(description: &str) -> Docs {
    Docs { summary: String::new(), description: description.to_owned() }
}

/// The items of a list that may be absent.
fn items<T>(list: &Option<design::List<T>>) -> &[Spanned<T>] {
    list.as_ref().map_or(&[], |list| &list.value)
}

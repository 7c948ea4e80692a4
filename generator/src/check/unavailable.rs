//! What the language has and workspaces do not yet: refused by name, each where it stands (E001).

use super::Checker;
use crate::{
    design::{
        Auth, Body, Broker, Event, Field, Fields, Limit, Link, List, Mark, Operation, OperationSettings, Resource,
        Service, Store, Tls, TypeDefKind, Via, Word,
    },
    source::{Span, Spanned},
};

/// Says that something is not available, unless it is not there.
macro_rules! refuse {
    ($checker:expr, $($what:literal: $value:expr),+ $(,)?) => {
        $(if let Some(value) = &$value {
            $checker.unavailable(&value.span, $what);
        })+
    };
}

pub(super) fn refuse(checker: &mut Checker) {
    let design = checker.design;
    let system = &design.system;
    for pack in &system.packs {
        checker.unavailable(&pack.span, "`packs` are");
    }
    broker(checker, system.broker.as_ref());
    store(checker, system.store.as_ref());
    auth(checker, system.auth.as_ref());
    if let Some(tls) = system.tls.as_ref().filter(|tls| tls.value != Tls::Off) {
        checker.unavailable(&tls.span, &format!("`tls = \"{}\"` is", tls.value.word()));
    }
    if let Some(role) = system.roles.first() {
        checker.unavailable(&role.span, "`roles` are");
    }
    if let Some(plan) = system.plans.first() {
        checker.unavailable(&plan.span, "`plans` are");
    }
    refuse!(checker, "`compat` is": system.compat);

    for def in design.types.values() {
        match &def.kind {
            TypeDefKind::Record(own) => fields(checker, own),
            TypeDefKind::Scalar(ty) => marks(checker, &ty.marks),
            TypeDefKind::Union(_) | TypeDefKind::Enum(_) | TypeDefKind::Broken => {}
        }
    }
    for own in design.services.values() {
        service(checker, own);
    }
    for external in design.externals.values() {
        checker.unavailable(&external.head.span(), "`externals` are");
    }
    for own in &design.links {
        link(checker, own);
    }
}

fn service(checker: &mut Checker, service: &Service) {
    store(checker, service.store.as_ref());
    broker(checker, service.broker.as_ref());
    auth(checker, service.auth.as_ref());
    refuse!(
        checker,
        "`allow` is": service.allow,
        "`slo` is": service.slo,
        "`replaces` is": service.replaces,
        "`rollout` is": service.rollout,
    );
    for limit in [&service.limit, &service.quota].into_iter().flatten() {
        by_plan(checker, [limit]);
    }
    for own in service.queries.values().chain(service.commands.values()) {
        operation(checker, own);
    }
    for own in service.resources.values() {
        resource(checker, own);
    }
    for own in service.events.values() {
        event(checker, own);
    }
    for feed in service.feeds.values() {
        checker.unavailable(&feed.head.span(), "`feeds` are");
    }
}

fn operation(checker: &mut Checker, operation: &Operation) {
    for body in [&operation.input, &operation.output].into_iter().flatten() {
        if let Body::Fields(own) = &body.value {
            fields(checker, own);
        }
    }
    settings(checker, &operation.common);
    refuse!(
        checker,
        "schedules (`when`) are": operation.when,
        "sagas (`steps`) are": operation.steps,
    );
}

/// What operations and verbs both say.
fn settings(checker: &mut Checker, settings: &OperationSettings) {
    refuse!(
        checker,
        "`allow` is": settings.allow,
        "`slo` is": settings.slo,
    );
    by_plan(checker, &settings.limit);
}

/// Plans are those of keys and tokens.
fn by_plan<'a>(checker: &mut Checker, limits: impl IntoIterator<Item = &'a Spanned<Limit>>) {
    for limit in limits.into_iter().filter(|limit| matches!(limit.value, Limit::ByPlan(_))) {
        checker.unavailable(&limit.span, "limits by plan are");
    }
}

fn resource(checker: &mut Checker, resource: &Resource) {
    fields(checker, &resource.fields);
    for own in resource.settings.values() {
        settings(checker, &own.common);
    }
    refuse!(
        checker,
        "event sourcing (`sourced`) is": resource.sourced,
        "event sourcing (`snapshot`) is": resource.snapshot,
        "`allow` is": resource.allow,
    );
    by_plan(checker, &resource.limit);
}

fn event(checker: &mut Checker, event: &Event) {
    if let Some(Spanned { value: Body::Fields(own), .. }) = &event.payload {
        fields(checker, own);
    }
    broker(checker, event.broker.as_ref());
    refuse!(checker, "`keep` is": event.keep, "`compat` is": event.compat);
    for was in event.was.values() {
        checker.unavailable(&was.span, "versions of events (`was`) are");
    }
}

fn link(checker: &mut Checker, link: &Link) {
    if let Some(via) = &link.via
        && matches!(via.value, Via::Stream | Via::Webhook)
    {
        checker.unavailable(&via.span, &format!("`via = \"{}\"` is", via.value.word()));
    }
    refuse!(checker, "`needs` is": link.needs, "`start` is": link.start, "`slo` is": link.slo);
}

fn fields(checker: &mut Checker, fields: &Fields) {
    for Field { ty, .. } in fields.values() {
        marks(checker, &ty.marks);
    }
}

fn marks(checker: &mut Checker, marks: &[Spanned<Mark>]) {
    for mark in marks.iter().filter(|mark| matches!(mark.value, Mark::Pii | Mark::Secret)) {
        checker.unavailable(&mark.span, &format!("the mark `{}` is", mark.value.word()));
    }
}

fn broker(checker: &mut Checker, broker: Option<&Spanned<Broker>>) {
    if let Some(broker) = broker.filter(|broker| broker.value != Broker::Embedded) {
        checker.unavailable(&broker.span, &format!("`broker = \"{}\"` is", broker.value.word()));
    }
}

fn store(checker: &mut Checker, store: Option<&Spanned<Store>>) {
    if let Some(store) = store.filter(|store| store.value == Store::Postgres) {
        checker.unavailable(&store.span, "`store = \"postgres\"` is");
    }
}

fn auth(checker: &mut Checker, auth: Option<&List<Auth>>) {
    if let Some(auth) = auth.filter(|auth| !auth.value.is_empty()) {
        checker.unavailable(&auth.span, "`auth` is");
    }
}

impl Checker<'_> {
    /// `what` with its verb: `` `feeds` are ``.
    fn unavailable(&mut self, span: &Span, what: &str) {
        self.error("E001", span, format!("{what} not available yet"), "leave it out for now");
    }
}

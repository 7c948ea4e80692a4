//! Calls in a circle (E515): the first of them would wait for itself. Services may call each other, operations may not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Checker, items, operations::settings};
use crate::{
    diagnostic::Diagnostic,
    model::{Model, OperationRef},
    source::Span,
};

/// Which operations an operation calls.
type Calls = BTreeMap<OperationRef, BTreeSet<OperationRef>>;

pub(super) fn check(checker: &mut Checker, model: &Model) {
    let calls = circular(model);
    let mut reported: BTreeSet<OperationRef> = BTreeSet::new();
    for (service, operation) in model.operations() {
        let start = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
        if reported.contains(&start) {
            continue;
        }
        let Some(circle) = shortest(&calls, &start) else { continue };
        report(checker, &circle);
        reported.extend(circle);
    }
}

/// The calls without those that come to an end: what is left is in circles, or leads from one to another.
fn circular(model: &Model) -> Calls {
    let mut calls = Calls::new();
    for (service, operation) in model.operations().filter(|(_, operation)| !operation.calls.is_empty()) {
        let own = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
        calls.insert(own, operation.calls.iter().map(|call| call.to.clone()).collect());
    }
    loop {
        let left: BTreeSet<OperationRef> = calls.keys().cloned().collect();
        calls.retain(|_, called| {
            called.retain(|to| left.contains(to));
            !called.is_empty()
        });
        if calls.len() == left.len() {
            return calls;
        }
    }
}

/// The shortest circle through an operation, which stands first in it.
fn shortest(calls: &Calls, start: &OperationRef) -> Option<Vec<OperationRef>> {
    let mut before: BTreeMap<&OperationRef, &OperationRef> = BTreeMap::new();
    let mut open: VecDeque<&OperationRef> = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for to in calls.get(at).into_iter().flatten() {
            if to == start {
                let mut circle = vec![at.clone()];
                let mut step = at;
                while let Some(previous) = before.get(step) {
                    circle.push((*previous).clone());
                    step = previous;
                }
                circle.reverse();
                return Some(circle);
            }
            if !before.contains_key(to) {
                before.insert(to, at);
                open.push_back(to);
            }
        }
    }
    None
}

fn report(checker: &mut Checker, circle: &[OperationRef]) {
    let next = circle.iter().cycle().skip(1);
    let mut places = circle
        .iter()
        .zip(next)
        .filter_map(|(from, to)| Some((place(checker, from, to)?, format!("`{}` calls `{}`", shown(from), shown(to)))));
    let Some((first, _)) = places.next() else { return };
    let related: Vec<_> = places.collect();
    let way: Vec<String> = circle.iter().chain(circle.first()).map(|own| format!("`{}`", shown(own))).collect();
    let message = format!("{} call each other in a circle, so none of them ever answers", way.join(" → "));
    let error = Diagnostic::new("E515", first, message)
        .help("leave one of the calls out: answer from what the service has, or publish an event that the other hears");
    checker.report(related.into_iter().fold(error, |error, (span, note)| error.related(span, note)));
}

/// Where an operation says that it calls another.
fn place(checker: &Checker, from: &OperationRef, to: &OperationRef) -> Option<Span> {
    let service = checker.design.services.get(&from.service)?;
    let (_, settings) = settings(service).find(|(name, _)| *name == from.operation)?;
    let call = items(&settings.calls)
        .iter()
        .find(|call| checker.symbols.operation_of(&call.value.call, &from.service).as_ref() == Some(to))?;
    Some(call.value.call.span.clone())
}

fn shown(operation: &OperationRef) -> String {
    format!("{}.{}", operation.service, operation.operation)
}

//! Names that the design itself generates against those that it gives (E208), and values of enums that meet in proto
//! (E205). What a contract takes from another service counts too, for every document holds its own copy.

use std::collections::{BTreeSet, HashMap};

use super::Checker;
use crate::{
    design::{Design, TypeDefKind},
    diagnostic::Diagnostic,
    fit,
    model::{Enum, Field, Input, Model, Output, Payload, ResourceRef, Service, Shape, StreamItem, Type, TypeDef},
    names::{self, generated::Generated},
    source::Span,
};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    let spans = type_spans(checker.design);
    let types = spans.iter().filter(|(name, _)| model.types.contains_key(*name));
    let types: Names = types.map(|(name, span)| (names::key(name), (name.clone(), "type", span.clone()))).collect();
    let mut shared = Values::new();
    for (name, def) in &model.types {
        if let (TypeDef::Enum(shared_enum), Some(span)) = (def, spans.get(name)) {
            add_values(checker, &HashMap::new(), &mut shared, shared_enum, span);
        }
    }
    for service in model.services.values() {
        let Some(written) = checker.design.services.get(&service.name) else { continue };
        let resources = written.resources.iter().map(|(name, resource)| (name, "resource", resource.head.span()));
        let events = written.events.iter().map(|(name, event)| (name, "event", event.head.span()));
        // Two given names that meet were reported where they stand.
        let own = resources.chain(events).map(|(name, what, span)| (names::key(name), (name.clone(), what, span)));
        let mut scope = Scope { types: &types, own: own.collect(), generated: HashMap::new() };
        let mut generated = names::generated::of_service(model, service);
        generated.extend(service.enums.keys().map(|name| Generated {
            name: name.clone(),
            role: "an enum written in a field".to_owned(),
            operation: None,
        }));
        for generated in generated {
            scope.generate(checker, &service.name, generated);
        }
        foreign(checker, model, service, &scope);
        let (mut values, span) = (Values::new(), written.head.span());
        for own in service.enums.values() {
            add_values(checker, &shared, &mut values, own, &span);
        }
    }
}

/// Names that a design gives, by key: the name, what it names, where.
type Names = HashMap<String, (String, &'static str, Span)>;

/// Values of enums as proto writes them, to the enum and the value.
type Values<'m> = HashMap<String, (&'m str, &'m str)>;

/// What a name of a contract stands for, by key.
struct Scope<'a> {
    types: &'a Names,
    /// Resources and events of the service.
    own: Names,
    generated: HashMap<String, Generated>,
}

impl Scope<'_> {
    fn given(&self, key: &str) -> Option<&(String, &'static str, Span)> {
        self.types.get(key).or_else(|| self.own.get(key))
    }

    fn generate(&mut self, checker: &mut Checker, service: &str, generated: Generated) {
        let key = names::key(&generated.name);
        let role = &generated.role;
        if let Some((given, what, span)) = self.given(&key) {
            let message = format!("{what} `{given}` is the name of {role} in `{service}`");
            checker.error("E208", span, message, format!("rename the {what}"));
            return;
        }
        match self.generated.get(&key) {
            None => {
                self.generated.insert(key, generated);
            }
            // One wrapper that several places need.
            Some(first) if first.role == *role => {}
            // Operations that meet were reported as such.
            Some(first) if first.operation.is_some() && generated.operation.is_some() => {}
            Some(first) => {
                let span = checker.design.services.get(service).map(|service| service.head.span());
                let message =
                    format!("`{}` is the name of {} and of {role} in `{service}`", generated.name, first.role);
                let help = "rename what one of them follows from";
                checker.report(Diagnostic::new("E208", span.unwrap_or_else(|| Span::new(0, 0..0)), message).help(help));
            }
        }
    }
}

/// Resources of other services that the contract holds copies of, and the enums in them.
fn foreign(checker: &mut Checker, model: &Model, service: &Service, scope: &Scope) {
    let mut copies: HashMap<String, ResourceRef> = HashMap::new();
    for (of, span) in whole_resources(checker, model, service) {
        if of.service == service.name {
            continue;
        }
        let Some(resource) = fit::resource(model, &of) else { continue };
        let their_enums =
            resource.fields.iter().flat_map(|field| fit::parts(&field.ty)).filter_map(|part| match part {
                Type::Named(named) if named.service.is_some() => Some(named.name.as_str()),
                _ => None,
            });
        for name in their_enums.chain([resource.name.as_str()]) {
            let key = names::key(name);
            let own = scope.given(&key).map(|(own, what, _)| format!("{what} `{own}`"));
            let own = own.or_else(|| scope.generated.get(&key).map(|first| first.role.clone()));
            let other =
                copies.get(&key).filter(|other| **other != of).map(|other| format!("`{}.{name}`", other.service));
            if let Some(taken) = own.or(other) {
                let message =
                    format!("`{name}` of `{}` and {taken} would share a name in `{}`", of.service, service.name);
                checker.error(
                    "E205",
                    &span,
                    message,
                    "give only the fields that are needed, under a name of their own",
                );
            }
            copies.insert(key, of.clone());
        }
    }
}

/// Every whole resource that answers and events of the service hold, and where.
fn whole_resources(checker: &Checker, model: &Model, service: &Service) -> Vec<(ResourceRef, Span)> {
    let mut found = Vec::new();
    let Some(written) = checker.design.services.get(&service.name) else { return found };
    let mut add = |whole: Option<&ResourceRef>, fields: &[Field], named: Option<&str>, span: Span| {
        let types = fields.iter().map(|field| &field.ty).collect();
        let below = names::generated::follow(model, types, named.into_iter().collect(), &mut BTreeSet::new());
        let inside = below.into_iter().flat_map(fit::parts).filter_map(|part| match part {
            Type::Resource(of) => Some(of),
            _ => None,
        });
        found.extend(whole.into_iter().chain(inside).map(|of| (of.clone(), span.clone())));
    };
    for operation in service.operations.values() {
        let Shape::Custom { input, output, .. } = &operation.shape else { continue };
        let custom = written.queries.get(&operation.name).or_else(|| written.commands.get(&operation.name));
        let Some(custom) = custom else { continue };
        let span = custom.output.as_ref().map_or_else(|| custom.head.span(), |output| output.span.clone());
        match output {
            Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => add(Some(of), &[], None, span),
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => add(None, &[], Some(name), span),
            Output::Fields(fields) => add(None, fields, None, span),
            Output::None | Output::Item => {}
        }
        if let Input::Payload(_) = input {
            add(None, fit::input(model, input).unwrap_or_default(), None, custom.head.span());
        }
    }
    for event in service.events.values() {
        let Some(custom) = written.events.get(&event.name) else { continue };
        let span = custom.payload.as_ref().map_or_else(|| custom.head.span(), |payload| payload.span.clone());
        match &event.payload {
            Payload::Resource(of) => add(Some(of), &[], None, span),
            Payload::Named(name) => add(None, &[], Some(name), span),
            Payload::Fields(fields) => add(None, fields, None, span),
        }
    }
    found
}

/// Values of enums stand beside each other in proto: `Order` with `status_paid` meets `OrderStatus` with `paid`.
fn add_values<'m>(checker: &mut Checker, shared: &Values, values: &mut Values<'m>, ty: &'m Enum, span: &Span) {
    for value in ty.values.iter().map(String::as_str).chain(["unspecified"]) {
        let name = names::proto::enum_value(&ty.name, value);
        let first = shared.get(&name).or_else(|| values.get(&name)).copied();
        if let Some((first, other)) = first.filter(|(first, _)| *first != ty.name) {
            let message =
                format!("`{value}` of enum `{}` and `{other}` of enum `{first}` are both `{name}` in proto", ty.name);
            checker.error("E205", span, message, "rename one");
        }
        values.insert(name, (&ty.name, value));
    }
}

/// Where each type is named: an enum that may be written in a field at that field.
fn type_spans(design: &Design) -> HashMap<String, Span> {
    let mut spans = HashMap::new();
    for (name, def) in &design.types {
        if let TypeDefKind::Record(fields) = &def.kind {
            for (field_name, field) in fields {
                spans
                    .entry(format!("{name}{}", names::upper_camel(field_name)))
                    .or_insert_with(|| field.name.span.clone());
            }
        }
    }
    spans.extend(design.types.iter().map(|(name, def)| (name.clone(), def.head.span())));
    spans
}

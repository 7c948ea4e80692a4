//! A service to the description by which the suite of `kit-test` judges it: schemas, examples, what may fail with what.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::{
    contracts::{
        example,
        graphql::{self, request},
        openapi, openrpc,
        schema::{Form, Schemas, Side},
        shape::{self, COMPARISONS},
    },
    design::Word as _,
    model::{
        Delivery, Docs, EventRef, Field, Input, Model, Operation, OperationKind, Output, Payload, Policy, Rate,
        Resource, ResourceRef, Safety, Scalar, Service, Shape, StreamItem, Transport, Type, TypeDef, Verb,
    },
    names,
};

use super::super::{adapter::Kept, events, gate, queue};

/// How many examples there are of each input, and the numbers of some that nothing else has, but where few values are.
const EXAMPLES: u32 = 5;
const UNKNOWN: Range<u32> = 61..71;

/// The description of a service; of an old version with the members of its resources that the present one keeps.
pub fn of(model: &Model, service: &Service, kept: Option<&Kept>) -> Value {
    let mut writer = Writer { model, service, schemas: Schemas::new(model, Form::OpenApi) };
    let operations: Vec<Value> = service.operations.values().map(|operation| writer.operation(operation)).collect();
    let emitted = |event: &&crate::model::Event| {
        service.operations.values().any(|operation| operation.emits.contains(&event.name))
    };
    let event = |event: &crate::model::Event| {
        let message = format!("{}.{}", service.name, event.name);
        (kind(model, service, &event.name), json!({ "name": event.name, "message": message, "key": event.key }))
    };
    let events: Map<String, Value> = service.events.values().filter(emitted).map(event).collect();
    json!({
        "service": service.name,
        "limits": said(json!({ "service": service.limits.limit.map(limit), "quota": service.limits.quota.map(limit) })),
        "operations": operations,
        "resources": in_order(service).into_iter().map(|resource| self::resource(model, service, resource, kept)).collect::<Vec<_>>(),
        "events": events,
        "consumers": service.operations.values().flat_map(|o| consumers(model, service, o)).collect::<Vec<_>>(),
        "components": { "schemas": writer.schemas.into_named() },
    })
}

fn limit(rate: Rate) -> Value {
    json!({ "calls": rate.calls, "seconds": rate.window.as_secs() })
}

/// Without what is not so.
fn said(mut object: Value) -> Value {
    let is_said = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => true,
    };
    if let Value::Object(members) = &mut object {
        members.retain(|_, value| is_said(value));
    }
    object
}

struct Writer<'m> {
    model: &'m Model,
    service: &'m Service,
    schemas: Schemas<'m>,
}

impl Writer<'_> {
    fn operation(&mut self, operation: &Operation) -> Value {
        let (model, service) = (self.model, self.service);
        let item = shape::on_item(operation);
        let (verb, resource) = match &operation.shape {
            Shape::Verb { verb, resource } => (Some(verb.word()), Some(resource.as_str())),
            Shape::Custom { .. } => (None, item),
        };
        let input = self.input(operation);
        let answer = self.answer(operation);
        let mut errors = Map::new();
        for error in &operation.errors {
            let data = error.data.as_ref().map(|data| self.schemas.named(data, Side::Output));
            errors.insert(error.name.clone(), json!({ "kind": openapi::kind(error.kind), "data": data }));
        }
        let graphql = graphql::is_served(model, service, operation).then(|| {
            let asked = request::asked(model, service, operation);
            json!({ "document": asked.document, "whole": asked.whole, "subscription": asked.subscription })
        });
        let emits: Vec<String> = operation.emits.iter().map(|event| kind(model, service, event)).collect();
        said(json!({
            "name": operation.name,
            "verb": verb,
            "resource": resource,
            "takes_id": item.is_some(),
            "rest": operation.expose.has(Transport::Rest),
            "grpc": model.served(&service.name, &operation.name).has(Transport::Grpc),
            "jsonrpc": operation.expose.has(Transport::Jsonrpc).then(|| openrpc::method(operation)),
            "graphql": graphql,
            "input": input,
            "answer": answer,
            "stream": operation.streams(),
            "reads": operation.reads(),
            "query": operation.kind == OperationKind::Query,
            "safe": operation.safety == Safety::Safe,
            "keyed": operation.safety == Safety::Keyed && gate::keeps_answer(model, service, operation),
            "errors": errors,
            "failures": openapi::failures(service, operation),
            "examples": examples(model, service, operation),
            "limit": operation.limit.map(limit),
            "emits": emits,
            "follows": operation.follows.iter().map(|event| followed(model, service, operation, event)).collect::<Vec<_>>(),
        }))
    }

    fn input(&mut self, operation: &Operation) -> Option<Value> {
        let (name, fields, side) = match &operation.shape {
            Shape::Custom { input: Input::Stream(item), .. } => return Some(self.schemas.named(item, Side::Input)),
            Shape::Custom { .. } => {
                let fields = input_fields(self.model, operation);
                if fields.is_empty() {
                    return None;
                }
                (names::upper_camel(&operation.name) + "Request", fields, Side::Input)
            }
            Shape::Verb { verb, resource: name } => {
                let resource = self.service.resources.get(name)?;
                match verb {
                    Verb::List => return Some(self.list(resource)),
                    Verb::Create => (format!("New{name}"), shape::new_fields(resource), Side::Input),
                    Verb::Replace => (format!("{name}Draft"), shape::draft_fields(resource), Side::Input),
                    Verb::Patch => (format!("{name}Patch"), shape::draft_fields(resource), Side::Patch),
                    Verb::Get | Verb::Delete => return None,
                }
            }
        };
        Some(self.schemas.message(&name, &Docs::default(), &fields, side))
    }

    fn list(&mut self, resource: &Resource) -> Value {
        let mut properties = Map::new();
        for filter in shape::filters(resource) {
            properties.insert(filter.path.clone(), self.schemas.of(&filter.any(), Side::Output));
            for comparison in COMPARISONS.iter().filter(|_| filter.ordered) {
                properties.insert(format!("{}.{comparison}", filter.path), self.schemas.of(&filter.ty, Side::Output));
            }
        }
        json!({ "type": "object", "properties": properties })
    }

    fn answer(&mut self, operation: &Operation) -> Option<Value> {
        let own = |resource: &str| shape::of_service(self.service, resource);
        Some(match &operation.shape {
            Shape::Custom { output, .. } => match output {
                Output::None => return None,
                Output::Named(name) | Output::Stream(StreamItem::Named(name)) => self.schemas.named(name, Side::Output),
                Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => self.schemas.item(of),
                Output::Fields(fields) => {
                    let name = names::upper_camel(&operation.name) + "Response";
                    self.schemas.message(&name, &Docs::default(), fields, Side::Output)
                }
                Output::Item => self.schemas.item(&own(shape::on_item(operation)?)),
            },
            Shape::Verb { verb: Verb::Delete, .. } => return None,
            Shape::Verb { verb: Verb::List, resource } => {
                let item = self.schemas.item(&own(resource));
                let items = json!({ "type": "array", "items": item });
                json!({
                    "type": "object",
                    "required": ["items"],
                    "properties": { "items": items, "next": { "type": "string" } },
                })
            }
            Shape::Verb { resource, .. } => self.schemas.item(&own(resource)),
        })
    }
}

/// What a command or query takes besides the id of its item.
fn input_fields(model: &Model, operation: &Operation) -> Vec<Field> {
    let mut fields = shape::input_fields(model, operation);
    if shape::on_item(operation).is_some() {
        fields.retain(|field| field.name != "id");
    }
    fields
}

/// Inputs of an operation.
pub fn examples(model: &Model, service: &Service, operation: &Operation) -> Vec<Value> {
    let of = |fields: Vec<Field>| (0..EXAMPLES).map(|nth| example::object(model, &fields, nth)).collect();
    match &operation.shape {
        Shape::Custom { input: Input::None, .. } => Vec::new(),
        // One example: several items.
        Shape::Custom { input: Input::Stream(item), .. } => {
            let item = |nth| example::nth_value(model, &shape::named_type(item), "", nth);
            vec![(0..EXAMPLES).map(item).collect()]
        }
        Shape::Custom { .. } => of(input_fields(model, operation)),
        Shape::Verb { verb, resource } => {
            let Some(resource) = service.resources.get(resource) else { return Vec::new() };
            match verb {
                Verb::Create => of(shape::new_fields(resource)),
                Verb::Replace | Verb::Patch => of(shape::draft_fields(resource)),
                Verb::List => vec![json!({})],
                Verb::Get | Verb::Delete => Vec::new(),
            }
        }
    }
}

/// Each after those that it refers to; where that goes round in a circle, after those that it has to refer to.
pub fn in_order(service: &Service) -> Vec<&Resource> {
    let mut left: Vec<&Resource> = service.resources.values().collect();
    let mut placed: Vec<&Resource> = Vec::new();
    while !left.is_empty() {
        let waits = |resource: &Resource, to: &str| to != resource.name && left.iter().any(|other| other.name == to);
        let is_free = |resource: &&Resource| !references(service, resource).iter().any(|(_, to)| waits(resource, to));
        let may_be_made =
            |resource: &&Resource| !shape::required_keys(service, resource).any(|(_, to)| waits(resource, to));
        let next = left.iter().position(is_free).or_else(|| left.iter().position(may_be_made)).unwrap_or(0);
        placed.push(left.remove(next));
    }
    placed
}

/// Members that hold ids of the service's own resources, and which.
fn references<'r>(service: &Service, resource: &'r Resource) -> Vec<(&'r str, &'r str)> {
    fn to(ty: &Type) -> Option<&ResourceRef> {
        match ty {
            Type::Ref(of) => Some(of),
            Type::Optional(inner) => to(inner),
            Type::List { item, .. } => to(item),
            _ => None,
        }
    }
    let reference = |field: &'r Field| {
        let of = to(&field.ty).filter(|of| of.service == service.name)?;
        Some((field.name.as_str(), of.resource.as_str()))
    };
    resource.fields.iter().filter_map(reference).collect()
}

/// The request for a list with all that its items refer to, where GraphQL shows that.
fn shown(model: &Model, service: &Service, resource: &Resource) -> Option<Value> {
    let is_list = |operation: &&Operation| matches!(&operation.shape, Shape::Verb { verb: Verb::List, resource: of } if *of == resource.name);
    let list = service.operations.values().find(is_list)?;
    let references = graphql::references(service, &shape::item_fields(resource));
    if references.is_empty() || !graphql::is_served(model, service, list) || service.composes() {
        return None;
    }
    let name = names::graphql::field;
    let of = |reference: graphql::Reference| {
        let key = name(&service.resources.get(&reference.to.resource)?.id);
        let (id, object) = (name(&reference.field.name), name(&reference.name));
        Some(json!({
            "member": reference.field.name,
            "id": id,
            "object": object,
            "key": key,
            "to": reference.to.resource,
            "several": reference.several,
        }))
    };
    let references: Vec<Value> = references.into_iter().filter_map(of).collect();
    let fields = references.iter().map(|of| {
        let [id, object, key] = ["id", "object", "key"].map(|name| of[name].as_str().unwrap_or_default());
        format!(" {id} {object} {{ {key} }}")
    });
    let fields: String = fields.collect();
    let list = names::graphql::verb_field(Verb::List, &resource.name, &resource.plural);
    Some(json!({ "request": format!("{{ {list} {{ nodes {{{fields} }} }} }}"), "references": references }))
}

fn resource(model: &Model, service: &Service, resource: &Resource, keeps: Option<&Kept>) -> Value {
    let id = Type::Ref(shape::of_service(service, &resource.name));
    let nth = |nth| example::nth_value(model, &id, "id", nth);
    let mut ids: Vec<Value> = Vec::new();
    for id in (0..EXAMPLES).map(nth) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let unknown = UNKNOWN.map(nth).find(|id| !ids.contains(id));
    let draft = shape::draft_fields(resource);
    let kept = resource.fields.iter().filter(|field| !draft.iter().any(|given| given.name == field.name));
    let is_kept = |field: &Field| {
        let kept = keeps.and_then(|kept| kept.get(&resource.name));
        kept.is_none_or(|kept| kept.contains(&field.name))
    };
    let member = |field: &Field| json!({ "name": field.name, "optional": matches!(field.ty, Type::Optional(_)) && field.default.is_none() });
    let filter = |filter: &shape::Filter| {
        let examples: Vec<Value> =
            (0..EXAMPLES).map(|nth| example::nth_value(model, &filter.ty, "text", nth)).collect();
        json!({ "path": filter.path, "order": order(&filter.ty), "ordered": filter.ordered, "examples": examples })
    };
    let sorts = resource.sort.iter().map(|path| json!({ "path": path.segments.join("."), "order": order(&path.ty) }));
    let references: Map<String, Value> =
        references(service, resource).into_iter().map(|(name, to)| (name.to_owned(), json!(to))).collect();
    let mut described = json!({
        "name": resource.name,
        "id": resource.id,
        "natural": shape::is_natural(resource),
        "ids": ids,
        "unknown": unknown,
        "kept": kept.map(|field| field.name.as_str()).collect::<Vec<_>>(),
        "unique": resource.fields.iter().filter(|field| field.unique).map(|f| f.name.as_str()).collect::<Vec<_>>(),
        "draft": draft.iter().filter(|field| is_kept(field)).map(member).collect::<Vec<_>>(),
        "references": references,
        "keys": shape::foreign_keys(service, resource).iter().map(|(field, _)| field.name.as_str()).collect::<Vec<_>>(),
        "filters": shape::filters(resource).iter().map(filter).collect::<Vec<_>>(),
        "sorts": sorts.collect::<Vec<_>>(),
    });
    if let Some(shown) = shown(model, service, resource) {
        described["shown"] = shown;
    }
    described
}

fn order(ty: &Type) -> &'static str {
    match ty {
        Type::Optional(inner) => order(inner),
        Type::Scalar(Scalar::Duration) => "duration",
        Type::Scalar(
            Scalar::I32 { .. }
            | Scalar::I64 { .. }
            | Scalar::U32 { .. }
            | Scalar::U64 { .. }
            | Scalar::F64 { .. }
            | Scalar::Decimal { .. },
        ) => "number",
        _ => "text",
    }
}

/// The queue of a command, and the subscriptions of an operation that events run.
fn consumers(model: &Model, service: &Service, operation: &Operation) -> Vec<Value> {
    let taken = queue::is_taken(model, service, operation).then(|| taken(model, service, operation));
    let mut consumers: Vec<Value> = taken.into_iter().chain(heard(model, service, operation)).collect();
    for consumer in &mut consumers {
        consumer["once"] = json!(gate::keeps_answer(model, service, operation));
    }
    consumers
}

fn taken(model: &Model, service: &Service, operation: &Operation) -> Value {
    let policy = queue::policy(model, service, operation);
    let fields = shape::request_fields(model, service, operation);
    let item = shape::on_item(operation).map(|_| "id");
    consumer(
        operation,
        &queue::queue(service, operation),
        &policy,
        fields.iter().any(|field| item != Some(field.name.as_str())),
        item.map(str::to_owned),
        &[format!("{}.{}", service.name, operation.name)],
    )
}

fn heard(model: &Model, service: &Service, operation: &Operation) -> Vec<Value> {
    let Shape::Custom { of, input, .. } = &operation.shape else { return Vec::new() };
    let heard = |hearing: events::Hearing<'_>| {
        let messages: Vec<String> =
            hearing.events.iter().map(|event| format!("{}.{}", event.service, event.event)).collect();
        let item = of.as_ref().map(|of| events::item_id(of));
        consumer(operation, &hearing.subscription, hearing.policy, *input != Input::None, item, &messages)
    };
    events::hearings(model, service, operation).into_iter().map(heard).collect()
}

fn consumer(
    operation: &Operation,
    subscription: &str,
    policy: &Policy,
    reads: bool,
    item: Option<String>,
    messages: &[String],
) -> Value {
    json!({
        "operation": operation.name,
        "subscription": subscription,
        "dead_letter": policy.dead_letter && policy.delivery == Delivery::AtLeastOnce,
        "reads": reads,
        "item": item,
        "messages": messages,
    })
}

/// An event that a stream sends on: what it is among the items, and which of its members names the item that the stream
/// is of.
fn followed(model: &Model, service: &Service, operation: &Operation, event: &EventRef) -> Value {
    let payload =
        model.services.get(&event.service).and_then(|owner| owner.events.get(&event.event)).map(|e| &e.payload);
    let variant = match (&operation.shape, payload) {
        (Shape::Custom { output: Output::Stream(StreamItem::Named(item)), .. }, Some(Payload::Named(record)))
            if matches!(model.types.get(item), Some(TypeDef::Union(_))) =>
        {
            Some(record)
        }
        _ => None,
    };
    let item = events::about(model, service, operation, event);
    said(json!({ "message": format!("{}.{}", event.service, event.event), "variant": variant, "item": item }))
}

fn kind(model: &Model, service: &Service, event: &str) -> String {
    names::event_type(&model.name, &service.name, event, events::VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contracts::samples, plan::tests::cases};

    fn all(check: impl Fn(&Model, &Service)) {
        for model in [samples::shop(), samples::everything(), samples::library()] {
            model.services.values().for_each(|service| check(&model, service));
        }
    }

    #[test]
    fn examples_keep_the_schema_they_are_told_with() {
        all(|model, service| {
            let described = of(model, service, None);
            for operation in described["operations"].as_array().unwrap() {
                let schema = json!({ "components": described["components"], "allOf": [operation["input"]] });
                if operation["input"].is_null() {
                    continue;
                }
                let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
                for example in operation["examples"].as_array().unwrap() {
                    let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
                    assert_eq!(wrong, Vec::<String>::new(), "{}.{}", service.name, operation["name"]);
                }
            }
        });
    }

    #[test]
    fn documents_are_graphql_with_a_variable_for_each_argument() {
        all(|model, service| {
            for operation in
                service.operations.values().filter(|operation| graphql::is_served(model, service, operation))
            {
                let document = request::asked(model, service, operation).document;
                let parsed = async_graphql_parser::parse_query(&document);
                assert!(parsed.is_ok(), "{document}");
                let (head, body) = document.split_once('{').unwrap();
                assert_eq!(head.matches('$').count(), body.matches('$').count(), "{document}");
            }
        });
    }

    #[test]
    fn resources_follow_those_that_they_refer_to() {
        all(|_, service| {
            let order = in_order(service);
            assert_eq!(order.len(), service.resources.len());
            for (at, resource) in order.iter().enumerate() {
                let before: Vec<&str> = order[..=at].iter().map(|resource| resource.name.as_str()).collect();
                let circle = |to: &str| order.iter().any(|r| r.name == to && !references(service, r).is_empty());
                for (_, to) in references(service, resource) {
                    assert!(before.contains(&to) || circle(to), "{} before {to}", resource.name);
                }
            }
        });
    }

    #[test]
    fn the_first_case_is_toml() {
        all(|model, service| {
            let Some(text) = cases::first(model, service) else { return };
            let parsed: toml_edit::DocumentMut = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert!(parsed["steps"].as_array_of_tables().is_some_and(|steps| !steps.is_empty()), "{text}");
        });
    }
}

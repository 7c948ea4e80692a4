//! The part of day-one code that has to do with messages: an operation publishes the first of its events when it
//! succeeded, and what runs on an event has its effect once.

use crate::{
    contracts::shape,
    model::{EventRef, Field, Input, Model, Operation, Payload, Resource, ResourceRef, Scalar, Service, Shape, Type},
    names,
};

use super::{
    day_one::{self, Sources},
    events, queue, resources,
    rust::{self, user},
};

/// A variable that holds an item of a resource.
struct Holder {
    place: String,
    of: ResourceRef,
}

/// The statement that publishes the first event of the operation, if it emits any. `item` is the variable with the item
/// that the operation is about; `sources` fill the payload by field name.
pub fn statement(
    model: &Model,
    service: &Service,
    operation: &Operation,
    item: Option<(&str, &Resource)>,
    sources: &Sources,
) -> Option<String> {
    let event = service.events.get(operation.emits.first()?)?;
    let mut holders = Vec::new();
    if let Some((place, resource)) = item {
        holders.push(Holder { place: place.into(), of: shape::of_service(service, &resource.name) });
    }
    holders.extend(received(model, operation));
    let mut all: Sources = holders
        .iter()
        .filter_map(|holder| {
            let resource = shape::resource(model, &holder.of)?;
            Some((holder.place.clone(), resources::typed(resource, &holder.of)))
        })
        .collect();
    let others = sources.iter().filter(|(place, _)| !holders.iter().any(|holder| holder.place == *place));
    all.extend(others.cloned());
    let filled = |fields: &[Field]| -> String {
        let value = |field: &Field| {
            let id = holders.iter().find_map(|holder| id_of(model, holder, field));
            let value = id.unwrap_or_else(|| day_one::value(model, field, &all, ""));
            format!("{}: {value}", names::rust::ident(&field.name))
        };
        fields.iter().map(value).collect::<Vec<_>>().join(", ")
    };
    let name = user(&event.name);
    let payload = match &event.payload {
        Payload::Fields(fields) => format!("{name} {{ {} }}", filled(fields)),
        Payload::Named(record) => {
            let fields = events::fields(model, event);
            format!("{name}({} {{ {} }})", user(record), filled(&fields))
        }
        Payload::Resource(of) => match holders.iter().find(|holder| holder.of == *of) {
            Some(holder) => format!("{name}({}.clone())", holder.place),
            None => format!("{name}({})", day_one::example(model, &Type::Resource(of.clone()), "")),
        },
    };
    Some(match events::has_store(model, service) {
        true => format!("outbox::publish(&mut tx, cx, &{payload}).await?;"),
        false => format!("self.broker.publish(&[kit_messaging::Message::event(cx, &{payload})?]).await?;"),
    })
}

/// The input, if it is an item of a resource.
fn received(model: &Model, operation: &Operation) -> Option<Holder> {
    let Shape::Custom { input: Input::Payload(EventRef { service, event }), .. } = &operation.shape else {
        return None;
    };
    match &model.services.get(service)?.events.get(event)?.payload {
        Payload::Resource(of) => Some(Holder { place: "input".into(), of: of.clone() }),
        Payload::Named(_) | Payload::Fields(_) => None,
    }
}

/// The id of the item, if that is what the field means: `order_id`.
fn id_of(model: &Model, holder: &Holder, field: &Field) -> Option<String> {
    let resource = shape::resource(model, &holder.of)?;
    if field.name != events::item_id(&holder.of.resource) {
        return None;
    }
    let place = format!("{}.{}", holder.place, names::rust::ident(&resource.id));
    let inner = shape::id_type(model, &holder.of);
    match &field.ty {
        Type::Ref(of) if *of == holder.of => Some(format!("{place}.clone()")),
        // The id of a reference is the other's id, one deeper.
        Type::Scalar(scalar) if same_kind(scalar, &inner) && !is_reference(resource) => {
            Some(if rust::is_copy(&inner) { format!("{place}.0") } else { format!("{place}.0.clone()") })
        }
        _ => None,
    }
}

fn same_kind(scalar: &Scalar, id: &Type) -> bool {
    matches!(id, Type::Scalar(id) if std::mem::discriminant(id) == std::mem::discriminant(scalar))
}

fn is_reference(resource: &Resource) -> bool {
    resource.fields.iter().any(|field| field.name == resource.id && matches!(field.ty, Type::Ref(_)))
}

/// The statements of a transaction that has begun, committed at the end; if messages run the operation, done the first
/// time only.
pub fn once(model: &Model, service: &Service, operation: &Operation, mut work: Vec<String>) -> Vec<String> {
    work.push("tx.commit().await?;".into());
    if operation.on.is_empty() && !queue::is_taken(model, service, operation) {
        return work;
    }
    let subscription = events::subscription(service, operation);
    let head = format!("if inbox::first_time(&mut tx, cx, \"{subscription}\").await? {{");
    [head].into_iter().chain(work).chain(["}".into()]).collect()
}

/// What an operation that is on no item does, between its calls and its answer.
pub fn effect(model: &Model, service: &Service, operation: &Operation, sources: &Sources) -> Vec<String> {
    let published = statement(model, service, operation, None, sources);
    let sent = day_one::sends(model, service, operation, sources);
    let messages = !operation.on.is_empty() || queue::is_taken(model, service, operation);
    if !events::has_store(model, service) || !(messages || published.is_some() || !sent.is_empty()) {
        return published.into_iter().collect();
    }
    let mut work = vec!["// Yours: what this does.".to_owned()];
    work.extend(sent);
    work.extend(published);
    let begin = "let mut tx = self.store.begin().await?;".to_owned();
    [begin].into_iter().chain(once(model, service, operation, work)).collect()
}

//! Which types each contract crate holds: what only one contract uses is its own, what several use is in
//! `contracts/shared`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        Event, EventRef, Field, Input, MapKey, Model, Operation, Output, Payload, ResourceRef, Shape, StreamItem, Type,
        TypeDef, TypeRef,
    },
    names::rust::id_name,
};

/// Something of the design that becomes a Rust type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// A record, enum or union.
    Type(TypeRef),
    /// The id type of a resource.
    Id(ResourceRef),
    Resource(ResourceRef),
    /// A payload written at its event.
    Payload(EventRef),
}

impl Item {
    /// The name of its Rust type.
    pub fn name(&self) -> String {
        match self {
            Self::Type(name) => name.name.clone(),
            Self::Id(resource) => id_name(&resource.resource),
            Self::Resource(resource) => resource.resource.clone(),
            Self::Payload(event) => event.event.clone(),
        }
    }
}

/// Where every item lives.
#[derive(Debug)]
pub struct Scope {
    uses: BTreeMap<String, BTreeSet<Item>>,
    shared: BTreeSet<Item>,
}

impl Scope {
    pub fn of(model: &Model) -> Self {
        let uses: BTreeMap<_, _> = model.services.keys().map(|name| (name.clone(), used(model, name))).collect();
        if let Some(old) = model.services.values().find(|service| service.is_old()) {
            // Nothing else is made of this system; what is as it is now is taken over when all is written.
            let uses = uses.into_iter().filter(|(name, _)| *name == old.name).collect();
            return Self { uses, shared: BTreeSet::new() };
        }
        let mut counts: BTreeMap<&Item, usize> = BTreeMap::new();
        for item in uses.values().flatten() {
            *counts.entry(item).or_default() += 1;
        }
        let shared = counts.into_iter().filter(|(_, count)| *count > 1).map(|(item, _)| item.clone()).collect();
        Self { uses, shared }
    }

    /// Every item that the contract's own text mentions, directly or inside another item.
    pub fn uses(&self, service: &str) -> impl Iterator<Item = &Item> {
        self.uses.get(service).into_iter().flatten()
    }

    /// The items that the contract crate itself defines.
    pub fn own(&self, service: &str) -> impl Iterator<Item = &Item> {
        self.uses(service).filter(|item| !self.shared.contains(item))
    }

    /// What `contracts/shared` defines.
    pub fn shared(&self) -> &BTreeSet<Item> {
        &self.shared
    }
}

fn used(model: &Model, service: &str) -> BTreeSet<Item> {
    let mut walk = Walk { model, found: BTreeSet::new() };
    let Some(service) = model.services.get(service) else { return walk.found };
    for resource in service.resources.values().filter(|r| !(service.is_old() && r.verbs.is_empty())) {
        walk.resource(&ResourceRef { service: service.name.clone(), resource: resource.name.clone() });
    }
    for operation in service.operations.values() {
        walk.operation(&service.name, operation);
    }
    for event in service.events.values() {
        walk.event(&EventRef { service: service.name.clone(), event: event.name.clone() });
    }
    walk.found
}

struct Walk<'a> {
    model: &'a Model,
    found: BTreeSet<Item>,
}

impl Walk<'_> {
    fn operation(&mut self, service: &str, operation: &Operation) {
        for error in &operation.errors {
            if let Some(data) = &error.data {
                self.named(data);
            }
        }
        let Shape::Custom { of, input, output } = &operation.shape else { return };
        if let Some(resource) = of {
            self.resource(&ResourceRef { service: service.into(), resource: resource.clone() });
        }
        match input {
            Input::None => {}
            Input::Named(name) | Input::Stream(name) => self.named(name),
            Input::Fields(fields) => self.fields(fields),
            Input::Payload(event) => self.event(event),
        }
        match output {
            Output::None | Output::Item => {}
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => self.named(name),
            Output::Fields(fields) => self.fields(fields),
            Output::Resource(resource) | Output::Stream(StreamItem::Resource(resource)) => self.resource(resource),
        }
    }

    fn event(&mut self, event: &EventRef) {
        let found = self.model.services.get(&event.service).and_then(|s| s.events.get(&event.event));
        match found.map(|Event { payload, .. }| payload) {
            Some(Payload::Named(name)) => self.named(name),
            Some(Payload::Resource(resource)) => self.resource(resource),
            Some(Payload::Fields(fields)) if self.found.insert(Item::Payload(event.clone())) => self.fields(fields),
            Some(Payload::Fields(_)) | None => {}
        }
    }

    /// An id, and that or those of which it is made.
    fn id(&mut self, of: &ResourceRef) {
        let found = self.model.services.get(&of.service).and_then(|service| service.resources.get(&of.resource));
        if self.found.insert(Item::Id(of.clone()))
            && let Some(resource) = found
        {
            let id = resource.fields.iter().find(|field| field.name == resource.id);
            id.iter().for_each(|field| self.ty(&field.ty));
        }
    }

    fn resource(&mut self, resource: &ResourceRef) {
        self.id(resource);
        let found = self.model.services.get(&resource.service).and_then(|s| s.resources.get(&resource.resource));
        if let Some(found) = found
            && self.found.insert(Item::Resource(resource.clone()))
        {
            self.fields(&found.fields);
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        fields.iter().for_each(|field| self.ty(&field.ty));
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Scalar(_) => {}
            Type::Named(name) => self.type_ref(name),
            Type::Resource(resource) => self.resource(resource),
            Type::Ref(resource) => self.id(resource),
            Type::List { item, .. } => self.ty(item),
            Type::Optional(inner) => self.ty(inner),
            Type::Map { key, value } => {
                if let MapKey::Enum(name) = key {
                    self.type_ref(name);
                }
                self.ty(value);
            }
        }
    }

    fn named(&mut self, name: &str) {
        self.type_ref(&TypeRef { service: None, name: name.into() });
    }

    fn type_ref(&mut self, name: &TypeRef) {
        if !self.found.insert(Item::Type(name.clone())) || name.service.is_some() {
            return;
        }
        match self.model.types.get(&name.name) {
            Some(TypeDef::Record(record)) => self.fields(&record.fields),
            Some(TypeDef::Union(union)) => union.variants.iter().for_each(|variant| self.named(variant)),
            Some(TypeDef::Enum(_)) | None => {}
        }
    }
}

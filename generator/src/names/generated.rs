//! The names of types that a service's contract has beside those of the design.

use std::collections::BTreeSet;

use super::{graphql, proto, upper_camel};
use crate::{
    contracts::shape,
    fit,
    model::{Event, Field, Input, MapKey, Model, Output, Payload, Service, Shape, StreamItem, Type, TypeDef, Verb},
};

/// A name that follows from something in the design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// `UpperCamel`: `ReserveRequest`.
    pub name: String,
    /// What it is, for messages: ``command `reserve`'s request``.
    pub role: String,
    /// The operation that it follows from, if it does.
    pub operation: Option<String>,
}

impl Generated {
    fn new(name: String, role: String) -> Self {
        Self { name, role, operation: None }
    }
}

/// Everything that the contract of a service generates, over all targets. Of two equal names the first counts.
pub fn of_service(model: &Model, service: &Service) -> Vec<Generated> {
    let mut names = vec![Generated::new(proto::service(&service.name), "the service in proto".to_owned())];
    for operation in service.operations.values() {
        let mut add = |name: String, role: String| {
            names.push(Generated { operation: Some(operation.name.clone()), ..Generated::new(name, role) });
        };
        let camel = upper_camel(&operation.name);
        let title = fit::title(operation);
        add(format!("{camel}Request"), format!("{title}'s request"));
        add(format!("{camel}Response"), format!("{title}'s response"));
        add(format!("{camel}Arguments"), format!("{title}'s arguments in GraphQL"));
        add(format!("{camel}Error"), format!("{title}'s errors"));
        if let Shape::Verb { verb: Verb::Patch, resource } = &operation.shape {
            add(format!("Update{resource}Request"), format!("{title}'s request in proto"));
        }
    }
    for resource in service.resources.values() {
        let name = &resource.name;
        let mut of = |generated: String, what: &str| {
            names.push(Generated::new(generated, format!("{what} of resource `{name}`")));
        };
        let has = |verb| resource.verbs.contains(&verb);
        of(format!("{name}Id"), "the id");
        if has(Verb::List) {
            of(format!("List{}", resource.plural), "the list request");
            of(format!("{name}Page"), "a page");
            of(graphql::connection(name), "a page in GraphQL");
            of(graphql::edge(name), "an item of a page in GraphQL");
            for (end, what) in
                [("Filter", "the filter"), ("Where", "the filter"), ("Sort", "the order"), ("OrderBy", "the order")]
            {
                of(format!("{name}{end}"), what);
            }
        }
        if has(Verb::Create) {
            of(format!("New{name}"), "the input of `create`");
            of(format!("New{name}Input"), "the input of `create` in GraphQL");
        }
        if has(Verb::Replace) {
            of(format!("{name}Draft"), "the input of `replace`");
            of(format!("{name}Input"), "the input of `replace` in GraphQL");
        }
        if has(Verb::Patch) {
            of(format!("{name}Patch"), "the input of `patch`");
        }
    }
    names.extend(of_types(model, service));
    names
}

/// Wrappers that type expressions need in proto and GraphQL, and the twins of records and entries in inputs and patches.
fn of_types(model: &Model, service: &Service) -> Vec<Generated> {
    let (taken, all) = reached(model, service);
    let mut names = Vec::new();
    for name in taken {
        let role = format!("`{name}` as an input in GraphQL");
        names.push(Generated::new(graphql::input(name), role));
    }
    let patched = service.resources.values().filter(|resource| resource.verbs.contains(&Verb::Patch));
    let fields = patched.flat_map(|resource| &resource.fields).filter(|field| !field.readonly && !field.fixed);
    let mut seen = BTreeSet::new();
    fields.for_each(|field| patches(model, &field.ty, &mut seen));
    for name in seen {
        names.push(Generated::new(format!("{name}Patch"), format!("`{name}` inside a patch")));
    }
    let mut wrappers = Wrappers(names);
    all.into_iter().for_each(|ty| wrappers.field(ty));
    wrappers.0
}

/// The records that a patch of a field goes into. Lists and unions are replaced as a whole.
fn patches<'m>(model: &'m Model, ty: &'m Type, seen: &mut BTreeSet<&'m str>) {
    match ty {
        Type::Optional(inner) | Type::Map { value: inner, .. } => patches(model, inner, seen),
        Type::Named(named) if named.service.is_none() => {
            if let Some(record) = fit::record(model, &named.name)
                && seen.insert(&record.name)
            {
                record.fields.iter().for_each(|field| patches(model, &field.ty, seen));
            }
        }
        _ => {}
    }
}

/// Names of what proto and GraphQL cannot nest.
struct Wrappers(Vec<Generated>);

impl Wrappers {
    /// The type of a field, which may be a list or map and may be left out.
    fn field(&mut self, ty: &Type) {
        match ty {
            Type::List { item, .. } => self.single(item),
            Type::Optional(inner) => self.single(inner),
            Type::Map { key, value } => self.map(key, value),
            _ => {}
        }
    }

    /// A type in the place of one value.
    fn single(&mut self, ty: &Type) {
        let (role, inner) = match ty {
            Type::List { item, .. } => (format!("a list of `{}`", shape::type_name(item)), item),
            Type::Optional(inner) => (format!("an optional `{}`", shape::type_name(inner)), inner),
            Type::Map { key, value } => {
                let role = format!("a map of `{}`{}", shape::type_name(value), by(key));
                self.add(shape::type_name(ty), role);
                return self.map(key, value);
            }
            _ => return,
        };
        self.add(shape::type_name(ty), role);
        self.single(inner);
    }

    fn map(&mut self, key: &MapKey, value: &Type) {
        let entry = graphql::entry(&shape::entry_stem(key, value));
        let role = format!("an entry of a map of `{}`{}", shape::type_name(value), by(key));
        for end in ["", "Input", "Patch"] {
            self.add(format!("{entry}{end}"), role.clone());
        }
        self.single(value);
    }

    fn add(&mut self, name: String, role: String) {
        self.0.push(Generated::new(name, role));
    }
}

/// Two maps of one name differ in this.
fn by(key: &MapKey) -> &'static str {
    if *key == MapKey::String { "" } else { " by key" }
}

/// The records and unions that inputs of the service reach, and all types of fields that anything of it reaches.
fn reached<'m>(model: &'m Model, service: &'m Service) -> (BTreeSet<&'m str>, Vec<&'m Type>) {
    let (mut inputs, mut outputs): (Vec<&Type>, Vec<&Type>) = (Vec::new(), Vec::new());
    let mut named = Vec::new();
    let fields = |fields: &'m [Field]| fields.iter().map(|field| &field.ty);
    for resource in service.resources.values() {
        inputs.extend(fields(&resource.fields));
    }
    for Event { payload, .. } in service.events.values() {
        match payload {
            Payload::Fields(own) => outputs.extend(fields(own)),
            Payload::Named(name) => named.push(name.as_str()),
            Payload::Resource(_) => {}
        }
    }
    for operation in service.operations.values() {
        named.extend(operation.errors.iter().filter_map(|error| error.data.as_deref()));
        let Shape::Custom { input, output, .. } = &operation.shape else { continue };
        match input {
            Input::Fields(own) => inputs.extend(fields(own)),
            // The fields of a named input stand in the request itself.
            Input::Named(_) | Input::Payload(_) => inputs.extend(fields(fit::input(model, input).unwrap_or_default())),
            Input::Stream(name) => named.push(name),
            Input::None => {}
        }
        match output {
            Output::Fields(own) => outputs.extend(fields(own)),
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => named.push(name),
            Output::None | Output::Resource(_) | Output::Item | Output::Stream(StreamItem::Resource(_)) => {}
        }
    }
    let mut taken = BTreeSet::new();
    let mut types = follow(model, inputs, Vec::new(), &mut taken);
    types.extend(follow(model, outputs, named, &mut BTreeSet::new()));
    (taken, types)
}

/// These types, the fields of these records, and those of all records below them. The records and unions met are added
/// to `seen`.
pub(crate) fn follow<'m>(
    model: &'m Model,
    mut types: Vec<&'m Type>,
    mut names: Vec<&'m str>,
    seen: &mut BTreeSet<&'m str>,
) -> Vec<&'m Type> {
    let mut all = Vec::new();
    while !types.is_empty() || !names.is_empty() {
        for ty in types.drain(..) {
            all.push(ty);
            names.extend(fit::parts(ty).into_iter().filter_map(|part| match part {
                Type::Named(named) if named.service.is_none() => Some(named.name.as_str()),
                _ => None,
            }));
        }
        for name in std::mem::take(&mut names) {
            match model.types.get(name) {
                Some(TypeDef::Record(record)) if seen.insert(name) => {
                    types.extend(record.fields.iter().map(|field| &field.ty));
                }
                Some(TypeDef::Union(union)) if seen.insert(name) => {
                    names.extend(union.variants.iter().map(String::as_str));
                }
                _ => {}
            }
        }
    }
    all
}

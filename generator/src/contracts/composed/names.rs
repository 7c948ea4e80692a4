//! What things are called in a composed schema. Where two services bring the same name, the one later in `fronts` gets its
//! service's name in front, so that a service at the end renames nothing that was there.

use std::collections::{BTreeMap, BTreeSet};

use super::members;
use crate::{
    contracts::graphql::root,
    model::{
        Field, MapKey, Model, Operation, OperationRef, Resource, ResourceRef, Service, Shape, Type, TypeDef, TypeRef,
    },
    names::{self, graphql, verb_operation},
};

/// The names of everything that services have, by service and name. What is not here keeps its own.
#[derive(Clone, Debug)]
pub struct Names {
    front: String,
    members: BTreeSet<String>,
    /// Its name here, and its plural.
    resources: BTreeMap<(String, String), (String, String)>,
    enums: BTreeMap<(String, String), String>,
    operations: BTreeMap<OperationRef, String>,
}

/// What names are taken by: types, fields of the roots, operations.
#[derive(Default)]
struct Taken(BTreeSet<String>);

impl Taken {
    fn has(&self, claims: &[String]) -> bool {
        claims.iter().any(|claim| self.0.contains(claim))
    }
}

impl Names {
    pub(super) fn of(model: &Model, front: &Service) -> Self {
        let members: Vec<&Service> = members(model, front).collect();
        let mut names = Self {
            front: front.name.clone(),
            members: members.iter().map(|service| service.name.clone()).collect(),
            resources: BTreeMap::new(),
            enums: BTreeMap::new(),
            operations: BTreeMap::new(),
        };
        let mut taken = Taken::default();
        for name in model.types.keys() {
            taken.0.extend([name.clone(), graphql::input(name), format!("{name}Patch")].map(|name| a_type(&name)));
        }
        for (number, service) in members.iter().enumerate() {
            // What has its own name first, so that no other one takes it.
            for keeps in [true, false] {
                names.add(&mut taken, service, number == 0, keeps);
            }
        }
        // Of those that are not behind only what answers hold is here, always as theirs.
        for service in model.services.values().filter(|service| !names.members.contains(&service.name)) {
            let mut other = |name: &str, plural: &str| {
                let own = unlike(&taken, service, (name, plural), |name, _| vec![a_type(name)]);
                taken.0.insert(a_type(&own.0));
                own
            };
            for resource in service.resources.values() {
                let own = other(&resource.name, &resource.plural);
                names.resources.insert(key(service, &resource.name), own);
            }
            for name in service.enums.keys() {
                let own = other(name, "").0;
                names.enums.insert(key(service, name), own);
            }
        }
        names
    }

    /// Names what keeps its name, or what does not. All that is the front's does.
    fn add(&mut self, taken: &mut Taken, service: &Service, is_front: bool, keeps: bool) {
        // What keeps its name is unlike those of its own service anyway.
        let before = Taken(if keeps { taken.0.clone() } else { BTreeSet::new() });
        let is_wanted = |taken: &Taken, claims: &[String]| {
            let taken = if keeps { &before } else { taken };
            keeps == (is_front || !taken.has(claims))
        };
        for resource in service.resources.values() {
            let claims = |name: &str, plural: &str| of_resource(service, resource, name, plural);
            let (at, own) = (key(service, &resource.name), (resource.name.clone(), resource.plural.clone()));
            if self.resources.contains_key(&at) || !is_wanted(taken, &claims(&own.0, &own.1)) {
                continue;
            }
            let own = if keeps { own } else { unlike(taken, service, (&own.0, &own.1), claims) };
            taken.0.extend(claims(&own.0, &own.1));
            self.resources.insert(at, own);
        }
        for name in service.enums.keys() {
            let claims = |name: &str, _: &str| vec![a_type(name)];
            if self.enums.contains_key(&key(service, name)) || !is_wanted(taken, &claims(name, "")) {
                continue;
            }
            let own = if keeps { name.clone() } else { unlike(taken, service, (name, ""), claims).0 };
            taken.0.extend(claims(&own, ""));
            self.enums.insert(key(service, name), own);
        }
        let custom = service.operations.values().filter(|operation| matches!(operation.shape, Shape::Custom { .. }));
        for operation in custom.filter(|operation| is_front || operation.is_offered()) {
            let at = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
            let mut own = operation.name.clone();
            if self.operations.contains_key(&at) || !is_wanted(taken, &of_operation(operation, &own)) {
                continue;
            }
            while !keeps && taken.has(&of_operation(operation, &own)) {
                own = format!("{}_{own}", service.name.trim_end_matches('_'));
            }
            taken.0.extend(of_operation(operation, &own));
            self.operations.insert(at, own);
        }
    }

    /// Who has something here: the front has all that those behind it have.
    fn owner(&self, service: &str) -> String {
        if self.members.contains(service) { self.front.clone() } else { service.to_owned() }
    }

    pub(super) fn resource_name(&self, service: &str, name: &str) -> String {
        let found = self.resources.get(&(service.to_owned(), name.to_owned()));
        found.map_or_else(|| name.to_owned(), |(name, _)| name.clone())
    }

    pub fn resource_itself(&self, service: &str, resource: &mut Resource) {
        if let Some((name, plural)) = self.resources.get(&(service.to_owned(), resource.name.clone())) {
            (resource.name, resource.plural) = (name.clone(), plural.clone());
        }
        resource.fields.iter_mut().for_each(|field| self.ty(&mut field.ty));
        resource.filter.iter_mut().chain(&mut resource.sort).for_each(|path| self.ty(&mut path.ty));
    }

    /// The owner and name of an enum.
    pub fn enumeration(&self, service: &str, name: &str) -> (String, String) {
        let found = self.enums.get(&(service.to_owned(), name.to_owned()));
        (self.owner(service), found.cloned().unwrap_or_else(|| name.to_owned()))
    }

    pub(super) fn operation(&self, service: &str, operation: &Operation) -> String {
        let own = |resource: &str| self.resources.get(&(service.to_owned(), resource.to_owned()));
        match &operation.shape {
            Shape::Verb { verb, resource } => match own(resource) {
                Some((name, plural)) => verb_operation(*verb, name, plural),
                None => operation.name.clone(),
            },
            Shape::Custom { .. } => {
                let at = OperationRef { service: service.to_owned(), operation: operation.name.clone() };
                self.operations.get(&at).unwrap_or(&operation.name).clone()
            }
        }
    }

    pub fn resource(&self, of: &mut ResourceRef) {
        of.resource = self.resource_name(&of.service, &of.resource);
        of.service = self.owner(&of.service);
    }

    pub fn type_ref(&self, of: &mut TypeRef) {
        if let Some(service) = &of.service {
            let (service, name) = self.enumeration(service, &of.name);
            (of.service, of.name) = (Some(service), name);
        }
    }

    pub(super) fn ty(&self, ty: &mut Type) {
        match ty {
            Type::Scalar(_) => {}
            Type::Named(of) => self.type_ref(of),
            Type::Resource(of) | Type::Ref(of) => self.resource(of),
            Type::List { item, .. } => self.ty(item),
            Type::Optional(inner) => self.ty(inner),
            Type::Map { key, value } => {
                if let MapKey::Enum(of) = key {
                    self.type_ref(of);
                }
                self.ty(value);
            }
        }
    }

    pub(super) fn type_def(&self, def: &mut TypeDef) {
        if let TypeDef::Record(record) = def {
            record.fields.iter_mut().for_each(|Field { ty, .. }| self.ty(ty));
        }
    }
}

/// A name and its plural with the service's in front, as often as it takes.
fn unlike(
    taken: &Taken,
    service: &Service,
    (name, plural): (&str, &str),
    claims: impl Fn(&str, &str) -> Vec<String>,
) -> (String, String) {
    let own = names::upper_camel(&service.name);
    let (mut name, mut plural) = (format!("{own}{name}"), format!("{own}{plural}"));
    while taken.has(&claims(&name, &plural)) {
        (name, plural) = (format!("{own}{name}"), format!("{own}{plural}"));
    }
    (name, plural)
}

fn key(service: &Service, name: &str) -> (String, String) {
    (service.name.clone(), name.to_owned())
}

fn a_type(name: &str) -> String {
    format!("type {}", names::key(name))
}

fn a_field(root: &str, field: &str) -> String {
    format!("{root} {}", names::key(field))
}

/// What a resource of that name would take: its types, and the fields and operations of what is offered of it.
fn of_resource(service: &Service, resource: &Resource, name: &str, plural: &str) -> Vec<String> {
    let types = [
        name.to_owned(),
        graphql::connection(name),
        graphql::edge(name),
        graphql::input(name),
        graphql::input(&format!("New{name}")),
        format!("{name}Patch"),
        format!("{name}Filter"),
        format!("{name}Sort"),
    ];
    let own = service.operations.values().filter(|operation| operation.is_offered());
    let verbs = own.filter_map(|operation| match &operation.shape {
        Shape::Verb { verb, resource: of } if *of == resource.name => Some((operation, *verb)),
        _ => None,
    });
    let fields = verbs.flat_map(|(operation, verb)| {
        let field = a_field(root(operation), &graphql::verb_field(verb, name, plural));
        [field, a_field("operation", &verb_operation(verb, name, plural))]
    });
    types.iter().map(|name| a_type(name)).chain(fields).collect()
}

fn of_operation(operation: &Operation, name: &str) -> Vec<String> {
    let response = a_type(&format!("{}Response", names::upper_camel(name)));
    vec![response, a_field(root(operation), &graphql::field(name)), a_field("operation", name)]
}

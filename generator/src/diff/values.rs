//! What is taken and given, field by field and type by type.

use std::collections::BTreeSet;

use super::{
    Change, Contract, Found, Kind, Place, Side, place,
    rules::{
        DEFAULT_CHANGED, GRAPHQL_OBJECT_REMOVED, INPUT_FIELD_REMOVED, INPUT_MADE_OPTIONAL, INPUT_MADE_REQUIRED,
        INPUT_NARROWED, INPUT_OPTIONAL_ADDED, INPUT_REQUIRED_ADDED, INPUT_WIDENED, OUTPUT_FIELD_ADDED,
        OUTPUT_FIELD_REMOVED, OUTPUT_MADE_OPTIONAL, OUTPUT_MADE_REQUIRED, OUTPUT_NARROWED, OUTPUT_WIDENED,
        PAYLOAD_REQUIRED_ADDED, Rule, TYPE_CHANGED, UNIQUE_ADDED, VALUE_ADDED, VALUE_ADDED_IN_ANSWERS, VALUE_REMOVED,
        VALUE_REMOVED_IN_ANSWERS, VARIANT_ADDED, VARIANT_ADDED_IN_ANSWERS, VARIANT_REMOVED, VARIANT_REMOVED_IN_ANSWERS,
    },
    types::{self, Relation},
    united,
};
use crate::{
    Understood,
    contracts::{graphql, proto, schema::default_value, shape},
    fit,
    model::{Enum, Field, MapKey, Service, Type, TypeDef, TypeRef, Union},
};

/// What a value is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Callers write it.
    Input,
    /// The same, where lists may be left out: they repeat their parameter.
    Query,
    /// The same, where everything may be left out, and null clears.
    Patch,
    /// Callers read it.
    Output,
    /// Subscribers read it, and some of it is older than they are.
    Payload,
}

impl Use {
    fn is_taken(self) -> bool {
        matches!(self, Self::Input | Self::Query | Self::Patch)
    }

    /// The first for what is taken, the second for what is given.
    fn pick(self, taken: &'static Rule, given: &'static Rule) -> &'static Rule {
        if self.is_taken() { taken } else { given }
    }

    /// Below the fields of a query or patch.
    fn side(self) -> graphql::Side {
        match self {
            Self::Input | Self::Query => graphql::Side::Input,
            Self::Patch => graphql::Side::Patch,
            Self::Output | Self::Payload => graphql::Side::Output,
        }
    }
}

/// Compares values of one contract.
pub(super) struct Walk<'f, 'a> {
    found: &'f mut Found<'a>,
    contract: Contract,
    /// How values are written; differs from the contract's kind in what travels as JSON everywhere.
    form: Form,
    old_service: &'f Service,
    new_service: &'f Service,
    /// Pairs of types that were compared.
    seen: BTreeSet<(Place, Place, Use)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Proto,
    Graphql,
}

/// Fields, and the part of the design that has them.
pub(super) type Fields<'v> = (&'v [Field], Place);

impl<'f, 'a> Walk<'f, 'a> {
    pub(super) fn new(
        found: &'f mut Found<'a>,
        contract: Contract,
        old_service: &'f Service,
        new_service: &'f Service,
    ) -> Self {
        let form = match contract.kind {
            Kind::Rest | Kind::Jsonrpc | Kind::Messages => Form::Json,
            Kind::Grpc => Form::Proto,
            Kind::Graphql => Form::Graphql,
        };
        Self { found, contract, form, old_service, new_service, seen: BTreeSet::new() }
    }

    /// For what travels as JSON over any transport.
    pub(super) fn in_json(self) -> Self {
        Self { form: Form::Json, ..self }
    }

    pub(super) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    pub(super) fn add(&mut self, change: Change) {
        self.found.add(&self.contract, change);
    }

    /// The fields of a record or resource of the old design, and where they stand.
    pub(super) fn old_fields(&self, ty: &Type) -> Option<(Vec<Field>, Place)> {
        self.fields_of(ty, self.found.old)
    }

    /// The same of the new design.
    pub(super) fn new_fields(&self, ty: &Type) -> Option<(Vec<Field>, Place)> {
        self.fields_of(ty, self.found.new)
    }

    fn fields_of(&self, ty: &Type, of: &Understood) -> Option<(Vec<Field>, Place)> {
        match ty {
            Type::Named(TypeRef { service: None, name }) => {
                Some((fit::record(&of.model, name)?.fields.clone(), Place::Type(name.clone())))
            }
            Type::Resource(to) => {
                Some((shape::item_fields(fit::resource(&of.model, to)?), Place::Resource(to.clone())))
            }
            _ => None,
        }
    }

    /// Compares fields by their names.
    pub(super) fn fields(&mut self, (old, was): Fields<'_>, (new, is): Fields<'_>, used: Use) {
        let names = |fields: &'_ [Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        let find = |fields: &'_ [Field], name: &str| fields.iter().find(|field| field.name == name).cloned();
        let (old_names, new_names) = (names(old), names(new));
        for name in united(old_names.iter(), new_names.iter()) {
            match (find(old, name), find(new, name)) {
                (Some(old), None) => {
                    let rule = used.pick(&INPUT_FIELD_REMOVED, &OUTPUT_FIELD_REMOVED);
                    self.add(Change::new(rule, Side::Old(was.clone().field(name))).from(types::shown(&old.ty)));
                }
                (None, Some(new)) => {
                    let rule = match (used, self.is_required(&new, used)) {
                        (Use::Payload, true) => &PAYLOAD_REQUIRED_ADDED,
                        (Use::Payload | Use::Output, _) => &OUTPUT_FIELD_ADDED,
                        (_, true) => &INPUT_REQUIRED_ADDED,
                        (_, false) => &INPUT_OPTIONAL_ADDED,
                    };
                    self.add(Change::new(rule, Side::New(is.clone().field(name))).to(types::shown(&new.ty)));
                }
                (Some(old), Some(new)) => self.field((&old, &was), (&new, &is), used),
                (None, None) => {}
            }
        }
        if self.form == Form::Graphql && !used.is_taken() {
            self.objects(old, (new, is));
        }
    }

    /// The objects that GraphQL offers beside references.
    fn objects(&mut self, old: &[Field], (new, is): Fields<'_>) {
        let now = graphql::references(self.new_service, new);
        for was in graphql::references(self.old_service, old) {
            // A field that is gone was reported.
            if new.iter().all(|field| field.name != was.field.name) {
                continue;
            }
            let at = is.clone().field(&was.field.name);
            match now.iter().find(|now| now.name == was.name && now.to.resource == was.to.resource) {
                Some(now) => self.ty(&Type::Resource(was.to), &Type::Resource(now.to.clone()), Use::Output, &at),
                None => self.add(Change::new(&GRAPHQL_OBJECT_REMOVED, Side::New(at)).from(was.to.resource)),
            }
        }
    }

    fn field(&mut self, (old, was): (&Field, &Place), (new, is): (&Field, &Place), used: Use) {
        let at = &is.clone().field(&new.name);
        let types = (self.keyed(old, was, self.found.old), self.keyed(new, is, self.found.new));
        let here = |rule| Change::new(rule, Side::New(at.clone()));
        let (was, is) = (types::shown(&old.ty), types::shown(&new.ty));
        if self.form == Form::Proto && self.proto(&old.ty, self.old_service) != self.proto(&new.ty, self.new_service) {
            self.add(here(&TYPE_CHANGED).from(was).to(is));
            return;
        }
        let required = |walk: &Self, field: &Field| match used {
            // Null, which clears, is refused where there has to be something.
            Use::Patch => !matches!(field.ty, Type::Optional(_)),
            _ => walk.is_required(field, used),
        };
        // Whether a list may be empty, and so be left out, is a matter of its bounds.
        let alike = match (&old.ty, &new.ty) {
            (Type::List { .. }, Type::List { .. }) => Field { ty: old.ty.clone(), ..new.clone() },
            _ => new.clone(),
        };
        match (required(self, old), required(self, &alike)) {
            (false, true) => {
                let rule = used.pick(&INPUT_MADE_REQUIRED, &OUTPUT_MADE_REQUIRED);
                self.add(here(rule).from(was).to(is));
            }
            (true, false) => {
                let rule = used.pick(&INPUT_MADE_OPTIONAL, &OUTPUT_MADE_OPTIONAL);
                self.add(here(rule).from(was).to(is));
            }
            _ => {}
        }
        if let (Some(was), Some(is)) = (&old.default, &new.default)
            && matches!(used, Use::Input | Use::Query)
            && was != is
        {
            let text = |default, ty| default_value(default, ty).to_string();
            self.add(here(&DEFAULT_CHANGED).from(text(was, &old.ty)).to(text(is, &new.ty)));
        }
        if used.is_taken() && new.unique && !old.unique {
            self.add(here(&UNIQUE_ADDED));
        }
        self.ty(present(&types.0), present(&types.1), used, at);
    }

    /// The type of a field: GraphQL has an item's own id as it has references to the item.
    fn keyed(&self, field: &Field, of: &Place, within: &Understood) -> Type {
        match of {
            Place::Resource(of) if self.form == Form::Graphql => match fit::resource(&within.model, of) {
                Some(resource) if resource.id == field.name => Type::Ref(of.clone()),
                _ => field.ty.clone(),
            },
            _ => field.ty.clone(),
        }
    }

    /// Whether a value without the field is refused, or never comes.
    fn is_required(&self, field: &Field, used: Use) -> bool {
        let has_to_be = !matches!(field.ty, Type::Optional(_));
        // Where nothing is an empty list or map.
        let empty = match self.form {
            Form::Json => used == Use::Query && shape::may_be_empty(field),
            Form::Proto => shape::may_be_empty(field) || matches!(field.ty, Type::Map { .. }),
            Form::Graphql => false,
        };
        match used {
            Use::Input | Use::Query => has_to_be && field.default.is_none() && !empty,
            Use::Patch => false,
            Use::Output | Use::Payload => has_to_be,
        }
    }

    fn proto(&self, ty: &Type, service: &Service) -> String {
        let of = if std::ptr::eq(service, self.old_service) { self.found.old } else { self.found.new };
        proto::field_type(&of.model, service, ty)
    }

    /// A whole answer.
    pub(super) fn whole(&mut self, old: &Type, new: &Type, used: Use, at: &Place) {
        let was = proto::field_type(&self.found.old.model, self.old_service, old);
        let is = proto::field_type(&self.found.new.model, self.new_service, new);
        if self.form == Form::Proto && was != is {
            self.changed(old, new, at);
        } else {
            self.ty(old, new, used, at);
        }
    }

    fn changed(&mut self, old: &Type, new: &Type, at: &Place) {
        let change = Change::new(&TYPE_CHANGED, Side::New(at.clone()));
        self.add(change.from(types::shown(old)).to(types::shown(new)));
    }

    /// Compares types, whether they may be missing aside.
    pub(super) fn ty(&mut self, old: &Type, new: &Type, used: Use, at: &Place) {
        match (old, new) {
            (Type::Optional(old), Type::Optional(new)) => self.ty(old, new, used, at),
            // Inside lists and maps.
            (Type::Optional(was), is) => {
                let rule = used.pick(&INPUT_MADE_REQUIRED, &OUTPUT_MADE_REQUIRED);
                self.add(Change::new(rule, Side::New(at.clone())).from(types::shown(old)).to(types::shown(new)));
                self.ty(was, is, used, at);
            }
            (was, Type::Optional(is)) => {
                let rule = used.pick(&INPUT_MADE_OPTIONAL, &OUTPUT_MADE_OPTIONAL);
                self.add(Change::new(rule, Side::New(at.clone())).from(types::shown(old)).to(types::shown(new)));
                self.ty(was, is, used, at);
            }
            (Type::List { item: was, min: a, max: b }, Type::List { item: is, min: c, max: d }) => {
                self.bounds(types::ranges((*a, *b), (*c, *d)), (old, new), used, at);
                // What a patch or query holds in its lists, it holds as every input does.
                let below = if used.is_taken() { Use::Input } else { used };
                self.ty(was, is, below, at);
            }
            (Type::Map { key: a, value: was }, Type::Map { key: b, value: is }) => {
                let named = self.form == Form::Graphql && shape::entry_stem(a, was) != shape::entry_stem(b, is);
                match (a, b) {
                    _ if named => self.changed(old, new, at),
                    (MapKey::Enum(a), MapKey::Enum(b)) => self.named(a, b, used, at),
                    (a, b) if a != b => self.changed(old, new, at),
                    _ => {}
                }
                if !named {
                    self.ty(was, is, used, at);
                }
            }
            (Type::List { .. } | Type::Map { .. }, _) | (_, Type::List { .. } | Type::Map { .. }) => {
                self.changed(old, new, at);
            }
            _ => self.single(old, new, used, at),
        }
    }

    /// Types that are neither lists nor maps.
    fn single(&mut self, old: &Type, new: &Type, used: Use, at: &Place) {
        let (was, is) = (&self.found.old.model, &self.found.new.model);
        if self.form == Form::Graphql {
            let was = graphql::value_type(was, self.old_service, old, used.side());
            if was != graphql::value_type(is, self.new_service, new, used.side()) {
                return self.changed(old, new, at);
            }
        }
        let (old, new) = (&types::carried(was, old), &types::carried(is, new));
        if let (Type::Scalar(was), Type::Scalar(is)) = (old, new) {
            return match types::relation(was, is, used.is_taken()) {
                Relation::Apart if std::mem::discriminant(was) != std::mem::discriminant(is) => {
                    self.changed(old, new, at);
                }
                relation => self.bounds(relation, (old, new), used, at),
            };
        }
        if let (Type::Named(was), Type::Named(is)) = (old, new)
            && fit::record(&self.found.old.model, &was.name).is_none()
        {
            return self.named(was, is, used, at);
        }
        match (self.old_fields(old), self.new_fields(new)) {
            (Some((old, was)), Some((new, is))) => {
                if self.seen.insert((was.clone(), is.clone(), used)) {
                    self.fields((&old, was), (&new, is), used);
                }
            }
            _ => self.changed(old, new, at),
        }
    }

    fn bounds(&mut self, relation: Relation, (old, new): (&Type, &Type), used: Use, at: &Place) {
        let rule = match relation {
            Relation::Same => return,
            Relation::Narrower => used.pick(&INPUT_NARROWED, &OUTPUT_NARROWED),
            Relation::Wider => used.pick(&INPUT_WIDENED, &OUTPUT_WIDENED),
            // Both, of which one is worse.
            Relation::Apart => used.pick(&INPUT_NARROWED, &OUTPUT_WIDENED),
        };
        self.add(Change::new(rule, Side::New(at.clone())).from(types::shown(old)).to(types::shown(new)));
    }

    /// Enums and unions.
    fn named(&mut self, was: &TypeRef, is: &TypeRef, used: Use, at: &Place) {
        let (old, new) = (self.found.old, self.found.new);
        if let (Some(a), Some(b)) = (enumeration(old, was), enumeration(new, is)) {
            let (was, is) = (place::of_enum(&old.design, was, at), place::of_enum(&new.design, is, at));
            return self.values((a, was), (b, is), used);
        }
        match (union(old, was), union(new, is)) {
            (Some(old), Some(new)) => self.variants(old, new, used),
            _ => self.changed(&Type::Named(was.clone()), &Type::Named(is.clone()), at),
        }
    }

    fn values(&mut self, (old, was): (&Enum, Place), (new, is): (&Enum, Place), used: Use) {
        for value in old.values.iter().filter(|value| !new.values.contains(value)) {
            let rule = used.pick(&VALUE_REMOVED, &VALUE_REMOVED_IN_ANSWERS);
            self.add(Change::new(rule, Side::Old(Place::Value(Box::new(was.clone()), value.clone()))));
        }
        for value in new.values.iter().filter(|value| !old.values.contains(value)) {
            let rule = used.pick(&VALUE_ADDED, &VALUE_ADDED_IN_ANSWERS);
            self.add(Change::new(rule, Side::New(Place::Value(Box::new(is.clone()), value.clone()))));
        }
    }

    fn variants(&mut self, old: &Union, new: &Union, used: Use) {
        // A patch replaces a union as a whole.
        let used = if used.is_taken() { Use::Input } else { used };
        for name in old.variants.iter().filter(|name| !new.variants.contains(name)) {
            let rule = used.pick(&VARIANT_REMOVED, &VARIANT_REMOVED_IN_ANSWERS);
            self.add(Change::new(rule, Side::Old(Place::Variant(old.name.clone(), name.clone()))));
        }
        for name in &new.variants {
            if old.variants.contains(name) {
                let variant = shape::named_type(name);
                self.ty(&variant, &variant, used, &Place::Type(new.name.clone()));
            } else {
                let rule = used.pick(&VARIANT_ADDED, &VARIANT_ADDED_IN_ANSWERS);
                self.add(Change::new(rule, Side::New(Place::Variant(new.name.clone(), name.clone()))));
            }
        }
    }
}

/// A type as it is where it is there.
fn present(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => inner,
        ty => ty,
    }
}

fn enumeration<'u>(of: &'u Understood, name: &TypeRef) -> Option<&'u Enum> {
    match &name.service {
        Some(service) => of.model.services.get(service)?.enums.get(&name.name),
        None => match of.model.types.get(&name.name)? {
            TypeDef::Enum(found) => Some(found),
            TypeDef::Record(_) | TypeDef::Union(_) => None,
        },
    }
}

fn union<'u>(of: &'u Understood, name: &TypeRef) -> Option<&'u Union> {
    match of.model.types.get(&name.name).filter(|_| name.service.is_none())? {
        TypeDef::Union(found) => Some(found),
        TypeDef::Record(_) | TypeDef::Enum(_) => None,
    }
}

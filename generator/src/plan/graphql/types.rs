//! The types of a schema in Rust: which macro of the kit declares each, the types of its fields.

use serde::Serialize;

use crate::{
    contracts::{
        graphql::{self as schema, Needed, Object, Reference, Side},
        shape,
    },
    escape,
    model::{
        Default, Docs, Field, MapKey, Model, Operation, ResourceRef, Scalar, Service, Shape, Type, TypeDef, TypeRef,
        Verb,
    },
    names,
};

use super::super::{
    imports::USER,
    rust::{self, user},
    types::is_recursive,
};
use super::behind::Found;

/// What the patch of a record is called, after its name.
const PATCH: &str = "Patch";

/// The types of a schema, each with what declares it.
#[derive(Debug, std::default::Default, Serialize)]
pub struct Types {
    /// Enums: the name here, the name in the contract.
    pub choices: Vec<Choice>,
    pub shown: Vec<Definition>,
    pub connections: Vec<Connection>,
    pub given: Vec<Definition>,
    pub filters: Vec<Definition>,
    /// The names that `types` declares, and those that `inputs` does.
    #[serde(skip)]
    pub answers: Vec<String>,
    #[serde(skip)]
    pub inputs: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Choice {
    pub docs: Vec<String>,
    pub name: String,
    pub of: String,
}

/// `kit_graphql::object! { pub Order for crate::Order { … } }`
#[derive(Debug, Serialize)]
pub struct Definition {
    pub docs: Vec<String>,
    pub attributes: Vec<String>,
    /// The macro: `object`.
    pub kind: &'static str,
    /// `pub Order for crate::Order`
    pub head: String,
    pub name: String,
    pub members: Vec<Member>,
    pub references: Vec<ReferenceView>,
    /// What else it reads: `MoneyPatch for stock_contract::MoneyPatch { amount }`.
    pub also: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Member {
    pub docs: Vec<String>,
    pub attributes: Vec<String>,
    /// `note: Option<String>`, `CardPayment(CardPaymentInput)`
    pub text: String,
}

/// The object that an id refers to.
#[derive(Debug, Serialize)]
pub struct ReferenceView {
    pub attributes: Vec<String>,
    pub method: String,
    pub returns: String,
    pub body: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Connection {
    pub name: String,
    pub edge: String,
    pub page: String,
    pub node: String,
}

/// Writes types of one contract.
#[derive(Clone, Copy)]
pub struct Writer<'m> {
    pub model: &'m Model,
    pub service: &'m Service,
    /// Where the types of the contract are.
    pub found: Found<'m>,
}

impl Types {
    pub fn of(writer: &Writer<'_>, definitions: &[(String, Needed)]) -> Self {
        let mut types = Self::default();
        for (name, needed) in definitions {
            writer.add(&mut types, name, needed);
        }
        types
    }

    fn show(&mut self, name: &str, definition: Definition) {
        self.answers.push(name.to_owned());
        self.shown.push(definition);
    }

    fn give(&mut self, name: &str, definition: Definition) {
        self.inputs.push(name.to_owned());
        self.given.push(definition);
    }

    fn choose(&mut self, name: &str, docs: &Docs, of: String) {
        self.answers.push(name.to_owned());
        self.choices.push(Choice { docs: self::docs(docs), name: user(name), of });
    }
}

impl Definition {
    pub fn new(kind: &'static str, head: String, members: Vec<Member>) -> Self {
        let (docs, attributes, references, also) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { docs, attributes, kind, head, name: String::new(), members, references, also }
    }
}

impl Member {
    /// A field without a word.
    pub fn plain(field: &str, ty: String) -> Self {
        Self { docs: Vec::new(), attributes: Vec::new(), text: format!("{}: {ty}", names::rust::ident(field)) }
    }
}

/// The fields of a type that is shown, the references among them.
pub fn shown_fields(model: &Model, service: &Service, needed: &Needed) -> Option<Vec<Field>> {
    match needed {
        Needed::Named(TypeRef { service: None, name }, Side::Output) => {
            shape::record(model, name).map(|record| record.fields.clone())
        }
        Needed::Item(of) => {
            let resource = shape::resource(model, of)?;
            let of = shape::of_service(service, &resource.name);
            Some(schema::with_id(&of, resource, shape::item_fields(resource)))
        }
        Needed::Object(Object { fields, side: Side::Output, .. }) => Some(fields.clone()),
        _ => None,
    }
}

impl Writer<'_> {
    fn add(&self, types: &mut Types, name: &str, needed: &Needed) {
        let contract = |of: &str| self.found.ty(of);
        match needed {
            Needed::Named(of @ TypeRef { service: Some(owner), .. }, _) => {
                if let Some(found) = self.model.services.get(owner).and_then(|owner| owner.enums.get(&of.name)) {
                    types.choose(name, &found.docs, contract(&of.name));
                }
            }
            Needed::Named(of, side) => match self.model.types.get(&of.name) {
                Some(TypeDef::Enum(found)) => types.choose(name, &found.docs, contract(&of.name)),
                Some(TypeDef::Union(found)) => {
                    let definition = self.union(name, &found.docs, &of.name, &found.variants, *side);
                    if *side == Side::Output { types.show(name, definition) } else { types.give(name, definition) }
                }
                Some(TypeDef::Record(record)) if *side == Side::Output => {
                    types.show(name, self.object(name, &record.docs, &of.name, &record.fields));
                }
                Some(TypeDef::Record(record)) => {
                    let of = if *side == Side::Patch { format!("{}{PATCH}", of.name) } else { of.name.clone() };
                    types.give(name, self.input(name, &record.docs, &of, &record.fields, *side));
                }
                None => {}
            },
            Needed::Item(of) => {
                let fields = shown_fields(self.model, self.service, needed).unwrap_or_default();
                let docs = shape::resource(self.model, of).map(|resource| resource.docs.clone()).unwrap_or_default();
                types.show(name, self.object(name, &docs, &of.resource, &fields));
            }
            Needed::Entry(key, value, side) => {
                let definition = self.entry(name, key, value, *side);
                if *side == Side::Output { types.show(name, definition) } else { types.give(name, definition) }
            }
            Needed::Object(Object { docs, fields, side: Side::Output, of }) => {
                types.show(name, self.object(name, docs, of, fields));
            }
            Needed::Object(Object { docs, fields, side, of }) => {
                types.give(name, self.input(name, docs, of, fields, *side));
            }
            Needed::Filter(_, fields) => {
                types.inputs.push(name.to_owned());
                let members = fields.iter().map(|field| self.filter(field)).collect();
                let mut definition = Definition::new("filter", String::new(), members);
                definition.name = user(name);
                definition.attributes = attributes([renamed_type(name)]);
                types.filters.push(definition);
            }
            Needed::Sort(resource, _) => types.choose(name, &Docs::default(), contract(&format!("{resource}Sort"))),
            Needed::Connection(item) => {
                let edge = names::graphql::edge(item);
                types.answers.extend([name.to_owned(), edge.clone()]);
                types.connections.push(Connection {
                    name: user(name),
                    edge: user(&edge),
                    page: contract(&format!("{item}Page")),
                    node: self.ty(&Type::Resource(shape::of_service(self.service, item)), Side::Output),
                });
            }
            Needed::Edge(_) | Needed::PageInfo => {}
        }
    }

    fn object(&self, name: &str, docs: &Docs, of: &str, fields: &[Field]) -> Definition {
        let member = |field: &Field| Member {
            docs: self::docs(&field.docs),
            attributes: attributes([renamed(&field.name, &names::graphql::field(&field.name))]),
            ..Member::plain(&field.name, self.boxed(&field.ty, Side::Output, Some(of)))
        };
        let references: Vec<_> =
            schema::references(self.service, fields).iter().map(|reference| self.reference(reference)).collect();
        Definition {
            docs: self::docs(docs),
            attributes: attributes([(!references.is_empty()).then(|| "complex".to_owned())]),
            name: user(name),
            references,
            ..Definition::new("object", self.head(name, of), fields.iter().map(member).collect())
        }
    }

    fn reference(&self, Reference { field, name, to, several }: &Reference) -> ReferenceView {
        let ident = names::rust::ident(&field.name);
        let item = format!("Option<{}>", self.ty(&Type::Resource(to.clone()), Side::Output));
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let body = match &field.ty {
            _ if *several => vec![format!("kit_graphql::references(ctx, &self.{ident}).await")],
            Type::Optional(_) => lines(&[
                &format!("match &self.{ident} {{"),
                "    Some(id) => kit_graphql::reference(ctx, &id.0).await,",
                "    None => Ok(None),",
                "}",
            ]),
            _ => vec![format!("kit_graphql::reference(ctx, &self.{ident}.0).await")],
        };
        ReferenceView {
            attributes: attributes([
                renamed(name, &names::graphql::field(name)),
                self.getter(to).and_then(|get| self.cache(get)),
            ]),
            method: names::rust::ident(name),
            returns: if *several { format!("Vec<{item}>") } else { item },
            body,
        }
    }

    fn input(&self, name: &str, docs: &Docs, of: &str, fields: &[Field], side: Side) -> Definition {
        let member = |field: &Field| {
            let default = field.default.as_ref().filter(|_| side == Side::Input);
            let ty = match (side, &field.ty) {
                (Side::Patch, Type::Optional(inner)) => format!("MaybeUndefined<{}>", self.changed(inner, of)),
                (Side::Patch, ty) => format!("Change<{}>", self.changed(ty, of)),
                (_, ty) => self.boxed(ty, side, Some(of)),
            };
            Member {
                docs: self::docs(&field.docs),
                attributes: attributes([
                    renamed(&field.name, &names::graphql::field(&field.name)),
                    default.map(|default| self.default(&field.ty, default)),
                ]),
                ..Member::plain(&field.name, ty)
            }
        };
        let definition = Definition::new("input", self.head(name, of), fields.iter().map(member).collect());
        let also = self.found.all(of).into_iter().skip(1);
        let fields: Vec<String> = fields.iter().map(|field| names::rust::ident(&field.name)).collect();
        let also = also.map(|of| format!("{} for {of} {{ {} }}", user(name), fields.join(", "))).collect();
        Definition { docs: self::docs(docs), also, ..definition }
    }

    /// The operation that gets an item of the service.
    fn getter(&self, of: &ResourceRef) -> Option<&Operation> {
        let gets = |operation: &&Operation| matches!(&operation.shape, Shape::Verb { verb: Verb::Get, resource } if *resource == of.resource);
        self.service.operations.values().find(gets)
    }

    /// How long what an operation answers holds. An answer holds as long as what holds shortest in it, so where anything
    /// is kept at all, what is not kept has to be marked.
    pub fn cache(&self, operation: &Operation) -> Option<String> {
        let mut queries = self.service.operations.values().filter(|operation| schema::root(operation) == "Query");
        let kept =
            |operation: &Operation| operation.cache.is_some() && schema::is_served(self.model, self.service, operation);
        let any = queries.any(kept);
        (any && schema::root(operation) == "Query").then(|| match operation.cache {
            Some(seconds) => format!("cache_control(max_age = {seconds})"),
            None => "cache_control(no_cache)".to_owned(),
        })
    }

    /// What a patch gives of a field that it changes: null is for it to say, in JSON too.
    fn changed(&self, ty: &Type, of: &str) -> String {
        match ty {
            Type::Scalar(Scalar::Json) => "Json".to_owned(),
            ty => self.boxed(ty, Side::Patch, of.strip_suffix(PATCH)),
        }
    }

    fn filter(&self, field: &Field) -> Member {
        let ty = match &field.ty {
            Type::Optional(inner) => self.ty(inner, Side::Input),
            ty => self.ty(ty, Side::Input),
        };
        let member = Member::plain(&field.name, format!("Option<{ty}>"));
        Member {
            docs: self::docs(&field.docs),
            attributes: attributes([renamed(&field.name, &names::graphql::field(&field.name))]),
            ..member
        }
    }

    fn union(&self, name: &str, docs: &Docs, of: &str, variants: &[String], side: Side) -> Definition {
        let (kind, side) = match side {
            Side::Output => ("union", side),
            Side::Input | Side::Patch => ("one_of", Side::Input),
        };
        let member = |variant: &String| {
            let field = names::graphql::field(&names::snake(variant));
            let is_plain = side == Side::Output || is_plain_type(variant);
            Member {
                docs: Vec::new(),
                attributes: attributes([(!is_plain).then(|| named(&field))]),
                text: format!("{}({})", rust::variant(variant), self.ty(&shape::named_type(variant), side)),
            }
        };
        let definition = Definition::new(kind, self.head(name, of), variants.iter().map(member).collect());
        Definition { docs: self::docs(docs), ..definition }
    }

    fn entry(&self, name: &str, key: &MapKey, value: &Type, side: Side) -> Definition {
        let key = self.ty(&shape::key_type(key), Side::Input);
        let value = match side {
            // In a patch null takes the entry away: one `Option` more than the value has, as in the contract's patch.
            Side::Patch => match (value, self.ty(value, Side::Input)) {
                (Type::Scalar(Scalar::Json), json) => json,
                (_, value) => format!("Option<{value}>"),
            },
            Side::Input | Side::Output => self.ty(value, side),
        };
        let head = format!("{}pub {}", if side == Side::Output { "" } else { "input " }, user(name));
        Definition::new("entry", head, vec![Member::plain("key", key), Member::plain("value", value)])
    }

    fn head(&self, name: &str, of: &str) -> String {
        format!("pub {} for {}", user(name), self.found.ty(of))
    }

    /// A parameter of a resolver, called `variable` there.
    pub fn parameter(&self, field: &Field, variable: &str) -> String {
        let description = escape::markdown(&shape::text(&field.docs));
        let attributes = attributes([
            renamed(variable.trim_start_matches("r#"), &names::graphql::field(&field.name)),
            (!description.is_empty()).then(|| format!("desc = {}", escape::rust_str(&description))),
            field.default.as_ref().map(|default| self.default(&field.ty, default)),
        ]);
        let attribute: String = attributes.iter().map(|attribute| format!("{attribute} ")).collect();
        format!("{attribute}{variable}: {}", self.ty(&field.ty, Side::Input))
    }

    /// The type of a field, in a `Box` where the record called `of` has one.
    pub fn boxed(&self, ty: &Type, side: Side, of: Option<&str>) -> String {
        let written = self.ty(ty, side);
        if !of.is_some_and(|of| is_recursive(self.model, of, ty)) {
            return written;
        }
        match written.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>')) {
            Some(inner) => format!("Option<Box<{inner}>>"),
            None => format!("Box<{written}>"),
        }
    }

    /// The type that shows or takes a value.
    pub fn ty(&self, ty: &Type, side: Side) -> String {
        match ty {
            Type::Scalar(scalar) => scalar_type(scalar).to_owned(),
            Type::Ref(of) => format!("Key<{}>", self.found.id(&of.resource)),
            Type::Named(of) => user(&schema::type_name(self.model, of, side).0),
            Type::Resource(of) => user(&of.resource),
            // A patch replaces a list as a whole.
            Type::List { item, .. } if side == Side::Patch => format!("Vec<{}>", self.ty(item, Side::Input)),
            Type::List { item, .. } => format!("Vec<{}>", self.ty(item, side)),
            Type::Optional(inner) => match self.ty(inner, side) {
                optional if optional.starts_with("Option<") => optional,
                inner => format!("Option<{inner}>"),
            },
            Type::Map { key, value } => {
                format!("Vec<{}>", user(&schema::entry_name(key, value, side)))
            }
        }
    }

    /// The attribute that gives an absent field its default.
    fn default(&self, ty: &Type, default: &Default) -> String {
        // The mark of names survives in the text, where the name is code.
        let marked = |text: String| text.replace(&USER.escape_default().to_string(), &USER.to_string());
        let with = |expression: String| format!("default_with = {}", marked(escape::rust_str(&expression)));
        let literal = escape::rust_str;
        match (default, ty) {
            (Default::EmptyList, _) => with("Vec::new()".to_owned()),
            (Default::Bool(value), _) => format!("default = {value}"),
            (Default::Integer(value), Type::Scalar(Scalar::I32 { .. })) if *value >= 0 => format!("default = {value}"),
            (Default::Integer(value), Type::Scalar(Scalar::I32 { .. })) => with(value.to_string()),
            (Default::Integer(value), _) => with(format!("Scalar({value})")),
            (Default::Float(value), _) => with(format!("{value:?}")),
            (Default::Value(value), ty) => {
                let of = if let Type::Named(of) = ty { of.name.as_str() } else { "" };
                with(format!("{}({}::{})", self.ty(ty, Side::Input), self.found.ty(of), names::rust::variant(value)))
            }
            (Default::Text(text), Type::Scalar(scalar)) => match scalar {
                Scalar::String { .. } => format!("default = {}", literal(text)),
                Scalar::Decimal { .. } => {
                    let digits: String = text.chars().filter(|c| *c != '.').collect();
                    let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                    let digits = digits.parse::<i64>().unwrap_or_default();
                    with(format!("Scalar(rust_decimal::Decimal::new({digits}, {scale}))"))
                }
                Scalar::Timestamp => {
                    with(format!("Scalar(kit::json::timestamp({}).unwrap_or_default())", literal(text)))
                }
                Scalar::Duration => with(format!("Scalar(kit::json::duration({}).unwrap_or_default())", literal(text))),
                _ => with(format!("Scalar({}.parse().unwrap_or_default())", literal(text))),
            },
            (Default::Text(text), _) => format!("default = {}", literal(text)),
        }
    }
}

fn scalar_type(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::String { .. } => "String",
        Scalar::Bool => "bool",
        Scalar::I32 { .. } => "i32",
        Scalar::F64 { .. } => "f64",
        Scalar::U32 { .. } => "UInt32",
        Scalar::I64 { .. } => "Int64",
        Scalar::U64 { .. } => "UInt64",
        Scalar::Decimal { .. } => "Decimal",
        Scalar::Uuid => "Uuid",
        Scalar::Timestamp => "DateTime",
        Scalar::Date => "Date",
        Scalar::Duration => "Duration",
        Scalar::Bytes => "Bytes",
        // Null is a value of it.
        Scalar::Json => "Option<Json>",
    }
}

/// `#[graphql(name = "x", default = 1)]`, or nothing.
pub fn attributes<const N: usize>(parts: [Option<String>; N]) -> Vec<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { Vec::new() } else { vec![format!("#[graphql({})]", parts.join(", "))] }
}

/// What says the name of a field, where async-graphql could make another one of it: it treats digits in its own way.
pub fn renamed(ident: &str, graphql: &str) -> Option<String> {
    let is_plain = ident.split('_').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
    (!is_plain || names::graphql::field(ident) != graphql).then(|| named(graphql))
}

fn renamed_type(name: &str) -> Option<String> {
    (!is_plain_type(name)).then(|| named(name))
}

/// Every capital begins a word of at least two letters.
fn is_plain_type(name: &str) -> bool {
    let capital = |b: &u8| b.is_ascii_uppercase();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(capital)
        && bytes.iter().all(u8::is_ascii_alphabetic)
        && !bytes.windows(2).any(|pair| capital(&pair[0]) && capital(&pair[1]))
        && !bytes.last().is_some_and(capital)
}

fn named(graphql: &str) -> String {
    format!("name = \"{graphql}\"")
}

/// Descriptions of the schema are documentation here.
pub fn docs(docs: &Docs) -> Vec<String> {
    escape::rust_doc(&shape::text(docs)).lines().map(str::to_owned).collect()
}

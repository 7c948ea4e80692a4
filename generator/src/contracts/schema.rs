//! Type expressions to JSON Schema 2020-12 (LANGUAGE §3.1), for OpenAPI, AsyncAPI and the schemas of events.
//!
//! A record has up to three schemas, for what it is used for: `Money` in answers and events, which readers take
//! tolerantly; `MoneyInput` in requests, which refuses unknown properties; `MoneyPatch` inside merge patches, where
//! everything may be left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{example, shape};
use crate::{
    escape,
    model::{Default, Docs, Enum, Event, Field, Model, Payload, ResourceRef, Scalar, Type, TypeDef, TypeRef},
};

mod scalar;

use scalar::bounds;

/// What a schema is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Requests: unknown properties are refused, fields with a default may be left out, null is read as absent.
    Input,
    /// Merge patches (RFC 7396) and what is inside them.
    Patch,
    /// Answers and events: unknown properties survive, what is absent is left out.
    Output,
}

/// The kind of document that holds the schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `#/components/schemas`; unions have a discriminator object.
    OpenApi,
    /// `#/components/schemas`; no discriminator, for AsyncAPI's is of another form.
    AsyncApi,
    /// `#/$defs`.
    JsonSchema,
}

/// The named schemas of one document, gathered as they are referred to.
pub struct Schemas<'m> {
    model: &'m Model,
    form: Form,
    named: BTreeMap<String, Value>,
}

impl<'m> Schemas<'m> {
    /// For one document.
    pub fn new(model: &'m Model, form: Form) -> Self {
        Self { model, form, named: BTreeMap::new() }
    }

    /// All that was referred to, by name.
    pub fn into_named(self) -> Map<String, Value> {
        self.named.into_iter().collect()
    }

    /// Names a schema and refers to it. `make` is not called if the name is known.
    pub fn define(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.named.contains_key(name) {
            // Known from here on, so that a schema may refer to itself.
            self.named.insert(name.to_owned(), Value::Null);
            let schema = make(self);
            self.named.insert(name.to_owned(), schema);
        }
        let place = match self.form {
            Form::OpenApi | Form::AsyncApi => "components/schemas",
            Form::JsonSchema => "$defs",
        };
        json!({ "$ref": format!("#/{place}/{name}") })
    }

    /// The schema of a value of that type.
    pub fn of(&mut self, ty: &Type, side: Side) -> Value {
        match ty {
            Type::Scalar(scalar) => self.scalar(scalar, side),
            Type::Named(of) => self.type_ref(of, side),
            Type::Resource(of) => self.item(of),
            Type::Ref(of) => self.of(&shape::id_type(self.model, of), side),
            Type::List { item, min, max } => {
                // A patch replaces a list as a whole.
                let side = if side == Side::Patch { Side::Input } else { side };
                let mut schema = json!({ "type": "array", "items": self.of(item, side) });
                bounds(&mut schema, "minItems", (*min > 0).then_some(*min), "maxItems", *max);
                schema
            }
            Type::Optional(inner) => nullable(self.of(inner, side)),
            Type::Map { key, value } => {
                let value = self.of(value, side);
                // In a patch, null removes an entry.
                let value = if side == Side::Patch { nullable(value) } else { value };
                let mut schema = json!({ "type": "object" });
                if let Some(names) = self.key(key) {
                    schema["propertyNames"] = names;
                }
                schema["additionalProperties"] = value;
                schema
            }
        }
    }

    /// An object of these fields.
    pub fn object(&mut self, docs: &Docs, fields: &[Field], side: Side) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in fields {
            if is_required(field, side) {
                required.push(field.name.as_str());
            }
            properties.insert(field.name.clone(), self.field(field, side));
        }
        let mut schema = json!({ "type": "object" });
        self.describe(&mut schema, docs);
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema["properties"] = properties.into();
        if side != Side::Output {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }

    /// One property, parameter or header.
    pub fn field(&mut self, field: &Field, side: Side) -> Value {
        let mut schema = match (&field.ty, side) {
            // Absent is absent: written as null by nobody.
            (Type::Optional(inner), Side::Output) => self.of(inner, side),
            (ty, _) => self.of(ty, side),
        };
        self.describe(&mut schema, &field.docs);
        if let Some(default) = field.default.as_ref().filter(|_| side == Side::Input) {
            schema["default"] = default_value(default, &field.ty);
        }
        if field.readonly && side == Side::Output {
            schema["readOnly"] = json!(true);
        }
        schema
    }

    /// An item of a resource, as every answer shows it.
    pub fn item(&mut self, of: &ResourceRef) -> Value {
        let name = of.resource.clone();
        let Some(resource) = shape::resource(self.model, of) else { return json!({}) };
        self.define(&name, |schemas| {
            let mut schema = schemas.object(&resource.docs, &shape::item_fields(resource), Side::Output);
            schema["examples"] = json!([example::item(schemas.model, resource, 0)]);
            schema
        })
    }

    /// A named object that belongs to one operation or event, with an example.
    pub fn message(&mut self, name: &str, docs: &Docs, fields: &[Field], side: Side) -> Value {
        self.define(name, |schemas| {
            let mut schema = schemas.object(docs, fields, side);
            schema["examples"] = json!([example::object(schemas.model, fields, 0)]);
            schema
        })
    }

    /// A record or union of `[types]` by name.
    pub fn named(&mut self, name: &str, side: Side) -> Value {
        self.type_ref(&TypeRef { service: None, name: name.to_owned() }, side)
    }

    fn type_ref(&mut self, of: &TypeRef, side: Side) -> Value {
        let name = of.name.clone();
        if let Some(owner) = &of.service {
            let found = self.model.services.get(owner).and_then(|owner| owner.enums.get(&of.name));
            return found.map(|found| self.enumeration(&name, found)).unwrap_or_else(|| json!({}));
        }
        match self.model.types.get(&of.name) {
            Some(TypeDef::Enum(found)) => self.enumeration(&name, found),
            Some(TypeDef::Record(record)) => {
                let name = name + suffix(side);
                self.define(&name, |schemas| schemas.object(&record.docs, &record.fields, side))
            }
            Some(TypeDef::Union(union)) => {
                // A patch replaces a union as a whole.
                let side = if side == Side::Patch { Side::Input } else { side };
                let full = name.clone() + suffix(side);
                self.define(&full, |schemas| {
                    let mut variants = Vec::new();
                    let mut mapping = Map::new();
                    for variant in &union.variants {
                        let schema = schemas.variant(&name, variant, side);
                        mapping.insert(variant.clone(), schema["$ref"].clone());
                        variants.push(schema);
                    }
                    let mut schema = json!({ "oneOf": variants });
                    schemas.describe(&mut schema, &union.docs);
                    if schemas.form == Form::OpenApi {
                        schema["discriminator"] = json!({ "propertyName": "type", "mapping": mapping });
                    }
                    schema
                })
            }
            None => json!({}),
        }
    }

    /// A variant inside its union: the record with its name as `type`. No name of a design has a dot.
    fn variant(&mut self, union: &str, variant: &str, side: Side) -> Value {
        self.define(&format!("{union}.{variant}{}", suffix(side)), |schemas| {
            let Some(record) = shape::record(schemas.model, variant) else { return json!({}) };
            let mut schema = schemas.object(&record.docs, &record.fields, side);
            let tag = json!({ "const": variant });
            if let Some(properties) = schema["properties"].as_object_mut() {
                properties.shift_insert(0, "type".to_owned(), tag);
            }
            match schema.get_mut("required").and_then(Value::as_array_mut) {
                Some(required) => required.insert(0, json!("type")),
                None => schema["required"] = json!(["type"]),
            }
            schema
        })
    }

    fn enumeration(&mut self, name: &str, of: &Enum) -> Value {
        self.define(name, |schemas| {
            let mut schema = json!({ "type": "string", "enum": of.values });
            schemas.describe(&mut schema, &of.docs);
            schema
        })
    }

    /// Adds the description. In OpenAPI and AsyncAPI it is read as Markdown.
    fn describe(&self, schema: &mut Value, docs: &Docs) {
        let text = shape::text(docs);
        if !text.is_empty() {
            schema["description"] = match self.form {
                Form::OpenApi | Form::AsyncApi => escape::markdown(&text).into(),
                Form::JsonSchema => text.into(),
            };
        }
    }
}

/// A JSON Schema document of what an event carries.
pub fn event(model: &Model, event: &Event) -> Value {
    let mut schemas = Schemas::new(model, Form::JsonSchema);
    let fields = shape::payload_fields(model, event);
    let docs = match &event.payload {
        Payload::Named(name) if shape::text(&event.docs).is_empty() => {
            shape::record(model, name).map(|record| record.docs.clone()).unwrap_or_default()
        }
        _ => event.docs.clone(),
    };
    let schema = schemas.object(&docs, &fields, Side::Output);
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event.name,
    });
    if let (Some(document), Value::Object(schema)) = (document.as_object_mut(), schema) {
        document.extend(schema);
        document.insert("examples".to_owned(), json!([example::object(model, &fields, 0)]));
        let named = schemas.into_named();
        if !named.is_empty() {
            document.insert("$defs".to_owned(), named.into());
        }
    }
    document
}

/// The JSON form of a default.
pub fn default_value(default: &Default, ty: &Type) -> Value {
    match default {
        Default::Text(text) | Default::Value(text) => json!(text),
        Default::Bool(value) => json!(value),
        Default::Integer(value) => match ty {
            Type::Scalar(Scalar::I64 { .. } | Scalar::U64 { .. }) => json!(value.to_string()),
            _ => i64::try_from(*value).map_or(Value::Null, |value| json!(value)),
        },
        Default::Float(value) => json!(value),
        Default::EmptyList => json!([]),
    }
}

/// Whether the property has to be there.
pub fn is_required(field: &Field, side: Side) -> bool {
    match side {
        Side::Input => !matches!(field.ty, Type::Optional(_)) && field.default.is_none(),
        Side::Patch => false,
        Side::Output => !matches!(field.ty, Type::Optional(_)),
    }
}

/// The same, or null.
fn nullable(mut schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    match schema.get_mut("type") {
        Some(Value::String(one)) => schema["type"] = json!([one, "null"]),
        Some(Value::Array(several)) if !several.contains(&json!("null")) => several.push(json!("null")),
        // Null already, or anything.
        _ => {}
    }
    schema
}

fn suffix(side: Side) -> &'static str {
    match side {
        Side::Input => "Input",
        Side::Patch => "Patch",
        Side::Output => "",
    }
}

#[cfg(test)]
mod tests;

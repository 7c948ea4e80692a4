//! Type expressions to JSON Schema 2020-12 (LANGUAGE §3.1), for OpenAPI, AsyncAPI and the schemas of events.
//!
//! A record has up to three schemas, for what it is used for: `Money` in answers and events, which readers take
//! tolerantly; `MoneyInput` in requests, which refuses unknown properties; `MoneyPatch` inside merge patches, where
//! everything may be left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{example, pattern, shape};
use crate::{
    escape,
    model::{
        Default, Docs, Enum, Event, Field, MapKey, Model, Payload, ResourceRef, Scalar, Service, Type, TypeDef, TypeRef,
    },
};

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
    service: &'m Service,
    form: Form,
    named: BTreeMap<String, Value>,
}

impl<'m> Schemas<'m> {
    /// For a document of that service.
    pub fn new(model: &'m Model, service: &'m Service, form: Form) -> Self {
        Self { model, service, form, named: BTreeMap::new() }
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
        let name = shape::name_in(self.model, self.service, &of.service, &of.resource);
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

    /// What an event carries, by the name it has in documents: the payload's, or the event's own.
    pub fn payload(&mut self, event: &Event) -> Value {
        match &event.payload {
            Payload::Named(name) => self.named(name, Side::Output),
            Payload::Resource(of) => self.item(of),
            Payload::Fields(fields) => self.message(&event.name, &event.docs, fields, Side::Output),
        }
    }

    fn type_ref(&mut self, of: &TypeRef, side: Side) -> Value {
        let name = shape::named(self.model, self.service, of);
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

    fn scalar(&mut self, scalar: &Scalar, side: Side) -> Value {
        match scalar {
            Scalar::String { min, max, pattern } => {
                let mut schema = json!({ "type": "string" });
                bounds(&mut schema, "minLength", (*min > 0).then_some(*min), "maxLength", *max);
                if let Some(pattern) = pattern.as_deref().and_then(pattern::ecma) {
                    schema["pattern"] = json!(pattern);
                }
                schema
            }
            Scalar::Bool => json!({ "type": "boolean" }),
            Scalar::I32 { min, max } => {
                json!({ "type": "integer", "format": "int32", "minimum": min, "maximum": max })
            }
            Scalar::U32 { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Scalar::I64 { min: i64::MIN, max: i64::MAX } => {
                self.wide("Int64", "int64", i64::MIN.into(), i64::MAX.into(), side)
            }
            Scalar::U64 { min: 0, max: u64::MAX } => self.wide("UInt64", "uint64", 0, u64::MAX.into(), side),
            Scalar::I64 { min, max } => digits("int64", (*min).into(), (*max).into(), side),
            Scalar::U64 { min, max } => digits("uint64", (*min).into(), (*max).into(), side),
            Scalar::F64 { min, max } => {
                let mut schema = json!({ "type": "number", "format": "double" });
                bounds(&mut schema, "minimum", *min, "maximum", *max);
                schema
            }
            Scalar::Decimal { precision, scale } => {
                json!({ "type": "string", "format": "decimal", "pattern": decimal(*precision, *scale) })
            }
            Scalar::Uuid => json!({ "type": "string", "format": "uuid" }),
            Scalar::Timestamp => json!({ "type": "string", "format": "date-time" }),
            Scalar::Date => json!({ "type": "string", "format": "date" }),
            // JSON Schema's format `duration` has no fractions of a second.
            Scalar::Duration => self.define("Duration", |_| {
                let text = "A span of time, ISO 8601 without years and months: `P1DT2H0.5S`.";
                json!({ "type": "string", "description": text, "pattern": DURATION })
            }),
            Scalar::Bytes => {
                self.define("Bytes", |_| json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 }))
            }
            Scalar::Json => json!({}),
        }
    }

    /// A 64-bit integer without bounds of its own, said once.
    fn wide(&mut self, name: &str, format: &str, min: i128, max: i128, side: Side) -> Value {
        let side = if side == Side::Patch { Side::Input } else { side };
        self.define(&format!("{name}{}", suffix(side)), |_| digits(format, min, max, side))
    }

    /// What the names of a map's properties must be; `None` for any.
    fn key(&mut self, key: &MapKey) -> Option<Value> {
        Some(match key {
            MapKey::String => return None,
            MapKey::I32 => json!({ "pattern": pattern::integers(i32::MIN.into(), i32::MAX.into()) }),
            MapKey::U32 => json!({ "pattern": pattern::integers(0, u32::MAX.into()) }),
            MapKey::I64 | MapKey::U64 | MapKey::Uuid | MapKey::Date | MapKey::Enum(_) => {
                self.of(&shape::key_type(key), Side::Output)
            }
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
pub fn event(model: &Model, service: &Service, event: &Event) -> Value {
    let mut schemas = Schemas::new(model, service, Form::JsonSchema);
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

fn bounds<T: serde::Serialize>(schema: &mut Value, low: &str, min: Option<T>, high: &str, max: Option<T>) {
    for (name, bound) in [(low, min), (high, max)] {
        if let Some(bound) = bound {
            schema[name] = json!(bound);
        }
    }
}

/// 64-bit integers are strings, for many readers of JSON cannot hold them as numbers; where they come in, numbers are
/// accepted.
fn digits(format: &str, min: i128, max: i128, side: Side) -> Value {
    let pattern = pattern::integers(min, max);
    if side == Side::Output {
        return json!({ "type": "string", "format": format, "pattern": pattern });
    }
    let mut schema = json!({ "type": ["string", "integer"], "format": format, "pattern": pattern });
    let number = |n: i128| i64::try_from(n).map(Value::from).or_else(|_| u64::try_from(n).map(Value::from)).ok();
    bounds(&mut schema, "minimum", number(min), "maximum", number(max));
    schema
}

/// At most `precision` digits, `scale` of them after the point.
fn decimal(precision: u32, scale: u32) -> String {
    let whole = match precision.saturating_sub(scale) {
        0 => "0".to_owned(),
        1 => "[0-9]".to_owned(),
        n => format!("(?:0|[1-9][0-9]{{0,{}}})", n - 1),
    };
    match scale {
        0 => format!("^-?{whole}$"),
        1 => format!(r"^-?{whole}(?:\.[0-9])?$"),
        _ => format!(r"^-?{whole}(?:\.[0-9]{{1,{scale}}})?$"),
    }
}

/// So many digits that the microseconds fit 64 bits.
const DURATION: &str = concat!(
    r"^P(?:[0-9]{1,7}W|[0-9]{1,8}D|(?:[0-9]{1,8}D)?T(?:",
    r"[0-9]{1,7}H(?:[0-9]{1,8}M)?(?:[0-9]{1,10}(?:\.[0-9]{1,9})?S)?",
    r"|[0-9]{1,8}M(?:[0-9]{1,10}(?:\.[0-9]{1,9})?S)?",
    r"|[0-9]{1,10}(?:\.[0-9]{1,9})?S))$"
);

/// RFC 4648 §4 with padding and without bits that mean nothing.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

#[cfg(test)]
mod tests;

//! All documents at once: whatever a design says in words, they parse and give it back.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{asyncapi::asyncapi, graphql::graphql, openapi::openapi, pb, proto, samples, schema, wire::WireLock};
use crate::{
    escape,
    model::{Default, Docs, Input, Model, Shape, TypeDef},
};

const HOSTILE: &str = "\
it's \"quoted\" `code` \\ */ // -- \"\"\" #} {{x}} {0} </script> <!-- $(id) ${HOME} \u{202e}drawkcab\u{202c} é😀
\t# head

```rust
panic!()
```
1. one
| a |\r\n[link](http://x.example) @deprecated \u{0} \u{7f} end";

/// The shop with the text as every summary, description and default.
fn hostile(text: &str) -> Model {
    let docs = Docs { summary: text.to_owned(), description: text.to_owned() };
    let mut model = samples::shop();
    model.docs = docs.clone();
    for of in model.types.values_mut() {
        match of {
            TypeDef::Record(record) => {
                record.docs = docs.clone();
                record.fields.iter_mut().for_each(|field| field.docs = docs.clone());
            }
            TypeDef::Enum(of) => of.docs = docs.clone(),
            TypeDef::Union(of) => of.docs = docs.clone(),
        }
    }
    for service in model.services.values_mut() {
        service.docs = docs.clone();
        service.enums.values_mut().for_each(|of| of.docs = docs.clone());
        service.events.values_mut().for_each(|event| event.docs = docs.clone());
        for resource in service.resources.values_mut() {
            resource.docs = docs.clone();
            resource.fields.iter_mut().for_each(|field| field.docs = docs.clone());
        }
        for operation in service.operations.values_mut() {
            operation.docs = docs.clone();
            operation.errors.iter_mut().for_each(|error| error.docs = docs.clone());
        }
    }
    let reserve = &mut model.services["orders"].operations["reserve"];
    let Shape::Custom { input: Input::Fields(fields), .. } = &mut reserve.shape else { panic!() };
    fields.push(crate::model::Field {
        default: Some(Default::Text(text.to_owned())),
        docs,
        ..samples::field("word", samples::string())
    });
    model
}

#[test]
fn hostile_texts_come_back() {
    let (openapi_schema, asyncapi_schema) = (samples::foreign("openapi-3.1"), samples::foreign("asyncapi-3.0"));
    for text in [HOSTILE, &"0123456789 ".repeat(1000), "", "x"] {
        let model = hostile(text);
        let mut lock = WireLock::default();
        for service in model.services.values() {
            let rest = openapi(&model, service);
            assert!(openapi_schema.is_valid(&rest));
            if !text.is_empty() {
                assert_eq!(rest["info"]["summary"], text);
                assert_eq!(rest["info"]["description"], escape::markdown(text));
            }

            let messages = asyncapi(&model, service);
            assert!(asyncapi_schema.is_valid(&messages));

            let sdl = graphql(&model, service);
            async_graphql_parser::parse_schema(&sdl).unwrap_or_else(|error| panic!("{error}\n{sdl}"));

            let proto = proto::proto(&model, service, &mut lock);
            let pb = pb::pb("x.proto", &proto).unwrap_or_else(|error| panic!("{error}\n{proto}"));
            syn::parse_file(&pb.rust).unwrap();
            let line = escape::visible(text);
            assert!(line.lines().all(|line| proto.contains(line)), "{proto}");

            for event in service.events.values() {
                let document = schema::event(&model, event);
                assert!(jsonschema::validator_for(&document).is_ok());
                if !text.is_empty() {
                    assert_eq!(document["description"], format!("{text}\n\n{text}"));
                }
            }
        }
        let rest = openapi(&model, &model.services["orders"]);
        let word = &rest["components"]["schemas"]["ReserveRequest"]["properties"]["word"];
        assert_eq!(word["default"], Value::from(text));
        let again = openapi(&model, &model.services["orders"]);
        assert_eq!(again.to_string(), rest.to_string(), "always the same bytes");
    }
}

/// The names of types that the documents of a service define, without those that hold a dot, which no design can give.
fn defined(model: &Model, service: &crate::model::Service) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let rest = openapi(model, service);
    names.extend(rest["components"]["schemas"].as_object().unwrap().keys().cloned());
    let sdl = async_graphql_parser::parse_schema(graphql(model, service)).unwrap();
    names.extend(sdl.definitions.into_iter().filter_map(|definition| match definition {
        async_graphql_parser::types::TypeSystemDefinition::Type(of) => Some(of.node.name.node.to_string()),
        _ => None,
    }));
    let files = pb::compile("x.proto", &proto::proto(model, service, &mut WireLock::default())).unwrap();
    let own = files.file.iter().filter(|file| file.package().starts_with(&proto::package(model, service)));
    for file in own {
        names.extend(file.message_type.iter().map(|message| message.name().to_owned()));
        names.extend(file.enum_type.iter().map(|of| of.name().to_owned()));
    }
    names.retain(|name| !name.contains('.') && name.starts_with(|c: char| c.is_ascii_uppercase()));
    names
}

/// `check` refuses designs that give a name which something of theirs generates, so it has to know all of them.
#[test]
fn every_generated_name_is_one_that_check_knows() {
    for model in [samples::library(), samples::shop(), samples::everything()] {
        for service in model.services.values() {
            let generated = crate::names::generated::of_service(&model, service);
            let known = |name: &String| {
                let foreign = |other: &crate::model::Service| {
                    other.resources.contains_key(name) || other.enums.contains_key(name)
                };
                generated.iter().any(|generated| generated.name == *name)
                    || model.types.contains_key(name)
                    || model.services.values().any(foreign)
                    || crate::names::rules::check(crate::names::rules::Kind::Type, name).is_err()
            };
            let unknown: Vec<_> = defined(&model, service).into_iter().filter(|name| !known(name)).collect();
            assert!(unknown.is_empty(), "{}.{}: {unknown:?}", model.name, service.name);
        }
    }
}

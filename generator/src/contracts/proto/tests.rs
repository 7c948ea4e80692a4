use indexmap::IndexMap;
use proptest::prelude::*;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind as ProtoKind, MapKey, ReflectMessage, Value,
};

use super::*;
use crate::contracts::{
    pb,
    samples::{self, field, list, map, money, named, optional, string, u32s},
};
use crate::model::{self, Exposure, Input, OperationKind, Transport, TypeDef};

fn compiled(text: &str) -> DescriptorPool {
    let files = pb::compile("x.proto", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    DescriptorPool::from_file_descriptor_set(files).unwrap()
}

#[test]
fn every_sample_is_valid_proto() {
    for model in [samples::shop(), samples::everything(), samples::library()] {
        let mut lock = WireLock::default();
        for service in model.services.values() {
            let text = proto(&model, service, &mut lock);
            let pool = compiled(&text);
            let found = pool.services().next().unwrap();
            assert_eq!(found.parent_file().package_name(), package(&model, service));
            let served = |o: &&Operation| model.served(&service.name, &o.name).has(Transport::Grpc);
            let served: Vec<_> = service.operations.values().filter(served).map(|o| rpc(service, o)).collect();
            assert_eq!(found.methods().map(|method| method.name().to_owned()).collect::<Vec<_>>(), served);
            assert_eq!(proto(&model, service, &mut lock), text, "the lock says it all");
        }
    }
}

#[test]
fn what_links_call_is_served_though_not_exposed() {
    let mut model = samples::shop();
    let restock = model::OperationRef { service: "billing".into(), operation: "restock".into() };
    let policy = model::Policy {
        timeout: std::time::Duration::from_secs(1),
        retry: model::Retry { attempts: 1, backoff: Default::default() },
        breaker: None,
        bulkhead: 1,
        fallback: Vec::new(),
        delivery: model::Delivery::AtLeastOnce,
        dead_letter: true,
        batch: model::Batch { size: 1, within: Default::default() },
    };
    let to = model::Target::Operation { to: restock, via: model::Via::Grpc };
    model.links.push(model::Link { from: "orders".into(), to, policy });
    let text = proto(&model, &model.services["billing"], &mut WireLock::default());
    assert!(text.contains("rpc Restock(RestockRequest)") && !text.contains("Charge"), "{text}");
}

/// As protoc reads it: beside its messages stand its methods, and the nearest name counts.
#[test]
fn a_message_that_is_called_as_an_rpc_is_named_from_the_root() {
    let mut model = taking(vec![], vec![]);
    let output = Output::Stream(StreamItem::Named("Money".into()));
    let query = samples::operation(OperationKind::Query, "money", "GET /v1/money", Input::None, output);
    let expose = Exposure::from_iter([Transport::Grpc]);
    model.services.insert("s".into(), samples::service("s").with(Operation { expose, ..query }));
    let found = text(&model, &mut WireLock::default());
    assert!(found.contains("rpc Money(MoneyRequest) returns (stream .web_shop.s.v1.Money);"), "{found}");
    compiled(&found);
}

/// A service `s` whose command `c` takes these fields.
fn taking(fields: Vec<Field>, types: Vec<(String, TypeDef)>) -> Model {
    let command = samples::operation(OperationKind::Command, "c", "POST /v1/c", Input::Fields(fields), Output::None);
    let expose = Exposure::from_iter([Transport::Grpc]);
    let mut model = samples::shop();
    model.types.extend(types);
    let service = samples::service("s").with(Operation { expose, ..command });
    model.services = IndexMap::from_iter([("s".to_owned(), service)]);
    model
}

fn text(model: &Model, lock: &mut WireLock) -> String {
    proto(model, &model.services["s"], lock)
}

#[test]
fn type_expressions() {
    let any = |service: Option<&str>, name: &str| {
        Type::Named(model::TypeRef { service: service.map(str::to_owned), name: name.to_owned() })
    };
    let fields = vec![
        field("id", Type::Ref(samples::resource_ref("catalogue", "Product"))),
        field("currency", any(None, "Currency")),
        field("at", Type::Scalar(Scalar::Timestamp)),
        field("payment", named("Payment")),
        field("lists", list(list(u32s()))),
        field("maybe_lists", optional(list(optional(money())))),
        field("by_name", map(model::MapKey::String, list(string()))),
        field("by_number", optional(map(model::MapKey::I64, money()))),
        field(
            "by_currency",
            map(model::MapKey::Enum(model::TypeRef { service: None, name: "Currency".into() }), u32s()),
        ),
    ];
    let found = text(&taking(fields, vec![]), &mut WireLock::default());
    let expected = r#"
message CRequest {
  optional string id = 1;
  optional Currency currency = 2;
  .google.protobuf.Timestamp at = 3;
  Payment payment = 4;
  repeated U32List lists = 5;
  MoneyOptionList maybe_lists = 6;
  map<string, StringList> by_name = 7;
  MoneyByI64Map by_number = 8;
  map<string, uint32> by_currency = 9;
}
"#;
    assert!(found.contains(expected), "{found}");
    for wrapper in [
        "message U32List {\n  repeated uint32 items = 1;\n}",
        "message MoneyOptionList {\n  repeated MoneyOption items = 1;\n}",
        "message MoneyOption {\n  Money value = 1;\n}",
        "message MoneyByI64Map {\n  map<int64, Money> items = 1;\n}",
        "message Payment {\n  oneof kind {\n    CardPayment card_payment = 1;\n    InvoicePayment invoice_payment = 2;\n  }\n}",
        "enum Currency {\n  CURRENCY_UNSPECIFIED = 0;\n  CURRENCY_EUR = 1;",
    ] {
        assert!(found.contains(wrapper), "{wrapper}\nin\n{found}");
    }
}

#[test]
fn what_is_gone_is_reserved() {
    let mut lock = WireLock::default();
    let with = |names: &[&str]| taking(names.iter().map(|name| field(name, string())).collect(), vec![]);
    text(&with(&["a", "b", "c"]), &mut lock);
    let found = text(&with(&["d", "b"]), &mut lock);
    let expected = "\
message CRequest {
  optional string d = 4;
  optional string b = 2;
  reserved 1, 3;
  reserved \"a\", \"c\";
}
";
    assert!(found.contains(expected), "{found}");
    let back = text(&with(&["c", "d"]), &mut lock);
    assert!(back.contains("optional string c = 3;") && back.contains("reserved 1, 2;"), "{back}");
}

#[test]
fn comments_are_the_design_s_words() {
    let docs = samples::docs("What it is */ \"\"\"", "Two\nlines.");
    let fields = vec![Field { docs: docs.clone(), ..field("a", string()) }];
    let found = text(&taking(fields, vec![]), &mut WireLock::default());
    assert!(
        found.contains("  // What it is */ \"\"\"\n  //\n  // Two\n  // lines.\n  optional string a = 1;"),
        "{found}"
    );
}

/// Fields by letters, of one of a few types; a later one of the same name is left out.
fn designs() -> impl Strategy<Value = Vec<Vec<(u8, u8)>>> {
    proptest::collection::vec(proptest::collection::vec((b'a'..b'g', 0u8..5), 0..6), 2..6)
}

fn evolved(design: &[(u8, u8)]) -> Model {
    let mut fields: Vec<Field> = Vec::new();
    let mut values = Vec::new();
    for (letter, ty) in design {
        let name = char::from(*letter).to_string();
        if fields.iter().any(|field| field.name == name) {
            continue;
        }
        values.push(name.clone());
        let ty = [string(), u32s(), list(string()), named("Inner"), map(model::MapKey::String, named("Letter"))]
            [usize::from(*ty)]
        .clone();
        fields.push(field(&name, ty));
    }
    // The same letters are the fields of a record inside and, with one more, the values of an enum.
    let inner = values.iter().map(|name| field(name, string())).collect();
    values.push("z".to_owned());
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    let letter = samples::enumeration("Letter", &values);
    taking(fields, vec![samples::record("Inner", inner), ("Letter".to_owned(), TypeDef::Enum(letter))])
}

/// A message with something in every field.
fn full(pool: &DescriptorPool, name: &str) -> DynamicMessage {
    let descriptor = pool.get_message_by_name(name).unwrap();
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let value = match (field.is_map(), field.is_list()) {
            (true, _) => {
                let ProtoKind::Message(entry) = field.kind() else { panic!() };
                Value::Map([(MapKey::String("k".into()), single(pool, &entry.map_entry_value_field()))].into())
            }
            (_, true) => Value::List(vec![single(pool, &field), single(pool, &field)]),
            _ => single(pool, &field),
        };
        message.set_field(&field, value);
    }
    message
}

fn single(pool: &DescriptorPool, field: &FieldDescriptor) -> Value {
    match field.kind() {
        ProtoKind::String => Value::String(format!("{} says", field.name())),
        ProtoKind::Uint32 => Value::U32(7),
        ProtoKind::Message(inner) => Value::Message(full(pool, inner.full_name())),
        ProtoKind::Enum(of) => Value::EnumNumber(of.values().last().unwrap().number()),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a design changes, whoever has one version reads what the other wrote: what both know is the same, what
    /// only one knows is passed on unharmed.
    #[test]
    fn old_and_new_peers_exchange_bytes(designs in designs()) {
        let mut lock = WireLock::default();
        let mut pools = Vec::new();
        for design in &designs {
            lock = WireLock::parse(&lock.to_string()).unwrap();
            pools.push(compiled(&text(&evolved(design), &mut lock)));
        }
        for mine in &pools {
            for theirs in &pools {
                let name = "web_shop.s.v1.CRequest";
                let sent = full(mine, name);
                let bytes = prost::Message::encode_to_vec(&sent);
                let read = DynamicMessage::decode(theirs.get_message_by_name(name).unwrap(), bytes.as_slice()).unwrap();
                for field in sent.descriptor().fields() {
                    let Some(same) = read.descriptor().get_field_by_name(field.name()) else { continue };
                    let ty = |field: &FieldDescriptor| (format!("{:?}", field.kind()), field.is_list());
                    if ty(&same) != ty(&field) {
                        prop_assert_ne!(same.number(), field.number());
                        continue;
                    }
                    prop_assert_eq!(same.number(), field.number());
                    let (sent, read) = (sent.get_field(&field), read.get_field(&same));
                    // What is inside a message may be unknown to the reader.
                    if !matches!(field.kind(), ProtoKind::Message(_)) {
                        prop_assert_eq!(sent, read);
                    }
                }
                let back = prost::Message::encode_to_vec(&read);
                let back = DynamicMessage::decode(sent.descriptor(), back.as_slice()).unwrap();
                prop_assert_eq!(&back, &sent);
            }
        }
    }
}

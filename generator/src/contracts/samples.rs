//! Models by hand, for tests: a shop with every shape of operation, and types of every expression.

use indexmap::IndexMap;

use crate::model::*;

pub(crate) fn docs(summary: &str, description: &str) -> Docs {
    Docs { summary: summary.to_owned(), description: description.to_owned() }
}

pub(crate) fn string() -> Type {
    Type::Scalar(Scalar::String { min: 0, max: None, pattern: None })
}

pub(crate) fn u32s() -> Type {
    Type::Scalar(Scalar::U32 { min: 0, max: u32::MAX })
}

pub(crate) fn money() -> Type {
    named("Money")
}

pub(crate) fn named(name: &str) -> Type {
    Type::Named(TypeRef { service: None, name: name.to_owned() })
}

pub(crate) fn list(item: Type) -> Type {
    Type::List { item: Box::new(item), min: 0, max: None }
}

pub(crate) fn optional(inner: Type) -> Type {
    Type::Optional(Box::new(inner))
}

pub(crate) fn map(key: MapKey, value: Type) -> Type {
    Type::Map { key, value: Box::new(value) }
}

pub(crate) fn resource_ref(service: &str, resource: &str) -> ResourceRef {
    ResourceRef { service: service.to_owned(), resource: resource.to_owned() }
}

pub(crate) fn event_ref(service: &str, event: &str) -> EventRef {
    EventRef { service: service.to_owned(), event: event.to_owned() }
}

pub(crate) fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.to_owned(),
        docs: Docs::default(),
        ty,
        default: None,
        unique: false,
        readonly: false,
        fixed: false,
    }
}

pub(crate) fn readonly(name: &str, ty: Type) -> Field {
    Field { readonly: true, ..field(name, ty) }
}

pub(crate) fn fixed(name: &str, ty: Type) -> Field {
    Field { fixed: true, ..field(name, ty) }
}

pub(crate) fn enumeration(name: &str, values: &[&str]) -> Enum {
    Enum { name: name.to_owned(), docs: Docs::default(), values: values.iter().map(|v| (*v).to_owned()).collect() }
}

pub(crate) fn record(name: &str, fields: Vec<Field>) -> (String, TypeDef) {
    (name.to_owned(), TypeDef::Record(Record { name: name.to_owned(), docs: Docs::default(), fields }))
}

pub(crate) fn union(name: &str, variants: &[&str]) -> (String, TypeDef) {
    let variants = variants.iter().map(|v| (*v).to_owned()).collect();
    (name.to_owned(), TypeDef::Union(Union { name: name.to_owned(), docs: Docs::default(), variants }))
}

pub(crate) const EVERYWHERE: Exposure = Exposure { rest: true, grpc: true, graphql: true, queue: false };

pub(crate) fn service(name: &str) -> Service {
    Service {
        name: name.to_owned(),
        docs: Docs::default(),
        team: None,
        expose: EVERYWHERE,
        store: Store::Sqlite,
        enums: IndexMap::new(),
        resources: IndexMap::new(),
        operations: IndexMap::new(),
        events: IndexMap::new(),
    }
}

fn path(text: &str) -> Vec<Segment> {
    let segment = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(field) => Segment::Field(field.to_owned()),
        None => Segment::Literal(part.to_owned()),
    };
    text.split('/').filter(|part| !part.is_empty()).map(segment).collect()
}

pub(crate) fn operation(kind: OperationKind, name: &str, route: &str, input: Input, output: Output) -> Operation {
    let (method, place) = route.split_once(' ').unwrap();
    let method = match method {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => Method::Post,
    };
    Operation {
        name: name.to_owned(),
        docs: Docs::default(),
        kind,
        shape: Shape::Custom { of: None, input, output },
        errors: Vec::new(),
        safety: if kind == OperationKind::Query { Safety::Safe } else { Safety::Keyed },
        on: Vec::new(),
        calls: Vec::new(),
        emits: Vec::new(),
        expose: EVERYWHERE,
        route: Route { method, path: path(place), query: method == Method::Get },
    }
}

impl Service {
    pub(crate) fn with(mut self, operation: Operation) -> Self {
        self.operations.insert(operation.name.clone(), operation);
        self
    }

    pub(crate) fn with_event(mut self, event: Event) -> Self {
        self.events.insert(event.name.clone(), event);
        self
    }

    /// With all six verbs; the plural is regular, the id its first field.
    pub(crate) fn with_resource(mut self, name: &str, fields: Vec<Field>, filter: &[FieldPath], sort: &[&str]) -> Self {
        let plural = crate::names::plural(name);
        let (one, many) = (crate::names::snake(name), crate::names::snake(&plural));
        let paths =
            sort.iter().map(|sort| FieldPath { segments: sort.split('.').map(str::to_owned).collect(), ty: u32s() });
        self.resources.insert(
            name.to_owned(),
            Resource {
                name: name.to_owned(),
                plural: plural.clone(),
                docs: Docs::default(),
                id: fields[0].name.clone(),
                fields,
                verbs: Verb::ALL.to_vec(),
                filter: filter.to_vec(),
                sort: paths.collect(),
            },
        );
        let folder = crate::names::path::segment(&plural);
        for (verb, word, method, item) in [
            (Verb::List, format!("list_{many}"), "GET", ""),
            (Verb::Get, format!("get_{one}"), "GET", "/{id}"),
            (Verb::Create, format!("create_{one}"), "POST", ""),
            (Verb::Replace, format!("replace_{one}"), "PUT", "/{id}"),
            (Verb::Patch, format!("patch_{one}"), "PATCH", "/{id}"),
            (Verb::Delete, format!("delete_{one}"), "DELETE", "/{id}"),
        ] {
            let kind =
                if matches!(verb, Verb::List | Verb::Get) { OperationKind::Query } else { OperationKind::Command };
            let route = format!("{method} /v1/{folder}{item}");
            let plain = operation(kind, &word, &route, Input::None, Output::None);
            let safety = if matches!(verb, Verb::Create | Verb::Patch) { Safety::Keyed } else { Safety::Safe };
            let shape = Shape::Verb { verb, resource: name.to_owned() };
            self = self.with(Operation { shape, safety, ..plain });
        }
        self
    }
}

pub(crate) fn filter(path: &str, ty: Type) -> FieldPath {
    FieldPath { segments: path.split('.').map(str::to_owned).collect(), ty }
}

/// `orders` with a resource of all verbs, commands with errors, an item's command, a stream, events; and `billing`,
/// which hears of orders.
pub(crate) fn shop() -> Model {
    use OperationKind::{Command, Query};

    let line = vec![
        field("product_id", Type::Ref(resource_ref("catalogue", "Product"))),
        Field {
            docs: docs("", "How many pieces; the shop does not sell halves."),
            ..field("quantity", Type::Scalar(Scalar::U32 { min: 1, max: 999 }))
        },
    ];
    let decimal = Type::Scalar(Scalar::Decimal { precision: 12, scale: 2 });
    let types = IndexMap::from_iter([
        ("Currency".to_owned(), TypeDef::Enum(enumeration("Currency", &["eur", "usd", "gbp"]))),
        union("Payment", &["CardPayment", "InvoicePayment"]),
        record("Money", vec![field("amount", decimal.clone()), field("currency", named("Currency"))]),
        record("Line", line),
        record("CardPayment", vec![field("token", string())]),
        record("InvoicePayment", vec![field("due", Type::Scalar(Scalar::Date))]),
        record("Shortage", vec![field("product_id", Type::Scalar(Scalar::Uuid)), field("left", u32s())]),
        record("StockChange", vec![field("product_id", Type::Scalar(Scalar::Uuid)), field("on_hand", u32s())]),
    ]);

    let status = Type::Named(TypeRef { service: Some("orders".to_owned()), name: "OrderStatus".to_owned() });
    let order = vec![
        readonly("id", Type::Scalar(Scalar::Uuid)),
        readonly("customer", string()),
        fixed("lines", Type::List { item: Box::new(named("Line")), min: 1, max: Some(100) }),
        fixed("payment", named("Payment")),
        field("note", optional(Type::Scalar(Scalar::String { min: 0, max: Some(200), pattern: None }))),
        field("prices", map(MapKey::String, money())),
        Field { default: Some(Default::Value("placed".to_owned())), ..readonly("status", status.clone()) },
        field("total", money()),
        readonly("placed_at", Type::Scalar(Scalar::Timestamp)),
    ];
    let filters = [
        filter("status", status),
        filter("customer", string()),
        filter("total.amount", decimal),
        filter("placed_at", Type::Scalar(Scalar::Timestamp)),
    ];

    let out_of_stock = DeclaredError {
        name: "OutOfStock".to_owned(),
        docs: docs("There are not enough pieces.", ""),
        kind: ErrorKind::Conflict,
        data: Some("Shortage".to_owned()),
    };
    let sent =
        DeclaredError { name: "AlreadySent".to_owned(), docs: Docs::default(), kind: ErrorKind::Conflict, data: None };
    let reserve = Operation {
        docs: docs("Holds stock for an order.", "Twice with the same key is once."),
        errors: vec![out_of_stock],
        ..operation(
            Command,
            "reserve",
            "POST /v1/reserve",
            Input::Fields(vec![field("order_id", Type::Scalar(Scalar::Uuid)), field("lines", list(named("Line")))]),
            Output::Fields(vec![
                field("reservation_id", Type::Scalar(Scalar::Uuid)),
                field("expires_at", optional(Type::Scalar(Scalar::Timestamp))),
            ]),
        )
    };
    let of = |name: &str, route: &str, input, output| {
        let plain = operation(Command, name, route, Input::None, Output::None);
        Operation { shape: Shape::Custom { of: Some("Order".to_owned()), input, output }, ..plain }
    };
    let cancel = Operation {
        errors: vec![sent],
        ..of(
            "cancel",
            "POST /v1/orders/{id}/cancel",
            Input::Fields(vec![field("reason", optional(string()))]),
            Output::Item,
        )
    };
    let mark_paid = Operation {
        expose: Exposure::default(),
        on: vec![event_ref("billing", "CardCharged")],
        ..of(
            "mark_paid",
            "POST /v1/orders/{id}/mark-paid",
            Input::Payload(event_ref("billing", "CardCharged")),
            Output::Item,
        )
    };
    let orders = Service { docs: docs("The life of an order.", ""), ..service("orders") }
        .with_resource("Order", order, &filters, &["placed_at", "total.amount"])
        .with(operation(
            Query,
            "find",
            "GET /v1/find",
            Input::Fields(vec![
                field("text", Type::Scalar(Scalar::String { min: 2, max: Some(40), pattern: None })),
                Field { default: Some(Default::Integer(10)), ..field("at_most", u32s()) },
                field("currencies", list(named("Currency"))),
            ]),
            Output::Fields(vec![field("orders", list(Type::Resource(resource_ref("orders", "Order"))))]),
        ))
        .with(operation(
            Query,
            "watch",
            "GET /v1/watch",
            Input::Fields(vec![field("product_id", optional(Type::Scalar(Scalar::Uuid)))]),
            Output::Stream(StreamItem::Named("StockChange".to_owned())),
        ))
        .with(reserve)
        .with(cancel)
        .with(Operation {
            safety: Safety::Unsafe,
            ..operation(Command, "ping", "POST /v1/ping", Input::None, Output::None)
        })
        .with(mark_paid)
        .with_event(Event {
            name: "OrderPlaced".to_owned(),
            docs: docs("An order was placed.", ""),
            payload: Payload::Resource(resource_ref("orders", "Order")),
            key: Some("id".to_owned()),
        })
        .with_event(Event {
            name: "OrderCancelled".to_owned(),
            docs: Docs::default(),
            payload: Payload::Fields(vec![
                field("order_id", Type::Scalar(Scalar::Uuid)),
                field("reason", optional(string())),
            ]),
            key: Some("order_id".to_owned()),
        });
    let mut orders = orders;
    orders.enums.insert("OrderStatus".to_owned(), enumeration("OrderStatus", &["placed", "paid", "sent", "cancelled"]));

    let charge = Operation {
        expose: Exposure::default(),
        on: vec![event_ref("orders", "OrderPlaced")],
        ..operation(
            Command,
            "charge",
            "POST /v1/charge",
            Input::Payload(event_ref("orders", "OrderPlaced")),
            Output::None,
        )
    };
    let restock = Operation {
        expose: Exposure { queue: true, ..Exposure::default() },
        ..operation(
            Command,
            "restock",
            "POST /v1/restock",
            Input::Fields(vec![field("quantity", u32s())]),
            Output::None,
        )
    };
    let billing = service("billing").with(charge).with(restock).with_event(Event {
        name: "CardCharged".to_owned(),
        docs: Docs::default(),
        payload: Payload::Fields(vec![field("order_id", Type::Scalar(Scalar::Uuid)), field("charged", money())]),
        key: Some("order_id".to_owned()),
    });

    let product = vec![
        fixed(
            "sku",
            Type::Scalar(Scalar::String { min: 3, max: Some(32), pattern: Some("[A-Z]{3}[0-9]*".to_owned()) }),
        ),
        Field { unique: true, ..field("name", string()) },
        field("price", money()),
    ];
    let catalogue = service("catalogue").with_resource("Product", product, &[], &[]);

    Model {
        name: "web-shop".to_owned(),
        docs: docs("Takes orders.", ""),
        own: Vec::new(),
        types,
        services: [orders, billing, catalogue].into_iter().map(|service| (service.name.clone(), service)).collect(),
        links: Vec::new(),
    }
}

/// Every scalar, and every way to nest types.
pub(crate) fn expressions() -> Vec<Field> {
    let scalars = [
        ("text", string()),
        ("short", Type::Scalar(Scalar::String { min: 2, max: Some(5), pattern: None })),
        ("code", Type::Scalar(Scalar::String { min: 0, max: Some(8), pattern: Some(r"[A-Z]{2}\d+".to_owned()) })),
        ("flag", Type::Scalar(Scalar::Bool)),
        ("small", Type::Scalar(Scalar::I32 { min: -5, max: i32::MAX })),
        ("wide", Type::Scalar(Scalar::I64 { min: i64::MIN, max: i64::MAX })),
        ("some_wide", Type::Scalar(Scalar::I64 { min: -100, max: 9_000_000_000 })),
        ("count", u32s()),
        ("total", Type::Scalar(Scalar::U64 { min: 0, max: u64::MAX })),
        ("ratio", Type::Scalar(Scalar::F64 { min: Some(0.0), max: Some(1.0) })),
        ("real", Type::Scalar(Scalar::F64 { min: None, max: None })),
        ("price", Type::Scalar(Scalar::Decimal { precision: 18, scale: 4 })),
        ("share", Type::Scalar(Scalar::Decimal { precision: 3, scale: 3 })),
        ("whole", Type::Scalar(Scalar::Decimal { precision: 2, scale: 0 })),
        ("key", Type::Scalar(Scalar::Uuid)),
        ("at", Type::Scalar(Scalar::Timestamp)),
        ("day", Type::Scalar(Scalar::Date)),
        ("span", Type::Scalar(Scalar::Duration)),
        ("raw", Type::Scalar(Scalar::Bytes)),
        ("any", Type::Scalar(Scalar::Json)),
        ("colour", named("Colour")),
        ("leaf", named("Leaf")),
        ("either", named("Either")),
        ("thing_id", Type::Ref(resource_ref("store", "Thing"))),
    ];
    let keys = [
        MapKey::String,
        MapKey::I32,
        MapKey::I64,
        MapKey::U32,
        MapKey::U64,
        MapKey::Uuid,
        MapKey::Date,
        MapKey::Enum(TypeRef { service: None, name: "Colour".to_owned() }),
    ];
    let mut fields = Vec::new();
    for (name, ty) in scalars {
        let wraps: [(&str, Type); 8] = [
            ("plain", ty.clone()),
            ("maybe", optional(ty.clone())),
            ("several", list(ty.clone())),
            ("maybe_several", optional(list(ty.clone()))),
            ("several_maybe", list(optional(ty.clone()))),
            ("nested", list(list(ty.clone()))),
            ("mapped", map(MapKey::String, ty.clone())),
            ("deep", optional(map(MapKey::I32, optional(list(optional(ty)))))),
        ];
        for (wrap, ty) in wraps {
            // What refers to one item is called so; several of them end in `_ids`.
            let name = match name {
                "thing_id" => format!("{wrap}_thing_ids"),
                name => format!("{wrap}_{name}"),
            };
            fields.push(field(&name, ty));
        }
    }
    for (index, key) in keys.into_iter().enumerate() {
        fields.push(field(&format!("by_key_{index}"), map(key, named("Leaf"))));
    }
    fields.push(field("tree", named("Tree")));
    fields
}

/// A service `store` whose resource `Thing`, command `swap`, query `look` and event `Swapped` use all [`expressions`].
pub(crate) fn everything() -> Model {
    use OperationKind::{Command, Query};
    let types = IndexMap::from_iter([
        ("Colour".to_owned(), TypeDef::Enum(enumeration("Colour", &["red", "dark_green", "x1"]))),
        record("Leaf", vec![field("size", u32s()), field("type_", optional(string()))]),
        record("Stem", vec![field("kind", string())]),
        // A variant may hold the union.
        record("Branch", vec![field("left", named("Either")), field("right", optional(named("Either")))]),
        union("Either", &["Branch", "Leaf", "Kind"]),
        record("Kind", vec![field("tags", list(string()))]),
        record(
            "Tree",
            vec![
                field("leaf", named("Leaf")),
                field("first", optional(named("Tree"))),
                field("rest", list(named("Tree"))),
                field("named", map(MapKey::String, named("Tree"))),
            ],
        ),
        record("Everything", expressions()),
    ]);
    let mut thing = vec![readonly("id", Type::Scalar(Scalar::Uuid))];
    thing.extend(expressions());
    let store = service("store")
        .with_resource("Thing", thing, &[filter("plain_text", string())], &["plain_count"])
        .with(operation(
            Command,
            "swap",
            "POST /v1/swap",
            Input::Named("Everything".to_owned()),
            Output::Named("Everything".to_owned()),
        ))
        .with(operation(
            Query,
            "look",
            "POST /v1/look",
            Input::Fields(vec![field("either", named("Either"))]),
            Output::Stream(StreamItem::Named("Either".to_owned())),
        ))
        .with_event(Event {
            name: "Swapped".to_owned(),
            docs: Docs::default(),
            payload: Payload::Named("Everything".to_owned()),
            key: None,
        });
    Model {
        name: "all".to_owned(),
        docs: Docs::default(),
        own: Vec::new(),
        types,
        services: IndexMap::from_iter([("store".to_owned(), store)]),
        links: Vec::new(),
    }
}

/// What is wrong with a value, by the schema at that place of a document; formats are checked too.
pub(crate) fn wrong(document: &serde_json::Value, pointer: &str, value: &serde_json::Value) -> Vec<String> {
    let mut schema = document.clone();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    // Under a name of our own, for a place may have characters that a reference has to escape.
    schema["x-target"] = document.pointer(pointer).unwrap().clone();
    schema["$ref"] = "#/x-target".into();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

/// Calls `see` with every object of a document and its place.
pub(crate) fn walk(
    value: &serde_json::Value,
    pointer: &str,
    see: &mut impl FnMut(&str, &serde_json::Map<String, serde_json::Value>),
) {
    match value {
        serde_json::Value::Object(object) => {
            see(pointer, object);
            for (name, value) in object {
                walk(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), see);
            }
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{pointer}/{index}"), see));
        }
        _ => {}
    }
}

/// One of the schemas of others under `tests/foreign`.
pub(crate) fn foreign(name: &str) -> jsonschema::Validator {
    let path = format!("{}/tests/foreign/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

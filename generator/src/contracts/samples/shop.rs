//! A shop with every shape of operation.

use indexmap::IndexMap;

use super::*;

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
        expose: [Transport::Queue].into_iter().collect(),
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

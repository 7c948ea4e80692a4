use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::{
    parse_schema,
    types::{BaseType, Type as SdlType, TypeDefinition, TypeKind, TypeSystemDefinition},
};

use super::*;
use crate::contracts::samples::{self, field, list, map, money, named, optional, string, u32s};
use crate::model::{Default, Input, MapKey, Transport, TypeRef};

/// The types of a schema by name.
fn parsed(sdl: &str) -> BTreeMap<String, TypeDefinition> {
    let document = parse_schema(sdl).unwrap_or_else(|error| panic!("{error}\n{sdl}"));
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(of) => Some((of.node.name.node.to_string(), of.node)),
        _ => None,
    });
    types.collect()
}

fn base(ty: &SdlType) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(inner),
    }
}

/// The names that a definition refers to: those of answers, and those of arguments and inputs.
fn referred(of: &TypeDefinition) -> (Vec<&str>, Vec<&str>) {
    match &of.kind {
        TypeKind::Object(object) => {
            let fields = || object.fields.iter().map(|field| &field.node);
            let arguments = fields().flat_map(|field| &field.arguments).map(|argument| base(&argument.node.ty.node));
            (fields().map(|field| base(&field.ty.node)).collect(), arguments.collect())
        }
        TypeKind::InputObject(input) => (vec![], input.fields.iter().map(|field| base(&field.node.ty.node)).collect()),
        TypeKind::Union(union) => (union.members.iter().map(|member| member.node.as_str()).collect(), vec![]),
        _ => (vec![], vec![]),
    }
}

#[test]
fn every_sample_is_a_whole_schema() {
    for model in [samples::shop(), samples::everything(), samples::library()] {
        for service in model.services.values() {
            let sdl = graphql(&model, service);
            let types = parsed(&sdl);
            let mut used = BTreeSet::from(["Query", "Mutation", "Subscription"]);
            for of in types.values() {
                let (outputs, inputs) = referred(of);
                for name in outputs.iter().chain(&inputs) {
                    let known = types.contains_key(*name) || ["String", "Int", "Float", "Boolean", "ID"].contains(name);
                    assert!(known, "{name} in {}\n{sdl}", of.name.node);
                }
                let is_input =
                    |name: &str| types.get(name).is_some_and(|of| matches!(of.kind, TypeKind::InputObject(_)));
                let is_output = |name: &str| {
                    types.get(name).is_some_and(|of| matches!(of.kind, TypeKind::Object(_) | TypeKind::Union(_)))
                };
                assert!(!outputs.iter().any(|name| is_input(name)), "{}", of.name.node);
                assert!(!inputs.iter().any(|name| is_output(name)), "{}", of.name.node);
                used.extend(outputs.into_iter().chain(inputs));
            }
            let unused: Vec<_> = types.keys().filter(|name| !used.contains(name.as_str())).collect();
            assert!(unused.is_empty(), "{unused:?}");
        }
    }
}

#[test]
fn operations_of_the_shop() {
    let model = samples::shop();
    let sdl = graphql(&model, &model.services["orders"]);
    for expected in [
        r#"
type Query {
  orders(
    "Items of the page: at most 200; 50 if not given."
    first: Int
    "The end cursor of the page before."
    after: String
    where: OrderFilter
    orderBy: [OrderSort!]
  ): OrderConnection!
  order(
    "Which Order."
    id: ID!
  ): Order
  find(text: String!, atMost: UInt32! = 10, currencies: [Currency!]!): FindResponse!
}
"#,
        r#"
type Subscription {
  watch(productId: UUID): StockChange!
}
"#,
        r#"
  createOrder(input: NewOrderInput!): Order!
"#,
        "    input: OrderInput!\n",
        "    set: OrderPatch!\n",
        r#"
  """
  Holds stock for an order.

  Twice with the same key is once.
  """
  reserve(orderId: UUID!, lines: [LineInput!]!): ReserveResponse!
"#,
        "\n  ping: Boolean!\n",
        r#"
enum OrderSort {
  PLACED_AT
  PLACED_AT_DESC
  TOTAL_AMOUNT
  TOTAL_AMOUNT_DESC
}
"#,
        r#"
  totalAmount: [Decimal!]
  totalAmountGte: Decimal
"#,
        r#"
type Order {
  id: ID!
  customer: String!
  lines: [Line!]!
  payment: Payment!
  note: String
  prices: [MoneyEntry!]!
  status: OrderStatus!
  total: Money!
  placedAt: DateTime!
  "The revision: it changes whenever the item does."
  etag: String!
}
"#,
        r#"
"What changes one Order."
input OrderPatch {
  note: String
  prices: [MoneyEntryPatch!]
  total: MoneyPatch
}
"#,
        r#"
input MoneyEntryPatch {
  key: String!
  value: MoneyInput
}
"#,
        "\nunion Payment = CardPayment | InvoicePayment\n",
        "\ninput PaymentInput @oneOf {\n  cardPayment: CardPaymentInput\n  invoicePayment: InvoicePaymentInput\n}\n",
    ] {
        assert!(format!("\n{sdl}").contains(expected), "{expected}\nin\n{sdl}");
    }
    assert!(!sdl.contains("markPaid"), "not exposed");
}

/// A service whose query `q` takes and gives these fields.
fn with(fields: Vec<Field>) -> Model {
    let input = Input::Fields(fields.clone());
    let operation = samples::operation(OperationKind::Query, "q", "POST /v1/q", input, Output::Fields(fields));
    let mut model = samples::shop();
    let thing = vec![samples::readonly("id", string()), field("name", string())];
    let service = samples::service("s").with_resource("Thing", thing, &[], &[]).with(operation);
    model.services.insert("s".to_owned(), service);
    model
}

#[test]
fn type_expressions() {
    let uuid = || Type::Scalar(Scalar::Uuid);
    let any = || Type::Scalar(Scalar::Json);
    let thing = || Type::Ref(samples::resource_ref("s", "Thing"));
    for (ty, output, input) in [
        (string(), "String!", "String!"),
        (Type::Scalar(Scalar::I32 { min: 0, max: 1 }), "Int!", "Int!"),
        (Type::Scalar(Scalar::F64 { min: None, max: None }), "Float!", "Float!"),
        (u32s(), "UInt32!", "UInt32!"),
        (uuid(), "UUID!", "UUID!"),
        (any(), "JSON", "JSON"),
        (list(any()), "[JSON]!", "[JSON]!"),
        (money(), "Money!", "MoneyInput!"),
        (named("Currency"), "Currency!", "Currency!"),
        (named("Payment"), "Payment!", "PaymentInput!"),
        (optional(money()), "Money", "MoneyInput"),
        (list(money()), "[Money!]!", "[MoneyInput!]!"),
        (optional(list(money())), "[Money!]", "[MoneyInput!]"),
        (list(optional(money())), "[Money]!", "[MoneyInput]!"),
        (list(list(string())), "[[String!]!]!", "[[String!]!]!"),
        (map(MapKey::String, money()), "[MoneyEntry!]!", "[MoneyEntryInput!]!"),
        (map(MapKey::I64, u32s()), "[U32ByI64Entry!]!", "[U32ByI64EntryInput!]!"),
        (optional(map(MapKey::Uuid, list(string()))), "[StringListByUuidEntry!]", "[StringListByUuidEntryInput!]"),
        (thing(), "ID!", "ID!"),
        (list(thing()), "[ID!]!", "[ID!]!"),
    ] {
        let model = with(vec![field("f", ty.clone())]);
        let sdl = graphql(&model, &model.services["s"]);
        parsed(&sdl);
        assert!(sdl.contains(&format!("  f: {output}\n")), "{ty:?} is {output} in\n{sdl}");
        assert!(sdl.contains(&format!("  q(f: {input}): QResponse!\n")), "{ty:?} is {input} in\n{sdl}");
    }
    let by_currency = MapKey::Enum(TypeRef { service: None, name: "Currency".into() });
    let model = with(vec![field("f", map(by_currency, any()))]);
    let sdl = graphql(&model, &model.services["s"]);
    assert!(sdl.contains("type JsonByCurrencyEntry {\n  key: Currency!\n  value: JSON\n}"), "{sdl}");
}

#[test]
fn references_offer_the_object_where_the_service_has_it() {
    let thing = || Type::Ref(samples::resource_ref("s", "Thing"));
    let elsewhere = Type::Ref(samples::resource_ref("catalogue", "Product"));
    let fields = vec![
        field("thing_id", thing()),
        field("other_id", optional(thing())),
        field("thing_ids", list(thing())),
        field("taken_id", thing()),
        field("taken", string()),
        field("product_id", elsewhere),
    ];
    let mut model = with(fields);
    let sdl = graphql(&model, &model.services["s"]);
    let response = sdl.split("type QResponse {").nth(1).unwrap().split('}').next().unwrap();
    for (line, there) in [
        ("  thing: Thing\n", true),
        ("  other: Thing\n", true),
        ("  things: [Thing]!\n", true),
        ("  taken: Thing\n", false),
        ("  product: ", false),
    ] {
        assert_eq!(response.contains(line), there, "{line} in {response}");
    }
    model.services["s"].resources["Thing"].verbs.retain(|verb| *verb != Verb::Get);
    assert!(!graphql(&model, &model.services["s"]).contains("  thing: Thing\n"));
}

#[test]
fn defaults() {
    let of = |name: &str, ty, default| Field { default: Some(default), ..field(name, ty) };
    let whole = Type::Scalar(Scalar::I64 { min: 0, max: 9 });
    let model = with(vec![
        of("a", string(), Default::Text("say \"hi\"".into())),
        of("b", Type::Scalar(Scalar::Bool), Default::Bool(true)),
        of("c", u32s(), Default::Integer(3)),
        of("d", whole, Default::Integer(3)),
        of("e", Type::Scalar(Scalar::F64 { min: None, max: None }), Default::Float(1.5)),
        of("f", named("Currency"), Default::Value("eur".into())),
        of("g", list(string()), Default::EmptyList),
    ]);
    let sdl = graphql(&model, &model.services["s"]);
    parsed(&sdl);
    let expected = r#"q(a: String! = "say \"hi\"", b: Boolean! = true, c: UInt32! = 3, d: Int64! = "3", e: Float! = 1.5, f: Currency! = EUR, g: [String!]! = []): QResponse!"#;
    assert!(sdl.contains(expected), "{sdl}");
}

#[test]
fn a_service_without_queries_can_be_asked_its_version() {
    let mut model = samples::shop();
    for operation in model.services["billing"].operations.values_mut() {
        operation.expose = [Transport::Graphql].into_iter().collect();
    }
    let sdl = graphql(&model, &model.services["billing"]);
    assert!(sdl.starts_with("type Query {\n  \"The version of the service.\"\n  _version: Int!\n}\n"), "{sdl}");
    parsed(&sdl);
}

#[test]
fn requests_for_every_operation_can_be_read() {
    use request::{Wish, request};
    let mut count = 0;
    for model in [samples::shop(), samples::everything(), samples::library()] {
        for service in model.services.values() {
            for operation in service.operations.values() {
                let made = service.resources.keys().map(|resource| shape::of_service(service, resource)).collect();
                for (made, live) in [(&BTreeSet::new(), false), (&made, true)] {
                    let wish = Wish { depth: 2, nth: 1, made, etag: true, live };
                    let document = request(&model, service, operation, wish).document;
                    for text in [document.flat(), document.lines(8)] {
                        let read = async_graphql_parser::parse_query(&text);
                        assert!(read.is_ok(), "{}\n{text}", read.unwrap_err());
                        count += 1;
                    }
                }
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_request_says_what_it_gives_and_what_comes_of_it() {
    use request::{Wish, request};
    let model = samples::library();
    let of = |operation: &str, wish| {
        let service = &model.services["catalogue"];
        request(&model, service, &service.operations[operation], wish)
    };
    let none = BTreeSet::new();
    let wish = Wish { depth: 1, nth: 0, made: &none, etag: true, live: false };
    let made = [shape::of_service(&model.services["catalogue"], "Book")].into();
    let lend = of("lend", Wish { made: &made, ..wish });
    let text = lend.document.flat();
    assert!(text.starts_with("mutation($bookId: ID!) { lend(id: $bookId, reader: \"0190a5c8-"), "{text}");
    assert_eq!(lend.input.len(), 2, "the id and the input");
    let arrivals = of("arrivals", wish);
    assert_eq!(
        arrivals.document.flat(),
        "subscription { arrivals(language: EN) { __typename ... on Paper { pages isbn } ... on Audio { length speakers cover } ... on Kind { about } } }"
    );
    assert_eq!(arrivals.data[0]["__typename"], "Paper");
    assert_eq!(of("ping", wish).document.flat(), "query { ping }");
    assert_eq!(of("ping", wish).data, serde_json::json!(true));
    let deleted = of("delete_book", wish);
    assert!(deleted.document.flat().ends_with(", etag: \"1\") }"), "{}", deleted.document.flat());
    let through = of("get_book", Wish { live: true, ..wish }).document.flat();
    assert!(through.contains(" author { code }"), "{through}");
}

use serde_json::json;

use super::*;
use crate::{
    contracts::samples::{self, field, list, map, named, optional, string, u32s, wrong},
    model::MapKey,
};

/// A document with the schema of one property, and whether that property takes the value.
fn takes(ty: &Type, side: Side, value: &Value) -> bool {
    let model = samples::everything();
    let mut schemas = Schemas::new(&model, Form::JsonSchema);
    let schema = schemas.of(ty, side);
    let document = json!({ "schema": schema, "$defs": schemas.into_named() });
    wrong(&document, "/schema", value).is_empty()
}

fn whole(min: i64, max: i64) -> Type {
    Type::Scalar(Scalar::I64 { min, max })
}

#[test]
fn values_at_the_edges_of_each_scalar() {
    let decimal = |precision, scale| Type::Scalar(Scalar::Decimal { precision, scale });
    let text = |min, max, pattern: Option<&str>| {
        Type::Scalar(Scalar::String { min, max, pattern: pattern.map(str::to_owned) })
    };
    let any_u64 = Type::Scalar(Scalar::U64 { min: 0, max: u64::MAX });
    let (span, bytes) = (Type::Scalar(Scalar::Duration), Type::Scalar(Scalar::Bytes));
    let i32s = Type::Scalar(Scalar::I32 { min: i32::MIN, max: i32::MAX });
    let ratio = Type::Scalar(Scalar::F64 { min: Some(0.0), max: Some(1.0) });
    for (ty, taken, refused) in [
        (
            text(2, Some(3), None),
            vec![json!("éé"), json!("😀😀😀")],
            vec![json!("é"), json!("abcd"), json!(7), Value::Null],
        ),
        (text(0, None, Some("[a-c]+")), vec![json!("abc")], vec![json!("xabc"), json!("abcx"), json!("")]),
        (i32s, vec![json!(i32::MIN), json!(i32::MAX)], vec![json!(2_147_483_648_i64), json!(1.5), json!("1")]),
        (u32s(), vec![json!(0), json!(u32::MAX)], vec![json!(-1), json!(4_294_967_296_u64)]),
        (
            whole(i64::MIN, i64::MAX),
            vec![json!("-9223372036854775808"), json!("9223372036854775807"), json!(i64::MAX), json!(0)],
            vec![
                json!("9223372036854775808"),
                json!("-9223372036854775809"),
                json!(""),
                json!("1.0"),
                json!("007"),
                json!(true),
            ],
        ),
        (
            whole(-100, 9_000_000_000),
            vec![json!("-100"), json!("9000000000"), json!(-100)],
            vec![json!("-101"), json!("9000000001"), json!(-101)],
        ),
        (
            any_u64,
            vec![json!("18446744073709551615"), json!(u64::MAX)],
            vec![json!("18446744073709551616"), json!("-1"), json!(-1)],
        ),
        (ratio, vec![json!(0), json!(1.0), json!(0.5)], vec![json!(1.0001), json!("0.5")]),
        (
            decimal(12, 2),
            vec![json!("9999999999.99"), json!("-0.5"), json!("7")],
            vec![json!("10000000000"), json!("1.005"), json!(1.5), json!("1."), json!(".5"), json!("1e3")],
        ),
        (decimal(3, 3), vec![json!("0.999"), json!("-0.001")], vec![json!("1.0"), json!("0.1234")]),
        (decimal(2, 0), vec![json!("99")], vec![json!("100"), json!("9.0")]),
        (Type::Scalar(Scalar::Uuid), vec![json!(example::uuid(0))], vec![json!("x"), json!("")]),
        (
            Type::Scalar(Scalar::Timestamp),
            vec![json!("2026-01-31T12:00:00.000001Z")],
            vec![json!("2026-01-31"), json!(0)],
        ),
        (Type::Scalar(Scalar::Date), vec![json!("2026-02-28")], vec![json!("2026-02-30"), json!("2026-2-3")]),
        (
            span,
            vec![json!("PT0S"), json!("P1DT2H0.5S"), json!("P2W"), json!("PT1H5S"), json!("PT0.000001S")],
            vec![json!("P1Y"), json!("P1M"), json!("-PT1S"), json!("P"), json!("PT"), json!("P1DT"), json!("PT1.5H")],
        ),
        (
            bytes,
            vec![json!(""), json!("AA=="), json!("AAA="), json!("ZXhhbXBsZQ==")],
            vec![json!("A"), json!("AA"), json!("AB=="), json!("A_=="), json!("AA=\n")],
        ),
        (Type::Scalar(Scalar::Json), vec![Value::Null, json!([1, { "a": [] }]), json!("x")], vec![]),
        (named("Colour"), vec![json!("dark_green")], vec![json!("DARK_GREEN"), json!("blue"), Value::Null]),
    ] {
        taken.iter().for_each(|value| assert!(takes(&ty, Side::Input, value), "{ty:?} takes {value}"));
        refused.iter().for_each(|value| assert!(!takes(&ty, Side::Input, value), "{ty:?} refuses {value}"));
    }
}

#[test]
fn answers_have_64_bits_as_text_only() {
    assert!(takes(&whole(i64::MIN, i64::MAX), Side::Output, &json!("5")));
    assert!(!takes(&whole(i64::MIN, i64::MAX), Side::Output, &json!(5)));
}

#[test]
fn lists_maps_and_what_may_be_left_out() {
    let few = Type::List { item: Box::new(u32s()), min: 1, max: Some(2) };
    let by_colour = map(MapKey::Enum(TypeRef { service: None, name: "Colour".into() }), u32s());
    for (ty, taken, refused) in [
        (few, vec![json!([1]), json!([1, 2])], vec![json!([]), json!([1, 2, 3]), json!([null])]),
        (list(optional(string())), vec![json!([]), json!(["a", null])], vec![Value::Null, json!([1])]),
        (optional(list(string())), vec![Value::Null, json!([])], vec![json!([null])]),
        (list(list(u32s())), vec![json!([[], [1]])], vec![json!([1])]),
        (map(MapKey::String, u32s()), vec![json!({}), json!({ "any": 1 })], vec![json!({ "a": null }), json!([])]),
        (
            map(MapKey::I32, u32s()),
            vec![json!({ "-7": 1, "2147483647": 1 })],
            vec![json!({ "x": 1 }), json!({ "2147483648": 1 })],
        ),
        (map(MapKey::U64, u32s()), vec![json!({ "18446744073709551615": 1 })], vec![json!({ "-1": 1 })]),
        (map(MapKey::Date, u32s()), vec![json!({ "2026-01-31": 1 })], vec![json!({ "today": 1 })]),
        (by_colour, vec![json!({ "red": 1 })], vec![json!({ "blue": 1 })]),
    ] {
        taken.iter().for_each(|value| assert!(takes(&ty, Side::Input, value), "{ty:?} takes {value}"));
        refused.iter().for_each(|value| assert!(!takes(&ty, Side::Input, value), "{ty:?} refuses {value}"));
    }
}

#[test]
fn requests_are_strict_answers_tolerant_patches_partial() {
    let (exact, more, less) = (json!({ "size": 1 }), json!({ "size": 1, "more": true }), json!({}));
    let cleared = json!({ "size": 1, "type_": null });
    let leaf = named("Leaf");
    for (side, taken) in [
        (Side::Input, [true, false, false, true]),
        (Side::Output, [true, true, false, false]),
        (Side::Patch, [true, false, true, true]),
    ] {
        for (value, taken) in [&exact, &more, &less, &cleared].into_iter().zip(taken) {
            assert_eq!(takes(&leaf, side, value), taken, "{side:?} {value}");
        }
    }
    // Null removes an entry of a map, a list is replaced as a whole.
    let entries = map(MapKey::String, leaf.clone());
    assert!(takes(&entries, Side::Patch, &json!({ "a": null, "b": {} })));
    assert!(!takes(&entries, Side::Input, &json!({ "a": null })));
    assert!(!takes(&list(leaf), Side::Patch, &json!([{}])));
}

#[test]
fn unions_are_told_apart_by_their_type() {
    let either = named("Either");
    let leaf = json!({ "type": "Leaf", "size": 1 });
    let branch = json!({ "type": "Branch", "left": leaf });
    for value in [&leaf, &branch, &json!({ "type": "Kind", "tags": [] })] {
        assert!(takes(&either, Side::Input, value) && takes(&either, Side::Output, value), "{value}");
    }
    for value in [json!({ "size": 1 }), json!({ "type": "Leaf", "tags": [] }), json!({ "type": "Tree", "size": 1 })] {
        assert!(!takes(&either, Side::Input, &value), "{value}");
    }
}

#[test]
fn defaults_fill_inputs_and_are_always_in_answers() {
    let model = samples::everything();
    let mut schemas = Schemas::new(&model, Form::JsonSchema);
    let count = Field { default: Some(Default::Integer(5)), ..field("count", whole(0, 9)) };
    let colour = Field { default: Some(Default::Value("red".into())), ..field("colour", named("Colour")) };
    let tags = Field { default: Some(Default::EmptyList), ..field("tags", list(string())) };
    let fields = [count, colour, tags];
    let input = schemas.object(&Docs::default(), &fields, Side::Input);
    assert_eq!(input.get("required"), None);
    assert_eq!(input["properties"]["count"]["default"], json!("5"));
    assert_eq!(input["properties"]["colour"]["default"], json!("red"));
    assert_eq!(input["properties"]["tags"]["default"], json!([]));
    let output = schemas.object(&Docs::default(), &fields, Side::Output);
    assert_eq!(output["required"], json!(["count", "colour", "tags"]));
}

#[test]
fn events_have_documents_of_their_own() {
    for model in [samples::shop(), samples::everything(), samples::library()] {
        for service in model.services.values() {
            for of in service.events.values() {
                let document = event(&model, of);
                let validator = jsonschema::options().should_validate_formats(true).build(&document).unwrap();
                let example = &document["examples"][0];
                assert!(validator.is_valid(example), "{}: {example}", of.name);
                assert!(!validator.is_valid(&json!({})), "{}", of.name);
                assert_eq!(document["title"], of.name);
            }
        }
    }
}

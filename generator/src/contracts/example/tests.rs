use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::contracts::{
    samples::{self, field, wrong},
    schema::{Form, Schemas, Side},
};

/// What is wrong with examples of that type.
fn faults(ty: &Type, nths: impl IntoIterator<Item = u32>) -> Vec<String> {
    let model = samples::everything();
    let mut schemas = Schemas::new(&model, Form::JsonSchema);
    let schema = json!({ "schema": schemas.of(ty, Side::Output), "$defs": schemas.into_named() });
    let check = |nth| wrong(&schema, "/schema", &nth_value(&model, ty, "some hint", nth));
    nths.into_iter().flat_map(check).collect()
}

#[test]
fn examples_of_every_expression_keep_their_bounds() {
    let model = samples::everything();
    let mut schemas = Schemas::new(&model, Form::JsonSchema);
    let all = schemas.named("Everything", Side::Output);
    let document = json!({ "schema": all, "$defs": schemas.into_named() });
    for nth in [0, 1, 7, 99, u32::MAX] {
        let example = object(&model, &samples::expressions(), nth);
        assert_eq!(wrong(&document, "/schema", &example), Vec::<String>::new(), "{nth}");
        assert_eq!(example, object(&model, &samples::expressions(), nth), "always the same");
    }
}

#[test]
fn what_holds_itself_ends() {
    let model = samples::everything();
    let tree = value(&model, &samples::named("Tree"));
    assert_eq!(tree["rest"], json!([]));
    assert_eq!(tree.get("first"), None);
    assert_eq!(tree["named"], json!({}));
    // A branch is nothing without an inner one.
    assert_eq!(value(&model, &samples::named("Either"))["type"], "Leaf");
    assert_eq!(value(&model, &samples::named("Branch"))["left"]["type"], "Leaf");
}

#[test]
fn references_and_items_fit_each_other() {
    let model = samples::shop();
    let product = item(&model, &model.services["catalogue"].resources["Product"], 3);
    let line = nth_value(&model, &samples::named("Line"), "", 3);
    assert_eq!(line["product_id"], product["sku"]);
    assert_eq!(product["etag"], "4");
}

#[test]
fn numbers_tell_examples_apart() {
    let model = samples::everything();
    for of in samples::expressions() {
        let many = matches!(of.ty, Type::Scalar(Scalar::Bool | Scalar::I64 { .. }))
            || matches!(of.ty, Type::Scalar(Scalar::Decimal { precision: 2, .. }))
            || !matches!(of.ty, Type::Scalar(_));
        if !many {
            let values: BTreeSet<_> =
                (0..50).map(|nth| object(&model, std::slice::from_ref(&of), nth).to_string()).collect();
            assert_eq!(values.len(), 50, "{}", of.name);
        }
    }
    let defaulted =
        Field { default: Some(crate::model::Default::Text("x".into())), ..field("name", samples::string()) };
    assert_eq!(object(&model, &[defaulted], 0), json!({ "name": "x" }));
}

fn scalars() -> impl Strategy<Value = Scalar> {
    let range = |a: i64, b: i64| (a.min(b), a.max(b));
    prop_oneof![
        (0u32..30, 0u32..30).prop_map(|(min, more)| Scalar::String { min, max: Some(min + more), pattern: None }),
        any::<(i32, i32)>().prop_map(|(a, b)| Scalar::I32 { min: a.min(b), max: a.max(b) }),
        any::<(u32, u32)>().prop_map(|(a, b)| Scalar::U32 { min: a.min(b), max: a.max(b) }),
        any::<(i64, i64)>().prop_map(move |(a, b)| range(a, b)).prop_map(|(min, max)| Scalar::I64 { min, max }),
        any::<(u64, u64)>().prop_map(|(a, b)| Scalar::U64 { min: a.min(b), max: a.max(b) }),
        any::<(f64, f64, bool, bool)>().prop_map(|(a, b, low, high)| Scalar::F64 {
            min: Some(a.min(b)).filter(|n| low && n.is_finite()),
            max: Some(a.max(b)).filter(|n| high && n.is_finite()),
        }),
        (1u32..=18)
            .prop_flat_map(|precision| (0..=precision).prop_map(move |scale| Scalar::Decimal { precision, scale })),
        Just(Scalar::Timestamp),
        Just(Scalar::Date),
        Just(Scalar::Duration),
        Just(Scalar::Bytes),
        Just(Scalar::Uuid),
    ]
}

proptest! {
    #[test]
    fn any_bounds_are_kept(scalar in scalars(), nth: u32) {
        let faults = faults(&Type::Scalar(scalar), [0, 1, nth]);
        prop_assert!(faults.is_empty(), "{:?}", faults);
    }
}

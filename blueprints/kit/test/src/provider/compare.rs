//! Values of answers, compared as their types are ordered.

use std::cmp::Ordering;

use serde_json::Value;

use super::description::Order;

/// The value at `total.amount`; null if there is none.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, member| value.get(member).unwrap_or(&Value::Null))
}

/// Null is less than any value.
pub(crate) fn compare(left: &Value, right: &Value, order: Order) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    match order {
        Order::Number => number(left).total_cmp(&number(right)),
        Order::Text => text(left).cmp(&text(right)),
        Order::Duration => seconds(left).total_cmp(&seconds(right)),
    }
}

/// As it stands in a text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(digits) => digits.parse().unwrap_or(f64::NAN),
        other => other.as_f64().unwrap_or(f64::NAN),
    }
}

/// Of `P1DT2H3M4.5S`.
fn seconds(value: &Value) -> f64 {
    let (mut total, mut digits, mut time) = (0.0, String::new(), false);
    for letter in value.as_str().unwrap_or_default().chars() {
        let unit = match letter {
            'T' => {
                time = true;
                continue;
            }
            'W' => 604_800.0,
            'D' => 86_400.0,
            'H' => 3_600.0,
            'M' if time => 60.0,
            'S' => 1.0,
            'P' => continue,
            digit => {
                digits.push(digit);
                continue;
            }
        };
        total += unit * digits.parse().unwrap_or(f64::NAN);
        digits.clear();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_type_has_its_order() {
        for (less, more, order) in [
            (json!("9"), json!("10"), Order::Number),
            (json!(-1.5), json!("1.50"), Order::Number),
            (json!(null), json!(0), Order::Number),
            (json!("2026-01-31"), json!("2026-02-01"), Order::Text),
            (json!(false), json!(true), Order::Text),
            (json!("PT59M"), json!("PT1H"), Order::Duration),
            (json!("PT23H"), json!("P1DT0.5S"), Order::Duration),
        ] {
            assert_eq!(compare(&less, &more, order), Ordering::Less, "{less} {more}");
            assert_eq!(compare(&more, &less, order), Ordering::Greater, "{less} {more}");
        }
        assert_eq!(compare(&json!("1.5"), &json!("1.50"), Order::Number), Ordering::Equal);
        assert_eq!(at(&json!({ "a": { "b": 1 } }), "a.b"), &json!(1));
        assert_eq!(at(&json!({ "a": 1 }), "a.b"), &json!(null));
    }
}

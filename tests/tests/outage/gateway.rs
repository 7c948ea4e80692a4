//! A gateway, and a façade with queries of its own, while a service behind them is killed.

use std::time::Duration;

use serde_json::json;

use crate::shop::Shop;

const ALL: [&str; 5] = ["orders", "stock_room", "prices", "gateway", "pages"];

#[test]
fn a_service_that_is_gone_takes_nothing_from_the_others() {
    let bazaar = Shop::of("BAZAAR_PROGRAMS", &ALL);
    bazaar.launch_all();
    let order = json!({ "customer": "Ada", "total": { "amount": "7.50", "currency": "EUR" } });
    let (status, made) = bazaar.post("gateway", "/orders/v2/orders", &order);
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    let order = format!("/orders/v2/orders/{id}");
    let as_it_was = bazaar.get("gateway", &format!("/orders/v1/orders/{id}"));
    assert_eq!(as_it_was["buyer"], "Ada", "{as_it_was}");
    let (status, item) = bazaar.put("gateway", "/stock-room/v1/items/BBC-456", &json!({ "on_hand": 7 }));
    assert_eq!(status, 201, "{item}");
    let page = || bazaar.get_with("pages", "/v1/item-page?item_id=BBC-456", "fallback");
    let (status, whole, marks) = page();
    assert_eq!((status, &whole["on_hand"], marks), (200, &json!(7), None), "{whole}");

    bazaar.kill("stock_room");
    // Fewer than fifty, if the circuit opens.
    for _ in 0..50 {
        let (status, problem, retry_after) = bazaar.get_with("gateway", "/stock-room/v1/items/BBC-456", "retry-after");
        assert_eq!(
            (status, &problem["kind"], &problem["status"]),
            (503, &json!("unavailable"), &json!(503)),
            "{problem}"
        );
        assert!(retry_after.is_some());
        assert_eq!(bazaar.get("gateway", &order), made, "the others are as ever");
    }
    let links = bazaar.get("gateway", "/-/links");
    let link = links.as_array().unwrap().iter().find(|link| link["link"] == "gateway → stock_room (front)").unwrap();
    assert_eq!(link["breaker"]["state"], "open", "{links}");
    let (status, part, marks) = page();
    assert_eq!((status, &part["price"]), (200, &whole["price"]), "{part}");
    assert_eq!(marks.as_deref(), Some("stock_room.get_item=default"));

    bazaar.launch("stock_room");
    bazaar.ready("stock_room");
    let back = bazaar.wait(Duration::from_secs(30), || {
        match (bazaar.get("gateway", "/stock-room/v1/items/BBC-456"), page()) {
            (item, (200, _, None)) if item["on_hand"] == 7 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    back.unwrap();
    bazaar.stop();
}

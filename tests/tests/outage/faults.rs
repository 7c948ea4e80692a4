//! What callers see of services that are gone, stopped, or behind a network that is slow or cuts connections.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    SETTLED, by_graphql, by_rest, order,
    proxy::Fault,
    shop::{FRONT, INVENTORY, ORDERS, Shop},
};

#[test]
fn a_breaker_opens_in_an_outage_fails_fast_and_closes_again() {
    let shop = Shop::start();
    let breaker = || shop.get(ORDERS, "/-/links")[0]["breaker"]["state"].clone();
    assert!(by_rest(&shop).is_some());
    assert_eq!(breaker(), "closed");
    let held = || shop.number(INVENTORY, "select count(*) from reservations");
    shop.wait(SETTLED, || if held() == 0 { Ok(()) } else { Err("the order is not sent".into()) }).unwrap();

    shop.kill(INVENTORY);
    for _ in 0..20 {
        let (status, problem) = shop.post(ORDERS, "/v1/orders", &order());
        assert_eq!((status, &problem["kind"]), (503, &json!("unavailable")), "{problem}");
    }
    assert_eq!(breaker(), "open");
    // The service that it protects is asked nothing more: back again, it hears of no order before the circuit lets one by.
    shop.launch(INVENTORY);
    shop.ready(INVENTORY);
    let (status, problem) = shop.post(ORDERS, "/v1/orders", &order());
    assert_eq!(status, 503, "{problem}");
    assert_eq!(held(), 0);

    let closed = shop.wait(Duration::from_secs(30), || match by_rest(&shop) {
        Some(_) => Ok(()),
        None => Err("no order goes through".into()),
    });
    closed.unwrap();
    assert_eq!(breaker(), "closed");
    shop.stop();
}

#[test]
fn a_stopped_service_costs_its_part_of_an_answer_and_nothing_else() {
    let shop = Shop::start();
    let id = by_rest(&shop).unwrap();
    let page = || shop.post_within(Duration::from_secs(5), FRONT, "/graphql", &page_of(&id));
    let (_, headers, whole) = page();
    assert_eq!(whole["data"]["orderPage"]["goods"].as_array().map(Vec::len), Some(1), "{whole}");
    assert!(!headers.contains_key("fallback") && whole.get("extensions").is_none(), "{whole}");

    // It holds its connections and answers nobody.
    shop.signal(INVENTORY, "STOP");
    for _ in 0..10 {
        let (status, _, partial) = page();
        assert_eq!(status, 200, "{partial}");
        let page = &partial["data"]["orderPage"];
        assert_eq!((&page["order"]["id"], &page["goods"]), (&json!(id), &json!([])), "{partial}");
        let fallback = &partial["extensions"]["fallback"];
        assert_eq!(fallback, &json!(["inventory.get_product=default"]), "the answer says what it lacks: {partial}");
    }
    let state = |link: &str| {
        let links = shop.get(FRONT, "/-/links");
        let links = links.as_array().unwrap().clone();
        links.into_iter().find(|state| state["link"] == link).unwrap()["breaker"]["state"].clone()
    };
    assert_eq!((state("front → inventory"), state("front → orders")), (json!("open"), json!("closed")));

    shop.signal(INVENTORY, "CONT");
    let healed = shop.wait(Duration::from_secs(30), || match page().2["extensions"] {
        Value::Null => Ok(()),
        _ => Err("the goods are still left out".into()),
    });
    healed.unwrap();
    shop.stop();
}

#[test]
fn calls_that_hang_fill_their_link_and_hold_up_no_others() {
    let mut shop = Shop::new();
    shop.set(ORDERS, "ORDERS__LINKS__INVENTORY__BULKHEAD", "4");
    shop.set(ORDERS, "ORDERS__LINKS__INVENTORY__TIMEOUT", "2s");
    let way = shop.proxy(ORDERS, INVENTORY);
    shop.launch_all();
    let id = by_rest(&shop).unwrap();

    way.set(Fault::Silent);
    let all = Barrier::new(13);
    let refused = thread::scope(|scope| {
        let customers: Vec<_> = (0..12)
            .map(|_| {
                scope.spawn(|| {
                    all.wait();
                    shop.post(ORDERS, "/v1/orders", &order())
                })
            })
            .collect();
        all.wait();
        // While they wait, what needs no inventory is answered.
        for _ in 0..20 {
            assert_eq!(shop.get(ORDERS, &format!("/v1/orders/{id}"))["id"], json!(id));
        }
        customers.into_iter().map(|customer| customer.join().unwrap()).collect::<Vec<_>>()
    });
    let kinds = |kind: &str| refused.iter().filter(|(_, problem)| problem["kind"] == kind).count();
    assert_eq!((kinds("unavailable") + kinds("timeout"), refused.len()), (12, 12), "{refused:?}");
    assert!(kinds("timeout") <= 4 + 1, "no more than the bulkhead holds can be waiting: {refused:?}");
    shop.stop();
}

#[test]
fn a_deadline_shrinks_on_its_way_and_a_slow_network_cannot_outlast_it() {
    let mut shop = Shop::new();
    let way = shop.proxy(FRONT, ORDERS);
    shop.launch_all();
    let id = by_rest(&shop).unwrap();
    let told = || way.header("request-timeout-ms").last().map(|told| told.parse::<u64>().unwrap());
    let page = |limit| shop.post_within(Duration::from_millis(limit), FRONT, "/graphql", &page_of(&id));
    let (_, _, answer) = page(400);
    assert_eq!(answer["data"]["orderPage"]["order"]["id"], json!(id), "{answer}");
    assert!(told().is_some_and(|told| told < 400), "the front has used some of it: {:?}", told());
    page(60_000);
    assert!(told().is_some_and(|told| told <= 500), "the link allows less: {:?}", told());

    way.set(Fault::Slow(Duration::from_secs(3)));
    let (_, _, late) = page(400);
    assert_eq!(late["errors"][0]["extensions"]["code"], "TIMEOUT", "{late}");
    way.set(Fault::None);
    let (_, _, answer) = page(2000);
    assert_eq!(answer["data"]["orderPage"]["order"]["id"], json!(id), "{answer}");
    shop.stop();
}

#[test]
fn retries_of_a_bad_network_stay_within_their_budget() {
    const CALLS: u64 = 150;
    let mut shop = Shop::new();
    let way = shop.proxy(FRONT, ORDERS);
    shop.launch_all();
    let id = by_rest(&shop).unwrap();

    // A third fails: not enough for the breaker, and more than there is to spend on retries.
    way.set(Fault::Cut(3));
    let before = way.requests();
    let answered = (0..CALLS)
        .filter(|_| shop.post(FRONT, "/graphql", &page_of(&id)).1["data"]["orderPage"]["order"]["id"] == json!(id))
        .count() as u64;
    let tries = way.requests() - before;
    println!("{CALLS} calls, {tries} tries, {answered} answered");
    assert!(tries > CALLS, "it was tried again");
    assert!(tries <= CALLS + CALLS / 5 + 10, "{tries} tries of {CALLS} calls");
    assert!(answered > CALLS * 2 / 3, "{answered} of {CALLS} answered");
    shop.stop();
}

#[test]
fn what_is_too_much_is_refused_at_once_and_the_rest_is_served() {
    let mut shop = Shop::new();
    shop.set(ORDERS, "ORDERS__SERVER__IN_FLIGHT", "8");
    shop.set(ORDERS, "ORDERS__LINKS__INVENTORY__TIMEOUT", "5s");
    let way = shop.proxy(ORDERS, INVENTORY);
    shop.launch_all();
    way.set(Fault::Slow(Duration::from_millis(300)));
    let answers = thread::scope(|scope| {
        let place = || shop.post_within(Duration::from_secs(10), ORDERS, "/v1/orders", &order());
        let customers: Vec<_> = (0..24).map(|_| scope.spawn(place)).collect();
        thread::sleep(Duration::from_millis(100));
        assert_eq!(shop.get(ORDERS, "/-/live"), json!({ "live": true }), "health is asked for most urgently then");
        customers.into_iter().map(|customer| customer.join().unwrap()).collect::<Vec<_>>()
    });
    let served = answers.iter().filter(|(status, ..)| *status == 201).count();
    assert!((8..24).contains(&served), "three times of what fits, and what fits is served: {served}");
    for (status, headers, problem) in answers.iter().filter(|(status, ..)| *status != 201) {
        assert_eq!((*status, &problem["kind"]), (503, &json!("unavailable")), "{problem}");
        assert!(headers.contains_key("retry-after"), "{headers:?}");
    }
    shop.stop();
}

#[test]
fn a_service_that_is_told_to_end_cuts_nothing_off() {
    let mut shop = Shop::new();
    for service in [ORDERS, FRONT] {
        // Longer than customers need from asking whether it is ready to asking what they want.
        shop.set(service, &format!("{}__SERVER__NOTICE", service.to_uppercase()), "1s");
    }
    // Answers are under way when the signal comes.
    let way = shop.proxy(ORDERS, INVENTORY);
    shop.launch_all();
    way.set(Fault::Slow(Duration::from_millis(100)));
    for (service, place) in [(ORDERS, &by_rest as &(dyn Fn(&Shop) -> Option<String> + Sync)), (FRONT, &by_graphql)] {
        let (placed, begun) = (AtomicU64::new(0), Barrier::new(9));
        let ended = thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    assert!(place(&shop).is_some());
                    begun.wait();
                    // As a balancer does: until it says that it is leaving.
                    while shop.get(service, "/-/ready")["ready"] == true {
                        assert!(place(&shop).is_some(), "an order was cut off");
                        placed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            begun.wait();
            thread::sleep(Duration::from_millis(300));
            shop.signal(service, "TERM");
            shop.ended(service)
        });
        assert!(ended.success(), "{service}: {ended}");
        assert!(placed.into_inner() >= 8, "there was something to cut off");
        shop.launch(service);
        shop.ready(service);
    }
    shop.stop();
}

fn page_of(id: &str) -> Value {
    let query = "query($id: ID!) { orderPage(orderId: $id) { order { id } goods { sku } } }";
    json!({ "query": query, "variables": { "id": id } })
}

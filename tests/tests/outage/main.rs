//! The built shop under load while its services are killed: nothing is lost, nothing has its effect twice. In `faults`,
//! what callers see of services that are gone, stopped or behind a bad network; in `gateway`, of a gateway before a
//! service that is gone; in `compose`, of a schema that such a service is a part of.
//!
//! `BAZAAR_PROGRAMS` is the folder with the programs of the workspace that `tests/designs/gateway.toml` becomes,
//! `FAIR_PROGRAMS` that of `tests/designs/compose.toml`,
//! `SHOP_PROGRAMS` is the folder with the programs of the shop, `SHOP_ORDERS` how many orders are placed, `SHOP_SEED`
//! begins the random numbers.

mod compose;
mod faults;
mod gateway;
mod proxy;
mod shop;

use std::{
    env,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use shop::{BILLING, FRONT, INVENTORY, ORDERS, SHIPPING, Shop};

/// Customers at a time.
const CUSTOMERS: u64 = 16;
/// What the migrations of inventory put on the shelf.
const ON_HAND: i64 = 1_000_000;
/// Longer than any pause between two tries of a message.
const SETTLED: Duration = Duration::from_secs(180);
/// What the work of an order takes besides, at most.
const EACH: Duration = Duration::from_millis(10);

#[test]
fn nothing_is_lost_and_nothing_happens_twice_while_services_are_killed() {
    let orders: u64 = env::var("SHOP_ORDERS").map_or(200, |orders| orders.parse().unwrap());
    let seed = env::var("SHOP_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("{orders} orders, SHOP_SEED={seed}");
    let shop = Shop::start();
    let (placed, unknown) = (Mutex::new(Vec::new()), AtomicU64::new(0));
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let begin = Instant::now();
    let kills = thread::scope(|scope| {
        let killer = scope.spawn(|| kill_at_random(&shop, fastrand::Rng::with_seed(seed), &done));
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|customer| {
                let (shop, placed, unknown, next) = (&shop, &placed, &unknown, &next);
                scope.spawn(move || {
                    while next.fetch_add(1, Ordering::Relaxed) < orders {
                        // Half of them come by the front.
                        let id = loop {
                            let order = if customer % 2 == 0 { by_rest(shop) } else { by_graphql(shop) };
                            match order {
                                Some(id) => break id,
                                None => unknown.fetch_add(1, Ordering::Relaxed),
                            };
                            thread::sleep(Duration::from_millis(20));
                        };
                        placed.lock().unwrap().push(id);
                    }
                })
            })
            .collect();
        customers.into_iter().for_each(|customer| customer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        killer.join().unwrap()
    });
    let placed = placed.into_inner().unwrap();
    println!(
        "{} placed in {:?}, {} failed for the customer, {kills} kills",
        placed.len(),
        begin.elapsed(),
        unknown.into_inner()
    );

    let limit = SETTLED + EACH * u32::try_from(orders).unwrap();
    let all = shop.wait(limit, || {
        let open = shop.number(ORDERS, "select count(*) from orders where status <> 'sent'");
        let left = shop.queue("select count(*) from deliveries");
        let unpublished =
            [ORDERS, BILLING, SHIPPING].iter().map(|s| shop.number(s, "select count(*) from kit_outbox")).sum::<i64>();
        if open + left + unpublished == 0 {
            Ok(())
        } else {
            Err(format!("{open} orders not sent, {left} messages left, {unpublished} not published"))
        }
    });
    if let Err(left) = all {
        panic!(
            "not settled after {limit:?}: {left}; dead letters: {}",
            shop.queue("select count(*) from deliveries where state = 2")
        );
    }
    println!("settled after {:?}", begin.elapsed());
    shop.stop();

    let made = shop.number(ORDERS, "select count(*) from orders");
    assert!(made >= i64::try_from(placed.len()).unwrap());
    let kept = shop.texts(ORDERS, "select id from orders");
    let lost: Vec<&String> = placed.iter().filter(|id| !kept.contains(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    // Each was charged once, packed once, sent once, and its goods left the shelf once.
    assert_eq!(shop.number(BILLING, "select count(*) from charges where not refunded"), made, "charges");
    assert_eq!(
        shop.number(BILLING, "select sum(amount_amount) from charges"),
        shop.number(ORDERS, "select sum(total_amount) from orders"),
        "money"
    );
    assert_eq!(shop.number(SHIPPING, "select count(*) from parcels where status = 'sent'"), made, "parcels");
    let pieces = shop.number(ORDERS, "select sum(value ->> 'quantity') from orders, json_each(lines)");
    assert_eq!(shop.number(INVENTORY, "select on_hand from products where sku = 'BBC-456'"), ON_HAND - pieces, "goods");
    // What is still reserved was reserved for orders that nobody has heard of: their service was killed in between.
    let reserved = shop.number(INVENTORY, "select reserved from products where sku = 'BBC-456'");
    let held =
        shop.number(INVENTORY, "select coalesce(sum(value ->> 'quantity'), 0) from reservations, json_each(lines)");
    assert_eq!(reserved, held, "reservations");
}

/// Kills a service, starts it again, and so on; gives how often.
fn kill_at_random(shop: &Shop, mut random: fastrand::Rng, done: &AtomicBool) -> u64 {
    let mut kills = 0;
    while !done.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(random.u64(200..2000)));
        let service = [FRONT, ORDERS, INVENTORY, BILLING, SHIPPING][random.usize(..5)];
        shop.kill(service);
        kills += 1;
        thread::sleep(Duration::from_millis(random.u64(0..300)));
        shop.launch(service);
    }
    kills
}

fn order() -> Value {
    json!({
        "customer": "Ada",
        "lines": [{ "sku": "BBC-456", "quantity": fastrand::u32(1..4) }],
        "payment": { "type": "CardPayment", "token": "tok_visa" },
    })
}

/// The id of the order, if the customer hears of it.
fn by_rest(shop: &Shop) -> Option<String> {
    let (status, order) = shop.post(ORDERS, "/v1/orders", &order());
    (status == 201).then(|| order["id"].as_str().unwrap().to_owned())
}

fn by_graphql(shop: &Shop) -> Option<String> {
    let query = "mutation($quantity: UInt32!) { placeOrder(
        customer: \"Grace\", lines: [{ sku: \"BBC-456\", quantity: $quantity }], payment: { invoicePayment: { days: 9 } }
    ) { id } }";
    let request = json!({ "query": query, "variables": { "quantity": fastrand::u32(1..4) } });
    let (_, answer) = shop.post(FRONT, "/graphql", &request);
    answer["data"]["placeOrder"]["id"].as_str().map(str::to_owned)
}

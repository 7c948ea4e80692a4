//! Lists: every item once, in order, filtered by what was asked for.

use kit::Kind;
use serde_json::{Map, Value, json};

use super::{
    compare::{at, compare},
    description::{Filter, Operation, Order, Verb},
    face::Call,
    items::Items,
    protocol,
    session::short,
};

/// Pages that are asked for at most.
const PAGES: usize = 1000;

type Query = Map<String, Value>;

/// The ids of all items that are there.
pub(crate) async fn ids(items: &Items<'_>) -> Vec<Value> {
    let Some(list) = items.verb(Verb::List) else { return Vec::new() };
    let all = walk(items, list, "paging", &Query::new(), items.session.face.most()).await;
    ids_of(items, &all.unwrap_or_default())
}

/// `before`: the ids of those that were there before these were made.
pub(crate) async fn check(items: &Items<'_>, made: &[Value], before: &[Value]) {
    let Some(list) = items.verb(Verb::List) else { return };
    let Some(all) = walk(items, list, "paging", &Query::new(), items.session.face.most()).await else { return };
    paging(items, list, made, &all).await;
    newest_first(items, list, made, before, &all);
    limits(items, list).await;
    cursors(items, list).await;
    for filter in &items.resource.filters {
        filtered(items, list, filter, &all).await;
    }
    for sort in &items.resource.sorts {
        sorted(items, list, &sort.path, sort.order, &all).await;
    }
    if let Some(rest) = items.session.face.rest() {
        protocol::link(items.session, rest, list).await;
    }
}

/// What was deleted is in no list.
pub(crate) async fn without(items: &Items<'_>, id: &Value) {
    let Some(list) = items.verb(Verb::List) else { return };
    let Some(all) = walk(items, list, "what was deleted is not listed", &Query::new(), items.session.face.most()).await
    else {
        return;
    };
    if all.iter().any(|item| item[&items.resource.id] == *id) {
        fail(items, list, "what was deleted is not listed", format!("{id} is"));
    }
}

/// All items of a query, so many a page.
async fn walk(items: &Items<'_>, list: &Operation, rule: &str, query: &Query, limit: usize) -> Option<Vec<Value>> {
    let mut query = query.clone();
    query.insert("limit".into(), json!(limit));
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let page = match ask(items, list, &query).await {
            Ok(page) => page,
            Err(error) => {
                fail(items, list, rule, format!("refused with `{}`: {}", error.kind, error.detail));
                return None;
            }
        };
        let found = page["items"].as_array().cloned().unwrap_or_default();
        if found.is_empty() && query.contains_key("cursor") {
            fail(items, list, rule, format!("pages of {limit}: `next` leads to an empty page"));
        }
        if found.len() > limit {
            fail(items, list, rule, format!("a page of at most {limit} has {} items", found.len()));
        }
        let twice = found.iter().find(|item| all.iter().any(|other| is_same(items, item, other)));
        if let Some(item) = twice {
            fail(items, list, rule, format!("pages of {limit}: {} comes twice", item[&items.resource.id]));
            return None;
        }
        all.extend(found);
        match page.get("next").filter(|next| !next.is_null()) {
            Some(next) => _ = query.insert("cursor".into(), next.clone()),
            None => return Some(all),
        }
    }
    fail(items, list, rule, format!("after {PAGES} pages there is still one more"));
    None
}

fn is_same(items: &Items<'_>, left: &Value, right: &Value) -> bool {
    left[&items.resource.id] == right[&items.resource.id]
}

async fn ask(items: &Items<'_>, list: &Operation, query: &Query) -> super::Outcome {
    let call = Call { operation: list.name.clone(), input: query.clone().into(), ..Call::default() };
    items.session.ask(list, call).await
}

fn fail(items: &Items<'_>, list: &Operation, rule: &str, why: String) {
    items.session.report.fail(&list.name, rule, why);
}

fn ids_of(items: &Items<'_>, found: &[Value]) -> Vec<Value> {
    found.iter().map(|item| item[&items.resource.id].clone()).collect()
}

/// One by one or all at once, every item that was made is there once, newest first.
async fn paging(items: &Items<'_>, list: &Operation, made: &[Value], all: &[Value]) {
    let whole = ids_of(items, all);
    for limit in [1, 2] {
        let Some(pages) = walk(items, list, "paging", &Query::new(), limit).await else { return };
        let pages = ids_of(items, &pages);
        if pages != whole {
            let why = format!(
                "pages of {limit} give {}, one of all gives {}",
                short(&pages.into()),
                short(&whole.clone().into())
            );
            fail(items, list, "paging", why);
        }
    }
    for item in made {
        let id = &item[&items.resource.id];
        match whole.iter().filter(|other| *other == id).count() {
            1 => {}
            count => fail(items, list, "every item once", format!("{id} is listed {count} times")),
        }
        if let Some(found) = all.iter().find(|found| found[&items.resource.id] == *id)
            && let Some(now) = items.now(id).await
            && now != *found
        {
            fail(items, list, "items are as they are read", super::items::difference(&now, found));
        }
    }
}

/// Of those that are new: what a caller gave the id of may have been there before.
fn newest_first(items: &Items<'_>, list: &Operation, made: &[Value], before: &[Value], all: &[Value]) {
    let new = ids_of(items, made).into_iter().filter(|id| !before.contains(id));
    let newest: Vec<Value> = new.rev().collect();
    let listed: Vec<Value> = ids_of(items, all).into_iter().filter(|id| newest.contains(id)).collect();
    if listed.len() == newest.len() && listed != newest {
        let (listed, newest) = (Value::from(listed), Value::from(newest));
        fail(items, list, "newest first", format!("{}, made last were {}", short(&listed), short(&newest)));
    }
}

async fn limits(items: &Items<'_>, list: &Operation) {
    // Over GraphQL a page so long may cost too much.
    let limits: &[u32] = if items.session.face.most() == 200 { &[0, 201] } else { &[0] };
    for limit in limits {
        let outcome = ask(items, list, &Query::from_iter([("limit".into(), json!(limit))])).await;
        items.session.expect(list, &format!("limit {limit}"), &outcome, Kind::Invalid);
    }
}

/// A cursor is good for its own list, filter and order alone.
async fn cursors(items: &Items<'_>, list: &Operation) {
    let foreign = Query::from_iter([("cursor".into(), json!("bm9ib2R5"))]);
    items.session.expect(list, "a cursor of nobody", &ask(items, list, &foreign).await, Kind::Invalid);
    let one = Query::from_iter([("limit".into(), json!(1))]);
    let Ok(page) = ask(items, list, &one).await else { return };
    let Some(cursor) = page.get("next").filter(|next| !next.is_null()) else { return };
    let mut others: Vec<(String, Value)> = Vec::new();
    if let Some(filter) = items.resource.filters.first()
        && let Some(value) = filter.examples.first()
    {
        others.push((filter.path.clone(), json!([value])));
    }
    if let Some(sort) = items.resource.sorts.first() {
        others.push(("sort".into(), json!(sort.path)));
    }
    for (name, value) in others {
        let rule = format!("a cursor without `{name}` used with it");
        let query = Query::from_iter([("cursor".into(), cursor.clone()), (name, value)]);
        items.session.expect(list, &rule, &ask(items, list, &query).await, Kind::Invalid);
    }
}

/// Those items that match and no others.
async fn filtered(items: &Items<'_>, list: &Operation, filter: &Filter, all: &[Value]) {
    let path = &filter.path;
    let mut values: Vec<&Value> =
        all.iter().map(|item| at(item, path)).filter(|value| !value.is_null()).take(3).collect();
    values.extend(filter.examples.iter());
    values.dedup();
    let of = |item: &Value, value: &Value| compare(at(item, path), value, filter.order);
    for value in &values {
        let expected = all.iter().filter(|item| of(item, value).is_eq());
        expect(items, list, path, json!([value]), &expected.collect::<Vec<_>>()).await;
    }
    if let [first, .., last] = values.as_slice() {
        let expected = all.iter().filter(|item| of(item, first).is_eq() || of(item, last).is_eq());
        expect(items, list, path, json!([first, last]), &expected.collect::<Vec<_>>()).await;
    }
    if !filter.ordered {
        return;
    }
    for value in values.iter().take(2) {
        for (suffix, matches) in COMPARISONS {
            let there = |item: &&Value| !at(item, path).is_null() && matches(of(item, value));
            let expected: Vec<&Value> = all.iter().filter(there).collect();
            expect(items, list, &format!("{path}.{suffix}"), (*value).clone(), &expected).await;
        }
    }
}

type Matches = fn(std::cmp::Ordering) -> bool;

const COMPARISONS: [(&str, Matches); 4] = [
    ("gte", std::cmp::Ordering::is_ge),
    ("gt", std::cmp::Ordering::is_gt),
    ("lte", std::cmp::Ordering::is_le),
    ("lt", std::cmp::Ordering::is_lt),
];

async fn expect(items: &Items<'_>, list: &Operation, name: &str, value: Value, expected: &[&Value]) {
    let rule = format!("filter `{name}`");
    let query = Query::from_iter([(name.to_owned(), value.clone())]);
    let Some(found) = walk(items, list, &rule, &query, 2).await else { return };
    let expected: Vec<Value> = expected.iter().map(|item| item[&items.resource.id].clone()).collect();
    let found = ids_of(items, &found);
    if found != expected {
        let (found, expected) = (Value::from(found), Value::from(expected));
        fail(items, list, &rule, format!("{value} gives {}, of all items match {}", short(&found), short(&expected)));
    }
}

/// The same items, upwards and downwards.
async fn sorted(items: &Items<'_>, list: &Operation, path: &str, order: Order, all: &[Value]) {
    for (word, downwards) in [(path.to_owned(), false), (format!("-{path}"), true)] {
        let rule = format!("sort `{word}`");
        let query = Query::from_iter([("sort".into(), json!(word))]);
        let Some(found) = walk(items, list, &rule, &query, 2).await else { continue };
        let wrong = found.windows(2).find(|pair| {
            let ordering = compare(at(&pair[0], path), at(&pair[1], path), order);
            if downwards { ordering.is_lt() } else { ordering.is_gt() }
        });
        if let Some([first, second]) = wrong {
            fail(items, list, &rule, format!("{} comes before {}", at(first, path), at(second, path)));
        }
        let (mut found, mut expected) = (ids_of(items, &found), ids_of(items, all));
        let key = |id: &Value| id.to_string();
        found.sort_by_key(key);
        expected.sort_by_key(key);
        if found != expected {
            fail(items, list, &rule, format!("{} items, there are {}", found.len(), expected.len()));
        }
    }
}

//! The standard methods on items of a resource: what is made can be read, changed under its revision, and is gone when
//! it is deleted.

use kit::Kind;
use serde_json::{Map, Value, json};

use super::{
    description::{Operation, Resource, Verb},
    face::{Call, Outcome},
    inputs, keys, lists, operations, protocol, referred,
    session::{Session, short},
};

/// How many items are made.
const MADE: usize = 3;
/// The examples of what they are changed to: some values must not be given twice.
const PATCHED: usize = 3;
const REPLACED: usize = 4;

/// One resource over one face.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    pub session: &'a Session<'a>,
    pub name: &'a str,
    pub resource: &'a Resource,
}

pub(crate) async fn check(session: &Session<'_>, resource: &Resource) {
    let name = resource.name.as_str();
    let items = Items { session, name, resource };
    let before = lists::ids(&items).await;
    let mut made = Vec::new();
    for nth in 0..MADE {
        let item = items.make(nth).await;
        if let (Some(item), true) = (&item, made.is_empty()) {
            session.is_there(name, &item[&resource.id]);
        }
        made.extend(item);
    }
    items.unknown().await;
    items.invalid().await;
    for item in &made {
        items.read(item).await;
    }
    lists::check(&items, &made, &before).await;
    referred::check(session, resource).await;
    if let Some(item) = made.first() {
        items.unique(item).await;
        items.dangling(item).await;
        items.patch(item).await;
    }
    if let Some(item) = made.get(1) {
        items.replace(item).await;
    }
    if let Some(item) = made.first() {
        operations::on_item(session, name, &item[&resource.id]).await;
    }
    if let Some(item) = made.last() {
        items.delete(item).await;
        // What others refer to is there to the end.
        if made.len() == 1
            && let Some(item) = items.make(0).await
        {
            session.is_there(name, &item[&resource.id]);
        }
    }
}

/// What an item refers to is not deleted, or the item does not refer to it any more. It may be gone after that, so this
/// comes last.
pub(crate) async fn referred(session: &Session<'_>, resource: &Resource) {
    let items = Items { session, name: &resource.name, resource };
    let Some(id) = session.there(&resource.name) else { return };
    for (name, to) in items.keys() {
        let (Some(delete), Some(referred)) = (session.verb(&to.name, Verb::Delete), session.there(&to.name)) else {
            continue;
        };
        // It may have been taken away.
        if let Some(patch) = items.verb(Verb::Patch).filter(|patch| session.takes(patch, name)) {
            _ = items.ask(patch, &id, None, json!({ name: referred })).await;
        }
        let refers = async || items.now(&id).await.is_some_and(|item| item[name] == referred);
        if !refers().await {
            continue;
        }
        let outcome = session.ask(delete, Items::call(delete, &referred, None, Value::Null)).await;
        if outcome.is_err() {
            items.refused(delete, &format!("`{name}` of {} refers to it", resource.name), &outcome, Kind::Conflict);
        } else if refers().await {
            items.fail(delete, &format!("`{name}` of {}", resource.name), "refers to what was deleted".into());
        }
    }
}

/// The id of an item of the resource, the `nth` if it can be made; before it what it may refer to is made, unless it is
/// there.
pub(crate) async fn one(session: &Session<'_>, name: &str, nth: usize) -> Option<Value> {
    for resource in &session.description().resources {
        let items = Items { session, name: &resource.name, resource };
        let is_last = resource.name == name;
        if (is_last || !items.has_one().await)
            && let Some(item) = items.make(nth).await
        {
            session.is_there(&resource.name, &item[&resource.id]);
        }
        if is_last {
            break;
        }
    }
    session.there(name)
}

impl Items<'_> {
    pub(crate) fn verb(&self, verb: Verb) -> Option<&Operation> {
        self.session.verb(self.name, verb)
    }

    pub(crate) fn call(operation: &Operation, id: &Value, etag: Option<&str>, input: Value) -> Call {
        let (operation, etag) = (operation.name.clone(), etag.map(str::to_owned));
        Call { operation, id: id.clone(), etag, input, ..Call::default() }
    }

    async fn ask(&self, operation: &Operation, id: &Value, etag: Option<&str>, input: Value) -> Outcome {
        self.session.ask(operation, Self::call(operation, id, etag, input)).await
    }

    pub(crate) fn fail(&self, operation: &Operation, rule: &str, why: String) {
        self.session.report.fail(&operation.name, rule, why);
    }

    /// A failure of this kind is the right answer; one that the design declares may come first.
    fn refused(&self, operation: &Operation, rule: &str, outcome: &Outcome, kind: Kind) {
        match outcome {
            Err(error) if error.code.is_some() => {
                let why = format!("refused for another reason: {}", error.detail);
                self.session.report.skip(&operation.name, rule, why);
            }
            _ => _ = self.session.expect(operation, rule, outcome, kind),
        }
    }

    /// The item as it is now, if it can be read.
    pub(crate) async fn now(&self, id: &Value) -> Option<Value> {
        let get = self.verb(Verb::Get)?;
        let item = self.ask(get, id, None, Value::Null).await.ok()?;
        (!item.is_null()).then_some(item)
    }

    /// Whether the item that is said to be there is there, as far as that can be seen.
    async fn has_one(&self) -> bool {
        match self.session.there(self.name) {
            Some(id) => self.verb(Verb::Get).is_none() || self.now(&id).await.is_some(),
            None => false,
        }
    }

    async fn make(&self, nth: usize) -> Option<Value> {
        let session = self.session;
        if self.resource.natural && nth >= self.resource.ids.len() {
            return None;
        }
        if let Some(create) = self.verb(Verb::Create) {
            let (new, other) = (session.example(create, nth), session.example(create, nth + 1));
            let outcome = self.make_with(create, &Value::Null, new, &other).await;
            return session.granted(create, "create", outcome);
        }
        let replace = self.verb(Verb::Replace).filter(|_| self.resource.natural)?;
        let id = self.resource.ids.get(nth)?;
        let outcome = self.make_with(replace, id, session.example(replace, nth), &Value::Null).await;
        let item = session.granted(replace, "create by replace", outcome)?;
        if item[&self.resource.id] != *id {
            self.fail(replace, "id", format!("{id} was asked for, the item has {}", item[&self.resource.id]));
        }
        Some(item)
    }

    /// `other` is another input.
    async fn make_with(&self, maker: &Operation, id: &Value, input: Value, other: &Value) -> Outcome {
        let outcome = keys::once(self.session, maker, Self::call(maker, id, None, input), other).await;
        if let Some(rest) = self.session.face.rest() {
            protocol::made(self.session, rest, maker, &outcome).await;
        }
        outcome
    }

    /// What one item has and must be unique, no other is made with.
    async fn unique(&self, item: &Value) {
        let Some(create) = self.verb(Verb::Create) else { return };
        let key = self.resource.natural.then_some(&self.resource.id);
        for name in self.resource.unique.iter().chain(key).filter(|name| !item[name.as_str()].is_null()) {
            let rule = format!("`{name}` is unique");
            // New but for that.
            let mut input = self.session.example(create, PATCHED);
            input[name.as_str()] = item[name.as_str()].clone();
            let outcome = self.ask(create, &Value::Null, None, input).await;
            self.refused(create, &rule, &outcome, Kind::Exists);
        }
    }

    /// Nothing is made that refers to what is not there, and nothing comes to do so.
    async fn dangling(&self, item: &Value) {
        for (name, unknown) in self.keys().filter_map(|(name, to)| Some((name, to.unknown.as_ref()?))) {
            let rule = format!("`{name}` of what is not there");
            for verb in [Verb::Create, Verb::Patch, Verb::Replace] {
                let Some(operation) = self.verb(verb).filter(|operation| self.session.takes(operation, name)) else {
                    continue;
                };
                let (id, mut input) = match verb {
                    Verb::Create => (&Value::Null, self.session.example(operation, PATCHED)),
                    Verb::Replace => (&item[&self.resource.id], self.session.example(operation, REPLACED)),
                    _ => (&item[&self.resource.id], json!({})),
                };
                input[name] = unknown.clone();
                let outcome = self.ask(operation, id, None, input).await;
                self.refused(operation, &rule, &outcome, Kind::Invalid);
            }
        }
    }

    /// Members that refer to nothing else than what is there, and what they refer to.
    fn keys(&self) -> impl Iterator<Item = (&str, &Resource)> {
        let to = |name: &String| self.session.description().resource(self.resource.references.get(name)?);
        self.resource.keys.iter().filter_map(move |name| Some((name.as_str(), to(name)?)))
    }

    /// Nothing is found under an id that no item has.
    async fn unknown(&self) {
        let Some(id) = &self.resource.unknown else { return };
        for operation in self.session.served().filter(|o| o.takes_id && o.resource.as_deref() == Some(self.name)) {
            if operation.verb == Some(Verb::Replace) && self.resource.natural {
                continue;
            }
            let outcome = self.ask(operation, id, None, self.session.example(operation, 0)).await;
            if operation.verb == Some(Verb::Get) && outcome == Ok(Value::Null) {
                continue;
            }
            self.session.expect(operation, "unknown id", &outcome, Kind::NotFound);
        }
    }

    /// No item is found, or made, under an id that the schema forbids.
    async fn invalid(&self) {
        let on_item = |o: &&Operation| o.takes_id && o.resource.as_deref() == Some(self.name) && !o.stream;
        let operations: Vec<&Operation> = self.session.served().filter(on_item).collect();
        let judge = self.session.judge();
        let Some(item) = operations.iter().filter(|o| o.verb.is_some()).find_map(|o| o.answer.as_ref()) else { return };
        let schema = &judge.resolved(item)["properties"][&self.resource.id];
        for id in inputs::wrong_texts(judge.resolved(schema)).filter(|id| !judge.wrong(schema, id).is_empty()) {
            for operation in &operations {
                let outcome = self.ask(operation, &id, None, self.session.example(operation, 0)).await;
                self.session.expect(operation, &format!("the id {}", short(&id)), &outcome, Kind::Invalid);
            }
        }
    }

    /// What was answered when it was made is what is read.
    async fn read(&self, item: &Value) {
        let Some(get) = self.verb(Verb::Get) else { return };
        let id = &item[&self.resource.id];
        match self.ask(get, id, None, Value::Null).await {
            Ok(read) if read == *item => {}
            Ok(read) => self.fail(get, "what was made is read", difference(item, &read)),
            Err(error) => self.fail(get, "what was made is read", format!("{}: {}", error.kind, error.detail)),
        }
        if let Some(rest) = self.session.face.rest() {
            protocol::conditional(self.session, rest, get, item, id).await;
        }
    }

    async fn patch(&self, item: &Value) {
        let Some(patch) = self.verb(Verb::Patch) else { return };
        let id = &item[&self.resource.id];
        let mut before = self.now(id).await.unwrap_or_else(|| item.clone());
        let example = self.session.example(patch, PATCHED);
        for member in &self.resource.draft {
            let value = &example[&member.name];
            if !value.is_null() && before.get(&member.name) != Some(value) {
                before = self.patched(patch, id, before, &member.name, value).await;
            }
            if member.optional && before.get(&member.name).is_some_and(|value| !value.is_null()) {
                before = self.patched(patch, id, before, &member.name, &Value::Null).await;
            }
        }
        let untouched = self.ask(patch, id, None, json!({})).await;
        if let Ok(after) = untouched
            && !same(&before, &after)
        {
            self.fail(patch, "an empty patch changes nothing", difference(&before, &after));
        }
        self.stale(patch, id, json!({})).await;
        self.kept(patch, id).await;
    }

    /// Patches one member; gives the item after it.
    async fn patched(&self, patch: &Operation, id: &Value, before: Value, name: &str, value: &Value) -> Value {
        let call = Self::call(patch, id, None, json!({ name: value }));
        let outcome = keys::once(self.session, patch, call, &json!({})).await;
        let rule = format!("patch of `{name}`");
        let Some(after) = self.session.granted(patch, &rule, outcome) else { return before };
        let old = before.get(name).unwrap_or(&Value::Null);
        let new = after.get(name).unwrap_or(&Value::Null);
        // What a service makes of a value is its own affair; that it takes notice is not.
        if new == old && merged(old, value) != *old && !self.session.face.cuts(value) {
            self.fail(patch, &rule, format!("{} stays {}", short(value), short(old)));
        }
        for other in self.resource.draft.iter().filter(|other| other.name != name) {
            if before.get(&other.name) != after.get(&other.name) {
                self.fail(patch, &rule, format!("changes `{}` too", other.name));
            }
        }
        self.changed(patch, id, &before, &after).await;
        after
    }

    /// A change is stored, and has a revision of its own.
    async fn changed(&self, operation: &Operation, id: &Value, before: &Value, after: &Value) {
        if !same(before, after) && before["etag"] == after["etag"] {
            let why = format!("the item has changed and is still of revision {}", after["etag"]);
            self.fail(operation, "ETag", why);
        }
        if let Some(now) = self.now(id).await
            && now != *after
        {
            self.fail(operation, "what was answered is stored", difference(after, &now));
        }
    }

    /// Another revision than the item's is refused, and nothing is changed.
    async fn stale(&self, operation: &Operation, id: &Value, input: Value) {
        let before = self.now(id).await;
        let outcome = self.ask(operation, id, Some("987654321"), input.clone()).await;
        self.session.expect(operation, "If-Match of another revision", &outcome, Kind::Stale);
        let after = self.now(id).await;
        if before != after {
            self.fail(operation, "If-Match of another revision", "the item has changed all the same".into());
        }
        if operation.verb == Some(Verb::Delete) {
            return;
        }
        let etag = after.as_ref().and_then(|item| item["etag"].as_str());
        if let Some(etag) = etag
            && let Err(error) = self.ask(operation, id, Some(etag), input).await
            && error.kind == Kind::Stale
        {
            self.fail(operation, "If-Match of its own revision", format!("refused: {}", error.detail));
        }
    }

    /// What callers must not change is refused, over REST, where it can be said at all.
    async fn kept(&self, operation: &Operation, id: &Value) {
        let Some(rest) = self.session.face.rest() else { return };
        let item = self.now(id).await.unwrap_or_default();
        for name in &self.resource.kept {
            let value = item.get(name).cloned().unwrap_or(json!("x"));
            let mut input = match operation.verb {
                Some(Verb::Replace) => self.session.example(operation, 1).as_object().cloned().unwrap_or_default(),
                _ => Map::new(),
            };
            input.insert(name.clone(), value);
            let outcome = rest.call(self.session, operation, &Self::call(operation, id, None, input.into())).await;
            let rule = format!("`{name}` is not the caller's to change");
            self.session.expect(operation, &rule, &outcome, Kind::Invalid);
        }
    }

    async fn replace(&self, item: &Value) {
        let Some(replace) = self.verb(Verb::Replace) else { return };
        let id = &item[&self.resource.id];
        let before = self.now(id).await.unwrap_or_else(|| item.clone());
        let whole = self.session.example(replace, REPLACED);
        let call = Self::call(replace, id, None, whole.clone());
        let outcome = match self.session.face.rest() {
            Some(rest) => protocol::replace(self.session, rest, replace, call).await,
            None => self.session.ask(replace, call).await,
        };
        let Some(first) = self.session.granted(replace, "replace", outcome) else { return };
        self.changed(replace, id, &before, &first).await;
        for member in &self.resource.draft {
            let (given, old, new) = (whole.get(&member.name), before.get(&member.name), first.get(&member.name));
            let is_cut = given.is_some_and(|value| self.session.face.cuts(value));
            if given != old && old == new && given.is_some() && !is_cut {
                let rule = format!("replace of `{}`", member.name);
                self.fail(replace, &rule, format!("stays {}", short(old.unwrap_or(&Value::Null))));
            }
        }
        if let Some(second) =
            self.session.granted(replace, "replace twice", self.ask(replace, id, None, whole.clone()).await)
        {
            for member in &self.resource.draft {
                if first.get(&member.name) != second.get(&member.name) {
                    let rule = "twice has the effect of once";
                    self.fail(replace, rule, format!("`{}`: {}", member.name, difference(&first, &second)));
                }
            }
        }
        self.cleared(replace, id, &whole).await;
        self.stale(replace, id, whole.clone()).await;
        self.kept(replace, id).await;
    }

    /// What is optional and not given is not there any more.
    async fn cleared(&self, replace: &Operation, id: &Value, whole: &Value) {
        let mut input = whole.as_object().cloned().unwrap_or_default();
        let optional: Vec<&str> = self.resource.draft.iter().filter(|m| m.optional).map(|m| m.name.as_str()).collect();
        if optional.is_empty() {
            return;
        }
        input.retain(|name, _| !optional.contains(&name.as_str()));
        let outcome = self.ask(replace, id, None, input.into()).await;
        let rule = "replace without what is optional";
        let Some(after) = self.session.granted(replace, rule, outcome) else { return };
        for name in optional {
            if after.get(name).is_some_and(|value| !value.is_null()) {
                self.fail(replace, rule, format!("`{name}` is still {}", short(&after[name])));
            }
        }
    }

    async fn delete(&self, item: &Value) {
        let Some(delete) = self.verb(Verb::Delete) else { return };
        let id = &item[&self.resource.id];
        self.stale(delete, id, Value::Null).await;
        let outcome = self.ask(delete, id, None, Value::Null).await;
        if self.session.granted(delete, "delete", outcome).is_none() {
            return;
        }
        if let Some(get) = self.verb(Verb::Get) {
            let outcome = self.ask(get, id, None, Value::Null).await;
            if outcome != Ok(Value::Null) {
                self.session.expect(get, "what was deleted is gone", &outcome, Kind::NotFound);
            }
        }
        let again = self.ask(delete, id, None, Value::Null).await;
        self.session.expect(delete, "delete again", &again, Kind::NotFound);
        lists::without(self, id).await;
        self.anew(delete, item).await;
    }

    /// An item under the key of one that was deleted is another one: who knows the old one's ETag does not mean it.
    async fn anew(&self, delete: &Operation, old: &Value) {
        let Some(replace) = self.verb(Verb::Replace).filter(|_| self.resource.natural) else { return };
        let (id, rule) = (&old[&self.resource.id], "the key of what was deleted");
        let outcome = self.make_with(replace, id, self.session.example(replace, REPLACED), &Value::Null).await;
        let Some(new) = self.session.granted(replace, rule, outcome) else { return };
        if new["etag"] == old["etag"] {
            self.fail(replace, rule, format!("the ETag {} is back, of another item", old["etag"]));
        }
        let outcome = self.ask(delete, id, None, Value::Null).await;
        self.session.granted(delete, rule, outcome);
    }
}

/// The same but for the revision.
fn same(left: &Value, right: &Value) -> bool {
    let plain = |value: &Value| {
        let mut members = value.as_object().cloned().unwrap_or_default();
        members.remove("etag");
        members
    };
    plain(left) == plain(right)
}

/// What a merge patch makes of a value.
fn merged(old: &Value, patch: &Value) -> Value {
    let mut new = old.clone();
    kit::patch::merge(&mut new, patch.clone());
    new
}

/// The members that differ.
pub(crate) fn difference(expected: &Value, got: &Value) -> String {
    let (Value::Object(left), Value::Object(right)) = (expected, got) else {
        return format!("{} became {}", short(expected), short(got));
    };
    let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
    let differ = names.filter(|name| left.get(*name) != right.get(*name));
    let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), short);
    let lines: Vec<String> =
        differ.map(|name| format!("`{name}`: {} became {}", show(left.get(name)), show(right.get(name)))).collect();
    lines.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let (left, right) = (json!({ "a": 1, "b": 2, "etag": "1" }), json!({ "a": 1, "c": 3, "etag": "2" }));
        assert_eq!(
            difference(&left, &right),
            "`b`: 2 became nothing, `etag`: \"1\" became \"2\", `c`: nothing became 3"
        );
        assert!(same(&json!({ "a": 1, "etag": "1" }), &json!({ "a": 1, "etag": "2" })) && !same(&left, &right));
    }
}

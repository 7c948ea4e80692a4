//! What GraphQL shows of the items that others refer to: each the one whose id stands beside it, however many are asked for
//! at once.

use serde_json::Value;

use super::{
    compare::text,
    description::{Reference, Resource, Verb},
    face::Way,
    items::Items,
    lists,
    session::Session,
};

pub(crate) async fn check(session: &Session<'_>, resource: &Resource) {
    let (Some(shown), Way::GraphQl(graphql)) = (&resource.shown, &session.face.way) else { return };
    let items = Items { session, name: &resource.name, resource };
    let Some(list) = items.verb(Verb::List) else { return };
    for reference in &shown.references {
        another(&items, reference).await;
    }
    let page = match graphql.plain(&shown.request).await {
        Ok(page) => page,
        Err(error) => return items.fail(list, "what items refer to", format!("{}: {}", error.kind, error.detail)),
    };
    let nodes = list_of(&page["nodes"]);
    for Reference { id, object, key, to, several, .. } in &shown.references {
        let there = there(session, to).await;
        let is_right = |id: &Value, object: &Value| match object {
            Value::Null => id.is_null() || !there.contains(&text(id)),
            object => text(&object[key]) == text(id),
        };
        for node in &nodes {
            let (ids, objects) = match several {
                true => (list_of(&node[id]), list_of(&node[object])),
                false => (vec![&node[id]], vec![&node[object]]),
            };
            if ids.len() != objects.len() || !ids.iter().zip(&objects).all(|(id, object)| is_right(id, object)) {
                items.fail(
                    list,
                    &format!("`{object}` is what `{id}` says"),
                    format!("{} is {}", node[id], node[object]),
                );
            }
        }
    }
}

/// The ids of the items of a resource.
async fn there(session: &Session<'_>, name: &str) -> Vec<String> {
    let Some(resource) = session.description().resource(name) else { return Vec::new() };
    let listed = lists::ids(&Items { session, name, resource }).await;
    listed.iter().chain(&session.there(name)).map(text).collect()
}

fn list_of(value: &Value) -> Vec<&Value> {
    value.as_array().into_iter().flatten().collect()
}

/// Makes an item that refers to another one than those before it, where there is another. Where it has something unique
/// there is no example left that nothing has: the rule then stands on what is there.
async fn another(items: &Items<'_>, reference: &Reference) {
    let session = items.session;
    let (Some(create), Some(to)) = (items.verb(Verb::Create), session.description().resource(&reference.to)) else {
        return;
    };
    let known = session.there(&reference.to);
    let others = lists::ids(&Items { session, name: &to.name, resource: to }).await;
    if let Some(other) = others.into_iter().find(|id| Some(id) != known.as_ref()) {
        let mut input = session.example(create, 0);
        input[&reference.member] =
            if reference.several { [Some(other), known].into_iter().flatten().collect() } else { other };
        let outcome = session.ask(create, Items::call(create, &Value::Null, None, input)).await;
        _ = session.granted(create, &format!("`{}` of another item", reference.member), outcome);
    }
}

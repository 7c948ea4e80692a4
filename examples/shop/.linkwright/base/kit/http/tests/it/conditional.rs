use axum::{
    Router,
    routing::{get as on_get, put as on_put},
};
use kit::Etag;
use kit_http::{Cx, Edge, IfMatch, IfMatchOne, IfNoneMatch, Problem, answer};
use reqwest::Method;

use crate::{get, header, http, problem, send, start};

async fn base() -> String {
    let routes =
        on_get(async |known: IfNoneMatch| known.answer(Etag(7), &"item")).put(async |IfMatch(wanted): IfMatch| {
            Etag(7).check(wanted)?;
            Ok::<_, Problem>(answer::tagged(Etag(8), &"item"))
        });
    start(Router::new().route("/item", routes), Edge::default()).await + "/item"
}

#[tokio::test]
async fn a_read_of_a_revision_that_the_caller_has() {
    let base = base().await;
    for (tags, status) in
        [("", 200), ("\"7\"", 304), ("W/\"7\"", 304), ("\"6\" , W/\"x,y\", \"7\"", 304), ("*", 304), ("\"8\"", 200)]
    {
        let request = get(base.clone());
        let answer = send(if tags.is_empty() { request } else { request.header("if-none-match", tags) }).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "etag")), (status, "\"7\""), "{tags}");
        assert_eq!(answer.text().await.unwrap().is_empty(), status == 304);
    }
    assert_eq!(problem(send(get(base).header("if-none-match", "7")).await).await.0, 400);
}

#[tokio::test]
async fn a_change_of_the_revision_that_the_caller_means() {
    let base = base().await;
    for (tags, status) in [
        ("\"7\"", 200),
        ("*", 200),
        ("\"6\"", 412),
        ("W/\"7\"", 412),
        ("\"abc\"", 412),
        ("\"abc\", \"7\"", 200),
        ("7", 400),
        ("\"7", 400),
        ("\"7\" \"8\"", 400),
        ("\"7\", \"8\"", 400),
    ] {
        let answer = send(http(Method::PUT, base.clone()).header("if-match", tags)).await;
        assert_eq!(answer.status().as_u16(), status, "{tags}");
        match status {
            200 => assert_eq!(header(&answer, "etag"), "\"8\""),
            412 => assert_eq!(problem(answer).await.1, "stale"),
            _ => assert_eq!(problem(answer).await.1, "invalid"),
        }
    }
    let unheeded = send(http(Method::PUT, base.clone()).header("if-none-match", "*")).await;
    assert_eq!(problem(unheeded).await.0, 400);
    assert_eq!(send(http(Method::PUT, base)).await.status(), 200);
}

#[tokio::test]
async fn a_replace_says_whether_the_item_was_there() {
    let routes = on_put(async |cx: Cx, IfMatchOne(_): IfMatchOne, body: String| {
        if body == "new" {
            cx.note_created();
        }
        answer::placed(&cx, &["item", "a/b"], Etag(1), &body)
    });
    let base = start(Router::new().route("/item", routes), Edge::default()).await + "/item";
    let created = send(http(Method::PUT, base.clone()).body("new")).await;
    assert_eq!((created.status().as_u16(), header(&created, "location")), (201, "/item/a%2Fb"));
    let replaced = send(http(Method::PUT, base.clone()).body("old").header("if-match", "\"1\"")).await;
    assert_eq!((replaced.status().as_u16(), header(&replaced, "location")), (200, ""));
    assert_eq!(problem(send(http(Method::PUT, base).body("old").header("if-match", "*")).await).await.0, 400);
}

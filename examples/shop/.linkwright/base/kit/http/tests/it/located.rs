//! Inputs of which a part stands in the path.

use axum::{Router, routing::get};
use chrono::{DateTime, Utc};
use kit::{
    Context, Failure, Kind, Validate, Violations,
    json::{As, Digits, Micros},
};
use kit_http::{Client, Edge, InPath, Json, Located, Problem, Request, apart};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{get as read, http, problem, send, start};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Move {
    shelf: String,
    pieces: u32,
    #[serde(with = "As::<Digits>")]
    weight: i64,
    #[serde(with = "As::<Micros>")]
    at: DateTime<Utc>,
    gift: bool,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Search {
    shelf: String,
    words: Vec<String>,
    #[serde(with = "As::<Vec<Digits>>")]
    marks: Vec<u64>,
}

impl Validate for Search {
    fn validate(&self, _: &mut Violations) {}
}

impl Validate for Move {
    fn validate(&self, v: &mut Violations) {
        v.at("pieces", |v| v.range(&self.pieces, 1..=9));
    }
}

const IN_PATH: [InPath; 5] =
    [InPath::Text("shelf"), InPath::Plain("pieces"), InPath::Text("weight"), InPath::Text("at"), InPath::Plain("gift")];

async fn base() -> String {
    let moves = get(async |located: Located| Ok::<_, Problem>(Json(located.query::<Move>(&IN_PATH, &[])?)))
        .post(async |located: Located| Ok::<_, Problem>(Json(located.json::<Move>(&IN_PATH).await?)));
    let count = get(async |located: Located| Ok::<_, Problem>(Json(located.param::<u32>("number")?)));
    let search = get(async |located: Located| {
        Ok::<_, Problem>(Json(located.query::<Search>(&[InPath::Text("shelf")], &["marks"])?))
    });
    let router = Router::new()
        .route("/searches/{shelf}", search)
        .route("/shelves/{shelf}/{pieces}/{weight}/{at}/{gift}", moves)
        .route("/numbers/{number}", count);
    start(router, Edge::default()).await
}

fn example() -> Move {
    let at = DateTime::from_timestamp(1_700_000_000, 5000).unwrap();
    Move { shelf: "a b/ü".into(), pieces: 3, weight: -7, at, gift: true, note: Some("n & m".into()) }
}

#[tokio::test]
async fn what_is_taken_apart_is_put_together() {
    let client = Client::new(&base().await).unwrap();
    let input = example();
    let ([shelf, pieces, weight, at, gift], rest) = apart(&input, ["shelf", "pieces", "weight", "at", "gift"]).unwrap();
    assert_eq!((shelf.as_str(), pieces.as_str(), gift.as_str()), ("a b/ü", "3", "true"));
    assert_eq!(rest, json!({ "note": "n & m" }));
    let path = ["shelves", &shelf, &pieces, &weight, &at, &gift];
    for request in [Request::new(Method::POST, &path).json(&rest), Request::new(Method::GET, &path).query(&rest)] {
        let answer: Result<Move, Failure> = client.call(&Context::default(), request).await;
        assert_eq!(answer.unwrap(), input);
    }
}

#[tokio::test]
async fn what_does_not_fit_is_told() {
    let base = base().await;
    let post = |url: String| http(Method::POST, url);
    let path = format!("{base}/shelves/a/3/7/2026-01-31T12:00:00.000000Z/true");
    for (from, to, field) in [("/3/", "/10/", "pieces"), ("/3/", "/x/", "pieces"), ("2026-01-31T12", "noon", "at")] {
        let url = path.replace(from, to);
        for request in [read(url.clone()), post(url)] {
            let (status, _, fields) = problem(send(request).await).await;
            assert_eq!((status, fields), (422, vec![field.to_owned()]));
        }
    }
    let twice = json!({ "shelf": "b" });
    for request in [read(format!("{path}?shelf=b")), post(path.clone()).json(&twice)] {
        let (status, _, fields) = problem(send(request).await).await;
        assert_eq!((status, fields), (422, vec!["shelf".to_owned()]));
    }
    let twice = post(path.clone()).header("content-type", "application/json").body(r#"{"note":"a","note":"b"}"#);
    assert_eq!(problem(send(twice).await).await.2, ["note"]);
    let unknown = post(path.clone()).json(&json!({ "color": "red" }));
    assert_eq!(problem(send(unknown).await).await.2, ["color"]);
    for (media_type, body, status) in
        [("text/plain", "{}", 415), ("application/json", "{", 400), ("application/json", "[]", 422)]
    {
        let request = post(path.clone()).header("content-type", media_type).body(body);
        assert_eq!(problem(send(request).await).await.0, status, "{body}");
    }
    // Nothing else is needed, so there may be no body.
    assert_eq!(send(post(path)).await.status(), 200);
    assert_eq!(send(read(format!("{base}/numbers/7"))).await.text().await.unwrap(), "7");
    assert_eq!(problem(send(read(format!("{base}/numbers/x"))).await).await.0, 422);
    assert_eq!(apart(&json!({ "a": [] }), ["a"]).unwrap_err().kind, Kind::Internal);
}

#[tokio::test]
async fn a_list_that_may_be_empty_need_not_be_in_the_query() {
    let base = base().await;
    let client = Client::new(&base).unwrap();
    for (words, marks) in [(vec!["a"], vec![]), (vec!["a", "b"], vec![7]), (vec!["a"], vec![1, u64::MAX])] {
        let words = words.into_iter().map(str::to_owned).collect();
        let search = Search { shelf: "x".into(), words, marks };
        let ([shelf], rest) = apart(&search, ["shelf"]).unwrap();
        let request = Request::new(Method::GET, &["searches", &shelf]).query(&rest);
        let answer: Result<Search, Failure> = client.call(&Context::default(), request).await;
        assert_eq!(answer.unwrap(), search);
    }
    for (query, field) in [("", "words"), ("?words=a&marks=x", "marks[0]"), ("?words=a&mark=1", "mark")] {
        let (status, _, fields) = problem(send(read(format!("{base}/searches/x{query}"))).await).await;
        assert_eq!((status, fields), (422, vec![field.to_owned()]), "{query}");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_not_waited_for() {
    let url = format!("{}/shelves/a/1/1/2023-01-01T00:00:00Z/true", base().await);
    let endless = reqwest::Body::wrap_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
    let request = http(Method::POST, url).header("content-type", "application/x-ndjson").body(endless);
    assert_eq!(problem(send(request).await).await.0, 415);
}

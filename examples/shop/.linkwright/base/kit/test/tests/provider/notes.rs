//! A service of notes, its documents, and the mistakes that it can make.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::Uri, response::Response, routing::get};
use kit::{Cursor, Etag, Failure, Kind, Validate, Violations};
use kit_http::{Cx, IfMatch, IfNoneMatch, Json, MergePatch, Path, Problem, Query, answer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// What is wrong with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    None,
    Created200,
    Location,
    Etag,
    Stale,
    Filter,
    /// Each page begins with the last item of the one before.
    Twice,
    Cursor,
    Undeleted,
    Again,
    Missing,
    Document,
    Undeclared,
    Unchecked,
    Same,
}

#[derive(Clone, Debug, Serialize)]
struct Note {
    id: Uuid,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    etag: Etag,
}

#[derive(Debug, Deserialize)]
struct NewNote {
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct NotePatch {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ListNotes {
    limit: Option<u32>,
    cursor: Option<Cursor>,
    #[serde(default)]
    text: Vec<String>,
}

impl Validate for NewNote {}

impl Validate for NotePatch {
    fn validate(&self, v: &mut Violations) {
        v.at("text", |v| v.some(&self.text, |v, text| v.length(text, 1..=20)));
    }
}

impl Validate for ListNotes {}

struct Notes {
    mistake: Mistake,
    kept: Mutex<Vec<Note>>,
}

type Service = State<Arc<Notes>>;

impl Notes {
    fn find(&self, id: Uuid) -> Result<Note, Failure> {
        let kept = self.kept.lock().expect("nobody panics");
        let found = kept.iter().find(|note| note.id == id).cloned();
        found.ok_or_else(|| match self.mistake {
            Mistake::Undeclared => Failure::new(Kind::Denied, "not yours"),
            _ => Failure::not_found(format_args!("note {id}")),
        })
    }
}

pub fn router(mistake: Mistake) -> Router {
    let document = if mistake == Mistake::Document { "{}".to_owned() } else { openapi().to_string() };
    Router::new()
        .route("/v1/notes", get(list).post(create))
        .route("/v1/notes/{id}", get(read).patch(patch).delete(delete))
        .route("/-/openapi.json", get(async move || document))
        .with_state(Arc::new(Notes { mistake, kept: Mutex::default() }))
}

async fn create(State(notes): Service, _: Cx, Json(new): Json<NewNote>) -> Result<Response, Problem> {
    if notes.mistake != Mistake::Unchecked && !(1..=20).contains(&new.text.len()) {
        return Err(Failure::invalid("text: from 1 to 20 letters").into());
    }
    let note = Note { id: Uuid::now_v7(), text: new.text, etag: Etag(1) };
    let mut kept = notes.kept.lock().expect("nobody panics");
    if notes.mistake != Mistake::Same && kept.iter().any(|other| other.text == note.text) {
        return Err(Failure::new(Kind::Exists, "there is a note with this text").into());
    }
    kept.push(note.clone());
    Ok(match notes.mistake {
        Mistake::Created200 => answer::tagged(note.etag, &note),
        Mistake::Location => answer::created(&["v1", "note", &note.id.to_string()], note.etag, &note),
        _ => answer::created(&["v1", "notes", &note.id.to_string()], note.etag, &note),
    })
}

async fn read(State(notes): Service, _: Cx, known: IfNoneMatch, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let mut note = notes.find(id)?;
    if notes.mistake == Mistake::Missing {
        note.text.clear();
    }
    Ok(known.answer(note.etag, &note))
}

async fn patch(
    State(notes): Service,
    _: Cx,
    Path(id): Path<Uuid>,
    IfMatch(etag): IfMatch,
    MergePatch(patch): MergePatch<NotePatch>,
) -> Result<Response, Problem> {
    let mut note = notes.find(id)?;
    if notes.mistake != Mistake::Stale {
        note.etag.check(etag)?;
    }
    if let Some(text) = patch.text {
        note.text = text;
        if notes.mistake != Mistake::Etag {
            note.etag = note.etag.next();
        }
    }
    let mut kept = notes.kept.lock().expect("nobody panics");
    kept.iter_mut().filter(|kept| kept.id == id).for_each(|kept| kept.clone_from(&note));
    Ok(answer::tagged(note.etag, &note))
}

async fn delete(
    State(notes): Service,
    _: Cx,
    Path(id): Path<Uuid>,
    IfMatch(etag): IfMatch,
) -> Result<Response, Problem> {
    match notes.find(id) {
        Err(_) if notes.mistake == Mistake::Again => return Ok(answer::done()),
        found => found?.etag.check(etag)?,
    }
    if notes.mistake != Mistake::Undeleted {
        notes.kept.lock().expect("nobody panics").retain(|note| note.id != id);
    }
    Ok(answer::done())
}

async fn list(State(notes): Service, _: Cx, target: Uri, Query(query): Query<ListNotes>) -> Result<Response, Problem> {
    let limit = kit::page::limit(query.limit)? as usize;
    let sealed = if notes.mistake == Mistake::Cursor { Vec::new() } else { query.text.clone() };
    let from: usize = query.cursor.as_ref().map(|cursor| cursor.open(&sealed)).transpose()?.unwrap_or_default();
    let matches =
        |note: &&Note| notes.mistake == Mistake::Filter || query.text.is_empty() || query.text.contains(&note.text);
    let kept = notes.kept.lock().expect("nobody panics");
    let found: Vec<&Note> = kept.iter().rev().filter(matches).collect();
    let items: Vec<&&Note> = found.iter().skip(from).take(limit).collect();
    let end = from + items.len();
    let back = usize::from(notes.mistake == Mistake::Twice && limit > 1);
    let next = (end < found.len()).then(|| Cursor::seal(&sealed, &(end - back)));
    let mut page = json!({ "items": items });
    if let Some(next) = &next {
        page["next"] = json!(next);
    }
    Ok(answer::page(&target, next.as_ref(), &page))
}

fn schemas() -> Value {
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 20 });
    json!({
        "Note": {
            "type": "object",
            "required": ["id", "text", "etag"],
            "properties": { "id": { "type": "string", "format": "uuid" }, "text": text, "etag": { "type": "string" } },
        },
        "NewNote": { "type": "object", "required": ["text"], "properties": { "text": text } },
        "NotePatch": { "type": "object", "properties": { "text": text } },
        "problem": { "type": "object", "required": ["type", "title", "status", "detail", "kind"] },
    })
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn page() -> Value {
    json!({
        "type": "object",
        "required": ["items"],
        "properties": { "items": { "type": "array", "items": schema("Note") }, "next": { "type": "string" } },
    })
}

/// What is committed, and served.
pub fn openapi() -> Value {
    let etag = json!({ "ETag": { "schema": { "type": "string" } }});
    let item = |headers: &Value| json!({ "headers": headers, "content": { "application/json": { "schema": schema("Note") } } });
    let problem = json!({ "content": { "application/problem+json": { "schema": schema("problem") } } });
    let id = json!([{ "name": "id", "in": "path" }]);
    let query = ["limit", "cursor", "text"].map(|name| json!({ "name": name, "in": "query" }));
    let body = |kind: &str, name: &str| json!({ "content": { kind: { "schema": schema(name) } } });
    let merge = "application/merge-patch+json";
    let mut located = etag.clone();
    located["Location"] = json!({ "schema": { "type": "string" } });
    json!({
        "paths": {
            "/v1/notes": {
                "get": { "operationId": "list_notes", "parameters": query, "responses": {
                    "200": { "content": { "application/json": { "schema": page() } } }, "406": problem, "422": problem,
                } },
                "post": { "operationId": "create_note", "requestBody": body("application/json", "NewNote"), "responses": {
                    "201": item(&located), "400": problem, "406": problem, "409": problem, "415": problem, "422": problem,
                } },
            },
            "/v1/notes/{id}": {
                "get": { "operationId": "get_note", "parameters": id, "responses": {
                    "200": item(&etag), "304": { "headers": etag }, "404": problem, "406": problem, "422": problem,
                } },
                "patch": { "operationId": "patch_note", "parameters": id, "requestBody": body(merge, "NotePatch"), "responses": {
                    "200": item(&etag), "400": problem, "404": problem, "406": problem, "412": problem, "415": problem, "422": problem,
                } },
                "delete": { "operationId": "delete_note", "parameters": id, "responses": {
                    "204": {}, "404": problem, "406": problem, "412": problem, "422": problem,
                } },
            },
        },
        "components": { "schemas": schemas() },
    })
}

/// What the suite is told.
pub fn description() -> Value {
    let examples: Vec<Value> = (0..5).map(|nth| json!({ "text": format!("text{nth}") })).collect();
    let operation = |verb: &str, name: &str, input: Value, answer: Value, failures: Value| {
        json!({
            "name": name, "verb": verb, "resource": "Note", "takes_id": verb != "list" && verb != "create",
            "rest": true, "grpc": false, "graphql": null, "input": input, "answer": answer, "stream": false,
            "query": false, "safe": false, "errors": {}, "failures": failures, "emits": [],
            "examples": if input.is_null() { json!([]) } else { json!(examples) },
        })
    };
    let filter = json!({ "path": "text", "order": "text", "ordered": false, "examples": ["text0", "other"] });
    let ids: Vec<String> = (0..5).map(|nth| format!("0190a5c8-3f5e-7d3a-9a42-{nth:012}")).collect();
    json!({
        "service": "notes",
        "operations": [
            operation("list", "list_notes", Value::Null, page(), json!(["invalid"])),
            operation("get", "get_note", Value::Null, schema("Note"), json!(["invalid", "not_found"])),
            operation("create", "create_note", schema("NewNote"), schema("Note"), json!(["invalid", "exists"])),
            operation("patch", "patch_note", schema("NotePatch"), schema("Note"), json!(["invalid", "not_found", "stale"])),
            operation("delete", "delete_note", Value::Null, Value::Null, json!(["invalid", "not_found", "stale"])),
        ],
        "resources": [{
            "name": "Note", "id": "id", "natural": false, "ids": ids, "kept": ["id", "etag"], "unique": ["text"],
            "draft": [{ "name": "text", "optional": false }], "references": {}, "keys": [], "filters": [filter], "sorts": [],
        }],
        "events": {},
        "consumers": [],
        "components": { "schemas": schemas() },
    })
}

//! JSON-RPC 2.0 by hand: one request at a time.

use axum::{Json, http::StatusCode};
use desk_contract::{EchoRequest, EchoResponse};
use kit::Validate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{echoed, unprocessable};

#[derive(Deserialize)]
pub struct Call {
    id: Box<RawValue>,
    method: String,
    params: Box<RawValue>,
}

#[derive(Serialize)]
pub struct Done {
    jsonrpc: &'static str,
    id: Box<RawValue>,
    result: EchoResponse,
}

pub async fn answer(Json(call): Json<Call>) -> Result<Json<Done>, (StatusCode, String)> {
    if call.method != "echo" {
        return Err((StatusCode::NOT_FOUND, format!("no method {}", call.method)));
    }
    let input: EchoRequest =
        serde_json::from_str(call.params.get()).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    input.check().map_err(unprocessable)?;
    Ok(Json(Done { jsonrpc: "2.0", id: call.id, result: echoed(input) }))
}

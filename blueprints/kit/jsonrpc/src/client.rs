//! The other side: an operation called over JSON-RPC, its errors turned back into its own.

use axum::http::Method;
use kit::{Context, Failure, Kind, OperationError};
use kit_http::Request;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::Error;

/// A service that is called over JSON-RPC, each call as a request of its own. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: kit_http::Client,
    /// Where the service answers: `["v1", "rpc"]`.
    path: &'static [&'static str],
}

#[derive(Serialize)]
struct Call<'a, P> {
    jsonrpc: &'static str,
    id: u32,
    method: &'a str,
    params: P,
}

/// What is answered, whoever does it.
#[derive(Deserialize)]
struct Answer {
    /// Null is read as absent, and is a result all the same.
    result: Option<Box<RawValue>>,
    error: Option<Error>,
}

impl Client {
    /// `base` is what stands before the path: `http://inventory:8080`. The path is made of the segments of `path`.
    ///
    /// # Errors
    /// It is no URL of HTTP.
    pub fn new(base: &str, path: &'static [&'static str]) -> anyhow::Result<Self> {
        Ok(Self { http: kit_http::Client::new(base)?, path })
    }

    /// Calls, and reads the answer. `params` are an object: a record, or made by [`named`](crate::named) or
    /// [`on_item`](crate::on_item).
    ///
    /// # Errors
    /// That of the operation. What HTTP alone answers, and a request that got lost, are failures as over REST.
    pub async fn call<T: DeserializeOwned, E: OperationError>(
        &self,
        cx: &Context,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, E> {
        // There is one call in a request and one answer in a response, so the id tells nothing.
        let call = Call { jsonrpc: "2.0", id: 1, method, params };
        let request = Request::new(Method::POST, self.path).json(&call);
        let Answer { result, error } = self.http.call(cx, request).await.map_err(of_http)?;
        if let Some(error) = error {
            return Err(E::from_wire(error.into_wire()));
        }
        let result = result.as_deref().map_or("null", RawValue::get);
        serde_json::from_str(result)
            .map_err(|error| Failure::internal(anyhow::anyhow!("the answer is not what was asked for: {error}")).into())
    }
}

/// Errors of an operation come in a response of JSON-RPC; where HTTP itself finds nothing, nobody speaks it.
fn of_http(mut failure: Failure) -> Failure {
    if failure.kind == Kind::NotFound {
        failure.kind = Kind::Unsupported;
    }
    failure
}

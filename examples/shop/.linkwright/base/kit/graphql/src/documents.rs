use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_graphql::{Request, ServerError, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Bytes of all kept documents at most.
const BYTES: usize = 8 << 20;

/// The documents that callers have left here, so that they send a hash in their place: automatic persisted queries, as
/// Apollo's clients and servers have them (`extensions.persistedQuery` with `version: 1` and `sha256Hash`). A hash is short
/// enough for a GET, which caches on the way can answer. Clones are the same.
///
/// So many are kept, and so many bytes; the one that was asked for longest ago goes first.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    kept: Mutex<Kept>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    /// By their hashes.
    documents: HashMap<[u8; 32], Document>,
    bytes: usize,
    /// Of the last use.
    clock: u64,
}

#[derive(Debug)]
struct Document {
    text: Arc<str>,
    used: u64,
}

/// What is known of the documents of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentState {
    /// Documents kept now.
    pub graphql_documents: usize,
    /// Hashes whose document was there, since the service started, and those whose document was not.
    pub hits: u64,
    pub misses: u64,
}

impl Default for Documents {
    fn default() -> Self {
        Self::new(1000)
    }
}

impl Documents {
    /// `most`: how many are kept. 0: hashes are not understood.
    pub fn new(most: usize) -> Self {
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { most, kept: Mutex::default(), hits, misses }))
    }

    /// For a page about the service, a test.
    pub fn state(&self) -> DocumentState {
        let Inner { kept, hits, misses, .. } = &*self.0;
        let graphql_documents = kept.lock().unwrap_or_else(PoisonError::into_inner).documents.len();
        DocumentState { graphql_documents, hits: hits.load(Ordering::Relaxed), misses: misses.load(Ordering::Relaxed) }
    }

    /// Puts the document in the place of its hash; keeps a document that comes with its hash.
    pub(crate) fn resolve(&self, request: &mut Request) -> Result<(), ServerError> {
        let Some(asked) = request.extensions.remove("persistedQuery") else { return Ok(()) };
        if self.0.most == 0 {
            return Err(refused("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"));
        }
        let Some(hash) = hash(&asked) else {
            return Err(refused(
                "persistedQuery must have version 1 and a sha256Hash of 64 hexadecimal digits",
                "INVALID",
            ));
        };
        if !request.query.is_empty() {
            if hash != <[u8; 32]>::from(Sha256::digest(&request.query)) {
                return Err(refused("the sha256Hash is not that of the query", "INVALID"));
            }
            self.keep(hash, &request.query);
            return Ok(());
        }
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        let Some(document) = kept.documents.get_mut(&hash) else {
            self.0.misses.fetch_add(1, Ordering::Relaxed);
            return Err(refused("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"));
        };
        document.used = clock;
        self.0.hits.fetch_add(1, Ordering::Relaxed);
        request.query = document.text.to_string();
        Ok(())
    }

    fn keep(&self, hash: [u8; 32], text: &str) {
        if text.len() > BYTES {
            return;
        }
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        kept.clock += 1;
        let document = Document { text: text.into(), used: kept.clock };
        kept.bytes += text.len();
        kept.bytes -= kept.documents.insert(hash, document).map_or(0, |document| document.text.len());
        while kept.documents.len() > self.0.most || kept.bytes > BYTES {
            let Some(oldest) = kept.documents.iter().min_by_key(|(_, document)| document.used).map(|(hash, _)| *hash)
            else {
                break;
            };
            kept.bytes -= kept.documents.remove(&oldest).map_or(0, |document| document.text.len());
        }
    }
}

fn hash(asked: &Value) -> Option<[u8; 32]> {
    let Value::Object(asked) = asked else { return None };
    let (Some(Value::Number(version)), Some(Value::String(text))) = (asked.get("version"), asked.get("sha256Hash"))
    else {
        return None;
    };
    if version.as_u64() != Some(1) || text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(hash)
}

fn refused(message: &str, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, of: &str) -> Request {
        let hash: String = Sha256::digest(of).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut request = Request::new(query);
        let asked = Value::from_json(serde_json::json!({ "version": 1, "sha256Hash": hash })).unwrap();
        request.extensions.insert("persistedQuery".into(), asked);
        request
    }

    fn ask(documents: &Documents, query: &str, of: &str) -> Result<String, String> {
        let mut request = request(query, of);
        documents.resolve(&mut request).map(|()| request.query).map_err(|error| error.message)
    }

    #[test]
    fn documents_are_found_by_their_hash_and_the_oldest_goes() {
        let documents = Documents::new(2);
        assert_eq!(ask(&documents, "", "{a}"), Err("PersistedQueryNotFound".into()));
        for text in ["{a}", "{b}", "{a}"] {
            assert_eq!(ask(&documents, text, text), Ok(text.into()));
        }
        assert_eq!(ask(&documents, "", "{b}"), Ok("{b}".into()));
        assert_eq!(ask(&documents, "{c}", "{c}"), Ok("{c}".into()));
        assert!(ask(&documents, "", "{a}").is_err(), "it was asked for longest ago");
        assert!(ask(&documents, "", "{b}").is_ok());
        assert_eq!(ask(&documents, "{d}", "{b}"), Err("the sha256Hash is not that of the query".into()));
        assert_eq!(documents.state(), DocumentState { graphql_documents: 2, hits: 2, misses: 2 });
        assert_eq!(ask(&Documents::new(0), "", "{a}"), Err("PersistedQueryNotSupported".into()));
    }

    #[test]
    fn no_more_bytes_are_kept_than_there_may_be() {
        let documents = Documents::default();
        let text = |n: usize| format!("{n}{}", " ".repeat(BYTES / 4));
        for n in 0..8 {
            assert!(ask(&documents, &text(n), &text(n)).is_ok());
        }
        assert_eq!(documents.state().graphql_documents, 3);
        assert!(ask(&documents, "", &text(7)).is_ok());
        let huge = " ".repeat(BYTES + 1);
        assert!(ask(&documents, &huge, &huge).is_ok() && ask(&documents, "", &huge).is_err());
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for asked in [
            serde_json::json!(7),
            serde_json::json!({ "version": 1 }),
            serde_json::json!({ "version": 2, "sha256Hash": "0".repeat(64) }),
            serde_json::json!({ "version": 1, "sha256Hash": "0".repeat(63) }),
            serde_json::json!({ "version": 1, "sha256Hash": "+0".repeat(32) }),
            serde_json::json!({ "version": 1, "sha256Hash": "ü".repeat(32) }),
        ] {
            assert_eq!(hash(&Value::from_json(asked.clone()).unwrap()), None, "{asked}");
        }
    }
}

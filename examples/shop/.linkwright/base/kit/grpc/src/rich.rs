//! The messages of `google.rpc` that statuses carry: `Status`, `ErrorInfo`, `BadRequest`, `RetryInfo`.

use std::collections::BTreeMap;

use prost::{Message, Name};
use prost_types::Any;

const PACKAGE: &str = "google.rpc";

#[derive(Clone, PartialEq, Message)]
pub struct RichStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

impl RichStatus {
    pub fn add<M: Name>(&mut self, detail: &M) {
        self.details.push(Any { type_url: M::type_url(), value: detail.encode_to_vec() });
    }

    pub fn find<M: Name + Default>(&self) -> Option<M> {
        self.details.iter().find_map(|any| any.to_msg().ok())
    }
}

#[derive(Clone, PartialEq, Message)]
pub struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub reason: String,
    #[prost(string, tag = "2")]
    pub domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    pub field_violations: Vec<FieldViolation>,
}

#[derive(Clone, PartialEq, Message)]
pub struct FieldViolation {
    #[prost(string, tag = "1")]
    pub field: String,
    #[prost(string, tag = "2")]
    pub description: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<prost_types::Duration>,
}

macro_rules! name {
    ($($message:ident),*) => {$(
        impl Name for $message {
            const NAME: &'static str = stringify!($message);
            const PACKAGE: &'static str = PACKAGE;

            fn type_url() -> String {
                format!("type.googleapis.com/{PACKAGE}.{}", Self::NAME)
            }
        }
    )*};
}
name!(ErrorInfo, BadRequest, RetryInfo);

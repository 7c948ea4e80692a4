//! `[externals.X]`: what is not ours.

use indexmap::IndexMap;

use super::{AuthScheme, Event, Head, Limit, NameCase, Operation, Resource, SignScheme, Slo, Speaks};
use crate::source::Spanned;

/// `[externals.X]`
#[derive(Clone, Debug, Default)]
pub struct External {
    pub head: Head,
    pub speaks: Option<Spanned<Speaks>>,
    /// The development default.
    pub url: Option<Spanned<String>>,
    pub auth: Option<Spanned<ExternalAuth>>,
    pub sign: Option<Spanned<Sign>>,
    pub limit: Option<Spanned<Limit>>,
    pub slo: Option<Spanned<Slo>>,
    pub names: Option<Spanned<NameCase>>,
    /// A file, relative.
    pub openapi: Option<Spanned<String>>,
    pub roles: Vec<Spanned<String>>,
    pub plan: Option<Spanned<String>>,
    pub commands: IndexMap<String, Operation>,
    pub queries: IndexMap<String, Operation>,
    pub resources: IndexMap<String, Resource>,
    pub events: IndexMap<String, Event>,
}

/// `auth = { scheme, token_url, scope, header }`: how we prove who we are.
#[derive(Clone, Debug, Default)]
pub struct ExternalAuth {
    pub scheme: Option<Spanned<AuthScheme>>,
    pub token_url: Option<Spanned<String>>,
    pub scope: Option<Spanned<String>>,
    pub header: Option<Spanned<String>>,
}

/// `sign = "standard"` or `{ scheme = "hmac-sha256", header, timestamp }`
#[derive(Clone, Debug, Default)]
pub struct Sign {
    pub scheme: Option<Spanned<SignScheme>>,
    /// The header that carries the signature.
    pub header: Option<Spanned<String>>,
    /// The header that carries the time of signing.
    pub timestamp: Option<Spanned<String>>,
}

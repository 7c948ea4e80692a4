//! Externals.

use super::{
    keys,
    operation::{Owner, operation},
    reader::{At, Item, Reader},
    resource::{event, resource},
    service::{COMMANDS, EVENTS, QUERIES, RESOURCES},
    tree::Node,
    values::{limit, name, names, slo, word, word_but},
};
use crate::{
    design::{External, ExternalAuth, Sign, SignScheme},
    source::Spanned,
};

pub(super) fn external(reader: &mut Reader, item: Item) -> External {
    let mut t = reader.open(item, keys::EXTERNAL);
    let openapi = t.get("openapi", name);
    let owner = Owner::External { openapi: openapi.is_some() };
    External {
        speaks: t.get("speaks", word),
        url: t.get("url", name),
        auth: t.get("auth", external_auth),
        sign: t.get("sign", sign),
        limit: t.get("limit", limit),
        slo: t.get("slo", slo),
        names: t.get("names", word),
        openapi,
        roles: names(&mut t, "roles"),
        plan: t.get("plan", name),
        commands: t.named("commands", COMMANDS, |reader, item| operation(reader, item, owner)),
        queries: t.named("queries", QUERIES, |reader, item| operation(reader, item, owner)),
        resources: t.named("resources", RESOURCES, |reader, item| resource(reader, item, owner)),
        events: t.named("events", EVENTS, |reader, item| event(reader, item, owner)),
        head: t.close(),
    }
}

fn external_auth(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<ExternalAuth>> {
    let help = "write a table: `{ scheme = \"bearer\" }`";
    reader.table(at, node, keys::EXTERNAL_AUTH, help, |t| ExternalAuth {
        scheme: t.required("scheme", "say how: `scheme = \"oauth2\"`", word),
        token_url: t.get("token_url", name),
        scope: t.get("scope", name),
        header: t.get("header", name),
    })
}

fn sign(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Sign>> {
    const HELP: &str = "write `\"standard\"`, or `{ scheme = \"hmac-sha256\", header = \"X-Signature\" }`";
    if matches!(node, Node::Text(_)) {
        let scheme = word_but(reader, at, node, &[SignScheme::HmacSha256])?;
        let span = scheme.span.clone();
        return Some(Spanned::new(Sign { scheme: Some(scheme), ..Sign::default() }, span));
    }
    reader.table(at, node, keys::SIGN, HELP, |t| Sign {
        scheme: t.required("scheme", HELP, word),
        header: t.get("header", name),
        timestamp: t.get("timestamp", name),
    })
}

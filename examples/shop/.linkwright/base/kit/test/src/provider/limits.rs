//! How many calls a caller may make.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use kit::Kind;

use super::{
    description::{Description, Limit, Limits, Operation},
    face::{Call, Outcome},
    rest::Rest,
    session::Session,
};

const OFTEN: &str = "1000/1s";
const ONCE: &str = "1/1h";

/// How the service counts the calls of its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// So that nobody ever reaches a limit.
    Never,
    /// As its configuration says.
    AsSaid,
    /// Each operation with a limit of its own may be called once an hour, all together as often as anybody likes.
    OnceEach,
    /// All together may be called once an hour, by the limit whose name has this after the service's: nothing, or `-quota`.
    Once(&'static str),
}

impl Counting {
    /// What the configuration is told, below the service's own prefix.
    pub(crate) fn variables(self, description: &Description) -> Vec<(&'static str, String)> {
        let all: Vec<&str> = common(description).into_iter().map(|(name, _)| name).collect();
        let each = if self == Self::OnceEach { ONCE } else { OFTEN };
        let own = description.operations.iter().filter(|operation| operation.limit.is_some());
        let own: Vec<String> = own.map(|operation| format!("{} = \"{each}\"", operation.name)).collect();
        let own = (self != Self::AsSaid && !own.is_empty())
            .then(|| ("LIMITS__OPERATIONS", format!("{{ {} }}", own.join(", "))));
        self.of_all(&all).into_iter().chain(own).collect()
    }

    /// The same for limits on all operations together, each by what it is called after the service's name.
    pub(crate) fn of_all(self, limits: &[&str]) -> Vec<(&'static str, String)> {
        let said = |name: &&str| {
            let variable = if name.is_empty() { "LIMITS__SERVICE" } else { "LIMITS__QUOTA" };
            let is_reached = matches!(self, Self::Once(reached) if reached == *name);
            (variable, if is_reached { ONCE } else { OFTEN }.to_owned())
        };
        if self == Self::AsSaid { Vec::new() } else { limits.iter().map(said).collect() }
    }
}

/// The limits on all operations together: what each is called after the service's name, and what it is.
pub(crate) fn common(description: &Description) -> Vec<(&'static str, &Limit)> {
    let Limits { service, quota } = &description.limits;
    [("", service), ("-quota", quota)].into_iter().filter_map(|(name, limit)| Some((name, limit.as_ref()?))).collect()
}

/// What a caller is told of each limit that a call counts in: `"orders.place";q=60;w=60`.
pub(crate) async fn told(session: &Session<'_>, rest: &Rest) {
    for operation in session.served() {
        let all = common(session.description()).into_iter().map(|(name, limit)| (name.to_owned(), limit));
        let due = all.chain(operation.limit.iter().map(|limit| (format!(".{}", operation.name), limit)));
        let service = &session.description().service;
        let due: Vec<String> =
            due.map(|(name, Limit { calls, seconds })| format!("\"{service}{name}\";q={calls};w={seconds}")).collect();
        let Some(asked) = rest.request(operation, &call(session, operation)) else { continue };
        let Ok(reply) = rest.send(asked).await else { continue };
        let said = header(&reply.headers, "ratelimit-policy");
        if said != due.join(", ") {
            let why = format!("`{}` was due, it is `{said}`", due.join(", "));
            session.report.fail(&operation.name, "RateLimit-Policy", why);
        }
        if due.is_empty() == reply.headers.contains_key("ratelimit") {
            let why = format!("it is `{}`", header(&reply.headers, "ratelimit"));
            session.report.fail(&operation.name, "RateLimit", why);
        }
    }
}

/// One call of each operation is let in, and the next is refused where the operation has a limit of its own.
pub(crate) async fn each(session: &Session<'_>) {
    for operation in session.served() {
        let first = session.ask(operation, call(session, operation)).await;
        is_let_in(session, operation, &first);
        let second = session.ask(operation, call(session, operation)).await;
        match operation.limit {
            Some(_) => is_refused(session, operation, &second),
            None => is_let_in(session, operation, &second),
        }
    }
}

/// The first call is let in, and then no other.
pub(crate) async fn all(session: &Session<'_>) {
    for (index, operation) in session.served().enumerate() {
        let outcome = session.ask(operation, call(session, operation)).await;
        match index {
            0 => is_let_in(session, operation, &outcome),
            _ => is_refused(session, operation, &outcome),
        }
        if index == 0 {
            let again = session.ask(operation, call(session, operation)).await;
            is_refused(session, operation, &again);
        }
    }
}

/// What passes says where its caller stands with the gateway too, beside what the service behind says of its own limits.
pub(crate) async fn told_in_passing(session: &Session<'_>, rest: &Rest, gateway: &str, limits: &[&str]) {
    for operation in session.served() {
        let Some(asked) = rest.request(operation, &call(session, operation)) else { continue };
        let Ok(reply) = rest.send(asked).await else { continue };
        let said = reply.headers.get_all("ratelimit-policy").iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|value| value.split(", ")).collect();
        for limit in limits {
            if !said.iter().any(|policy| policy.starts_with(&format!("\"{gateway}{limit}\";q="))) {
                let why = format!("`{gateway}{limit}` is not in `{}`", said.join(", "));
                session.report.fail(&operation.name, "RateLimit-Policy", why);
            }
        }
    }
}

/// Something that can be read; there need not be what it is about.
fn call(session: &Session<'_>, operation: &Operation) -> Call {
    let resource = operation.resource.as_deref().and_then(|name| session.description().resource(name));
    let id = resource.and_then(|resource| resource.ids.first()).filter(|_| operation.takes_id);
    Call {
        operation: operation.name.clone(),
        id: id.cloned().unwrap_or_default(),
        input: session.example(operation, 0),
        ..Call::default()
    }
}

fn is_let_in(session: &Session<'_>, operation: &Operation, outcome: &Outcome) {
    if let Err(error) = outcome
        && error.kind == Kind::Limited
    {
        session.report.fail(&operation.name, "limits", "it is refused before its limit is reached");
    }
}

fn is_refused(session: &Session<'_>, operation: &Operation, outcome: &Outcome) {
    if session.expect(operation, "limits", outcome, Kind::Limited)
        && let Err(error) = outcome
        && error.retry_after.is_none_or(|wait| wait.is_zero() || wait > Duration::from_secs(3601))
    {
        let why = format!("within an hour it would be let in, it says {:?}", error.retry_after);
        session.report.fail(&operation.name, "when to come again", why);
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default()
}

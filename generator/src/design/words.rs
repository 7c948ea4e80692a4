//! The words that values are chosen from. Each set is one enum, and its words stand here once.

pub use crate::model::{ErrorKind, Method, Verb, Versioning};

use super::Mark;

/// A value that is one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// The words and what they mean, in the order in which they are offered.
    const WORDS: &'static [(&'static str, Self)];
    /// What people write who know other words, and which of ours they may mean.
    const OTHERS: &'static [(&'static str, &'static [&'static str])] = &[];

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(w, _)| *w == word).map(|(_, value)| *value)
    }

    /// The word of a value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

/// Writes the enum and its words at once.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl Word for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)+];
        }
    )+};
}

words! {
    /// What carries messages.
    Broker {
        Embedded = "embedded",
        Rabbitmq = "rabbitmq",
        Nats = "nats",
        Kafka = "kafka",
        Sqs = "sqs",
        Sns = "sns",
        Eventbridge = "eventbridge",
        Kinesis = "kinesis",
    }
    /// Where state is kept.
    Store {
        Sqlite = "sqlite",
        Postgres = "postgres",
        /// Services only.
        None = "none",
    }
    /// How callers prove who they are.
    Auth {
        Oidc = "oidc",
        ApiKey = "api-key",
        Mtls = "mtls",
    }
    /// Encryption between everything.
    Tls {
        Off = "off",
        On = "on",
        Mutual = "mutual",
    }
    /// What a change of an event's payload may do.
    Compat {
        Backward = "backward",
        Forward = "forward",
        Full = "full",
        None = "none",
    }
    /// What a service exposes.
    Transport {
        Rest = "rest",
        Grpc = "grpc",
        Graphql = "graphql",
        Jsonrpc = "jsonrpc",
        Queue = "queue",
    }
    /// Whether a command may be repeated.
    Idempotent {
        /// By its nature.
        Yes = "yes",
        /// With a key: the first answer is kept and replayed.
        Key = "key",
        No = "no",
    }
    /// Who wins when both ends of a feed changed.
    Conflict {
        LastWriter = "last-writer",
        Source = "source",
        Target = "target",
        Merge = "merge",
    }
    /// What an external speaks.
    Speaks {
        Rest = "rest",
        Grpc = "grpc",
        Graphql = "graphql",
        Jsonrpc = "jsonrpc",
        Soap = "soap",
        Csv = "csv",
        Postgres = "postgres",
        Sqlite = "sqlite",
    }
    /// How we prove to an external who we are.
    AuthScheme {
        Oauth2 = "oauth2",
        ApiKey = "api-key",
        Basic = "basic",
        Bearer = "bearer",
        Mtls = "mtls",
    }
    /// How webhooks are signed.
    SignScheme {
        /// Standard Webhooks.
        Standard = "standard",
        HmacSha256 = "hmac-sha256",
    }
    /// How an external writes field names.
    NameCase {
        Snake = "snake",
        Camel = "camel",
        Pascal = "pascal",
    }
    /// How an external cuts lists into pages.
    PagingStyle {
        Cursor = "cursor",
        Page = "page",
        Offset = "offset",
        Link = "link",
    }
    /// What a link goes over.
    Via {
        Rest = "rest",
        Grpc = "grpc",
        Graphql = "graphql",
        Jsonrpc = "jsonrpc",
        Queue = "queue",
        /// Events only.
        Stream = "stream",
        /// Events only.
        Webhook = "webhook",
    }
    /// When an answer is needed.
    Answer {
        Now = "now",
        Later = "later",
        None = "none",
    }
    /// How old what is read may be.
    Consistency {
        Strong = "strong",
        Eventual = "eventual",
    }
    /// What answers when the other side cannot.
    Fallback {
        Cache = "cache",
        Queue = "queue",
        Default = "default",
    }
    /// What a message's sender promises.
    Delivery {
        AtLeastOnce = "at-least-once",
        AtMostOnce = "at-most-once",
    }
    /// Where a new reader of a stream begins.
    Start {
        First = "first",
        Latest = "latest",
    }
}

impl Word for Verb {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("list", Self::List),
        ("get", Self::Get),
        ("create", Self::Create),
        ("replace", Self::Replace),
        ("patch", Self::Patch),
        ("delete", Self::Delete),
    ];
    const OTHERS: &'static [(&'static str, &'static [&'static str])] = &[
        ("update", &["patch", "replace"]),
        ("edit", &["patch", "replace"]),
        ("put", &["replace"]),
        ("upsert", &["replace"]),
        ("add", &["create"]),
        ("insert", &["create"]),
        ("post", &["create"]),
        ("read", &["get", "list"]),
        ("show", &["get"]),
        ("fetch", &["get"]),
        ("find", &["get", "list"]),
        ("search", &["list"]),
        ("index", &["list"]),
        ("query", &["list"]),
        ("remove", &["delete"]),
        ("destroy", &["delete"]),
    ];
}

impl Word for Versioning {
    const WORDS: &'static [(&'static str, Self)] =
        &[("path", Self::Path), ("header", Self::Header), ("query", Self::Query), ("media-type", Self::MediaType)];
}

impl Word for ErrorKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("invalid", Self::Invalid),
        ("denied", Self::Denied),
        ("not_found", Self::NotFound),
        ("exists", Self::Exists),
        ("conflict", Self::Conflict),
        ("stale", Self::Stale),
        ("limited", Self::Limited),
        ("unavailable", Self::Unavailable),
    ];
}

impl Word for Method {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("GET", Self::Get),
        ("POST", Self::Post),
        ("PUT", Self::Put),
        ("PATCH", Self::Patch),
        ("DELETE", Self::Delete),
    ];
}

impl Word for Mark {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("pii", Self::Pii),
        ("secret", Self::Secret),
        ("unique", Self::Unique),
        ("readonly", Self::Readonly),
        ("fixed", Self::Fixed),
    ];
}

//! Which names a design may use: the form that says what a name is, and the names that some target cannot carry.

use heck::{ToKebabCase, ToSnakeCase, ToUpperCamelCase};

use super::{key, rust};

/// The most characters a name has: with every prefix and suffix it still fits a file name, a queue and an index.
pub const LONGEST: usize = 64;

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    System,
    Service,
    External,
    /// A command or query.
    Operation,
    Feed,
    Field,
    EnumValue,
    Type,
    Resource,
    /// The plural of a resource, in `UpperCamel`.
    Plural,
    Event,
    Error,
    Role,
    Plan,
}

/// Why a name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// E201 to E204.
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

/// Whether a name can be used for that; the first reason if not.
pub fn check(kind: Kind, name: &str) -> Result<(), Refusal> {
    let refuse = |code, message: String, help: String| Err(Refusal { code, message, help });
    let shown = shown(name);

    if !name.is_ascii() {
        let message = format!("`{shown}` is not a name Linkwright can carry into Rust, proto and SQL");
        return refuse("E201", message, format!("use ASCII letters and digits, like `{}`", kind.example()));
    }
    if name.len() > LONGEST {
        let message = format!("`{shown}` has {} characters; a name has at most {LONGEST}", name.len());
        return refuse("E201", message, "shorten it".to_owned());
    }
    if let Some(word) = rust::NEVER_RAW.iter().find(|word| word.eq_ignore_ascii_case(name)) {
        let message = match *word == name {
            true => format!("`{shown}` cannot be a name in Rust, not even as `r#{word}`"),
            false => format!(
                "`{shown}` is written `{word}` where Rust wants lower case (modules, variables), and that cannot be a name, \
                 not even as `r#{word}`"
            ),
        };
        let help = match kind.form() {
            Form::Snake => format!("call it `{name}_` or, better, say whose it is"),
            Form::Kebab | Form::Camel => "give it a second word, which says what or whose it is".to_owned(),
        };
        return refuse("E202", message, help);
    }
    if !kind.form().holds(name) {
        let message =
            format!("`{shown}` is not the name of {}, which is written like `{}`", kind.what(), kind.example());
        let help = match kind.form().fix(name) {
            Some(better) => format!("write `{better}`"),
            None => kind.form().rule().to_owned(),
        };
        return refuse("E201", message, help);
    }
    if kind.names_files() && rust::is_windows_device(name) {
        let message = format!("`{shown}` is a device on Windows, where no file or folder can have that name");
        return refuse("E203", message, "choose another word".to_owned());
    }
    if let Some(owner) = kind.taken_by(name) {
        let message = format!("`{shown}` is taken by {owner}");
        return refuse("E203", message, format!("choose a name of your domain{}", choice(name)));
    }
    if kind == Kind::EnumValue && matches!(name, "unspecified" | "unrecognised") {
        let whose = match name {
            "unspecified" => "proto's word for \"not set\"",
            _ => "Rust's for \"newer than me\"",
        };
        let message = format!("enum value `{name}` is {whose}");
        return refuse("E204", message, "write `unknown`, or leave the field optional".to_owned());
    }
    Ok(())
}

/// Whether a type of this name would meet one that emitted code stands on.
pub fn is_taken(name: &str) -> bool {
    Kind::Type.taken_by(name).is_some()
}

/// A name as a message shows it: control characters escaped, at most 80 characters.
pub fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    if name.chars().nth(80).is_some() {
        text.push('…');
    }
    text
}

/// How a name is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Kebab,
    Snake,
    Camel,
}

impl Form {
    fn holds(self, name: &str) -> bool {
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let words = |name: &str, separator| name.split(separator).all(|w| !w.is_empty() && w.bytes().all(lower));
        let starts_low = name.starts_with(|c: char| c.is_ascii_lowercase());
        match self {
            Self::Kebab => starts_low && words(name, '-'),
            Self::Snake => starts_low && words(name.strip_suffix('_').unwrap_or(name), '_'),
            Self::Camel => {
                name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        }
    }

    /// The same words in this form, if they can be brought into it.
    fn fix(self, name: &str) -> Option<String> {
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_- ".contains(&b)) {
            return None;
        }
        let fixed = match self {
            Self::Kebab => name.to_kebab_case(),
            Self::Snake => name.to_snake_case(),
            Self::Camel => name.to_upper_camel_case(),
        };
        self.holds(&fixed).then_some(fixed)
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Kebab => "lower-case ASCII letters and digits with `-` between words, a letter first",
            Self::Snake => "lower-case ASCII letters and digits with `_` between words, a letter first",
            Self::Camel => "ASCII letters and digits, a capital first",
        }
    }
}

impl Kind {
    /// With its article, for messages.
    pub fn what(self) -> &'static str {
        match self {
            Self::System => "a system",
            Self::Service => "a service",
            Self::External => "an external",
            Self::Operation => "an operation",
            Self::Feed => "a feed",
            Self::Field => "a field",
            Self::EnumValue => "an enum value",
            Self::Type => "a type",
            Self::Resource => "a resource",
            Self::Plural => "several of a resource",
            Self::Event => "an event",
            Self::Error => "an error",
            Self::Role => "a role",
            Self::Plan => "a plan",
        }
    }

    fn form(self) -> Form {
        match self {
            Self::System => Form::Kebab,
            Self::Type | Self::Resource | Self::Plural | Self::Event | Self::Error => Form::Camel,
            _ => Form::Snake,
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::System => "web-shop",
            Self::Service | Self::External => "stock_desk",
            Self::Operation => "place_order",
            Self::Feed => "stock_levels",
            Self::Field => "size",
            Self::EnumValue => "in_transit",
            Self::Type => "PostalAddress",
            Self::Resource => "Order",
            Self::Plural => "Orders",
            Self::Event => "OrderPlaced",
            Self::Error => "OutOfStock",
            Self::Role | Self::Plan => "stock_keeper",
        }
    }

    /// Whether a file or folder is called so.
    fn names_files(self) -> bool {
        !matches!(self, Self::Field | Self::EnumValue | Self::Error | Self::Role | Self::Plan)
    }

    fn taken_by(self, name: &str) -> Option<&'static str> {
        let key = key(name);
        let among = |words: &[&str]| words.contains(&key.as_str());
        match self {
            Self::Type | Self::Resource | Self::Event | Self::Error if among(PRELUDE) => Some("Rust's prelude"),
            Self::Type | Self::Resource | Self::Event | Self::Error if among(GRAPHQL) => Some("GraphQL"),
            Self::Error if key == "failure" => Some("the error that every operation may end in"),
            Self::Type | Self::Resource | Self::Event if among(TRAITS) => Some("Rust's prelude"),
            Self::Type | Self::Resource | Self::Event if among(SCALARS) => Some("a scalar type of every contract"),
            Self::Type | Self::Resource | Self::Event if among(KIT) => Some("the kit: every contract uses it"),
            Self::Resource if key == "rpc" => Some("JSON-RPC, whose own methods begin with `rpc.`"),
            Self::Resource if key == "etag" => Some("the revision that every resource has"),
            Self::Operation if among(METHODS) => {
                Some("emitted Rust: what it is called through has a function of that name itself")
            }
            Self::Service | Self::External if among(&["broker", "database"]) => {
                Some("the system: its `…_URL` says where that is")
            }
            _ => None,
        }
    }
}

// All as keys.

/// Types and variants that are in scope everywhere in Rust.
const PRELUDE: &[&str] = &["option", "result", "string", "vec", "box", "error", "ok", "err", "some", "none"];

/// Types that every GraphQL schema has or may have.
const GRAPHQL: &[&str] = &["query", "mutation", "subscription", "int", "float", "boolean", "id", "pageinfo"];

/// Traits that are in scope everywhere in Rust.
const TRAITS: &[&str] = &[
    "send",
    "sync",
    "sized",
    "copy",
    "clone",
    "drop",
    "fn",
    "fnmut",
    "fnonce",
    "asyncfn",
    "asyncfnmut",
    "asyncfnonce",
    "toowned",
    "tostring",
    "asref",
    "asmut",
    "into",
    "from",
    "tryfrom",
    "tryinto",
    "default",
    "iterator",
    "intoiterator",
    "fromiterator",
    "extend",
    "doubleendediterator",
    "exactsizeiterator",
    "eq",
    "partialeq",
    "ord",
    "partialord",
    "future",
    "intofuture",
    "unpin",
];

/// What shared pointers and the clients of tonic have themselves, so that what is behind them would not be asked.
const METHODS: &[&str] = &[
    "clone",
    "drop",
    "into",
    "tryinto",
    "toowned",
    "asref",
    "new",
    "withorigin",
    "withinterceptor",
    "sendcompressed",
    "acceptcompressed",
    "maxdecodingmessagesize",
    "maxencodingmessagesize",
];

/// What the scalars of the language are called in Rust and GraphQL.
const SCALARS: &[&str] =
    &["uint32", "int64", "uint64", "decimal", "uuid", "datetime", "date", "duration", "bytes", "json"];

/// What every operation takes and may end in.
const KIT: &[&str] = &["context", "failure"];

/// A suggestion for the names people reach for.
fn choice(name: &str) -> &'static str {
    match name {
        "Option" => ", for example `Choice`",
        "Result" => ", for example `Outcome`",
        "Error" => ", for example `Fault`",
        "Context" => ", for example `Situation`",
        _ => "",
    }
}

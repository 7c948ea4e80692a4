//! Random names and texts: plain ones, and such as mean something to one of the targets.

use std::collections::BTreeSet;

use fastrand::Rng;
use generator::names::rules::{self, Kind};

/// Keywords, names of generated variables, names of libraries: all of them are names a design may want.
const SNAKES: &[&str] = &[
    "type",
    "match",
    "async",
    "fn",
    "input",
    "output",
    "cx",
    "state",
    "query",
    "body",
    "item",
    "result",
    "request",
    "tx",
    "store",
    "name",
    "value",
    "ok",
    "err",
    "context",
    "i32",
    "string",
    "vec",
    "option",
    "data",
    "new",
    "draft",
    "box",
    "dyn",
    "yield",
    "default",
    "from",
    "into",
    "clone",
    "len",
    "kind",
    "gen",
    "try",
    "final",
    "macro",
    "await",
    "node",
    "edges",
    "message",
    "enum",
    "service",
    "rpc",
    "oneof",
    "repeated",
    "http_2_url",
    "x1",
    "a",
    "self_",
    "some",
    "none",
    "true",
    "false",
    "null",
    "select",
    "order",
    "group",
    "index",
    "rowid",
    "link",
    "client",
    "server",
    "call",
    "answer",
    "found",
    "format",
    "std",
    "serde",
    "tests",
    "shared",
    "kit",
    "core",
    "main",
    "lib",
    "app",
    "error",
    "event",
    "events",
    "rest",
    "grpc",
    "graphql",
    "operations",
    "filters",
    "page_info",
    "first",
    "where",
    "set",
    "to",
    "error_type",
    "encode",
    "decode",
    "into_inner",
];

const CAMELS: &[&str] = &[
    "Context",
    "Router",
    "Arc",
    "Value",
    "Uuid",
    "Json",
    "Duration",
    "Stream",
    "Message",
    "Request",
    "Status",
    "Order",
    "Service",
    "Client",
    "Server",
    "Failure",
    "Etag",
    "Page",
    "Cursor",
    "Path",
    "State",
    "Event",
    "Link",
    "Policy",
    "Any",
    "Timestamp",
    "Empty",
    "Struct",
    "Point",
    "Type",
    "Future",
    "Pin",
    "Send",
    "Clone",
    "Default",
    "Debug",
    "From",
    "Iterator",
    "Node",
    "PageInfo",
    "Date",
    "DateTime",
    "Bytes",
    "Kind",
    "HTTPCode",
    "A",
    "X9y",
    "Url",
    "Problem",
    "Response",
    "Method",
    "Key",
    "Items",
    "Script",
    "Serialize",
    "Regex",
    "Violations",
    "Validate",
    "Etags",
    "Decimal",
    "List",
    "Map",
];

const TEXTS: &[&str] = &[
    "Plain words.",
    "it's \"quoted\"",
    "*/ /* //",
    "\"\"\"",
    "#} {# {{x}} {0} {}",
    "</script><!-- -->",
    "$(id) `id` ${HOME}",
    "back\\slash \\u{0} \\n \\",
    "\u{202e}drawkcab\u{202c}",
    "é 日本 😀",
    "a\nb\r\nc",
    "\ttabs\t",
    "'''",
    "%s %1$s",
    "r#\"x\"#",
    "]]> &amp; <b>",
    "---\nkey: value",
    "@deprecated",
    "\u{0}\u{7f}",
    "# head\n\n- item",
    "trailing ",
    " ",
    "[link](x) *b* _i_ |",
];

/// A text of any kind; now and then a long one.
pub fn text(rng: &mut Rng) -> String {
    match rng.u32(0..40) {
        0 => "0123456789".repeat(1000),
        1..5 => (0..rng.usize(1..6)).map(|_| TEXTS[rng.usize(0..TEXTS.len())]).collect(),
        5..8 => (0..rng.usize(0..20)).map(|_| rng.char(..)).collect(),
        _ => TEXTS[rng.usize(0..TEXTS.len())].to_owned(),
    }
}

/// A text of one line, with something in it, without control characters: what TOML lets a string hold, and a design.
pub fn line(rng: &mut Rng) -> String {
    let line: String = text(rng).chars().filter(|c| !c.is_control()).collect();
    if line.trim().is_empty() { "words".to_owned() } else { line }
}

pub fn kebab(rng: &mut Rng) -> String {
    ["shop", "a-1", "x", "the-long-name-of-a-system"][rng.usize(0..4)].to_owned()
}

/// A word of the pool that has not been given out, or a plain one.
fn some(words: &mut Words, kind: Kind, pool: &[&str], plain: String) -> String {
    let word = pool[words.rng.usize(0..pool.len())];
    let wanted = words.rng.u32(0..3) == 0 && rules::check(kind, word).is_ok();
    if wanted && words.taken.insert(word.to_owned()) { word.to_owned() } else { plain }
}

/// Where words come from, and which of the special ones are given out already.
pub struct Words<'a> {
    pub rng: &'a mut Rng,
    pub taken: &'a mut BTreeSet<String>,
}

pub fn field(words: &mut Words, number: usize) -> String {
    some(words, Kind::Field, SNAKES, format!("f{number}"))
}

pub fn value(words: &mut Words, number: usize) -> String {
    some(words, Kind::EnumValue, SNAKES, format!("v{number}"))
}

pub fn operation(words: &mut Words, number: usize) -> String {
    some(words, Kind::Operation, SNAKES, format!("do{number}"))
}

pub fn service(words: &mut Words, number: usize) -> String {
    some(words, Kind::Service, SNAKES, format!("s{number}"))
}

/// A type, resource or event: they share their names, so each is told from the others by its prefix.
pub fn camel(words: &mut Words, prefix: &str, number: usize) -> String {
    some(words, Kind::Type, CAMELS, format!("{prefix}{number}"))
}

/// `OrderLine` as `order_line`, as far as it matters here.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

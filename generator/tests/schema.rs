//! The JSON Schema of designs and the reader of designs say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use generator::{
    design::{self, Word},
    disk::load,
    parse::{self, keys},
    source::{Source, Sources},
};
use serde_json::Value;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn schema() -> Value {
    let text = fs::read_to_string(repository().join("generator/design.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

/// A design as an editor's validator sees it: included files are validated by themselves, and dates are text.
fn as_json(path: &Path) -> Option<Value> {
    fn plain(value: Value) -> Value {
        match value {
            Value::Object(object) => match object.get("$__toml_private_datetime") {
                Some(moment) => moment.clone(),
                None => object.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            },
            Value::Array(items) => items.into_iter().map(plain).collect(),
            value => value,
        }
    }
    let text = fs::read_to_string(path).expect("a design");
    toml_edit::de::from_str(&text).ok().map(plain)
}

fn designs(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = repository()
        .join(folder)
        .read_dir()
        .expect("a folder of designs")
        .map(|entry| entry.expect("an entry of it").path())
        .map(|path| if path.is_dir() { path.join("design.toml") } else { path })
        .collect();
    files.sort();
    files
}

#[test]
fn is_a_schema() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn has_the_keys_of_the_reader() {
    let schema = schema();
    let in_schema: BTreeMap<&str, BTreeSet<&str>> = schema["$defs"]
        .as_object()
        .expect("definitions")
        .iter()
        .map(|(name, definition)| (name.as_str(), definition))
        .chain([("root", &schema)])
        .filter_map(|(name, table)| Some((name, table["properties"].as_object()?.keys().map(String::as_str).collect())))
        .collect();
    let in_reader = keys::TABLES.iter().map(|(name, keys)| (*name, keys.iter().copied().collect())).collect();
    assert_eq!(in_schema, in_reader);
}

#[test]
fn describes_every_key() {
    let schema = schema();
    for (name, _) in keys::TABLES {
        let table = if *name == "root" { &schema } else { &schema["$defs"][name] };
        assert_eq!(table["additionalProperties"], false, "{name}");
        for (key, property) in table["properties"].as_object().expect("properties") {
            let target = property["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/"));
            let described = [Some(property), target.map(|target| &schema["$defs"][target])];
            let described = described.into_iter().flatten().any(|place| place["description"].is_string());
            assert!(described, "{name}.{key}");
        }
    }
}

#[test]
fn has_the_words_of_the_reader() {
    fn words<W: Word>() -> Vec<&'static str> {
        W::WORDS.iter().map(|(word, _)| *word).collect()
    }
    let sets = [
        ("broker", words::<design::Broker>()),
        ("store", words::<design::Store>()),
        ("auth", words::<design::Auth>()),
        ("tls", words::<design::Tls>()),
        ("compat", words::<design::Compat>()),
        ("transport", words::<design::Transport>()),
        ("versioning", words::<design::Versioning>()),
        ("verb_word", words::<design::Verb>()),
        ("idempotent", words::<design::Idempotent>()),
        ("conflict", words::<design::Conflict>()),
        ("speaks", words::<design::Speaks>()),
        ("auth_scheme", words::<design::AuthScheme>()),
        ("sign_scheme", words::<design::SignScheme>()),
        ("name_case", words::<design::NameCase>()),
        ("paging_style", words::<design::PagingStyle>()),
        ("via", words::<design::Via>()),
        ("answer", words::<design::Answer>()),
        ("consistency", words::<design::Consistency>()),
        ("fallback", words::<design::Fallback>()),
        ("delivery", words::<design::Delivery>()),
        ("start", words::<design::Start>()),
        ("system_store", vec!["sqlite", "postgres"]),
    ];
    let schema = schema();
    for (name, words) in &sets {
        assert_eq!(schema["$defs"][name]["enum"], serde_json::json!(words), "{name}");
    }
    let enums = schema["$defs"].as_object().expect("definitions").values().filter(|d| d["enum"].is_array()).count();
    assert_eq!(enums, sets.len());
}

#[test]
fn accepts_what_the_reader_accepts() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    for path in designs("tests/designs") {
        let (_, diagnostics) = load::load(&path).parse();
        assert!(diagnostics.is_empty(), "{}: {diagnostics:#?}", path.display());
        let errors: Vec<_> = validator
            .iter_errors(&as_json(&path).expect("TOML"))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

/// A place in a design: the name of its table in the schema, the key, and the way there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    table: String,
    key: String,
    pointer: String,
}

/// Every key of `value`, by the parts of the schema that describe it.
fn places(schema: &Value, node: &Value, value: &Value, pointer: &str, table: &str, found: &mut BTreeSet<Place>) {
    if let Some(target) = node["$ref"].as_str() {
        let name = target.trim_start_matches("#/$defs/");
        places(schema, &schema["$defs"][name], value, pointer, name, found);
    }
    for alternative in node["anyOf"].as_array().into_iter().flatten() {
        places(schema, alternative, value, pointer, table, found);
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        places(schema, &node["items"], item, &format!("{pointer}/{at}"), table, found);
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        if let Some(property) = node["properties"].get(key) {
            found.insert(Place { table: table.to_owned(), key: key.clone(), pointer: pointer.clone() });
            places(schema, property, inner, &pointer, table, found);
        }
        let others = node["patternProperties"].as_object().into_iter().flatten().map(|(_, others)| others);
        for other in others.chain([&node["additionalProperties"]]) {
            places(schema, other, inner, &pointer, table, found);
        }
    }
}

fn every_key() -> Value {
    as_json(&repository().join("generator/tests/designs/every-key.toml")).expect("TOML")
}

fn every_place(design: &Value) -> BTreeSet<Place> {
    let (schema, mut found) = (schema(), BTreeSet::new());
    places(&schema, &schema, design, "", "root", &mut found);
    found
}

/// The part of a design in which a place is: its service, command, link, and the system's name.
fn excerpt(design: &Value, pointer: &str) -> Value {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    let maps = ["services", "externals", "links", "types", "commands", "queries", "resources", "events", "feeds"];
    let mut excerpt = design.clone();
    let mut inner = &mut excerpt;
    for pair in parts.windows(2).step_by(2).take_while(|pair| maps.contains(&pair[0])) {
        let object = inner.as_object_mut().expect("a table");
        object.retain(|key, _| key == pair[0]);
        let named = object[pair[0]].as_object_mut().expect("a table of names");
        named.retain(|key, _| key == pair[1]);
        inner = &mut named[pair[1]];
    }
    excerpt["system"]["name"] = Value::String("x".to_owned());
    excerpt
}

/// What the reader says about a design.
fn mistakes(design: &Value) -> Vec<(&'static str, String)> {
    let text = toml_edit::ser::to_string(design).expect("TOML");
    let source = Source { path: "design.toml".into(), location: PathBuf::new(), text: text.into() };
    let (_, diagnostics) = parse::parse(&Sources(vec![source]));
    diagnostics.into_iter().map(|diagnostic| (diagnostic.code, diagnostic.message)).collect()
}

/// The schema without what names may look like, which the reader leaves to the checker.
fn schema_without_names() -> Value {
    fn without(value: Value) -> Value {
        match value {
            Value::Object(object) => {
                let kept = object.into_iter().filter(|(key, _)| key != "propertyNames");
                kept.map(|(key, value)| (key, without(value))).collect()
            }
            Value::Array(items) => items.into_iter().map(without).collect(),
            value => value,
        }
    }
    without(schema())
}

#[test]
fn the_design_with_every_key_has_every_key() {
    let (_, diagnostics) = load::load(&repository().join("generator/tests/designs/every-key.toml")).parse();
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let there: BTreeSet<_> = every_place(&every_key()).into_iter().map(|place| (place.table, place.key)).collect();
    for (table, keys) in keys::TABLES {
        for key in *keys {
            assert!(there.contains(&((*table).to_owned(), (*key).to_owned())), "{table}.{key}");
        }
    }
}

/// Each key in turn gets values that are right or wrong for it; both judge alike.
#[test]
fn judges_each_value_as_the_reader_does() {
    let validator = jsonschema::validator_for(&schema_without_names()).expect("a schema");
    let good = every_key();
    let values = serde_json::json!([
        [[true]], "", "a b c", "two\nlines", "grpc", "yes", "none", "5s", "0s", "60/1m", "50ms..1s", "0 3 * * *", "99.9%",
        "2026-01-01", "1.2.3", "stream Card", "Card[]", "file:x.csv", "file:x.pdf", "POST /x/{y}", "POST x", "changes",
        "standard", 0, 1, 5000000000_i64, 0.5, 100.5, true, false, [], ["x", "x"], [""], ["rest"], {}, {"x": "string"},
        {"x": 1}, {"x": {}}, {"1": {}}, {"0": {}}, {"x": "60/1m"}, {"Err": "conflict with Card"}, {"Err": "oops"},
        {"name": "x"}, {"style": "page"}, {"scheme": "standard"}, {"size": 0}
    ]);
    let values = values.as_array().expect("values");
    let mut disagreements = BTreeSet::new();
    let (mut accepted, mut refused) = (0, 0);
    let places: BTreeMap<_, _> = every_place(&good).into_iter().map(|p| ((p.table, p.key), p.pointer)).collect();
    // Sections are tables of names, and the system's name is the checker's too.
    let is_name = |table: &str, key: &str| table == "root" || (table, key) == ("system", "name");
    for ((table, key), pointer) in places.into_iter().filter(|((table, key), _)| !is_name(table, key)) {
        let good = excerpt(&good, &pointer);
        // The schema does not read type expressions, but it knows what a record's name looks like.
        let is_body = ["input", "output", "payload"].contains(&key.as_str());
        for value in values {
            let mut design = good.clone();
            *design.pointer_mut(&pointer).expect("a place") = value.clone();
            let said = mistakes(&design);
            let mut of_shape = said
                .iter()
                .filter(|(code, _)| is_body && value.is_string() || *code == "E303" || !code.starts_with("E3"));
            let (schema, reader) = (validator.is_valid(&design), of_shape.next().is_none());
            if schema {
                accepted += 1
            } else {
                refused += 1
            }
            if schema != reader {
                disagreements.insert(format!("{table}.{key} = {value}: {said:?}"));
            }
        }
    }
    let count = disagreements.len();
    let shown: Vec<_> = disagreements.into_iter().take(60).collect();
    assert!(shown.is_empty(), "{count} disagreements: {shown:#?}");
    assert!(accepted > 500 && refused > 5000, "{accepted} {refused}");
}

/// Each table in turn gets a key that is not one, and loses each of its keys.
#[test]
fn judges_each_table_as_the_reader_does() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let good = every_key();
    let places = every_place(&good);
    let tables: BTreeSet<&str> =
        places.iter().filter_map(|place| place.pointer.rsplit_once('/')).map(|(table, _)| table).collect();
    for table in tables {
        let mut design = excerpt(&good, &format!("{table}/x"));
        let object = design.pointer_mut(table).and_then(Value::as_object_mut).expect("a table");
        object.insert("quatsch".to_owned(), Value::Bool(true));
        assert!(!validator.is_valid(&design), "{table}");
        assert!(mistakes(&design).iter().any(|(code, said)| *code == "E101" && said.contains("`quatsch`")), "{table}");
    }
    // An included file has no `[system]`, and editors look at each file alone.
    for place in places.iter().filter(|place| place.pointer != "/system") {
        let mut design = excerpt(&good, &place.pointer);
        let (table, key) = place.pointer.rsplit_once('/').expect("a place");
        design.pointer_mut(table).and_then(Value::as_object_mut).expect("a table").shift_remove(key);
        let said = mistakes(&design);
        assert_eq!(validator.is_valid(&design), said.is_empty(), "without {}: {said:?}", place.pointer);
    }
}

/// The designs of each broken folder whose mistake is one of shape.
#[test]
fn refuses_broken_designs() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    // What is in a type expression, in another file or said twice in the text is not a matter of shape.
    let shape = ["E101", "E102", "E105", "E106", "E107", "E109", "E110", "E303", "E308"];
    let mut refused = 0;
    for path in designs("tests/broken") {
        let name = path.parent().and_then(Path::file_name).expect("a folder").to_string_lossy().into_owned();
        let Some(json) = as_json(&path) else { continue };
        if shape.iter().any(|code| name.starts_with(code)) {
            refused += 1;
            assert!(!validator.is_valid(&json), "{name}");
        }
    }
    assert!(refused > 10, "{refused}");
}

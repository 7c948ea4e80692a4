//! Any text is understood or refused, never panicked at; what is understood is sound.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{collections::BTreeSet, fs, path::Path};

use generator::{
    fit,
    model::{
        Field, Input, Model, Output, Payload, ResourceRef, Segment, Shape, StreamItem, Target, Type, TypeDef, TypeRef,
        Versioning,
    },
    names,
    source::{Source, Sources},
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof, proptest},
    prop_assert,
    sample::{Index, select},
};

fn understand(text: &str) -> Result<Model, Vec<generator::diagnostic::Diagnostic>> {
    let source = Source { path: "design.toml".into(), location: "design.toml".into(), text: text.into() };
    generator::understand(&Sources(vec![source]))
}

/// The designs of the tests, right and wrong.
fn designs() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let mut designs = Vec::new();
    for folder in ["models", "broken"] {
        for entry in fs::read_dir(tests.join(folder)).expect("the designs").flatten() {
            designs.extend(fs::read_to_string(entry.path().join("design.toml")));
        }
    }
    assert!(designs.len() > 50, "{}", designs.len());
    designs
}

/// Names that meet each other, Rust, proto and the kit.
const CAMEL: &[&str] = &[
    "Order",
    "Orders",
    "OrderId",
    "NewOrder",
    "Item",
    "ITEM",
    "Line",
    "LineList",
    "Type",
    "Box",
    "Series",
    "Placed",
    "GoRequest",
    "A",
];
const SNAKE: &[&str] =
    &["order", "orders", "go", "get_order", "item", "item_id", "id", "type", "self", "a_b", "ab", "on", "con", "x_ids"];
const TYPES: &[&str] = &[
    "string",
    "u32(1..9)",
    "uuid",
    "f64",
    "json",
    "bytes",
    "enum(a, b)",
    "enum(a_b, ab) = ab",
    "map<%>",
    "map<%, u32>",
    "%",
    "%?",
    "%[]",
    "%[1..3]",
    "%[][]",
    "ref %",
    "ref %?",
    "ref %[]",
    "one.%",
    "string unique",
    "% readonly",
    "% = a",
    "string pii",
    "decimal(12,2) = 1.5",
];

fn camel() -> impl Strategy<Value = String> {
    select(CAMEL).prop_map(str::to_owned)
}

fn snake() -> impl Strategy<Value = String> {
    select(SNAKE).prop_map(str::to_owned)
}

fn ty() -> impl Strategy<Value = String> {
    (select(TYPES), camel()).prop_map(|(ty, name)| ty.replace('%', &name))
}

fn fields() -> impl Strategy<Value = String> {
    vec((snake(), ty()), 0..4).prop_map(|fields| {
        let mut seen = BTreeSet::new();
        let fields: Vec<_> = fields
            .into_iter()
            .filter(|(name, _)| seen.insert(name.clone()))
            .map(|(name, ty)| format!("{name} = \"{ty}\""))
            .collect();
        format!("{{ {} }}", fields.join(", "))
    })
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => fields(),
        2 => camel().prop_map(|name| format!("\"{name}\"")),
        1 => camel().prop_map(|name| format!("\"stream {name}\"")),
    ]
}

fn service() -> impl Strategy<Value = String> {
    select(vec!["one", "two", "three", "order"]).prop_map(str::to_owned)
}

/// A table of a design.
fn table() -> impl Strategy<Value = String> {
    let record = (camel(), fields()).prop_map(|(name, fields)| format!("[types]\n{name} = {fields}"));
    let union = (camel(), camel(), camel()).prop_map(|(name, a, b)| format!("[types]\n{name} = \"{a} | {b}\""));
    let resource = (service(), camel(), fields(), vec(select(vec!["list", "get", "create", "patch"]), 0..3), snake())
        .prop_map(|(service, name, fields, verbs, path)| {
            let verbs: BTreeSet<_> = verbs.into_iter().collect();
            format!(
                "[services.{service}.resources.{name}]\nverbs = {verbs:?}\nfields = {fields}\nfilter = [\"{path}\"]\n\
                 create = {{ calls = [\"{path}\"], emits = [\"{name}\"] }}"
            )
        });
    let event = (service(), camel(), body())
        .prop_map(|(service, name, body)| format!("[services.{service}.events.{name}]\npayload = {body}"));
    let keys = vec(
        prop_oneof![
            body().prop_map(|body| format!("input = {body}")),
            body().prop_map(|body| format!("output = {body}")),
            camel().prop_map(|name| format!("of = \"{name}\"")),
            camel().prop_map(|name| format!("on = [\"{name}\"]")),
            camel().prop_map(|name| format!("emits = [\"{name}\"]")),
            snake().prop_map(|name| format!(
                "calls = [\"{name}\", {{ call = \"two.{name}\", with = {{ id = \"{name}.id\" }} }}]"
            )),
            snake().prop_map(|name| format!("rest = \"GET /{name}/{{{name}}}\"")),
            Just("idempotent = \"no\"".to_owned()),
        ],
        0..4,
    );
    let operation =
        (service(), select(vec!["queries", "commands"]), snake(), keys).prop_map(|(service, kind, name, keys)| {
            let mut seen = BTreeSet::new();
            let keys: Vec<_> =
                keys.into_iter().filter(|key| seen.insert(key.split(' ').next().map(str::to_owned))).collect();
            format!("[services.{service}.{kind}.{name}]\n{}", keys.join("\n"))
        });
    let link = (
        service(),
        prop_oneof![service(), camel(), snake(), snake().prop_map(|name| format!("two.{name}"))],
        select(vec!["grpc", "queue", "rest"]),
    )
        .prop_map(|(from, to, via)| {
            format!("[links.{from}.\"{to}\"]\nvia = \"{via}\"\nretry = {{ attempts = 2 }}\nfallback = \"default\"")
        });
    prop_oneof![record, union, resource, event, operation, link]
}

/// Numbers to choose by.
struct Choices<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Choices<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.0.next().map_or(0, |choice| usize::from(*choice) % end)
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

const SERVICES: [&str; 3] = ["orders", "stock", "mail"];
const RESOURCES: [&str; 3] = ["Order", "Item", "Letter"];
const EVENTS: [&str; 3] = ["OrderPlaced", "ItemMoved", "LetterSent"];
const RECORDS: [&str; 4] = ["Alpha", "Beta", "Gamma", "Delta"];

/// A type that may stand in a field of anything; of records only those before `until` may be required.
fn right_type(choices: &mut Choices, until: usize) -> String {
    let any = choices.of(&RECORDS).to_owned();
    match choices.below(12) {
        0 => "string(1..40)".to_owned(),
        1 => "u64".to_owned(),
        2 => "Color = red".to_owned(),
        3 => "enum(up, down) = up".to_owned(),
        4 => format!("{any}?"),
        5 => format!("{any}[]"),
        6 => format!("map<{any}>"),
        7 => "Either?".to_owned(),
        8 => "decimal(9,2)?[]".to_owned(),
        9 => "map<Color, timestamp[]>".to_owned(),
        10 if until > 0 => RECORDS[choices.below(until)].to_owned(),
        _ => "bool".to_owned(),
    }
}

fn right_fields(choices: &mut Choices, until: usize) -> String {
    let words = ["left", "right", "above", "below"];
    let mut fields: Vec<_> =
        (0..=choices.below(4)).map(|i| format!("{} = \"{}\"", words[i], right_type(choices, until))).collect();
    if choices.below(4) == 0 {
        fields.push(format!("other_id = \"ref {}?\"", choices.of(&RESOURCES)));
    }
    format!("{{ {} }}", fields.join(", "))
}

fn right_body(choices: &mut Choices, resource: &str) -> String {
    match choices.below(4) {
        0 => right_fields(choices, RECORDS.len()),
        1 if !resource.is_empty() => format!("\"{resource}\""),
        _ => format!("\"{}\"", choices.of(&RECORDS)),
    }
}

/// A design that is right, whatever is chosen.
fn right_design(numbers: &[u8]) -> String {
    let choices = &mut Choices(numbers.iter().cycle());
    let mut text =
        "[system]\nname = \"x\"\n\n[types]\nColor = \"enum(red, green)\"\nEither = \"Alpha | Beta\"\n".to_owned();
    for (i, record) in RECORDS.iter().enumerate() {
        text += &format!("{record} = {}\n", right_fields(choices, i));
    }
    for (i, service) in SERVICES.iter().enumerate() {
        let (resource, event) = (RESOURCES[i], EVENTS[i]);
        let next = (i + 1) % SERVICES.len();
        let expose = choices.of(&["[]", "[\"rest\"]", "[\"grpc\", \"graphql\"]", "[\"rest\", \"queue\"]"]);
        text += &format!("\n[services.{service}]\nexpose = {expose}\n");
        let verbs = choices.of(&["[]", "[\"list\", \"get\"]", "[\"create\", \"delete\"]", "[\"replace\", \"patch\"]"]);
        text += &format!(
            "resources.{resource} = {{ verbs = {verbs}, fields = {} }}\n",
            right_fields(choices, RECORDS.len())
        );
        text += &format!("events.{event} = {{ payload = {} }}\n", right_body(choices, resource));
        let (input, output) = (right_body(choices, ""), right_body(choices, choices_resource(i)));
        text += &format!("queries.seek_{i} = {{ input = {input}, output = {output} }}\n");
        let of = choices.of(&["", "of = \"%\", "]).replace('%', resource);
        text += &format!("commands.act_{i} = {{ {of}input = {}, emits = [\"{event}\"], ", right_body(choices, ""));
        text += &format!(
            "calls = [\"{}.seek_{next}\"], errors = {{ Refused = \"conflict with Gamma\" }} }}\n",
            SERVICES[next]
        );
        text += &format!("commands.hear_{i} = {{ on = [\"{}\"] }}\n", EVENTS[choices.below(3)]);
        text += &format!("queries.flow_{i} = {{ output = \"stream {}\" }}\n", choices.of(&["Alpha", "Either", "Item"]));
        if choices.below(2) == 0 {
            let via = choices.of(&["rest", "grpc"]);
            text += &format!("[links.{service}.{}]\nvia = \"{via}\"\nfallback = \"default\"\n", SERVICES[next]);
        }
    }
    text
}

/// A resource that an answer of the service may hold.
fn choices_resource(service: usize) -> &'static str {
    RESOURCES[(service + 1) % RESOURCES.len()]
}

proptest! {
    /// What is right is not refused.
    #[test]
    fn right_designs_are_understood(numbers in vec(any::<u8>(), 1..200)) {
        let text = right_design(&numbers);
        match understand(&text) {
            Ok(model) => sound(&model),
            Err(found) => prop_assert!(false, "{:#?}\n{}", found, text),
        }
    }

    #[test]
    fn random_designs_are_judged(tables in vec(table(), 0..12)) {
        // A table that is there already would be a mistake of form.
        let mut seen = BTreeSet::new();
        let mut text = "[system]\nname = \"x\"\n".to_owned();
        let mut types = "[types]\n".to_owned();
        for table in tables {
            match table.strip_prefix("[types]\n") {
                Some(line) if seen.insert(line.split(' ').next().unwrap_or_default().to_owned()) => types += &format!("{line}\n"),
                Some(_) => {}
                None if seen.insert(table.lines().next().unwrap_or_default().to_owned()) => text += &format!("{table}\n"),
                None => {}
            }
        }
        judge(&(text + &types));
    }

    /// Lines removed, doubled, and their parts exchanged.
    #[test]
    fn damaged_designs_are_judged(which in any::<Index>(), damage in vec((any::<Index>(), any::<Index>(), 0..4u8), 1..5)) {
        let designs = designs();
        let mut lines: Vec<String> = which.get(&designs).lines().map(str::to_owned).collect();
        for (at, other, how) in damage {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match how {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other].clone()),
                2 => {
                    let value = lines[other].split_once('=').map(|(_, value)| value.to_owned());
                    if let (Some(value), Some((key, _))) = (value, lines[at].clone().split_once('=')) {
                        lines[at] = format!("{key}={value}");
                    }
                }
                _ => lines.swap(at, other),
            }
        }
        judge(&lines.join("\n"));
    }
}

fn judge(text: &str) {
    match understand(text) {
        Ok(model) => sound(&model),
        Err(found) => {
            assert!(!found.is_empty(), "refused without a word:\n{text}");
            for diagnostic in &found {
                assert!(
                    diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end <= text.len(),
                    "{diagnostic:?}"
                );
                assert!(diagnostic.help.is_some(), "no help: {diagnostic:?}");
            }
            assert!(found.windows(2).all(|two| two[0] != two[1]), "said twice: {found:?}");
        }
    }
}

#[test]
fn the_designs_of_the_tests_are_sound() {
    let understood = designs().iter().filter_map(|text| understand(text).ok()).map(|model| sound(&model)).count();
    assert!(understood >= 5, "{understood}");
}

/// Whatever a model names is in it.
fn sound(model: &Model) {
    for def in model.types.values() {
        match def {
            TypeDef::Record(record) => fields_sound(model, &record.fields),
            TypeDef::Union(union) => assert!(union.variants.iter().all(|name| fit::record(model, name).is_some())),
            TypeDef::Enum(own) => assert!(!own.values.is_empty()),
        }
    }
    for service in model.services.values() {
        let generated = names::generated::of_service(model, service);
        for name in generated.iter().map(|generated| names::key(&generated.name)) {
            assert!(!model.types.keys().any(|ty| names::key(ty) == name), "{name}");
        }
        for resource in service.resources.values() {
            fields_sound(model, &resource.fields);
            assert_eq!(resource.fields.first().map(|field| &field.name), Some(&resource.id));
        }
        for event in service.events.values() {
            match &event.payload {
                Payload::Named(name) => assert!(fit::record(model, name).is_some()),
                Payload::Resource(of) => resource_sound(model, of),
                Payload::Fields(fields) => fields_sound(model, fields),
            }
        }
        for operation in service.operations.values() {
            let version = Segment::Literal(format!("v{}", service.version));
            let begins = operation.route.path.first() == Some(&version);
            assert_eq!(begins, service.versioning == Versioning::Path, "{:?}", operation.route);
            assert!(fit::taken(model, &service.name, operation).is_some());
            for call in &operation.calls {
                assert!(fit::operation(model, &call.to).is_some());
                let linked = |link: &&generator::model::Link| {
                    link.from == service.name
                        && match &link.to {
                            Target::Service { service, .. } => *service == call.to.service,
                            Target::Operation { to, .. } => *to == call.to,
                            Target::Event(_) => false,
                        }
                };
                assert!(model.links.iter().any(|link| linked(&link)), "{} calls without a link", operation.name);
            }
            for event in &operation.on {
                assert!(fit::payload(model, event).is_some());
                assert!(
                    model.links.iter().any(|link| link.from == service.name && link.to == Target::Event(event.clone()))
                );
            }
            assert!(operation.emits.iter().all(|event| service.events.contains_key(event)));
            let Shape::Custom { of, input, output } = &operation.shape else { continue };
            assert!(of.as_ref().is_none_or(|of| service.resources.contains_key(of)));
            if let Input::Fields(fields) = input {
                fields_sound(model, fields);
            }
            match output {
                Output::Fields(fields) => fields_sound(model, fields),
                Output::Named(name) => assert!(fit::record(model, name).is_some()),
                Output::Stream(StreamItem::Named(name)) => assert!(model.types.contains_key(name)),
                Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => resource_sound(model, of),
                Output::None | Output::Item => {}
            }
        }
    }
}

fn fields_sound(model: &Model, fields: &[Field]) {
    let keys: BTreeSet<_> = fields.iter().map(|field| names::key(&field.name)).collect();
    assert_eq!(keys.len(), fields.len());
    for part in fields.iter().flat_map(|field| fit::parts(&field.ty)) {
        match part {
            Type::Named(TypeRef { service: None, name }) => assert!(model.types.contains_key(name), "{name}"),
            Type::Named(TypeRef { service: Some(service), name }) => {
                assert!(model.services.get(service).is_some_and(|service| service.enums.contains_key(name)), "{name}");
            }
            Type::Resource(of) | Type::Ref(of) => resource_sound(model, of),
            Type::Scalar(_) | Type::List { .. } | Type::Optional(_) | Type::Map { .. } => {}
        }
    }
}

fn resource_sound(model: &Model, of: &ResourceRef) {
    assert!(fit::resource(model, of).is_some(), "{of:?}");
}

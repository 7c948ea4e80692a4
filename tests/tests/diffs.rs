//! Every folder of `diffs/` holds two designs, `old.toml` and `new.toml`, and what is said of the difference.
//! `UPDATE=1 cargo test -p tests --test diffs` writes the expected texts anew.
//!
//! Foreign tools judge the documents of each pair: buf the proto files, graphql-inspector the schemas, optic the OpenAPI
//! documents and the schemas of messages, AsyncAPI diff the channels and operations. Where a verdict differs from ours on
//! purpose, `differs.txt` says why in a line that begins with the kind of contract. `.ci/run` installs the tools.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use generator::{
    Understood,
    contracts::{asyncapi, fronted, graphql, openapi, proto, schema, wire::WireLock},
    diff::{Contract, Difference, Kind, RULES, Severity, Version, diff, show::Texts},
    disk::load,
    model::{Model, Resource, Service, Transport, TypeDef},
    source::Sources,
};
use serde_json::{Value, json};

struct Case {
    name: String,
    folder: PathBuf,
    old: (Sources, Understood),
    new: (Sources, Understood),
    differences: Vec<Difference>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("diffs");
    let mut folders: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let design = |path: PathBuf| {
        let files = load::load(&path);
        let understood = generator::understood(files.parse());
        let understood = understood.unwrap_or_else(|found| panic!("{}: {found:#?}", path.display()));
        (files.sources, understood)
    };
    let case = |folder: PathBuf| {
        let (old, new) = (design(folder.join("old.toml")), design(folder.join("new.toml")));
        let wire = WireLock::default();
        let version = |understood| Version { understood, wire: &wire };
        let differences = diff(version(&old.1), version(&new.1));
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        Case { name, folder, old, new, differences }
    };
    folders.into_iter().map(case).collect()
}

#[test]
fn differences_are_said_as_expected() {
    let update = env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    for case in cases() {
        let texts = Texts::new(&case.old.0, &case.new.0);
        let shown: Vec<String> = case.differences.iter().map(|difference| texts.render(difference, false)).collect();
        let (text, expected) = (shown.join("\n"), case.folder.join("expected.txt"));
        if update {
            fs::write(&expected, &text).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            failures.push(format!("{}: says something else than expected:\n{text}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}\n(UPDATE=1 accepts what is said)", failures.join("\n"));
}

/// Each rule but that of the lock, which is no part of a design, is shown by a case.
#[test]
fn every_rule_is_shown() {
    let cases = cases();
    let shown: BTreeSet<&str> = cases.iter().flat_map(|case| &case.differences).map(|found| found.rule.id).collect();
    let missing: Vec<&str> = RULES.iter().map(|rule| rule.id).filter(|id| !shown.contains(id)).collect();
    assert_eq!(missing, ["wire-number-changed"]);
}

#[test]
fn foreign_judges_agree_or_the_case_says_why_not() {
    let Some(tools) = tools() else { return };
    let cases = cases();
    let mut verdicts = judged(&cases, &tools);
    bufs(&cases, &tools, &mut verdicts);
    let (mut compared, mut broken, mut failures) = (0, 0, Vec::new());
    for case in &cases {
        let reasons = fs::read_to_string(case.folder.join("differs.txt")).unwrap_or_default();
        let mut excused: BTreeSet<&str> =
            reasons.lines().filter_map(|line| line.split_once(": ")).map(|r| r.0).collect();
        for kind in Kind::ALL {
            // Nobody else compares documents of OpenRPC.
            if kind == Kind::Jsonrpc || !has(&case.old.1, kind) {
                continue;
            }
            let theirs = &verdicts[&case.name][&kind];
            let ours: Vec<&str> = breaking(case, kind).map(|difference| difference.rule.id).collect();
            compared += 1;
            broken += usize::from(!ours.is_empty());
            let differs = ours.is_empty() != theirs.is_empty();
            match (differs, excused.remove(kind.name())) {
                (true, false) => {
                    let name = &case.name;
                    failures.push(format!("{name}, {}: we say {ours:?}, they {theirs:#?}", kind.name()));
                }
                (false, true) => failures.push(format!("{}: agrees on {} after all", case.name, kind.name())),
                _ => {}
            }
        }
        failures.extend(excused.iter().map(|kind| format!("{}: has no contract {kind}", case.name)));
    }
    println!("{compared} contracts of {} pairs compared, {broken} of them broken", cases.len());
    assert!(compared >= 150 && broken >= 80, "{compared} {broken}");
    assert!(failures.is_empty(), "{}\n(differs.txt in the case says why, where it is on purpose)", failures.join("\n"));
}

/// Where the tools are. Without them the test is passed over, or has failed where nothing may be missing.
fn tools() -> Option<PathBuf> {
    let tools = env::var_os("TESTBED_HOME").map(|home| Path::new(&home).join("diff-tools/node_modules"));
    let tools = tools.filter(|tools| tools.is_dir());
    if tools.is_none() {
        let strict = env::var_os("TESTBED_REQUIRE").is_some_and(|require| require == "all");
        assert!(!strict, "there is no diff-tools in TESTBED_HOME: .ci/run installs it");
        // Past what holds back the output of tests that pass.
        io::stdout().write_all(b"\nSKIP no diff-tools in TESTBED_HOME: .ci/run installs it\n").unwrap();
    }
    tools
}

/// Whether documents of a kind tell anything.
fn has(of: &Understood, kind: Kind) -> bool {
    of.model.services.values().any(|service| documented(of, service, kind))
}

fn documented(of: &Understood, service: &Service, kind: Kind) -> bool {
    let exposed = |transport| service.operations.values().any(|operation| operation.expose.has(transport));
    let served =
        |transport| service.operations.keys().any(|operation| of.model.served(&service.name, operation).has(transport));
    match kind {
        Kind::Rest => exposed(Transport::Rest) || service.passes(),
        Kind::Graphql => exposed(Transport::Graphql),
        Kind::Jsonrpc => exposed(Transport::Jsonrpc),
        // Which is for links too.
        Kind::Grpc => served(Transport::Grpc),
        Kind::Messages => served(Transport::Queue) || !service.events.is_empty(),
    }
}

/// What breaks the documents of a kind. Those of gRPC and messages tell of links too.
fn breaking(case: &Case, kind: Kind) -> impl Iterator<Item = &Difference> {
    let told = move |contract: &Contract| {
        contract.kind == kind && (!contract.internal || matches!(kind, Kind::Grpc | Kind::Messages))
    };
    let breaks = move |(contract, severity): (&Contract, &Severity)| told(contract) && *severity == Severity::Breaking;
    case.differences.iter().filter(move |difference| difference.contracts.iter().any(breaks))
}

type Verdicts = BTreeMap<String, BTreeMap<Kind, Vec<String>>>;

/// What the tools of npm say, all at once.
fn judged(cases: &[Case], tools: &Path) -> Verdicts {
    let input: Vec<Value> = cases.iter().map(documents).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("diffs/judge.cjs");
    let mut node = Command::new("node");
    node.arg(script).env("NODE_PATH", tools).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = node.spawn().expect("node");
    let mut stdin = node.stdin.take().unwrap();
    // It reads all before it writes anything.
    stdin.write_all(Value::from(input).to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "judge.cjs failed");
    let said: BTreeMap<String, BTreeMap<String, Vec<String>>> = serde_json::from_slice(&output.stdout).unwrap();
    let kind = |word: &str| match word {
        "rest" => Kind::Rest,
        "graphql" => Kind::Graphql,
        _ => Kind::Messages,
    };
    let kinds = |kinds: BTreeMap<String, Vec<String>>| {
        kinds.into_iter().map(|(word, found)| (kind(&word), found)).collect::<BTreeMap<_, _>>()
    };
    said.into_iter().map(|(name, found)| (name, kinds(found))).collect()
}

/// Each service of the old design with itself in the new one: over REST and gRPC in the same version, for each version is
/// a contract of its own.
fn pairs(case: &Case, kind: Kind) -> Vec<(Side, Option<Side>)> {
    let (old, new) = (&case.old.1, &case.new.1);
    let mut pairs = Vec::new();
    for service in old.model.services.values() {
        let versions = versions(old, &service.name);
        let newest = versions.len() - 1;
        for (at, side) in versions.into_iter().enumerate() {
            let is_versioned = matches!(kind, Kind::Rest | Kind::Grpc);
            if !documented(&side.0, &side.1, kind) || at < newest && !is_versioned {
                continue;
            }
            let mut then = self::versions(new, &service.name).into_iter().rev();
            let then = then.find(|(_, now)| !is_versioned || now.version == side.1.version);
            pairs.push((side, then));
        }
    }
    pairs
}

/// A service in one of its versions, and the system that it is in then.
type Side = (Understood, Service);

/// Oldest first.
fn versions(of: &Understood, name: &str) -> Vec<Side> {
    let Some(service) = of.model.services.get(name) else { return Vec::new() };
    let old = service
        .old
        .iter()
        .map(|old| (Understood { design: of.design.clone(), model: of.model.at(old) }, old.service.clone()));
    old.chain([(of.clone(), service.clone())]).collect()
}

fn documents(case: &Case) -> Value {
    let pairs = |kind, document: &dyn Fn(Option<&Side>) -> Value| -> Vec<Value> {
        let pairs = pairs(case, kind).into_iter();
        pairs.map(|(old, new)| json!([document(Some(&old)), document(new.as_ref())])).collect()
    };
    let rest = |side: Option<&Side>| match side {
        Some((of, service)) => fronted::openapi(&of.model, service),
        None => described(json!({})),
    };
    let schema = |side: Option<&Side>| match side {
        Some((of, service)) => graphql::graphql(&of.model, service).into(),
        None => "type Query { _version: Int! }".into(),
    };
    let messages = |side: Option<&Side>| match side {
        Some((of, service)) => asyncapi::asyncapi(&of.model, service),
        None => json!({ "asyncapi": "3.0.0", "info": {}, "channels": {}, "operations": {} }),
    };
    json!({
        "name": case.name,
        "rest": pairs(Kind::Rest, &rest),
        "graphql": pairs(Kind::Graphql, &schema),
        "messages": pairs(Kind::Messages, &messages),
        "payloads": pairs(Kind::Messages, &payloads),
    })
}

fn described(paths: Value) -> Value {
    json!({ "openapi": "3.1.0", "info": { "title": "payloads", "version": "1" }, "paths": paths })
}

/// What messages carry as if it were got or sent over HTTP: events are read like answers, commands written like requests.
fn payloads(side: Option<&Side>) -> Value {
    let mut paths = json!({});
    let Some((of, service)) = side else { return described(paths) };
    let json = |schema: &Value| json!({ "application/json": { "schema": schema } });
    for event in service.events.values() {
        let mut schema = schema::event(&of.model, event);
        let definitions = schema.as_object_mut().and_then(|schema| schema.remove("$defs")).unwrap_or(json!({}));
        let inlined = inline(&schema, &definitions);
        paths[format!("/{}", event.name)] = json!({ "get": { "responses": { "200": { "content": json(&inlined) } } } });
    }
    let document = asyncapi::asyncapi(&of.model, service);
    for (name, operation) in document["operations"].as_object().unwrap() {
        let queued = operation["action"] == "receive" && service.operations.contains_key(name);
        if queued && of.model.served(&service.name, name).has(Transport::Queue) {
            let message = &document["components"]["messages"][format!("{}.{name}", service.name)];
            let data = inline(&message["payload"], &document);
            let responses = json!({ "204": { "description": "" } });
            paths[format!("/{name}")] =
                json!({ "post": { "requestBody": { "content": json(&data) }, "responses": responses } });
        }
    }
    described(paths)
}

/// What is referred to in the place of references; no case has a type that holds itself.
fn inline(schema: &Value, root: &Value) -> Value {
    match schema {
        Value::Object(object) => match object.get("$ref").and_then(Value::as_str) {
            Some(to) => {
                let pointer = to.trim_start_matches('#').trim_start_matches("/$defs");
                root.pointer(pointer).map_or(Value::Null, |found| inline(found, root))
            }
            None => object.iter().map(|(key, value)| (key.clone(), inline(value, root))).collect(),
        },
        Value::Array(items) => items.iter().map(|item| inline(item, root)).collect(),
        other => other.clone(),
    }
}

/// What buf says: of all proto files in one run, each case in a package of its own.
fn bufs(cases: &[Case], tools: &Path, verdicts: &mut Verdicts) {
    let place = tempfile::tempdir().unwrap();
    for (number, case) in cases.iter().enumerate() {
        verdicts.get_mut(&case.name).unwrap().insert(Kind::Grpc, Vec::new());
        let mut lock = WireLock::default();
        for (side, of) in [("old", &case.old.1), ("new", &case.new.1)] {
            let services = of.model.services.keys().flat_map(|name| versions(of, name));
            for (of, service) in services.filter(|(of, service)| documented(of, service, Kind::Grpc)) {
                let text = proto::proto(&of.model, &service, &mut lock);
                let text = text.replacen("package ", &format!("package c{number}."), 1);
                let file = place.path().join(format!("{side}/c{number}/{}", proto::path(&of.model, &service)));
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
        }
    }
    for side in ["old", "new"] {
        fs::write(place.path().join(side).join("buf.yaml"), "version: v2\nbreaking:\n  use: [FILE]\n").unwrap();
    }
    let mut buf = Command::new("node");
    buf.arg(tools.join("@bufbuild/buf/bin/buf")).args([
        "breaking",
        "new",
        "--against",
        "old",
        "--error-format",
        "json",
    ]);
    let output = buf.current_dir(place.path()).env("HOME", place.path()).output().expect("buf");
    let text = String::from_utf8(output.stdout).unwrap();
    // 100: it has found something.
    assert_eq!(output.status.code(), Some(100), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in text.lines() {
        let found: Value = serde_json::from_str(line).unwrap();
        let message = found["message"].as_str().unwrap().to_owned();
        // What is gone has no path, but is named.
        let path = found["path"].as_str().filter(|path| path.contains('/')).unwrap_or(&message);
        let at = path.find("c").into_iter().chain(path.match_indices('c').map(|(at, _)| at)).find_map(|at| {
            let digits: String = path[at + 1..].chars().take_while(char::is_ascii_digit).collect();
            path[at + 1 + digits.len()..].starts_with('/').then(|| digits.parse::<usize>().ok()).flatten()
        });
        let case = &cases[at.unwrap_or_else(|| panic!("no case in {line}"))];
        let said = format!("{}: {message}", found["type"].as_str().unwrap());
        verdicts.get_mut(&case.name).unwrap().get_mut(&Kind::Grpc).unwrap().push(said);
    }
}

/// Whatever a design says: with itself it has no difference, and whatever of it callers see cannot be taken away unseen.
#[test]
fn nothing_that_is_taken_away_goes_unnoticed() {
    let mut designs: Vec<String> = (0..60).map(tests::random::design).collect();
    designs.extend(tests::designed::all().unwrap().into_iter().map(|(_, text)| text));
    let (mut right, mut taken, mut broken) = (0, BTreeMap::<&str, usize>::new(), 0);
    for text in designs {
        let Ok(old) = generator::understood(generator::parse::parse(&tests::designed::sources(&text))) else {
            continue;
        };
        right += 1;
        let compared = |new: &Understood| {
            let wire = WireLock::default();
            diff(Version { understood: &old, wire: &wire }, Version { understood: new, wire: &wire })
        };
        assert_eq!(compared(&old), [], "{text}");
        let before = told(&old);
        let mut less = without_one_thing(&old.model);
        // Of large designs a part, each time the same.
        fastrand::Rng::with_seed(0).shuffle(&mut less);
        for (what, owner, model) in less.into_iter().take(12) {
            let new = Understood { design: old.design.clone(), model };
            let differences = compared(&new);
            let after = told(&new);
            // Where nobody calls any more, links serve something else.
            let alone = |service: &String| !["operation", "service"].contains(&what) || *service == owner;
            let changed = before.keys().filter(|key| before.get(key) != after.get(key));
            for (kind, service) in changed.filter(|(_, service)| alone(service)) {
                let found = differences.iter().flat_map(|difference| &difference.contracts);
                let found = found.filter(|(contract, _)| contract.kind == *kind && contract.service == *service);
                // Readers of JSON are not broken by less, nor is who is deployed together.
                let least = |contract: &Contract| match what {
                    "value" | "variant" => Severity::Notable,
                    _ if contract.internal => Severity::Notable,
                    _ => Severity::Breaking,
                };
                let mut found = found.map(|(contract, severity)| *severity <= least(contract));
                let rules: Vec<_> =
                    differences.iter().map(|difference| (difference.rule.id, &difference.subject)).collect();
                assert!(found.any(|enough| enough), "{what}, {service}, {}: {rules:?}\n{text}", kind.name());
                broken += 1;
            }
            *taken.entry(what).or_default() += 1;
        }
    }
    println!("{right} designs, {taken:?}, {broken} contracts changed");
    assert!(right >= 30 && broken >= 500 && taken.len() == 9, "{right} {broken} {taken:?}");
}

/// What the documents tell, without examples and texts.
fn told(of: &Understood) -> BTreeMap<(Kind, String), String> {
    let mut told = BTreeMap::new();
    for service in of.model.services.values() {
        for kind in Kind::ALL.into_iter().filter(|kind| documented(of, service, *kind)) {
            let text = match kind {
                Kind::Rest => bare(&openapi::openapi(&of.model, service)).to_string(),
                Kind::Grpc => proto::proto(&of.model, service, &mut WireLock::default()),
                Kind::Graphql => undescribed(&graphql::graphql(&of.model, service)),
                // It has no document of its own.
                Kind::Jsonrpc => continue,
                Kind::Messages => carried(of, service),
            };
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            told.insert((kind, service.name.clone()), lines.collect::<Vec<_>>().join("\n"));
        }
    }
    told
}

/// A schema without its descriptions and comments, each of which has lines of its own.
fn undescribed(schema: &str) -> String {
    let mut within = false;
    let mut kept = Vec::new();
    for line in schema.lines() {
        let text = line.trim();
        match text.strip_prefix("\"\"\"") {
            _ if within => within = !text.ends_with("\"\"\""),
            Some(rest) => within = !rest.ends_with("\"\"\""),
            None if text.starts_with(['"', '#']) => {}
            None => kept.push(line),
        }
    }
    kept.join("\n")
}

/// What its events carry.
fn carried(of: &Understood, service: &Service) -> String {
    let event = |(name, event)| format!("{name} {}", bare(&schema::event(&of.model, event)));
    service.events.iter().map(event).collect::<Vec<_>>().join("\n")
}

fn bare(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, _)| !["examples", "example", "description"].contains(&key.as_str()));
            kept.map(|(key, value)| (key.clone(), bare(value))).collect()
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

/// The model with one thing less, for each thing of which there may be less: what, and of which service if of one.
fn without_one_thing(model: &Model) -> Vec<(&'static str, String, Model)> {
    let mut models = Vec::new();
    let mut less_of = |owner: &str, what, take: &dyn Fn(&mut Model)| {
        let mut model = model.clone();
        take(&mut model);
        models.push((what, owner.to_owned(), model));
    };
    for (name, service) in &model.services {
        let mut less = |what, take: &dyn Fn(&mut Model)| less_of(name, what, take);
        less("service", &|model| drop(model.services.shift_remove(name)));
        for (operation, own) in &service.operations {
            less("operation", &|model| drop(model.services[name].operations.shift_remove(operation)));
            for transport in own.expose.transports() {
                less("exposure", &|model| {
                    let own = &mut model.services[name].operations[operation];
                    own.expose = own.expose.without(transport);
                });
            }
            for at in 0..own.errors.len() {
                less("error", &|model| drop(model.services[name].operations[operation].errors.remove(at)));
            }
        }
        for event in service.events.keys() {
            less("event", &|model| drop(model.services[name].events.shift_remove(event)));
        }
        for (resource, own) in &service.resources {
            for at in 0..own.filter.len() {
                less("filter", &|model| drop(model.services[name].resources[resource].filter.remove(at)));
            }
            let kept = |field: &str| field == own.id || paths(own).any(|path| path[0] == field);
            for at in (0..own.fields.len()).filter(|at| !kept(&own.fields[*at].name)) {
                less("field", &|model| drop(model.services[name].resources[resource].fields.remove(at)));
            }
        }
    }
    for (name, of) in &model.types {
        let (what, count) = match of {
            TypeDef::Record(of) => ("field", of.fields.len()),
            TypeDef::Enum(of) => ("value", of.values.len()),
            TypeDef::Union(of) => ("variant", of.variants.len()),
        };
        for at in 0..count {
            less_of("", what, &|model| match &mut model.types[name] {
                TypeDef::Record(of) => drop(of.fields.remove(at)),
                TypeDef::Enum(of) => drop(of.values.remove(at)),
                TypeDef::Union(of) => drop(of.variants.remove(at)),
            });
        }
    }
    models
}

fn paths(resource: &Resource) -> impl Iterator<Item = &Vec<String>> {
    resource.filter.iter().chain(&resource.sort).map(|path| &path.segments)
}

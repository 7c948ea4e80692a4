//! A design that does without something gets a workspace without it: no package in the tree, no word in a file.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use generator::{
    disk::create,
    plan::{Owner, Plan},
};
use tests::designed::{designed, files, repository};

/// A design of one service, and what its workspace has and has not.
struct Case {
    what: &'static str,
    design: &'static str,
    has: &'static [&'static str],
    has_not: &'static [&'static str],
    /// In lower case, in no file but those of the kit.
    no_word: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        what: "nothing kept",
        design: r#"
            [services.alone]
            expose = ["rest", "grpc", "graphql"]
            [services.alone.queries.ask]
            input = { text = "string" }
            output = { answer = "string" }
        "#,
        has: &["axum", "tonic", "async-graphql"],
        has_not: &["sqlx", "sqlx-core", "libsqlite3-sys", "kit-store", "kit-messaging", "kit-gateway"],
        no_word: &[
            "sqlx",
            "sqlite",
            "migration",
            "store::",
            "kit_messaging",
            "outbox",
            "inbox",
            "kit_gateway",
            "fronts",
            "cors",
        ],
    },
    Case {
        what: "REST only",
        design: r#"
            [services.alone]
            expose = ["rest"]
            [services.alone.resources.Thing]
            verbs = ["list", "get", "create", "replace", "patch", "delete"]
            fields = { name = "string" }
        "#,
        has: &["axum", "sqlx", "kit-http", "kit-store"],
        has_not: &[
            "tonic",
            "prost",
            "prost-types",
            "kit-grpc",
            "async-graphql",
            "kit-graphql",
            "kit-jsonrpc",
            "kit-messaging",
        ],
        no_word: &[
            "tonic",
            "prost",
            "grpc",
            "protobuf",
            "graphql",
            "jsonrpc",
            "json-rpc",
            "openrpc",
            "heartbeat",
            "stream_buffer",
        ],
    },
    Case {
        what: "gRPC only",
        design: r#"
            [services.alone]
            expose = ["grpc"]
            [services.alone.queries.ask]
            output = { answer = "string" }
        "#,
        has: &["tonic", "prost", "kit-grpc"],
        has_not: &["async-graphql", "kit-graphql", "sqlx", "kit-messaging"],
        no_word: &["graphql", "openapi", "sqlite", "heartbeat"],
    },
    Case {
        what: "JSON-RPC only",
        design: r#"
            [services.alone]
            expose = ["jsonrpc"]
            [services.alone.resources.Thing]
            verbs = ["list", "get", "create", "replace", "patch", "delete"]
            fields = { name = "string" }
            [services.alone.commands.mark]
            of = "Thing"
            input = { colour = "string" }
        "#,
        has: &["axum", "kit-http", "kit-jsonrpc"],
        has_not: &["tonic", "prost", "kit-grpc", "async-graphql", "kit-graphql", "kit-messaging"],
        no_word: &["tonic", "grpc", "graphql", "openapi", "kit_messaging", "outbox"],
    },
    Case {
        what: "no events",
        design: r#"
            [services.alone]
            expose = ["rest", "grpc", "graphql"]
            [services.alone.resources.Thing]
            verbs = ["get", "create"]
            fields = { name = "string" }
            [services.alone.commands.mark]
            of = "Thing"
        "#,
        has: &["axum", "tonic", "async-graphql", "sqlx"],
        has_not: &["kit-messaging"],
        no_word: &["kit_messaging", "outbox", "inbox", "broker", "cloudevents", "asyncapi"],
    },
];

#[test]
fn what_is_not_asked_for_is_not_there() {
    for case in CASES {
        let plan = designed(&format!("[system]\nname = \"alone\"\n{}", case.design)).expect(case.what).plan;
        let packages = tree(&plan);
        let missing: Vec<_> = case.has.iter().filter(|name| !packages.contains(**name)).collect();
        assert!(missing.is_empty(), "{}: no {missing:?} in {packages:?}", case.what);
        let found: Vec<_> = case.has_not.iter().filter(|name| packages.contains(**name)).collect();
        assert!(found.is_empty(), "{}: {found:?}", case.what);
        let traces = traces(&plan, case.no_word);
        assert!(traces.is_empty(), "{}:\n{}", case.what, traces.join("\n"));
    }
}

#[test]
fn pages_bring_the_libraries_that_documents_need() {
    const LIBRARIES: &str = "kit/pages/libraries/";
    for (expose, expected) in
        [("rest", &["swagger-ui"][..]), ("graphql", &["graphiql", "react"]), ("grpc", &[]), ("jsonrpc", &[])]
    {
        let design = format!(
            "[system]\nname = \"alone\"\n[services.alone]\nexpose = [\"{expose}\"]\n\
             [services.alone.queries.ask]\noutput = {{ answer = \"string\" }}\n"
        );
        let plan = designed(&design).expect(expose).plan;
        let files = plan.files.iter().filter(|(path, _)| path.starts_with(LIBRARIES));
        let mut found = BTreeSet::new();
        for (path, file) in files {
            let original = fs::read_to_string(repository("blueprints").join(path)).expect("a file of the kit");
            assert!(*file.text == *original && file.owner == Owner::Library, "{path} is as it came");
            found.extend(path[LIBRARIES.len()..].split('/').next());
        }
        assert_eq!(found, expected.iter().copied().collect(), "{expose}");
        let attributes = &plan.files[".gitattributes"].text;
        assert_eq!(attributes.contains(LIBRARIES), !found.is_empty(), "{expose}: {attributes}");
    }
}

/// The example whose code was written by hand depends on what that uses, and on nothing that was emitted before it.
#[test]
fn the_shop_depends_on_what_it_uses() {
    let services = repository("examples/shop/services").read_dir().expect("the services");
    let mut unused = Vec::new();
    for service in services.map(|entry| entry.expect("a folder").path()) {
        let manifest = fs::read_to_string(service.join("Cargo.toml")).expect("a manifest");
        let code = rust(&service.join("src"));
        let table = manifest.split("[dependencies]\n").nth(1).and_then(|rest| rest.split("\n[").next());
        for line in table.expect("a table of dependencies").lines() {
            let name = line.split(['.', ' ']).next().unwrap_or_default();
            let head = format!("{}::", name.replace('-', "_"));
            if !name.is_empty() && !code.contains(&head) {
                unused.push(format!("{}: {name}", service.display()));
            }
        }
    }
    assert!(unused.is_empty(), "{unused:?}");
}

/// All Rust below a folder.
fn rust(folder: &Path) -> String {
    let entries = folder.read_dir().expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    let text = |path: PathBuf| match path.is_dir() {
        true => rust(&path),
        false => fs::read_to_string(path).expect("a source"),
    };
    entries.map(text).collect()
}

/// A resource that only an old version has is in every document of that, and in none of the present, whoever may call it.
#[test]
fn what_is_gone_is_served_by_old_versions_alone() {
    let design = r#"
        [system]
        name = "alone"
        [services.shop]
        expose = ["rest", "grpc", "graphql", "jsonrpc"]
        old.1 = {}
        [services.shop.resources.Thing]
        verbs = ["get"]
        fields = { name = "string" }
        [services.shop.resources.Memo]
        verbs = ["list", "get", "create", "replace", "patch", "delete"]
        filter = ["text"]
        fields = { text = "string", thing_id = "ref Thing", kind = "enum(call, visit) = call" }
        limit = "60/1m"
        until = 1
        # The place of what is gone is free.
        [services.shop.queries.notes]
        rest = "GET /memos"
        output = { text = "string" }
        since = 2
        [services.desk]
        expose = ["rest"]
        [services.desk.queries.ask]
        output = { text = "string" }
        # Calls nothing yet, so it may call whatever is there.
        [links.desk.shop]
        via = "grpc"
        [services.front]
        expose = ["graphql"]
        fronts = ["shop"]
    "#;
    let plan = designed(design).expect("a plan").plan;
    let documents = ["openapi.json", "openrpc.json", ".proto", ".graphql"];
    let servers = ["rest/server.rs", "grpc/server.rs", "grpc/convert.rs", "jsonrpc/server.rs", "graphql/operations.rs"];
    let mentions = |folder: &str, ending: &str| {
        let mut files = plan.files.iter().filter(|(path, _)| path.starts_with(folder) && path.ends_with(ending));
        let (path, file) = files.next().unwrap_or_else(|| panic!("{folder} has no {ending}"));
        let lines = file.text.lines().filter(|line| line.to_lowercase().contains("memo") && !line.contains("/memos\""));
        lines.map(|line| format!("{path}: {line}")).collect::<Vec<_>>()
    };
    for ending in documents.iter().chain(&servers) {
        assert_eq!(mentions("contracts/shop/", ending), [""; 0], "{ending}");
    }
    assert_eq!(mentions("contracts/front/", ".graphql"), [""; 0], "a schema composed of it");
    for ending in documents.iter().chain(&servers).filter(|ending| !ending.contains("graphql")) {
        assert_ne!(mentions("contracts/shop-v1/", ending), [""; 0], "{ending}");
    }
    let numbers = &plan.files["contracts/wire.lock"].text;
    let numbered: BTreeSet<&str> = numbers.lines().filter(|line| line.contains("Memo")).collect();
    assert!(numbered.iter().all(|line| !line.contains("v2")), "{numbered:?}");
    assert!(numbered.iter().any(|line| line.contains("v1")), "{numbered:?}");
}

/// Every package of the workspace's tree, on this machine's platform.
fn tree(plan: &Plan) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("alone");
    let files = files(plan).expect("files");
    create::create(&root, &files, &mut |_| Ok(()), |_| Ok::<_, generator::disk::Error>(())).expect("a workspace");
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--quiet", "--workspace", "--prefix", "none", "--format", "{p}"]).current_dir(&root);
    let output = cargo.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("text");
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The lines that have one of the words. Cargo.lock is the tested set of every workspace until cargo has seen it.
fn traces(plan: &Plan, words: &[&str]) -> Vec<String> {
    let files = plan.files.iter().filter(|(path, file)| {
        !matches!(file.owner, Owner::Vendored | Owner::Library | Owner::Seed)
            && !path.starts_with("kit/")
            && !path.starts_with(".linkwright")
    });
    let lines = files.filter(|(path, _)| *path != "design.toml").flat_map(|(path, file)| {
        let paths = [path.as_str()].into_iter().chain(file.text.lines());
        paths.map(move |line| (path, line.to_lowercase())).collect::<Vec<_>>()
    });
    let found = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
    found.map(|(path, line)| format!("{path}: {line}")).collect()
}

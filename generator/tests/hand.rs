use generator::model::*;
use std::time::Duration;
fn docs(s: &str) -> Docs {
    Docs { summary: s.into(), description: String::new() }
}
fn field(name: &str, ty: Type) -> Field {
    Field { name: name.into(), docs: Docs::default(), ty, default: None, unique: false, readonly: false, fixed: false }
}
fn string(min: u32, max: Option<u32>) -> Type {
    Type::Scalar(Scalar::String { min, max, pattern: None })
}
fn route(method: Method, path: &[&str], query: bool) -> Route {
    Route { method, path: path.iter().map(|p| Segment::Literal(p.to_string())).collect(), query }
}
#[test]
fn dump() {
    let lang = Type::Named(TypeRef { service: None, name: "Language".into() });
    let mut language = field("language", lang);
    language.default = Some(generator::model::Default::Value("english".into()));
    let rest = Exposure { rest: true, ..Exposure::default() };
    let op = |name: &str, kind, input, output, errors, safety, calls, route| Operation {
        name: name.into(),
        docs: docs("A greeting."),
        kind,
        shape: Shape::Custom { of: None, input: Input::Fields(input), output: Output::Fields(output) },
        errors,
        safety,
        on: vec![],
        calls,
        emits: vec![],
        expose: rest,
        route,
    };
    let service = |name: &str, o: Operation| Service {
        name: name.into(),
        docs: docs("Knows how."),
        team: None,
        expose: rest,
        store: Store::None,
        enums: std::default::Default::default(),
        resources: std::default::Default::default(),
        operations: [(o.name.clone(), o)].into_iter().collect(),
        events: std::default::Default::default(),
    };
    let greet = op(
        "greet",
        OperationKind::Query,
        vec![field("name", string(1, Some(40))), language],
        vec![field("text", string(0, None))],
        vec![DeclaredError { name: "Speechless".into(), docs: Docs::default(), kind: ErrorKind::Conflict, data: None }],
        Safety::Safe,
        vec![],
        route(Method::Get, &["v1", "greet"], true),
    );
    let knock = op(
        "knock",
        OperationKind::Command,
        vec![field("name", string(1, Some(40)))],
        vec![field("text", string(0, None)), field("knocks", Type::Scalar(Scalar::U64 { min: 0, max: u64::MAX }))],
        vec![],
        Safety::Unsafe,
        vec![Call {
            to: OperationRef { service: "greeter".into(), operation: "greet".into() },
            with: std::default::Default::default(),
        }],
        route(Method::Post, &["v1", "knock"], false),
    );
    let policy = Policy {
        timeout: Duration::from_millis(300),
        retry: Retry { attempts: 3, backoff: (Duration::from_millis(20), Duration::from_millis(200)) },
        breaker: Some(Breaker { failure_rate: 0.5, window: 10, open_for: Duration::from_secs(2) }),
        bulkhead: 16,
        fallback: vec![Fallback::Default],
        delivery: Delivery::AtLeastOnce,
        dead_letter: true,
        batch: Batch { size: 1, within: Duration::ZERO },
    };
    let model = Model {
        name: "hello".into(),
        docs: docs("Says hello."),
        own: vec![],
        types: [(
            "Language".to_string(),
            TypeDef::Enum(Enum {
                name: "Language".into(),
                docs: Docs::default(),
                values: vec!["english".into(), "german".into()],
            }),
        )]
        .into_iter()
        .collect(),
        services: [service("greeter", greet), service("door", knock)]
            .into_iter()
            .map(|s| (s.name.clone(), s))
            .collect(),
        links: vec![Link {
            from: "door".into(),
            to: Target::Service { service: "greeter".into(), via: Via::Rest },
            policy,
        }],
    };
    let plan = generator::plan::plan(&model, &[]).unwrap();
    let root = std::path::Path::new("/tmp/hello");
    let _ = std::fs::remove_dir_all(root);
    for (path, file) in &plan.files {
        let to = root.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, &file.text).unwrap();
    }
}

use generator::source::*;
#[test]
fn try_it() {
    for path in std::env::var("TRY").unwrap().split(',') {
        let text = std::fs::read_to_string(path).unwrap();
        let sources = Sources(vec![Source { path: "design.toml".into(), location: path.into(), text: text.into() }]);
        let (design, diagnostics) = generator::parse::parse(&sources);
        if std::env::var("DUMP").is_ok() {
            println!("{design:#?}");
        }
        println!("{}", generator::diagnostic::render::render(&diagnostics, &sources, false));
        println!("{} incomplete {}", diagnostics.len(), design.incomplete);
    }
}

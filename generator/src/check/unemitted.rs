//! What a design can mean and no blueprint emits yet: refused by name when a workspace is asked for (E001).

use crate::{
    design::{Body, Design, Operation},
    diagnostic::Diagnostic,
    source::{Span, Spanned},
};

/// Everything in the design that would be parsed and then ignored.
pub fn refuse(design: &Design) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in design.services.values() {
        let operations = service.queries.values().chain(service.commands.values());
        operations.for_each(|own| operation(&mut found, own));
    }
    found
}

fn operation(found: &mut Vec<Diagnostic>, operation: &Operation) {
    let streams = matches!(&operation.output, Some(Spanned { value: Body::Named { stream: Some(_), .. }, .. }));
    if let Some(on) = operation.on.as_ref().filter(|_| streams) {
        found.push(refused(&on.span, "streams of events (`on` of a query that streams) are"));
    }
}

fn refused(span: &Span, what: &str) -> Diagnostic {
    Diagnostic::new("E001", span.clone(), format!("{what} not available yet")).help("leave it out for now")
}

#[cfg(test)]
mod tests {
    use crate::source::{Source, Sources};

    const DESIGN: &str = "
[system]
name = \"two\"

[services.a]
expose = [\"rest\"]

[services.a.queries.ask]
output = { text = \"string\" }

[services.b.commands.tell]
calls = [\"a.ask\"]
expose = [\"rest\"]
";

    fn refused(more: &str) -> Vec<String> {
        let text = format!("{DESIGN}{more}");
        let source = Source { path: "design.toml".into(), text: text.into(), location: "design.toml".into() };
        let found = crate::emittable(&Sources(vec![source])).err().unwrap_or_default();
        found.into_iter().map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message)).collect()
    }

    #[test]
    fn what_would_be_ignored_is_refused_by_name() {
        assert_eq!(refused(""), [""; 0]);
        for emitted in [
            "[links.b.\"a.ask\"]\nvia = \"rest\"\n",
            "[services.c]\nexpose = [\"queue\"]\n[services.c.commands.note]\n",
        ] {
            assert_eq!(refused(&format!("\n{emitted}")), [""; 0]);
        }
        assert_eq!(
            refused(
                "\n[services.a.events.Told]\npayload = { text = \"string\" }\n[types.Word]\ntext = \"string\"\n[services.c.queries.hear]\non = [\"Told\"]\noutput = \"stream Word\"\n"
            ),
            ["E001 streams of events (`on` of a query that streams) are not available yet"]
        );
    }
}

//! What a design can mean and no blueprint emits yet: refused by name when a workspace is asked for (E001).

use crate::{design::Design, diagnostic::Diagnostic, source::Span};

/// Everything in the design that would be parsed and then ignored.
pub fn refuse(design: &Design) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for own in &design.links {
        if let Some(batch) = &own.batch {
            found.push(refused(&batch.span, "`batch` is"));
        }
    }
    found
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
        let heard = "\n[services.a.events.Told]\npayload = { text = \"string\" }\n[services.c.commands.note]\non = [\"Told\"]\n";
        assert_eq!(
            refused(&format!("{heard}[links.c.Told]\nbatch = {{ size = 5 }}\n")),
            ["E001 `batch` is not available yet"]
        );
    }
}

//! What there is to see: a list of the services, a page for each of their documents, and what pages are made of.
//!
//! Nothing of a request becomes the name of a file: what can be asked for is listed.

use std::fs;

use crate::{Service, Site, answer::Answer, head::Head};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What pages of ours are made of.
const OWN: &[(&str, &str, &str)] = &[
    ("/site/icon.svg", "image/svg+xml", include_str!("../site/icon.svg")),
    ("/site/style.css", STYLE, include_str!("../site/style.css")),
    ("/site/shared.js", SCRIPT, include_str!("../site/shared.js")),
    ("/site/index.js", SCRIPT, include_str!("../site/index.js")),
    ("/site/openapi.js", SCRIPT, include_str!("../site/openapi.js")),
    ("/site/graphiql.js", SCRIPT, include_str!("../site/graphiql.js")),
    ("/site/reference.js", SCRIPT, include_str!("../site/reference.js")),
    ("/site/text.js", SCRIPT, include_str!("../site/text.js")),
];

/// What others have written, in `kit/pages/libraries`. It is there if a service needs it.
const LIBRARIES: &[(&str, &str)] = &[
    ("/libraries/swagger-ui/swagger-ui-bundle.js", SCRIPT),
    ("/libraries/swagger-ui/swagger-ui.css", STYLE),
    ("/libraries/graphiql/graphiql.min.js", SCRIPT),
    ("/libraries/graphiql/graphiql.min.css", STYLE),
    ("/libraries/react/react.production.min.js", SCRIPT),
    ("/libraries/react/react-dom.production.min.js", SCRIPT),
];

/// What a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Openapi,
    Graphiql,
    /// Messages, or JSON-RPC.
    Reference,
    Text,
}

/// A page of a service.
struct Page {
    title: &'static str,
    kind: Kind,
    /// `/contracts/orders/openapi`
    path: String,
    /// What it shows, if that is a file: `contracts/orders/openapi.json`.
    document: Option<&'static str>,
}

impl Service {
    fn pages(&self) -> Vec<Page> {
        let mut pages = Vec::new();
        for document in self.documents {
            let (path, ending) = document.rsplit_once('.').unwrap_or((document, ""));
            let (title, kind) = match (path.rsplit('/').next().unwrap_or_default(), ending) {
                ("openapi", "json") => ("OpenAPI", Kind::Openapi),
                ("asyncapi", "json") => ("AsyncAPI", Kind::Reference),
                ("openrpc", "json") => ("OpenRPC", Kind::Reference),
                (_, "graphql") => {
                    let path = format!("/services/{}/graphiql", self.name);
                    pages.push(Page { title: "GraphiQL", kind: Kind::Graphiql, path, document: None });
                    ("GraphQL schema", Kind::Text)
                }
                (_, "proto") => ("proto", Kind::Text),
                _ => (*document, Kind::Text),
            };
            pages.push(Page { title, kind, path: format!("/{path}"), document: Some(document) });
        }
        pages
    }
}

impl Site {
    /// The service that is called, and the target there, if that is what is asked for.
    pub(crate) fn called<'a>(&self, target: &'a str) -> Option<(&Service, &'a str)> {
        let (name, below) = target.strip_prefix("/services/")?.split_once('/')?;
        let target = below.strip_prefix("api").filter(|target| target.starts_with('/'))?;
        Some((self.services.iter().find(|service| service.name == name)?, target))
    }

    pub(crate) fn answer(&self, head: &Head) -> Answer {
        if !matches!(head.method.as_str(), "GET" | "HEAD") {
            return Answer::text("405 Method Not Allowed", "Pages are read.");
        }
        let path = head.path();
        match path {
            "/" => return Answer::ok(HTML, include_str!("../site/index.html")),
            "/site.json" => return Answer::ok(JSON, self.described()),
            _ => {}
        }
        if let Some((_, content_type, text)) = OWN.iter().find(|(own, ..)| *own == path) {
            return Answer::ok(content_type, *text);
        }
        if let Some((library, content_type)) = LIBRARIES.iter().find(|(library, _)| *library == path) {
            return self.file(&format!("kit/pages{library}"), content_type);
        }
        for page in self.services.iter().flat_map(Service::pages) {
            if page.path == path {
                return match page.kind {
                    Kind::Openapi => Answer::ok(HTML, include_str!("../site/openapi.html")).with_libraries(),
                    Kind::Graphiql => Answer::ok(HTML, include_str!("../site/graphiql.html")).with_libraries(),
                    Kind::Reference => Answer::ok(HTML, include_str!("../site/reference.html")),
                    Kind::Text => Answer::ok(HTML, include_str!("../site/text.html")),
                };
            }
            if let Some(document) = page.document.filter(|document| path.strip_prefix('/') == Some(document)) {
                return self.file(document, if page.kind == Kind::Text { TEXT } else { JSON });
            }
        }
        Answer::text("404 Not Found", "There is no such page. What there is, / shows.")
    }

    /// A file of the workspace as it is now.
    fn file(&self, path: &str, content_type: &'static str) -> Answer {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Answer::ok(content_type, bytes),
            Err(error) => Answer::text("404 Not Found", &format!("{path}: {error}")),
        }
    }

    /// What the pages know of the services, as JSON.
    fn described(&self) -> String {
        let page = |page: &Page| {
            let document = page.document.map_or("null".into(), |document| string(&format!("/{document}")));
            format!("{{\"title\":{},\"path\":{},\"document\":{document}}}", string(page.title), string(&page.path))
        };
        let service = |service: &Service| {
            let pages: Vec<String> = service.pages().iter().map(page).collect();
            let (address, api) =
                (format!("http://127.0.0.1:{}", service.port), format!("/services/{}/api", service.name));
            format!(
                "{{\"name\":{},\"address\":{},\"api\":{},\"pages\":[{}]}}",
                string(service.name),
                string(&address),
                string(&api),
                pages.join(",")
            )
        };
        let services: Vec<String> = self.services.iter().map(service).collect();
        format!("{{\"name\":{},\"services\":[{}]}}", string(self.name), services.join(","))
    }
}

/// A string of JSON. Names and paths have no character that cannot be seen.
fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

//! Whether the files of a plan can be read by those they are for.

use generator::{
    contracts::pb,
    plan::{Owner, Plan},
};

/// Every file that its reader refuses, and why.
pub fn complaints(plan: &Plan) -> Vec<String> {
    let files = plan.files.iter().filter(|(_, file)| !matches!(file.owner, Owner::Vendored | Owner::Library));
    let complaints =
        files.filter_map(|(path, file)| Some(format!("{path}: {}\n{}", refusal(path, &file.text)?, file.text)));
    complaints.collect()
}

/// Why a text is not what the ending of its path says.
fn refusal(path: &str, text: &str) -> Option<String> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    match ending {
        "rs" => syn::parse_file(text).err().map(|error| error.to_string()),
        "json" => serde_json::from_str::<serde_json::Value>(text).err().map(|error| error.to_string()),
        "toml" => text.parse::<toml_edit::DocumentMut>().err().map(|error| error.to_string()),
        "graphql" => async_graphql_parser::parse_schema(text).err().map(|error| error.to_string()),
        "proto" => pb::pb(path, text).err().map(|error| error.to_string()),
        "lock" if path.ends_with("wire.lock") => generator::contracts::wire::WireLock::parse(text)
            .err()
            .map(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        _ => None,
    }
}

//! Names in JSON-RPC, of which those that begin with `rpc.` are its own.

use super::snake;

/// The method of an operation: `o` of the service itself, `r.o` on an item of `R`; a verb is called by its word.
pub fn method(resource: Option<&str>, name: &str) -> String {
    resource.map_or_else(|| name.to_owned(), |resource| format!("{}.{name}", snake(resource)))
}

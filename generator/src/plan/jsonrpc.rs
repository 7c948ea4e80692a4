//! Views of what JSON-RPC adds to an operation: its method, how parameters are read and written.

use serde::Serialize;

use crate::{
    contracts::openrpc::{self, Parameters},
    escape,
    model::{Model, Operation, Service},
};

use super::operations::{self, OperationView};

/// One operation over JSON-RPC.
#[derive(Debug, Serialize)]
pub struct JsonrpcOperation {
    #[serde(flatten)]
    pub operation: OperationView,
    /// A Rust string literal: `"order.cancel"`.
    pub rpc: String,
    /// The server's statement that reads the parameters.
    pub read: String,
    /// What the client sends: `&input`, `named(["id"], (&id,))`.
    pub sent: String,
}

pub fn operation(model: &Model, service: &Service, operation: &Operation) -> JsonrpcOperation {
    let view = operations::view(model, service, operation);
    let values: Vec<&str> = view.params.iter().map(|param| param.name.as_str()).collect();
    let (read, sent) = match openrpc::parameters(operation) {
        Parameters::Fixed([]) => ("asked.nothing()?;".to_owned(), "named([], ())".to_owned()),
        Parameters::Fixed(names) => {
            let names: Vec<String> = names.iter().map(|name| escape::rust_str(name)).collect();
            let names = names.join(", ");
            let values: Vec<String> = values.iter().map(|value| format!("{value},")).collect();
            let read = format!("let ({}) = asked.params([{names}])?;", values.concat());
            (
                read,
                format!("named([{names}], ({}))", values.iter().map(|value| format!("&{value}")).collect::<String>()),
            )
        }
        Parameters::Fields => {
            let input = values.concat();
            (format!("let {input} = asked.input()?;"), format!("&{input}"))
        }
        Parameters::OnItem => ("let (id, input) = asked.on_item()?;".to_owned(), "on_item(&id, &input)".to_owned()),
    };
    JsonrpcOperation { rpc: escape::rust_str(&openrpc::method(operation)), read, sent, operation: view }
}

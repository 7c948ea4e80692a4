use prost_reflect::DescriptorPool;

use super::*;
use crate::contracts::{proto, samples, wire::WireLock};

fn orders() -> (String, String) {
    let mut model = samples::shop();
    model.services["orders"].docs.description = "```rust\npanic!()\n```".to_owned();
    let service = &model.services["orders"];
    (proto::path(&model, service), proto::proto(&model, service, &mut WireLock::default()))
}

#[test]
fn messages_client_and_server_without_a_word_of_the_design() {
    let (path, proto) = orders();
    let Pb { rust, .. } = pb(&path, &proto).unwrap();
    syn::parse_file(&rust).unwrap();
    for item in [
        "pub struct ReserveRequest {",
        "pub mod orders_service_client {",
        "pub mod orders_service_server {",
        "pub trait OrdersService:",
        "::prost::alloc::collections::BTreeMap<",
    ] {
        assert!(rust.contains(item), "{item}");
    }
    assert!(rust.starts_with("#![allow(") && !rust.contains("panic!()"));
    assert_eq!(pb(&path, &proto).unwrap().rust, rust, "always the same");
}

#[test]
fn descriptors_are_whole() {
    let (path, proto) = orders();
    let pool = DescriptorPool::decode(pb(&path, &proto).unwrap().descriptors.as_slice()).unwrap();
    assert_eq!(path, "web_shop/orders/v1/orders.proto");
    let mut files: Vec<_> = pool.files().map(|file| file.name().to_owned()).collect();
    files.sort();
    let google = ["empty", "field_mask", "timestamp"].map(|name| format!("google/protobuf/{name}.proto"));
    assert_eq!(files, [google.as_slice(), &[path]].concat());
}

#[test]
fn fields_keep_the_underscore_that_their_names_end_with() {
    let text =
        "syntax = \"proto3\";\npackage a;\nmessage B { string order_ = 1; map<string, B> self_ = 2; string type = 3; }";
    let rust = pb("x.proto", text).unwrap().rust;
    for field in ["pub order_: ", "pub self_: ", "pub r#type: "] {
        assert!(rust.contains(field), "{field}: {rust}");
    }
}

#[test]
fn what_is_no_proto_is_an_error() {
    for text in ["", "message", "syntax = \"proto3\";\nmessage A { Missing a = 1; }", "import \"elsewhere.proto\";"] {
        match pb("x.proto", text) {
            Ok(found) => assert!(text.is_empty() && !found.rust.contains("struct")),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let clash = "syntax = \"proto3\";\npackage a;\nmessage B {}\nmessage B {}";
    assert!(pb("x.proto", clash).unwrap_err().to_string().contains('B'));
}

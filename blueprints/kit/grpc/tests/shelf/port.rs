//! What a gRPC port answers beside its own services.

use kit::{Context, Failure};
use kit_http::Edge;
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto};
use tokio::net::TcpListener;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

use crate::{
    calls::{Rehearsed, id, listen, reserve, router, serve},
    contract::{Line, Reserve, Reserved, Shelf},
    grpc::Client,
    pb::{GetItemRequest, shelf_service_client::ShelfServiceClient},
};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let (_, url) = serve(Rehearsed::default().into()).await;
    let uri = format!("{url}/nowhere").parse().unwrap();
    let mut channel = kit_grpc::connect(&url).unwrap();
    let request = http::Request::builder().uri::<http::Uri>(uri).body(tonic::body::Body::empty()).unwrap();
    std::future::poll_fn(|task| tower::Service::poll_ready(&mut channel, task)).await.unwrap();
    let response = tower::Service::call(&mut channel, request).await.unwrap();
    assert_eq!(response.status(), http::StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_message_has_as_many_bytes_as_the_edge_says() {
    // Less and more than tonic's own 4 MiB.
    for limit in [1000, 8 << 20] {
        let edge = Edge { body_limit: limit, ..Edge::default() };
        let (_, url) = listen(kit_http::edge(router(Rehearsed::default().into()), edge)).await;
        let client = Client::new(kit_grpc::connect(&url).unwrap());
        for (bytes, fits) in [(limit - 200, true), (limit + 1, false)] {
            let large = || Line { sku: "x".repeat(bytes), quantity: 1 };
            let input = Reserve { lines: vec![large()], ..reserve(1) };
            let answer = client.reserve(&Context::default(), id(), input).await;
            let due =
                if fits { Ok(Reserved { left: 9 }) } else { Err(Failure::invalid("the message is too large").into()) };
            assert_eq!(answer, due, "{bytes} of {limit}");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_has_the_code_of_what_is_invalid() {
    let edge = Edge { body_limit: 1000, ..Edge::default() };
    let (_, url) = listen(kit_http::edge(router(Rehearsed::default().into()), edge)).await;
    let mut client = ShelfServiceClient::new(kit_grpc::connect(&url).unwrap());
    let refused = client.get_item(GetItemRequest { id: Some("x".repeat(1001)) }).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "the message is too large"));
}

fn descriptors() -> Vec<u8> {
    let service = ServiceDescriptorProto { name: Some("ShelfService".into()), ..Default::default() };
    let file = FileDescriptorProto {
        name: Some("shelf.proto".into()),
        package: Some("test.shelf.v1".into()),
        service: vec![service],
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file] }.encode_to_vec()
}

#[tokio::test]
async fn health_and_reflection_know_the_services() {
    let (health, router) = kit_grpc::standard(&[&descriptors()]).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = kit_grpc::connect(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });

    for (serving, expected) in [(true, ServingStatus::Serving), (false, ServingStatus::NotServing)] {
        health.set(serving).await;
        for service in ["", "test.shelf.v1.ShelfService"] {
            let request = HealthCheckRequest { service: service.into() };
            let answer = HealthClient::new(channel.clone()).check(request).await.unwrap();
            assert_eq!(answer.into_inner().status(), expected, "{service}");
        }
    }

    macro_rules! services {
        ($version:ident) => {{
            use $version::server_reflection_request::MessageRequest;
            use $version::server_reflection_response::MessageResponse;
            let request = $version::ServerReflectionRequest {
                message_request: Some(MessageRequest::ListServices(String::new())),
                ..Default::default()
            };
            let mut client = $version::server_reflection_client::ServerReflectionClient::new(channel.clone());
            let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
            match answers.into_inner().message().await.unwrap().unwrap().message_response {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        }};
    }
    assert!(services!(v1).contains(&"test.shelf.v1.ShelfService".to_owned()));
    assert!(services!(v1alpha).contains(&"test.shelf.v1.ShelfService".to_owned()));
}

#[tokio::test]
async fn descriptors_that_are_none_are_refused() {
    assert!(kit_grpc::standard(&[&[255, 255]]).await.is_err());
}

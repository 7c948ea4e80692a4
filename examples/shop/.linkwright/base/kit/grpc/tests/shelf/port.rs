//! What a gRPC port answers beside its own services.

use kit::{Context, Kind};
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto};
use tokio::net::TcpListener;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

use crate::{
    calls::{Rehearsed, client, id, reserve, serve},
    contract::{Line, Reserve, Shelf},
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
async fn a_message_that_is_too_large_is_refused() {
    let (client, _) = client(Rehearsed::default()).await;
    let huge = Reserve { lines: vec![Line { sku: "x".repeat(5 << 20), quantity: 1 }], ..reserve(1) };
    let refused = client.reserve(&Context::default(), id(), huge).await.unwrap_err();
    assert_eq!(kit::OperationError::kind(&refused), Kind::Invalid);
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

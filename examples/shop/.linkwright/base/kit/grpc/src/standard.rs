use axum::Router;
use kit::Failure;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic_health::{ServingStatus, pb::health_server::HealthServer, server::HealthReporter};
use tonic_reflection::server::{Builder, v1::ServerReflectionServer, v1alpha};

use crate::routes;

/// What `grpc.health.v1.Health` answers for the whole server and for each of its services.
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    services: Vec<String>,
}

impl Health {
    /// Tells everybody who asks or watches.
    pub async fn set(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}

/// The services that every gRPC port has besides its own: health (v1), and reflection (v1 and v1alpha) over the
/// encoded `google.protobuf.FileDescriptorSet`s of the contracts that it serves. It serves at once.
pub async fn standard(contracts: &[&[u8]]) -> Result<(Health, Router), Failure> {
    let sets: Result<Vec<_>, _> = contracts.iter().map(|contract| FileDescriptorSet::decode(*contract)).collect();
    // What several import is told of once.
    let mut files = sets.map_err(Failure::internal)?.into_iter().flat_map(|set| set.file).collect::<Vec<_>>();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.dedup_by(|a, b| a.name == b.name);
    let named = files.iter().flat_map(|file| file.service.iter().map(|s| format!("{}.{}", file.package(), s.name())));
    // The empty name is the server as a whole.
    let services = std::iter::once(String::new()).chain(named).collect();
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Health { reporter, services };
    health.set(true).await;

    let reflection = || Builder::configure().register_file_descriptor_set(FileDescriptorSet { file: files.clone() });
    let v1 = reflection().build_v1().map_err(Failure::internal)?;
    let alpha = reflection().build_v1alpha().map_err(Failure::internal)?;
    let router = routes(health_service, HealthServer::max_decoding_message_size)
        .merge(routes(v1, ServerReflectionServer::max_decoding_message_size))
        .merge(routes(alpha, v1alpha::ServerReflectionServer::max_decoding_message_size));
    Ok((health, router))
}

//! A small contract as the generator writes it, over real sockets.

mod contract;
mod pb {
    #![allow(clippy::all, reason = "made by prost and tonic")]
    include!("test.shelf.v1.rs");
}
mod calls;
mod errors;
mod grpc;
mod messages;
mod patches;
mod port;
mod streams;

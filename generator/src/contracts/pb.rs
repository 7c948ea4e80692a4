//! A `.proto` text to Rust: messages by prost, server and client by tonic, all in memory and without `protoc`.

use std::path::Path;

use prost::Message;
use prost_build::Module;
use prost_types::{DescriptorProto, FileDescriptorSet};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// The Rust side of a `.proto` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pb {
    /// The text of one module: its messages, and in modules of its own `<service>_service_client` and
    /// `<service>_service_server`. It uses `prost`, `prost_types`, `tonic` and `tonic_prost`, has no comments of the
    /// design, and begins with the `#![allow(…)]` that generated code needs.
    pub rust: String,
    /// An encoded `google.protobuf.FileDescriptorSet` with everything imported: what reflection serves.
    pub descriptors: Vec<u8>,
}

/// Why a `.proto` text has no Rust side. Ours come from a checked model, so this is a bug, or a clash of names that no
/// check foresaw.
#[derive(Debug, thiserror::Error)]
pub enum PbError {
    /// The text is no valid proto3.
    #[error("{0}")]
    Proto(#[from] protox::Error),
    /// prost or tonic refused it.
    #[error("{0}")]
    Code(#[from] std::io::Error),
}

/// `path` is what the file is called in the descriptors: `shop/orders/v1/orders.proto`.
///
/// # Errors
/// If the text is not a valid file.
pub fn pb(path: &str, proto: &str) -> Result<Pb, PbError> {
    let descriptors = compile(path, proto)?;
    let encoded = descriptors.encode_to_vec();
    let mut config = prost_build::Config::new();
    config.btree_map(["."]).service_generator(tonic_prost_build::configure().service_generator());
    let files = descriptors.file.into_iter().map(|mut file| {
        file.message_type.iter_mut().for_each(mark_ends);
        (Module::from_protobuf_package_name(file.package()), file)
    });
    // Only our own package has code; what it imports is in `prost_types`.
    let code = config.generate(files.collect())?.into_values().next().unwrap_or_default();
    Ok(Pb { rust: format!("{ALLOW}\n\n{code}").replace(END, ""), descriptors: encoded })
}

/// Keeps the `_` that a field's name ends with, which prost would leave out: `order_`, beside a field `order` elsewhere.
fn mark_ends(message: &mut DescriptorProto) {
    for field in message.field.iter_mut().filter(|field| field.name().ends_with('_')) {
        field.name = Some(field.name().to_owned() + END);
    }
    message.nested_type.iter_mut().for_each(mark_ends);
}

/// Longer than any name of a design.
const END: &str = "the0field0ends0with0an0underscore0which0prost0would0otherwise0leave0out0of0its0name";

/// The file and all that it imports.
pub(crate) fn compile(path: &str, proto: &str) -> Result<FileDescriptorSet, protox::Error> {
    let mut files = ChainFileResolver::new();
    files.add(OneFile { path: path.to_owned(), text: proto.to_owned() });
    files.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(files);
    compiler.include_imports(true).include_source_info(false).open_file(path)?;
    Ok(compiler.file_descriptor_set())
}

/// What prost and tonic write is not held to our lints.
const ALLOW: &str = "#![allow(clippy::all, clippy::pedantic, missing_docs, rustdoc::all, unused_qualifications)]";

struct OneFile {
    path: String,
    text: String,
}

impl FileResolver for OneFile {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        (path == Path::new(&self.path)).then(|| self.path.clone())
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name == self.path {
            true => File::from_source(name, &self.text),
            false => Err(protox::Error::file_not_found(name)),
        }
    }
}

#[cfg(test)]
mod tests;

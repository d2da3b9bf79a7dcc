//! Parses the documents of registries: manifests, indexes, configs and error bodies.
//!
//! Follows image-spec (`manifest.md`, `image-index.md`, `config.md`, `descriptor.md`) and distribution-spec ("Error
//! Codes"), and Docker's manifest schemas 1 and 2, which registries still serve. These types read and validate what a
//! registry sent; they fetch nothing. All text in them is untrusted.

mod config;
mod descriptor;
mod error_body;
mod index;
mod manifest;
pub mod media_type;

pub use self::error_body::{ErrorBody, RegistryError};
pub use self::manifest::{ManifestFault, Shape};
pub use crate::json::JsonError;

pub(crate) use self::config::{read_config_platform, read_schema1_platform};
pub(crate) use self::descriptor::Descriptor;
pub(crate) use self::index::read_index;
pub(crate) use self::manifest::{
    DeclaredType, ManifestSummary, read_config_descriptor, read_manifest,
};

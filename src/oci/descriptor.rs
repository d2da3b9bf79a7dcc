//! Descriptors: how one document refers to another (image-spec `descriptor.md`).

use serde::Deserialize;
use serde::de::Error as _;

use crate::digest::Digest;
use crate::json::JsonError;

/// A reference to content by digest, such as from an index to a manifest or from a manifest to its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The media type of the content.
    pub(crate) media_type: Option<String>,
    /// The digest of the content.
    pub(crate) digest: Digest,
    /// The declared size of the content in bytes. A claim of the registry: never allocate that much for it.
    pub(crate) size: Option<u64>,
}

/// A descriptor before its digest is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireDescriptor {
    media_type: Option<String>,
    digest: String,
    size: Option<u64>,
}

impl TryFrom<WireDescriptor> for Descriptor {
    type Error = JsonError;

    fn try_from(wire: WireDescriptor) -> Result<Self, JsonError> {
        // The digest becomes part of a URL, so nothing may use it unparsed (CVE-2024-3727).
        let digest = Digest::parse(&wire.digest).map_err(serde_json::Error::custom)?;
        Ok(Self { media_type: wire.media_type, digest, size: wire.size })
    }
}

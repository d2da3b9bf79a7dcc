//! Reads the entries of an image index or Docker manifest list (image-spec `image-index.md`).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::JsonError;
use crate::oci::config::WirePlatform;
use crate::oci::descriptor::{Descriptor, WireDescriptor};
use crate::platform::Platform;

/// An entry of an index.
#[derive(Debug)]
pub(crate) struct IndexEntry {
    /// The platform of the manifest, if the entry has one.
    pub(crate) platform: Option<Platform>,
    /// The manifest's descriptor, or why it is unusable. One bad entry does not affect the others.
    pub(crate) descriptor: Result<Descriptor, JsonError>,
}

/// Reads the entries of an index, in order.
///
/// # Errors
///
/// If the body is not an index.
pub(crate) fn read_index(body: &[u8]) -> Result<Vec<IndexEntry>, JsonError> {
    #[derive(Deserialize)]
    struct WireIndex<'a> {
        #[serde(borrow)]
        manifests: Vec<&'a RawValue>,
    }
    let index: WireIndex<'_> = serde_json::from_slice(body)?;
    Ok(index.manifests.iter().map(|entry| read_entry(entry.get())).collect())
}

fn read_entry(json: &str) -> IndexEntry {
    #[derive(Deserialize)]
    struct WireEntry {
        platform: Option<WirePlatform>,
    }
    let platform =
        serde_json::from_slice::<WireEntry>(json.as_bytes()).ok().and_then(|entry| entry.platform);
    let descriptor = serde_json::from_slice::<WireDescriptor>(json.as_bytes());
    IndexEntry {
        platform: platform.map(Platform::from),
        descriptor: descriptor.map_err(JsonError::from).and_then(Descriptor::try_from),
    }
}

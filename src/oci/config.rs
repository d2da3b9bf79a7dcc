//! Reads the platform from an image config (image-spec `config.md`) or a schema 1 manifest.

use serde::Deserialize;

use crate::json::JsonError;
use crate::platform::Platform;

/// The fields of a platform, as they are in configs and in the entries of an index.
#[derive(Deserialize)]
pub(super) struct WirePlatform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl From<WirePlatform> for Platform {
    fn from(wire: WirePlatform) -> Self {
        let [os, architecture] = [wire.os, wire.architecture].map(Option::unwrap_or_default);
        Self::new(&os, &architecture, wire.variant.as_deref())
    }
}

/// Reads the platform of an image config. Missing fields are empty.
///
/// # Errors
///
/// If the body is not an image config.
pub(crate) fn read_config_platform(body: &[u8]) -> Result<Platform, JsonError> {
    let wire: WirePlatform = serde_json::from_slice(body)?;
    Ok(wire.into())
}

/// Reads the platform of a schema 1 manifest: the architecture is in the document, the rest in its newest history
/// entry.
///
/// # Errors
///
/// If the body is not a schema 1 manifest.
pub(crate) fn read_schema1_platform(body: &[u8]) -> Result<Platform, JsonError> {
    #[derive(Deserialize)]
    struct Schema1 {
        architecture: String,
        #[serde(default)]
        history: Vec<HistoryEntry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct HistoryEntry {
        v1_compatibility: String,
    }
    #[derive(Default, Deserialize)]
    struct V1Config {
        os: Option<String>,
        variant: Option<String>,
    }
    let manifest: Schema1 = serde_json::from_slice(body)?;
    let newest = match manifest.history.first() {
        Some(entry) => serde_json::from_slice(entry.v1_compatibility.as_bytes())?,
        None => V1Config::default(),
    };
    let os = newest.os.as_deref().unwrap_or("linux");
    Ok(Platform::new(os, &manifest.architecture, newest.variant.as_deref()))
}

//! Decides whether a response is a manifest, and of which kind.
//!
//! Content-Type and document must agree, and a document must not read as two kinds of manifest at once: clients that
//! resolve such a conflict differently run different images (CVE-2021-41190). Follows image-spec `manifest.md` and
//! `image-index.md`. What the manifest refers to is read elsewhere in this folder.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::json::JsonError;
use crate::oci::descriptor::{Descriptor, WireDescriptor};
use crate::oci::error_body::one_line;
use crate::oci::media_type::{self, essence};

/// The meaning of a `Content-Type` for a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeclaredType {
    /// The media type of a manifest: one of [`media_type::ACCEPTED`] or schema 1.
    Manifest(String),
    /// Missing, or a generic type.
    Unspecific,
    /// Any other type: the response is not a manifest.
    Other(String),
}

impl DeclaredType {
    /// Classifies a `Content-Type` value.
    pub(crate) fn of(content_type: Option<&str>) -> Self {
        let Some(essence) = content_type.and_then(essence) else { return Self::Unspecific };
        let name = essence.as_str();
        if media_type::ACCEPTED.contains(&name)
            || [media_type::SCHEMA1, media_type::SCHEMA1_SIGNED].contains(&name)
        {
            Self::Manifest(essence)
        } else if media_type::GENERIC.contains(&name) {
            Self::Unspecific
        } else {
            Self::Other(essence)
        }
    }
}

/// The kind of a manifest, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Lists manifests, usually one per platform.
    Index,
    /// Refers to a config and layers: an image for one platform.
    Image,
    /// Docker's schema 1: an image whose platform is in the manifest itself.
    Schema1,
}

/// What [`read_manifest`] found out about a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestSummary {
    pub(crate) shape: Shape,
    /// From Content-Type if it is specific, otherwise from the document.
    pub(crate) media_type: Option<String>,
}

/// Why a response is not an acceptable manifest.
#[derive(Debug)]
#[non_exhaustive]
pub enum ManifestFault {
    /// The `Content-Type` belongs to something else.
    ContentType(String),
    /// The body is not JSON, or its fields have other types than a manifest's.
    Json(JsonError),
    /// The body has no `schemaVersion`.
    NoSchemaVersion,
    /// The body has both `manifests` and `config` or `layers`, so readers could see two images (CVE-2021-41190).
    Ambiguous,
    /// `mediaType` in the document differs from `Content-Type`.
    MediaType {
        /// The `Content-Type`.
        header: String,
        /// The document's `mediaType`.
        document: String,
    },
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType(found) => {
                write!(
                    f,
                    "the response is not a manifest: its Content-Type is {:?}",
                    one_line(found)
                )
            }
            Self::Json(_) => write!(f, "the response is not a manifest: invalid JSON"),
            Self::NoSchemaVersion => {
                write!(f, "the response is not a manifest: no schemaVersion")
            }
            Self::Ambiguous => {
                write!(f, "the manifest is ambiguous: it has both manifests and config or layers")
            }
            Self::MediaType { header, document } => write!(
                f,
                "the manifest contradicts itself: Content-Type {header:?}, mediaType {:?}",
                one_line(document)
            ),
        }
    }
}

impl std::error::Error for ManifestFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::ContentType(_)
            | Self::NoSchemaVersion
            | Self::Ambiguous
            | Self::MediaType { .. } => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireManifest {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

/// Checks that a response is a manifest and returns its kind.
///
/// # Errors
///
/// A [`ManifestFault`] with the rule that the response breaks.
pub(crate) fn read_manifest(
    content_type: Option<&str>,
    body: &[u8],
) -> Result<ManifestSummary, ManifestFault> {
    let header = match DeclaredType::of(content_type) {
        DeclaredType::Manifest(header) => Some(header),
        DeclaredType::Unspecific => None,
        DeclaredType::Other(found) => return Err(ManifestFault::ContentType(found)),
    };
    // serde would also accept an array for a struct.
    if body.trim_ascii_start().first() != Some(&b'{') {
        let json = serde_json::from_slice::<IgnoredAny>(body);
        return Err(json.map_or_else(
            |error| ManifestFault::Json(error.into()),
            |_| ManifestFault::NoSchemaVersion,
        ));
    }
    let manifest: WireManifest =
        serde_json::from_slice(body).map_err(|error| ManifestFault::Json(error.into()))?;
    let Some(version) = manifest.schema_version else { return Err(ManifestFault::NoSchemaVersion) };
    if manifest.manifests.is_some() && (manifest.config.is_some() || manifest.layers.is_some()) {
        return Err(ManifestFault::Ambiguous);
    }
    if let (Some(header), Some(document)) = (&header, &manifest.media_type)
        && media_type::ACCEPTED.contains(&header.as_str())
        && header != document
    {
        let (header, document) = (header.clone(), document.clone());
        return Err(ManifestFault::MediaType { header, document });
    }
    let shape = match version {
        1 => Shape::Schema1,
        _ if manifest.manifests.is_some() => Shape::Index,
        _ => Shape::Image,
    };
    Ok(ManifestSummary { shape, media_type: header.or(manifest.media_type) })
}

/// Reads the descriptor of the config from an image manifest.
///
/// # Errors
///
/// If the body is not an image manifest or the descriptor's digest is not a supported one.
pub(crate) fn read_config_descriptor(body: &[u8]) -> Result<Descriptor, JsonError> {
    #[derive(Deserialize)]
    struct Image {
        config: WireDescriptor,
    }
    let image: Image = serde_json::from_slice(body)?;
    Descriptor::try_from(image.config)
}

//! The documents of the OCI image and distribution specifications, as far as a question needs them.
//!
//! Media types, descriptors, the shape of a manifest, and the body of an error. These types read what a
//! registry sent and judge it; they fetch nothing. Follows image-spec (`manifest.md`, `image-index.md`,
//! `config.md`), distribution-spec (`Error Codes`), and Docker's schema 1 and 2 where registries still use them.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::json::Json;
use crate::platform::Platform;
use crate::redact::{Redactor, without_tokens};

/// Media types of manifests.
pub mod media_type {
    /// OCI image index.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image manifest.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker image manifest, schema 1, with a signature inside.
    pub const SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    /// Docker image manifest, schema 1.
    pub const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";

    /// The four that regq asks for.
    pub const ASKED: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
    /// What caches and gateways put in place of a manifest's own type.
    pub const GENERIC: [&str; 3] = ["application/json", "text/plain", "application/octet-stream"];
}

/// The media type in a `Content-Type` value: without parameters, in lower case. Empty values are `None`.
pub(crate) fn essence(content_type: &str) -> Option<String> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

/// What a `Content-Type` says of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeclaredType {
    /// A manifest's own type: one of the four, or schema 1's.
    Manifest(String),
    /// None, or one that says nothing about what the body is.
    Unspecific,
    /// Another type: the answer is no manifest.
    Other(String),
}

impl DeclaredType {
    /// Judges a `Content-Type` value.
    pub(crate) fn of(content_type: Option<&str>) -> DeclaredType {
        let Some(essence) = content_type.and_then(essence) else { return DeclaredType::Unspecific };
        let name = essence.as_str();
        if media_type::ASKED.contains(&name)
            || [media_type::SCHEMA1, media_type::SCHEMA1_SIGNED].contains(&name)
        {
            DeclaredType::Manifest(essence)
        } else if media_type::GENERIC.contains(&name) {
            DeclaredType::Unspecific
        } else {
            DeclaredType::Other(essence)
        }
    }
}

/// What kind of manifest a document is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Points at manifests, one a platform.
    Index,
    /// Points at a config and layers: one platform.
    Image,
    /// Docker's schema 1: one platform, named in the document itself.
    Schema1,
}

/// A manifest that was read and found to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestSummary {
    /// What kind of manifest it is.
    pub(crate) shape: Shape,
    /// Its media type, as Content-Type or the document say it.
    pub(crate) media_type: Option<String>,
}

/// Why an answer is not a manifest.
#[derive(Debug)]
#[non_exhaustive]
pub enum ManifestFault {
    /// The `Content-Type` is something else's.
    ContentType(String),
    /// The body is not a JSON object that can be read as a manifest.
    Json(serde_json::Error),
    /// The JSON object has no `schemaVersion`.
    NoSchemaVersion,
    /// `manifests` stands beside `config` or `layers`: two readers would see two images (CVE-2021-41190).
    Ambiguous,
    /// The document's `mediaType` is another than the `Content-Type`.
    MediaType {
        /// What the header says.
        header: String,
        /// What the document says.
        document: String,
    },
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ManifestFault::ContentType(found) => {
                write!(f, "the answer is no manifest: its Content-Type is {:?}", first_of(found))
            }
            ManifestFault::Json(_) => write!(f, "the answer is no manifest: not readable as JSON"),
            ManifestFault::NoSchemaVersion => {
                write!(f, "the answer is no manifest: it has no schemaVersion")
            }
            ManifestFault::Ambiguous => {
                write!(f, "the manifest is ambiguous: it has manifests beside config or layers")
            }
            ManifestFault::MediaType { header, document } => write!(
                f,
                "the manifest contradicts itself: Content-Type {header:?}, mediaType {:?}",
                first_of(document)
            ),
        }
    }
}

impl std::error::Error for ManifestFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ManifestFault::Json(error) => Some(error),
            ManifestFault::ContentType(_)
            | ManifestFault::NoSchemaVersion
            | ManifestFault::Ambiguous
            | ManifestFault::MediaType { .. } => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

/// Holds a body against the rules that make it a manifest.
///
/// # Errors
/// What the rules forbid, as [`ManifestFault`] lists it.
pub(crate) fn read_manifest(
    content_type: Option<&str>,
    body: &[u8],
) -> Result<ManifestSummary, ManifestFault> {
    let declared = DeclaredType::of(content_type);
    if let DeclaredType::Other(found) = declared {
        return Err(ManifestFault::ContentType(found));
    }
    // serde would take an array for a struct as well.
    if body.trim_ascii_start().first() != Some(&b'{') {
        let json = serde_json::from_slice::<IgnoredAny>(body);
        return Err(json.map_or_else(ManifestFault::Json, |_| ManifestFault::NoSchemaVersion));
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(ManifestFault::Json)?;
    let Some(version) = envelope.schema_version else { return Err(ManifestFault::NoSchemaVersion) };
    if envelope.manifests.is_some() && (envelope.config.is_some() || envelope.layers.is_some()) {
        return Err(ManifestFault::Ambiguous);
    }
    let header = match declared {
        DeclaredType::Manifest(header) => Some(header),
        DeclaredType::Unspecific | DeclaredType::Other(_) => None,
    };
    if let (Some(header), Some(document)) = (&header, &envelope.media_type)
        && media_type::ASKED.contains(&header.as_str())
        && header != document
    {
        let (header, document) = (header.clone(), document.clone());
        return Err(ManifestFault::MediaType { header, document });
    }
    let shape = match version {
        1 => Shape::Schema1,
        _ if envelope.manifests.is_some() => Shape::Index,
        _ => Shape::Image,
    };
    Ok(ManifestSummary { shape, media_type: header.or(envelope.media_type) })
}

/// A descriptor: what an index says of one of its manifests, or a manifest of its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The media type of what it points at.
    pub(crate) media_type: Option<String>,
    /// The digest of what it points at.
    pub(crate) digest: Digest,
    /// Its declared size in bytes. A claim: never allocate by it.
    pub(crate) size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDescriptor {
    media_type: Option<String>,
    digest: String,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct WirePlatform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl From<WirePlatform> for Platform {
    fn from(wire: WirePlatform) -> Platform {
        let [os, architecture] = [wire.os, wire.architecture].map(Option::unwrap_or_default);
        Platform::new(&os, &architecture, wire.variant.as_deref())
    }
}

impl TryFrom<WireDescriptor> for Descriptor {
    type Error = serde_json::Error;

    fn try_from(wire: WireDescriptor) -> Result<Descriptor, serde_json::Error> {
        // A digest becomes part of a URL later, so it is parsed before anything else sees it (CVE-2024-3727).
        let digest = Digest::parse(&wire.digest).map_err(serde::de::Error::custom)?;
        Ok(Descriptor { media_type: wire.media_type, digest, size: wire.size })
    }
}

/// One entry of an index.
#[derive(Debug)]
pub(crate) struct IndexEntry {
    /// The platform that it is for, where it says so.
    pub(crate) platform: Option<Platform>,
    /// What it points at, or why that cannot be read. One odd entry does not spoil the others.
    pub(crate) descriptor: Result<Descriptor, serde_json::Error>,
}

/// The manifests that an index points at, in order.
///
/// # Errors
/// When the body is not an index.
pub(crate) fn read_index(body: &[u8]) -> Result<Vec<IndexEntry>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Index<'a> {
        #[serde(borrow)]
        manifests: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct ForPlatform {
        platform: Option<WirePlatform>,
    }
    let index: Index<'_> = serde_json::from_slice(body)?;
    let entry = |text: &&RawValue| {
        let named = serde_json::from_slice::<ForPlatform>(text.get().as_bytes()).ok();
        let platform = named.and_then(|named| named.platform).map(Platform::from);
        let descriptor = serde_json::from_slice::<WireDescriptor>(text.get().as_bytes());
        IndexEntry { platform, descriptor: descriptor.and_then(Descriptor::try_from) }
    };
    Ok(index.manifests.iter().map(entry).collect())
}

/// The config that an image manifest points at.
///
/// # Errors
/// When the body is not an image manifest, or the descriptor in it has no readable digest.
pub(crate) fn read_config_descriptor(body: &[u8]) -> Result<Descriptor, serde_json::Error> {
    #[derive(Deserialize)]
    struct Image {
        config: WireDescriptor,
    }
    let image: Image = serde_json::from_slice(body)?;
    Descriptor::try_from(image.config)
}

/// The platform that an image config names.
///
/// # Errors
/// When the body is not an image config.
pub(crate) fn read_config_platform(body: &[u8]) -> Result<Platform, serde_json::Error> {
    serde_json::from_slice::<WirePlatform>(body).map(Platform::from)
}

/// The platform that a schema 1 manifest names: the architecture in the document, the rest in the newest
/// entry of its history.
///
/// # Errors
/// When the body is not a schema 1 manifest.
pub(crate) fn read_schema1_platform(body: &[u8]) -> Result<Platform, serde_json::Error> {
    #[derive(Deserialize)]
    struct Schema1 {
        architecture: String,
        #[serde(default)]
        history: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        v1_compatibility: String,
    }
    #[derive(Deserialize)]
    struct Newest {
        os: Option<String>,
        variant: Option<String>,
    }
    let manifest: Schema1 = serde_json::from_slice(body)?;
    let newest = match manifest.history.first() {
        Some(entry) => serde_json::from_slice(entry.v1_compatibility.as_bytes())?,
        None => Newest { os: None, variant: None },
    };
    let os = newest.os.as_deref().unwrap_or("linux");
    Ok(Platform::new(os, &manifest.architecture, newest.variant.as_deref()))
}

/// What a registry said about a failure, in its own words. Untrusted: its `Display` quotes and escapes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorBody {
    /// The `errors` of a registry's JSON body, where it had them.
    pub errors: Vec<RegistryError>,
    /// Else the beginning of the body as one line of text.
    pub text: String,
}

/// One entry of `errors` in a registry's error body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    /// Such as `MANIFEST_UNKNOWN`; empty where there is none.
    pub code: String,
    /// For people; empty where there is none.
    pub message: String,
}

/// How much of a text is shown, in characters.
const SHOWN_TEXT: usize = 200;

/// How many of a registry's errors are shown.
const SHOWN_ERRORS: usize = 5;

impl ErrorBody {
    /// Reads the body of an error, whatever it is: the specification's JSON, other JSON, HTML, text, nothing.
    pub(crate) fn read(body: &[u8]) -> ErrorBody {
        ErrorBody::read_without(body, &Redactor::default())
    }

    /// The same without the secrets that were sent along: some servers repeat what they were sent. They are taken
    /// out before anything is cut, since the beginning of a secret is not found by the whole of it. And without
    /// what looks like a token: one may be in a page or in a refusal.
    pub(crate) fn read_without(body: &[u8], secrets: &Redactor) -> ErrorBody {
        let clean = |text: &str| without_tokens(&secrets.redact(text));
        let first_of = |text: &str| first_of(&clean(text));
        let json = Json::read(body).unwrap_or(Json::Other);
        let errors: Vec<_> = json
            .get("errors")
            .map_or(&[][..], Json::elements)
            .iter()
            .filter_map(|entry| RegistryError::read(entry, first_of))
            .take(SHOWN_ERRORS)
            .collect();
        if !errors.is_empty() {
            return ErrorBody { errors, text: String::new() };
        }
        let said = ["details", "message", "error_description", "error"]
            .iter()
            .find_map(|key| json.text(key));
        let text = match said {
            Some(said) => first_of(said),
            // A secret may look like a tag, and could not be found without it.
            None => first_of(&without_tags(&clean(&String::from_utf8_lossy(body)))),
        };
        ErrorBody { errors, text }
    }

    /// True when the registry said nothing.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.text.is_empty()
    }

    /// True when one of the errors has this code.
    pub fn has_code(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }
}

impl RegistryError {
    fn read(entry: &Json, first_of: impl Fn(&str) -> String) -> Option<RegistryError> {
        let text = |key: &str| entry.text(key).map(&first_of);
        let code = text("code").unwrap_or_default();
        let message = text("message").or_else(|| text("detail")).unwrap_or_default();
        (!code.is_empty() || !message.is_empty()).then_some(RegistryError { code, message })
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return write!(f, "{:?}", self.text);
        }
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match (error.code.as_str(), error.message.as_str()) {
                ("", message) => write!(f, "{separator}{message:?}")?,
                (code, "") => write!(f, "{separator}{code:?}")?,
                (code, message) => write!(f, "{separator}{:?}", format!("{code}: {message}"))?,
            }
        }
        Ok(())
    }
}

/// One line of at most [`SHOWN_TEXT`] characters, runs of blanks and control characters made one blank.
fn first_of(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<_> = text.split(blank).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN_TEXT) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The text of an HTML page, roughly: what stands between `<` and `>` is left out.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut inside = false;
    let keep = |c: char| match (c, inside) {
        ('<', _) => {
            inside = true;
            Some(' ')
        }
        ('>', true) => {
            inside = false;
            None
        }
        (c, false) => Some(c),
        (_, true) => None,
    };
    text.chars().filter_map(keep).collect()
}

//! Writes the images to push as OCI image layouts, so that their digests are known without any of the tested programs.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::Outcome;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The gzip form of 1024 zero bytes: a tar archive without files.
const LAYER: [u8; 32] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x09, 0x6e, 0x88, 0x00, 0xff, 0x62, 0x18, 0x05, 0xa3, 0x60, 0x14,
    0x8c, 0x58, 0x00, 0x08, 0x00, 0x00, 0xff, 0xff, 0x2e, 0xaf, 0xb5, 0xef, 0x00, 0x04, 0x00, 0x00,
];

/// The platforms of the index in order: name, architecture, variant.
const PLATFORMS: [(&str, &str, Option<&str>); 3] = [
    ("linux/amd64", "amd64", None),
    ("linux/arm64/v8", "arm64", Some("v8")),
    ("linux/arm/v7", "arm", Some("v7")),
];

/// A manifest or an index of a layout.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// `linux/arm64/v8`; empty for an index.
    pub(crate) platform: String,
    /// `sha256:...`
    pub(crate) digest: String,
    pub(crate) bytes: Vec<u8>,
    descriptor: Value,
}

impl Document {
    /// The media type.
    pub(crate) fn media_type(&self) -> &str {
        self.descriptor["mediaType"].as_str().unwrap_or_default()
    }
}

/// An image on disk.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// The folder of its layout.
    pub(crate) layout: PathBuf,
    /// The manifest or index that a tag refers to.
    pub(crate) top: Document,
    /// The manifests of an index; empty for a single image.
    pub(crate) children: Vec<Document>,
}

impl Image {
    /// Writes an image for linux/amd64. The label makes its digest unique.
    pub(crate) fn single(layout: &Path, label: &str) -> Outcome<Self> {
        let top = write_manifest(layout, label, "amd64", None)?;
        write_layout(layout, &top)?;
        Ok(Self { layout: layout.to_owned(), top, children: Vec::new() })
    }

    /// Writes an index of three platforms.
    pub(crate) fn index(layout: &Path, label: &str) -> Outcome<Self> {
        let mut children = Vec::new();
        for (name, architecture, variant) in PLATFORMS {
            let mut child = write_manifest(layout, label, architecture, variant)?;
            let mut platform = json!({"architecture": architecture, "os": "linux"});
            if let (Some(variant), Some(object)) = (variant, platform.as_object_mut()) {
                object.insert("variant".to_owned(), variant.into());
            }
            if let Some(object) = child.descriptor.as_object_mut() {
                object.insert("platform".to_owned(), platform);
            }
            name.clone_into(&mut child.platform);
            children.push(child);
        }
        let manifests: Vec<_> = children.iter().map(|child| child.descriptor.clone()).collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let top = write_document(layout, INDEX, &index)?;
        write_layout(layout, &top)?;
        Ok(Self { layout: layout.to_owned(), top, children })
    }
}

/// Writes layer, config and manifest of an image.
fn write_manifest(
    layout: &Path,
    label: &str,
    architecture: &str,
    variant: Option<&str>,
) -> Outcome<Document> {
    let archive = [0_u8; 1024];
    let mut config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/nothing"], "Labels": {"name": label}},
        "rootfs": {"type": "layers", "diff_ids": [sha256(&archive)]},
    });
    if let (Some(variant), Some(object)) = (variant, config.as_object_mut()) {
        object.insert("variant".to_owned(), variant.into());
    }
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": write_blob(layout, "application/vnd.oci.image.config.v1+json", &config)?,
        "layers": [write_blob(layout, "application/vnd.oci.image.layer.v1.tar+gzip", &LAYER)?],
    });
    write_document(layout, MANIFEST, &manifest)
}

/// Writes a manifest or an index in several lines, unlike any program would, to test that the bytes are kept.
fn write_document(layout: &Path, media_type: &str, value: &Value) -> Outcome<Document> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
    let descriptor = write_blob(layout, media_type, &bytes)?;
    Ok(Document { platform: String::new(), digest: sha256(&bytes), bytes, descriptor })
}

/// Writes a blob and returns its descriptor.
fn write_blob(layout: &Path, media_type: &str, bytes: &[u8]) -> Outcome<Value> {
    let digest = sha256(bytes);
    let folder = layout.join("blobs/sha256");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let file = folder.join(digest.trim_start_matches("sha256:"));
    fs::write(file, bytes).map_err(|error| error.to_string())?;
    Ok(json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}))
}

/// Writes the two files that make a folder a layout with one entry.
fn write_layout(layout: &Path, top: &Document) -> Outcome<()> {
    let index = json!({"schemaVersion": 2, "manifests": [top.descriptor]});
    fs::write(layout.join("index.json"), index.to_string()).map_err(|error| error.to_string())?;
    let version = json!({"imageLayoutVersion": "1.0.0"});
    fs::write(layout.join("oci-layout"), version.to_string()).map_err(|error| error.to_string())
}

/// The digest as `sha256:HEX`.
fn sha256(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

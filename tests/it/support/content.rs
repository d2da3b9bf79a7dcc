//! Images for registries: config, layers, manifest, index (OCI image specification).
//!
//! Bytes and digests are the same in every run. Digests are computed with ring, not with the tested code.

use serde_json::{Value, json};

/// A manifest or an index, with everything it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// `sha256:...` of `bytes`.
    pub(crate) digest: String,
    pub(crate) media_type: String,
    /// The manifests of an index, in order.
    pub(crate) children: Vec<Content>,
    /// The blobs of a manifest: the config, then the layers.
    pub(crate) blobs: Vec<Vec<u8>>,
}

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

impl Content {
    /// Content with any media type and bytes.
    pub(crate) fn new(media_type: &str, bytes: impl Into<Vec<u8>>) -> Content {
        let bytes = bytes.into();
        Content {
            digest: sha256(&bytes),
            bytes,
            media_type: media_type.to_owned(),
            children: Vec::new(),
            blobs: Vec::new(),
        }
    }

    /// An image with one layer for `OS/ARCHITECTURE[/VARIANT]`.
    pub(crate) fn image(platform: &str) -> Content {
        let layer = tar("etc/platform", platform);
        let mut config = platform_of(platform);
        config["created"] = json!("2024-09-06T22:20:07Z");
        config["config"] = json!({
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["/bin/sh"],
            "WorkingDir": "/",
            "Labels": { "org.opencontainers.image.version": "3.20.3" },
        });
        config["rootfs"] = json!({ "type": "layers", "diff_ids": [sha256(&layer)] });
        config["history"] =
            json!([{ "created": "2024-09-06T22:20:07Z", "created_by": "ADD platform /etc/" }]);
        Content::manifest(json_bytes(&config), vec![(LAYER, layer)])
    }

    /// An index of linux/amd64, linux/arm64/v8, linux/arm/v7, and an attestation of the first, as pushed by docker buildx.
    pub(crate) fn index() -> Content {
        let platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"];
        let mut children: Vec<_> = platforms.map(Content::image).into();
        let mut descriptors: Vec<_> = platforms
            .iter()
            .zip(&children)
            .map(|(platform, image)| image.descriptor(platform))
            .collect();
        let attestation = Content::attestation();
        let mut descriptor = attestation.descriptor("unknown/unknown");
        descriptor["annotations"] = json!({
            "vnd.docker.reference.digest": children[0].digest,
            "vnd.docker.reference.type": "attestation-manifest",
        });
        descriptors.push(descriptor);
        children.push(attestation);
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors });
        Content { children, ..Content::new(INDEX, json_bytes(&index)) }
    }

    fn attestation() -> Content {
        let config = json!({ "os": "unknown", "architecture": "unknown", "config": {} });
        let statement = json!({ "_type": "https://in-toto.io/Statement/v0.1", "predicate": {} });
        let layers = vec![("application/vnd.in-toto+json", json_bytes(&statement))];
        Content::manifest(json_bytes(&config), layers)
    }

    fn manifest(config: Vec<u8>, layers: Vec<(&str, Vec<u8>)>) -> Content {
        let described: Vec<_> =
            layers.iter().map(|(media_type, bytes)| blob(media_type, bytes)).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob(CONFIG, &config),
            "layers": described,
        });
        let blobs = std::iter::once(config).chain(layers.into_iter().map(|(_, bytes)| bytes));
        Content { blobs: blobs.collect(), ..Content::new(MANIFEST, json_bytes(&manifest)) }
    }

    fn descriptor(&self, platform: &str) -> Value {
        let mut descriptor = blob(&self.media_type, &self.bytes);
        descriptor["platform"] = platform_of(platform);
        descriptor
    }
}

/// The digest as `sha256:` and lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    let digits: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

fn blob(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() })
}

fn platform_of(text: &str) -> Value {
    let mut platform = json!({});
    for (key, value) in ["os", "architecture", "variant"].into_iter().zip(text.split('/')) {
        platform[key] = json!(value);
    }
    platform
}

fn json_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("a value is JSON")
}

/// A tar archive (POSIX ustar) with one file.
fn tar(path: &str, text: &str) -> Vec<u8> {
    let size = format!("{:011o}\0", text.len());
    let mut header = vec![0; 512];
    for (offset, field) in [
        (0, path),
        (100, "0000644\0"),
        (108, "0000000\0"),
        (116, "0000000\0"),
        (124, size.as_str()),
        (136, "00000000000\0"),
        // The checksum is computed with spaces in its own field.
        (148, "        "),
        (156, "0"),
        (257, "ustar\x0000"),
    ] {
        header[offset..offset + field.len()].copy_from_slice(field.as_bytes());
    }
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header;
    archive.extend(text.as_bytes());
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

//! Media types of manifests (image-spec `media-types.md`, and Docker's own).

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

/// The `Accept` header of requests for manifests: all of [`ACCEPTED`].
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";
/// The manifest types that are requested.
pub const ACCEPTED: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
/// Unspecific types that caches and gateways send instead of a manifest's own.
pub const GENERIC: [&str; 3] = ["application/json", "text/plain", "application/octet-stream"];

/// The media type in a `Content-Type` value: without parameters, in lower case. `None` if the value is empty.
pub(crate) fn essence(content_type: &str) -> Option<String> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{ACCEPT, ACCEPTED};

    #[test]
    fn the_accept_header_lists_the_accepted_types() {
        assert_eq!(ACCEPT, ACCEPTED.join(", "));
    }
}

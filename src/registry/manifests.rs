//! Resolves references to digests, and fetches and verifies manifests.
//!
//! The digest comes from a HEAD response, which registries do not count as a pull. If the registry announces none, it is
//! the hash of a GET's body. Follows distribution-spec ("Pulling manifests", "Checking if content exists in the
//! registry") and image-spec's platform matching.

use crate::digest::{Algorithm, Digest, DigestError};
use crate::error::{DigestSource, Error, Result};
use crate::oci::{self, DeclaredType, Descriptor, ManifestFault, Shape, media_type};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::client::Client;
use crate::registry::exchange::{Exchange, Question, Resource};
use crate::registry::final_response::FinalResponse;
use crate::transport::{Fetched, Limit, Method};

/// Options of [`Client::resolve`].
#[derive(Debug, Clone, Default)]
pub struct ResolveOptions {
    /// Read the manifest and hash it, even if the registry announces a digest.
    pub verify: bool,
    /// Resolve to the manifest for this platform instead of the index.
    pub platform: Option<Platform>,
    /// When a HEAD fails, send a GET to read the registry's error message: a HEAD response has no body.
    pub error_details: bool,
}

/// What a reference resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The manifest's digest. A digest in the reference is returned unchanged.
    pub digest: Digest,
    /// Its media type, if the registry announces it.
    pub media_type: Option<String>,
    /// Its size in bytes, if the registry announces it.
    pub size: Option<u64>,
}

/// A manifest that was read whole and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, if the registry or the document names it.
    pub media_type: Option<String>,
    /// What kind of manifest it is.
    pub shape: Shape,
    /// Its bytes, exactly as received.
    pub bytes: Vec<u8>,
}

const MANIFEST_LIMIT: Limit = Limit { what: "manifest", bytes: 4 * 1024 * 1024 };
const CONFIG_LIMIT: Limit = Limit { what: "config", bytes: 8 * 1024 * 1024 };

impl Client {
    /// Resolves a reference to a digest.
    ///
    /// Sends a HEAD. Sends a GET and hashes the body if the registry announces no usable digest, or if `options` require
    /// it.
    ///
    /// # Errors
    /// Every kind but [`Kind::Usage`](crate::error::Kind::Usage).
    pub fn resolve(&self, reference: &Reference, options: &ResolveOptions) -> Result<Resolved> {
        let mut exchange = self.exchange(reference.repository());
        let target = Target::of(reference);
        match &options.platform {
            Some(platform) => {
                let manifest = exchange.get_manifest(&target)?;
                match exchange.select_platform(&manifest, platform)? {
                    Some(child) => Ok(Resolved {
                        digest: child.digest,
                        media_type: child.media_type,
                        size: child.size,
                    }),
                    None => Ok(manifest.into()),
                }
            }
            None if options.verify => exchange.get_manifest(&target).map(Resolved::from),
            None => exchange.head_manifest(&target, options.error_details),
        }
    }

    /// Fetches the manifest of a reference, verified against the digest in the reference and the one that the registry
    /// announces. With a platform, fetches that platform's manifest from an index.
    ///
    /// # Errors
    /// Every kind but [`Kind::Usage`](crate::error::Kind::Usage).
    pub fn fetch_manifest(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
    ) -> Result<Manifest> {
        let mut exchange = self.exchange(reference.repository());
        let manifest = exchange.get_manifest(&Target::of(reference))?;
        let Some(platform) = platform else { return Ok(manifest) };
        match exchange.select_platform(&manifest, platform)? {
            Some(child) => exchange.get_manifest(&Target::child(&child.digest)),
            None => Ok(manifest),
        }
    }
}

/// A manifest of a repository, and the digest that it must have, if known.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    resource: Resource<'a>,
    expected: Option<(&'a Digest, DigestSource)>,
}

impl<'a> Target<'a> {
    /// The manifest of a reference. Its digest decides if it has both a tag and a digest.
    fn of(reference: &'a Reference) -> Target<'a> {
        let expected = reference.digest().map(|digest| (digest, DigestSource::Pinned));
        Target { resource: Resource::Manifest(reference), expected }
    }

    /// A manifest that an index names.
    fn child(digest: &'a Digest) -> Target<'a> {
        let expected = Some((digest, DigestSource::Descriptor));
        Target { resource: Resource::ManifestOfDigest(digest), expected }
    }

    fn question(&self, method: Method) -> Question<'a> {
        Question {
            method,
            resource: self.resource,
            accept: media_type::ACCEPT,
            limit: MANIFEST_LIMIT,
        }
    }
}

impl Exchange<'_> {
    fn head_manifest(&mut self, target: &Target<'_>, error_details: bool) -> Result<Resolved> {
        let last = self.ask(target.question(Method::Head))?;
        match last.response.status() {
            200 => {
                if let Some(resolved) = announced(target, &last.response)? {
                    return Ok(resolved);
                }
                self.get_manifest(target).map(Resolved::from)
            }
            // The registry does not support HEAD.
            405 | 501 => self.get_manifest(target).map(Resolved::from),
            // A refused password is not sent again.
            401 if last.sent_token() => self.get_after_refused_head(target, last),
            403 => self.get_after_refused_head(target, last),
            400.. if error_details && !last.refused_password() => {
                self.read_error_body(target, last)
            }
            _ => Err(last.into_error()),
        }
    }

    /// Reads the error message of a failed HEAD with a GET. The error keeps the status of the HEAD.
    fn read_error_body(
        &mut self,
        target: &Target<'_>,
        mut last: FinalResponse,
    ) -> Result<Resolved> {
        match self.get_again(&last, target.question(Method::Get)) {
            Ok(response) if response.status() >= 400 => last.response.body = response.body,
            Ok(_) | Err(_) => {}
        }
        Err(last.into_error())
    }

    /// Sends a GET after a refused HEAD. Its body is the registry's error message or, if the registry refuses only HEAD,
    /// the manifest.
    fn get_after_refused_head(
        &mut self,
        target: &Target<'_>,
        mut last: FinalResponse,
    ) -> Result<Resolved> {
        let question = target.question(Method::Get);
        let Ok(response) = self.get_again(&last, question) else { return Err(last.into_error()) };
        let is_manifest =
            || oci::read_manifest(response.head.header("content-type"), &response.body).is_ok();
        if response.status() == 200 && is_manifest() {
            return verified(target, response).map(Resolved::from);
        }
        // Only the body of a failure is an error message: that of a redirect may contain a signed URL.
        if response.status() >= 400 {
            last.response.body = response.body;
        }
        Err(last.into_error())
    }

    fn get_manifest(&mut self, target: &Target<'_>) -> Result<Manifest> {
        let last = self.ask(target.question(Method::Get))?;
        match last.response.status() {
            200 => verified(target, last.response),
            _ => Err(last.into_error()),
        }
    }

    /// The descriptor of the manifest for a platform. `None` if the manifest itself is for that platform.
    fn select_platform(
        &mut self,
        manifest: &Manifest,
        wanted: &Platform,
    ) -> Result<Option<Descriptor>> {
        if manifest.shape == Shape::Index {
            return select_from_index(&manifest.bytes, wanted).map(Some);
        }
        let platform = match manifest.shape {
            Shape::Schema1 => oci::read_schema1_platform(&manifest.bytes)
                .map_err(|source| Error::Document { what: "manifest", source })?,
            Shape::Image | Shape::Index => self.config_platform(manifest)?,
        };
        if wanted.runs(&platform) {
            return Ok(None);
        }
        // The config of an artifact that is not an image has no platform.
        let has_platform = !platform.os().is_empty() && !platform.architecture().is_empty();
        let available = if has_platform { vec![platform] } else { Vec::new() };
        Err(Error::PlatformNotFound { wanted: wanted.clone(), available })
    }

    fn config_platform(&mut self, manifest: &Manifest) -> Result<Platform> {
        let descriptor = oci::read_config_descriptor(&manifest.bytes)
            .map_err(|source| Error::Document { what: "manifest", source })?;
        let expected = descriptor.digest;
        let last = self.ask(Question {
            method: Method::Get,
            resource: Resource::Blob(&expected),
            accept: "*/*",
            limit: CONFIG_LIMIT,
        })?;
        if last.response.status() != 200 {
            return Err(last.into_error());
        }
        check_digest(&expected, DigestSource::Descriptor, &last.response.body)?;
        oci::read_config_platform(&last.response.body)
            .map_err(|source| Error::Document { what: "config", source })
    }
}

fn select_from_index(bytes: &[u8], wanted: &Platform) -> Result<Descriptor> {
    let unreadable = |source| Error::Document { what: "index", source };
    let mut entries = oci::read_index(bytes).map_err(unreadable)?;
    let candidates =
        entries.iter().enumerate().filter_map(|(at, entry)| Some((at, entry.platform.as_ref()?)));
    match wanted.select(candidates) {
        Some(at) => entries.swap_remove(at).descriptor.map_err(unreadable),
        None => {
            let platforms = entries.into_iter().filter_map(|entry| entry.platform);
            // Attestations have the platform unknown/unknown.
            let mut available: Vec<_> =
                platforms.filter(|platform| platform.os() != "unknown").collect();
            available.dedup();
            Err(Error::PlatformNotFound { wanted: wanted.clone(), available })
        }
    }
}

/// Reads digest, media type and size from a HEAD response. `None` if the manifest must be read to know its digest.
fn announced(target: &Target<'_>, response: &Fetched) -> Result<Option<Resolved>> {
    let content_type = response.head.header("content-type");
    let media_type = match DeclaredType::of(content_type) {
        DeclaredType::Manifest(name) => Some(name),
        DeclaredType::Unspecific => None,
        DeclaredType::Other(name) => return Err(Error::Manifest(ManifestFault::ContentType(name))),
    };
    let Some(digest) = digest_header(response)? else { return Ok(None) };
    match target.expected.map(|(digest, _)| digest) {
        // Only hashing the content shows whether digests of two algorithms are of the same content.
        Some(pinned) if pinned.algorithm() != digest.algorithm() => return Ok(None),
        Some(pinned) if *pinned != digest => {
            let pinned = pinned.clone();
            return Err(Error::DigestHeaderDiffers { pinned, announced: digest });
        }
        Some(_) | None => {}
    }
    // The length of an encoded body is not the length of the manifest.
    let length = response.head.header("content-length").filter(|_| encoding(response).is_none());
    let size = length.and_then(|length| length.parse().ok());
    Ok(Some(Resolved { digest, media_type, size }))
}

/// The digest in `Docker-Content-Digest`. `None` if it is missing, or of an unknown algorithm.
fn digest_header(response: &Fetched) -> Result<Option<Digest>> {
    let mut lines: Vec<_> =
        response.head.lines("docker-content-digest").map(|line| line.trim_ascii()).collect();
    lines.dedup();
    let value = String::from_utf8_lossy(&lines.join(b", ".as_slice())).into_owned();
    if value.is_empty() {
        return Ok(None);
    }
    match Digest::parse(&value) {
        Ok(digest) => Ok(Some(digest)),
        Err(DigestError::UnknownAlgorithm { .. }) => Ok(None),
        Err(source) => Err(Error::DigestHeader { value, source }),
    }
}

fn encoding(response: &Fetched) -> Option<&str> {
    response
        .head
        .header("content-encoding")
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
}

/// Checks a manifest that was read against its media type and every digest that is known.
fn verified(target: &Target<'_>, response: Fetched) -> Result<Manifest> {
    let content_type = response.head.header("content-type");
    if let DeclaredType::Other(name) = DeclaredType::of(content_type) {
        return Err(Error::Manifest(ManifestFault::ContentType(name)));
    }
    let header = digest_header(&response)?;
    let announced = header.as_ref().map(|digest| (digest, DigestSource::Header));
    let expected = target.expected;
    let known = || expected.into_iter().chain(announced);
    if let Some(encoding) = encoding(&response) {
        let fits = |(digest, from)| check_digest(digest, from, &response.body).is_ok();
        if known().next().is_none() || !known().all(fits) {
            return Err(Error::Encoded { encoding: encoding.to_owned() });
        }
    }
    for (digest, from) in known() {
        check_digest(digest, from, &response.body)?;
    }
    let summary = oci::read_manifest(content_type, &response.body).map_err(Error::Manifest)?;
    let digest = match known().next() {
        Some((digest, _)) => digest.clone(),
        None => Digest::of(Algorithm::Sha256, &response.body),
    };
    let oci::ManifestSummary { shape, media_type } = summary;
    Ok(Manifest { digest, media_type, shape, bytes: response.body })
}

fn check_digest(expected: &Digest, from: DigestSource, body: &[u8]) -> Result<()> {
    let computed = Digest::of(expected.algorithm(), body);
    if computed == *expected {
        return Ok(());
    }
    Err(Error::DigestMismatch { expected: expected.clone(), from, computed })
}

impl From<Manifest> for Resolved {
    fn from(manifest: Manifest) -> Resolved {
        let size = u64::try_from(manifest.bytes.len()).ok();
        Resolved { digest: manifest.digest, media_type: manifest.media_type, size }
    }
}

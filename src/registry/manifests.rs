//! Manifests and digests: what has this tag, and is it what it says.
//!
//! A digest is had from a HEAD, which costs nothing where pulls are counted, and from a GET and our own hash
//! where that does not do. Follows distribution-spec ("Pulling manifests", "Checking if content exists") and
//! image-spec's matching of platforms.

use crate::digest::{Algorithm, Digest, DigestError};
use crate::error::{DigestSource, Error, Result};
use crate::oci::{self, DeclaredType, Descriptor, ManifestFault, Shape};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::client::Client;
use crate::registry::exchange::{Exchange, Question, Reply};
use crate::transport::{Fetched, Limit, Method};

/// What is asked of [`Client::resolve`] beside the reference.
#[derive(Debug, Clone, Default)]
pub struct ResolveOptions {
    /// Always read the manifest and hash it, whatever the registry announces.
    pub verify: bool,
    /// The digest of the manifest for this platform, in place of the index's.
    pub platform: Option<Platform>,
    /// When a HEAD fails, ask once more by GET for what the registry says of it: a HEAD's answer has no words.
    pub reasons: bool,
}

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The manifest's digest. A digest in the reference is given back as it stands there.
    pub digest: Digest,
    /// Its media type, where the registry says it.
    pub media_type: Option<String>,
    /// Its size in bytes, where the registry says it.
    pub size: Option<u64>,
}

/// A manifest that was read whole and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, where the registry or the document says it.
    pub media_type: Option<String>,
    /// What kind of manifest it is.
    pub shape: Shape,
    /// Its bytes, exactly as they came.
    pub bytes: Vec<u8>,
}

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";
const MANIFEST_LIMIT: Limit = Limit { what: "manifest", bytes: 4 * 1024 * 1024 };
const CONFIG_LIMIT: Limit = Limit { what: "config", bytes: 8 * 1024 * 1024 };

impl Client {
    /// The digest that a reference stands for.
    ///
    /// A HEAD where that does; a GET and our own hash where the registry announces no digest that can be used,
    /// or where `options` ask for it.
    ///
    /// # Errors
    /// Every kind but [`Kind::Usage`](crate::error::Kind::Usage).
    pub fn resolve(&self, reference: &Reference, options: &ResolveOptions) -> Result<Resolved> {
        let mut exchange = self.exchange(reference.repository());
        let which = Which::of(reference);
        match &options.platform {
            Some(platform) => {
                let manifest = exchange.get_manifest(&which)?;
                match exchange.choose(&manifest, platform)? {
                    Some(child) => Ok(Resolved {
                        digest: child.digest,
                        media_type: child.media_type,
                        size: child.size,
                    }),
                    None => Ok(manifest.into()),
                }
            }
            None if options.verify => exchange.get_manifest(&which).map(Resolved::from),
            None => exchange.head_manifest(&which, options.reasons),
        }
    }

    /// The manifest that a reference stands for, verified against the digest in the reference and the one that
    /// the registry announces; with a platform, that platform's manifest out of an index.
    ///
    /// # Errors
    /// Every kind but [`Kind::Usage`](crate::error::Kind::Usage).
    pub fn fetch_manifest(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
    ) -> Result<Manifest> {
        let mut exchange = self.exchange(reference.repository());
        let manifest = exchange.get_manifest(&Which::of(reference))?;
        let Some(platform) = platform else { return Ok(manifest) };
        match exchange.choose(&manifest, platform)? {
            Some(child) => exchange.get_manifest(&Which::child(reference, child.digest)),
            None => Ok(manifest),
        }
    }
}

/// Which manifest of a repository, and the digest that it must have.
#[derive(Debug)]
struct Which {
    path: String,
    expected: Option<(Digest, DigestSource)>,
}

impl Which {
    /// The digest decides where a reference has both.
    fn of(reference: &Reference) -> Which {
        let name = reference.repository().path();
        Which {
            path: format!("/v2/{name}/manifests/{}", reference.tag_or_digest()),
            expected: reference.digest().map(|digest| (digest.clone(), DigestSource::Pinned)),
        }
    }

    fn child(reference: &Reference, digest: Digest) -> Which {
        let path = format!("/v2/{}/manifests/{digest}", reference.repository().path());
        Which { path, expected: Some((digest, DigestSource::Descriptor)) }
    }

    fn pinned(&self) -> Option<&Digest> {
        self.expected.as_ref().map(|(digest, _)| digest)
    }

    fn question(&self, method: Method) -> Question<'_> {
        Question { method, path: &self.path, accept: ACCEPT, limit: MANIFEST_LIMIT }
    }
}

impl Exchange<'_> {
    fn head_manifest(&mut self, which: &Which, reasons: bool) -> Result<Resolved> {
        let question = which.question(Method::Head);
        let reply = self.ask(question)?;
        match reply.answer.status() {
            200 => {
                if let Some(resolved) = announced(which, &reply.answer)? {
                    return Ok(resolved);
                }
                self.get_manifest(which).map(Resolved::from)
            }
            // The registry does not do HEAD.
            405 | 501 => self.get_manifest(which).map(Resolved::from),
            401 if reply.authorization.is_some() => self.second_look(which, reply),
            403 => self.second_look(which, reply),
            400.. if reasons => self.hear(which, reply),
            _ => Err(reply.into_error()),
        }
    }

    /// The words of what failed, by a GET that decides nothing.
    fn hear(&mut self, which: &Which, mut reply: Reply) -> Result<Resolved> {
        match self.ask_again(&reply, which.question(Method::Get)) {
            Ok(answer) if answer.status() >= 400 => reply.answer.body = answer.body,
            Ok(_) | Err(_) => {}
        }
        Err(reply.into_error())
    }

    /// A refused HEAD has no body: one GET brings the registry's own words, or, from registries that refuse
    /// HEAD alone, the manifest.
    fn second_look(&mut self, which: &Which, mut reply: Reply) -> Result<Resolved> {
        let question = which.question(Method::Get);
        let Ok(answer) = self.ask_again(&reply, question) else { return Err(reply.into_error()) };
        let manifest =
            || oci::read_manifest(answer.head.header("content-type"), &answer.body).is_ok();
        if answer.status() == 200 && manifest() {
            return verified(which, answer).map(Resolved::from);
        }
        // Only a refusal's words are the registry's own: a redirect's may hold a signed URL.
        if answer.status() >= 400 {
            reply.answer.body = answer.body;
        }
        Err(reply.into_error())
    }

    fn get_manifest(&mut self, which: &Which) -> Result<Manifest> {
        let reply = self.ask(which.question(Method::Get))?;
        match reply.answer.status() {
            200 => verified(which, reply.answer),
            _ => Err(reply.into_error()),
        }
    }

    /// The descriptor of a platform's manifest in an index; `None` when the manifest itself is the platform's.
    fn choose(&mut self, manifest: &Manifest, wanted: &Platform) -> Result<Option<Descriptor>> {
        if manifest.shape == Shape::Index {
            return from_index(&manifest.bytes, wanted).map(Some);
        }
        let platform = match manifest.shape {
            Shape::Schema1 => oci::read_schema1_platform(&manifest.bytes)
                .map_err(|source| Error::Document { what: "manifest", source })?,
            Shape::Image | Shape::Index => self.config_platform(manifest)?,
        };
        if wanted.runs(&platform) {
            return Ok(None);
        }
        // The config of something that is no image names no platform.
        let named = !platform.os().is_empty() && !platform.architecture().is_empty();
        let available = if named { vec![platform] } else { Vec::new() };
        Err(Error::PlatformNotFound { wanted: wanted.clone(), available })
    }

    fn config_platform(&mut self, manifest: &Manifest) -> Result<Platform> {
        let descriptor = oci::read_config_descriptor(&manifest.bytes)
            .map_err(|source| Error::Document { what: "manifest", source })?;
        let expected = descriptor.digest;
        let path = format!("/v2/{}/blobs/{expected}", self.repository());
        let reply = self.ask(Question {
            method: Method::Get,
            path: &path,
            accept: "*/*",
            limit: CONFIG_LIMIT,
        })?;
        if reply.answer.status() != 200 {
            return Err(reply.into_error());
        }
        matches(&expected, DigestSource::Descriptor, &reply.answer.body)?;
        oci::read_config_platform(&reply.answer.body)
            .map_err(|source| Error::Document { what: "config", source })
    }
}

fn from_index(bytes: &[u8], wanted: &Platform) -> Result<Descriptor> {
    let unreadable = |source| Error::Document { what: "index", source };
    let mut entries = oci::read_index(bytes).map_err(unreadable)?;
    let candidates =
        entries.iter().enumerate().filter_map(|(at, entry)| Some((at, entry.platform.as_ref()?)));
    match wanted.select(candidates) {
        Some(at) => entries.swap_remove(at).descriptor.map_err(unreadable),
        None => {
            let known = entries.into_iter().filter_map(|entry| entry.platform);
            let named = |platform: &Platform| platform.os() != "unknown";
            let mut available: Vec<_> = known.filter(named).collect();
            available.dedup();
            Err(Error::PlatformNotFound { wanted: wanted.clone(), available })
        }
    }
}

/// What a HEAD's answer says, when that is enough to go by.
fn announced(which: &Which, answer: &Fetched) -> Result<Option<Resolved>> {
    let content_type = answer.head.header("content-type");
    let media_type = match DeclaredType::of(content_type) {
        DeclaredType::Manifest(name) => Some(name),
        DeclaredType::Unspecific => None,
        DeclaredType::Other(name) => return Err(Error::Manifest(ManifestFault::ContentType(name))),
    };
    let Some(digest) = digest_header(answer)? else { return Ok(None) };
    match which.pinned() {
        // Only our own hash tells whether two algorithms mean the same content.
        Some(pinned) if pinned.algorithm() != digest.algorithm() => return Ok(None),
        Some(pinned) if *pinned != digest => {
            let pinned = pinned.clone();
            return Err(Error::DigestHeaderDiffers { pinned, announced: digest });
        }
        Some(_) | None => {}
    }
    // The length of an encoded body is not the manifest's.
    let length = answer.head.header("content-length").filter(|_| encoding(answer).is_none());
    let size = length.and_then(|length| length.parse().ok());
    Ok(Some(Resolved { digest, media_type, size }))
}

/// The digest in `Docker-Content-Digest`; `None` when there is none, or one of an algorithm that is not known.
fn digest_header(answer: &Fetched) -> Result<Option<Digest>> {
    let mut lines: Vec<_> =
        answer.head.lines("docker-content-digest").map(|line| line.trim_ascii()).collect();
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

fn encoding(answer: &Fetched) -> Option<&str> {
    answer
        .head
        .header("content-encoding")
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
}

/// Holds a manifest that was read against everything that is known of it.
fn verified(which: &Which, answer: Fetched) -> Result<Manifest> {
    let content_type = answer.head.header("content-type");
    if let DeclaredType::Other(name) = DeclaredType::of(content_type) {
        return Err(Error::Manifest(ManifestFault::ContentType(name)));
    }
    let header = digest_header(&answer)?;
    let announced = header.as_ref().map(|digest| (digest, DigestSource::Header));
    let expected = which.expected.as_ref().map(|(digest, from)| (digest, *from));
    let known = || expected.into_iter().chain(announced);
    if let Some(encoding) = encoding(&answer) {
        let fits = |(digest, from)| matches(digest, from, &answer.body).is_ok();
        if known().next().is_none() || !known().all(fits) {
            return Err(Error::Encoded { encoding: encoding.to_owned() });
        }
    }
    for (digest, from) in known() {
        matches(digest, from, &answer.body)?;
    }
    let summary = oci::read_manifest(content_type, &answer.body).map_err(Error::Manifest)?;
    let digest = match known().next() {
        Some((digest, _)) => digest.clone(),
        None => Digest::of(Algorithm::Sha256, &answer.body),
    };
    let oci::ManifestSummary { shape, media_type } = summary;
    Ok(Manifest { digest, media_type, shape, bytes: answer.body })
}

fn matches(expected: &Digest, from: DigestSource, body: &[u8]) -> Result<()> {
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

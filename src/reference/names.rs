//! The types that a reference parses into: registry, repository, tag and the reference itself.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::digest::Digest;
use crate::reference::docker_hub;
use crate::reference::error::Ambiguity;
use crate::url::{Origin, Scheme, is_loopback};

/// A registry: a host and, if not the default, a port.
///
/// The host is kept as typed, except that all names of Docker Hub become `docker.io`. As in a
/// reference, a word without a dot and a port is not a registry, unless it is `localhost`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry {
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Registry {
    /// The canonical name: `docker.io`, or the host with its port. Suitable as a key.
    #[must_use]
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// Whether this is Docker Hub, under any of its names.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.port.is_none() && self.host == docker_hub::NAME
    }

    /// The host that serves the API, without the port: `registry-1.docker.io` for Docker Hub. An IPv6
    /// address is in brackets.
    #[must_use]
    pub fn api_host(&self) -> &str {
        if self.is_docker_hub() { docker_hub::API_HOST } else { &self.host }
    }

    /// The port, if the name has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether the name means this machine: `localhost` and names under it (RFC 6761), addresses in
    /// 127.0.0.0/8, and `[::1]`. Nothing is resolved.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The origin of the API, at the port in the name or at `default_port`.
    pub(crate) fn origin(&self, scheme: Scheme, default_port: u16) -> Origin {
        Origin::of_valid_host(scheme, self.api_host(), self.port.unwrap_or(default_port))
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// A repository in a registry, displayed as `docker.io/library/alpine`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    pub(super) registry: Registry,
    pub(super) path: String,
}

impl Repository {
    /// The registry that has the repository.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The name within the registry, as in API paths: `library/alpine`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// A tag: 1 to 128 ASCII letters, digits and `_`, `.`, `-`, not beginning with `.` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(super) String);

impl Tag {
    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image reference: a repository with a tag, a digest, or both. With both, the digest decides.
///
/// Displayed in canonical form, such as `docker.io/library/alpine:latest`, which parses as an equal
/// reference. Two references are equal if their canonical forms are, however they were typed.
///
/// ```
/// use regq::reference::Reference;
///
/// let reference = Reference::parse("alpine")?;
/// assert_eq!(reference.to_string(), "docker.io/library/alpine:latest");
/// assert_eq!(reference.registry().api_host(), "registry-1.docker.io");
/// assert_eq!(reference.repository().path(), "library/alpine");
///
/// // Errors carry a position and often a suggestion.
/// let error = Reference::parse("https://quay.io/podman/hello").unwrap_err();
/// assert_eq!(error.suggestion(), Some("quay.io/podman/hello"));
///
/// // Some valid references are not what they look like.
/// assert!(Reference::parse("localhost:5000")?.ambiguity().is_some());
/// # Ok::<(), regq::reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reference {
    pub(super) repository: Repository,
    pub(super) version: Version,
    pub(super) ambiguity: Option<Ambiguity>,
}

/// Which image of a repository a reference names.
#[derive(Clone, Debug)]
pub(super) enum Version {
    Tag(Tag),
    Digest(Digest),
    Both(Tag, Digest),
}

impl Reference {
    /// The repository of the image.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The registry of the repository.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.repository.registry
    }

    /// The tag. `latest` if the text had neither tag nor digest, `None` if it had only a digest.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        match &self.version {
            Version::Tag(tag) | Version::Both(tag, _) => Some(tag),
            Version::Digest(_) => None,
        }
    }

    /// The digest that the reference is pinned to.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match &self.version {
            Version::Digest(digest) | Version::Both(_, digest) => Some(digest),
            Version::Tag(_) => None,
        }
    }

    /// The last segment of the manifest's API path: the digest if the reference has one, otherwise the
    /// tag (distribution-spec, `/v2/<name>/manifests/<reference>`).
    #[must_use]
    pub fn tag_or_digest(&self) -> &str {
        match &self.version {
            Version::Tag(tag) => tag.as_str(),
            Version::Digest(digest) | Version::Both(_, digest) => digest.as_str(),
        }
    }

    /// What the user may have meant instead, if the text looks like something else.
    #[must_use]
    pub fn ambiguity(&self) -> Option<Ambiguity> {
        self.ambiguity
    }

    /// The parts that make references equal: all but how the text looked.
    fn key(&self) -> (&Repository, Option<&Tag>, Option<&Digest>) {
        (&self.repository, self.tag(), self.digest())
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Reference {}

impl PartialOrd for Reference {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reference {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Reference {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = self.digest() {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

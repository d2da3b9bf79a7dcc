//! What a name is made of, once it was read: registry, repository, tag and digest.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::digest::Digest;
use crate::reference::error::Ambiguity;
use crate::url::is_loopback;

/// What Docker Hub is called in a name, in canonical form.
pub(super) const DOCKER_HUB: &str = "docker.io";
/// Where Docker Hub answers.
pub(super) const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// A registry: a host, with a port where one was given.
///
/// The host's text is kept as typed, except that Docker Hub's names all become `docker.io`. Every
/// registry can stand in a reference, so a word without dot and port is none, `localhost` aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry {
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Registry {
    /// The name to show and to keep things under: `docker.io`, or the host with its port.
    #[must_use]
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// Whether this is Docker Hub, under any of its names.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.port.is_none() && self.host == DOCKER_HUB
    }

    /// The host to ask, without the port: `registry-1.docker.io` for Docker Hub. An IPv6 address has
    /// its brackets.
    #[must_use]
    pub fn api_host(&self) -> &str {
        if self.is_docker_hub() { DOCKER_HUB_API } else { &self.host }
    }

    /// The port, where one was given.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether the name alone says that this is the same machine: `localhost` and names under it
    /// (RFC 6761), addresses in 127.0.0.0/8, and `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
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

/// A repository in its registry, displayed as `docker.io/library/alpine`.
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

    /// The path in the registry, as its API takes it: `library/alpine`.
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

/// An image's name: a repository with a tag, a digest, or both. The digest decides where there is one.
///
/// Displayed in canonical form, such as `docker.io/library/alpine:latest`, which is read as an equal
/// reference again. How it was typed is remembered for [`Reference::ambiguity`] alone and makes no
/// difference between references.
///
/// ```
/// use regq::reference::Reference;
///
/// let reference = Reference::parse("alpine")?;
/// assert_eq!(reference.to_string(), "docker.io/library/alpine:latest");
/// assert_eq!(reference.registry().api_host(), "registry-1.docker.io");
/// assert_eq!(reference.repository().path(), "library/alpine");
///
/// // An error knows its place, and often what was meant.
/// let error = Reference::parse("https://quay.io/podman/hello").unwrap_err();
/// assert_eq!(error.suggestion(), Some("quay.io/podman/hello"));
///
/// // A name may be legal and still not what it looks like.
/// assert!(Reference::parse("localhost:5000")?.ambiguity().is_some());
/// # Ok::<(), regq::reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reference {
    pub(super) repository: Repository,
    pub(super) tag: Option<Tag>,
    pub(super) digest: Option<Digest>,
    pub(super) ambiguity: Option<Ambiguity>,
}

impl Reference {
    /// The repository that has the image.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The registry that has the repository.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.repository.registry
    }

    /// The tag: `latest` when neither tag nor digest was given, none when only a digest was.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest that the reference is pinned to.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What the person who typed it may have meant instead, where the name is legal but looks like
    /// something else.
    #[must_use]
    pub fn ambiguity(&self) -> Option<Ambiguity> {
        self.ambiguity
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        let Self { repository, tag, digest, ambiguity: _ } = self;
        *repository == other.repository && *tag == other.tag && *digest == other.digest
    }
}

impl Eq for Reference {}

impl Hash for Reference {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { repository, tag, digest, ambiguity: _ } = self;
        (repository, tag, digest).hash(state);
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

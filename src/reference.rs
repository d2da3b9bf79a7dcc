//! References: how the name of an image is read, with Docker Hub's rules.
//!
//! The grammar and the normalisation are those of distribution/reference: a first part with a dot or
//! a colon, or `localhost`, is the registry; anything else is on Docker Hub, where a name of one part
//! belongs to `library/`; the tag is `latest` when neither tag nor digest is given. Stricter than it
//! in three things: a port is 1 to 65535, an address in brackets is a valid one, and upper case makes
//! no registry of a word. All of Docker Hub's host names are one registry.
//!
//! A [`Reference`] is a name that was understood, not one that exists. What is asked over which
//! scheme is decided elsewhere; this module knows no URLs and sends nothing.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::digest::{self, Digest};

use read::{
    Fault, looks_like_host, read_reference, read_registry_alone, read_repository_alone, read_tag,
    repair_name, repair_registry, without_scheme,
};

mod read;

/// What Docker Hub is called in a name, in canonical form.
const DOCKER_HUB: &str = "docker.io";
/// Where Docker Hub answers.
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// A registry: a host, with a port where one was given.
///
/// The host's text is kept as typed, except that Docker Hub's names all become `docker.io`. Every
/// registry can stand in a reference, so a word without dot and port is none, `localhost` aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry {
    host: String,
    port: Option<u16>,
}

impl Registry {
    /// Reads `HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_registry_alone(text).map_err(|fault| ReferenceError::new(text, fault, repair_registry))
    }

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
        let host = self.host.to_ascii_lowercase();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || address.is_some_and(|text| {
                text.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
            })
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

impl FromStr for Registry {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A repository in its registry, displayed as `docker.io/library/alpine`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: Registry,
    path: String,
}

impl Repository {
    /// Reads a repository's name, without tag and digest.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit; a tag or a digest does not.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_repository_alone(text).map_err(|fault| {
            ReferenceError::new(text, fault, |text| {
                repair_name(text, |text| read_repository_alone(text).is_ok())
            })
        })
    }

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

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A tag: 1 to 128 ASCII letters, digits and `_`, `.`, `-`, not beginning with `.` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// Reads a tag.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_tag(text, 0).map_err(|Fault { at, reason }| ReferenceError {
            input: text.to_owned(),
            at,
            reason,
            suggestion: None,
        })
    }

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

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// An image's name: a repository with a tag, a digest, or both. The digest decides where there is one.
///
/// Displayed in canonical form, such as `docker.io/library/alpine:latest`, which is read as an equal
/// reference again. How it was typed is remembered for [`Reference::trap`] alone and makes no
/// difference between references.
#[derive(Clone, Debug)]
pub struct Reference {
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Digest>,
    trap: Option<Trap>,
}

impl Reference {
    /// Reads `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_reference(text).map_err(|fault| {
            ReferenceError::new(text, fault, |text| {
                repair_name(text, |text| read_reference(text).is_ok_and(|read| read.trap.is_none()))
            })
        })
    }

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
    pub fn trap(&self) -> Option<Trap> {
        self.trap
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        let Self { repository, tag, digest, trap: _ } = self;
        *repository == other.repository && *tag == other.tag && *digest == other.digest
    }
}

impl Eq for Reference {}

impl Hash for Reference {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { repository, tag, digest, trap: _ } = self;
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

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A legal name that is easily mistaken for something else.
///
/// Displayed as a sentence for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `localhost:5000`, which is the tag 5000 of a repository on Docker Hub.
    RegistryAsName,
    /// `sha256:` and a hash, which is a tag of the repository `sha256` on Docker Hub.
    DigestAsName,
}

impl Trap {
    /// Looks at a name without slash: a name with one says where it belongs.
    fn of(name: &str, tag: &str) -> Option<Self> {
        let digits = tag.bytes().all(|byte| byte.is_ascii_digit());
        let port = digits && tag.parse::<u16>().is_ok_and(|port| port > 0);
        if port && looks_like_host(name) {
            Some(Self::RegistryAsName)
        } else if matches!(name, "sha256" | "sha512")
            && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            Some(Self::DigestAsName)
        } else {
            None
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RegistryAsName => {
                "without a slash this is a repository on Docker Hub and its tag; \
                 a registry and its port are followed by / and a repository"
            }
            Self::DigestAsName => {
                "without a repository this is a tag of the repository of that name on Docker Hub; \
                 a digest follows a repository and @"
            }
        })
    }
}

/// Why a text is no reference, or no registry, repository or tag where one of these was to be read.
///
/// Displayed as `"Foo/bar": byte 0: repository names are lower case`, with everything in the input
/// that does not print escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    input: String,
    at: usize,
    reason: Reason,
    suggestion: Option<String>,
}

impl ReferenceError {
    /// `repair` makes a suggestion of the input without its scheme and the slashes at its end.
    fn new(input: &str, fault: Fault, repair: impl Fn(&str) -> Option<String>) -> Self {
        let bare = without_scheme(input);
        let reason = if bare.is_some() { Reason::Scheme } else { fault.reason };
        let suggestion =
            repair(bare.unwrap_or(input).trim_end_matches('/')).filter(|text| text != input);
        Self { input: input.to_owned(), at: fault.at, reason, suggestion }
    }

    /// The text that was to be read.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The first byte that does not fit, counted from 0; the input's length when its end is missing.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What does not fit there.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// What may have been meant, where that can be told: a text that can be read.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// What to do about it, in words, where there is something to say beyond the reason.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match (&self.suggestion, &self.reason) {
            (Some(suggestion), _) => Some(format!("did you mean {suggestion}")),
            (None, Reason::Scheme) => Some("leave out what stands in front of the name".to_owned()),
            (None, _) => None,
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: byte {}: {}", self.input, self.at, self.reason)
    }
}

impl std::error::Error for ReferenceError {}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is nothing to read.
    Empty,
    /// A URL's scheme, or the transport of another tool, stands in front.
    Scheme,
    /// The registry's host name holds a character that it may not, or a part of it is empty.
    Host,
    /// The registry's address in brackets is no IPv6 address.
    Address,
    /// The registry's port is no number from 1 to 65535.
    Port,
    /// A registry without a repository.
    NoRepository,
    /// A word where only a registry is wanted, and nothing about it says that it is one.
    NoRegistry,
    /// Something behind a registry where only a registry is wanted.
    RegistryAlone,
    /// An upper-case letter in the repository.
    UpperCase,
    /// A part of the repository is empty: a slash at the beginning, at the end, or two in a row.
    EmptyPart,
    /// The repository holds a character that it may not, or one at a place where it may not stand.
    Path,
    /// The repository's path is too long.
    PathTooLong,
    /// An image's ID, which only the machine that has the image knows.
    ImageId,
    /// A tag or a digest where only a repository is wanted.
    RepositoryAlone,
    /// Nothing behind the colon.
    EmptyTag,
    /// The tag holds a character that it may not, or begins with `.` or `-`.
    Tag,
    /// The tag is too long.
    TagTooLong,
    /// The digest is malformed.
    Digest(digest::Reason),
    /// The digest is well-formed, but of an algorithm that is not known.
    DigestAlgorithm(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a name is missing",
            Self::Scheme => "a name has no scheme in front",
            Self::Host => {
                "a registry's host has letters, digits and - in parts joined by single dots"
            }
            Self::Address => "what is in brackets is not an IPv6 address",
            Self::Port => "a port is a number from 1 to 65535",
            Self::NoRepository => "a repository is missing behind the registry",
            Self::NoRegistry => "a registry has a dot or a port in its name, or is localhost",
            Self::RegistryAlone => "only a registry is wanted here, nothing behind it",
            Self::UpperCase => "repository names are lower case",
            Self::EmptyPart => "a part of the repository name is empty",
            Self::Path => {
                "a repository name has lower-case letters and digits, with . _ __ or - between them"
            }
            Self::PathTooLong => "a repository name has at most 255 characters",
            Self::ImageId => "64 hexadecimal digits are an image ID, not a name",
            Self::RepositoryAlone => "only a repository is wanted here, without tag and digest",
            Self::EmptyTag => "a tag is missing behind the colon",
            Self::Tag => "a tag has letters, digits and _ . - only, and begins with none of . -",
            Self::TagTooLong => "a tag has at most 128 characters",
            Self::Digest(reason) => return reason.fmt(f),
            Self::DigestAlgorithm(algorithm) => {
                return write!(
                    f,
                    "the digest algorithm {algorithm} is not known, only sha256 and sha512 are"
                );
            }
        })
    }
}

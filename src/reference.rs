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

use crate::digest::{self, Digest, DigestError};

/// What Docker Hub is called in a name, in canonical form.
const DOCKER_HUB: &str = "docker.io";
/// Where Docker Hub answers.
const DOCKER_HUB_API: &str = "registry-1.docker.io";
/// All the hosts that mean Docker Hub.
const DOCKER_HUB_HOSTS: [&str; 3] = [DOCKER_HUB, "index.docker.io", DOCKER_HUB_API];
/// Where Docker Hub keeps the repositories whose names have one part.
const LIBRARY: &str = "library/";
/// The tag of a reference that names neither tag nor digest.
const LATEST: &str = "latest";
/// The longest repository path, in characters, `library/` included.
const PATH_LIMIT: usize = 255;
/// The longest tag, in characters.
const TAG_LIMIT: usize = 128;
/// How many hexadecimal digits make an image ID, which docker does not read as a name.
const IMAGE_ID_LENGTH: usize = 64;
/// Prefixes of other tools that name where an image comes from and have no `//`.
const TRANSPORTS: [&str; 2] = ["docker-daemon:", "containers-storage:"];

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

/// Where the reading stopped, and why.
struct Fault {
    at: usize,
    reason: Reason,
}

fn fault<T>(at: usize, reason: Reason) -> Result<T, Fault> {
    Err(Fault { at, reason })
}

fn read_reference(text: &str) -> Result<Reference, Fault> {
    let (repository, tail) = read_repository(text)?;
    let at = text.len() - tail.len();
    let (tag, digest) = match tail.split_once('@') {
        Some((tag, digest)) => (tag, Some(read_digest(digest, at + tag.len() + 1))),
        None => (tail, None),
    };
    // What is on the left is read first, so that the first fault is the one that is told.
    let tag = match tag.strip_prefix(':') {
        Some(tag) => Some(read_tag(tag, at + 1)?),
        None => None,
    };
    let digest = digest.transpose()?;
    let bare = !text.contains('/');
    let typed = text.split_once([':', '@']).map_or(text, |(name, _)| name);
    let trap = tag.as_ref().filter(|_| bare).and_then(|tag| Trap::of(typed, tag.as_str()));
    let tag = match (tag, &digest) {
        (None, None) => Some(Tag(LATEST.to_owned())),
        (tag, _) => tag,
    };
    Ok(Reference { repository, tag, digest, trap })
}

fn read_repository_alone(text: &str) -> Result<Repository, Fault> {
    let (repository, tail) = read_repository(text)?;
    if tail.is_empty() {
        Ok(repository)
    } else {
        fault(text.len() - tail.len(), Reason::RepositoryAlone)
    }
}

fn read_registry_alone(text: &str) -> Result<Registry, Fault> {
    if text.is_empty() {
        return fault(0, Reason::Empty);
    }
    let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
    if !is_host(host) {
        let at = host.find(|character: char| !is_host_character(character));
        return at.map_or(fault(host.len(), Reason::NoRegistry), |at| fault(at, Reason::Host));
    }
    let registry = read_registry(host)?;
    if path.is_some() { fault(host.len(), Reason::RegistryAlone) } else { Ok(registry) }
}

/// Reads a repository and gives back what stands behind its name: a tag, a digest, both or nothing.
fn read_repository(text: &str) -> Result<(Repository, &str), Fault> {
    if text.is_empty() {
        return fault(0, Reason::Empty);
    }
    if text.len() == IMAGE_ID_LENGTH
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return fault(0, Reason::ImageId);
    }
    let (registry, rest) = match text.split_once('/') {
        Some((host, rest)) if is_host(host) => (Some(read_registry(host)?), rest),
        Some(_) => (None, text),
        // A bracket begins nothing but an address.
        None if text.starts_with('[') => {
            read_registry(text)?;
            return fault(text.len(), Reason::NoRepository);
        }
        None => (None, text),
    };
    let at = text.len() - rest.len();
    let (path, tail) =
        rest.find([':', '@']).and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
    if registry.is_some() && path.is_empty() {
        return fault(at, Reason::NoRepository);
    }
    let registry = registry.unwrap_or_else(|| Registry { host: DOCKER_HUB.to_owned(), port: None });
    let prefix = if registry.is_docker_hub() && !path.contains('/') { LIBRARY } else { "" };
    check_path(path, at, PATH_LIMIT.saturating_sub(prefix.len()))?;
    Ok((Repository { registry, path: format!("{prefix}{path}") }, tail))
}

/// Whether a part that is followed by a slash names a registry.
fn is_host(part: &str) -> bool {
    looks_like_host(part) || part.contains(':') || part.starts_with('[')
}

fn looks_like_host(name: &str) -> bool {
    name.contains('.') || name.eq_ignore_ascii_case("localhost")
}

fn is_host_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

/// Reads `HOST[:PORT]`, which begins at byte 0 wherever it stands.
fn read_registry(text: &str) -> Result<Registry, Fault> {
    let (host, tail) = match text.strip_prefix('[') {
        Some(inner) => {
            let length =
                check_address(inner).map_err(|at| Fault { at: at + 1, reason: Reason::Address })?;
            // The address with its two brackets.
            text.split_at_checked(length + 2).unwrap_or((text, ""))
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (host, tail) = text.split_at_checked(end).unwrap_or((text, ""));
            check_host(host)?;
            (host, tail)
        }
    };
    let port = match tail.strip_prefix(':') {
        Some(port) => Some(read_port(port, host.len() + 1)?),
        None if tail.is_empty() => None,
        None => return fault(host.len(), Reason::Host),
    };
    let hub = port.is_none() && DOCKER_HUB_HOSTS.iter().any(|name| host.eq_ignore_ascii_case(name));
    Ok(Registry { host: if hub { DOCKER_HUB } else { host }.to_owned(), port })
}

/// Checks a host name: parts of letters, digits and inner hyphens, joined by dots.
fn check_host(host: &str) -> Result<(), Fault> {
    let mut last = '.';
    for (at, character) in host.char_indices() {
        let fits = match character {
            '.' => last.is_ascii_alphanumeric(),
            '-' => last != '.',
            _ => character.is_ascii_alphanumeric(),
        };
        if !fits {
            return fault(at, Reason::Host);
        }
        last = character;
    }
    if last.is_ascii_alphanumeric() { Ok(()) } else { fault(host.len(), Reason::Host) }
}

/// The length of the IPv6 address that `text` begins with, up to its closing bracket; else where it
/// stops being one. Zones and dotted endings are not taken, as in docker.
fn check_address(text: &str) -> Result<usize, usize> {
    let end = text.find(|character: char| !character.is_ascii_hexdigit() && character != ':');
    let (address, tail) = end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""));
    if tail.starts_with(']') && address.parse::<Ipv6Addr>().is_ok() {
        return Ok(address.len());
    }
    // A beginning can still become an address when one of these endings makes it one.
    let viable = |beginning: &str| {
        ["", "0", ":", "::", ":0"]
            .iter()
            .any(|end| format!("{beginning}{end}").parse::<Ipv6Addr>().is_ok())
    };
    let longest =
        (0..=address.len()).take_while(|length| address.get(..*length).is_some_and(viable)).last();
    Err(longest.unwrap_or(0))
}

fn read_port(text: &str, at: usize) -> Result<u16, Fault> {
    let mut port = 0_u16;
    for (offset, character) in text.char_indices() {
        let digit = character.to_digit(10).and_then(|digit| u16::try_from(digit).ok());
        let longer = digit.and_then(|digit| port.checked_mul(10)?.checked_add(digit));
        let Some(longer) = longer else {
            return fault(at + offset, Reason::Port);
        };
        port = longer;
    }
    if port == 0 { fault(at, Reason::Port) } else { Ok(port) }
}

/// Checks a path: parts of lower-case letters and digits, with one dot, one or two underscores or any
/// number of hyphens between them, joined by slashes.
fn check_path(path: &str, base: usize, limit: usize) -> Result<(), Fault> {
    // What has been read of the current part since its last letter or digit; None at its beginning.
    let mut separator: Option<String> = None;
    for (at, character) in path.char_indices() {
        if at >= limit {
            return fault(base + at, Reason::PathTooLong);
        }
        let fits = match (character, separator.as_deref()) {
            ('a'..='z' | '0'..='9', _) => true,
            ('/' | '.', Some("")) | ('_', Some("" | "_")) => true,
            ('-', Some(before)) => before.bytes().all(|byte| byte == b'-'),
            _ => false,
        };
        if !fits {
            return fault(base + at, path_reason(character, separator.is_none()));
        }
        match character {
            '/' => separator = None,
            '.' | '_' | '-' => separator.get_or_insert_default().push(character),
            _ => separator = Some(String::new()),
        }
    }
    match separator.as_deref() {
        Some("") => Ok(()),
        Some(_) => fault(base + path.len(), Reason::Path),
        None => fault(base + path.len(), Reason::EmptyPart),
    }
}

fn path_reason(character: char, beginning: bool) -> Reason {
    match character {
        'A'..='Z' => Reason::UpperCase,
        '/' if beginning => Reason::EmptyPart,
        _ => Reason::Path,
    }
}

fn read_tag(text: &str, base: usize) -> Result<Tag, Fault> {
    if text.is_empty() {
        return fault(base, Reason::EmptyTag);
    }
    for (at, character) in text.char_indices() {
        let fits = character.is_ascii_alphanumeric()
            || character == '_'
            || (at > 0 && matches!(character, '.' | '-'));
        if !fits {
            return fault(base + at, Reason::Tag);
        }
        if at >= TAG_LIMIT {
            return fault(base + at, Reason::TagTooLong);
        }
    }
    Ok(Tag(text.to_owned()))
}

fn read_digest(text: &str, base: usize) -> Result<Digest, Fault> {
    Digest::parse(text).map_err(|error| match error {
        DigestError::Malformed { at, reason } => {
            Fault { at: base + at, reason: Reason::Digest(reason) }
        }
        DigestError::UnknownAlgorithm { algorithm } => {
            Fault { at: base, reason: Reason::DigestAlgorithm(algorithm) }
        }
    })
}

/// The name with its repository in lower case, where it can be read then and misleads nobody: a host
/// without a repository would become a repository on Docker Hub.
fn repair_name(text: &str, reads: impl Fn(&str) -> bool) -> Option<String> {
    let text = lower_path(text);
    let name = text.split_once([':', '@']).map_or(text.as_str(), |(name, _)| name);
    let misleading = !text.contains('/') && looks_like_host(name);
    (reads(&text) && !misleading).then_some(text)
}

/// The registry without what stands behind it.
fn repair_registry(text: &str) -> Option<String> {
    let host = text.split_once('/').map_or(text, |(host, _)| host);
    read_registry_alone(host).is_ok().then(|| host.to_owned())
}

/// The rest of a text that begins with a scheme and `://`, or with another tool's transport.
fn without_scheme(text: &str) -> Option<&str> {
    let scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
    };
    let url = text.split_once("://").filter(|(before, _)| scheme(before)).map(|(_, rest)| rest);
    url.or_else(|| TRANSPORTS.iter().find_map(|transport| text.strip_prefix(transport)))
}

/// The text with its repository in lower case; registry, tag and digest as they are.
fn lower_path(text: &str) -> String {
    let (host, rest) = match text.split_once('/') {
        Some((host, rest)) if is_host(host) => (Some(host), rest),
        Some(_) | None => (None, text),
    };
    let (path, tail) =
        rest.find([':', '@']).and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
    let path = path.to_ascii_lowercase();
    host.map_or_else(|| format!("{path}{tail}"), |host| format!("{host}/{path}{tail}"))
}

//! The reading of references: the grammar itself, from left to right, with the byte where it stops.
//!
//! Each reader takes a text and gives a value or a [`Fault`]: the first byte that does not fit and what
//! is wrong with it. The grammar and the normalisation are those of distribution/reference
//! (`reference.go`, `normalize.go`); the types are in `names.rs`, the wording of faults in `error.rs`.

use std::net::Ipv6Addr;

use crate::digest::{Digest, DigestError};

use crate::reference::error::{Ambiguity, Fault, Reason};
use crate::reference::names::{DOCKER_HUB, DOCKER_HUB_API, Reference, Registry, Repository, Tag};

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

fn fault<T>(at: usize, reason: Reason) -> Result<T, Fault> {
    Err(Fault { at, reason })
}

pub(super) fn read_reference(text: &str) -> Result<Reference, Fault> {
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
    let ambiguity = if bare { ambiguity(typed, tag.as_ref(), digest.as_ref()) } else { None };
    let tag = match (tag, &digest) {
        (None, None) => Some(Tag(LATEST.to_owned())),
        (tag, _) => tag,
    };
    Ok(Reference { repository, tag, digest, ambiguity })
}

pub(super) fn read_repository_alone(text: &str) -> Result<Repository, Fault> {
    let (repository, tail) = read_repository(text)?;
    if tail.is_empty() {
        Ok(repository)
    } else {
        fault(text.len() - tail.len(), Reason::RepositoryAlone)
    }
}

pub(super) fn read_registry_alone(text: &str) -> Result<Registry, Fault> {
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
pub(super) fn is_host(part: &str) -> bool {
    looks_like_host(part) || part.contains(':') || part.starts_with('[')
}

pub(super) fn looks_like_host(name: &str) -> bool {
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
        ["", "0", "::", ":0"]
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

pub(super) fn read_tag(text: &str, base: usize) -> Result<Tag, Fault> {
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

/// Looks at a name without slash: a name with one says where it belongs.
fn ambiguity(name: &str, tag: Option<&Tag>, digest: Option<&Digest>) -> Option<Ambiguity> {
    let tag = tag.map(Tag::as_str);
    let port = |tag: &str| {
        tag.bytes().all(|byte| byte.is_ascii_digit()) && tag.parse::<u16>().is_ok_and(|p| p > 0)
    };
    let hex = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digest.is_none() && looks_like_host(name) && tag.is_none_or(port) {
        Some(Ambiguity::RegistryAsName)
    } else if matches!(name, "sha256" | "sha512") && tag.is_some_and(hex) {
        Some(Ambiguity::DigestAsName)
    } else {
        None
    }
}

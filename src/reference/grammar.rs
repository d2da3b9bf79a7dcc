//! Parses references from left to right, up to the first byte that does not fit.
//!
//! Each function takes a text and returns a value or a [`Fault`]. The grammar and the normalization are
//! those of distribution/reference (`reference.go`, `normalize.go`). Suggestions are made in `parse.rs`.

use std::net::Ipv6Addr;

use crate::decimal;
use crate::digest::{Digest, DigestError};
use crate::reference::docker_hub;
use crate::reference::error::{Ambiguity, Fault, ReferenceErrorKind};
use crate::reference::names::{Reference, Registry, Repository, Tag, Version};

/// The tag of a reference that has neither tag nor digest.
const DEFAULT_TAG: &str = "latest";
/// The maximum length of a repository path, `library/` included.
const MAX_PATH: usize = 255;
/// The maximum length of a tag.
const MAX_TAG: usize = 128;
/// Hexadecimal digits in an image ID, which docker does not accept as a name.
const IMAGE_ID_LENGTH: usize = 64;

fn fault<T>(at: usize, kind: ReferenceErrorKind) -> Result<T, Fault> {
    Err(Fault { at, kind })
}

pub(super) fn parse_reference(text: &str) -> Result<Reference, Fault> {
    let (repository, tail) = parse_repository(text)?;
    let at = text.len() - tail.len();
    let (tag, digest) = match tail.split_once('@') {
        Some((tag, digest)) => (tag, Some(parse_digest(digest, at + tag.len() + 1))),
        None => (tail, None),
    };
    // The tag is checked before the digest, so that the first error in the text is the one reported.
    let tag = match tag.strip_prefix(':') {
        Some(tag) => Some(parse_tag(tag, at + 1)?),
        None => None,
    };
    let digest = digest.transpose()?;
    let bare = !text.contains('/');
    let typed = text.split_once([':', '@']).map_or(text, |(name, _)| name);
    let ambiguity = if bare { ambiguity(typed, tag.as_ref(), digest.as_ref()) } else { None };
    let version = match (tag, digest) {
        (Some(tag), Some(digest)) => Version::Both(tag, digest),
        (None, Some(digest)) => Version::Digest(digest),
        (Some(tag), None) => Version::Tag(tag),
        (None, None) => Version::Tag(Tag(DEFAULT_TAG.to_owned())),
    };
    Ok(Reference { repository, version, ambiguity })
}

pub(super) fn parse_only_repository(text: &str) -> Result<Repository, Fault> {
    let (repository, tail) = parse_repository(text)?;
    if tail.is_empty() {
        Ok(repository)
    } else {
        fault(text.len() - tail.len(), ReferenceErrorKind::RepositoryAlone)
    }
}

pub(super) fn parse_only_registry(text: &str) -> Result<Registry, Fault> {
    if text.is_empty() {
        return fault(0, ReferenceErrorKind::Empty);
    }
    let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
    if !is_host(host) {
        let at = host.find(|character: char| !is_host_character(character));
        return at.map_or(fault(host.len(), ReferenceErrorKind::NoRegistry), |at| {
            fault(at, ReferenceErrorKind::Host)
        });
    }
    let registry = parse_registry(host)?;
    if path.is_some() { fault(host.len(), ReferenceErrorKind::RegistryAlone) } else { Ok(registry) }
}

/// Parses a repository and returns it with the rest of the text: a tag, a digest, both or nothing.
fn parse_repository(text: &str) -> Result<(Repository, &str), Fault> {
    if text.is_empty() {
        return fault(0, ReferenceErrorKind::Empty);
    }
    if text.len() == IMAGE_ID_LENGTH
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return fault(0, ReferenceErrorKind::ImageId);
    }
    let (registry, rest) = match text.split_once('/') {
        Some((host, rest)) if is_host(host) => (Some(parse_registry(host)?), rest),
        Some(_) => (None, text),
        // Only an address begins with a bracket.
        None if text.starts_with('[') => {
            parse_registry(text)?;
            return fault(text.len(), ReferenceErrorKind::NoRepository);
        }
        None => (None, text),
    };
    let at = text.len() - rest.len();
    let (path, tail) =
        rest.find([':', '@']).and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
    if registry.is_some() && path.is_empty() {
        return fault(at, ReferenceErrorKind::NoRepository);
    }
    let registry =
        registry.unwrap_or_else(|| Registry { host: docker_hub::NAME.to_owned(), port: None });
    let official = registry.is_docker_hub() && !path.contains('/');
    let prefix = if official { docker_hub::LIBRARY_PREFIX } else { "" };
    check_path(path, at, MAX_PATH.saturating_sub(prefix.len()))?;
    Ok((Repository { registry, path: format!("{prefix}{path}") }, tail))
}

/// Whether the part before the first slash is a registry.
pub(super) fn is_host(part: &str) -> bool {
    looks_like_host(part) || part.contains(':') || part.starts_with('[')
}

/// Whether a word without a port looks like the name of a host.
pub(super) fn looks_like_host(name: &str) -> bool {
    name.contains('.') || name.eq_ignore_ascii_case("localhost")
}

fn is_host_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

/// Parses `HOST[:PORT]`, which is always at the start of the text.
fn parse_registry(text: &str) -> Result<Registry, Fault> {
    let (host, tail) = match text.strip_prefix('[') {
        Some(inner) => {
            let length = check_address(inner)
                .map_err(|at| Fault { at: at + 1, kind: ReferenceErrorKind::Address })?;
            // The address and its two brackets.
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
        Some(port) => Some(parse_port(port, host.len() + 1)?),
        None if tail.is_empty() => None,
        None => return fault(host.len(), ReferenceErrorKind::Host),
    };
    let is_hub = port.is_none() && docker_hub::is_host(host);
    Ok(Registry { host: if is_hub { docker_hub::NAME } else { host }.to_owned(), port })
}

/// Checks a host name: labels of letters, digits and inner hyphens, separated by dots.
fn check_host(host: &str) -> Result<(), Fault> {
    let mut last = '.';
    for (at, character) in host.char_indices() {
        let allowed = match character {
            '.' => last.is_ascii_alphanumeric(),
            '-' => last != '.',
            _ => character.is_ascii_alphanumeric(),
        };
        if !allowed {
            return fault(at, ReferenceErrorKind::Host);
        }
        last = character;
    }
    if last.is_ascii_alphanumeric() { Ok(()) } else { fault(host.len(), ReferenceErrorKind::Host) }
}

/// Returns the length of the IPv6 address at the start of `text`, up to its closing bracket, or the
/// byte where it stops being one. As in docker, zones and embedded dotted IPv4 are not accepted.
fn check_address(text: &str) -> Result<usize, usize> {
    let end = text.find(|character: char| !character.is_ascii_hexdigit() && character != ':');
    let (address, tail) = end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""));
    if tail.starts_with(']') && address.parse::<Ipv6Addr>().is_ok() {
        return Ok(address.len());
    }
    // A prefix can still become an address if one of these endings completes it.
    let viable = |prefix: &str| {
        ["", "0", "::", ":0"].iter().any(|end| format!("{prefix}{end}").parse::<Ipv6Addr>().is_ok())
    };
    let longest =
        (0..=address.len()).take_while(|length| address.get(..*length).is_some_and(viable)).last();
    Err(longest.unwrap_or(0))
}

fn parse_port(text: &str, at: usize) -> Result<u16, Fault> {
    let mut port = 0_u16;
    for (offset, character) in text.char_indices() {
        let digit = character.to_digit(10).and_then(|digit| u16::try_from(digit).ok());
        let longer = digit.and_then(|digit| port.checked_mul(10)?.checked_add(digit));
        let Some(longer) = longer else {
            return fault(at + offset, ReferenceErrorKind::Port);
        };
        port = longer;
    }
    if port == 0 { fault(at, ReferenceErrorKind::Port) } else { Ok(port) }
}

/// Checks a path: parts separated by slashes, each of lower-case letters and digits, separated by one
/// dot, one or two underscores or any number of hyphens. `base` is the path's place in the input.
fn check_path(path: &str, base: usize, limit: usize) -> Result<(), Fault> {
    // The separator since the last letter or digit of the current part; None at the part's start.
    let mut separator: Option<String> = None;
    for (at, character) in path.char_indices() {
        if at >= limit {
            return fault(base + at, ReferenceErrorKind::PathTooLong);
        }
        let allowed = match (character, separator.as_deref()) {
            ('a'..='z' | '0'..='9', _) => true,
            ('/' | '.', Some("")) | ('_', Some("" | "_")) => true,
            ('-', Some(before)) => before.bytes().all(|byte| byte == b'-'),
            _ => false,
        };
        if !allowed {
            return fault(base + at, path_error(character, separator.is_none()));
        }
        match character {
            '/' => separator = None,
            '.' | '_' | '-' => separator.get_or_insert_default().push(character),
            _ => separator = Some(String::new()),
        }
    }
    match separator.as_deref() {
        Some("") => Ok(()),
        Some(_) => fault(base + path.len(), ReferenceErrorKind::Path),
        None => fault(base + path.len(), ReferenceErrorKind::EmptyPart),
    }
}

fn path_error(character: char, at_start: bool) -> ReferenceErrorKind {
    match character {
        'A'..='Z' => ReferenceErrorKind::UpperCase,
        '/' if at_start => ReferenceErrorKind::EmptyPart,
        _ => ReferenceErrorKind::Path,
    }
}

pub(super) fn parse_tag(text: &str, base: usize) -> Result<Tag, Fault> {
    if text.is_empty() {
        return fault(base, ReferenceErrorKind::EmptyTag);
    }
    for (at, character) in text.char_indices() {
        let allowed = character.is_ascii_alphanumeric()
            || character == '_'
            || (at > 0 && matches!(character, '.' | '-'));
        if !allowed {
            return fault(base + at, ReferenceErrorKind::Tag);
        }
        if at >= MAX_TAG {
            return fault(base + at, ReferenceErrorKind::TagTooLong);
        }
    }
    Ok(Tag(text.to_owned()))
}

fn parse_digest(text: &str, base: usize) -> Result<Digest, Fault> {
    Digest::parse(text).map_err(|error| match error {
        DigestError::Malformed { at, kind } => {
            Fault { at: base + at, kind: ReferenceErrorKind::Digest(kind) }
        }
        DigestError::UnknownAlgorithm { algorithm } => {
            Fault { at: base, kind: ReferenceErrorKind::DigestAlgorithm(algorithm) }
        }
    })
}

/// Finds what a reference without a slash may have been meant as. With a slash, the registry is clear.
fn ambiguity(name: &str, tag: Option<&Tag>, digest: Option<&Digest>) -> Option<Ambiguity> {
    let tag = tag.map(Tag::as_str);
    let is_port = |tag: &str| decimal::parse::<u16>(tag).is_some_and(|port| port > 0);
    let is_hex = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digest.is_none() && looks_like_host(name) && tag.is_none_or(is_port) {
        Some(Ambiguity::RegistryAsName)
    } else if matches!(name, "sha256" | "sha512") && tag.is_some_and(is_hex) {
        Some(Ambiguity::DigestAsName)
    } else {
        None
    }
}

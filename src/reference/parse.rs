//! From texts to names, and what to suggest where a text is none.
//!
//! The grammar is in `read.rs`; here a fault becomes an error that shows the text and proposes another.

use std::str::FromStr;

use crate::reference::error::{Fault, Reason, ReferenceError};
use crate::reference::grammar::{
    is_host, looks_like_host, read_reference, read_registry_alone, read_repository_alone, read_tag,
};
use crate::reference::names::{Reference, Registry, Repository, Tag};

/// Prefixes of other tools that name where an image comes from and have no `//`.
const TRANSPORTS: [&str; 2] = ["docker-daemon:", "containers-storage:"];

impl Registry {
    /// Reads `HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_registry_alone(text).map_err(|fault| error(text, fault, repair_registry))
    }
}

impl FromStr for Registry {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Repository {
    /// Reads a repository's name, without tag and digest.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit; a tag or a digest does not.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_repository_alone(text).map_err(|fault| {
            error(text, fault, |text| repair_name(text, |text| read_repository_alone(text).is_ok()))
        })
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

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
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Reference {
    /// Reads `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        read_reference(text).map_err(|fault| {
            error(text, fault, |text| {
                repair_name(text, |text| {
                    read_reference(text).is_ok_and(|read| read.ambiguity.is_none())
                })
            })
        })
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// `repair` makes a suggestion of the input without its scheme and the slashes at its end.
fn error(input: &str, fault: Fault, repair: impl Fn(&str) -> Option<String>) -> ReferenceError {
    let bare = without_scheme(input);
    let reason = if bare.is_some() { Reason::Scheme } else { fault.reason };
    let suggestion =
        repair(bare.unwrap_or(input).trim_end_matches('/')).filter(|text| text != input);
    ReferenceError { input: input.to_owned(), at: fault.at, reason, suggestion }
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

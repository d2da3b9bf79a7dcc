//! The `parse` functions of the public types, and the suggestions in their errors.
//!
//! The grammar itself is in `grammar.rs`. Here a fault becomes an error with the input and, if a small
//! repair makes the input parse, a suggestion.

use std::str::FromStr;

use crate::reference::error::{Fault, ReferenceError, ReferenceErrorKind};
use crate::reference::grammar::{
    is_host, looks_like_host, parse_only_registry, parse_only_repository, parse_reference,
    parse_tag,
};
use crate::reference::names::{Reference, Registry, Repository, Tag};

/// Other tools' prefixes for the source of an image that have no `//`.
const TRANSPORTS: [&str; 2] = ["docker-daemon:", "containers-storage:"];

impl Registry {
    /// Parses `HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        parse_only_registry(text).map_err(|fault| error(text, fault, repair_registry))
    }
}

impl FromStr for Registry {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Repository {
    /// Parses `[REGISTRY/]REPOSITORY`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first invalid byte. A tag or digest is an error too.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        parse_only_repository(text).map_err(|fault| {
            error(text, fault, |text| repair_name(text, |text| parse_only_repository(text).is_ok()))
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
    /// Parses a tag.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        parse_tag(text, 0).map_err(|Fault { at, kind }| ReferenceError {
            input: text.to_owned(),
            at,
            kind,
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
    /// Parses `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
    ///
    /// # Errors
    ///
    /// A [`ReferenceError`] at the first byte that does not fit.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        parse_reference(text).map_err(|fault| {
            error(text, fault, |text| {
                repair_name(text, |text| {
                    parse_reference(text).is_ok_and(|parsed| parsed.ambiguity.is_none())
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

/// Builds an error. `repair` turns the input, without scheme and trailing slashes, into a suggestion.
fn error(input: &str, fault: Fault, repair: impl Fn(&str) -> Option<String>) -> ReferenceError {
    let bare = without_scheme(input);
    let kind = if bare.is_some() { ReferenceErrorKind::Scheme } else { fault.kind };
    let suggestion =
        repair(bare.unwrap_or(input).trim_end_matches('/')).filter(|text| text != input);
    ReferenceError { input: input.to_owned(), at: fault.at, kind, suggestion }
}

/// Suggests the name with its repository in lower case, if that parses. A host without a repository is
/// not suggested: it would mean a repository on Docker Hub.
fn repair_name(text: &str, parses: impl Fn(&str) -> bool) -> Option<String> {
    let text = lower_path(text);
    let name = text.split_once([':', '@']).map_or(text.as_str(), |(name, _)| name);
    let is_only_host = !text.contains('/') && looks_like_host(name);
    (parses(&text) && !is_only_host).then_some(text)
}

/// Suggests the registry alone.
fn repair_registry(text: &str) -> Option<String> {
    let host = text.split_once('/').map_or(text, |(host, _)| host);
    parse_only_registry(host).is_ok().then(|| host.to_owned())
}

/// Removes a scheme with its `://`, or another tool's transport; `None` if the text has neither.
fn without_scheme(text: &str) -> Option<&str> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
    };
    let url = text.split_once("://").filter(|(before, _)| is_scheme(before)).map(|(_, rest)| rest);
    url.or_else(|| TRANSPORTS.iter().find_map(|transport| text.strip_prefix(transport)))
}

/// Lower-cases the repository, not the registry, tag and digest.
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

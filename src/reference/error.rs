//! Errors of parsing references, and the ambiguity of references that parse but may mean something else.

use std::fmt;

use crate::digest::{DigestErrorKind, write_unknown_algorithm};
use crate::url::excerpt;

/// An error without the input text. Becomes a [`ReferenceError`] in `parse.rs`.
pub(super) struct Fault {
    /// The first byte that does not fit.
    pub(super) at: usize,
    pub(super) kind: ReferenceErrorKind,
}

/// How a valid reference may differ from what the user meant.
///
/// Displayed as an explanation for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ambiguity {
    /// `localhost:5000` or `quay.io`: looks like a registry, but is a repository on Docker Hub.
    RegistryAsName,
    /// `sha256:` and a hash: looks like a digest, but is a tag of the repository `sha256` on Docker Hub.
    DigestAsName,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RegistryAsName => {
                "without a slash this names a repository on Docker Hub; for a registry, add / and a repository"
            }
            Self::DigestAsName => {
                "without a repository this is a tag of a repository on Docker Hub; \
                 a digest comes after a repository and @"
            }
        })
    }
}

/// Why a text is not a reference, registry, repository or tag.
///
/// Displayed as `"Foo/bar": byte 0: repository names are lower case`. Unprintable characters of the
/// input are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    pub(super) input: String,
    pub(super) at: usize,
    pub(super) kind: ReferenceErrorKind,
    pub(super) suggestion: Option<String>,
}

impl ReferenceError {
    /// The text that was parsed.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The first byte that does not fit, counted from 0; the input's length if its end is missing.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is wrong there.
    #[must_use]
    pub fn kind(&self) -> &ReferenceErrorKind {
        &self.kind
    }

    /// A text that parses and is probably what was meant.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// What the user can do, if the error does not already show it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match (&self.suggestion, &self.kind) {
            (Some(suggestion), _) => Some(format!("did you mean {suggestion}")),
            (None, ReferenceErrorKind::Scheme) => Some("remove the prefix".to_owned()),
            (None, _) => None,
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: byte {}: {}", excerpt(&self.input), self.at, self.kind)
    }
}

impl std::error::Error for ReferenceError {}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferenceErrorKind {
    /// The text is empty.
    Empty,
    /// The text begins with a URL scheme or with another tool's transport.
    Scheme,
    /// The registry's host name has an invalid character or an empty label.
    Host,
    /// The registry's address in brackets is not an IPv6 address.
    Address,
    /// The registry's port is not a number from 1 to 65535.
    Port,
    /// A registry without a repository.
    NoRepository,
    /// A registry was expected, but the word does not look like one.
    NoRegistry,
    /// Only a registry was expected, but more follows.
    RegistryAlone,
    /// The repository has an upper-case letter.
    UpperCase,
    /// A part of the repository is empty: it begins or ends with a slash, or has two in a row.
    EmptyPart,
    /// The repository has an invalid character or a misplaced separator.
    Path,
    /// The repository is too long.
    PathTooLong,
    /// The text is an image ID, which only the machine that has the image can resolve.
    ImageId,
    /// Only a repository was expected, but a tag or digest follows.
    RepositoryAlone,
    /// The tag after the colon is empty.
    EmptyTag,
    /// The tag has an invalid character or begins with `.` or `-`.
    Tag,
    /// The tag is too long.
    TagTooLong,
    /// The digest is malformed.
    Digest(DigestErrorKind),
    /// The digest is well-formed, but its algorithm is not supported.
    DigestAlgorithm(String),
}

impl fmt::Display for ReferenceErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is empty",
            Self::Scheme => "a scheme or transport prefix is not part of a reference",
            Self::Host => {
                "a registry's host consists of letters, digits and - in parts separated by single dots"
            }
            Self::Address => "the address in brackets is not an IPv6 address",
            Self::Port => "a port is a number from 1 to 65535",
            Self::NoRepository => "the repository after the registry is missing",
            Self::NoRegistry => "a registry's name has a dot or a port, or is localhost",
            Self::RegistryAlone => "expected only a registry",
            Self::UpperCase => "repository names are lower case",
            Self::EmptyPart => "a part of the repository name is empty",
            Self::Path => {
                "a repository name has lower-case letters and digits, separated by . _ __ or -"
            }
            Self::PathTooLong => "a repository name has at most 255 characters",
            Self::ImageId => "64 hexadecimal digits are an image ID, not a name",
            Self::RepositoryAlone => "expected only a repository, without tag and digest",
            Self::EmptyTag => "the tag after the colon is missing",
            Self::Tag => {
                "a tag contains only letters, digits and _ . - and does not begin with . or -"
            }
            Self::TagTooLong => "a tag has at most 128 characters",
            Self::Digest(kind) => return kind.fmt(f),
            Self::DigestAlgorithm(algorithm) => return write_unknown_algorithm(f, algorithm),
        })
    }
}

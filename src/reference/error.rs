//! Why a text is no name, and which names are easily mistaken for something else.

use std::fmt;

use crate::digest;
use crate::url::shown;

/// Where the reading stopped, and why.
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: Reason,
}

/// A legal name that is easily mistaken for something else.
///
/// Displayed as a sentence for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// `localhost:5000`, which is the tag 5000 of a repository on Docker Hub, and `quay.io`, which is one as well.
    RegistryAsName,
    /// `sha256:` and a hash, which is a tag of the repository `sha256` on Docker Hub.
    DigestAsName,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RegistryAsName => {
                "without a slash this is the name of a repository on Docker Hub; \
                 a registry is followed by / and a repository"
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
    pub(super) input: String,
    pub(super) at: usize,
    pub(super) reason: Reason,
    pub(super) suggestion: Option<String>,
}

impl ReferenceError {
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
        write!(f, "{:?}: byte {}: {}", shown(&self.input), self.at, self.reason)
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

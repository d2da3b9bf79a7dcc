//! Parses digests and computes them.
//!
//! A digest, `algorithm:encoded`, names content by its hash (OCI image specification, "Descriptor",
//! section "Digests"). Of the registered algorithms, regq supports sha256 and sha512, both with
//! lower-case hexadecimal digits of the exact length. A well-formed digest of another algorithm has
//! its own error, because a registry may rightly send one.
//!
//! This file neither reads content nor decides what to do about a mismatch: it hashes the bytes it
//! is given, and digests are compared with `==`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use ring::digest as hash;
use serde::{Serialize, Serializer};

/// A supported hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, which practically every registry uses.
    Sha256,
    /// SHA-512, the other algorithm that the image specification registers.
    Sha512,
}

impl Algorithm {
    /// The identifier before the colon: `sha256` or `sha512`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The number of hexadecimal digits of a hash: 64 or 128.
    #[must_use]
    pub fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha512].into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    fn hasher(self) -> &'static hash::Algorithm {
        match self {
            Self::Sha256 => &hash::SHA256,
            Self::Sha512 => &hash::SHA512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A digest, such as `sha256:` and 64 lower-case hexadecimal digits.
///
/// Its text and its `Serialize` form are exactly the text that was parsed.
///
/// ```
/// use regq::digest::{Algorithm, Digest, DigestError};
///
/// let digest = Digest::of(Algorithm::Sha256, b"");
/// assert!(digest.as_str().starts_with("sha256:e3b0c44298fc1c14"));
/// assert_eq!(Digest::parse(digest.as_str())?, digest);
///
/// // A digest of another algorithm is not the same as a malformed one.
/// let other = Digest::parse("blake3:af1349b9f5f9a1a6").unwrap_err();
/// assert!(matches!(other, DigestError::UnknownAlgorithm { algorithm } if algorithm == "blake3"));
/// assert!(matches!(Digest::parse("sha256:E3B0"), Err(DigestError::Malformed { at: 7, .. })));
/// # Ok::<(), DigestError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    /// Algorithm, colon and hexadecimal digits.
    text: String,
}

impl Digest {
    /// Parses `algorithm:hex`.
    ///
    /// # Errors
    ///
    /// [`DigestError::UnknownAlgorithm`] for a well-formed digest of an algorithm other than sha256
    /// and sha512, otherwise [`DigestError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (name, encoded) = split(text)?;
        let encoded_at = name.len() + 1;
        let Some(algorithm) = Algorithm::from_name(name) else {
            check_encoded(encoded).map_err(|error| error.shifted(encoded_at))?;
            return Err(DigestError::UnknownAlgorithm { algorithm: name.to_owned() });
        };
        check_hex(algorithm, encoded).map_err(|error| error.shifted(encoded_at))?;
        Ok(Self { algorithm, text: text.to_owned() })
    }

    /// Computes the digest of a body that is in memory. [`Hasher`] takes a body in pieces.
    #[must_use]
    pub fn of(algorithm: Algorithm, body: &[u8]) -> Self {
        Self::encode(algorithm, &hash::digest(algorithm.hasher(), body))
    }

    /// The algorithm before the colon.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The lower-case hexadecimal digits after the colon.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The whole digest, `algorithm:hex`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn encode(algorithm: Algorithm, hash: &hash::Digest) -> Self {
        let mut text = format!("{algorithm}:");
        for byte in hash.as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self { algorithm, text }
    }
}

impl AsRef<str> for Digest {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Why a text is not a supported digest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestError {
    /// The digest is well-formed, but its algorithm is not supported.
    UnknownAlgorithm {
        /// The algorithm's identifier: lower-case letters, digits and `+`, `.`, `_`, `-`.
        algorithm: String,
    },
    /// The text is not a digest.
    Malformed {
        /// The first byte that does not fit, counted from 0; the text's length if its end is missing.
        at: usize,
        /// What is wrong there.
        kind: DigestErrorKind,
    },
}

impl DigestError {
    fn malformed(at: usize, kind: DigestErrorKind) -> Self {
        Self::Malformed { at, kind }
    }

    fn shifted(self, by: usize) -> Self {
        match self {
            Self::Malformed { at, kind } => Self::Malformed { at: at.saturating_add(by), kind },
            Self::UnknownAlgorithm { algorithm } => Self::UnknownAlgorithm { algorithm },
        }
    }
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlgorithm { algorithm } => write_unknown_algorithm(f, algorithm),
            Self::Malformed { at, kind } => write!(f, "byte {at}: {kind}"),
        }
    }
}

impl std::error::Error for DigestError {}

/// What is wrong with a malformed digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestErrorKind {
    /// The algorithm before the colon is empty or has a character that is not allowed.
    Algorithm,
    /// The colon is missing.
    NoColon,
    /// The hash of an unknown algorithm is empty or has a character that is not allowed.
    Encoded,
    /// The hash has a character that is not a lower-case hexadecimal digit.
    Hex,
    /// The hash has too few or too many digits for its algorithm.
    Length(Algorithm),
}

impl fmt::Display for DigestErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm => {
                f.write_str("a digest begins with an algorithm such as sha256, then a colon")
            }
            Self::NoColon => f.write_str("a digest needs a colon and a hash after its algorithm"),
            Self::Encoded => f.write_str("a digest's hash contains only letters, digits and = _ -"),
            Self::Hex => f.write_str("a digest's hash contains only lower-case hexadecimal digits"),
            Self::Length(algorithm) => {
                write!(f, "a {algorithm} digest has {} hexadecimal digits", algorithm.hex_length())
            }
        }
    }
}

/// Writes the message for a digest of an unsupported algorithm.
pub(crate) fn write_unknown_algorithm(f: &mut fmt::Formatter<'_>, algorithm: &str) -> fmt::Result {
    write!(f, "unsupported digest algorithm {algorithm}: only sha256 and sha512 are supported")
}

/// Computes the digest of a body that arrives in pieces.
///
/// How the body is split makes no difference.
///
/// ```
/// use regq::digest::{Algorithm, Digest, Hasher};
///
/// let mut hasher = Hasher::new(Algorithm::Sha256);
/// for piece in [&b"{\"schema"[..], b"Version\":2}"] {
///     hasher.update(piece);
/// }
/// assert_eq!(hasher.finish(), Digest::of(Algorithm::Sha256, b"{\"schemaVersion\":2}"));
/// ```
#[derive(Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    context: hash::Context,
}

impl Hasher {
    /// Starts with an empty body.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, context: hash::Context::new(algorithm.hasher()) }
    }

    /// Appends the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        self.context.update(piece);
    }

    /// Returns the digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest::encode(self.algorithm, &self.context.finish())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Splits a digest at its colon and checks the algorithm: components of lower-case letters and
/// digits, with a single `+`, `.`, `_` or `-` between them.
fn split(text: &str) -> Result<(&str, &str), DigestError> {
    let mut in_component = false;
    for (at, character) in text.char_indices() {
        match character {
            'a'..='z' | '0'..='9' => in_component = true,
            '+' | '.' | '_' | '-' if in_component => in_component = false,
            ':' if in_component => break,
            _ => return Err(DigestError::malformed(at, DigestErrorKind::Algorithm)),
        }
    }
    let kind = if in_component { DigestErrorKind::NoColon } else { DigestErrorKind::Algorithm };
    text.split_once(':').ok_or(DigestError::malformed(text.len(), kind))
}

fn check_encoded(encoded: &str) -> Result<(), DigestError> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "=_-".contains(character);
    match encoded.find(|character| !allowed(character)) {
        Some(at) => Err(DigestError::malformed(at, DigestErrorKind::Encoded)),
        None if encoded.is_empty() => Err(DigestError::malformed(0, DigestErrorKind::Encoded)),
        None => Ok(()),
    }
}

fn check_hex(algorithm: Algorithm, encoded: &str) -> Result<(), DigestError> {
    let length = algorithm.hex_length();
    for (at, character) in encoded.char_indices() {
        if at >= length {
            return Err(DigestError::malformed(at, DigestErrorKind::Length(algorithm)));
        }
        if !matches!(character, '0'..='9' | 'a'..='f') {
            return Err(DigestError::malformed(at, DigestErrorKind::Hex));
        }
    }
    if encoded.len() < length {
        return Err(DigestError::malformed(encoded.len(), DigestErrorKind::Length(algorithm)));
    }
    Ok(())
}

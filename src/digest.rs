//! Digests: the names that registries give to content, and the hashing that checks them.
//!
//! The grammar is that of the OCI image specification, "Descriptor", section "Digests":
//! `algorithm:encoded`. Of the registered algorithms regq knows sha256 and sha512, with lower-case
//! hexadecimal digits and the exact length. A well-formed value of any other algorithm is told
//! apart from a malformed one, since a registry may rightly send it.
//!
//! This module hashes bytes that it is given. It reads nothing and compares nothing by itself: a
//! [`Digest`] is equal to another or it is not.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use ring::digest as hash;

/// A hash algorithm that regq computes and accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, which practically every registry uses.
    Sha256,
    /// SHA-512, which the image specification registers beside it.
    Sha512,
}

impl Algorithm {
    /// The identifier in front of the colon: `sha256` or `sha512`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits a hash of this algorithm has: 64 or 128.
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
/// Displayed as it is parsed; equal digests have equal text.
///
/// ```
/// use regq::digest::{Algorithm, Digest, DigestError};
///
/// let digest = Digest::of(Algorithm::Sha256, b"");
/// assert!(digest.to_string().starts_with("sha256:e3b0c44298fc1c14"));
/// assert_eq!(Digest::parse(&digest.to_string())?, digest);
///
/// // What another algorithm made is told apart from what is no digest.
/// let other = Digest::parse("blake3:af1349b9f5f9a1a6").unwrap_err();
/// assert!(matches!(other, DigestError::UnknownAlgorithm { algorithm } if algorithm == "blake3"));
/// assert!(matches!(Digest::parse("sha256:E3B0"), Err(DigestError::Malformed { at: 7, .. })));
/// # Ok::<(), DigestError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    /// Reads `algorithm:hex`.
    ///
    /// # Errors
    ///
    /// [`DigestError::UnknownAlgorithm`] for a well-formed value of an algorithm other than sha256
    /// and sha512, [`DigestError::Malformed`] for everything else that is no digest.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (name, encoded) = split(text)?;
        let encoded_at = name.len() + 1;
        let Some(algorithm) = Algorithm::from_name(name) else {
            check_encoded(encoded).map_err(|error| error.shifted(encoded_at))?;
            return Err(DigestError::UnknownAlgorithm { algorithm: name.to_owned() });
        };
        check_hex(algorithm, encoded).map_err(|error| error.shifted(encoded_at))?;
        Ok(Self { algorithm, hex: encoded.to_owned() })
    }

    /// The digest of a body that is in memory as a whole.
    #[must_use]
    pub fn of(algorithm: Algorithm, body: &[u8]) -> Self {
        Self::encode(algorithm, &hash::digest(algorithm.hasher(), body))
    }

    /// The algorithm in front of the colon.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The lower-case hexadecimal digits behind the colon.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    fn encode(algorithm: Algorithm, hashed: &hash::Digest) -> Self {
        let mut hex = String::with_capacity(algorithm.hex_length());
        for byte in hashed.as_ref() {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self { algorithm, hex }
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
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

/// Why a text is no digest that regq knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigestError {
    /// The value is well-formed, but of an algorithm that regq does not compute.
    UnknownAlgorithm {
        /// The algorithm's identifier: lower-case letters, digits and `+`, `.`, `_`, `-`.
        algorithm: String,
    },
    /// The value is no digest at all.
    Malformed {
        /// The first byte that does not fit, counted from 0; the value's length when its end is missing.
        at: usize,
        /// What would have fitted there.
        reason: Reason,
    },
}

impl DigestError {
    fn malformed(at: usize, reason: Reason) -> Self {
        Self::Malformed { at, reason }
    }

    fn shifted(self, by: usize) -> Self {
        match self {
            Self::Malformed { at, reason } => Self::Malformed { at: at.saturating_add(by), reason },
            Self::UnknownAlgorithm { algorithm } => Self::UnknownAlgorithm { algorithm },
        }
    }
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlgorithm { algorithm } => {
                write!(
                    f,
                    "the digest algorithm {algorithm} is not known, only sha256 and sha512 are"
                )
            }
            Self::Malformed { at, reason } => write!(f, "byte {at}: {reason}"),
        }
    }
}

impl std::error::Error for DigestError {}

/// What is wrong with a malformed digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The algorithm in front of the colon is empty or holds a character that it may not.
    Algorithm,
    /// The text ends without a colon.
    NoColon,
    /// The hash of an unknown algorithm is empty or holds a character that it may not.
    Encoded,
    /// The hash holds something other than lower-case hexadecimal digits.
    Hex,
    /// The hash has too few or too many digits for its algorithm.
    Length(Algorithm),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm => {
                f.write_str("a digest begins with an algorithm such as sha256, then a colon")
            }
            Self::NoColon => f.write_str("a digest has a colon and a hash behind its algorithm"),
            Self::Encoded => f.write_str("a digest's hash has letters, digits and = _ - only"),
            Self::Hex => f.write_str("a digest has lower-case hexadecimal digits"),
            Self::Length(algorithm) => {
                write!(f, "a {algorithm} digest has {} hexadecimal digits", algorithm.hex_length())
            }
        }
    }
}

/// Computes the digest of a body that arrives in pieces.
///
/// However a body is split, the digest is that of the whole.
///
/// ```
/// use regq::digest::{Algorithm, Digest, Hasher};
///
/// let mut verifier = Hasher::new(Algorithm::Sha256);
/// for piece in [&b"{\"schema"[..], b"Version\":2}"] {
///     verifier.update(piece);
/// }
/// assert_eq!(verifier.finish(), Digest::of(Algorithm::Sha256, b"{\"schemaVersion\":2}"));
/// ```
#[derive(Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    context: hash::Context,
}

impl Hasher {
    /// Begins with an empty body.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, context: hash::Context::new(algorithm.hasher()) }
    }

    /// Takes the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        self.context.update(piece);
    }

    /// The digest of all that was taken.
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

/// Splits a digest at its colon and checks the algorithm's grammar: components of lower-case letters
/// and digits, joined by one of `+`, `.`, `_`, `-` each.
fn split(text: &str) -> Result<(&str, &str), DigestError> {
    let mut component = false;
    for (at, character) in text.char_indices() {
        match character {
            'a'..='z' | '0'..='9' => component = true,
            '+' | '.' | '_' | '-' if component => component = false,
            ':' if component => break,
            _ => return Err(DigestError::malformed(at, Reason::Algorithm)),
        }
    }
    let reason = if component { Reason::NoColon } else { Reason::Algorithm };
    text.split_once(':').ok_or(DigestError::malformed(text.len(), reason))
}

fn check_encoded(encoded: &str) -> Result<(), DigestError> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "=_-".contains(character);
    match encoded.find(|character| !fits(character)) {
        Some(at) => Err(DigestError::malformed(at, Reason::Encoded)),
        None if encoded.is_empty() => Err(DigestError::malformed(0, Reason::Encoded)),
        None => Ok(()),
    }
}

fn check_hex(algorithm: Algorithm, encoded: &str) -> Result<(), DigestError> {
    let length = algorithm.hex_length();
    for (at, character) in encoded.char_indices() {
        if at >= length {
            return Err(DigestError::malformed(at, Reason::Length(algorithm)));
        }
        if !matches!(character, '0'..='9' | 'a'..='f') {
            return Err(DigestError::malformed(at, Reason::Hex));
        }
    }
    if encoded.len() < length {
        return Err(DigestError::malformed(encoded.len(), Reason::Length(algorithm)));
    }
    Ok(())
}

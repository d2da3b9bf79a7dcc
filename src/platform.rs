//! Parses platforms and selects the entry of an index that runs on one.
//!
//! A platform is an operating system, an architecture and sometimes a variant, named as in Go (OCI image
//! specification, "Image Index", property `platform`). What people and other tools write (`x86_64`,
//! `aarch64`, `armhf`, `macos`) is normalized when a [`Platform`] is created, and so are equivalent
//! variants, as in containerd: `arm` is `arm/v7`, `arm64` is `arm64/v8`, `amd64/v1` is `amd64`. After
//! that, matching compares plain values.
//!
//! `os.version` and `os.features` are ignored, and one architecture never substitutes for another: an
//! `arm` image is not selected for `arm64`.

use std::fmt;
use std::str::FromStr;

use crate::decimal;

/// An operating system and an architecture, with a variant if the architecture has variants.
///
/// Displayed in normalized form as `os/architecture[/variant]`.
///
/// ```
/// use regq::platform::Platform;
///
/// let wanted = Platform::parse("linux/aarch64")?;
/// assert_eq!(wanted.to_string(), "linux/arm64/v8");
///
/// let index = [("linux", "amd64", None), ("linux", "arm", Some("v7")), ("linux", "arm64", None)];
/// let index = index.map(|(os, architecture, variant)| Platform::new(os, architecture, variant));
/// assert_eq!(wanted.select(index.iter().enumerate()), Some(2));
///
/// // Older variants run too; other architectures do not.
/// assert!(Platform::parse("linux/arm/v7")?.runs(&Platform::parse("linux/arm/v6")?));
/// assert!(!wanted.runs(&Platform::parse("linux/arm/v7")?));
/// # Ok::<(), regq::platform::PlatformError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Alternative names of architectures: the alias, the normalized name and the variant that the alias implies.
const ARCHITECTURES: &[(&str, &str, Option<&str>)] = &[
    ("x86_64", "amd64", None),
    ("x86-64", "amd64", None),
    ("aarch64", "arm64", None),
    ("armhf", "arm", Some("v7")),
    ("armel", "arm", Some("v6")),
    ("i386", "386", None),
    ("i486", "386", None),
    ("i586", "386", None),
    ("i686", "386", None),
    ("x86", "386", None),
    ("ppc64el", "ppc64le", None),
];

impl Platform {
    /// Creates a platform from the fields of an index or an image config, normalized.
    ///
    /// The fields are not validated, because they come from a registry: unknown names simply match
    /// nothing. An empty variant counts as missing.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = os.to_ascii_lowercase();
        let os = if os == "macos" { "darwin".to_owned() } else { os };
        let alias = architecture.to_ascii_lowercase();
        let (architecture, implied) = ARCHITECTURES
            .iter()
            .find(|(name, _, _)| *name == alias)
            .map_or((alias.as_str(), None), |(_, name, implied)| (*name, *implied));
        let variant = variant.filter(|variant| !variant.is_empty()).or(implied);
        let variant = normalized_variant(architecture, variant);
        Self { os, architecture: architecture.to_owned(), variant }
    }

    /// Parses `OS/ARCH[/VARIANT]`.
    ///
    /// # Errors
    ///
    /// A [`PlatformError`] if there are not two or three parts, or if a part is empty or has a
    /// character other than ASCII letters, digits and `.`, `_`, `-`.
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        let error = |at, kind| Err(PlatformError { input: text.to_owned(), at, kind });
        let mut parts = [""; 3];
        let mut slots = parts.iter_mut();
        let mut at = 0;
        for part in text.split('/') {
            let Some(slot) = slots.next() else {
                // The error is at the slash before this part.
                return error(at - 1, PlatformErrorKind::TooManyParts);
            };
            if let Some(offset) = part.find(|character| !is_allowed(character)) {
                return error(at + offset, PlatformErrorKind::Character);
            }
            if part.is_empty() {
                return error(at, PlatformErrorKind::EmptyPart);
            }
            *slot = part;
            at += part.len() + 1;
        }
        let [os, architecture, variant] = parts;
        if architecture.is_empty() {
            return error(text.len(), PlatformErrorKind::NoArchitecture);
        }
        Ok(Self::new(os, architecture, Some(variant)))
    }

    /// Returns the platform that this program was built for.
    ///
    /// 32-bit Arm counts as `v7` and `amd64` as the baseline: stable Rust does not expose the variant
    /// of the target.
    #[must_use]
    pub fn local() -> Self {
        let little = cfg!(target_endian = "little");
        let architecture = match std::env::consts::ARCH {
            "powerpc" => "ppc",
            "powerpc64" if little => "ppc64le",
            "powerpc64" => "ppc64",
            "mips" if little => "mipsle",
            "mips64" if little => "mips64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Self::new(std::env::consts::OS, architecture, None)
    }

    /// The operating system, such as `linux`.
    #[must_use]
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture, such as `amd64`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant, such as `v7`. `None` also for `amd64/v1`, the baseline of `amd64`.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Whether an image for `candidate` runs on this platform.
    ///
    /// Operating system and architecture must be equal, and the variant equal or older.
    /// `unknown/unknown`, the platform of attestations, runs nowhere.
    #[must_use]
    pub fn runs(&self, candidate: &Self) -> bool {
        self.compare(candidate).is_some()
    }

    /// Selects the candidate that matches this platform best.
    ///
    /// The same variant wins, then the newest older one; among equals, the first. `None` if no
    /// candidate runs on this platform.
    #[must_use]
    pub fn select<'a, T>(&self, candidates: impl IntoIterator<Item = (T, &'a Self)>) -> Option<T> {
        let mut best: Option<(Match, T)> = None;
        for (item, candidate) in candidates {
            let Some(found) = self.compare(candidate) else { continue };
            if best.as_ref().is_none_or(|(best, _)| found > *best) {
                best = Some((found, item));
            }
        }
        best.map(|(_, item)| item)
    }

    /// How well a candidate matches; `None` if it does not run on this platform.
    fn compare(&self, candidate: &Self) -> Option<Match> {
        let unknown = candidate.os == "unknown" && candidate.architecture == "unknown";
        if unknown || self.os != candidate.os || self.architecture != candidate.architecture {
            return None;
        }
        if self.variant == candidate.variant {
            return Some(Match::Same);
        }
        match (self.version(), candidate.version()) {
            (Some(own), Some(other)) => {
                own.runs(other, &self.architecture).then_some(Match::Older(other))
            }
            // An image without a variant runs on every variant. Unordered variants run no other.
            (Some(_), None) | (None, Some(_) | None) => {
                candidate.variant.is_none().then_some(Match::Any)
            }
        }
    }

    /// The variant as a version, if the variants of this architecture are ordered.
    fn version(&self) -> Option<Version> {
        let variant = self.variant.as_deref().filter(|_| has_versions(&self.architecture))?;
        Version::parse(variant)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

/// Why a text is not a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    input: String,
    at: usize,
    kind: PlatformErrorKind,
}

impl PlatformError {
    /// The text that was parsed.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The first byte that does not fit, counted from 0; the text's length if its end is missing.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is wrong there.
    #[must_use]
    pub fn kind(&self) -> PlatformErrorKind {
        self.kind
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: byte {}: {}", self.input, self.at, self.kind)
    }
}

impl std::error::Error for PlatformError {}

/// What is wrong with a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlatformErrorKind {
    /// A part is empty.
    EmptyPart,
    /// There is only one part.
    NoArchitecture,
    /// A character other than letters, digits and `.`, `_`, `-`.
    Character,
    /// There are more than three parts.
    TooManyParts,
}

impl fmt::Display for PlatformErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyPart => "a part of the platform is empty",
            Self::NoArchitecture => "a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64",
            Self::Character => "a platform contains only letters, digits and . _ -",
            Self::TooManyParts => "a platform has at most three parts, OS/ARCH/VARIANT",
        })
    }
}

/// How well a candidate matches; greater is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    /// The candidate has no variant: it runs on every variant of its architecture.
    Any,
    Older(Version),
    Same,
}

/// A variant of the form `vMAJOR[.MINOR]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    fn parse(variant: &str) -> Option<Self> {
        let numbers = variant.strip_prefix('v')?;
        let (major, minor) = numbers.split_once('.').unwrap_or((numbers, "0"));
        Some(Self { major: decimal::parse(major)?, minor: decimal::parse(minor)? })
    }

    fn runs(self, other: Self, architecture: &str) -> bool {
        // v9.0 includes v8.5, v9.1 includes v8.6, and so on (Arm Architecture Reference Manual).
        if architecture == "arm64" && self.major == 9 && other.major == 8 {
            return other.minor <= self.minor.saturating_add(5);
        }
        // Later versions are assumed to run everything that earlier ones ran.
        other <= self
    }
}

/// Whether the variants of an architecture are numbered, each running what the earlier ones run.
fn has_versions(architecture: &str) -> bool {
    matches!(architecture, "amd64" | "arm" | "arm64")
}

/// Reduces variants that mean the same to one form.
fn normalized_variant(architecture: &str, variant: Option<&str>) -> Option<String> {
    let mut variant = variant.map(str::to_ascii_lowercase);
    if has_versions(architecture) {
        variant = variant.map(|variant| {
            let full = if decimal::parse::<u16>(&variant).is_some() {
                format!("v{variant}")
            } else {
                variant
            };
            match full.strip_suffix(".0") {
                Some(short) if Version::parse(&full).is_some() => short.to_owned(),
                Some(_) | None => full,
            }
        });
    }
    match (architecture, variant.as_deref()) {
        ("amd64", Some("v1")) => None,
        ("arm64", None) => Some("v8".to_owned()),
        ("arm", None) => Some("v7".to_owned()),
        _ => variant,
    }
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

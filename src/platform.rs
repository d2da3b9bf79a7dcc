//! Platforms: what an image runs on, and which entry of an index is the one that was asked for.
//!
//! Names are Go's, as the OCI image specification ("Image Index", property `platform`) asks for.
//! What people and other tools write (`x86_64`, `aarch64`, `armhf`, `macos`) is turned into those
//! when a [`Platform`] is made, and the variants are brought to one form, as containerd does: `arm`
//! alone is `arm/v7`, `arm64` alone is `arm64/v8`, `amd64/v1` is `amd64`. After that, matching
//! compares plain values.
//!
//! `os.version` and `os.features` are no part of it, and no architecture stands in for another one:
//! `arm64` is not answered with `arm`.

use std::fmt;
use std::str::FromStr;

/// An operating system and an architecture, with a variant where the architecture has them.
///
/// Displayed as `os/architecture[/variant]`, in the normalised form.
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
/// // An older variant will do, another architecture will not.
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

/// What an architecture is also called, its name here, and the variant that this other name implies.
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
    /// Makes a platform of words from an index or an image config, normalised.
    ///
    /// The words are not checked, since they are what a registry said; a platform of words that
    /// mean nothing matches nothing. An empty variant is none.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = os.to_ascii_lowercase();
        let os = if os == "macos" { "darwin".to_owned() } else { os };
        let named = architecture.to_ascii_lowercase();
        let (architecture, implied) = ARCHITECTURES
            .iter()
            .find(|(alias, _, _)| *alias == named)
            .map_or((named.as_str(), None), |(_, name, implied)| (*name, *implied));
        let variant = variant.filter(|variant| !variant.is_empty()).or(implied);
        let variant = normal_variant(architecture, variant);
        Self { os, architecture: architecture.to_owned(), variant }
    }

    /// Reads `OS/ARCH[/VARIANT]`, as people write it.
    ///
    /// # Errors
    ///
    /// A [`PlatformError`] when a part is missing, empty or too many, or holds anything but ASCII
    /// letters, digits and `.`, `_`, `-`.
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        let error = |at, reason| Err(PlatformError { input: text.to_owned(), at, reason });
        let mut parts = [""; 3];
        let mut slots = parts.iter_mut();
        let mut at = 0;
        for part in text.split('/') {
            let Some(slot) = slots.next() else {
                // The slash in front of this part is what does not fit.
                return error(at - 1, Reason::TooManyParts);
            };
            if let Some(offset) = part.find(|character| !is_word(character)) {
                return error(at + offset, Reason::Character);
            }
            if part.is_empty() {
                return error(at, Reason::EmptyPart);
            }
            *slot = part;
            at += part.len() + 1;
        }
        let [os, architecture, variant] = parts;
        if architecture.is_empty() {
            return error(text.len(), Reason::NoArchitecture);
        }
        Ok(Self::new(os, architecture, Some(variant)))
    }

    /// The platform that this program was built for, which is the machine it runs on.
    ///
    /// A 32-bit Arm machine counts as v7, an `amd64` one as the base: what stable Rust tells a
    /// program about its target does not tell the variants apart.
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

    /// The variant, such as `v7`. None for `amd64` where the specification says `v1`.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Whether what is made for `candidate` runs on this platform.
    ///
    /// Operating system and architecture are equal, and the variant is the same or an older one
    /// that this one still runs. `unknown/unknown`, which attestations carry, runs nowhere.
    #[must_use]
    pub fn runs(&self, candidate: &Self) -> bool {
        self.fit(candidate).is_some()
    }

    /// The candidate that suits this platform best: the same variant before the newest older one,
    /// and the first in order of those that are alike. None where nothing runs.
    pub fn select<'a, T>(&self, candidates: impl IntoIterator<Item = (T, &'a Self)>) -> Option<T> {
        let mut best: Option<(Fit, T)> = None;
        for (item, candidate) in candidates {
            let Some(fit) = self.fit(candidate) else { continue };
            if best.as_ref().is_none_or(|(found, _)| fit > *found) {
                best = Some((fit, item));
            }
        }
        best.map(|(_, item)| item)
    }

    fn fit(&self, candidate: &Self) -> Option<Fit> {
        let unknown = candidate.os == "unknown" && candidate.architecture == "unknown";
        if unknown || self.os != candidate.os || self.architecture != candidate.architecture {
            return None;
        }
        if self.variant == candidate.variant {
            return Some(Fit::Same);
        }
        match (self.version(), candidate.version()) {
            (Some(mine), Some(theirs)) => {
                mine.runs(theirs, &self.architecture).then_some(Fit::Older(theirs))
            }
            // What was made for no variant runs on each; variants without an order run no other.
            (Some(_), None) | (None, Some(_) | None) => {
                candidate.variant.is_none().then_some(Fit::Any)
            }
        }
    }

    /// The variant as a number, where this architecture's variants have an order.
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

/// Why a text is no platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    input: String,
    at: usize,
    reason: Reason,
}

impl PlatformError {
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
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: byte {}: {}", self.input, self.at, self.reason)
    }
}

impl std::error::Error for PlatformError {}

/// What is wrong with a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing before, between or behind slashes.
    EmptyPart,
    /// Only an operating system, or only an architecture, was given.
    NoArchitecture,
    /// Something other than letters, digits and `.`, `_`, `-`.
    Character,
    /// More than operating system, architecture and variant.
    TooManyParts,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyPart => "a part of the platform is empty",
            Self::NoArchitecture => "a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64",
            Self::Character => "a platform has letters, digits and . _ - only",
            Self::TooManyParts => "a platform has at most three parts, OS/ARCH/VARIANT",
        })
    }
}

/// How well a candidate suits; the greater the better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Made for no variant: the architecture's base.
    Any,
    /// Made for an older variant.
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
        Some(Self { major: number(major)?, minor: number(minor)? })
    }

    fn runs(self, other: Self, architecture: &str) -> bool {
        // Arm's architecture manual: v9.0 contains v8.5, v9.1 contains v8.6, and so on.
        if architecture == "arm64" && self.major == 9 && other.major == 8 {
            return other.minor <= self.minor.saturating_add(5);
        }
        // A 64-bit Arm of a later generation is taken to run what the earlier ones ran.
        other <= self
    }
}

/// Whether an architecture's variants are numbered, each running what the earlier ones run.
fn has_versions(architecture: &str) -> bool {
    matches!(architecture, "amd64" | "arm" | "arm64")
}

/// Reads decimal digits alone: `u16::from_str` would take a sign as well.
fn number(digits: &str) -> Option<u16> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all { digits.parse().ok() } else { None }
}

/// One form for the variants that mean the same.
fn normal_variant(architecture: &str, variant: Option<&str>) -> Option<String> {
    let mut variant = variant.map(str::to_ascii_lowercase);
    if has_versions(architecture) {
        variant = variant.map(|variant| {
            let full = if number(&variant).is_some() { format!("v{variant}") } else { variant };
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

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

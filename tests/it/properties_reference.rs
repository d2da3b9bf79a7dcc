//! Properties of references, digests and platforms.
//!
//! Each one is a plain function: the tests call them with generated values, a fuzz target with its own.

use regq::digest::{Algorithm, Digest, DigestError, Hasher};
use regq::platform::Platform;
use regq::reference::{Reference, ReferenceError, Registry, Repository, Tag};

/// Parsing any text returns a value whose canonical form parses as itself, or an error within the text.
pub(crate) fn reference_never_panics(text: &str) {
    match Reference::parse(text) {
        Ok(reference) => {
            let canonical = reference.to_string();
            assert_eq!(Reference::parse(&canonical).unwrap(), reference, "{text:?}");
            assert_eq!(canonical.parse::<Reference>().unwrap().to_string(), canonical, "{text:?}");
            repository_parses_back(reference.repository());
            if let Some(tag) = reference.tag() {
                assert_eq!(Tag::parse(tag.as_str()).unwrap(), *tag, "{text:?}");
            }
        }
        Err(error) => {
            check_error(&error, text);
            if let Some(suggestion) = error.suggestion() {
                assert_ne!(suggestion, text);
                let suggested = Reference::parse(suggestion).unwrap();
                assert_eq!(suggested.ambiguity(), None, "{text:?}");
            }
        }
    }
    match Repository::parse(text) {
        Ok(repository) => repository_parses_back(&repository),
        Err(error) => check_error(&error, text),
    }
    match Registry::parse(text) {
        Ok(registry) => {
            assert_eq!(Registry::parse(&registry.name()).unwrap(), registry, "{text:?}")
        }
        Err(error) => check_error(&error, text),
    }
    match Tag::parse(text) {
        Ok(tag) => assert_eq!(tag.as_str(), text),
        Err(error) => check_error(&error, text),
    }
}

fn repository_parses_back(repository: &Repository) {
    assert_eq!(Repository::parse(&repository.to_string()).unwrap(), *repository);
    assert!(repository.path().len() <= 255);
    assert_eq!(Registry::parse(&repository.registry().name()).unwrap(), *repository.registry());
}

fn check_error(error: &ReferenceError, text: &str) {
    assert_eq!(error.input(), text);
    assert!(text.is_char_boundary(error.at()), "{error}");
    let shown = format!("{error} {:?}", error.hint());
    assert!(!shown.contains(|character: char| character.is_control()), "{shown:?}");
}

/// Parsing any text returns a digest that displays as the text, or an error within it.
pub(crate) fn digest_never_panics(text: &str) {
    match Digest::parse(text) {
        Ok(digest) => {
            assert_eq!(digest.as_str(), text);
            assert_eq!(digest.hex().len(), digest.algorithm().hex_length());
        }
        Err(DigestError::Malformed { at, .. }) => assert!(text.is_char_boundary(at), "{text:?}"),
        Err(DigestError::UnknownAlgorithm { algorithm }) => {
            assert!(text.strip_prefix(&algorithm).is_some_and(|rest| rest.starts_with(':')));
        }
        Err(other) => panic!("an unchecked error: {other}"),
    }
}

/// Parsing any text returns a platform that parses back as itself, or an error within the text.
pub(crate) fn platform_never_panics(text: &str) {
    match Platform::parse(text) {
        Ok(platform) => {
            assert_eq!(Platform::parse(&platform.to_string()).unwrap(), platform, "{text:?}");
            let again = Platform::new(platform.os(), platform.architecture(), platform.variant());
            assert_eq!(again, platform, "{text:?}");
            // Attestations run nowhere, whatever variant they have.
            let is_unknown = platform.os() == "unknown" && platform.architecture() == "unknown";
            assert_eq!(platform.runs(&platform), !is_unknown, "{text:?}");
        }
        Err(error) => {
            assert_eq!(error.input(), text);
            assert!(text.is_char_boundary(error.at()), "{error}");
        }
    }
}

/// The digest of a body does not depend on how it is split. `lengths` are those of its first pieces.
pub(crate) fn any_split_gives_the_same_digest(body: &[u8], lengths: &[u8]) {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut hasher = Hasher::new(algorithm);
        let mut rest = body;
        for length in lengths {
            let (piece, after) = rest.split_at(usize::from(*length).min(rest.len()));
            hasher.update(piece);
            rest = after;
        }
        hasher.update(rest);
        assert_eq!(hasher.finish(), Digest::of(algorithm, body));
    }
}

//! What holds for every name, digest and platform, as plain functions: the tests here call them with
//! generated values, a fuzz target with its own.

use regq::digest::{Algorithm, Digest, DigestError, Hasher};
use regq::platform::Platform;
use regq::reference::{Reference, ReferenceError, Registry, Repository, Tag};

/// Reading any text gives a value that reads back as itself, or an error that points into the text.
pub(crate) fn reference_never_panics(text: &str) {
    match Reference::parse(text) {
        Ok(reference) => {
            let canonical = reference.to_string();
            assert_eq!(Reference::parse(&canonical).unwrap(), reference, "{text:?}");
            assert_eq!(canonical.parse::<Reference>().unwrap().to_string(), canonical, "{text:?}");
            repository_reads_back(reference.repository());
            if let Some(tag) = reference.tag() {
                assert_eq!(Tag::parse(tag.as_str()).unwrap(), *tag, "{text:?}");
            }
        }
        Err(error) => {
            reference_error_is_sound(&error, text);
            if let Some(suggestion) = error.suggestion() {
                assert_ne!(suggestion, text);
                let suggested = Reference::parse(suggestion).unwrap();
                assert_eq!(suggested.ambiguity(), None, "{text:?}");
            }
        }
    }
    match Repository::parse(text) {
        Ok(repository) => repository_reads_back(&repository),
        Err(error) => reference_error_is_sound(&error, text),
    }
    match Registry::parse(text) {
        Ok(registry) => {
            assert_eq!(Registry::parse(&registry.name()).unwrap(), registry, "{text:?}")
        }
        Err(error) => reference_error_is_sound(&error, text),
    }
    match Tag::parse(text) {
        Ok(tag) => assert_eq!(tag.as_str(), text),
        Err(error) => reference_error_is_sound(&error, text),
    }
}

fn repository_reads_back(repository: &Repository) {
    assert_eq!(Repository::parse(&repository.to_string()).unwrap(), *repository);
    assert!(repository.path().len() <= 255);
    assert_eq!(Registry::parse(&repository.registry().name()).unwrap(), *repository.registry());
}

fn reference_error_is_sound(error: &ReferenceError, text: &str) {
    assert_eq!(error.input(), text);
    assert!(text.is_char_boundary(error.at()), "{error}");
    let shown = format!("{error} {:?}", error.hint());
    assert!(!shown.contains(|character: char| character.is_control()), "{shown:?}");
}

/// Reading any text gives a digest that is displayed as the text, or an error that points into it.
pub(crate) fn digest_never_panics(text: &str) {
    match Digest::parse(text) {
        Ok(digest) => {
            assert_eq!(digest.to_string(), text);
            assert_eq!(digest.hex().len(), digest.algorithm().hex_length());
        }
        Err(DigestError::Malformed { at, .. }) => assert!(text.is_char_boundary(at), "{text:?}"),
        Err(DigestError::UnknownAlgorithm { algorithm }) => {
            assert!(text.strip_prefix(&algorithm).is_some_and(|rest| rest.starts_with(':')));
        }
    }
}

/// Reading any text gives a platform that reads back as itself, or an error that points into the text.
pub(crate) fn platform_never_panics(text: &str) {
    match Platform::parse(text) {
        Ok(platform) => {
            assert_eq!(Platform::parse(&platform.to_string()).unwrap(), platform, "{text:?}");
            let again = Platform::new(platform.os(), platform.architecture(), platform.variant());
            assert_eq!(again, platform, "{text:?}");
            // Attestations, whatever variant they claim.
            let unknown = platform.os() == "unknown" && platform.architecture() == "unknown";
            assert_eq!(platform.runs(&platform), !unknown, "{text:?}");
        }
        Err(error) => {
            assert_eq!(error.input(), text);
            assert!(text.is_char_boundary(error.at()), "{error}");
        }
    }
}

/// However a body is split, its digest is that of the whole. `lengths` are those of its first pieces.
pub(crate) fn any_split_gives_the_same_digest(body: &[u8], lengths: &[u8]) {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut verifier = Hasher::new(algorithm);
        let mut rest = body;
        for length in lengths {
            let (piece, behind) = rest.split_at(usize::from(*length).min(rest.len()));
            verifier.update(piece);
            rest = behind;
        }
        verifier.update(rest);
        assert_eq!(verifier.finish(), Digest::of(algorithm, body));
    }
}

//! Digests: parsing, known hashes, and bodies that arrive in pieces.

use std::str::FromStr;

use arbtest::arbtest;
use regq::digest::{Algorithm, Digest, DigestError, DigestErrorKind, Hasher};

use crate::properties_reference::{any_split_gives_the_same_digest, digest_never_panics};

/// The examples of FIPS 180-4 and the empty body.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
         47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (
        "abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335\
         96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
    ),
];

#[test]
fn known_bodies_have_known_digests() {
    for (body, sha256, sha512) in KNOWN {
        for (algorithm, hex) in [(Algorithm::Sha256, sha256), (Algorithm::Sha512, sha512)] {
            let digest = Digest::of(algorithm, body.as_bytes());
            assert_eq!(digest.hex(), *hex, "{body:?}");
            assert_eq!(digest.algorithm(), algorithm);
            assert_eq!(digest.to_string(), format!("{algorithm}:{hex}"));
            assert_eq!(Digest::from_str(digest.as_str()).unwrap(), digest);
            let mut hasher = Hasher::new(algorithm);
            hasher.update(body.as_bytes());
            assert_eq!(hasher.finish(), digest);
        }
    }
}

#[test]
fn a_million_bytes_in_pieces_have_a_known_digest() {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for _ in 0..1000 {
        hasher.update(&[b'a'; 1000]);
    }
    assert_eq!(
        hasher.finish().hex(),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    );
}

#[test]
fn errors_have_a_position_and_a_kind() {
    let hex = "a".repeat(64);
    let table = [
        (String::new(), 0, DigestErrorKind::Algorithm),
        (":".to_owned(), 0, DigestErrorKind::Algorithm),
        (format!(":{hex}"), 0, DigestErrorKind::Algorithm),
        ("sha256".to_owned(), 6, DigestErrorKind::NoColon),
        ("sha256+".to_owned(), 7, DigestErrorKind::Algorithm),
        (format!("sha256+:{hex}"), 7, DigestErrorKind::Algorithm),
        (format!("sha256++b64:{hex}"), 7, DigestErrorKind::Algorithm),
        (format!("+sha256:{hex}"), 0, DigestErrorKind::Algorithm),
        (format!("SHA256:{hex}"), 0, DigestErrorKind::Algorithm),
        (format!("sha 256:{hex}"), 3, DigestErrorKind::Algorithm),
        (format!("shä256:{hex}"), 2, DigestErrorKind::Algorithm),
        (format!(" sha256:{hex}"), 0, DigestErrorKind::Algorithm),
        ("sha256:".to_owned(), 7, DigestErrorKind::Length(Algorithm::Sha256)),
        (format!("sha512:{hex}"), 71, DigestErrorKind::Length(Algorithm::Sha512)),
        (format!("sha256:{hex}a"), 71, DigestErrorKind::Length(Algorithm::Sha256)),
        (format!("sha256:{hex}\n"), 71, DigestErrorKind::Length(Algorithm::Sha256)),
        (format!("sha256::{hex}"), 7, DigestErrorKind::Hex),
        (format!("sha256:A{hex}"), 7, DigestErrorKind::Hex),
        (format!("sha256:{}é", "a".repeat(62)), 69, DigestErrorKind::Hex),
        ("md5:".to_owned(), 4, DigestErrorKind::Encoded),
        ("md5:a:b".to_owned(), 5, DigestErrorKind::Encoded),
        ("md5:aé".to_owned(), 5, DigestErrorKind::Encoded),
    ];
    for (text, at, kind) in table {
        let error = Digest::parse(&text).unwrap_err();
        assert_eq!(error, DigestError::Malformed { at, kind }, "{text:?}");
        assert_eq!(error.to_string(), format!("byte {at}: {kind}"));
    }
}

#[test]
fn an_unknown_algorithm_is_not_a_malformed_digest() {
    for (text, name) in [
        ("md5:d41d8cd98f00b204e9800998ecf8427e", "md5"),
        ("sha384:abc", "sha384"),
        ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "multihash+base58"),
        ("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", "sha256+b64u"),
        ("a.b_c-d:=_-Z9", "a.b_c-d"),
    ] {
        let error = Digest::parse(text).unwrap_err();
        assert_eq!(error, DigestError::UnknownAlgorithm { algorithm: name.to_owned() });
        assert!(error.to_string().contains(name));
    }
}

/// The position of the error, if the digest is malformed.
fn malformed_at(text: &str) -> Option<usize> {
    match Digest::parse(text) {
        Err(DigestError::Malformed { at, .. }) => Some(at),
        Ok(_) | Err(_) => None,
    }
}

#[test]
fn the_error_points_at_the_invalid_character() {
    arbtest(|u| {
        let algorithm = *u.choose(&[Algorithm::Sha256, Algorithm::Sha512])?;
        let mut text = Digest::of(algorithm, u.arbitrary::<&[u8]>()?).to_string();
        let at = u.int_in_range(0..=text.len())?;
        text.insert(at, *u.choose(&['%', ' ', '\0', 'é', '/', '@'])?);
        assert_eq!(malformed_at(&text), Some(at), "{text:?}");
        Ok(())
    });
}

#[test]
fn a_truncated_digest_is_an_error_at_its_end() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let text = Digest::of(algorithm, b"body").to_string();
        for length in 0..text.len() {
            assert_eq!(malformed_at(text.get(..length).unwrap()), Some(length));
        }
    }
}

#[test]
fn any_text_parses_without_a_panic() {
    arbtest(|u| {
        digest_never_panics(u.arbitrary::<&str>()?);
        let mut text = String::new();
        for _ in 0..u.int_in_range(0..=8)? {
            text.push_str(
                u.choose(&["sha256", "sha512", "md5", ":", "+", "-", "0", "af", "G", "é"])?,
            );
        }
        digest_never_panics(&text);
        Ok(())
    });
}

#[test]
fn any_split_of_a_body_gives_the_same_digest() {
    arbtest(|u| {
        let lengths: Vec<u8> = u.arbitrary()?;
        any_split_gives_the_same_digest(u.arbitrary()?, &lengths);
        Ok(())
    })
    .size_min(1 << 8);
}

#[test]
fn debug_of_a_hasher_shows_its_algorithm() {
    assert_eq!(format!("{:?}", Hasher::new(Algorithm::Sha512)), "Hasher { algorithm: Sha512, .. }");
}

#[test]
fn a_digest_is_the_same_text_in_every_form() {
    let digest = Digest::of(Algorithm::Sha256, b"abc");
    let text = digest.to_string();
    assert_eq!(digest.as_str(), text);
    assert_eq!(digest.as_ref(), text);
    assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), text);
    assert_eq!(serde_json::to_string(&digest).unwrap(), format!("{text:?}"));
    assert_eq!(format!("{digest:?}"), format!("Digest({text})"));
}

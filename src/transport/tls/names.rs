//! Names of TLS versions and cipher suites, for people and for the public API.
//!
//! Version names are those of the RFCs, suite names those of the IANA registry "TLS Cipher Suites". rustls' own
//! names are not used: its `Debug` output is not under a version promise.

use rustls::{CipherSuite, ProtocolVersion};

/// Returns the name of a protocol version. rustls negotiates only these two.
#[expect(clippy::wildcard_enum_match_arm, reason = "rustls does not speak the other versions")]
pub(crate) fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        _ => "unknown TLS version",
    }
}

/// Returns the name of a cipher suite. rustls with ring negotiates only these.
pub(crate) fn cipher_name(suite: CipherSuite) -> &'static str {
    let known = SUITES.iter().find(|(known, _)| *known == suite);
    known.map_or("unknown cipher suite", |(_, name)| name)
}

const SUITES: [(CipherSuite, &str); 9] = [
    (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
    (CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
    (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
];

#[cfg(test)]
mod tests {
    use super::{cipher_name, version_name};
    use rustls::{CipherSuite, ProtocolVersion};

    #[test]
    fn every_suite_and_version_of_the_provider_has_a_name() {
        let suites = rustls::crypto::ring::default_provider().cipher_suites;
        assert!(!suites.is_empty());
        for suite in suites {
            let name = cipher_name(suite.suite());
            // The TLS 1.3 suites differ only in rustls' prefix.
            let expected = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
            assert_eq!(name, expected);
            assert!(version_name(suite.version().version).starts_with("TLS 1."));
        }
    }

    #[test]
    fn unknown_values_have_a_name_too() {
        assert_eq!(cipher_name(CipherSuite::Unknown(0xffff)), "unknown cipher suite");
        assert_eq!(version_name(ProtocolVersion::SSLv3), "unknown TLS version");
    }
}

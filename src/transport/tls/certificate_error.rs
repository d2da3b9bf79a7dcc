//! Converts rustls' certificate errors to regq's.

use rustls::CertificateError;

use crate::error::CertificateFault;

/// Converts the reason why a certificate was refused.
#[expect(clippy::wildcard_enum_match_arm, reason = "CertificateError is non-exhaustive")]
pub(crate) fn certificate_fault(error: &CertificateError) -> CertificateFault {
    match error {
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::Expired => CertificateFault::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => {
            CertificateFault::Expired(Some(not_after.as_secs()))
        }
        CertificateError::NotValidYet => CertificateFault::NotYetValid(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid(Some(not_before.as_secs()))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            CertificateFault::Name {
                expected: expected.to_str().into_owned(),
                presented: presented.iter().map(|name| bare_name(name)).collect(),
            }
        }
        error if is_ca_used_as_end_entity(error) => CertificateFault::AuthorityAsServer,
        other => CertificateFault::Other(other.to_string()),
    }
}

/// Whether a certificate was refused because it is a CA certificate. rustls has no variant for this webpki error.
pub(super) fn is_ca_used_as_end_entity(error: &CertificateError) -> bool {
    let CertificateError::Other(other) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// Unwraps `DnsName("a.example")` and `IpAddress(10.1.2.3)`.
fn bare_name(presented: &str) -> String {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(presented).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::Arc;

    use super::{CertificateError, bare_name, is_ca_used_as_end_entity};
    use rustls::OtherError;

    /// An error of another type with the text of the webpki error.
    #[derive(Debug)]
    struct Impostor;

    impl fmt::Display for Impostor {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("CaUsedAsEndEntity")
        }
    }

    impl std::error::Error for Impostor {}

    #[test]
    fn a_ca_certificate_is_recognized_by_the_type_of_the_error_and_not_by_its_text() {
        let other = |error| CertificateError::Other(OtherError(error));
        assert!(is_ca_used_as_end_entity(&other(Arc::new(webpki::Error::CaUsedAsEndEntity))));
        assert!(!is_ca_used_as_end_entity(&other(Arc::new(Impostor))));
        assert!(!is_ca_used_as_end_entity(&other(Arc::new(webpki::Error::BadDer))));
        assert!(!is_ca_used_as_end_entity(&CertificateError::UnknownIssuer));
    }

    #[test]
    fn names_lose_their_wrapping() {
        assert_eq!(bare_name(r#"DnsName("a.example")"#), "a.example");
        assert_eq!(bare_name("IpAddress(10.1.2.3)"), "10.1.2.3");
        assert_eq!(bare_name("a.example"), "a.example");
    }
}

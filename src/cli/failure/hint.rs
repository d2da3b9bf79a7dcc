//! Suggests what to do about an error. The library names no flags, so hints are part of the program.
//!
//! Most errors have no hint, because a hint that does not help is worse than none. Each `match` lists all variants, so that
//! a new one is considered here. The cause of a refusal is determined in `denied`.

use regq::error::{
    CertificateFault, ChallengeFault, ConnectionFault, CredentialFault, Error, Identity, Kind,
    Refusal, StatusError,
};
use regq::reference::Reference;

const HELPER: &str = "fix the helper, or bypass it with --user NAME and --password-stdin or \
                      --password-file FILE";
const OTHER_FILE: &str = "fix the helper, or use a file without one: --authfile FILE";
const LIMIT: &str = "logged-in users often get a higher limit: --user NAME with \
                     --password-stdin or --password-file FILE";
const LOOK_UP: &str = "check the spelling; regq parse REF shows how the name is parsed";
const LATEST: &str = "the tag is latest, which not every repository has; regq parse REF shows how \
                      the name is parsed";
const NETWORK: &str =
    "check the network and the spelling; regq parse REF shows how the name is parsed";
const TRUST_REALM: &str = "if you trust this token server, add --trust-realm";
const ALLOW_PRIVATE: &str = "if this is intended, add --allow-private";
const UNENCRYPTED: &str = "--plain-http sends them anyway, unencrypted";
const CA_FILE: &str = "if the registry uses a private CA, add --ca-file FILE";
const PLAIN_HTTP: &str = "if the registry does not use TLS, add --plain-http";
const CLOCK: &str = "check this machine's clock";
const CONNECT_TIMEOUT: &str = "allow more time with --connect-timeout TIME";
const TIMEOUT: &str = "allow more time with --timeout TIME";

/// All hints, for a test that compares the flags and commands in them with the tables.
#[cfg(test)]
pub(crate) const ALL: &[&str] = &[
    HELPER,
    OTHER_FILE,
    LIMIT,
    LOOK_UP,
    LATEST,
    NETWORK,
    TRUST_REALM,
    ALLOW_PRIVATE,
    UNENCRYPTED,
    CA_FILE,
    PLAIN_HTTP,
    CLOCK,
    CONNECT_TIMEOUT,
    TIMEOUT,
];

/// Returns a hint for an error, and for the reference that led to it, if any.
pub(crate) fn hint(error: &Error, reference: Option<&Reference>) -> Option<String> {
    // A misread name explains any error that follows.
    if let Some(ambiguity) = reference.and_then(Reference::ambiguity) {
        return Some(ambiguity.to_string());
    }
    let hint = match error {
        Error::Reference(error) => return error.hint(),
        Error::Refused(refusal) => return refusal_hint(refusal),
        Error::Challenge(challenge) => return challenge.faults.iter().find_map(challenge_hint),
        Error::Status(status) => status_hint(error.kind(), status, reference)?,
        Error::Connection(connection) => connection_hint(&connection.fault)?,
        Error::CredentialsUnavailable { cause: CredentialFault::Helper { .. }, .. } => HELPER,
        Error::Helper { .. } => OTHER_FILE,
        Error::Deadline { .. } => TIMEOUT,
        Error::CredentialsUnavailable { .. }
        | Error::PlatformNotFound { .. }
        | Error::Request { .. }
        | Error::DigestMismatch { .. }
        | Error::DigestHeader { .. }
        | Error::DigestHeaderDiffers { .. }
        | Error::Manifest(_)
        | Error::Document { .. }
        | Error::Encoded { .. }
        | Error::TooLarge { .. }
        | Error::Token { .. }
        | Error::TlsSetup(_)
        | Error::Local { .. }
        | _ => return None,
    };
    Some(hint.to_owned())
}

fn status_hint(
    kind: Kind,
    error: &StatusError,
    reference: Option<&Reference>,
) -> Option<&'static str> {
    let anonymous = matches!(error.identity, Identity::Anonymous | Identity::AnonymousToken);
    match kind {
        Kind::NotFound if is_latest(reference) => Some(LATEST),
        Kind::NotFound => Some(LOOK_UP),
        Kind::RateLimited if anonymous => Some(LIMIT),
        Kind::RateLimited
        | Kind::No
        | Kind::Usage
        | Kind::Denied
        | Kind::Unavailable
        | Kind::Invalid
        | Kind::Local
        | _ => None,
    }
}

fn is_latest(reference: Option<&Reference>) -> bool {
    let tag = reference.filter(|reference| reference.digest().is_none()).and_then(Reference::tag);
    tag.is_some_and(|tag| tag.as_str() == "latest")
}

fn challenge_hint(fault: &ChallengeFault) -> Option<String> {
    match fault {
        ChallengeFault::Refused(refusal) => refusal_hint(refusal),
        ChallengeFault::Malformed(_)
        | ChallengeFault::RealmMissing
        | ChallengeFault::Realm(..)
        | ChallengeFault::NoCredentials
        | ChallengeFault::Scheme(_)
        | _ => None,
    }
}

fn refusal_hint(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::RealmUntrusted { realm, .. } => Some(format!("{TRUST_REALM} {realm}")),
        Refusal::PrivateAddress { .. } => Some(ALLOW_PRIVATE.to_owned()),
        Refusal::CredentialsInTheClear { .. } => Some(UNENCRYPTED.to_owned()),
        Refusal::PlainHttp { .. }
        | Refusal::TokenRedirect { .. }
        | Refusal::TooManyRedirects { .. }
        | Refusal::RedirectTarget { .. }
        | _ => None,
    }
}

fn connection_hint(fault: &ConnectionFault) -> Option<&'static str> {
    match fault {
        ConnectionFault::Name(_) => Some(NETWORK),
        ConnectionFault::ConnectTimeout(_) => Some(CONNECT_TIMEOUT),
        ConnectionFault::NotTls => Some(PLAIN_HTTP),
        ConnectionFault::Certificate(fault) => certificate_hint(fault),
        ConnectionFault::Connect(_)
        | ConnectionFault::Tls(_)
        | ConnectionFault::NotHttp(_)
        | ConnectionFault::Broken(_)
        | ConnectionFault::IdleTimeout(_)
        | _ => None,
    }
}

fn certificate_hint(fault: &CertificateFault) -> Option<&'static str> {
    match fault {
        CertificateFault::UnknownIssuer | CertificateFault::AuthorityAsServer => Some(CA_FILE),
        CertificateFault::NotYetValid(_) => Some(CLOCK),
        CertificateFault::Expired(..)
        | CertificateFault::Name { .. }
        | CertificateFault::Other(..)
        | _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use regq::error::{
        CertificateFault, ChallengeFault, ConnectionError, ConnectionFault, Error, Refusal,
        UnusableChallenge,
    };
    use regq::reference::Reference;

    use super::hint;

    fn untrusted() -> Refusal {
        Refusal::RealmUntrusted { registry: "a.example".into(), realm: "b.example".into() }
    }

    #[test]
    fn ambiguous_name_comes_first() {
        let error = Error::Deadline { limit: Duration::from_secs(1) };
        let of = |name| Reference::parse(name).ok().and_then(|name| hint(&error, Some(&name)));
        assert_eq!(of("alpine").as_deref(), Some("allow more time with --timeout TIME"));
        let ambiguity = of("localhost:5000");
        assert!(ambiguity.is_some_and(|ambiguity| ambiguity.starts_with("without a slash ")));
    }

    #[test]
    fn refusals_name_the_flag_that_lifts_them() {
        let expected = "if you trust this token server, add --trust-realm b.example";
        assert_eq!(hint(&Error::from(untrusted()), None).as_deref(), Some(expected));
        // The same if another challenge of the response is unusable.
        let faults = vec![ChallengeFault::RealmMissing, ChallengeFault::Refused(untrusted())];
        let challenge = Error::Challenge(Box::new(UnusableChallenge::new("a.example", faults)));
        assert_eq!(hint(&challenge, None).as_deref(), Some(expected));
        let redirects = Refusal::TooManyRedirects { host: "a.example".into() };
        assert_eq!(hint(&Error::from(redirects), None), None);
    }

    #[test]
    fn certificate_errors_have_hints() {
        let of = |fault| {
            let fault = ConnectionFault::Certificate(fault);
            let error = ConnectionError::new("a.example", fault);
            hint(&Error::Connection(Box::new(error)), None)
        };
        let expected = "if the registry uses a private CA, add --ca-file FILE";
        assert_eq!(of(CertificateFault::UnknownIssuer).as_deref(), Some(expected));
        assert_eq!(of(CertificateFault::Expired(None)), None);
    }
}

//! What to do about an error: the library names no flags, so the advice is given here.
//!
//! An error without advice is better than one with advice that does not help, so most have none. What a
//! registry refuses is explained by its findings, in `refusal`.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an error that is not named here has no advice, those to come included"
)]

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
const LATEST: &str = "the tag is latest, which not every repository has; regq parse REF shows how the name is parsed";
const NETWORK: &str =
    "check the network and the spelling; regq parse REF shows how the name is parsed";
const TRUST_REALM: &str = "if you trust this token server, add --trust-realm";
const ALLOW_PRIVATE: &str = "if this is intended, add --allow-private";
const IN_THE_CLEAR: &str = "--plain-http sends them anyway, unencrypted";
const CA_FILE: &str = "if the registry uses a private CA, add --ca-file FILE";
const PLAIN_HTTP: &str = "if the registry does not use TLS, add --plain-http";
const CLOCK: &str = "check this machine's clock";
const CONNECT_TIMEOUT: &str = "increase it with --connect-timeout TIME";
const TIMEOUT: &str = "increase it with --timeout TIME";

/// Everything that is advised, for the test that holds it against the tables.
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
    IN_THE_CLEAR,
    CA_FILE,
    PLAIN_HTTP,
    CLOCK,
    CONNECT_TIMEOUT,
    TIMEOUT,
];

/// The advice for an error, and for the reference that led to it where there is one.
pub(crate) fn hint(error: &Error, reference: Option<&Reference>) -> Option<String> {
    // A name that was taken for another thing explains any failure that follows.
    if let Some(ambiguity) = reference.and_then(Reference::ambiguity) {
        return Some(ambiguity.to_string());
    }
    let fixed = match error {
        Error::Reference(error) => return error.hint(),
        Error::Refused(refusal) => return of_refusal(refusal),
        Error::Status(_) if error.kind() == Kind::NotFound && asked_latest(reference) => LATEST,
        Error::Status(answer) => of_status(error.kind(), answer)?,
        Error::Challenge(challenge) => {
            return challenge.faults.iter().find_map(of_challenge);
        }
        Error::Connection(connection) => of_connection(&connection.fault)?,
        Error::CredentialsUnavailable { cause: CredentialFault::Helper { .. }, .. } => HELPER,
        Error::Helper { .. } => OTHER_FILE,
        // The message says what to mend.
        Error::CredentialsUnavailable { .. } => return None,
        Error::Deadline { .. } => TIMEOUT,
        _ => return None,
    };
    Some(fixed.to_owned())
}

fn asked_latest(reference: Option<&Reference>) -> bool {
    let tag = reference.filter(|reference| reference.digest().is_none()).and_then(Reference::tag);
    tag.is_some_and(|tag| tag.as_str() == "latest")
}

fn of_status(kind: Kind, answer: &StatusError) -> Option<&'static str> {
    let anonymous = matches!(answer.identity, Identity::Anonymous | Identity::AnonymousToken);
    match kind {
        Kind::RateLimited if anonymous => Some(LIMIT),
        Kind::NotFound => Some(LOOK_UP),
        _ => None,
    }
}

fn of_challenge(fault: &ChallengeFault) -> Option<String> {
    match fault {
        ChallengeFault::Refused(refusal) => of_refusal(refusal),
        _ => None,
    }
}

fn of_refusal(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::RealmUntrusted { realm, .. } => Some(format!("{TRUST_REALM} {realm}")),
        Refusal::PrivateAddress { .. } => Some(ALLOW_PRIVATE.to_owned()),
        Refusal::CredentialsInTheClear { .. } => Some(IN_THE_CLEAR.to_owned()),
        _ => None,
    }
}

fn of_connection(fault: &ConnectionFault) -> Option<&'static str> {
    match fault {
        ConnectionFault::Name(_) => Some(NETWORK),
        ConnectionFault::ConnectTimeout(_) => Some(CONNECT_TIMEOUT),
        ConnectionFault::NotTls => Some(PLAIN_HTTP),
        ConnectionFault::Certificate(fault) => match fault {
            CertificateFault::UnknownIssuer | CertificateFault::AuthorityAsServer => Some(CA_FILE),
            CertificateFault::NotYetValid(_) => Some(CLOCK),
            _ => None,
        },
        _ => None,
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
    fn a_name_taken_for_another_thing_comes_first() {
        let error = Error::Deadline { limit: Duration::from_secs(1) };
        let of = |name| Reference::parse(name).ok().and_then(|name| hint(&error, Some(&name)));
        assert_eq!(of("alpine").as_deref(), Some("increase it with --timeout TIME"));
        let ambiguity = of("localhost:5000");
        assert!(ambiguity.is_some_and(|ambiguity| ambiguity.starts_with("without a slash ")));
    }

    #[test]
    fn refusals_name_the_flag_that_lifts_them() {
        let expected = "if you trust this token server, add --trust-realm b.example";
        assert_eq!(hint(&Error::from(untrusted()), None).as_deref(), Some(expected));
        // Also where another challenge of the same answer was of no use before it.
        let faults = vec![ChallengeFault::RealmMissing, ChallengeFault::Refused(untrusted())];
        let challenge = Error::Challenge(Box::new(UnusableChallenge::new("a.example", faults)));
        assert_eq!(hint(&challenge, None).as_deref(), Some(expected));
        let redirects = Refusal::TooManyRedirects { host: "a.example".into() };
        assert_eq!(hint(&Error::from(redirects), None), None);
    }

    #[test]
    fn certificates_have_advice_where_there_is_some() {
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

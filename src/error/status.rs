//! HTTP responses that are not the requested answer: error statuses, unusable challenges, unusable tokens.
//!
//! A server's own message is kept as [`ErrorBody`] and is always shown quoted, marked as the server's.

use std::fmt;
use std::time::Duration;

use crate::error::format::HumanDuration;
use crate::error::kind::Kind;
use crate::error::policy::Refusal;
use crate::http::challenge::ChallengeError;
use crate::oci::ErrorBody;
use crate::url::{UrlError, excerpt};

/// The kind of server that sent a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Party {
    /// The registry, or a host that it redirected to.
    Registry,
    /// The token server that the registry's challenge names.
    TokenServer,
}

/// How a request was authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// Not at all.
    Anonymous,
    /// With a token that the token server issued without a credential.
    AnonymousToken,
    /// With a credential, or with a token that was issued for it.
    Credential {
        /// The form of the credential.
        form: CredentialForm,
        /// The user name, if any.
        user: Option<String>,
        /// Where the credential was found; `None` if the caller passed it.
        source: Option<String>,
    },
}

/// The form of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialForm {
    /// A user name and a password.
    Password,
    /// A refresh token.
    IdentityToken,
    /// A bearer token, sent unchanged.
    Token,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity::Credential { form, user, source } = self else {
            return f.write_str(match self {
                Identity::AnonymousToken => "an anonymous token",
                Identity::Anonymous | Identity::Credential { .. } => "an anonymous request",
            });
        };
        match form {
            CredentialForm::Password => write!(f, "the credentials")?,
            CredentialForm::IdentityToken => write!(f, "the identity token")?,
            CredentialForm::Token => write!(f, "the token")?,
        }
        if let Some(user) = user {
            write!(f, " of {user:?}")?;
        }
        if let Some(source) = source {
            write!(f, " from {source}")?;
        }
        Ok(())
    }
}

/// A response with an error status.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StatusError {
    /// The kind of server.
    pub party: Party,
    /// The server's host, with its port unless that is the scheme's default.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// The server's message.
    pub body: ErrorBody,
    /// How the request was authenticated.
    pub identity: Identity,
    /// The wait that the server's `Retry-After` header asks for, if any.
    pub retry_after: Option<Duration>,
}

/// A 401 response that offers no usable way to log in.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnusableChallenge {
    /// The host that sent the response.
    pub host: String,
    /// Why each challenge is unusable, in the order of the challenges; empty if the response has no challenge.
    pub faults: Vec<ChallengeFault>,
    /// The server's message.
    pub body: ErrorBody,
}

/// Why a challenge is unusable.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChallengeFault {
    /// It could not be parsed.
    Malformed(ChallengeError),
    /// A Bearer challenge without a realm.
    RealmMissing,
    /// The realm is not a valid URL.
    Realm(String, UrlError),
    /// A safety rule forbids its realm.
    Refused(Refusal),
    /// It requires a user name and a password, and none were found for this host.
    NoCredentials,
    /// An authentication scheme that regq does not support.
    Scheme(String),
}

/// Why a token server's response contains no usable token.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenFault {
    /// It is not JSON.
    Json {
        /// The `Content-Type` of the response.
        content_type: String,
        /// The beginning of the body.
        body: ErrorBody,
    },
    /// `token` and `access_token` are missing or empty.
    Missing,
    /// The token contains characters that are not allowed in a header.
    NotPrintable,
}

impl StatusError {
    /// An error status, with an empty body and from an anonymous request.
    pub fn new(party: Party, host: impl Into<String>, status: u16) -> StatusError {
        StatusError {
            party,
            host: host.into(),
            status,
            body: ErrorBody::default(),
            identity: Identity::Anonymous,
            retry_after: None,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        kind_of_status(self.party, self.status)
    }
}

/// The kind of failure that an error status is.
pub(crate) fn kind_of_status(party: Party, status: u16) -> Kind {
    match (party, status) {
        (_, 401 | 403 | 451) | (Party::TokenServer, 400 | 404 | 405) => Kind::Denied,
        (Party::Registry, 404) => Kind::NotFound,
        (_, 429) => Kind::RateLimited,
        (_, 407 | 408 | 500..=599) => Kind::Unavailable,
        _ => Kind::Invalid,
    }
}

/// Whether a later request may get another status: overload, rate limits, and failures of a server or gateway.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

impl UnusableChallenge {
    /// A 401 response of a host with these faults, and with an empty body.
    pub fn new(host: impl Into<String>, faults: Vec<ChallengeFault>) -> UnusableChallenge {
        UnusableChallenge { host: host.into(), faults, body: ErrorBody::default() }
    }

    pub(super) fn kind(&self) -> Kind {
        if self.faults.iter().any(ChallengeFault::is_invalid) {
            Kind::Invalid
        } else {
            Kind::Denied
        }
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StatusError { host, status, identity, .. } = self;
        let party = match self.party {
            Party::Registry => "",
            Party::TokenServer => "token server ",
        };
        match (self.kind(), status, identity) {
            (Kind::NotFound, ..) => write!(f, "not found on {host} ({status})")?,
            (Kind::Denied, 401, Identity::Credential { .. }) => {
                write!(f, "{party}{host} refused {identity} (401)")?;
            }
            (Kind::Denied, 401, _) => write!(f, "{party}{host} denied anonymous access (401)")?,
            (Kind::Denied, 451, _) => {
                write!(f, "{party}{host}: unavailable for legal reasons (451)")?;
            }
            (Kind::Denied, ..) => write!(f, "{party}{host} denied access ({status})")?,
            (Kind::RateLimited, ..) => write!(f, "{party}{host}: rate limit exceeded ({status})")?,
            (_, 500..=599, _) => write!(f, "{party}{host}: server error ({status})")?,
            _ => write!(f, "{party}{host}: unexpected status {status}")?,
        }
        if let Some(wait) = self.retry_after {
            write!(f, "; retry after {}", HumanDuration(wait))?;
        }
        write_message(f, &self.body)
    }
}

impl fmt::Display for UnusableChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        write!(f, "{host} denied access (401)")?;
        if self.faults.is_empty() {
            write!(f, " without a WWW-Authenticate challenge")?;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { ": " } else { "; " })?;
        }
        write_message(f, &self.body)
    }
}

fn write_message(f: &mut fmt::Formatter<'_>, body: &ErrorBody) -> fmt::Result {
    if body.is_empty() { Ok(()) } else { write!(f, "; it says {body}") }
}

impl ChallengeFault {
    /// True for an invalid or unsafe challenge, false for one that regq cannot answer.
    pub(crate) fn is_invalid(&self) -> bool {
        match self {
            // The safety rules cannot check a realm that is not a URL.
            ChallengeFault::Malformed(_)
            | ChallengeFault::Refused(_)
            | ChallengeFault::Realm(..) => true,
            ChallengeFault::RealmMissing
            | ChallengeFault::NoCredentials
            | ChallengeFault::Scheme(_) => false,
        }
    }
}

impl fmt::Display for ChallengeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChallengeFault::Malformed(error) => {
                write!(f, "its WWW-Authenticate challenge is malformed ({error})")
            }
            ChallengeFault::RealmMissing => write!(f, "its Bearer challenge has no realm"),
            ChallengeFault::Realm(realm, error) => {
                write!(f, "its challenge has the invalid realm {:?}: {error}", excerpt(realm))
            }
            ChallengeFault::Refused(refusal) => write!(f, "{refusal}"),
            ChallengeFault::NoCredentials => {
                write!(f, "it requires a user name and password, and none were found")
            }
            ChallengeFault::Scheme(scheme) => {
                let scheme = excerpt(scheme);
                write!(f, "it requires {scheme:?} authentication, which regq does not support")
            }
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenFault::Json { content_type, body } => {
                write!(f, "the response is {:?}, not JSON", excerpt(content_type))?;
                write_message(f, body)
            }
            TokenFault::Missing => write!(f, "the response has no token"),
            TokenFault::NotPrintable => {
                write!(f, "the token contains characters that are not allowed in a header")
            }
        }
    }
}

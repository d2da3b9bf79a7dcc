//! Answers that are none: statuses, challenges and token answers that lead nowhere.
//!
//! What a server says for itself is kept as [`ErrorBody`] and always shown quoted and marked as its own.

use std::fmt;
use std::time::Duration;

use crate::error::display::Shown;
use crate::error::kind::Kind;
use crate::error::policy::Refusal;
use crate::http::challenge::ChallengeError;
use crate::oci::ErrorBody;
use crate::url::{UrlError, shown};

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Party {
    /// The registry, or a host that it redirected to.
    Registry,
    /// The token server that the registry's challenge names.
    TokenServer,
}

/// What went along with a request to prove who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// Nothing.
    Anonymous,
    /// A token that the token server gave to anybody.
    AnonymousToken,
    /// A credential, or a token that was given for it.
    Credential {
        /// What it is.
        form: CredentialForm,
        /// The user name, where there is one.
        user: Option<String>,
        /// Where it was found; `None` when the caller gave it.
        place: Option<String>,
    },
}

/// The forms of a credential, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialForm {
    /// A user name and a password.
    Password,
    /// A refresh token.
    IdentityToken,
    /// A ready bearer token.
    Token,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity::Credential { form, user, place } = self else {
            return f.write_str(match self {
                Identity::AnonymousToken => "the anonymous token",
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
        if let Some(place) = place {
            write!(f, " from {place}")?;
        }
        Ok(())
    }
}

/// An answer whose status is no answer to the question.
#[derive(Debug)]
pub struct StatusError {
    /// Who answered.
    pub party: Party,
    /// The host that answered, with its port where it is not the scheme's own.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// What the answer's body says.
    pub words: ErrorBody,
    /// Who was asking.
    pub identity: Identity,
    /// When to come back, where the answer says so.
    pub retry_after: Option<Duration>,
}

/// A 401 whose challenges cannot be acted upon.
#[derive(Debug)]
pub struct UnusableChallenge {
    /// The host that answered.
    pub host: String,
    /// What stands against each challenge, in their order; empty when there was none.
    pub faults: Vec<ChallengeFault>,
    /// What the answer's body says.
    pub words: ErrorBody,
}

/// What stands against acting upon a challenge.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChallengeFault {
    /// It could not be parsed.
    Malformed(ChallengeError),
    /// A Bearer challenge without a realm.
    RealmMissing,
    /// Its realm is no URL that can be asked.
    Realm(String, UrlError),
    /// A safety rule forbids its realm.
    Refused(Refusal),
    /// It asks for a user name and password, and there are none for this host.
    NoCredentials,
    /// A scheme that regq does not speak.
    Scheme(String),
}

/// Why a token server's answer holds no usable token.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenFault {
    /// It is not JSON.
    Json {
        /// Its `Content-Type`.
        content_type: String,
        /// The beginning of the body.
        words: ErrorBody,
    },
    /// It has neither `token` nor `access_token`, or both are empty.
    Missing,
    /// The token has characters that cannot stand in a header.
    NotPrintable,
}

impl StatusError {
    pub(super) fn kind(&self) -> Kind {
        match (self.party, self.status) {
            (_, 401 | 403 | 451) | (Party::TokenServer, 400 | 404 | 405) => Kind::Denied,
            (Party::Registry, 404) => Kind::NotFound,
            (_, 429) => Kind::RateLimited,
            (_, 407 | 408 | 500..=599) => Kind::Unavailable,
            _ => Kind::Invalid,
        }
    }
}

impl UnusableChallenge {
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
        let StatusError { host, status, .. } = self;
        let who = match self.party {
            Party::Registry => "",
            Party::TokenServer => "token server ",
        };
        let refused = &self.identity;
        match (self.kind(), status) {
            (Kind::NotFound, _) => write!(f, "{host} does not have it ({status})")?,
            (Kind::Denied, 401) => write!(f, "{who}{host} refused {refused} (401)")?,
            (Kind::Denied, 451) => write!(f, "{who}{host} withholds it for legal reasons (451)")?,
            (Kind::Denied, _) => write!(f, "{who}{host} refused ({status})")?,
            (Kind::RateLimited, _) => write!(f, "{who}{host} limits how much is asked (429)")?,
            (_, 500..=599) => write!(f, "{who}{host} failed ({status})")?,
            _ => write!(f, "{who}{host} answered with status {status}")?,
        }
        if let Some(wait) = self.retry_after {
            write!(f, "; come back in {}", Shown(wait))?;
        }
        if !self.words.is_empty() {
            write!(f, "; it says {}", self.words)?;
        }
        Ok(())
    }
}

impl fmt::Display for UnusableChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match self.faults.as_slice() {
            [] => write!(
                f,
                "{host} refused (401) and did not say how to log in: there is no challenge"
            )?,
            faults => {
                write!(f, "{host} refused (401): ")?;
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                write!(f, "{}", faults.join("; "))?;
            }
        }
        if !self.words.is_empty() {
            write!(f, "; it says {}", self.words)?;
        }
        Ok(())
    }
}

impl ChallengeFault {
    /// True for what is wrong or unsafe, false for what only cannot be satisfied.
    pub(crate) fn is_invalid(&self) -> bool {
        match self {
            // A realm that is no URL cannot be judged, which the safety rules ask for.
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
            ChallengeFault::Malformed(error) => write!(f, "its challenge is malformed ({error})"),
            ChallengeFault::RealmMissing => {
                write!(f, "its Bearer challenge names no realm, so there is no token server to ask")
            }
            ChallengeFault::Realm(realm, error) => {
                write!(f, "the realm {:?} of its challenge cannot be asked: {error}", shown(realm))
            }
            ChallengeFault::Refused(refusal) => write!(f, "{refusal}"),
            ChallengeFault::NoCredentials => {
                write!(f, "it asks for a user name and password, and none are given for it")
            }
            ChallengeFault::Scheme(scheme) => {
                let scheme = shown(scheme);
                write!(f, "it asks for {scheme:?} authentication, which regq does not speak")
            }
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenFault::Json { content_type, words } => {
                write!(f, "did not answer with JSON but with {:?}", shown(content_type))?;
                if words.is_empty() { Ok(()) } else { write!(f, "; it says {words}") }
            }
            TokenFault::Missing => write!(f, "answered without a token"),
            TokenFault::NotPrintable => {
                write!(f, "answered with a token that cannot stand in a header")
            }
        }
    }
}

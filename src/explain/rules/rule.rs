//! Defines what a rule is, and helpers for detecting evidence.
//!
//! A rule has a function that searches an [`Attempt`] for evidence. It returns `None` unless it finds some: unknown
//! facts never count as evidence.

use crate::error::{Error, Refusal};
use crate::explain::attempt::{Attempt, Challenges};
use crate::explain::jwt::PASSWORD_PREFIXES;
use crate::http::challenge::Challenge;
use crate::token::ScopeParts;

/// A cause of failure, and how to detect it.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The name that scripts rely on.
    pub(crate) id: &'static str,
    /// The cause in a few words.
    pub(crate) brief: &'static str,
    /// What to do, as an imperative. `{realm}` and similar placeholders are filled in.
    pub(crate) advice: &'static str,
    pub(crate) remedy: Remedy,
    /// The check that fails.
    pub(crate) check: Check,
    pub(crate) kind: RuleKind,
    pub(crate) detect: fn(&Attempt<'_>) -> Option<Evidence>,
}

/// What a client can do about a finding. Exhaustive, so that a program that suggests commands covers all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The request was wrong: a correct one, such as this library sends, works.
    CorrectRequest,
    /// Log in, or log in as a user with more rights.
    LogIn,
    /// Send a correct request; if that has just been refused, log in.
    CorrectRequestOrLogIn,
    /// Trust the realm's host with the credentials.
    TrustRealm,
    /// Allow connections to private addresses.
    AllowPrivate,
    /// Check how the reference is parsed.
    CheckReference,
    /// Nothing: the registry, its administrator or the network must change.
    Nothing,
}

/// What a rule concludes, and from which attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleKind {
    /// A check of the registry, or a safety check of regq, fails because of this.
    Fault,
    /// A fault that is detected in supplied data only.
    GivenFault,
    /// The final response itself states the cause, so this is decisive whatever else is found.
    Response,
    /// Like `Response`, for supplied data only.
    GivenResponse,
    /// Useful to know, never a cause.
    Note,
    /// A note about supplied data only.
    GivenNote,
}

impl RuleKind {
    pub(crate) fn is_given_only(self) -> bool {
        matches!(self, RuleKind::GivenFault | RuleKind::GivenResponse | RuleKind::GivenNote)
    }

    pub(crate) fn is_note(self) -> bool {
        matches!(self, RuleKind::Note | RuleKind::GivenNote)
    }

    pub(crate) fn is_response(self) -> bool {
        matches!(self, RuleKind::Response | RuleKind::GivenResponse)
    }
}

/// The checks that a request passes, in order. From `Token` to `Access` they are those of distribution's token
/// verification (`registry/auth/token/token.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    /// Before the registry's own checks: rate limits, proxies, broken servers.
    Transport,
    Challenge,
    Realm,
    TokenResponse,
    Token,
    Issuer,
    Audience,
    Times,
    Access,
    /// Whether the manifest exists and can be served.
    Manifest,
    /// All checks passed.
    Passed,
}

/// What a rule detected.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// What was detected, and where.
    pub(crate) text: String,
    /// Whether this is a note here, although the rule's findings are usually causes.
    pub(crate) minor: bool,
}

pub(super) fn evidence(text: impl Into<String>) -> Option<Evidence> {
    Some(Evidence { text: text.into(), minor: false })
}

/// Evidence that is worth a note only.
pub(super) fn minor_evidence(text: impl Into<String>) -> Option<Evidence> {
    Some(Evidence { text: text.into(), minor: true })
}

/// Evidence if a condition holds.
pub(super) fn evidence_if(condition: bool, text: impl Into<String>) -> Option<Evidence> {
    if condition { evidence(text) } else { None }
}

/// The error that ended the walk. If credential lookup failed too, the registry's response counts.
pub(super) fn error<'a>(attempt: &Attempt<'a>) -> Option<&'a Error> {
    match attempt.error? {
        Error::CredentialsUnavailable { response, .. } => Some(response),
        error => Some(error),
    }
}

/// The safety rule that ended the walk.
pub(super) fn refusal<'a>(attempt: &Attempt<'a>) -> Option<&'a Refusal> {
    match error(attempt)? {
        Error::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

/// The prefix that marks the token as a password.
pub(super) fn password_prefix(attempt: &Attempt<'_>) -> Option<&'static str> {
    let text = attempt.token.as_ref()?.secret.expose();
    PASSWORD_PREFIXES.into_iter().find(|prefix| text.starts_with(prefix))
}

/// Whether the challenges offer Basic and nothing else.
pub(super) fn is_basic_only(challenges: &Challenges) -> bool {
    let basic = |one: &Result<Challenge, _>| one.as_ref().is_ok_and(|one| one.scheme() == "basic");
    !challenges.is_empty() && challenges.iter().all(basic)
}

/// A name for the attempt's token request, for evidence.
pub(super) fn request_name(attempt: &Attempt<'_>) -> &'static str {
    if attempt.given { "the token URL" } else { "regq's token request" }
}

/// The repository scopes of the token request.
pub(super) fn requested_scopes<'a>(attempt: &'a Attempt<'_>) -> Vec<ScopeParts<'a>> {
    let scopes = attempt.token_url.as_ref().map(|url| url.scopes()).unwrap_or_default();
    scopes.into_iter().filter(ScopeParts::is_repository).collect()
}

/// The first few values, quoted, separated by commas.
pub(super) fn quoted_list(values: impl Iterator<Item = impl AsRef<str>>) -> String {
    let values: Vec<_> = values.take(5).map(|value| format!("{:?}", value.as_ref())).collect();
    values.join(", ")
}

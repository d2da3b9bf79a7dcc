//! What a rule is, and what its signs are made of.
//!
//! A sign is a function from an attempt to what it saw there; it is silent without evidence.

use crate::error::{Error, Refusal};
use crate::explain::attempt::{Attempt, Challenges};
use crate::explain::jwt::PASSWORDS;
use crate::explain::token_url::Scope;
use crate::http::challenge::Challenge;

/// A cause of failure.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    /// In a few words.
    pub(crate) brief: &'static str,
    /// What to do; `{realm}` and its like are filled in.
    pub(crate) advice: &'static str,
    pub(crate) check: Check,
    pub(crate) kind: RuleKind,
    pub(crate) sees: fn(&Attempt<'_>) -> Option<Sign>,
}

/// What a rule may say, and of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleKind {
    /// A check of the registry, or of regq on its behalf, fails for this.
    Fault,
    /// The same, judged on given pieces only.
    GivenFault,
    /// It is said by the last answer itself, so it decides whatever else is found.
    Answer,
    /// The same, judged on given pieces only.
    GivenAnswer,
    /// Good to know.
    Note,
    /// The same, judged on given pieces only.
    GivenNote,
}

impl RuleKind {
    pub(crate) fn is_given_only(self) -> bool {
        matches!(self, RuleKind::GivenFault | RuleKind::GivenAnswer | RuleKind::GivenNote)
    }

    pub(crate) fn is_note(self) -> bool {
        matches!(self, RuleKind::Note | RuleKind::GivenNote)
    }

    pub(crate) fn is_answer(self) -> bool {
        matches!(self, RuleKind::Answer | RuleKind::GivenAnswer)
    }
}

/// The checks that stand between a question and its answer, in the order in which they are made
/// (distribution's token verification, `registry/auth/token/token.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    /// Before any of them: limits, proxies, broken servers.
    Door,
    Challenge,
    Realm,
    TokenAnswer,
    Token,
    Issuer,
    Audience,
    Times,
    Access,
    /// The question itself.
    Question,
    /// All passed.
    Passed,
}

/// What was seen, and where.
#[derive(Debug)]
pub(crate) struct Sign {
    pub(crate) evidence: String,
    /// True when it is no more than good to know here.
    pub(crate) slight: bool,
}

pub(super) fn seen(evidence: String) -> Option<Sign> {
    Some(Sign { evidence, slight: false })
}

pub(super) fn slightly(evidence: String) -> Option<Sign> {
    Some(Sign { evidence, slight: true })
}

/// The error that ended a walk, without the trouble with credentials around it.
pub(super) fn error<'a>(attempt: &Attempt<'a>) -> Option<&'a Error> {
    match attempt.error? {
        Error::CredentialsUnavailable { response, .. } => Some(response),
        error => Some(error),
    }
}

/// The safety rule that ended a walk.
pub(super) fn refusal<'a>(attempt: &Attempt<'a>) -> Option<&'a Refusal> {
    match error(attempt)? {
        Error::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

/// The beginning of the token that says that it is a password.
pub(super) fn password_prefix(attempt: &Attempt<'_>) -> Option<&'static str> {
    let text = attempt.token.as_ref()?.secret.expose();
    PASSWORDS.into_iter().find(|prefix| text.starts_with(prefix))
}

/// True for challenges that offer Basic and nothing else.
pub(super) fn is_basic(challenges: &Challenges) -> bool {
    let basic = |one: &Result<Challenge, _>| one.as_ref().is_ok_and(|one| one.scheme() == "basic");
    !challenges.is_empty() && challenges.iter().all(basic)
}

/// Whose token request it is, for evidence.
pub(super) fn asker(attempt: &Attempt<'_>) -> &'static str {
    if attempt.given { "the token URL" } else { "regq's token request" }
}

/// The scopes of repositories in the token request.
pub(super) fn asked_scopes<'a>(attempt: &'a Attempt<'_>) -> Vec<Scope<'a>> {
    let scopes = attempt.asked.as_ref().map(|asked| asked.scopes()).unwrap_or_default();
    scopes.into_iter().filter(Scope::is_repository).collect()
}

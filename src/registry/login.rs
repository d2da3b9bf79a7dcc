//! What to do with a 401: which challenge is acted upon, with what, and which never.
//!
//! [`plan`] is pure: challenges and circumstances in, a plan out. Carrying it out is the exchange's work.

use super::config::Config;
use super::trust;
use crate::challenge::{Challenge, ChallengeError};
use crate::credentials::{Credential, Secret};
use crate::error::{ChallengeFault, Error, Identity, Refusal, UnusableChallenge};
use crate::oci::Words;
use crate::token::{Asked, TokenRequest};
use crate::url::{Scheme, Url, literal_address};

/// What goes into `Authorization`, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    /// The header's value.
    pub(super) header: Secret,
    /// Who it says is asking.
    pub(super) identity: Identity,
    /// What the token was asked for; `None` when it is no token.
    pub(super) asked: Option<Asked>,
}

impl Authorization {
    /// Basic credentials for the registry itself.
    pub(super) fn basic(credential: &Credential) -> Authorization {
        let identity = Identity::User(credential.user().to_owned());
        Authorization { header: credential.basic(), identity, asked: None }
    }

    /// A token that was got for a request.
    pub(super) fn bearer(
        token: &Secret,
        request: &TokenRequest,
        credential: Option<&Credential>,
    ) -> Authorization {
        let identity = match credential {
            Some(credential) => Identity::User(credential.user().to_owned()),
            None => Identity::AnonymousToken,
        };
        let header = Secret::new(format!("Bearer {}", token.expose()));
        Authorization { header, identity, asked: Some(request.asked().clone()) }
    }
}

/// What a 401's challenges allow.
#[derive(Debug)]
pub(super) struct Plan {
    /// The token to ask for: the first Bearer challenge that may be acted upon.
    pub(super) token: Option<TokenRequest>,
    /// True when Basic credentials may be sent to the host that answered.
    pub(super) basic: bool,
    /// What stands against the other challenges.
    pub(super) faults: Vec<ChallengeFault>,
}

/// Judges the challenges of a 401 that came from `answered`.
pub(super) fn plan(
    challenges: Vec<Result<Challenge, ChallengeError>>,
    answered: &Url,
    repository: &str,
    credential: Option<&Credential>,
    config: &Config,
) -> Plan {
    let mut plan = Plan { token: None, basic: false, faults: Vec::new() };
    for challenge in challenges {
        let fault = match challenge {
            Err(error) => Some(ChallengeFault::Malformed(error)),
            Ok(challenge) => match challenge.scheme() {
                "bearer" => match bearer(&challenge, answered, repository, credential, config) {
                    Ok(token) => {
                        plan.token.get_or_insert(token);
                        None
                    }
                    Err(fault) => Some(fault),
                },
                "basic" => match basic(answered, credential, config) {
                    Ok(()) => {
                        plan.basic = true;
                        None
                    }
                    Err(fault) => Some(fault),
                },
                other => Some(ChallengeFault::Scheme(other.to_owned())),
            },
        };
        plan.faults.extend(fault);
    }
    plan
}

fn bearer(
    challenge: &Challenge,
    answered: &Url,
    repository: &str,
    credential: Option<&Credential>,
    config: &Config,
) -> Result<TokenRequest, ChallengeFault> {
    let token = TokenRequest::new(challenge, answered, repository)?;
    let realm = token.url();
    if token.scheme() < answered.scheme() {
        let (from, to) = (answered.origin().authority(), realm.origin().to_string());
        return Err(ChallengeFault::Refused(Refusal::PlainHttp { from, to }));
    }
    if credential.is_some() {
        if !trust::belongs(answered.host(), realm.host()) && !config.trusts(realm.host()) {
            let (registry, realm) = (answered.host().to_owned(), realm.host().to_owned());
            return Err(ChallengeFault::Refused(Refusal::RealmUntrusted { registry, realm }));
        }
        in_the_open(realm, config)?;
    }
    Ok(token)
}

fn basic(
    answered: &Url,
    credential: Option<&Credential>,
    config: &Config,
) -> Result<(), ChallengeFault> {
    match credential {
        Some(_) => in_the_open(answered, config),
        None => Err(ChallengeFault::NoCredentials),
    }
}

/// Credentials go over https, to this machine, or over http when the user said so.
fn in_the_open(url: &Url, config: &Config) -> Result<(), ChallengeFault> {
    if url.scheme() == Scheme::Https || config.plain_http || is_loopback(url.host()) {
        return Ok(());
    }
    let host = url.host().to_owned();
    Err(ChallengeFault::Refused(Refusal::CredentialsInTheClear { host }))
}

fn is_loopback(host: &str) -> bool {
    let name = host == "localhost" || host.ends_with(".localhost");
    name || literal_address(host).is_some_and(|address| address.is_loopback())
}

/// The error for a 401 whose challenges lead nowhere.
pub(super) fn unusable(host: String, mut faults: Vec<ChallengeFault>, words: Words) -> Error {
    let refused = |fault: &ChallengeFault| matches!(fault, ChallengeFault::Refused(_));
    match faults.iter().position(refused).map(|at| faults.swap_remove(at)) {
        Some(ChallengeFault::Refused(refusal)) => refusal.into(),
        _ => Error::Challenge(Box::new(UnusableChallenge { host, faults, words })),
    }
}

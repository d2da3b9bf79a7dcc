//! What to do with a 401: which challenge is acted upon, with what, and which never.
//!
//! [`plan`] is pure: challenges and circumstances in, a plan out. Carrying it out is the exchange's work.

use crate::credentials::{Credential, Found, Secret};
use crate::error::{ChallengeFault, CredentialForm, Error, Identity, Refusal, UnusableChallenge};
use crate::http::challenge::{Challenge, ChallengeError};
use crate::oci::ErrorBody;
use crate::registry::realm_trust;
use crate::registry::settings::Config;
use crate::token::{Asked, TokenRequest};
use crate::url::{Scheme, Url, is_loopback};

/// What goes into `Authorization`, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    /// The header's value.
    pub(super) header: Secret,
    /// Who it says is asking.
    pub(super) identity: Identity,
    /// What the token was asked for; `None` when it is no token.
    pub(super) asked: Option<Asked>,
    /// What of it may not be repeated.
    pub(super) secrets: Vec<Secret>,
}

impl Authorization {
    /// Basic credentials for the registry itself, where there is a password.
    pub(super) fn basic(found: &Found) -> Option<Authorization> {
        let header = found.credential.as_password()?.basic();
        let secrets = found.credential.secrets();
        Some(Authorization { header, identity: identity(found), asked: None, secrets })
    }

    /// A ready token, where that is what there is.
    pub(super) fn ready(found: &Found) -> Option<Authorization> {
        let Credential::Token(token) = &found.credential else { return None };
        let secrets = found.credential.secrets();
        Some(Authorization {
            header: in_bearer(token),
            identity: identity(found),
            asked: None,
            secrets,
        })
    }

    /// A token that was got for a request.
    pub(super) fn bearer(
        token: &Secret,
        request: &TokenRequest,
        found: Option<&Found>,
    ) -> Authorization {
        let identity = found.map_or(Identity::AnonymousToken, identity);
        let asked = Some(request.asked().clone());
        // A registry may be its own token server, and repeat what it was sent there.
        let sent = found.map(|found| found.credential.secrets()).unwrap_or_default();
        let secrets = sent.into_iter().chain([token.clone()]).collect();
        Authorization { header: in_bearer(token), identity, asked, secrets }
    }
}

fn in_bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// What is said of a credential.
pub(super) fn identity(found: &Found) -> Identity {
    let form = match &found.credential {
        Credential::Password(_) => CredentialForm::Password,
        Credential::IdentityToken { .. } => CredentialForm::IdentityToken,
        Credential::Token(_) => CredentialForm::Token,
    };
    let user = found.credential.user().map(str::to_owned);
    Identity::Credential { form, user, source: found.place.clone() }
}

/// What a 401's challenges allow.
#[derive(Debug)]
pub(super) struct Plan {
    /// The token to ask for: the first Bearer challenge that may be acted upon.
    pub(super) token: Option<TokenRequest>,
    /// True when Basic credentials may be sent to the host that answered.
    pub(super) basic: bool,
    /// True when a ready token may be sent to it.
    pub(super) ready: bool,
    /// What stands against the other challenges.
    pub(super) faults: Vec<ChallengeFault>,
}

/// Judges the challenges of a 401 that came from `answered`.
pub(super) fn plan(
    challenges: Vec<Result<Challenge, ChallengeError>>,
    answered: &Url,
    repository: Option<&str>,
    credential: Option<&Credential>,
    config: &Config,
) -> Plan {
    let mut plan = Plan { token: None, basic: false, ready: false, faults: Vec::new() };
    if let Some(Credential::Token(_)) = credential {
        // No other token is fetched in its place.
        match check_not_cleartext(answered, config) {
            Ok(()) => plan.ready = true,
            Err(refusal) => {
                let faults = vec![ChallengeFault::Refused(refusal)];
                return Plan { faults, ..plan };
            }
        }
    }
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
    repository: Option<&str>,
    credential: Option<&Credential>,
    config: &Config,
) -> Result<TokenRequest, ChallengeFault> {
    let token = TokenRequest::new(challenge, answered, repository)?;
    let realm = token.realm();
    if realm.scheme() < answered.scheme() {
        let (from, to) = (answered.origin().authority(), realm.origin().to_string());
        return Err(ChallengeFault::Refused(Refusal::PlainHttp { from, to }));
    }
    if credential.is_some() {
        if !realm_trust::realm_is_trusted(answered.host(), realm.host())
            && !config.trusts(realm.host())
        {
            let (registry, realm) = (answered.host().to_owned(), realm.host().to_owned());
            return Err(ChallengeFault::Refused(Refusal::RealmUntrusted { registry, realm }));
        }
        check_not_cleartext(realm, config).map_err(ChallengeFault::Refused)?;
    }
    Ok(token)
}

fn basic(
    answered: &Url,
    credential: Option<&Credential>,
    config: &Config,
) -> Result<(), ChallengeFault> {
    match credential.and_then(Credential::as_password) {
        Some(_) => check_not_cleartext(answered, config).map_err(ChallengeFault::Refused),
        None => Err(ChallengeFault::NoCredentials),
    }
}

/// Credentials go over https, to this machine, or over http when the user said so.
fn check_not_cleartext(url: &Url, config: &Config) -> Result<(), Refusal> {
    if url.scheme() == Scheme::Https || config.plain_http || is_loopback(url.host()) {
        return Ok(());
    }
    Err(Refusal::CredentialsInTheClear { host: url.host().to_owned() })
}

/// The error for a 401 whose challenges lead nowhere.
pub(super) fn unusable(host: String, mut faults: Vec<ChallengeFault>, words: ErrorBody) -> Error {
    let refused = |fault: &ChallengeFault| matches!(fault, ChallengeFault::Refused(_));
    match faults.iter().position(refused).map(|at| faults.swap_remove(at)) {
        Some(ChallengeFault::Refused(refusal)) => refusal.into(),
        _ => Error::Challenge(Box::new(UnusableChallenge { host, faults, body: words })),
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Credential, Plan, Secret, Url, plan};
    use crate::error::{ChallengeFault, Refusal};
    use crate::http::challenge;

    /// What is done with a ready token where this answers.
    fn with_token(answered: &str, config: &Config) -> Option<Plan> {
        let credential = Credential::Token(Secret::new("t"));
        let line: &[u8] = b"Bearer realm=\"https://auth.example/token\", Basic realm=x";
        let challenges = challenge::parse([line]);
        let url = Url::parse(answered).ok()?;
        Some(plan(challenges, &url, Some("team/app"), Some(&credential), config))
    }

    #[test]
    fn a_ready_token_is_not_sent_in_the_clear() {
        let mut config = Config::default();
        for open in ["https://registry.example/v2/", "http://127.0.0.1:5000/", "http://localhost/"]
        {
            assert!(with_token(open, &config).is_some_and(|plan| plan.ready), "{open}");
        }
        let refused = with_token("http://registry.example/v2/", &config);
        assert!(refused.is_some_and(|plan| {
            let [ChallengeFault::Refused(Refusal::CredentialsInTheClear { host })] =
                plan.faults.as_slice()
            else {
                return false;
            };
            // Nor is another token fetched.
            host == "registry.example" && !plan.ready && plan.token.is_none() && !plan.basic
        }));
        config.plain_http = true;
        let plan = with_token("http://registry.example/v2/", &config);
        assert!(plan.is_some_and(|plan| plan.ready));
    }

    /// Whether credentials are sent for this challenge of a host, and whether it is said why not.
    fn judged(from: &str, line: &str, plain_http: bool) -> Option<(bool, bool)> {
        let config = Config { plain_http, ..Config::default() };
        let credential = Credential::password("ada", Secret::new("secret")).ok()?;
        let answered = Url::parse(from).ok()?;
        let challenges = challenge::parse([line.as_bytes()]);
        let Plan { token, basic, ready: _, faults } =
            plan(challenges, &answered, Some("team/app"), Some(&credential), &config);
        let refused = |fault: &ChallengeFault| {
            matches!(fault, ChallengeFault::Refused(Refusal::CredentialsInTheClear { .. }))
        };
        Some((basic || token.is_some(), faults.iter().any(refused)))
    }

    #[test]
    fn credentials_go_in_the_clear_only_where_the_user_said_so_and_on_this_machine() {
        for (from, plain_http, allowed) in [
            ("https://registry.example/v2/", false, true),
            ("http://registry.example/v2/", false, false),
            ("http://registry.example/v2/", true, true),
            ("http://192.0.2.1:5000/v2/", false, false),
            ("http://127.0.0.1.example/v2/", false, false),
            ("http://localhost.example:5000/v2/", false, false),
            ("http://localhost:5000/v2/", false, true),
            ("http://registry.localhost:5000/v2/", false, true),
            ("http://127.0.0.1:5000/v2/", false, true),
            ("http://[::1]:5000/v2/", false, true),
        ] {
            for line in [r#"Basic realm="a""#, r#"Bearer realm="/token",service="s",scope="x""#] {
                let due = Some((allowed, !allowed));
                assert_eq!(judged(from, line, plain_http), due, "{from}: {line}");
            }
        }
    }
}

//! Decides which challenges of a 401 may be used, and with which credential.
//!
//! [`plan`] is pure. It keeps the promises of SECURITY.md: a credential is never sent to a realm that does not
//! belong to the registry, nor over plain http unless the user allowed it.

use crate::credentials::Credential;
use crate::error::{ChallengeFault, Error, Refusal, UnusableChallenge};
use crate::http::challenge::{Challenge, ChallengeError};
use crate::oci::ErrorBody;
use crate::registry::realm_trust;
use crate::registry::settings::Config;
use crate::token::TokenRequest;
use crate::url::{Scheme, Url, is_loopback};

/// What the challenges of a 401 allow.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The token to request: that of the first usable Bearer challenge.
    pub(super) token: Option<TokenRequest>,
    /// Whether a user name and password may be sent to the host that challenged.
    pub(super) basic: bool,
    /// Whether a ready token may be sent to the host that challenged.
    pub(super) ready: bool,
    /// Why the other challenges cannot be used.
    pub(super) faults: Vec<ChallengeFault>,
}

/// Plans for the challenges of a 401 from the URL `challenged`, given the user's credential for it.
pub(super) fn plan(
    challenges: Vec<Result<Challenge, ChallengeError>>,
    challenged: &Url,
    repository: Option<&str>,
    credential: Option<&Credential>,
    config: &Config,
) -> Plan {
    let mut plan = Plan::default();
    if let Some(Credential::Token(_)) = credential {
        // A ready token is used instead of fetching one.
        match check_not_cleartext(challenged, config) {
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
                "bearer" => match bearer(&challenge, challenged, repository, credential, config) {
                    Ok(token) => {
                        plan.token.get_or_insert(token);
                        None
                    }
                    Err(fault) => Some(fault),
                },
                "basic" => match basic(challenged, credential, config) {
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
    challenged: &Url,
    repository: Option<&str>,
    credential: Option<&Credential>,
    config: &Config,
) -> Result<TokenRequest, ChallengeFault> {
    let token = TokenRequest::new(challenge, challenged, repository)?;
    let realm = token.realm();
    if realm.scheme() < challenged.scheme() {
        let (from, to) = (challenged.origin().authority(), realm.origin().to_string());
        return Err(ChallengeFault::Refused(Refusal::PlainHttp { from, to }));
    }
    if credential.is_some() {
        if !realm_trust::realm_is_trusted(challenged.host(), realm.host())
            && !config.trusts(realm.host())
        {
            let (registry, realm) = (challenged.host().to_owned(), realm.host().to_owned());
            return Err(ChallengeFault::Refused(Refusal::RealmUntrusted { registry, realm }));
        }
        check_not_cleartext(realm, config).map_err(ChallengeFault::Refused)?;
    }
    Ok(token)
}

fn basic(
    challenged: &Url,
    credential: Option<&Credential>,
    config: &Config,
) -> Result<(), ChallengeFault> {
    match credential.and_then(Credential::as_password) {
        Some(_) => check_not_cleartext(challenged, config).map_err(ChallengeFault::Refused),
        None => Err(ChallengeFault::NoCredentials),
    }
}

/// Checks that a credential may be sent to a URL: over https, to this machine, or over plain http if the user allowed it.
fn check_not_cleartext(url: &Url, config: &Config) -> Result<(), Refusal> {
    if url.scheme() == Scheme::Https || config.plain_http || is_loopback(url.host()) {
        return Ok(());
    }
    Err(Refusal::CredentialsInTheClear { host: url.host().to_owned() })
}

/// The error for a 401 without a usable challenge. A challenge that a safety rule forbids is reported first.
pub(super) fn unusable(host: String, mut faults: Vec<ChallengeFault>, body: ErrorBody) -> Error {
    let refused = |fault: &ChallengeFault| matches!(fault, ChallengeFault::Refused(_));
    match faults.iter().position(refused).map(|at| faults.swap_remove(at)) {
        Some(ChallengeFault::Refused(refusal)) => refusal.into(),
        _ => Error::Challenge(Box::new(UnusableChallenge { host, faults, body })),
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Credential, Plan, Url, plan};
    use crate::credentials::Secret;
    use crate::error::{ChallengeFault, Refusal};
    use crate::http::challenge;

    /// The plan for a ready token and a 401 from this URL.
    fn with_token(challenged: &str, config: &Config) -> Option<Plan> {
        let credential = Credential::Token(Secret::new("t"));
        let line: &[u8] = b"Bearer realm=\"https://auth.example/token\", Basic realm=x";
        let challenges = challenge::parse([line]);
        let url = Url::parse(challenged).ok()?;
        Some(plan(challenges, &url, Some("team/app"), Some(&credential), config))
    }

    #[test]
    fn a_ready_token_is_not_sent_in_plain_http() {
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
            // No other token is fetched, either.
            host == "registry.example" && !plan.ready && plan.token.is_none() && !plan.basic
        }));
        config.plain_http = true;
        let plan = with_token("http://registry.example/v2/", &config);
        assert!(plan.is_some_and(|plan| plan.ready));
    }

    /// Whether credentials are sent for this challenge, and whether the plan refuses to send them over plain http.
    fn planned(from: &str, line: &str, plain_http: bool) -> Option<(bool, bool)> {
        let config = Config { plain_http, ..Config::default() };
        let credential = Credential::password("ada", Secret::new("secret")).ok()?;
        let challenged = Url::parse(from).ok()?;
        let challenges = challenge::parse([line.as_bytes()]);
        let Plan { token, basic, ready: _, faults } =
            plan(challenges, &challenged, Some("team/app"), Some(&credential), &config);
        let refused = |fault: &ChallengeFault| {
            matches!(fault, ChallengeFault::Refused(Refusal::CredentialsInTheClear { .. }))
        };
        Some((basic || token.is_some(), faults.iter().any(refused)))
    }

    #[test]
    fn credentials_are_sent_in_plain_http_only_to_this_machine_or_if_allowed() {
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
                let expected = Some((allowed, !allowed));
                assert_eq!(planned(from, line, plain_http), expected, "{from}: {line}");
            }
        }
    }
}

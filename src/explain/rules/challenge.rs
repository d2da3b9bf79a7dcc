//! Rules about the first response and its challenge: whether a registry responds, whether its challenge is usable, and
//! whether its realm may be contacted.

use crate::error::{Error, Refusal};
use crate::explain::attempt::{Attempt, Challenges};
use crate::explain::recording::{Authorization, is_page};
use crate::explain::rules::rule::{
    Check, Evidence, Remedy, Rule, RuleKind, error, evidence, evidence_if, is_basic_only,
    minor_evidence, refusal,
};
use crate::http::challenge::Challenge;
use crate::reference::docker_hub;
use crate::registry::realm_is_trusted;
use crate::token::ScopeParts;
use crate::transport::AddressScope;
use crate::url::{Scheme, Url, excerpt, is_localhost, literal_address};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "not-a-registry",
        brief: "the response is not from a registry",
        advice: "check the host name, and whether a proxy or a login page intercepts the request",
        remedy: Remedy::Nothing,
        check: Check::Transport,
        kind: RuleKind::Response,
        detect: not_a_registry,
    },
    Rule {
        id: "challenge-missing",
        brief: "the registry does not say how to log in",
        advice: "request {registry}/v2/ without a proxy, which may remove WWW-Authenticate; if it is missing there too, \
                 the registry is misconfigured",
        remedy: Remedy::Nothing,
        check: Check::Challenge,
        kind: RuleKind::Fault,
        detect: missing,
    },
    Rule {
        id: "proxy-auth-required",
        brief: "a proxy requires a login",
        advice: "give the proxy its credentials, or exempt {registry} from it (NO_PROXY)",
        remedy: Remedy::Nothing,
        check: Check::Transport,
        kind: RuleKind::Response,
        detect: proxy,
    },
    Rule {
        id: "basic-only",
        brief: "the registry requires a user name and password",
        advice: "log in: this registry has no token server (on Amazon ECR the user is AWS and the password lasts \
                 12 hours)",
        remedy: Remedy::LogIn,
        check: Check::Challenge,
        kind: RuleKind::Fault,
        detect: basic_only,
    },
    Rule {
        id: "challenge-malformed",
        brief: "the challenge is malformed",
        advice: "report the header to the registry's administrator, unless a proxy changed it",
        remedy: Remedy::Nothing,
        check: Check::Challenge,
        kind: RuleKind::Fault,
        detect: malformed,
    },
    Rule {
        id: "realm-missing",
        brief: "the challenge names no token server",
        advice: "report it to the registry's administrator: a client cannot work around a missing realm",
        remedy: Remedy::Nothing,
        check: Check::Challenge,
        kind: RuleKind::Fault,
        detect: realm_missing,
    },
    Rule {
        id: "realm-not-absolute",
        brief: "the realm is not an absolute URL",
        advice: "configure a realm with a scheme and host, and without a user name: most clients cannot use this one",
        remedy: Remedy::CorrectRequest,
        check: Check::Challenge,
        kind: RuleKind::Fault,
        detect: realm_not_absolute,
    },
    Rule {
        id: "realm-plain-http",
        brief: "an HTTPS registry names a token server on plain HTTP",
        advice: "correct the registry's external URL or X-Forwarded-Proto; until then regq refuses to log in, because \
                 the connection may be intercepted",
        remedy: Remedy::Nothing,
        check: Check::Realm,
        kind: RuleKind::Fault,
        detect: realm_plain_http,
    },
    Rule {
        id: "realm-private-address",
        brief: "the token server has a private address",
        advice: "correct the registry's external URL, which exposes an internal address; if the address is right, allow \
                 private addresses",
        remedy: Remedy::AllowPrivate,
        check: Check::Realm,
        kind: RuleKind::Fault,
        detect: realm_private,
    },
    Rule {
        id: "realm-unreachable",
        brief: "the token server cannot be reached",
        advice: "allow connections to {realm}: the registry itself responds",
        remedy: Remedy::Nothing,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: realm_unreachable,
    },
    Rule {
        id: "realm-untrusted",
        brief: "the token server is not known to belong to the registry",
        advice: "trust the realm's host if {realm} belongs to {registry}; if not, do not log in: it may be trying to \
                 steal the credentials",
        remedy: Remedy::TrustRealm,
        check: Check::Realm,
        kind: RuleKind::Fault,
        detect: realm_untrusted,
    },
    Rule {
        id: "scope-other-repository",
        brief: "the challenge is for another repository",
        advice: "use the name in the challenge: a proxy may add a prefix or rewrite paths",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: scope_other,
    },
];

fn not_a_registry(attempt: &Attempt<'_>) -> Option<Evidence> {
    let last = &attempt.last;
    let status = last.status.filter(|status| (200..300).contains(status))?;
    let is_page = match last.response {
        Some(response) => response.is_page() && !response.has_api_version,
        None => is_page(last.body.as_deref()?),
    };
    // The response to a HEAD has no body to quote.
    let body =
        if last.error_body.is_empty() { String::new() } else { format!(": {}", last.error_body) };
    evidence_if(is_page, format!("the response ({status}) is a web page{body}"))
}

/// The challenges of the 401 that starts a login: not those of a response to a token.
fn initial_challenges<'a>(attempt: &'a Attempt<'_>) -> Option<&'a Challenges> {
    // Clients ignore challenges in responses other than 401.
    let not_401 = attempt.last.status.is_some_and(|status| status != 401);
    if attempt.given && (attempt.last.token_sent || not_401) {
        return None;
    }
    attempt.challenges.as_ref()
}

fn missing(attempt: &Attempt<'_>) -> Option<Evidence> {
    let last = &attempt.last;
    let no_challenge = initial_challenges(attempt)?.is_empty();
    let refused = last.status == Some(401) && !last.token_sent;
    evidence_if(no_challenge && refused, "the response is 401 without a WWW-Authenticate header")
}

fn proxy(attempt: &Attempt<'_>) -> Option<Evidence> {
    if attempt.last.status == Some(407) {
        return evidence("the response is 407");
    }
    let challenges = attempt.challenges.as_ref().filter(|challenges| !challenges.is_empty())?;
    let windows = |challenge: &Result<Challenge, _>| {
        challenge
            .as_ref()
            .is_ok_and(|one| matches!(one.scheme(), "negotiate" | "ntlm" | "kerberos"))
    };
    let schemes: Vec<_> = attempt.parsed_challenges().map(Challenge::scheme).collect();
    let text = format!("the challenge offers only {}", schemes.join(", "));
    evidence_if(challenges.iter().all(windows), text)
}

fn offers_basic(attempt: &Attempt<'_>) -> bool {
    attempt.parsed_challenges().any(|challenge| challenge.scheme() == "basic")
}

fn basic_only(attempt: &Attempt<'_>) -> Option<Evidence> {
    if attempt.earlier_refusal().is_some() {
        return None;
    }
    let challenges = initial_challenges(attempt)?;
    // A Bearer challenge without a realm is unusable.
    let usable = |challenge: &&Result<Challenge, _>| {
        let realm = |one: &Challenge| one.param("realm").is_some_and(|realm| !realm.is_empty());
        challenge.as_ref().is_ok_and(|one| one.scheme() != "bearer" || realm(one))
    };
    let usable: Challenges = challenges.iter().filter(usable).cloned().collect();
    let last = attempt.last.exchange;
    let anonymous =
        last.is_none_or(|exchange| matches!(exchange.authorization, Authorization::None));
    let realm = attempt.parsed_challenges().find_map(|one| one.param("realm")).unwrap_or_default();
    let text = format!("the challenge offers only Basic, realm {realm:?}");
    evidence_if(is_basic_only(&usable) && anonymous, text)
}

fn malformed(attempt: &Attempt<'_>) -> Option<Evidence> {
    let fault = attempt.challenges.iter().flatten().find_map(|one| one.as_ref().err())?;
    let index = fault.line.checked_sub(1)?;
    let line = attempt.lines.get(index).map(|line| String::from_utf8_lossy(line));
    let line = line.unwrap_or_default();
    let (code, at) = (&fault.code, fault.at);
    let text = format!("{code} at byte {at} of line {} of the challenge: {line}", fault.line);
    // Another challenge is usable.
    if attempt.challenge_param("realm").is_some() { minor_evidence(text) } else { evidence(text) }
}

fn realm_missing(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = match attempt.bearer()?.param("realm") {
        Some(realm) if !realm.is_empty() => return None,
        Some(_) => "the Bearer challenge has an empty realm",
        None => "the Bearer challenge has no realm",
    };
    // A password can be used instead.
    if offers_basic(attempt) { minor_evidence(text) } else { evidence(text) }
}

fn realm_not_absolute(attempt: &Attempt<'_>) -> Option<Evidence> {
    let realm = attempt.challenge_param("realm")?;
    let Err(error) = Url::parse(realm) else { return None };
    let realm = excerpt(realm);
    match attempt.realm() {
        Some(url) if attempt.source.is_some() => evidence(format!(
            "realm: {realm:?}, resolved against the registry's URL: {}",
            url.redacted()
        )),
        _ => evidence(format!("realm: {realm:?}: {error}")),
    }
}

fn realm_plain_http(attempt: &Attempt<'_>) -> Option<Evidence> {
    let realm = attempt.realm()?;
    let plain_http = attempt.https()? && realm.scheme() == Scheme::Http;
    evidence_if(plain_http, format!("realm: {}", realm.redacted()))
}

fn realm_private(attempt: &Attempt<'_>) -> Option<Evidence> {
    if !attempt.given {
        return match refusal(attempt)? {
            Refusal::PrivateAddress { host, address }
                if attempt.realm().is_some_and(|realm| realm.host() == host) =>
            {
                evidence(format!("the realm's host {host} has the address {address}"))
            }
            _ => None,
        };
    }
    let realm = attempt.realm()?;
    let source = attempt.source.as_ref()?;
    let registry = match scope_of_literal(source.url.host()) {
        Some(scope) => scope,
        None => {
            let known = source.addresses.iter().map(|address| AddressScope::of(*address)).max();
            known.or_else(|| looks_public(source.url.host()).then_some(AddressScope::Public))?
        }
    };
    let text = format!(
        "the realm's host {} is more private than the registry's host {}",
        realm.host(),
        source.url.host()
    );
    evidence_if(scope_of_literal(realm.host())? > registry, text)
}

/// The scope of a host that is an address or `localhost`.
fn scope_of_literal(host: &str) -> Option<AddressScope> {
    if is_localhost(host) {
        Some(AddressScope::Loopback)
    } else {
        literal_address(host).map(AddressScope::of)
    }
}

/// Whether a host name is probably in the public DNS.
fn looks_public(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let own = [
        "local",
        "localdomain",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "arpa",
        "test",
        "svc",
    ];
    host.contains('.') && !own.contains(&last)
}

fn realm_unreachable(attempt: &Attempt<'_>) -> Option<Evidence> {
    let exchange = attempt.token_exchange.filter(|exchange| exchange.response.is_none())?;
    match error(attempt)? {
        Error::Connection(fault) => evidence(fault.to_string()),
        error @ Error::Deadline { .. } => {
            evidence(format!("{}: {error}", exchange.url.origin().authority()))
        }
        _ => None,
    }
}

fn realm_untrusted(attempt: &Attempt<'_>) -> Option<Evidence> {
    if attempt.given {
        // The token URL names a user, so credentials were probably sent.
        let (realm, source) = (attempt.realm()?, attempt.source.as_ref()?);
        let user = attempt.user()?;
        let (host, registry) = (realm.host(), source.url.host());
        let text = format!(
            "realm: {host}, registry: {registry}, and the token URL names the user {user:?}"
        );
        return evidence_if(!realm_is_trusted(registry, host), text);
    }
    match refusal(attempt)? {
        Refusal::RealmUntrusted { registry, realm } => {
            evidence(format!("realm: {realm}, registry: {registry}"))
        }
        _ => None,
    }
}

fn scope_other(attempt: &Attempt<'_>) -> Option<Evidence> {
    let repository = attempt.repository()?;
    let scopes = attempt.challenge_scopes();
    let hub = attempt.is_docker_hub();
    // Some registries prefix the name with their own host.
    let host = attempt.reference?.registry().name();
    let without_host =
        |name: &str| name.strip_prefix(host.as_str())?.strip_prefix('/').map(str::to_owned);
    let same = |scope: &ScopeParts<'_>| {
        scope.name == repository
            || without_host(scope.name).as_deref() == Some(repository)
            || (hub && repository.strip_prefix(docker_hub::LIBRARY_PREFIX) == Some(scope.name))
    };
    let first = scopes.first().filter(|scope| !scope.name.is_empty())?;
    let text = format!("challenge: {:?}, requested: {repository:?}", first.name);
    evidence_if(!scopes.iter().any(same), text)
}

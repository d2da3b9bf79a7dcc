//! Rules about the token request: whether it matches the challenge, and whether it means what its author intended.

use crate::explain::attempt::Attempt;
use crate::explain::rules::rule::{
    Check, Evidence, Remedy, Rule, RuleKind, evidence, evidence_if, request_name, requested_scopes,
};
use crate::reference::docker_hub;
use crate::token::ScopeParts;
use crate::url::Url;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "url-html-escaped",
        brief: "the token URL is escaped for HTML",
        advice: "replace &amp; with &",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: html_escaped,
    },
    Rule {
        id: "service-mismatch",
        brief: "the token was requested for a different service",
        advice: "use service={service}, exactly as in the challenge",
        remedy: Remedy::CorrectRequest,
        check: Check::Audience,
        kind: RuleKind::GivenFault,
        detect: service,
    },
    Rule {
        id: "token-url-not-realm",
        brief: "the token was requested from a different token server",
        advice: "use the challenge's realm: {realm}",
        remedy: Remedy::CorrectRequest,
        check: Check::Issuer,
        kind: RuleKind::GivenFault,
        detect: not_realm,
    },
    Rule {
        id: "scope-lost-in-shell",
        brief: "the shell cut the URL off at an unquoted &",
        advice: "put the URL in single quotes",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: lost_in_shell,
    },
    Rule {
        id: "library-prefix-missing",
        brief: "the name lacks library/",
        advice: "use {repository}",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: library,
    },
    Rule {
        id: "scope-has-registry-host",
        brief: "the scope contains the registry's host",
        advice: "use scope={scope}, without the host",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: host,
    },
    Rule {
        id: "scope-has-tag",
        brief: "the scope contains a tag or digest",
        advice: "use scope={scope}: tokens are for whole repositories",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: tag,
    },
    Rule {
        id: "scope-double-encoded",
        brief: "the scope is percent-encoded twice",
        advice: "encode it once, or not at all: scope={scope}",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: encoded_twice,
    },
    Rule {
        id: "scope-bad-joiner",
        brief: "two scopes are joined by a comma or semicolon",
        advice: "give each scope its own scope= parameter",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: joiner,
    },
    Rule {
        id: "scope-without-pull",
        brief: "the scope does not include pull",
        advice: "use scope={scope}",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: no_pull,
    },
    Rule {
        id: "repository-uppercase",
        brief: "the repository name contains uppercase letters",
        advice: "use lowercase letters only",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::GivenFault,
        detect: uppercase,
    },
];

fn html_escaped(attempt: &Attempt<'_>) -> Option<Evidence> {
    let name = attempt.token_url.as_ref()?.names().find(|name| name.starts_with("amp;"))?;
    evidence(format!("the token URL has a parameter named {name:?}"))
}

fn service(attempt: &Attempt<'_>) -> Option<Evidence> {
    let requested = attempt.token_url.as_ref()?.value("service")?;
    let service = attempt.challenge_param("service")?;
    evidence_if(requested != service, format!("requested: {requested:?}, challenge: {service:?}"))
}

fn not_realm(attempt: &Attempt<'_>) -> Option<Evidence> {
    let (server, realm) = (attempt.token_url.as_ref()?.server.as_ref()?, attempt.realm()?);
    let location = |url: &Url| format!("{}{}", url.host(), url.path());
    let (requested, realm) = (location(server), location(&realm));
    evidence_if(requested != realm, format!("requested: {requested}, realm: {realm}"))
}

fn lost_in_shell(attempt: &Attempt<'_>) -> Option<Evidence> {
    let url = attempt.token_url.as_ref()?;
    if !attempt.access_entries()?.is_empty() || url.names().any(|name| name.starts_with("amp;")) {
        return None;
    }
    match url.names().position(|name| name == "scope") {
        None => evidence("the token URL has no scope, and the token's access is []"),
        Some(0) => None,
        Some(_) => evidence(
            "in the token URL the scope follows an &; in a shell, an unquoted & ends the command; the token's access is []",
        ),
    }
}

fn library(attempt: &Attempt<'_>) -> Option<Evidence> {
    if !attempt.is_docker_hub() {
        return None;
    }
    let short = |scope: &&ScopeParts<'_>| {
        let name = scope.name.split([':', '@']).next().unwrap_or_default();
        !name.is_empty() && !scope.name.contains(['/', '%'])
    };
    let requested = requested_scopes(attempt);
    if let Some(scope) = requested.iter().find(short) {
        return evidence(format!("the scope in {} names {:?}", request_name(attempt), scope.name));
    }
    let challenge_scopes = attempt.challenge_scopes();
    let scope = challenge_scopes.iter().find(short)?;
    evidence(format!("the scope in the challenge names {:?}", scope.name))
}

fn host(attempt: &Attempt<'_>) -> Option<Evidence> {
    let registry = attempt.reference?.registry();
    let mut hosts = vec![registry.name(), registry.api_host().to_owned()];
    if registry.is_docker_hub() {
        hosts.extend(docker_hub::HOSTS.map(str::to_owned));
    }
    let begins_with = |name: &str, host: &String| {
        let split = name.split_at_checked(host.len());
        split.is_some_and(|(first, rest)| first.eq_ignore_ascii_case(host) && rest.starts_with('/'))
    };
    let has_host = |name: &str| hosts.iter().any(|host| begins_with(name, host));
    let requested = requested_scopes(attempt);
    // A repository may be named like its registry's host.
    let own = |scope: &&ScopeParts<'_>| attempt.repository() == Some(scope.name);
    let scope = requested.iter().find(|scope| has_host(scope.name) && !own(scope))?;
    evidence_if(!is_in_challenge(attempt, scope), names(scope))
}

/// Evidence text for a scope of the token URL.
fn names(scope: &ScopeParts<'_>) -> String {
    format!("the scope in the token URL names {:?}", scope.name)
}

/// Whether the challenge names the same repository as a scope.
fn is_in_challenge(attempt: &Attempt<'_>, scope: &ScopeParts<'_>) -> bool {
    attempt.challenge_scopes().iter().any(|one| one.name == scope.name)
}

fn tag(attempt: &Attempt<'_>) -> Option<Evidence> {
    let tagged = |scope: &&ScopeParts<'_>| {
        let (_, last) = scope.name.rsplit_once('/').unwrap_or(("", scope.name));
        let single = !scope.name.contains([',', ';']);
        single && (last.contains("@sha256") || last.contains("@sha512") || last.contains(':'))
    };
    evidence(names(requested_scopes(attempt).iter().find(tagged)?))
}

fn encoded_twice(attempt: &Attempt<'_>) -> Option<Evidence> {
    let url = attempt.token_url.as_ref();
    let raw = url.and_then(|url| url.all("scope").find(|pair| pair.raw.contains("%25")));
    if let Some(pair) = raw {
        return evidence(format!("the scope in the token URL is written {:?}", pair.raw));
    }
    let encoded = |name: &str| name.to_ascii_lowercase().contains("%3a");
    let entry = attempt.access_entries()?.into_iter().find(|entry| encoded(&entry.name))?;
    evidence(format!("the token is for {:?}", entry.name))
}

fn joiner(attempt: &Attempt<'_>) -> Option<Evidence> {
    let joined = |value: &str| {
        let value = value.replace(' ', "");
        [",", ";"].iter().any(|joiner| {
            ["repository:", "registry:"]
                .iter()
                .any(|kind| value.contains(&format!("{joiner}{kind}")))
        })
    };
    let pair = attempt.token_url.as_ref()?.all("scope").find(|pair| joined(&pair.value))?;
    evidence(format!("the scope in the token URL is {:?}", pair.value))
}

fn no_pull(attempt: &Attempt<'_>) -> Option<Evidence> {
    let requested = requested_scopes(attempt);
    let first = requested.first().filter(|_| !requested.iter().any(ScopeParts::pulls))?;
    let text =
        format!("the scope in the token URL requests {:?} for {:?}", first.actions, first.name);
    evidence_if(!attempt.challenge_excludes_pull(first.name), text)
}

fn uppercase(attempt: &Attempt<'_>) -> Option<Evidence> {
    // A host may contain capitals.
    let path = |name: &str| match name.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) => rest.to_owned(),
        _ => name.to_owned(),
    };
    let has_capital = |scope: &&ScopeParts<'_>| {
        let name = path(scope.name);
        let repository = name.split([':', '@', '%']).next().unwrap_or_default();
        repository.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let requested = requested_scopes(attempt);
    let scope = requested.iter().find(has_capital)?;
    evidence_if(!is_in_challenge(attempt, scope), names(scope))
}

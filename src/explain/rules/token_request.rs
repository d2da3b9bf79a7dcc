//! What the token server was asked: is it the challenge's question, and does it say what it means?

use crate::explain::attempt::Attempt;
use crate::explain::rules::rule::{Check, Rule, RuleKind, Sign, asked_scopes, asker, seen};
use crate::explain::token_url::Scope;
use crate::reference::docker_hub;
use crate::url::Url;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "url-html-escaped",
        brief: "the token URL is escaped for HTML",
        advice: "write & where it has &amp;",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: html_escaped,
    },
    Rule {
        id: "service-mismatch",
        brief: "the token was asked for another service",
        advice: "ask for service={service}, exactly as the challenge has it",
        check: Check::Audience,
        kind: RuleKind::GivenFault,
        sees: service,
    },
    Rule {
        id: "token-url-not-realm",
        brief: "another token server was asked",
        advice: "ask the realm of the challenge: {realm}",
        check: Check::Issuer,
        kind: RuleKind::GivenFault,
        sees: not_realm,
    },
    Rule {
        id: "scope-lost-in-shell",
        brief: "the shell cut the URL off at its &",
        advice: "put the URL in single quotes",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: lost_in_shell,
    },
    Rule {
        id: "library-prefix-missing",
        brief: "library/ is missing",
        advice: "Docker Hub's official images are under library/: use {repository}",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: library,
    },
    Rule {
        id: "scope-has-registry-host",
        brief: "the scope has the registry's host in it",
        advice: "leave the host out: scope={scope}",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: host,
    },
    Rule {
        id: "scope-has-tag",
        brief: "the scope has a tag or digest in it",
        advice: "leave it out, tokens are for repositories: scope={scope}",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: tag,
    },
    Rule {
        id: "scope-double-encoded",
        brief: "the scope is percent-encoded twice",
        advice: "encode it once, or not at all: scope={scope}",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: encoded_twice,
    },
    Rule {
        id: "scope-bad-joiner",
        brief: "two scopes are joined by a comma or semicolon",
        advice: "give each its own scope= in the URL",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: joiner,
    },
    Rule {
        id: "scope-without-pull",
        brief: "the scope does not ask for pull",
        advice: "ask for pull: scope={scope}",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: no_pull,
    },
    Rule {
        id: "repository-uppercase",
        brief: "the repository is written with capitals",
        advice: "repository names are in lower case: write it so",
        check: Check::Access,
        kind: RuleKind::GivenFault,
        sees: uppercase,
    },
];

fn html_escaped(attempt: &Attempt<'_>) -> Option<Sign> {
    let name = attempt.asked.as_ref()?.names().find(|name| name.starts_with("amp;"))?;
    seen(format!("the token URL has a parameter named {name:?}"))
}

fn service(attempt: &Attempt<'_>) -> Option<Sign> {
    let (asked, service) = (attempt.asked.as_ref()?.value("service")?, attempt.param("service")?);
    let text = format!("the token URL says {asked:?}, the challenge {service:?}");
    (asked != service).then(|| seen(text)).flatten()
}

fn not_realm(attempt: &Attempt<'_>) -> Option<Sign> {
    let (asked, realm) = (attempt.asked.as_ref()?.server.as_ref()?, attempt.realm()?);
    let place = |url: &Url| format!("{}{}", url.host(), url.path());
    let (asked, realm) = (place(asked), place(&realm));
    let text = format!("the token URL asks {asked}, the realm is {realm}");
    (asked != realm).then(|| seen(text)).flatten()
}

fn lost_in_shell(attempt: &Attempt<'_>) -> Option<Sign> {
    let asked = attempt.asked.as_ref()?;
    if !attempt.entries()?.is_empty() || asked.names().any(|name| name.starts_with("amp;")) {
        return None;
    }
    match asked.names().position(|name| name == "scope") {
        None => seen("the token URL has no scope, and the token's access is []".to_owned()),
        Some(0) => None,
        Some(_) => {
            let text = "scope stands behind an & in the token URL, and the token's access is []: \
                        without quotes a shell ends the command at the &";
            seen(text.to_owned())
        }
    }
}

fn library(attempt: &Attempt<'_>) -> Option<Sign> {
    if !attempt.is_docker_hub() {
        return None;
    }
    let short = |scope: &&Scope<'_>| {
        let name = scope.name.split([':', '@']).next().unwrap_or_default();
        !name.is_empty() && !scope.name.contains(['/', '%'])
    };
    let asked = asked_scopes(attempt);
    if let Some(scope) = asked.iter().find(short) {
        return seen(format!("the scope in {} names {:?}", asker(attempt), scope.name));
    }
    let challenged = attempt.challenged();
    let scope = challenged.iter().find(short)?;
    seen(format!("the scope in the challenge names {:?}", scope.name))
}

fn host(attempt: &Attempt<'_>) -> Option<Sign> {
    let registry = attempt.reference?.registry();
    let mut names = vec![registry.name(), registry.api_host().to_owned()];
    if registry.is_docker_hub() {
        names.extend(docker_hub::HOSTS.map(str::to_owned));
    }
    let starts = |name: &str| {
        let begins = |host: &String| {
            let (first, rest) = name.split_at_checked(host.len())?;
            (first.eq_ignore_ascii_case(host) && rest.starts_with('/')).then_some(())
        };
        names.iter().any(|host| begins(host).is_some())
    };
    let asked = asked_scopes(attempt);
    // A repository may be named after its registry's host.
    let own = |scope: &&Scope<'_>| attempt.repository() == Some(scope.name);
    let scope = asked.iter().find(|scope| starts(scope.name) && !own(scope))?;
    let text = format!("the scope in the token URL names {:?}", scope.name);
    (!is_challenged(attempt, scope)).then(|| seen(text)).flatten()
}

/// True when the registry itself names that repository so.
fn is_challenged(attempt: &Attempt<'_>, scope: &Scope<'_>) -> bool {
    attempt.challenged().iter().any(|challenged| challenged.name == scope.name)
}

fn tag(attempt: &Attempt<'_>) -> Option<Sign> {
    let tagged = |scope: &&Scope<'_>| {
        let (_, last) = scope.name.rsplit_once('/').unwrap_or(("", scope.name));
        let whole = !scope.name.contains([',', ';']);
        whole && (last.contains("@sha256") || last.contains("@sha512") || last.contains(':'))
    };
    let asked = asked_scopes(attempt);
    let scope = asked.iter().find(tagged)?;
    seen(format!("the scope in the token URL names {:?}", scope.name))
}

fn encoded_twice(attempt: &Attempt<'_>) -> Option<Sign> {
    let asked = attempt.asked.as_ref();
    let raw = asked.and_then(|asked| asked.all("scope").find(|pair| pair.raw.contains("%25")));
    if let Some(pair) = raw {
        return seen(format!("the scope in the token URL is written {:?}", pair.raw));
    }
    let encoded = |name: &str| name.to_ascii_lowercase().contains("%3a");
    let entry = attempt.entries()?.into_iter().find(|entry| encoded(&entry.name))?;
    seen(format!("the token is for {:?}", entry.name))
}

fn joiner(attempt: &Attempt<'_>) -> Option<Sign> {
    let joined = |value: &str| {
        let value = value.replace(' ', "");
        [",", ";"].iter().any(|joiner| {
            ["repository:", "registry:"]
                .iter()
                .any(|kind| value.contains(&format!("{joiner}{kind}")))
        })
    };
    let pair = attempt.asked.as_ref()?.all("scope").find(|pair| joined(&pair.value))?;
    seen(format!("the scope in the token URL is {:?}", pair.value))
}

fn no_pull(attempt: &Attempt<'_>) -> Option<Sign> {
    let asked = asked_scopes(attempt);
    let first = asked.first().filter(|_| !asked.iter().any(Scope::pulls))?;
    if attempt.wants_no_pull(first.name) {
        return None;
    }
    seen(format!("the scope in the token URL asks for {:?} of {:?}", first.actions, first.name))
}

fn uppercase(attempt: &Attempt<'_>) -> Option<Sign> {
    let asked = asked_scopes(attempt);
    // A host may be written so.
    let path = |name: &str| match name.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) => rest.to_owned(),
        _ => name.to_owned(),
    };
    let upper = |scope: &&Scope<'_>| {
        let name = path(scope.name);
        let repository = name.split([':', '@', '%']).next().unwrap_or_default();
        repository.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let scope = asked.iter().find(upper).filter(|scope| !is_challenged(attempt, scope))?;
    seen(format!("the scope in the token URL names {:?}", scope.name))
}

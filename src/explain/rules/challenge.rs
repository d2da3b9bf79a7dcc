//! The first answer and its challenge: is there a registry, does it say how to log in, may its realm be asked?

use crate::error::{Error, Refusal};
use crate::explain::attempt::{Attempt, Challenges};
use crate::explain::recording::{Sent, is_page};
use crate::explain::rules::rule::{
    Check, Rule, RuleKind, Sign, error, is_basic, refusal, seen, slightly,
};
use crate::explain::token_url::Scope;
use crate::http::challenge::Challenge;
use crate::registry::realm_is_trusted;
use crate::transport::AddressScope;
use crate::url::{Scheme, Url, excerpt, is_localhost, literal_address};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "not-a-registry",
        brief: "no registry answers there",
        advice: "check the host's name, and whether a proxy or a login page stands in between",
        check: Check::Door,
        kind: RuleKind::Answer,
        sees: not_a_registry,
    },
    Rule {
        id: "challenge-missing",
        brief: "the registry does not say how to log in",
        advice: "ask {registry}/v2/ without anything in between: a proxy may have removed the header; else its \
                 admin has to mend it",
        check: Check::Challenge,
        kind: RuleKind::Fault,
        sees: missing,
    },
    Rule {
        id: "proxy-auth-required",
        brief: "a proxy wants a login of its own",
        advice: "give the proxy its credentials, or let {registry} go around it (NO_PROXY)",
        check: Check::Door,
        kind: RuleKind::Answer,
        sees: proxy,
    },
    Rule {
        id: "basic-only",
        brief: "the registry wants a user name and a password",
        advice: "there is no token to fetch here: log in; for Amazon ECR the user is AWS and the password lasts \
                 12 hours",
        check: Check::Challenge,
        kind: RuleKind::Fault,
        sees: basic_only,
    },
    Rule {
        id: "challenge-malformed",
        brief: "the challenge cannot be read",
        advice: "the registry, or a proxy before it, has to mend its WWW-Authenticate header",
        check: Check::Challenge,
        kind: RuleKind::Fault,
        sees: malformed,
    },
    Rule {
        id: "realm-missing",
        brief: "the challenge names no token server",
        advice: "there is nothing a client can do: the registry has to name a realm",
        check: Check::Challenge,
        kind: RuleKind::Fault,
        sees: realm_missing,
    },
    Rule {
        id: "realm-not-absolute",
        brief: "the realm cannot be used as a URL",
        advice: "the registry has to name its realm with scheme and host, and without a user; most clients cannot use this one",
        check: Check::Challenge,
        kind: RuleKind::Fault,
        sees: realm_not_absolute,
    },
    Rule {
        id: "realm-plain-http",
        brief: "an https registry wants the login over plain http",
        advice: "the registry's external URL or X-Forwarded-Proto is set wrong, or somebody is in between; it is \
                 refused until that is mended",
        check: Check::Realm,
        kind: RuleKind::Fault,
        sees: realm_plain_http,
    },
    Rule {
        id: "realm-private-address",
        brief: "the token server has a private address",
        advice: "the registry shows an internal address: its external URL is to be set; --allow-private asks it \
                 all the same",
        check: Check::Realm,
        kind: RuleKind::Fault,
        sees: realm_private,
    },
    Rule {
        id: "realm-unreachable",
        brief: "the token server cannot be reached",
        advice: "let this machine connect to {realm} too: the registry itself answers",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: realm_unreachable,
    },
    Rule {
        id: "realm-untrusted",
        brief: "the token server is not known to belong to the registry",
        advice: "if {realm} belongs to {registry}, say so with --trust-realm; if not, somebody is after the \
                 credentials",
        check: Check::Realm,
        kind: RuleKind::Fault,
        sees: realm_untrusted,
    },
    Rule {
        id: "scope-other-repository",
        brief: "the challenge is about another repository",
        advice: "a proxy may add a prefix or rewrite paths: use the name in the challenge",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: scope_other,
    },
];

fn not_a_registry(attempt: &Attempt<'_>) -> Option<Sign> {
    let last = &attempt.last;
    let status = last.status.filter(|status| (200..300).contains(status))?;
    let page = match last.reply {
        Some(reply) => reply.is_page() && !reply.says_version,
        None => is_page(last.body.as_deref()?),
    };
    // A HEAD brings none of its words.
    let words = if last.words.is_empty() { String::new() } else { format!(": {}", last.words) };
    page.then(|| seen(format!("the answer ({status}) is a page{words}"))).flatten()
}

/// Whether the answer to nothing, or to a password, is judged: not the one to a token.
fn began<'a>(attempt: &'a Attempt<'_>) -> Option<&'a Challenges> {
    // Nor is a challenge looked at on anything but a 401.
    if attempt.given && (attempt.last.token_sent || attempt.last.status.is_some_and(|s| s != 401)) {
        return None;
    }
    attempt.challenges.as_ref()
}

fn missing(attempt: &Attempt<'_>) -> Option<Sign> {
    let last = &attempt.last;
    let none = began(attempt)?.is_empty() && last.status == Some(401) && !last.token_sent;
    let line = "the answer is 401 and has no WWW-Authenticate header";
    none.then(|| seen(line.to_owned())).flatten()
}

fn proxy(attempt: &Attempt<'_>) -> Option<Sign> {
    if attempt.last.status == Some(407) {
        return seen("the answer is 407".to_owned());
    }
    let challenges = attempt.challenges.as_ref().filter(|challenges| !challenges.is_empty())?;
    let windows = |challenge: &Result<Challenge, _>| {
        challenge
            .as_ref()
            .is_ok_and(|one| matches!(one.scheme(), "negotiate" | "ntlm" | "kerberos"))
    };
    let schemes: Vec<_> = attempt.parsed().map(Challenge::scheme).collect();
    let all = challenges.iter().all(windows);
    all.then(|| seen(format!("the challenge offers {} alone", schemes.join(", ")))).flatten()
}

/// True when Basic is among the challenges.
fn offers_basic(attempt: &Attempt<'_>) -> bool {
    attempt.parsed().any(|challenge| challenge.scheme() == "basic")
}

fn basic_only(attempt: &Attempt<'_>) -> Option<Sign> {
    let challenges = began(attempt)?;
    // What nobody can use is not on offer.
    let usable = |challenge: &&Result<Challenge, _>| {
        let realm = |one: &Challenge| one.param("realm").is_some_and(|realm| !realm.is_empty());
        challenge.as_ref().is_ok_and(|one| one.scheme() != "bearer" || realm(one))
    };
    let usable: Challenges = challenges.iter().filter(usable).cloned().collect();
    let sent = attempt.last.hop.is_some_and(|hop| !matches!(hop.sent, Sent::Nothing));
    let realm = attempt.parsed().find_map(|one| one.param("realm")).unwrap_or_default();
    let only = is_basic(&usable) && !sent;
    only.then(|| seen(format!("the challenge offers Basic alone, realm {realm:?}"))).flatten()
}

fn malformed(attempt: &Attempt<'_>) -> Option<Sign> {
    let fault = attempt.challenges.iter().flatten().find_map(|one| one.as_ref().err())?;
    let at = fault.line.checked_sub(1)?;
    let line = attempt.lines.get(at).map(|line| String::from_utf8_lossy(line)).unwrap_or_default();
    let (code, at) = (&fault.code, fault.at);
    let text = format!("{code} at byte {at} of line {} of the challenge: {line}", fault.line);
    // One that can be read stands beside it.
    if attempt.param("realm").is_some() { slightly(text) } else { seen(text) }
}

fn realm_missing(attempt: &Attempt<'_>) -> Option<Sign> {
    let bearer = attempt.bearer()?;
    let text = match bearer.param("realm") {
        Some(realm) if !realm.is_empty() => return None,
        Some(_) => "the Bearer challenge has an empty realm".to_owned(),
        None => "the Bearer challenge has no realm".to_owned(),
    };
    // A password will do as well.
    if offers_basic(attempt) { slightly(text) } else { seen(text) }
}

fn realm_not_absolute(attempt: &Attempt<'_>) -> Option<Sign> {
    let realm = attempt.param("realm")?;
    let Err(error) = Url::parse(realm) else { return None };
    let realm = excerpt(realm);
    match attempt.realm() {
        Some(url) if attempt.site.is_some() => seen(format!(
            "the realm is {realm:?}, which is {} where the challenge came from",
            url.redacted()
        )),
        _ => seen(format!("the realm is {realm:?}: {error}")),
    }
}

fn realm_plain_http(attempt: &Attempt<'_>) -> Option<Sign> {
    let realm = attempt.realm()?;
    let plain = attempt.https()? && realm.scheme() == Scheme::Http;
    plain.then(|| seen(format!("the realm is {}", realm.redacted()))).flatten()
}

fn realm_private(attempt: &Attempt<'_>) -> Option<Sign> {
    if !attempt.given {
        return match refusal(attempt)? {
            Refusal::PrivateAddress { host, address }
                if attempt.realm().is_some_and(|realm| realm.host() == host) =>
            {
                seen(format!("the realm's host {host} has the address {address}"))
            }
            _ => None,
        };
    }
    let realm = attempt.realm()?;
    let private = reach(realm.host())?;
    let site = attempt.site.as_ref()?;
    let registry = match reach(site.url.host()) {
        Some(reach) => reach,
        None => {
            let known = site.addresses.iter().map(|address| AddressScope::of(*address)).max();
            known.or_else(|| looks_public(site.url.host()).then_some(AddressScope::Public))?
        }
    };
    let (host, named) = (site.url.host(), realm.host());
    let text = format!("the realm's host is {named}, more private than {host}");
    (private > registry).then(|| seen(text)).flatten()
}

/// How private a host is that says so itself.
fn reach(host: &str) -> Option<AddressScope> {
    if is_localhost(host) {
        Some(AddressScope::Loopback)
    } else {
        literal_address(host).map(AddressScope::of)
    }
}

/// True for a name that is likely to be known everywhere.
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

fn realm_unreachable(attempt: &Attempt<'_>) -> Option<Sign> {
    let server = attempt.server.filter(|hop| hop.reply.is_none())?;
    match error(attempt)? {
        Error::Connection(fault) => seen(format!("{fault}")),
        error @ Error::Deadline { .. } => {
            seen(format!("{}: {error}", server.url.origin().authority()))
        }
        _ => None,
    }
}

fn realm_untrusted(attempt: &Attempt<'_>) -> Option<Sign> {
    if attempt.given {
        // Credentials went to whatever server the URL names.
        let (realm, site) = (attempt.realm()?, attempt.site.as_ref()?);
        let user = attempt.user()?;
        let (host, registry) = (realm.host(), site.url.host());
        let text = format!(
            "the realm is at {host}, the registry at {registry}, and the token URL names the user {user:?}"
        );
        return (!realm_is_trusted(registry, host)).then(|| seen(text)).flatten();
    }
    match refusal(attempt)? {
        Refusal::RealmUntrusted { registry, realm } => {
            seen(format!("the realm is at {realm}, the registry at {registry}"))
        }
        _ => None,
    }
}

fn scope_other(attempt: &Attempt<'_>) -> Option<Sign> {
    let repository = attempt.repository()?;
    let scopes = attempt.challenged();
    let hub = attempt.is_docker_hub();
    // A scope may begin with the registry's own host.
    let host = attempt.reference?.registry().name();
    let own = |name: &str| name.strip_prefix(host.as_str())?.strip_prefix('/').map(str::to_owned);
    let same = |scope: &Scope<'_>| {
        scope.name == repository
            || own(scope.name).as_deref() == Some(repository)
            || (hub && format!("library/{}", scope.name) == repository)
    };
    let first = scopes.first().filter(|scope| !scope.name.is_empty())?;
    let text =
        format!("the challenge's scope names {:?}, asked was for {repository:?}", first.name);
    (!scopes.iter().any(same)).then(|| seen(text)).flatten()
}

//! The registry's last answer: what it says itself, and what is left when nothing else stands against a token.

use crate::credentials::Secret;
use crate::digest::Digest;
use crate::error::{Error, Kind};
use crate::explain::attempt::Attempt;
use crate::explain::jwt::{Form, Token};
use crate::explain::rules::claims;
use crate::explain::rules::rule::{
    Check, Rule, RuleKind, Sign, error, is_basic, password_prefix, seen, slightly,
};
use crate::explain::token_url::{Scope, scopes};
use crate::json::Json;
use crate::oci::ErrorBody;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "token-rejected",
        brief: "the registry does not accept the token",
        advice: "what is left is its issuer, key or signature: the admin has to hold the registry's certificates \
                 or keys against the token server's",
        check: Check::Issuer,
        kind: RuleKind::Answer,
        sees: rejected,
    },
    Rule {
        id: "insufficient-scope",
        brief: "the token does not allow enough",
        advice: "ask for what the registry now names: {scope}",
        check: Check::Access,
        kind: RuleKind::Answer,
        sees: insufficient,
    },
    Rule {
        id: "authorization-lost",
        brief: "the registry answers as if no token had come",
        advice: "a redirect or proxy may have removed it; distribution 3 also answers so to a wrong signature",
        check: Check::Issuer,
        kind: RuleKind::Answer,
        sees: lost,
    },
    Rule {
        id: "challenge-flipped-to-basic",
        brief: "the token is refused, and a password wanted in its place",
        advice: "Harbor answers so when the token does not allow it: log in with a user who may",
        check: Check::Access,
        kind: RuleKind::Answer,
        sees: flipped,
    },
    Rule {
        id: "rejected-without-challenge",
        brief: "the token is refused without a word how to get another",
        advice: "get a new token, of the kind that this registry takes",
        check: Check::Issuer,
        kind: RuleKind::Answer,
        sees: without_challenge,
    },
    Rule {
        id: "private-or-missing",
        brief: "it is private, or it does not exist",
        advice: "the registry does not tell which: check the spelling (and library/), then log in",
        check: Check::Access,
        kind: RuleKind::Answer,
        sees: private_or_missing,
    },
    Rule {
        id: "forbidden",
        brief: "the registry forbids it",
        advice: "whoever asked has no right to it, or a firewall or policy blocks it: see what the registry says",
        check: Check::Access,
        kind: RuleKind::Answer,
        sees: forbidden,
    },
    Rule {
        id: "not-found",
        brief: "there is no such repository or tag",
        advice: "check the spelling; regq parse shows how the name is read",
        check: Check::Question,
        kind: RuleKind::Answer,
        sees: not_found,
    },
    Rule {
        id: "accept-too-short",
        brief: "the request does not accept what is there",
        advice: "name all four manifest types in Accept",
        check: Check::Question,
        kind: RuleKind::GivenAnswer,
        sees: accept,
    },
    Rule {
        id: "authorization-forwarded",
        brief: "the token was sent on to a storage server",
        advice: "the client has to drop Authorization when it follows a redirect to another host",
        check: Check::Question,
        kind: RuleKind::GivenAnswer,
        sees: forwarded,
    },
    Rule {
        id: "rate-limited",
        brief: "the registry's limit is reached",
        advice: "wait, or log in: most registries allow more to those who do",
        check: Check::Door,
        kind: RuleKind::Answer,
        sees: limited,
    },
    Rule {
        id: "registry-moved",
        brief: "the registry has moved to another host",
        advice: "a token is for the host that asks for it: use the new host's name",
        check: Check::Question,
        kind: RuleKind::Answer,
        sees: moved,
    },
    Rule {
        id: "token-too-large",
        brief: "the token is too large for a proxy",
        advice: "ask for one scope at a time",
        check: Check::Door,
        kind: RuleKind::Answer,
        sees: too_large,
    },
    Rule {
        id: "upstream-refused",
        brief: "the registry behind this one refuses",
        advice: "this is a cache: check the name there, and the cache's own login",
        check: Check::Question,
        kind: RuleKind::Answer,
        sees: upstream,
    },
    Rule {
        id: "digest-mismatch",
        brief: "the content is not what its digest says",
        advice: "do not use it: a proxy or cache changed it, or somebody did",
        check: Check::Question,
        kind: RuleKind::Answer,
        sees: digest,
    },
    Rule {
        id: "not-a-manifest",
        brief: "what came is no manifest",
        advice: "a login page or another service may answer under this name",
        check: Check::Question,
        kind: RuleKind::Answer,
        sees: not_a_manifest,
    },
];

/// What the last answer says, where its status is this one.
fn said(attempt: &Attempt<'_>, status: u16) -> Option<String> {
    let last = &attempt.last;
    // What a token server answered last is its own affair.
    let registry = attempt.given || last.reply.is_some_and(|_| !is_token_servers(attempt));
    if !registry || last.status != Some(status) {
        return None;
    }
    let mut text = format!("the answer is {status}");
    if !last.words.is_empty() {
        text.push_str(&format!("; it says {}", last.words));
    }
    Some(text)
}

/// True when the walk ended at the token server.
fn is_token_servers(attempt: &Attempt<'_>) -> bool {
    let Some(server) = attempt.server else { return false };
    !attempt.last.token_sent && server.reply.as_ref().is_none_or(|reply| reply.status >= 300)
}

/// A 401 in answer to a token.
fn refused(attempt: &Attempt<'_>) -> Option<String> {
    said(attempt, 401).filter(|_| attempt.last.token_sent)
}

/// True when nothing is known that stands against the token: its audience and its times fit, and can be read where
/// they are there at all. A token that only its registry can read has none.
fn is_in_order(attempt: &Attempt<'_>) -> bool {
    let Some(token) = &attempt.token else { return true };
    let Some(claims) = token.claims() else { return matches!(token.form, Form::Opaque) };
    let readable = (claims.audience().is_some() || !claims.has("aud"))
        && ["exp", "nbf"].iter().all(|name| claims.time(name).is_some() || !claims.has(name));
    let against = [claims::audience, claims::expired, claims::not_yet];
    readable && against.iter().all(|rule| rule(attempt).is_none_or(|sign| sign.slight))
}

/// True when the token allows what was asked, as far as is known.
fn allows(attempt: &Attempt<'_>) -> bool {
    match attempt.entries() {
        None => true,
        Some(_) => attempt.entry().is_some_and(|entry| entry.allows("pull")),
    }
}

fn rejected(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = refused(attempt).filter(|_| attempt.error_code() == Some("invalid_token"))?;
    let password = attempt.given && password_prefix(attempt).is_some();
    if password || !is_in_order(attempt) {
        return None;
    }
    let header = attempt.token.as_ref().and_then(Token::header);
    let kid = header.and_then(|header| header.text("kid"));
    let kid = kid.map(|kid| format!("; the token's kid is {kid:?}")).unwrap_or_default();
    let issuer =
        attempt.token.as_ref().and_then(Token::claims).and_then(|claims| claims.text("iss"));
    let issuer = issuer.map(|issuer| format!("; its iss is {issuer:?}")).unwrap_or_default();
    let claims = attempt.token.as_ref().and_then(Token::claims);
    let timed = claims.is_some_and(|claims| claims.time("exp").or(claims.time("nbf")).is_some());
    let times = match (timed, attempt.last.date) {
        (true, None) => "; whether its times fit is not known without the answer's Date",
        (..) => "",
    };
    seen(format!("{text}; the challenge's error is invalid_token{kid}{issuer}{times}"))
}

fn insufficient(attempt: &Attempt<'_>) -> Option<Sign> {
    said(attempt, 401).filter(|_| attempt.error_code() == Some("insufficient_scope"))?;
    let challenges = attempt.last.challenges.iter().flatten();
    let asked = challenges
        .filter_map(|one| one.as_ref().ok())
        .find_map(|one| one.param("scope"))
        .unwrap_or_default();
    let granted = attempt.entries();
    let lacks = |scope: &Scope<'_>| -> Option<String> {
        let entries = granted.iter().flatten();
        let entry = entries
            .filter(|entry| scope.kind.starts_with(&entry.kind))
            .find(|entry| entry.name == scope.name);
        let allowed = |action: &str| entry.is_some_and(|entry| entry.allows(action));
        let missing: Vec<_> = scope.actions.split(',').filter(|action| !allowed(action)).collect();
        (!missing.is_empty())
            .then(|| format!("{}:{}:{}", scope.kind, scope.name, missing.join(",")))
    };
    let text = format!("the challenge's error is insufficient_scope, its scope {asked:?}");
    let missing: Vec<_> = scopes(asked).filter_map(|scope| lacks(&scope)).collect();
    if granted.is_some() && !missing.is_empty() {
        return seen(format!("{text}; the token lacks {}", missing.join(" ")));
    }
    seen(text)
}

fn lost(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = refused(attempt).filter(|_| !attempt.given && attempt.error_code().is_none())?;
    let last = attempt.last.challenges.as_ref().filter(|last| !last.is_empty())?;
    let same = Some(last) == attempt.challenges.as_ref();
    let host = attempt.last.hop.map(|hop| hop.url.origin().authority()).unwrap_or_default();
    let text = format!("{text}; {host} was sent the token and answers with the same challenge");
    (same && !is_basic(last) && is_in_order(attempt) && allows(attempt))
        .then(|| seen(text))
        .flatten()
}

fn flipped(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = refused(attempt)?;
    let basic = attempt.last.challenges.as_ref().is_some_and(is_basic);
    let began = attempt.given || attempt.bearer().is_some();
    (basic && began)
        .then(|| seen(format!("{text}; its challenge to the token offers Basic alone")))
        .flatten()
}

fn without_challenge(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = refused(attempt)?;
    let none = attempt.last.challenges.as_ref().is_some_and(Vec::is_empty);
    none.then(|| seen(format!("{text}; it answers to a token and has no challenge"))).flatten()
}

fn private_or_missing(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, 401)?;
    let words = &attempt.last.words;
    let both = words.has_code("DENIED") && words.has_code("UNAUTHORIZED");
    let granted = attempt.entries().is_some() && !allows(attempt);
    (both && granted).then(|| seen(text)).flatten()
}

fn forbidden(attempt: &Attempt<'_>) -> Option<Sign> {
    seen(said(attempt, 403)?)
}

/// What a registry says when the Accept header leaves no manifest that it could send.
const UNACCEPTED: &str = "accept header does not support";

fn not_found(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, 404)?;
    let words = &attempt.last.words;
    // Some say no more than UNKNOWN or NOT_FOUND; what says nothing at all is a registry too, when regq asked it.
    let codes = ["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NOT_FOUND", "UNKNOWN"];
    let coded = codes.iter().any(|code| words.has_code(code));
    let silent = !attempt.given && words.is_empty();
    ((coded || silent) && !is_unaccepted(attempt)).then(|| seen(text)).flatten()
}

fn is_unaccepted(attempt: &Attempt<'_>) -> bool {
    attempt.last.words.to_string().to_ascii_lowercase().contains(UNACCEPTED)
}

fn accept(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, 404)?;
    is_unaccepted(attempt).then(|| seen(text)).flatten()
}

/// What the body of the last answer holds, in lower case.
fn body(attempt: &Attempt<'_>) -> String {
    let body = attempt.last.body.as_deref().unwrap_or_default();
    String::from_utf8_lossy(body).to_ascii_lowercase()
}

fn forwarded(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, 400)?;
    let body = body(attempt);
    let store = body.contains("<error>") && body.contains("<code>");
    let header = ["auth mechanism", "authorization", "authentication"];
    (store && header.iter().any(|word| body.contains(word))).then(|| seen(text)).flatten()
}

fn limited(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, 429)?;
    let limits = attempt.last.reply.map(|reply| reply.limits.clone()).unwrap_or_default();
    seen(std::iter::once(text).chain(limits).collect::<Vec<_>>().join("; "))
}

fn moved(attempt: &Attempt<'_>) -> Option<Sign> {
    let from = attempt.moved_from.as_ref()?;
    let site = attempt.site.as_ref().filter(|_| attempt.challenges.is_some())?;
    let to = site.url.origin().authority();
    let text = format!("{from} redirects to {to}, which has a challenge of its own");
    // regq asks there anew, which is why it fails only for who has credentials for the first host and not for this.
    let denied = error(attempt).is_some_and(|error| error.kind() == Kind::Denied);
    if denied && !attempt.sent_credentials() { seen(text) } else { slightly(text) }
}

fn too_large(attempt: &Attempt<'_>) -> Option<Sign> {
    let words = "request header or cookie too large";
    let text =
        said(attempt, 431).or_else(|| said(attempt, 400).filter(|_| body(attempt).contains(words)));
    let length = attempt
        .token
        .as_ref()
        .map(|token| format!("; the token has {} bytes", token.secret.expose().len()));
    seen(text? + length.unwrap_or_default().as_str())
}

/// True for a body that repeats a registry's refusal, as an error in an error or as the line that clients print. A
/// file that may not be opened is none.
fn wraps_denied(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    let line = |(at, _): (usize, &str)| {
        let before = body.get(..at).unwrap_or_default().trim_end();
        !before.to_ascii_lowercase().ends_with("permission")
    };
    body.contains("DENIED") || body.match_indices("denied: ").any(line)
}

fn upstream(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, 500)?;
    let wraps = attempt.last.body.as_deref().is_some_and(wraps_denied);
    wraps.then(|| seen(text)).flatten()
}

fn digest(attempt: &Attempt<'_>) -> Option<Sign> {
    match error(attempt) {
        Some(error @ (Error::DigestMismatch { .. } | Error::DigestHeaderDiffers { .. })) => {
            return seen(error.to_string());
        }
        Some(_) => return None,
        None if !attempt.given => return None,
        None => {}
    }
    let (pinned, body) = (attempt.reference?.digest()?, manifest(attempt)?);
    let computed = Digest::of(pinned.algorithm(), body);
    let text = format!("the reference asks for {pinned}, the body's hash is {computed}");
    (computed != *pinned).then(|| seen(text)).flatten()
}

/// What was given as a manifest. An answer to HEAD has an empty body, which says nothing.
fn manifest<'a>(attempt: &'a Attempt<'_>) -> Option<&'a [u8]> {
    let body = attempt.last.body.as_deref().filter(|body| !body.is_empty());
    body.filter(|_| attempt.last.status == Some(200))
}

fn not_a_manifest(attempt: &Attempt<'_>) -> Option<Sign> {
    match error(attempt) {
        Some(Error::Manifest(fault)) => return seen(fault.to_string()),
        Some(_) => return None,
        None if !attempt.given => return None,
        None => {}
    }
    let body = manifest(attempt)?;
    let json = Json::read(body).ok();
    if json.is_some_and(|json| json.get("schemaVersion").is_some()) {
        return None;
    }
    seen(format!(
        "the body is no manifest: {}",
        ErrorBody::read_without(body, &Secret::redactor(&attempt.hidden))
    ))
}

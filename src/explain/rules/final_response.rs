//! Rules about the registry's final response: what it states itself, and what remains when nothing else explains why
//! a token was refused.

use crate::credentials::Secret;
use crate::digest::Digest;
use crate::error::{Error, Kind};
use crate::explain::attempt::Attempt;
use crate::explain::jwt::{Form, Token};
use crate::explain::rules::claims;
use crate::explain::rules::rule::{
    Check, Evidence, Remedy, Rule, RuleKind, error, evidence, evidence_if, is_basic_only,
    minor_evidence, password_prefix,
};
use crate::json::Json;
use crate::oci::ErrorBody;
use crate::token::{ScopeParts, scopes};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "token-rejected",
        brief: "the registry does not accept the token",
        advice: "compare the registry's trusted issuer, keys and certificates with the token server's: only the registry's administrator can do this",
        remedy: Remedy::CorrectRequest,
        check: Check::Issuer,
        kind: RuleKind::Response,
        detect: rejected,
    },
    Rule {
        id: "insufficient-scope",
        brief: "the token does not allow enough",
        advice: "request the scope that the response to the token requires: {required_scope}; if that was requested, ask for access",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Response,
        detect: insufficient,
    },
    Rule {
        id: "authorization-lost",
        brief: "the registry responds as if no token had been sent",
        advice: "check for a redirect or proxy that removes the token; distribution 3 also responds this way to an invalid signature",
        remedy: Remedy::CorrectRequestOrLogIn,
        check: Check::Issuer,
        kind: RuleKind::Response,
        detect: lost,
    },
    Rule {
        id: "challenge-flipped-to-basic",
        brief: "a password is requested instead of the token",
        advice: "log in as a user with access: Harbor does this if the token does not allow the request",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Response,
        detect: flipped,
    },
    Rule {
        id: "rejected-without-challenge",
        brief: "the token is refused without a challenge",
        advice: "request a new token, of the kind that this registry accepts",
        remedy: Remedy::CorrectRequestOrLogIn,
        check: Check::Issuer,
        kind: RuleKind::Response,
        detect: without_challenge,
    },
    Rule {
        id: "private-or-missing",
        brief: "the repository is private or does not exist",
        advice: "check the name (and library/), then log in: the registry does not say which it is",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Response,
        detect: private_or_missing,
    },
    Rule {
        id: "forbidden",
        brief: "the registry denies access",
        advice: "see its message: this user may lack the right, or a firewall or policy blocks the request",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Response,
        detect: forbidden,
    },
    Rule {
        id: "not-found",
        brief: "the repository or tag does not exist",
        advice: "check the name and how it is parsed",
        remedy: Remedy::CheckReference,
        check: Check::Manifest,
        kind: RuleKind::Response,
        detect: not_found,
    },
    Rule {
        id: "accept-too-short",
        brief: "the request does not accept the manifest's media type",
        advice: "list all manifest types in Accept: OCI index and manifest, Docker manifest list and manifest",
        remedy: Remedy::CorrectRequest,
        check: Check::Manifest,
        kind: RuleKind::GivenResponse,
        detect: accept,
    },
    Rule {
        id: "authorization-forwarded",
        brief: "the token was forwarded to a storage server",
        advice: "drop Authorization when following a redirect to another host",
        remedy: Remedy::CorrectRequest,
        check: Check::Manifest,
        kind: RuleKind::GivenResponse,
        detect: forwarded,
    },
    Rule {
        id: "rate-limited",
        brief: "the registry's rate limit is reached",
        advice: "wait, or log in: most registries have a higher limit for logged-in users",
        remedy: Remedy::LogIn,
        check: Check::Transport,
        kind: RuleKind::Response,
        detect: limited,
    },
    Rule {
        id: "registry-moved",
        brief: "the registry redirects to another registry",
        advice: "use the new host's name: a token is valid only for the registry whose challenge it answers",
        remedy: Remedy::CorrectRequestOrLogIn,
        check: Check::Manifest,
        kind: RuleKind::Response,
        detect: moved,
    },
    Rule {
        id: "token-too-large",
        brief: "the token is too large for a proxy",
        advice: "request one scope at a time",
        remedy: Remedy::CorrectRequest,
        check: Check::Transport,
        kind: RuleKind::Response,
        detect: too_large,
    },
    Rule {
        id: "upstream-refused",
        brief: "the upstream registry of this cache denies access",
        advice: "check the name upstream, and the cache's own login there",
        remedy: Remedy::Nothing,
        check: Check::Manifest,
        kind: RuleKind::Response,
        detect: upstream,
    },
    Rule {
        id: "digest-mismatch",
        brief: "the content does not match its digest",
        advice: "do not use it: a proxy, a cache or an attacker changed it",
        remedy: Remedy::Nothing,
        check: Check::Manifest,
        kind: RuleKind::Response,
        detect: digest,
    },
    Rule {
        id: "not-a-manifest",
        brief: "the response is not a manifest",
        advice: "check whether a login page or another service responds under this name",
        remedy: Remedy::Nothing,
        check: Check::Manifest,
        kind: RuleKind::Response,
        detect: not_a_manifest,
    },
];

/// Describes the registry's final response if it has this status.
fn response(attempt: &Attempt<'_>, status: u16) -> Option<String> {
    let last = &attempt.last;
    // If the walk ended at the token server, the registry's last response is not final.
    let registry = attempt.given || last.response.is_some_and(|_| !ended_at_token_server(attempt));
    if !registry || last.status != Some(status) {
        return None;
    }
    let mut text = format!("the response is {status}");
    if !last.error_body.is_empty() {
        text.push_str(&format!("; it says {}", last.error_body));
    }
    Some(text)
}

fn ended_at_token_server(attempt: &Attempt<'_>) -> bool {
    let Some(exchange) = attempt.token_exchange else { return false };
    !attempt.last.token_sent && exchange.status().is_none_or(|status| status >= 300)
}

/// Describes a 401 to a request with a token.
fn refused_token(attempt: &Attempt<'_>) -> Option<String> {
    response(attempt, 401).filter(|_| attempt.last.token_sent)
}

/// Whether the claims give no reason to refuse the token: audience and times fit, and are readable if present.
fn has_valid_claims(attempt: &Attempt<'_>) -> bool {
    let Some(token) = &attempt.token else { return true };
    let Some(claims) = token.claims() else { return matches!(token.form, Form::Opaque) };
    let readable = (claims.audience().is_some() || !claims.has("aud"))
        && ["exp", "nbf"].iter().all(|name| claims.time(name).is_some() || !claims.has(name));
    let reasons = [claims::audience, claims::expired, claims::not_yet];
    readable && reasons.iter().all(|detect| detect(attempt).is_none_or(|evidence| evidence.minor))
}

/// Whether the token allows pulling, as far as is known.
fn allows_pull(attempt: &Attempt<'_>) -> bool {
    match attempt.access_entries() {
        None => true,
        Some(_) => attempt.access_entry().is_some_and(|entry| entry.allows("pull")),
    }
}

fn rejected(attempt: &Attempt<'_>) -> Option<Evidence> {
    let invalid = attempt.error_code() == Some("invalid_token");
    let mut text = refused_token(attempt).filter(|_| invalid)?;
    let is_password = attempt.given && password_prefix(attempt).is_some();
    if is_password || !has_valid_claims(attempt) {
        return None;
    }
    text.push_str("; the challenge's error is invalid_token");
    let token = attempt.token.as_ref();
    if let Some(key) = token.and_then(Token::header).and_then(|header| header.text("kid")) {
        text.push_str(&format!("; the token's kid: {key:?}"));
    }
    if let Some(claims) = token.and_then(Token::claims) {
        if let Some(issuer) = claims.text("iss") {
            text.push_str(&format!("; its iss: {issuer:?}"));
        }
        let has_times = claims.time("exp").or(claims.time("nbf")).is_some();
        if has_times && attempt.last.date.is_none() {
            text.push_str("; its times could not be checked without the response's Date");
        }
    }
    evidence(text)
}

fn insufficient(attempt: &Attempt<'_>) -> Option<Evidence> {
    response(attempt, 401).filter(|_| attempt.error_code() == Some("insufficient_scope"))?;
    let required = attempt.last_param("scope").unwrap_or_default();
    let granted = attempt.access_entries();
    let missing = |scope: &ScopeParts<'_>| -> Option<String> {
        let entries = granted.iter().flatten();
        let entry = entries
            .filter(|entry| scope.kind.starts_with(&entry.kind))
            .find(|entry| entry.name == scope.name);
        let allowed = |action: &str| entry.is_some_and(|entry| entry.allows(action));
        let missing: Vec<_> = scope.actions.split(',').filter(|action| !allowed(action)).collect();
        (!missing.is_empty())
            .then(|| format!("{}:{}:{}", scope.kind, scope.name, missing.join(",")))
    };
    let text = format!("the challenge's error is insufficient_scope, its scope {required:?}");
    let missing: Vec<_> = scopes(required).filter_map(|scope| missing(&scope)).collect();
    if granted.is_some() && !missing.is_empty() {
        return evidence(format!("{text}; the token lacks {}", missing.join(" ")));
    }
    evidence(text)
}

fn lost(attempt: &Attempt<'_>) -> Option<Evidence> {
    let unexplained = !attempt.given && attempt.error_code().is_none();
    let text = refused_token(attempt).filter(|_| unexplained)?;
    let last = attempt.last.challenges.as_ref().filter(|last| !last.is_empty())?;
    let same = Some(last) == attempt.challenges.as_ref();
    let exchange = attempt.last.exchange;
    let host = exchange.map(|exchange| exchange.url.origin().authority()).unwrap_or_default();
    let text = format!("{text}; {host} received the token and sent the same challenge again");
    let token_is_good = has_valid_claims(attempt) && allows_pull(attempt);
    evidence_if(same && !is_basic_only(last) && token_is_good, text)
}

fn flipped(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = refused_token(attempt)?;
    let basic = attempt.last.challenges.as_ref().is_some_and(is_basic_only);
    let began_with_bearer = attempt.given || attempt.bearer().is_some();
    let text = format!("{text}; its challenge after the token offers only Basic");
    evidence_if(basic && began_with_bearer, text)
}

fn without_challenge(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = refused_token(attempt)?;
    let none = attempt.last.challenges.as_ref().is_some_and(Vec::is_empty);
    evidence_if(none, format!("{text}; the response to the token has no challenge"))
}

fn private_or_missing(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, 401)?;
    let body = &attempt.last.error_body;
    let both_codes = body.has_code("DENIED") && body.has_code("UNAUTHORIZED");
    let not_granted = attempt.access_entries().is_some() && !allows_pull(attempt);
    evidence_if(both_codes && not_granted, text)
}

fn forbidden(attempt: &Attempt<'_>) -> Option<Evidence> {
    evidence(response(attempt, 403)?)
}

/// The message of a registry that has the manifest in none of the accepted media types.
const NOT_ACCEPTED: &str = "accept header does not support";

fn not_found(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, 404)?;
    let body = &attempt.last.error_body;
    // Some registries send only UNKNOWN or NOT_FOUND, or, to regq, an empty body.
    let codes = ["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NOT_FOUND", "UNKNOWN"];
    let has_code = codes.iter().any(|code| body.has_code(code));
    let empty = !attempt.given && body.is_empty();
    evidence_if((has_code || empty) && !is_not_accepted(attempt), text)
}

fn is_not_accepted(attempt: &Attempt<'_>) -> bool {
    attempt.last.error_body.to_string().to_ascii_lowercase().contains(NOT_ACCEPTED)
}

fn accept(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, 404)?;
    evidence_if(is_not_accepted(attempt), text)
}

/// The body of the final response in lower case.
fn lowercase_body(attempt: &Attempt<'_>) -> String {
    let body = attempt.last.body.as_deref().unwrap_or_default();
    String::from_utf8_lossy(body).to_ascii_lowercase()
}

fn forwarded(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, 400)?;
    let body = lowercase_body(attempt);
    let object_store = body.contains("<error>") && body.contains("<code>");
    let words = ["auth mechanism", "authorization", "authentication"];
    evidence_if(object_store && words.iter().any(|word| body.contains(word)), text)
}

fn limited(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, 429)?;
    let limits = attempt.last.response.map(|response| response.limits.clone()).unwrap_or_default();
    evidence(std::iter::once(text).chain(limits).collect::<Vec<_>>().join("; "))
}

fn moved(attempt: &Attempt<'_>) -> Option<Evidence> {
    let from = attempt.moved_from.as_ref()?;
    let source = attempt.source.as_ref().filter(|_| attempt.challenges.is_some())?;
    let to = source.url.origin().authority();
    let text = format!("{from} redirects to {to}, which has its own challenge");
    // regq starts a new login there. It fails only if the user has credentials for the first host alone.
    let denied = error(attempt).is_some_and(|error| error.kind() == Kind::Denied);
    if denied && !attempt.sent_credentials() { evidence(text) } else { minor_evidence(text) }
}

fn too_large(attempt: &Attempt<'_>) -> Option<Evidence> {
    let message = "request header or cookie too large";
    let bad_request =
        || response(attempt, 400).filter(|_| lowercase_body(attempt).contains(message));
    let text = response(attempt, 431).or_else(bad_request)?;
    let length = attempt.token.as_ref().map(|token| token.secret.expose().len());
    let length = length.map(|length| format!("; the token has {length} bytes"));
    evidence(text + length.unwrap_or_default().as_str())
}

/// Whether a body quotes another registry's refusal, as a nested error or as the line that clients print. An
/// operating system's "permission denied" does not count.
fn quotes_refusal(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    let is_refusal = |(at, _): (usize, &str)| {
        let before = body.get(..at).unwrap_or_default().trim_end();
        !before.to_ascii_lowercase().ends_with("permission")
    };
    body.contains("DENIED") || body.match_indices("denied: ").any(is_refusal)
}

fn upstream(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, 500)?;
    evidence_if(attempt.last.body.as_deref().is_some_and(quotes_refusal), text)
}

fn digest(attempt: &Attempt<'_>) -> Option<Evidence> {
    match error(attempt) {
        Some(error @ (Error::DigestMismatch { .. } | Error::DigestHeaderDiffers { .. })) => {
            return evidence(error.to_string());
        }
        Some(_) => return None,
        None if !attempt.given => return None,
        None => {}
    }
    let (pinned, body) = (attempt.reference?.digest()?, supplied_manifest(attempt)?);
    let computed = Digest::of(pinned.algorithm(), body);
    evidence_if(computed != *pinned, format!("requested: {pinned}, body: {computed}"))
}

/// The supplied body of a successful response. It is empty if the request was a HEAD.
fn supplied_manifest<'a>(attempt: &'a Attempt<'_>) -> Option<&'a [u8]> {
    let body = attempt.last.body.as_deref().filter(|body| !body.is_empty());
    body.filter(|_| attempt.last.status == Some(200))
}

fn not_a_manifest(attempt: &Attempt<'_>) -> Option<Evidence> {
    match error(attempt) {
        Some(Error::Manifest(fault)) => return evidence(fault.to_string()),
        Some(_) => return None,
        None if !attempt.given => return None,
        None => {}
    }
    let body = supplied_manifest(attempt)?;
    let json = Json::read(body).ok();
    let has_version = json.is_some_and(|json| json.get("schemaVersion").is_some());
    let start = ErrorBody::read_redacted(body, &Secret::redactor(&attempt.secrets));
    evidence_if(!has_version, format!("the body is not a manifest: {start}"))
}

//! Rules about the token's claims, compared with the request. The claims are not verified.

use crate::dates::utc;
use crate::error::Identity;
use crate::explain::attempt::Attempt;
use crate::explain::jwt::{Access, Form, Token};
use crate::explain::rules::rule::{
    Check, Evidence, Remedy, Rule, RuleKind, evidence, evidence_if, minor_evidence,
    password_prefix, quoted_list, request_name, requested_scopes,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "access-empty",
        brief: "the token allows nothing",
        advice: "check the name, the user's rights, and that the scope was sent; it should be {scope}",
        remedy: Remedy::CorrectRequestOrLogIn,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: access_empty,
    },
    Rule {
        id: "access-no-actions",
        brief: "the token allows no actions on the repository",
        advice: "check the name, then log in as a user who may pull {repository}",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: access_no_actions,
    },
    Rule {
        id: "access-other-repository",
        brief: "the token is for another repository",
        advice: "request a token for {repository}",
        remedy: Remedy::CorrectRequestOrLogIn,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: access_other,
    },
    Rule {
        id: "access-without-pull",
        brief: "the token does not allow pulling",
        advice: "grant this user the right to pull {repository}",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: access_no_pull,
    },
    Rule {
        id: "access-missing",
        brief: "the token has no access claim",
        advice: "request a token from {realm}: this is not a registry token, but perhaps one of a web login",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: access_missing,
    },
    Rule {
        id: "audience-mismatch",
        brief: "the token is for another service",
        advice: "use service={service}: registries that share a token server have different services",
        remedy: Remedy::CorrectRequest,
        check: Check::Audience,
        kind: RuleKind::Fault,
        detect: audience,
    },
    Rule {
        id: "token-expired",
        brief: "the token has expired",
        advice: "request a new token",
        remedy: Remedy::CorrectRequest,
        check: Check::Times,
        kind: RuleKind::Fault,
        detect: expired,
    },
    Rule {
        id: "token-not-yet-valid",
        brief: "the token is not valid yet",
        advice: "synchronize the clocks of both servers (NTP): the token server's clock is ahead",
        remedy: Remedy::CorrectRequest,
        check: Check::Times,
        kind: RuleKind::Fault,
        detect: not_yet,
    },
    Rule {
        id: "local-clock-skew",
        brief: "this machine's clock is wrong",
        advice: "set the clock: TLS may fail too",
        remedy: Remedy::CorrectRequest,
        check: Check::Passed,
        kind: RuleKind::Note,
        detect: clock,
    },
    Rule {
        id: "subject-empty",
        brief: "the token is anonymous, although credentials were sent",
        advice: "check the token request: a redirect or proxy may drop the credentials, or the server ignores them",
        remedy: Remedy::LogIn,
        check: Check::Access,
        kind: RuleKind::Fault,
        detect: subject_empty,
    },
    Rule {
        id: "subject-unexpected",
        brief: "the token is for another user",
        advice: "check which entry of the credential file was used",
        remedy: Remedy::CorrectRequest,
        check: Check::Access,
        kind: RuleKind::Note,
        detect: subject_other,
    },
    Rule {
        id: "issuer-unexpected",
        brief: "the token is from another issuer",
        advice: "request it from {realm}, or compare it with the issuer in the registry's configuration",
        remedy: Remedy::CorrectRequest,
        check: Check::Issuer,
        kind: RuleKind::GivenNote,
        detect: issuer,
    },
    Rule {
        id: "token-damaged",
        brief: "the token is damaged",
        advice: "copy it again, whole, without quotes or line breaks",
        remedy: Remedy::CorrectRequest,
        check: Check::Token,
        kind: RuleKind::Fault,
        detect: damaged,
    },
    Rule {
        id: "token-opaque",
        brief: "the token is opaque; many registries use such tokens",
        advice: "rely on the registry's response: only the registry can read the token",
        remedy: Remedy::CorrectRequest,
        check: Check::Token,
        kind: RuleKind::Note,
        detect: opaque,
    },
    Rule {
        id: "token-is-a-password",
        brief: "a password was sent as a token",
        advice: "log in with it, or send it as Basic to {realm}: such an access token is a password",
        remedy: Remedy::LogIn,
        check: Check::Token,
        kind: RuleKind::GivenFault,
        detect: password,
    },
];

/// Whether a scope was requested.
fn requested_scope(attempt: &Attempt<'_>) -> bool {
    match &attempt.token_url {
        Some(url) => url.value("scope").is_some(),
        // A POST contains a scope too.
        None => attempt.token_exchange.is_some(),
    }
}

fn access_empty(attempt: &Attempt<'_>) -> Option<Evidence> {
    let empty = attempt.access_entries()?.is_empty() && requested_scope(attempt);
    let text = format!("the token's access is [], although {} has a scope", request_name(attempt));
    evidence_if(empty, text)
}

fn access_no_actions(attempt: &Attempt<'_>) -> Option<Evidence> {
    let entry = attempt.access_entry().filter(|entry| entry.actions.is_empty())?;
    evidence(format!("the token's access has {:?} without actions", entry.name))
}

fn access_other(attempt: &Attempt<'_>) -> Option<Evidence> {
    let expected = attempt.expected_repository()?;
    if attempt.access_entry().is_some() {
        return None;
    }
    let mut entries = attempt.access_entries()?;
    entries.retain(|entry| entry.is_repository());
    let names = quoted_list(entries.iter().map(|entry| &entry.name));
    let text = format!("the token's access: {names}, expected: {expected:?}");
    evidence_if(!entries.is_empty(), text)
}

fn access_no_pull(attempt: &Attempt<'_>) -> Option<Evidence> {
    let entry = attempt.access_entry()?;
    let lacks_pull = !entry.actions.is_empty() && !entry.allows("pull");
    let text = format!("the token's access is {:?}", entry.as_scope());
    evidence_if(lacks_pull && !attempt.challenge_excludes_pull(&entry.name), text)
}

fn access_missing(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = "the token has no access claim";
    match attempt.access()? {
        // A token that regq got from the realm is of the registry's kind.
        Access::Missing if attempt.given && grants_by_repository(attempt) => evidence(text),
        Access::Missing => minor_evidence(text),
        Access::Unreadable | Access::Entries(_) => None,
    }
}

/// Whether, as far as we know, this registry issues tokens per repository. Tokens of Gitea and others have no access
/// claim, and the challenges of these registries request `*` or nothing.
fn grants_by_repository(attempt: &Attempt<'_>) -> bool {
    if attempt.is_docker_hub() {
        return true;
    }
    match (attempt.bearer(), attempt.challenge_param("scope")) {
        (Some(_), Some(_)) => !attempt.challenge_scopes().is_empty(),
        (Some(_), None) => attempt.challenge_param("service").is_some(),
        (None, _) => !requested_scopes(attempt).is_empty(),
    }
}

pub(super) fn audience(attempt: &Attempt<'_>) -> Option<Evidence> {
    let service = attempt.challenge_param("service")?;
    let audience = attempt.token.as_ref()?.claims()?.audience()?;
    let names = quoted_list(audience.iter());
    let names = if names.is_empty() { "empty".to_owned() } else { names };
    let text = format!("the token's aud: {names}, the challenge's service: {service:?}");
    evidence_if(!audience.iter().any(|one| one == service), text)
}

/// The clock difference that distribution tolerates when it checks a token's times, in seconds.
const LEEWAY: i64 = 60;

pub(super) fn expired(attempt: &Attempt<'_>) -> Option<Evidence> {
    let claims = attempt.token.as_ref()?.claims()?;
    let (expires, date) = (claims.time("exp")?, attempt.last.date?);
    let age = date.saturating_sub(expires);
    let (expires, date) = (claims.formatted_time("exp")?, utc(date)?);
    let text = format!("expired: {expires}, the registry's Date: {date}");
    match age {
        ..0 => None,
        // Registries tolerate small clock differences, unless the response shows otherwise.
        0..=LEEWAY if attempt.error_code() != Some("invalid_token") => minor_evidence(text),
        _ => evidence(text),
    }
}

pub(super) fn not_yet(attempt: &Attempt<'_>) -> Option<Evidence> {
    let claims = attempt.token.as_ref()?.claims()?;
    let (begins, date) = (claims.time("nbf")?, attempt.last.date?);
    let early = begins.saturating_sub(date);
    let (begins, date) = (claims.formatted_time("nbf")?, utc(date)?);
    let text = format!("valid from: {begins}, the registry's Date: {date}, {early} s earlier");
    evidence_if(early > LEEWAY, text)
}

/// The largest difference between two servers' clocks that agree, in seconds.
const MAX_SERVER_SKEW: u64 = 5;

fn clock(attempt: &Attempt<'_>) -> Option<Evidence> {
    let exchange = attempt.token_exchange?;
    let token = exchange.response.as_ref()?.date?.checked_sub(exchange.at)?;
    let registry = attempt.last.date?.checked_sub(attempt.last.exchange?.at)?;
    let servers_agree = token.abs_diff(registry) <= MAX_SERVER_SKEW;
    let wrong = |clock: i64| clock.unsigned_abs() > LEEWAY.unsigned_abs();
    let seconds = registry.unsigned_abs();
    let text = format!("the Date of both servers differs from this machine's clock by {seconds} s");
    evidence_if(servers_agree && wrong(token) && wrong(registry), text)
}

fn subject_empty(attempt: &Attempt<'_>) -> Option<Evidence> {
    let subject = attempt.token.as_ref()?.claims()?.text("sub")?;
    let anonymous = subject.is_empty() && attempt.sent_credentials();
    let sent = match attempt.user() {
        // Clients name the user whose password they send.
        Some(user) if attempt.given => format!("the token URL names the user {user:?}"),
        Some(user) => format!("credentials of {user:?} were sent"),
        None => "credentials were sent".to_owned(),
    };
    evidence_if(anonymous, format!("the token's sub is empty, although {sent}"))
}

fn subject_other(attempt: &Attempt<'_>) -> Option<Evidence> {
    let subject = attempt.token.as_ref()?.claims()?.text("sub").filter(|sub| !sub.is_empty())?;
    let user = attempt.user()?;
    let source = match attempt.token_exchange.map(|exchange| &exchange.identity) {
        Some(Identity::Credential { source: Some(source), .. }) => format!(" from {source}"),
        _ => String::new(),
    };
    let text = format!(
        "the token's sub: {subject:?}, the user whose credentials{source} were sent: {user:?}"
    );
    evidence_if(subject != user, text)
}

fn issuer(attempt: &Attempt<'_>) -> Option<Evidence> {
    let issuer = attempt.token.as_ref()?.claims()?.text("iss")?;
    let own = Token::read(attempt.own_token.clone()?).claims()?.text("iss")?;
    let text = format!(
        "the token's iss: {issuer:?}, iss of a token that regq got from the realm: {own:?}"
    );
    evidence_if(issuer != own, text)
}

fn damaged(attempt: &Attempt<'_>) -> Option<Evidence> {
    let token = attempt.token.as_ref()?;
    // In a copied token, a line break is damage. In a token from a server it is a separate fault: token-not-printable.
    if !attempt.given && token.secret.expose().bytes().any(|byte| !byte.is_ascii_graphic()) {
        return None;
    }
    match &token.form {
        Form::Damaged { why, .. } => evidence(format!("the token looks like a JWT, but {why}")),
        Form::Jwt { .. } | Form::Opaque => None,
    }
}

fn opaque(attempt: &Attempt<'_>) -> Option<Evidence> {
    let token = attempt.token.as_ref().filter(|token| matches!(token.form, Form::Opaque))?;
    let printable = token.secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    let is_password = attempt.given && password_prefix(attempt).is_some();
    let text = format!("the token is not a JWT ({})", token.fingerprint());
    evidence_if(printable && !is_password, text)
}

fn password(attempt: &Attempt<'_>) -> Option<Evidence> {
    evidence(format!("the token begins with {}", password_prefix(attempt)?))
}

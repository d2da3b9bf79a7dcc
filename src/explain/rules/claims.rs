//! What the token says of itself, held against what was asked for. Nothing of it is verified.

use crate::dates::utc;
use crate::error::Identity;
use crate::explain::attempt::Attempt;
use crate::explain::jwt::{Access, Form, Token};
use crate::explain::rules::rule::{
    Check, Rule, RuleKind, Sign, asked_scopes, asker, password_prefix, seen, slightly,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "access-empty",
        brief: "the token allows nothing",
        advice: "the name may be wrong, or not for everybody, or the server ignored the scope: the challenge's is {scope}",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: access_empty,
    },
    Rule {
        id: "access-no-actions",
        brief: "the token names the repository and allows nothing there",
        advice: "the name was understood: it does not exist, or this user may not read it",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: access_no_actions,
    },
    Rule {
        id: "access-other-repository",
        brief: "the token is for another repository",
        advice: "ask for {repository}",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: access_other,
    },
    Rule {
        id: "access-without-pull",
        brief: "the token does not allow to pull",
        advice: "this user needs the right to pull from {repository}",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: access_no_pull,
    },
    Rule {
        id: "access-missing",
        brief: "the token says nothing of what it allows",
        advice: "it is not a registry's token, as a web login's is not: get one from {realm}",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: access_missing,
    },
    Rule {
        id: "audience-mismatch",
        brief: "the token is for another service",
        advice: "ask for service={service}; where two registries share a token server, each has its own",
        check: Check::Audience,
        kind: RuleKind::Fault,
        sees: audience,
    },
    Rule {
        id: "token-expired",
        brief: "the token has expired",
        advice: "fetch a new one",
        check: Check::Times,
        kind: RuleKind::Fault,
        sees: expired,
    },
    Rule {
        id: "token-not-yet-valid",
        brief: "the token is not valid yet",
        advice: "the token server's clock is ahead of the registry's: both need NTP",
        check: Check::Times,
        kind: RuleKind::Fault,
        sees: not_yet,
    },
    Rule {
        id: "local-clock-skew",
        brief: "this machine's clock is wrong",
        advice: "set it: TLS may fail too",
        check: Check::Passed,
        kind: RuleKind::Note,
        sees: clock,
    },
    Rule {
        id: "subject-empty",
        brief: "the token is for nobody, though credentials were sent",
        advice: "they were lost on the way (a redirect, a proxy) or ignored: check the request",
        check: Check::Access,
        kind: RuleKind::Fault,
        sees: subject_empty,
    },
    Rule {
        id: "subject-unexpected",
        brief: "the token is for another user",
        advice: "check which entry of the credential file was used",
        check: Check::Access,
        kind: RuleKind::Note,
        sees: subject_other,
    },
    Rule {
        id: "issuer-unexpected",
        brief: "the token is another system's",
        advice: "get it from {realm}, or hold the registry's configured issuer against it",
        check: Check::Issuer,
        kind: RuleKind::GivenNote,
        sees: issuer,
    },
    Rule {
        id: "token-damaged",
        brief: "the token is damaged",
        advice: "copy it again, whole, without quotes and line ends",
        check: Check::Token,
        kind: RuleKind::Fault,
        sees: damaged,
    },
    Rule {
        id: "token-opaque",
        brief: "the token cannot be read, which is normal here and there",
        advice: "only the registry can tell what it allows",
        check: Check::Token,
        kind: RuleKind::Note,
        sees: opaque,
    },
    Rule {
        id: "token-is-a-password",
        brief: "a password was sent as a token",
        advice: "an access token of this kind is a password: log in with it, or send it as Basic to {realm}",
        check: Check::Token,
        kind: RuleKind::GivenFault,
        sees: password,
    },
];

/// True when a scope was asked for.
fn asked_for_scope(attempt: &Attempt<'_>) -> bool {
    match &attempt.asked {
        Some(asked) => asked.value("scope").is_some(),
        // regq posts a scope too.
        None => attempt.server.is_some(),
    }
}

fn access_empty(attempt: &Attempt<'_>) -> Option<Sign> {
    let empty = attempt.entries()?.is_empty() && asked_for_scope(attempt);
    empty
        .then(|| seen(format!("the token's access is [], and {} asks for a scope", asker(attempt))))
        .flatten()
}

fn access_no_actions(attempt: &Attempt<'_>) -> Option<Sign> {
    let entry = attempt.entry().filter(|entry| entry.actions.is_empty())?;
    seen(format!("the token's access has {:?} with no actions", entry.name))
}

fn access_other(attempt: &Attempt<'_>) -> Option<Sign> {
    let wanted = attempt.wanted()?;
    if attempt.entry().is_some() {
        return None;
    }
    let entries = attempt.entries()?;
    let names: Vec<_> = entries
        .iter()
        .filter(|entry| entry.is_repository())
        .map(|entry| format!("{:?}", entry.name))
        .take(5)
        .collect();
    let text = format!("the token's access is for {}, not for {wanted:?}", names.join(", "));
    (!names.is_empty()).then(|| seen(text)).flatten()
}

fn access_no_pull(attempt: &Attempt<'_>) -> Option<Sign> {
    let entry =
        attempt.entry().filter(|entry| !entry.actions.is_empty() && !entry.allows("pull"))?;
    let text = format!("the token's access is {:?}", entry.shown());
    (!attempt.wants_no_pull(&entry.name)).then(|| seen(text)).flatten()
}

fn access_missing(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = "the token has no access claim".to_owned();
    match attempt.access()? {
        // What the realm itself gave is the registry's kind of token.
        Access::Missing if attempt.given && is_granted_by_name(attempt) => seen(text),
        Access::Missing => slightly(text),
        Access::Unreadable | Access::Entries(_) => None,
    }
}

/// True where tokens are for repositories, as far as is known. Those of others, such as Gitea's, say nothing of
/// access, and their challenges ask for `*` or for nothing at all.
fn is_granted_by_name(attempt: &Attempt<'_>) -> bool {
    if attempt.is_docker_hub() {
        return true;
    }
    match (attempt.bearer(), attempt.param("scope")) {
        (Some(_), Some(_)) => !attempt.challenged().is_empty(),
        (Some(_), None) => attempt.param("service").is_some(),
        (None, _) => !asked_scopes(attempt).is_empty(),
    }
}

pub(super) fn audience(attempt: &Attempt<'_>) -> Option<Sign> {
    let service = attempt.param("service")?;
    let audience = attempt.token.as_ref()?.claims()?.audience()?;
    let named: Vec<_> = audience.iter().take(5).map(|one| format!("{one:?}")).collect();
    let named = if named.is_empty() { "nobody".to_owned() } else { named.join(", ") };
    let text = format!("the token's aud is {named}, the challenge's service {service:?}");
    (!audience.iter().any(|one| one == service)).then(|| seen(text)).flatten()
}

/// How far the times in a token may be off without being refused, in seconds: distribution's own leeway.
const LEEWAY: i64 = 60;

pub(super) fn expired(attempt: &Attempt<'_>) -> Option<Sign> {
    let claims = attempt.token.as_ref()?.claims()?;
    let (expires, date) = (claims.time("exp")?, attempt.last.date?);
    let over = date.saturating_sub(expires);
    let (expires, date) = (claims.shown_time("exp")?, utc(date)?);
    let text = format!("the token expired at {expires}, the registry's Date is {date}");
    match over {
        ..0 => None,
        // Registries allow for clocks that differ, unless they say that they did not.
        0..=LEEWAY if attempt.error_code() != Some("invalid_token") => slightly(text),
        _ => seen(text),
    }
}

pub(super) fn not_yet(attempt: &Attempt<'_>) -> Option<Sign> {
    let claims = attempt.token.as_ref()?.claims()?;
    let (begins, date) = (claims.time("nbf")?, attempt.last.date?);
    let early = begins.saturating_sub(date);
    let (begins, date) = (claims.shown_time("nbf")?, utc(date)?);
    let text =
        format!("the token is valid from {begins} on, in {early} s: the registry's Date is {date}");
    (early > LEEWAY).then(|| seen(text)).flatten()
}

/// Two servers whose clocks agree so far agree, in seconds.
const AGREED: u64 = 5;

fn clock(attempt: &Attempt<'_>) -> Option<Sign> {
    let server = attempt.server?;
    let token = server.reply.as_ref()?.date?.checked_sub(server.at)?;
    let registry = attempt.last.date?.checked_sub(attempt.last.hop?.at)?;
    let apart = token.abs_diff(registry);
    let text =
        format!("both servers' Date is {} s off this machine's clock", registry.unsigned_abs());
    let off = |clock: i64| clock.unsigned_abs() > LEEWAY.unsigned_abs();
    (apart <= AGREED && off(token) && off(registry)).then(|| seen(text)).flatten()
}

fn subject_empty(attempt: &Attempt<'_>) -> Option<Sign> {
    let subject = attempt.token.as_ref()?.claims()?.text("sub")?;
    let lost = subject.is_empty() && attempt.sent_credentials();
    let user = attempt.user().map(|user| format!(" of {user:?}")).unwrap_or_default();
    let sent = match attempt.user() {
        // Clients name the user whose password goes along.
        Some(user) if attempt.given => format!("the token URL names the user {user:?}"),
        _ => format!("credentials{user} were sent"),
    };
    lost.then(|| seen(format!("the token's sub is empty, and {sent}"))).flatten()
}

fn subject_other(attempt: &Attempt<'_>) -> Option<Sign> {
    let subject = attempt.token.as_ref()?.claims()?.text("sub").filter(|sub| !sub.is_empty())?;
    let user = attempt.user()?;
    let place = match attempt.server.map(|hop| &hop.identity) {
        Some(Identity::Credential { source: Some(place), .. }) => format!(" from {place}"),
        _ => String::new(),
    };
    let text =
        format!("the token's sub is {subject:?}, and credentials of {user:?}{place} were sent");
    (subject != user).then(|| seen(text)).flatten()
}

fn issuer(attempt: &Attempt<'_>) -> Option<Sign> {
    let given = attempt.token.as_ref()?.claims()?.text("iss")?;
    let own = Token::read(attempt.other.clone()?);
    let issuer = own.claims()?.text("iss")?;
    let text = format!(
        "the token's iss is {given:?}, and a token that regq got from the realm has {issuer:?}"
    );
    (given != issuer).then(|| seen(text)).flatten()
}

fn damaged(attempt: &Attempt<'_>) -> Option<Sign> {
    let token = attempt.token.as_ref()?;
    // A line end in a token that somebody copied is damage; in one that came from a server it is worse.
    if !attempt.given && token.secret.expose().bytes().any(|byte| !byte.is_ascii_graphic()) {
        return None;
    }
    match &token.form {
        Form::Damaged { why, .. } => seen(format!("the token looks like a JWT, but {why}")),
        Form::Jwt { .. } | Form::Opaque => None,
    }
}

fn opaque(attempt: &Attempt<'_>) -> Option<Sign> {
    let token = attempt.token.as_ref().filter(|token| matches!(token.form, Form::Opaque))?;
    let plain = token.secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    let plain = plain && (!attempt.given || password_prefix(attempt).is_none());
    plain.then(|| seen(format!("the token is no JWT ({})", token.shown()))).flatten()
}

fn password(attempt: &Attempt<'_>) -> Option<Sign> {
    seen(format!("the token begins with {}", password_prefix(attempt)?))
}

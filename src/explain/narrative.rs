//! Describes a login step by step: connections, requests, responses, challenges, and the token's claims.

use std::fmt::Write as _;

use crate::credentials::Secret;
use crate::dates::utc;
use crate::error::{Error, Identity, Party, with_sources};
use crate::explain::attempt::{Attempt, FinalResponse};
use crate::explain::jwt::{Access, Form, Object, Token};
use crate::explain::recording::{
    Authorization, Record, RecordedExchange, RecordedResponse, Recording,
};
use crate::explain::supplied::TokenBody;
use crate::http::challenge::{self, Challenge, ChallengeError};
use crate::oci::ErrorBody;
use crate::reference::Reference;

/// One step of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The kind of step, such as `challenge` or `token-request`.
    pub step: &'static str,
    /// What happened, on one line.
    pub detail: String,
}

fn step(step: &'static str, detail: impl Into<String>) -> Step {
    Step { step, detail: detail.into() }
}

/// Describes how a reference was parsed.
pub(super) fn name(reference: &Reference) -> Step {
    let registry = reference.registry();
    let endpoint = match (registry.name(), registry.api_host()) {
        (name, host) if name.starts_with(host) => String::new(),
        (_, host) => format!(", endpoint {host}"),
    };
    step("name", format!("{}{endpoint}", full_name(reference)))
}

fn full_name(reference: &Reference) -> String {
    let repository = reference.repository();
    let separator = if reference.digest().is_some() { '@' } else { ':' };
    format!("{repository}{separator}{}", reference.tag_or_digest())
}

/// Describes supplied data.
pub(super) fn given(attempt: &Attempt<'_>, challenge_given: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(url) = &attempt.token_url {
        steps.push(step("given", format!("token request: {}", url.redacted())));
    }
    match (&attempt.token, &attempt.token_body) {
        (Some(token), _) => {
            steps.push(step("given", format!("token: {}", described(token))));
            steps.extend(claims(attempt, token));
        }
        (None, Some(_)) => {
            steps.push(step("given", "the token server's response contains no token"))
        }
        (None, None) => {}
    }
    if challenge_given {
        let response =
            if attempt.last.token_sent { "response to the token" } else { "first response" };
        if attempt.lines.is_empty() {
            steps.push(step("given", format!("{response}: no WWW-Authenticate header")));
        }
        for line in &attempt.lines {
            let line = String::from_utf8_lossy(line);
            steps.push(step("given", format!("{response}: WWW-Authenticate: {line}")));
        }
        steps.extend(challenges(attempt.challenges.as_deref().unwrap_or_default()));
    }
    let FinalResponse { status, error_body, body, date, .. } = &attempt.last;
    let response = match (status, body) {
        (Some(_), None) if challenge_given => None,
        (Some(status), _) => Some(format!("last response: {status}")),
        (None, Some(body)) => Some(format!("body: {} bytes", body.len())),
        (None, None) => None,
    };
    if let Some(mut text) = response {
        if !error_body.is_empty() {
            let _ = write!(text, "; it says {error_body}");
        }
        if status.is_none() {
            text.push_str("; not used: the response's status is unknown");
        }
        steps.push(step("given", text));
    }
    if let (Some(date), None) = (date.and_then(utc), &attempt.token) {
        steps.push(step("given", format!("date: {date}; not used: there is no token")));
    }
    steps
}

/// Describes regq's own walk.
pub(super) fn recorded(recording: &Recording, attempt: &Attempt<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    // A repeated challenge is shown once.
    let mut shown_challenges = None;
    let mut token_shown = false;
    for record in &recording.records {
        match record {
            // The connection shows the same addresses.
            Record::Resolved { host, addresses } if recording.has_connected(host, addresses) => {}
            Record::Resolved { host, addresses } => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let at = addresses.join(", ");
                steps.push(step("connection", format!("{host} at {at}: not connected")));
            }
            Record::Connected { host, addresses, tls } => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let tls = tls.as_deref().unwrap_or("without TLS");
                steps
                    .push(step("connection", format!("{host} at {}, {tls}", addresses.join(", "))));
            }
            Record::PlainHttp { host } => {
                steps
                    .push(step("connection", format!("{host} does not use TLS: using plain HTTP")));
            }
            Record::CredentialLookup { source, result } => {
                let source = if source.is_empty() { "the command line" } else { source };
                steps.push(step("credentials", format!("{source}: {result}")));
            }
            Record::CredentialProblem { text } => steps.push(step("credentials", text.clone())),
            Record::Exchange(exchange) => {
                let (request, response_step) = match exchange.party {
                    Party::Registry => ("request", "answer"),
                    Party::TokenServer => ("token-request", "token-answer"),
                };
                let (method, url) = (&exchange.method, exchange.url.redacted());
                steps.push(step(request, format!("{method} {url}, {}", authorization(exchange))));
                let Some(response) = &exchange.response else {
                    steps.push(step(response_step, "none"));
                    continue;
                };
                steps.push(step(response_step, described_response(exchange, response)));
                let challenged = response.status == 401 && exchange.party == Party::Registry;
                if challenged && shown_challenges != Some(&response.challenges) {
                    shown_challenges = Some(&response.challenges);
                    let lines = response.challenges.iter().map(Vec::as_slice);
                    steps.extend(challenges(&challenge::parse(lines)));
                }
                // Each response may contain another token.
                if exchange.party == Party::TokenServer && (200..300).contains(&response.status) {
                    let token = TokenBody::read(&response.body).token.map(Token::read);
                    token_shown |= token.is_some();
                    steps.extend(token.iter().flat_map(|token| claims(attempt, token)));
                }
            }
        }
    }
    if let (Some(token), false) = (&attempt.token, token_shown) {
        steps.push(step("token", described(token)));
        steps.extend(claims(attempt, token));
    }
    steps
}

/// Describes the error that ended the walk, with its causes.
pub(super) fn ended(error: &Error) -> Step {
    step("error", with_sources(error))
}

fn authorization(exchange: &RecordedExchange) -> String {
    match (&exchange.authorization, &exchange.identity) {
        (Authorization::None, Identity::Credential { .. }) if exchange.method == "POST" => {
            format!("with {}", exchange.identity)
        }
        (Authorization::None, _) => "without credentials".to_owned(),
        (Authorization::Bearer(token), _) => {
            format!("with the token ({})", Token::read(token.clone()).fingerprint())
        }
        (Authorization::Basic, identity) => format!("with {identity}"),
    }
}

fn described_response(exchange: &RecordedExchange, response: &RecordedResponse) -> String {
    let mut text = response.status.to_string();
    if let Some(location) =
        response.location.as_deref().filter(|_| (300..400).contains(&response.status))
    {
        let to = exchange.url.join(location).map_or_else(|_| "?".to_owned(), |url| url.redacted());
        let _ = write!(text, ", redirect to {to}");
    }
    if response.status == 401 {
        for line in &response.challenges {
            let _ = write!(text, "; WWW-Authenticate: {}", String::from_utf8_lossy(line));
        }
        if response.challenges.is_empty() && exchange.party == Party::Registry {
            text.push_str(", without WWW-Authenticate");
        }
    }
    let good = (200..300).contains(&response.status);
    let error_body = ErrorBody::read_redacted(&response.body, &Secret::redactor(&exchange.secrets));
    if !good && !error_body.is_empty() {
        let _ = write!(text, "; it says {error_body}");
    }
    if let (true, Party::TokenServer) = (good, exchange.party) {
        let token = TokenBody::read(&response.body).token.map(Token::read);
        let token =
            token.map_or("no token".to_owned(), |token| format!("token: {}", described(&token)));
        let _ = write!(text, ", {token}");
    }
    for limit in &response.limits {
        let _ = write!(text, "; {limit}");
    }
    text
}

fn described(token: &Token) -> String {
    let form = match &token.form {
        Form::Jwt { .. } => "JWT",
        Form::Damaged { .. } => "damaged JWT",
        Form::Opaque => "opaque",
    };
    format!("{form}, {}", token.fingerprint())
}

/// Describes parsed challenges.
fn challenges(challenges: &[Result<Challenge, ChallengeError>]) -> Vec<Step> {
    let describe = |challenge: &Result<Challenge, ChallengeError>| match challenge {
        Ok(challenge) => {
            let mut text = challenge.scheme().to_owned();
            if let Some(token) = challenge.token68() {
                let _ = write!(text, " {token}");
            }
            for (name, value) in challenge.params() {
                let _ = write!(text, ", {name} {value:?}");
            }
            text
        }
        Err(error) => format!("malformed: {error}"),
    };
    challenges.iter().map(|one| step("challenge", describe(one))).collect()
}

/// Describes the token's claims.
fn claims(attempt: &Attempt<'_>, token: &Token) -> Vec<Step> {
    // Claims of an unsigned token are shown, but rules ignore them.
    let (claims, label) = match (&token.form, token.claims()) {
        (_, Some(claims)) => (claims, "unverified"),
        (Form::Damaged { claims: Some(claims), .. }, None) => (claims, "of a damaged token"),
        _ => return Vec::new(),
    };
    let text = |name: &str| claims.text(name).map(|text| format!("{text:?}"));
    let audience = claims.audience().map(|names| {
        names.iter().take(5).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    });
    let who = [("issuer", text("iss")), ("audience", audience), ("subject", text("sub"))];
    let who = who
        .into_iter()
        .map(|(name, value)| format!("{name} {}", value.unwrap_or_else(|| "unknown".to_owned())));
    let who = who.collect::<Vec<_>>().join(", ");
    let mut steps = vec![step("claims", format!("{label}: {who}"))];
    let times = times(claims, attempt.last.date);
    if !times.is_empty() {
        steps.push(step("claims", times));
    }
    steps.push(step("access", access(attempt, claims)));
    steps
}

fn times(claims: &Object, date: Option<i64>) -> String {
    let named = [("issued", "iat"), ("not before", "nbf"), ("expires", "exp")];
    let mut times: Vec<_> = named
        .into_iter()
        .filter_map(|(name, claim)| Some(format!("{name} {}", claims.formatted_time(claim)?)))
        .collect();
    if let Some((date, shown)) = date.and_then(|date| Some((date, utc(date)?)))
        && let Some(expires) = claims.time("exp")
    {
        let left = expires.saturating_sub(date);
        times.push(match left {
            1.. => format!("{left} s left at the registry's Date, {shown}"),
            _ => format!("expired {} s before the registry's Date, {shown}", left.unsigned_abs()),
        });
    }
    if !times.is_empty() && date.is_none() {
        times.push("not checked: the response's Date is unknown".to_owned());
    }
    times.join(", ")
}

/// Describes what the token allows and what the challenge requires.
fn access(attempt: &Attempt<'_>, claims: &Object) -> String {
    let granted = match claims.access() {
        Access::Missing => "claim missing".to_owned(),
        Access::Unreadable => "unreadable".to_owned(),
        Access::Entries(entries) if entries.is_empty() => "nothing".to_owned(),
        Access::Entries(entries) => {
            entries.iter().take(5).map(|entry| entry.as_scope()).collect::<Vec<_>>().join(" ")
        }
    };
    match attempt.challenge_param("scope") {
        Some(scope) => format!("{granted}; the challenge requires {scope}"),
        None => granted,
    }
}

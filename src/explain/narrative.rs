//! The walk told step by step, for people: who was asked, what came back, and what the token says.

use std::fmt::Write as _;

use crate::dates::utc;
use crate::error::{Error, Identity, Party};
use crate::explain::attempt::{Attempt, Last};
use crate::explain::jwt::{Access, Form, Object, Token};
use crate::explain::recording::{Hop, Recording, Reply, Seen, Sent};
use crate::explain::supplied::TokenAnswer;
use crate::http::challenge::{self, Challenge, ChallengeError};
use crate::oci::ErrorBody;
use crate::reference::Reference;

/// One step: what it is, and what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Such as `challenge` or `token-request`.
    pub step: &'static str,
    /// One line of text; long where servers say much.
    pub detail: String,
}

fn step(step: &'static str, detail: impl Into<String>) -> Step {
    Step { step, detail: detail.into() }
}

/// How a name is read.
pub(super) fn name(reference: &Reference) -> Step {
    let registry = reference.registry();
    let asked = match (registry.name(), registry.api_host()) {
        (name, host) if name.starts_with(host) => String::new(),
        (_, host) => format!(", asked at {host}"),
    };
    step("name", format!("{}{asked}", full(reference)))
}

fn full(reference: &Reference) -> String {
    let repository = reference.repository();
    let separator = if reference.digest().is_some() { '@' } else { ':' };
    format!("{repository}{separator}{}", reference.tag_or_digest())
}

/// The pieces that somebody gave.
pub(super) fn given(attempt: &Attempt<'_>, challenge_given: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(asked) = &attempt.asked {
        steps.push(step("given", format!("the token server was asked {}", asked.shown())));
    }
    match (&attempt.token, &attempt.answer) {
        (Some(token), _) => {
            steps.push(step("given", format!("a token: {}", described(token))));
            steps.extend(claims(attempt, token));
        }
        (None, Some(_)) => {
            steps.push(step("given", "what the token server answered holds no token"))
        }
        (None, None) => {}
    }
    if challenge_given {
        let to =
            if attempt.last.token_sent { "the answer to the token" } else { "the first answer" };
        if attempt.lines.is_empty() {
            steps.push(step("given", format!("{to} has no WWW-Authenticate header")));
        }
        for line in &attempt.lines {
            let line = String::from_utf8_lossy(line);
            steps.push(step("given", format!("{to} has WWW-Authenticate: {line}")));
        }
        steps.extend(challenges(attempt.challenges.as_deref().unwrap_or_default()));
    }
    let Last { status, words, body, date, .. } = &attempt.last;
    let answer = match (status, body) {
        (Some(_), None) if challenge_given => None,
        (Some(status), _) => Some(format!("the final answer is {status}")),
        (None, Some(body)) => Some(format!("a body of {} bytes", body.len())),
        (None, None) => None,
    };
    if let Some(mut text) = answer {
        if !words.is_empty() {
            let _ = write!(text, "; it says {words}");
        }
        if status.is_none() {
            text.push_str("; without the answer's status it tells nothing");
        }
        steps.push(step("given", text));
    }
    if let (Some(date), None) = (date.and_then(utc), &attempt.token) {
        steps.push(step("given", format!("the date {date}; without a token it tells nothing")));
    }
    steps
}

/// What regq did and saw.
pub(super) fn walked(walk: &Recording, attempt: &Attempt<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    // A challenge that comes again says nothing new.
    let mut challenge_told = None;
    let mut token_told = false;
    for seen in &walk.seen {
        match seen {
            // A connection is told with its addresses.
            Seen::Resolved { host, addresses } if walk.has_connected(host, addresses) => {}
            Seen::Resolved { host, addresses } => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let at = addresses.join(", ");
                steps.push(step("connection", format!("{host} at {at}: none was made")));
            }
            Seen::Connected { host, addresses, tls } => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let tls = tls.as_deref().unwrap_or("without TLS");
                steps
                    .push(step("connection", format!("{host} at {}, {tls}", addresses.join(", "))));
            }
            Seen::PlainHttp { host } => {
                steps.push(step(
                    "connection",
                    format!("{host} does not speak TLS: asked in plain http"),
                ));
            }
            Seen::Looked { place, look } => {
                let place = if place.is_empty() { "the command line" } else { place };
                steps.push(step("credentials", format!("{place}: {look}")));
            }
            Seen::CredentialFault { text } => steps.push(step("credentials", text.clone())),
            Seen::Hop(hop) => {
                let (request, answer) = match hop.party {
                    Party::Registry => ("request", "answer"),
                    Party::TokenServer => ("token-request", "token-answer"),
                };
                let (method, url) = (&hop.method, hop.url.redacted());
                steps.push(step(request, format!("{method} {url}, {}", sent(hop))));
                let Some(reply) = &hop.reply else {
                    steps.push(step(answer, "none"));
                    continue;
                };
                steps.push(step(answer, said(hop, reply)));
                let challenged = reply.status == 401 && hop.party == Party::Registry;
                if challenged && challenge_told != Some(&reply.challenges) {
                    challenge_told = Some(&reply.challenges);
                    let lines = reply.challenges.iter().map(Vec::as_slice);
                    steps.extend(challenges(&challenge::parse(lines)));
                }
                // Each answer's own token: a second one may be another.
                if hop.party == Party::TokenServer && (200..300).contains(&reply.status) {
                    let token = TokenAnswer::read(&reply.body).token.map(Token::read);
                    token_told |= token.is_some();
                    steps.extend(token.iter().flat_map(|token| claims(attempt, token)));
                }
            }
        }
    }
    if let (Some(token), false) = (&attempt.token, token_told) {
        steps.push(step("token", described(token)));
        steps.extend(claims(attempt, token));
    }
    steps
}

/// What ended the walk.
pub(super) fn ended(error: &Error) -> Step {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        let _ = write!(text, ": {source}");
        next = source.source();
    }
    step("error", text)
}

fn sent(hop: &Hop) -> String {
    match (&hop.sent, &hop.identity) {
        (Sent::Nothing, Identity::Credential { .. }) if hop.method == "POST" => {
            format!("with {}", hop.identity)
        }
        (Sent::Nothing, _) => "without credentials".to_owned(),
        (Sent::Bearer(token), _) => {
            format!("with the token ({})", Token::read(token.clone()).shown())
        }
        (Sent::Basic, identity) => format!("with {identity}"),
    }
}

fn said(hop: &Hop, reply: &Reply) -> String {
    let mut text = reply.status.to_string();
    if let Some(location) = reply.location.as_deref().filter(|_| (300..400).contains(&reply.status))
    {
        let to = hop.url.join(location).map_or_else(|_| "?".to_owned(), |url| url.redacted());
        let _ = write!(text, ", to {to}");
    }
    if reply.status == 401 {
        for line in &reply.challenges {
            let _ = write!(text, "; WWW-Authenticate: {}", String::from_utf8_lossy(line));
        }
        if reply.challenges.is_empty() && hop.party == Party::Registry {
            text.push_str(", without WWW-Authenticate");
        }
    }
    let good = (200..300).contains(&reply.status);
    let words =
        ErrorBody::read_without(&reply.body, &crate::credentials::Secret::redactor(&hop.secrets));
    if !good && !words.is_empty() {
        let _ = write!(text, "; it says {words}");
    }
    if let (true, Party::TokenServer) = (good, hop.party) {
        let token = TokenAnswer::read(&reply.body).token.map(Token::read);
        let token =
            token.map_or("no token".to_owned(), |token| format!("a token: {}", described(&token)));
        let _ = write!(text, ", {token}");
    }
    for limit in &reply.limits {
        let _ = write!(text, "; {limit}");
    }
    text
}

fn described(token: &Token) -> String {
    let form = match &token.form {
        Form::Jwt { .. } => "a JWT",
        Form::Damaged { .. } => "a damaged JWT",
        Form::Opaque => "opaque",
    };
    format!("{form}, {}", token.shown())
}

/// The challenges as they were read.
fn challenges(challenges: &[Result<Challenge, ChallengeError>]) -> Vec<Step> {
    let read = |challenge: &Result<Challenge, ChallengeError>| match challenge {
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
        Err(error) => format!("cannot be read: {error}"),
    };
    challenges.iter().map(|one| step("challenge", read(one))).collect()
}

/// What the token says of itself.
fn claims(attempt: &Attempt<'_>, token: &Token) -> Vec<Step> {
    // Those of a token that is not signed are for people alone.
    let (claims, whose) = match (&token.form, token.claims()) {
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
    let mut steps = vec![step("claims", format!("{whose}: {who}"))];
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
        .filter_map(|(name, claim)| Some(format!("{name} {}", claims.shown_time(claim)?)))
        .collect();
    if let Some((date, shown)) = date.and_then(|date| Some((date, utc(date)?)))
        && let Some(expires) = claims.time("exp")
    {
        let left = expires.saturating_sub(date);
        times.push(match left {
            1.. => format!("{left} s left at the registry's Date, {shown}"),
            _ => format!("over since {} s at the registry's Date, {shown}", left.unsigned_abs()),
        });
    }
    if !times.is_empty() && date.is_none() {
        times.push("not judged: no Date of that answer is known".to_owned());
    }
    times.join(", ")
}

/// What the token allows, against what it should allow.
fn access(attempt: &Attempt<'_>, claims: &Object) -> String {
    let granted = match claims.access() {
        Access::Missing => "no such claim".to_owned(),
        Access::Unreadable => "unreadable".to_owned(),
        Access::Entries(entries) if entries.is_empty() => "nothing".to_owned(),
        Access::Entries(entries) => {
            entries.iter().take(5).map(|entry| entry.shown()).collect::<Vec<_>>().join(" ")
        }
    };
    match attempt.param("scope") {
        Some(scope) => format!("{granted}; the challenge asks for {scope}"),
        None => granted,
    }
}

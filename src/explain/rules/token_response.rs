//! What the token server answered.

use crate::credentials::Secret;
use crate::error::Refusal;
use crate::explain::attempt::Attempt;
use crate::explain::recording::Sent;
use crate::explain::rules::rule::{Check, Rule, RuleKind, Sign, refusal, seen};
use crate::oci::ErrorBody;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "credentials-rejected",
        brief: "the credentials are not taken",
        advice: "log in again, and do not repeat it with the same: some registries lock accounts",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: credentials_rejected,
    },
    Rule {
        id: "login-required",
        brief: "it is not for everybody: a login is needed",
        advice: "check the name; if it is right, log in: {registry} does not tell private from missing",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: login_required,
    },
    Rule {
        id: "token-denied",
        brief: "the token server denies it",
        advice: "what it says is the reason: a private package, single sign-on that was not allowed, an address \
                 that is blocked",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: denied,
    },
    Rule {
        id: "token-request-refused",
        brief: "the token server does not understand the request",
        advice: "hold service and scope against what it says",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: refused,
    },
    Rule {
        id: "token-endpoint-not-found",
        brief: "there is no token server at the realm",
        advice: "the service may be unknown there, or the registry switched off: its admin has to look",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: not_found,
    },
    Rule {
        id: "token-method-not-allowed",
        brief: "the token server does not take this method",
        advice: "ask by GET: not every token server exchanges identity tokens",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: method,
    },
    Rule {
        id: "token-endpoint-unavailable",
        brief: "the token server is overloaded or failing",
        advice: "come back later, when it says so not before",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: unavailable,
    },
    Rule {
        id: "token-not-json",
        brief: "the token server answers with something else",
        advice: "a login page or a proxy may stand in between",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: not_json,
    },
    Rule {
        id: "token-missing",
        brief: "the token server's answer has no token",
        advice: "check that the realm {realm} is a token server",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: missing,
    },
    Rule {
        id: "token-ambiguous",
        brief: "the answer has two different tokens",
        advice: "the specification leaves open which one counts; access_token was used",
        check: Check::TokenAnswer,
        kind: RuleKind::Note,
        sees: ambiguous,
    },
    Rule {
        id: "token-not-printable",
        brief: "the token has characters that no header can carry",
        advice: "it is broken or hostile, and is not sent",
        check: Check::Token,
        kind: RuleKind::Fault,
        sees: not_printable,
    },
    Rule {
        id: "token-redirected",
        brief: "the token server sends the login elsewhere",
        advice: "a proxy or single sign-on is in the way; credentials are not sent along",
        check: Check::TokenAnswer,
        kind: RuleKind::Fault,
        sees: redirected,
    },
    Rule {
        id: "token-short-lived",
        brief: "the token does not live long",
        advice: "use it at once; where the times differ, set the clocks",
        check: Check::Times,
        kind: RuleKind::Note,
        sees: short_lived,
    },
];

/// What the token server said, where it answered with such a status.
fn said(attempt: &Attempt<'_>, statuses: &[u16]) -> Option<String> {
    let server = attempt.server?;
    let reply = server.reply.as_ref().filter(|reply| statuses.contains(&reply.status))?;
    let host = server.url.origin().authority();
    let words = ErrorBody::read_without(&reply.body, &Secret::redactor(&server.secrets));
    let asker = attempt.offered.unwrap_or(&server.identity);
    let mut text = format!("the token server {host} answered {} to {asker}", reply.status);
    if !words.is_empty() {
        text.push_str(&format!("; it says {words}"));
    }
    Some(text)
}

fn credentials_rejected(attempt: &Attempt<'_>) -> Option<Sign> {
    if let Some(text) = said(attempt, &[401]) {
        return if attempt.sent_credentials() { seen(text) } else { None };
    }
    let hop = attempt.last.hop.filter(|hop| matches!(hop.sent, Sent::Basic))?;
    let refused = attempt.last.status == Some(401);
    let host = hop.url.origin().authority();
    refused.then(|| seen(format!("{host} answered 401 to {}", hop.identity))).flatten()
}

fn login_required(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = said(attempt, &[401])?;
    if attempt.sent_credentials() { None } else { seen(text) }
}

fn denied(attempt: &Attempt<'_>) -> Option<Sign> {
    seen(said(attempt, &[403])?)
}

fn refused(attempt: &Attempt<'_>) -> Option<Sign> {
    let asked = attempt.asked.as_ref().map(|asked| format!("; asked was {}", asked.shown()));
    seen(said(attempt, &[400])? + asked.unwrap_or_default().as_str())
}

fn not_found(attempt: &Attempt<'_>) -> Option<Sign> {
    seen(said(attempt, &[404])?)
}

fn method(attempt: &Attempt<'_>) -> Option<Sign> {
    let method = attempt.server.map(|hop| hop.method.as_str()).unwrap_or_default();
    seen(format!("{} ({method})", said(attempt, &[405])?))
}

fn unavailable(attempt: &Attempt<'_>) -> Option<Sign> {
    let reply = attempt.server?.reply.as_ref()?;
    let failing = reply.status == 429 || reply.status >= 500;
    let text = said(attempt, &[reply.status]).filter(|_| failing)?;
    seen(std::iter::once(text).chain(reply.limits.iter().cloned()).collect::<Vec<_>>().join("; "))
}

fn not_json(attempt: &Attempt<'_>) -> Option<Sign> {
    attempt.answer.as_ref().filter(|answer| !answer.json)?;
    let reply = attempt.server.and_then(|hop| hop.reply.as_ref());
    let kind = reply.and_then(|reply| reply.content_type.as_deref());
    let kind = kind.map_or("of no type".to_owned(), |kind| format!("of type {kind:?}"));
    match reply {
        // Only a page is quoted: anything else may be a token that was damaged on the way.
        Some(reply) if reply.is_page() => {
            let words = ErrorBody::read_without(&reply.body, &Secret::redactor(&attempt.hidden));
            seen(format!("the answer is {kind}; it says {words}"))
        }
        Some(reply) => seen(format!("the answer is {kind}, {} bytes", reply.body.len())),
        None => seen("what was given as the token server's answer is no JSON".to_owned()),
    }
}

fn missing(attempt: &Attempt<'_>) -> Option<Sign> {
    attempt.answer.as_ref().filter(|answer| answer.json && answer.token.is_none())?;
    let text = "neither token nor access_token holds anything in the token server's answer";
    seen(if attempt.given { "what was given holds no token" } else { text }.to_owned())
}

fn ambiguous(attempt: &Attempt<'_>) -> Option<Sign> {
    attempt.answer.as_ref().filter(|answer| answer.ambiguous)?;
    seen("token and access_token are both there and differ".to_owned())
}

fn not_printable(attempt: &Attempt<'_>) -> Option<Sign> {
    let text = attempt.token.as_ref()?.secret.expose();
    let (at, byte) = text.bytes().enumerate().find(|(_, byte)| !byte.is_ascii_graphic())?;
    seen(format!("byte {at} of the token is 0x{byte:02x}"))
}

fn redirected(attempt: &Attempt<'_>) -> Option<Sign> {
    let status = attempt.server?.reply.as_ref()?.status;
    let redirected = matches!(status, 301 | 302 | 303 | 307 | 308);
    match refusal(attempt).filter(|_| redirected)? {
        Refusal::TokenRedirect { from, to } | Refusal::PlainHttp { from, to } => {
            seen(format!("the token server {from} answered {status}, to {to}"))
        }
        Refusal::PrivateAddress { host, address } => {
            seen(format!("the token server answered {status}, to {host} at {address}"))
        }
        _ => None,
    }
}

/// The least life of a token that the specification allows, and the most that clocks may differ, in seconds.
const MINUTE: i64 = 60;

fn short_lived(attempt: &Attempt<'_>) -> Option<Sign> {
    let answer = attempt.answer.as_ref()?;
    if let Some(life) = answer.expires_in.filter(|life| *life < MINUTE) {
        return seen(format!("expires_in is {life} seconds"));
    }
    let date = attempt.server?.reply.as_ref()?.date?;
    let off = answer.issued_at?.checked_sub(date)?;
    let text =
        format!("issued_at is {} s {} the token server's own Date", off.unsigned_abs(), side(off));
    (off.unsigned_abs() > MINUTE.unsigned_abs()).then(|| seen(text)).flatten()
}

fn side(off: i64) -> &'static str {
    if off > 0 { "after" } else { "before" }
}

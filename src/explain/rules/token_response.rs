//! Rules about the token server's response.

use crate::credentials::Secret;
use crate::error::Refusal;
use crate::explain::attempt::Attempt;
use crate::explain::recording::Authorization;
use crate::explain::rules::rule::{
    Check, Evidence, Remedy, Rule, RuleKind, evidence, evidence_if, refusal,
};
use crate::oci::ErrorBody;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "credentials-rejected",
        brief: "the credentials were refused",
        advice: "log in again; do not retry with the same credentials, because some registries lock accounts \
                 after failed logins",
        remedy: Remedy::LogIn,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: credentials_rejected,
    },
    Rule {
        id: "login-required",
        brief: "anonymous access was refused: a login is required",
        advice: "check the name, then log in: {registry} does not distinguish private from missing",
        remedy: Remedy::LogIn,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: login_required,
    },
    Rule {
        id: "token-denied",
        brief: "the token server denies access",
        advice: "see its message: the package may be private, single sign-on not authorized, or your IP \
                 address blocked",
        remedy: Remedy::LogIn,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: denied,
    },
    Rule {
        id: "token-request-refused",
        brief: "the token server does not accept the request",
        advice: "compare service and scope with its message",
        remedy: Remedy::Nothing,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: refused,
    },
    Rule {
        id: "token-endpoint-not-found",
        brief: "the token server has nothing at the realm's URL",
        advice: "ask the registry's administrator: the service may be unknown there, or the registry disabled",
        remedy: Remedy::Nothing,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: not_found,
    },
    Rule {
        id: "token-method-not-allowed",
        brief: "the token server does not support this method",
        advice: "use GET: not every token server accepts identity tokens by POST",
        remedy: Remedy::CorrectRequest,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: method,
    },
    Rule {
        id: "token-endpoint-unavailable",
        brief: "the token server is overloaded or failing",
        advice: "try again later, after the time it announced, if any",
        remedy: Remedy::CorrectRequest,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: unavailable,
    },
    Rule {
        id: "token-not-json",
        brief: "the token server's response is not JSON",
        advice: "check whether a login page or a proxy intercepts the request",
        remedy: Remedy::Nothing,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: not_json,
    },
    Rule {
        id: "token-missing",
        brief: "the token server's response contains no token",
        advice: "check that {realm} is a token server",
        remedy: Remedy::Nothing,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: missing,
    },
    Rule {
        id: "token-ambiguous",
        brief: "the response contains two different tokens",
        advice: "report it to the administrator: the specification does not say which one counts; regq used \
                 access_token",
        remedy: Remedy::CorrectRequest,
        check: Check::TokenResponse,
        kind: RuleKind::Note,
        detect: ambiguous,
    },
    Rule {
        id: "token-not-printable",
        brief: "the token contains characters not allowed in a header",
        advice: "do not send it: it is damaged or hostile",
        remedy: Remedy::Nothing,
        check: Check::Token,
        kind: RuleKind::Fault,
        detect: not_printable,
    },
    Rule {
        id: "token-redirected",
        brief: "the token server redirects the login to another host",
        advice: "check for a proxy or single sign-on: credentials do not follow such a redirect",
        remedy: Remedy::Nothing,
        check: Check::TokenResponse,
        kind: RuleKind::Fault,
        detect: redirected,
    },
    Rule {
        id: "token-short-lived",
        brief: "the token expires soon",
        advice: "use it immediately; if the clocks differ, correct them",
        remedy: Remedy::CorrectRequest,
        check: Check::Times,
        kind: RuleKind::Note,
        detect: short_lived,
    },
];

/// Describes the token server's response if it has one of these statuses.
fn response(attempt: &Attempt<'_>, statuses: &[u16]) -> Option<String> {
    let exchange = attempt.token_exchange?;
    let response = exchange.response.as_ref()?;
    if !statuses.contains(&response.status) {
        return None;
    }
    let host = exchange.url.origin().authority();
    let error_body = ErrorBody::read_redacted(&response.body, &Secret::redactor(&exchange.secrets));
    let identity = attempt.credential.unwrap_or(&exchange.identity);
    let mut text = format!("the token server {host} returned {} for {identity}", response.status);
    if !error_body.is_empty() {
        text.push_str(&format!("; it says {error_body}"));
    }
    Some(text)
}

fn credentials_rejected(attempt: &Attempt<'_>) -> Option<Evidence> {
    if let Some(error) = attempt.earlier_refusal() {
        return evidence(format!("{} returned 401 for {} before", error.host, error.identity));
    }
    if let Some(text) = response(attempt, &[401]) {
        return evidence_if(attempt.sent_credentials(), text);
    }
    let basic = attempt.last.exchange;
    let basic = basic.filter(|one| matches!(one.authorization, Authorization::Basic))?;
    let text = format!("{} returned 401 for {}", basic.url.origin().authority(), basic.identity);
    evidence_if(attempt.last.status == Some(401), text)
}

fn login_required(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = response(attempt, &[401])?;
    evidence_if(!attempt.sent_credentials(), text)
}

fn denied(attempt: &Attempt<'_>) -> Option<Evidence> {
    evidence(response(attempt, &[403])?)
}

fn refused(attempt: &Attempt<'_>) -> Option<Evidence> {
    let url = attempt.token_url.as_ref().map(|url| format!("; requested: {}", url.redacted()));
    evidence(response(attempt, &[400])? + url.unwrap_or_default().as_str())
}

fn not_found(attempt: &Attempt<'_>) -> Option<Evidence> {
    evidence(response(attempt, &[404])?)
}

fn method(attempt: &Attempt<'_>) -> Option<Evidence> {
    let method = attempt.token_exchange.map(|exchange| exchange.method.as_str());
    evidence(format!("{} ({})", response(attempt, &[405])?, method.unwrap_or_default()))
}

fn unavailable(attempt: &Attempt<'_>) -> Option<Evidence> {
    let failed = attempt.token_exchange?.response.as_ref()?;
    let failing = failed.status == 429 || failed.status >= 500;
    let text = response(attempt, &[failed.status]).filter(|_| failing)?;
    let limits = failed.limits.iter().cloned();
    evidence(std::iter::once(text).chain(limits).collect::<Vec<_>>().join("; "))
}

fn not_json(attempt: &Attempt<'_>) -> Option<Evidence> {
    attempt.token_body.as_ref().filter(|body| !body.json)?;
    let response = attempt.token_exchange.and_then(|exchange| exchange.response.as_ref());
    let media_type = response.and_then(|response| response.content_type.as_deref());
    let media_type = media_type.map_or("missing".to_owned(), |text| format!("{text:?}"));
    match response {
        // Only pages are quoted. Anything else may be a damaged token.
        Some(response) if response.is_page() => {
            let page =
                ErrorBody::read_redacted(&response.body, &Secret::redactor(&attempt.secrets));
            evidence(format!("media type: {media_type}; it says {page}"))
        }
        Some(response) => {
            evidence(format!("media type: {media_type}, {} bytes", response.body.len()))
        }
        None => evidence("the response you passed is not JSON"),
    }
}

fn missing(attempt: &Attempt<'_>) -> Option<Evidence> {
    attempt.token_body.as_ref().filter(|body| body.json && body.token.is_none())?;
    evidence(if attempt.given {
        "the text you passed contains no token"
    } else {
        "token and access_token are missing or empty in the token server's response"
    })
}

fn ambiguous(attempt: &Attempt<'_>) -> Option<Evidence> {
    attempt.token_body.as_ref().filter(|body| body.ambiguous)?;
    evidence("token and access_token differ")
}

fn not_printable(attempt: &Attempt<'_>) -> Option<Evidence> {
    let text = attempt.token.as_ref()?.secret.expose();
    let (at, byte) = text.bytes().enumerate().find(|(_, byte)| !byte.is_ascii_graphic())?;
    evidence(format!("byte {at} of the token is 0x{byte:02x}"))
}

fn redirected(attempt: &Attempt<'_>) -> Option<Evidence> {
    let status = attempt.token_exchange?.response.as_ref()?.status;
    let redirected = matches!(status, 301 | 302 | 303 | 307 | 308);
    match refusal(attempt).filter(|_| redirected)? {
        Refusal::TokenRedirect { from, to } | Refusal::PlainHttp { from, to } => {
            evidence(format!("the token server {from} returned {status}, redirecting to {to}"))
        }
        Refusal::PrivateAddress { host, address } => evidence(format!(
            "the token server returned {status}, redirecting to {host} at {address}"
        )),
        _ => None,
    }
}

/// The shortest token lifetime that the specification allows, and the clock difference to tolerate, in seconds.
const MINUTE: i64 = 60;

fn short_lived(attempt: &Attempt<'_>) -> Option<Evidence> {
    let body = attempt.token_body.as_ref()?;
    if let Some(lifetime) = body.expires_in.filter(|lifetime| *lifetime < MINUTE) {
        return evidence(format!("expires_in is {lifetime} seconds"));
    }
    let date = attempt.token_exchange?.response.as_ref()?.date?;
    let difference = body.issued_at?.checked_sub(date)?;
    let side = if difference > 0 { "after" } else { "before" };
    let seconds = difference.unsigned_abs();
    let text = format!("issued_at is {seconds} s {side} the token server's own Date");
    evidence_if(seconds > MINUTE.unsigned_abs(), text)
}

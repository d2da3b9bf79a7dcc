//! Walks with faults in the token server's response.

use crate::explain::walk::{Case, check};
use crate::explain::{Say, Script, jwt, play};
use crate::support::secrets::{IDENTITY, USER};
use serde_json::json;

fn identity() -> Script {
    Script::new().entry(format!(r#"{{"identitytoken":"{IDENTITY}"}}"#))
}

/// A script in which the token server redirects to a second one.
fn redirected() -> Script {
    let moved = Say::new(307).header("Location", "ELSE/sso?SAMLRequest=secret");
    Script::new().token(moved).elsewhere(Script::new())
}

pub(super) const CASES: &[Case] = &[
    Case {
        id: "credentials-rejected",
        severity: "decisive",
        names: &[
            "HOST returned 401",
            "the credentials of \"ada\"",
            "UNAUTHORIZED",
            "wrong password",
        ],
        sign: || {
            let words = Say::new(401).words(&[("UNAUTHORIZED", "wrong password")]);
            Script::new().user().token(words)
        },
        near: || Script::new().token(Say::new(401).words(&[("UNAUTHORIZED", "wrong password")])),
    },
    Case {
        id: "credentials-rejected",
        severity: "decisive",
        names: &["HOST returned 401"],
        sign: || {
            let basic = Say::challenge(r#"Basic realm="x""#);
            Script::new().user().first(basic.clone()).last(basic)
        },
        near: || Script::new().user().challenge(r#"Basic realm="x""#),
    },
    Case {
        id: "login-required",
        severity: "decisive",
        names: &["HOST returned 401", "Please login"],
        sign: || Script::new().token(Say::new(401).body("Please login")),
        near: || Script::new().user().token(Say::new(401).body("Please login")),
    },
    Case {
        id: "token-denied",
        severity: "decisive",
        names: &["HOST returned 403", "permission_denied: read_package"],
        sign: || {
            let words = [("DENIED", "permission_denied: read_package")];
            Script::new().token(Say::new(403).words(&words))
        },
        near: || Script::new().last(Say::new(403).words(&[("DENIED", "denied")])),
    },
    Case {
        id: "token-request-refused",
        severity: "decisive",
        names: &["400", "Unable to decode", "scope=repository:team/app:pull"],
        sign: || Script::new().token(Say::new(400).body("Unable to decode repository and actions")),
        near: || Script::new().last(Say::new(400).body("Unable to decode repository and actions")),
    },
    Case {
        id: "token-endpoint-not-found",
        severity: "decisive",
        names: &["HOST returned 404"],
        sign: || Script::new().token(Say::new(404)),
        near: || Script::new().last(Say::new(404)),
    },
    Case {
        id: "token-method-not-allowed",
        severity: "decisive",
        names: &["405", "GET"],
        sign: || Script::new().token(Say::new(405)),
        // If the server does not accept identity tokens, regq retries with GET.
        near: || identity().posted(Say::new(405)),
    },
    Case {
        id: "token-endpoint-unavailable",
        severity: "decisive",
        names: &["HOST returned 503"],
        sign: || Script::new().token(Say::new(503)),
        near: || Script::new().last(Say::new(503)),
    },
    Case {
        id: "token-endpoint-unavailable",
        severity: "decisive",
        names: &["429", "retry-after: 3600"],
        sign: || Script::new().token(Say::new(429).header("Retry-After", "3600")),
        near: || Script::new().last(Say::new(429).header("Retry-After", "3600")),
    },
    Case {
        id: "token-not-json",
        severity: "decisive",
        names: &["text/html", "Sign in"],
        sign: || Script::new().token(Say::page("Sign in")),
        // The body counts, not its media type.
        near: || {
            let body = json!({ "token": jwt(&crate::explain::scripted::claims()) }).to_string();
            Script::new().token(Say::new(200).header("Content-Type", "text/html").body(body))
        },
    },
    Case {
        id: "token-missing",
        severity: "decisive",
        names: &["token", "access_token"],
        sign: || Script::new().token(Say::json(200, &json!({ "id_token": "x", "token": "" }))),
        near: || {
            Script::new().token(Say::json(200, &json!({ "token": "", "access_token": "opaque" })))
        },
    },
    Case {
        id: "token-ambiguous",
        severity: "note",
        names: &["token and access_token"],
        sign: || {
            Script::new().token(Say::json(200, &json!({ "token": "one", "access_token": "two" })))
        },
        near: || {
            Script::new().token(Say::json(200, &json!({ "token": "one", "access_token": "one" })))
        },
    },
    Case {
        id: "token-not-printable",
        severity: "decisive",
        names: &["byte 3", "0x0a"],
        sign: || Script::new().token(Say::token("one\ntwo")),
        near: || Script::new().token(Say::token("!one~{}\"")),
    },
    Case {
        id: "token-redirected",
        severity: "decisive",
        names: &["HOST returned 307", "ELSE"],
        sign: || redirected().user(),
        // Without credentials the redirect may be followed.
        near: redirected,
    },
    Case {
        id: "token-redirected",
        severity: "decisive",
        names: &["302", "http://"],
        sign: || {
            let moved = Say::new(302).header("Location", "http://HOST/other");
            Script::new().https().token(moved)
        },
        near: || Script::new().token(Say::new(302)),
    },
    Case {
        id: "token-short-lived",
        severity: "note",
        names: &["30 seconds"],
        sign: || Script::new().token(Say::json(200, &json!({ "token": "one", "expires_in": 30 }))),
        near: || Script::new().token(Say::json(200, &json!({ "token": "one", "expires_in": 60 }))),
    },
    Case {
        id: "token-short-lived",
        severity: "note",
        names: &["issued_at", "3600 s before"],
        sign: || issued_at("2016-11-06T07:49:37Z"),
        near: || issued_at("2016-11-06T08:49:00.5+00:00"),
    },
];

fn issued_at(time: &str) -> Script {
    let answer = Say::json(200, &json!({ "token": "one", "issued_at": time }));
    Script::new().token(answer.header("Date", crate::explain::scripted::date(37)))
}

#[test]
fn faults_of_the_token_response_are_found() {
    check(CASES);
}

#[test]
fn refusal_by_the_token_server_is_the_only_finding() {
    for (status, id) in [
        (400, "token-request-refused"),
        (401, "login-required"),
        (403, "token-denied"),
        (404, "token-endpoint-not-found"),
        (405, "token-method-not-allowed"),
        (429, "token-endpoint-unavailable"),
        (500, "token-endpoint-unavailable"),
    ] {
        let played = play(Script::new().token(Say::new(status).words(&[("DENIED", "no")])));
        assert_eq!(played.findings(), [format!("{id} decisive")], "{played}");
        assert_eq!(played.object["outcome"]["status"], status, "{played}");
        // The registry itself is requested only once.
        let registry = played.lines().iter().filter(|line| line.contains("/manifests/")).count();
        assert_eq!(registry, 1, "{:?}", played.lines());
    }
}

#[test]
fn identity_token_refused_by_post_and_get_is_credentials_rejected() {
    let played = play(identity().posted(Say::new(401)).token(Say::new(401)));
    assert_eq!(played.finding("login-required"), None, "{played}");
    let (severity, evidence) = played.finding("credentials-rejected").expect("found");
    assert_eq!(severity, "decisive");
    assert!(evidence.contains("401") && !evidence.contains(USER), "{evidence}");
}

#[test]
fn token_request_with_credentials_follows_no_redirect() {
    let played = play(redirected().user());
    assert_eq!(played.findings(), ["token-redirected decisive"]);
    assert!(played.elsewhere.is_empty());
    // The query of the target is redacted too: single sign-on puts secrets there.
    assert!(!played.text.contains("SAMLRequest=secret"), "{played}");
}

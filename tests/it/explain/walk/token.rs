//! Walks with faults in the token server's response.

use crate::explain::walk::{Case, check};
use crate::explain::{Script, ScriptedResponse, jwt, run_script};
use crate::support::secrets::{IDENTITY, USER};
use serde_json::json;

fn identity() -> Script {
    Script::new().entry(format!(r#"{{"identitytoken":"{IDENTITY}"}}"#))
}

/// A script in which the token server redirects to a second one.
fn redirected() -> Script {
    let moved = ScriptedResponse::new(307).header("Location", "ELSE/sso?SAMLRequest=secret");
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
        shows: || {
            let words = ScriptedResponse::new(401).words(&[("UNAUTHORIZED", "wrong password")]);
            Script::new().user().token(words)
        },
        nearly: || {
            Script::new()
                .token(ScriptedResponse::new(401).words(&[("UNAUTHORIZED", "wrong password")]))
        },
    },
    Case {
        id: "credentials-rejected",
        severity: "decisive",
        names: &["HOST returned 401"],
        shows: || {
            let basic = ScriptedResponse::challenge(r#"Basic realm="x""#);
            Script::new().user().first(basic.clone()).last(basic)
        },
        nearly: || Script::new().user().challenge(r#"Basic realm="x""#),
    },
    Case {
        id: "login-required",
        severity: "decisive",
        names: &["HOST returned 401", "Please login"],
        shows: || Script::new().token(ScriptedResponse::new(401).body("Please login")),
        nearly: || Script::new().user().token(ScriptedResponse::new(401).body("Please login")),
    },
    Case {
        id: "token-denied",
        severity: "decisive",
        names: &["HOST returned 403", "permission_denied: read_package"],
        shows: || {
            let words = [("DENIED", "permission_denied: read_package")];
            Script::new().token(ScriptedResponse::new(403).words(&words))
        },
        nearly: || Script::new().last(ScriptedResponse::new(403).words(&[("DENIED", "denied")])),
    },
    Case {
        id: "token-request-refused",
        severity: "decisive",
        names: &["400", "Unable to decode", "scope=repository:team/app:pull"],
        shows: || {
            Script::new()
                .token(ScriptedResponse::new(400).body("Unable to decode repository and actions"))
        },
        nearly: || {
            Script::new()
                .last(ScriptedResponse::new(400).body("Unable to decode repository and actions"))
        },
    },
    Case {
        id: "token-endpoint-not-found",
        severity: "decisive",
        names: &["HOST returned 404"],
        shows: || Script::new().token(ScriptedResponse::new(404)),
        nearly: || Script::new().last(ScriptedResponse::new(404)),
    },
    Case {
        id: "token-method-not-allowed",
        severity: "decisive",
        names: &["405", "GET"],
        shows: || Script::new().token(ScriptedResponse::new(405)),
        // If the server does not accept identity tokens, regq retries with GET.
        nearly: || identity().posted(ScriptedResponse::new(405)),
    },
    Case {
        id: "token-endpoint-unavailable",
        severity: "decisive",
        names: &["HOST returned 503"],
        shows: || Script::new().token(ScriptedResponse::new(503)),
        nearly: || Script::new().last(ScriptedResponse::new(503)),
    },
    Case {
        id: "token-endpoint-unavailable",
        severity: "decisive",
        names: &["429", "retry-after: 3600"],
        shows: || Script::new().token(ScriptedResponse::new(429).header("Retry-After", "3600")),
        nearly: || Script::new().last(ScriptedResponse::new(429).header("Retry-After", "3600")),
    },
    Case {
        id: "token-not-json",
        severity: "decisive",
        names: &["text/html", "Sign in"],
        shows: || Script::new().token(ScriptedResponse::page("Sign in")),
        // The body counts, not its media type.
        nearly: || {
            let body = json!({ "token": jwt(&crate::explain::scripted::claims()) }).to_string();
            Script::new()
                .token(ScriptedResponse::new(200).header("Content-Type", "text/html").body(body))
        },
    },
    Case {
        id: "token-missing",
        severity: "decisive",
        names: &["token", "access_token"],
        shows: || {
            Script::new()
                .token(ScriptedResponse::json(200, &json!({ "id_token": "x", "token": "" })))
        },
        nearly: || {
            Script::new().token(ScriptedResponse::json(
                200,
                &json!({ "token": "", "access_token": "opaque" }),
            ))
        },
    },
    Case {
        id: "token-ambiguous",
        severity: "note",
        names: &["token and access_token"],
        shows: || {
            Script::new().token(ScriptedResponse::json(
                200,
                &json!({ "token": "one", "access_token": "two" }),
            ))
        },
        nearly: || {
            Script::new().token(ScriptedResponse::json(
                200,
                &json!({ "token": "one", "access_token": "one" }),
            ))
        },
    },
    Case {
        id: "token-not-printable",
        severity: "decisive",
        names: &["byte 3", "0x0a"],
        shows: || Script::new().token(ScriptedResponse::token("one\ntwo")),
        nearly: || Script::new().token(ScriptedResponse::token("!one~{}\"")),
    },
    Case {
        id: "token-redirected",
        severity: "decisive",
        names: &["HOST returned 307", "ELSE"],
        shows: || redirected().user(),
        // Without credentials the redirect may be followed.
        nearly: redirected,
    },
    Case {
        id: "token-redirected",
        severity: "decisive",
        names: &["302", "http://"],
        shows: || {
            let moved = ScriptedResponse::new(302).header("Location", "http://HOST/other");
            Script::new().https().token(moved)
        },
        nearly: || Script::new().token(ScriptedResponse::new(302)),
    },
    Case {
        id: "token-short-lived",
        severity: "note",
        names: &["30 seconds"],
        shows: || {
            Script::new()
                .token(ScriptedResponse::json(200, &json!({ "token": "one", "expires_in": 30 })))
        },
        nearly: || {
            Script::new()
                .token(ScriptedResponse::json(200, &json!({ "token": "one", "expires_in": 60 })))
        },
    },
    Case {
        id: "token-short-lived",
        severity: "note",
        names: &["issued_at", "3600 s before"],
        shows: || issued_at("2016-11-06T07:49:37Z"),
        nearly: || issued_at("2016-11-06T08:49:00.5+00:00"),
    },
];

fn issued_at(time: &str) -> Script {
    let answer = ScriptedResponse::json(200, &json!({ "token": "one", "issued_at": time }));
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
        let results = run_script(
            Script::new().token(ScriptedResponse::new(status).words(&[("DENIED", "no")])),
        );
        assert_eq!(results.findings(), [format!("{id} decisive")], "{results}");
        assert_eq!(results.object["outcome"]["status"], status, "{results}");
        // The registry itself is requested only once.
        let registry = results.lines().iter().filter(|line| line.contains("/manifests/")).count();
        assert_eq!(registry, 1, "{:?}", results.lines());
    }
}

#[test]
fn identity_token_refused_by_post_and_get_is_credentials_rejected() {
    let results =
        run_script(identity().posted(ScriptedResponse::new(401)).token(ScriptedResponse::new(401)));
    assert_eq!(results.finding("login-required"), None, "{results}");
    let (severity, evidence) = results.finding("credentials-rejected").expect("found");
    assert_eq!(severity, "decisive");
    assert!(evidence.contains("401") && !evidence.contains(USER), "{evidence}");
}

#[test]
fn token_request_with_credentials_follows_no_redirect() {
    let results = run_script(redirected().user());
    assert_eq!(results.findings(), ["token-redirected decisive"]);
    assert!(results.elsewhere.is_empty());
    // The query of the target is redacted too: single sign-on puts secrets there.
    assert!(!results.text.contains("SAMLRequest=secret"), "{results}");
}

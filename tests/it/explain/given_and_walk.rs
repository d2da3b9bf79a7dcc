//! Supplied data together with regq's own walk: the data is checked and never sent, the walk adds what it lacks, and the
//! walk sets the exit code.

use serde_json::json;

use super::scripted::{DATE, Script, ScriptedResponse, claims, jwt, run_script};
use crate::support::Request;

/// A script that succeeds, and a supplied token with these claims.
fn given(changes: serde_json::Value) -> Script {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Script::new().args(&["--token", &jwt(&claims)])
}

#[test]
fn issuer_is_compared_with_that_of_regqs_own_token() {
    let results = run_script(given(json!({"iss": "harbor-token-issuer"})));
    let (severity, evidence) = results.finding("issuer-unexpected").expect("a finding");
    assert_eq!((severity, results.code), ("note", 0), "{results}");
    assert!(
        evidence.contains("\"harbor-token-issuer\"") && evidence.contains("\"auth.example\""),
        "{evidence}"
    );

    let opaque = || ScriptedResponse::token("b3BhcXVl");
    for silent in [
        given(json!({"jti": "2"})),
        given(json!({"iss": "x"})).token(opaque()),
        Script::new().args(&["--token", "b3BhcXVl"]),
    ] {
        let results = run_script(silent);
        assert_eq!(results.finding("issuer-unexpected"), None, "{results}");
    }
}

/// The walk succeeds. Findings on supplied data keep their severity, and the walk adds missing data.
#[test]
fn supplied_data_keeps_its_severity_and_the_walk_sets_the_exit_code() {
    for (script, finding) in [
        (
            Script::new().args(&["--token-url", "http://HOST/token?service=other"]),
            "service-mismatch decisive",
        ),
        (
            Script::new().args(&["--token-url", "http://HOST/tokens"]),
            "token-url-not-realm decisive",
        ),
        (given(json!({"aud": "other"})), "audience-mismatch decisive"),
        (
            given(json!({"access": []})).args(&["--token-url", "http://HOST/token"]),
            "scope-lost-in-shell decisive",
        ),
        (Script::new().args(&["--status", "403"]), "forbidden decisive"),
        (Script::new().args(&["--challenge", ""]), "challenge-missing decisive"),
        (given(json!({})).args(&["--challenge", "Basic"]), "challenge-flipped-to-basic decisive"),
    ] {
        let results = run_script(script);
        assert_eq!(results.findings(), [finding], "{results}");
        let outcome = json!({"exitCode": 0, "kind": null, "status": 200});
        assert_eq!(results.object["outcome"], outcome, "{results}");
        assert!(results.text.contains("\nSuccess: "), "{results}");
    }
}

/// Both attempts are refused: each finding is reported once, with the higher severity.
#[test]
fn a_finding_of_both_attempts_is_reported_once() {
    let refused = ScriptedResponse::again(",error=\"invalid_token\"");
    let other = json!({"aud": "other"});
    let script = given(other.clone()).claims(&other).last(refused);
    let results = run_script(script.args(&["--token-url", "http://HOST/token?service=other"]));
    assert_eq!(
        results.findings(),
        ["service-mismatch decisive", "audience-mismatch decisive"],
        "{results}"
    );
    assert_eq!(results.code, 4);
}

#[test]
fn supplied_data_is_not_sent() {
    let token = jwt(&json!({"jti": "given"}));
    let script = Script::new().elsewhere(Script::new()).args(&["--token", &token]);
    let script = script.args(&["--token-url", "ELSE/token?service=other&scope=x"]);
    let results =
        run_script(script.args(&["--challenge", "Bearer realm=\"ELSE/token\",service=\"given\""]));
    assert!(results.elsewhere.is_empty(), "{:?}", results.elsewhere);
    let sent = |request: &Request| request.header("authorization").unwrap_or_default().to_owned();
    assert!(results.requests.len() >= 3, "{results}");
    assert!(!results.requests.iter().any(|request| sent(request).contains(&token)), "{results}");
    assert!(
        !results.lines().iter().any(|line| line.contains("other") || line.contains("given")),
        "{results}"
    );
    // Supplied data has precedence in the output.
    assert_eq!(results.object["challenges"][0]["params"]["service"], "given", "{results}");
    assert_eq!(results.object["token"]["claims"]["jti"], "given", "{results}");
}

/// The walk's Date does not apply to the supplied attempt.
#[test]
fn supplied_token_is_not_checked_against_the_walks_date() {
    let old = || given(json!({"exp": DATE - 1000}));
    assert_eq!(run_script(old()).findings(), [""; 0]);
    let judged = run_script(old().args(&["--date", "Sun, 06 Nov 2016 08:49:37 GMT"]));
    assert_eq!(judged.findings(), ["token-expired decisive"], "{judged}");
}

//! Somebody's pieces beside regq's own walk: they are judged and never sent, the walk gives what they lack, and the
//! exit code is the walk's.

use serde_json::json;

use super::scripted::{DATE, Say, Script, claims, jwt, play};
use crate::support::Request;

/// A script in which all is well, and somebody's token with these claims.
fn given(changes: serde_json::Value) -> Script {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Script::new().args(&["--token", &jwt(&claims)])
}

#[test]
fn a_token_of_another_issuer_is_known_by_regqs_own() {
    let played = play(given(json!({"iss": "harbor-token-issuer"})));
    let (severity, evidence) = played.finding("issuer-unexpected").expect("a finding");
    assert_eq!((severity, played.code), ("note", 0), "{played}");
    assert!(
        evidence.contains("\"harbor-token-issuer\"") && evidence.contains("\"auth.example\""),
        "{evidence}"
    );

    let opaque = || Say::token("b3BhcXVl");
    for silent in [
        given(json!({"jti": "2"})),
        given(json!({"iss": "x"})).token(opaque()),
        Script::new().args(&["--token", "b3BhcXVl"]),
    ] {
        let played = play(silent);
        assert_eq!(played.finding("issuer-unexpected"), None, "{played}");
    }
}

/// The walk has the manifest: what is wrong with the pieces stays as wrong as it was, and what they lack comes from
/// the walk.
#[test]
fn pieces_keep_their_severity_and_the_walk_gives_the_exit_code() {
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
        let played = play(script);
        assert_eq!(played.findings(), [finding], "{played}");
        let outcome = json!({"exitCode": 0, "kind": null, "status": 200});
        assert_eq!(played.object["outcome"], outcome, "{played}");
        assert!(played.text.contains("\nSuccess: "), "{played}");
    }
}

/// Both refused: each cause is told once, as badly as either has it.
#[test]
fn a_cause_that_both_have_is_told_once() {
    let refused = Say::again(",error=\"invalid_token\"");
    let other = json!({"aud": "other"});
    let script = given(other.clone()).claims(&other).last(refused);
    let played = play(script.args(&["--token-url", "http://HOST/token?service=other"]));
    assert_eq!(
        played.findings(),
        ["service-mismatch decisive", "audience-mismatch decisive"],
        "{played}"
    );
    assert_eq!(played.code, 4);
}

#[test]
fn nothing_that_was_given_is_sent() {
    let token = jwt(&json!({"jti": "given"}));
    let script = Script::new().elsewhere(Script::new()).args(&["--token", &token]);
    let script = script.args(&["--token-url", "ELSE/token?service=other&scope=x"]);
    let played =
        play(script.args(&["--challenge", "Bearer realm=\"ELSE/token\",service=\"given\""]));
    assert!(played.elsewhere.is_empty(), "{:?}", played.elsewhere);
    let sent = |request: &Request| request.header("authorization").unwrap_or_default().to_owned();
    assert!(played.requests.len() >= 3, "{played}");
    assert!(!played.requests.iter().any(|request| sent(request).contains(&token)), "{played}");
    assert!(
        !played.lines().iter().any(|line| line.contains("other") || line.contains("given")),
        "{played}"
    );
    // What was given counts for more in what is shown.
    assert_eq!(played.object["challenges"][0]["params"]["service"], "given", "{played}");
    assert_eq!(played.object["token"]["claims"]["jti"], "given", "{played}");
}

/// The walk's Date is not that of somebody's attempt.
#[test]
fn a_given_token_is_not_judged_by_the_walks_clock() {
    let old = || given(json!({"exp": DATE - 1000}));
    assert_eq!(play(old()).findings(), [""; 0]);
    let judged = play(old().args(&["--date", "Sun, 06 Nov 2016 08:49:37 GMT"]));
    assert_eq!(judged.findings(), ["token-expired decisive"], "{judged}");
}

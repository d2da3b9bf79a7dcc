//! Supplied data together with regq's own walk, online: the data is never sent, the walk adds what it lacks, and only the
//! walk sets the outcome.

use super::scripted::{CHALLENGE, DATE, claims};
use super::walk::claims::{too_little, wrong};
use super::{Results, Script, ScriptedResponse, jwt, run_script};
use serde_json::{Value, json};

/// A supplied token with these claims changed.
fn supplied_token(changes: &Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    jwt(&claims)
}

/// A typical mistake: the wrong service, and a scope after an unquoted `&`.
const URL: &str = "http://HOST/token?service=other.example&scope=repository:team/app:pull";

/// Checks that no server received these texts.
#[track_caller]
fn never_sent(results: &Results, given: &[&str]) {
    for request in results.requests.iter().chain(&results.elsewhere) {
        let all = format!("{request:?}");
        for text in given {
            assert!(!all.contains(text), "{text} was sent: {all}");
        }
    }
}

#[test]
fn supplied_data_is_checked_although_the_walk_succeeded() {
    let token = supplied_token(&json!({ "aud": "other.example", "access": [], "jti": "given" }));
    let results = run_script(Script::new().args(&["--token-url", URL, "--token", &token]));
    // The challenge is from the walk.
    assert_eq!(
        results.findings(),
        [
            "service-mismatch decisive",
            "audience-mismatch decisive",
            "scope-lost-in-shell would-fail-next",
            "access-empty would-fail-next",
        ]
    );
    let outcome = json!({ "exitCode": 0, "kind": null, "status": 200 });
    assert_eq!(results.object["outcome"], outcome);
    assert_eq!(results.object["token"]["claims"]["jti"], "given");
    assert_eq!(results.object["challenges"][0]["params"]["service"], "registry.example");
    assert!(results.text.contains("Success: sha256:"), "{results}");
    never_sent(&results, &[&token, "other.example"]);
    // Both commands are for the challenge's service.
    let curl = results.object["curl"].as_array().unwrap();
    assert_eq!(curl.len(), 2);
    let url = "'http://HOST/token?service=registry.example&scope=repository:team/app:pull'";
    assert!(results.named(curl[0].as_str().unwrap()).ends_with(url), "{results}");
}

#[test]
fn a_successful_walk_adds_only_notes() {
    // regq's own token has the same fault and was accepted.
    let own = Script::new().claims(&json!({ "aud": "x", "access": [] }));
    let good = supplied_token(&json!({}));
    let results = run_script(own.args(&["--token", &good]));
    assert_eq!(results.findings(), ["access-empty note", "audience-mismatch note"]);
    assert_eq!(results.code, 0);
}

#[test]
fn a_refused_walk_sets_the_outcome() {
    let token = supplied_token(&json!({ "aud": "other.example" }));
    for (script, code, status) in [
        (too_little(&json!({ "access": [] })), 4, json!(401)),
        (Script::new().last(ScriptedResponse::new(404)), 3, json!(404)),
        (Script::new().last(ScriptedResponse::new(429)), 5, json!(429)),
        (Script::new().last(ScriptedResponse::new(503)), 6, json!(503)),
        (Script::new().token(ScriptedResponse::new(403)), 4, json!(403)),
    ] {
        // The supplied final response belongs to the supplied attempt.
        let results = run_script(script.args(&["--token", &token, "--status", "200"]));
        assert_eq!(results.object["outcome"]["exitCode"], code, "{results}");
        assert_eq!(results.object["outcome"]["status"], status, "{results}");
        assert!(results.finding("audience-mismatch").is_some(), "{results}");
        never_sent(&results, &[&token]);
    }
}

#[test]
fn the_higher_severity_of_both_attempts_counts() {
    // Both audiences mismatch; in regq's walk a later check disproves it.
    let script = too_little(&json!({ "aud": "own.example", "access": [] }));
    let token = supplied_token(&json!({ "aud": "given.example" }));
    let results = run_script(script.args(&["--token", &token]));
    let (severity, evidence) = results.finding("audience-mismatch").expect("found");
    assert_eq!(severity, "decisive");
    assert!(evidence.contains("given.example"), "{evidence}");
    let found = results.findings();
    let mut ids: Vec<_> = found.iter().map(|f| f.split(' ').next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len(), "each once: {found:?}");
}

#[test]
fn a_different_issuer_is_noted() {
    for (issuer, found) in [("harbor-token-issuer", true), ("auth.example", false)] {
        let token = supplied_token(&json!({ "iss": issuer }));
        let results = run_script(Script::new().args(&["--token", &token]));
        let finding = results.finding("issuer-unexpected");
        assert_eq!(finding.is_some(), found, "{results}");
        if let Some((severity, evidence)) = finding {
            assert_eq!(severity, "note");
            assert!(evidence.contains(issuer) && evidence.contains("auth.example"), "{evidence}");
        }
    }
    // An opaque token has no issuer to compare.
    for token in [ScriptedResponse::token("opaque"), ScriptedResponse::new(401)] {
        let given = supplied_token(&json!({ "iss": "x" }));
        let results = run_script(Script::new().token(token).args(&["--token", &given]));
        assert_eq!(results.finding("issuer-unexpected"), None, "{results}");
    }
}

#[test]
fn supplied_token_url_is_never_requested() {
    let script = Script::new().elsewhere(Script::new());
    let url = "http://ELSE/token?service=registry.example&scope=repository:team/app:pull&x=s3cret";
    let results = run_script(script.args(&["--token-url", url]));
    assert!(results.elsewhere.is_empty());
    assert_eq!(results.code, 0);
    assert!(!results.text.contains("s3cret") && !results.object.to_string().contains("s3cret"));
}

#[test]
fn token_url_is_compared_with_the_walks_challenge() {
    let url = "https://auth.example/token?service=registry.example&scope=repository:team/app:pull";
    let results = run_script(Script::new().args(&["--token-url", url]));
    let (severity, evidence) = results.finding("token-url-not-realm").expect("found");
    assert_eq!(severity, "decisive");
    assert!(evidence.contains("auth.example/token"), "{evidence}");
    assert_eq!(results.code, 0);
}

#[test]
fn supplied_challenge_has_precedence() {
    let given = r#"WWW-Authenticate: Bearer realm="https://auth.example/token",service="given""#;
    let results = run_script(Script::new().args(&["--challenge", given]));
    let challenges = results.object["challenges"].as_array().unwrap();
    assert_eq!(challenges.len(), 1);
    assert_eq!(challenges[0]["params"]["service"], "given");
    // A response without a challenge differs from an unknown response.
    let results = run_script(Script::new().args(&["--challenge", ""]));
    let (severity, _) = results.finding("challenge-missing").expect("found");
    assert_eq!(severity, "decisive");
    assert_eq!(results.code, 0);
}

#[test]
fn supplied_date_applies_to_the_supplied_token() {
    let date = super::scripted::date(37);
    let old = supplied_token(&json!({ "exp": DATE - 600 }));
    let results = run_script(Script::new().args(&["--token", &old, "--date", &date]));
    let (severity, _) = results.finding("token-expired").expect("found");
    assert_eq!(severity, "decisive");
    // The walk's Date does not apply to the supplied attempt.
    let dated = Script::new().last(ScriptedResponse::manifest().header("Date", &date));
    let results = run_script(dated.args(&["--token", &old]));
    assert_eq!(results.finding("token-expired"), None, "{results}");
}

#[test]
fn lost_authorization_is_detected_in_the_walk_only() {
    // The same challenge does not show a lost token: it may be that of the first response.
    let token = supplied_token(&json!({}));
    let challenge = CHALLENGE.replace("SELF", "https://auth.example");
    let results = run_script(Script::new().args(&["--token", &token, "--challenge", &challenge]));
    assert_eq!(results.finding("authorization-lost"), None, "{results}");
    let results = run_script(
        wrong(&json!({})).last(ScriptedResponse::challenge(CHALLENGE)).args(&["--token", &token]),
    );
    assert_eq!(
        results.finding("authorization-lost").map(|(severity, _)| severity),
        Some("decisive")
    );
}

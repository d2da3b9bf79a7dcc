//! Supplied data together with regq's own walk, online: the data is never sent, the walk adds what it lacks, and only the
//! walk sets the outcome.

use super::scripted::{CHALLENGE, DATE, claims};
use super::walk::claims::{too_little, wrong};
use super::{Played, Say, Script, jwt, play};
use serde_json::{Value, json};

/// A supplied token with these claims changed.
fn theirs(changes: &Value) -> String {
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
fn never_sent(played: &Played, given: &[&str]) {
    for request in played.requests.iter().chain(&played.elsewhere) {
        let all = format!("{request:?}");
        for text in given {
            assert!(!all.contains(text), "{text} was sent: {all}");
        }
    }
}

#[test]
fn supplied_data_is_checked_although_the_walk_succeeded() {
    let token = theirs(&json!({ "aud": "other.example", "access": [], "jti": "given" }));
    let played = play(Script::new().args(&["--token-url", URL, "--token", &token]));
    // The challenge is from the walk.
    assert_eq!(
        played.findings(),
        [
            "service-mismatch decisive",
            "audience-mismatch decisive",
            "scope-lost-in-shell would-fail-next",
            "access-empty would-fail-next",
        ]
    );
    let outcome = json!({ "exitCode": 0, "kind": null, "status": 200 });
    assert_eq!(played.object["outcome"], outcome);
    assert_eq!(played.object["token"]["claims"]["jti"], "given");
    assert_eq!(played.object["challenges"][0]["params"]["service"], "registry.example");
    assert!(played.text.contains("Success: sha256:"), "{played}");
    never_sent(&played, &[&token, "other.example"]);
    // Both commands are for the challenge's service.
    let curl = played.object["curl"].as_array().unwrap();
    assert_eq!(curl.len(), 2);
    let url = "'http://HOST/token?service=registry.example&scope=repository:team/app:pull'";
    assert!(played.named(curl[0].as_str().unwrap()).ends_with(url), "{played}");
}

#[test]
fn a_successful_walk_adds_only_notes() {
    // regq's own token has the same fault and was accepted.
    let own = Script::new().claims(&json!({ "aud": "x", "access": [] }));
    let good = theirs(&json!({}));
    let played = play(own.args(&["--token", &good]));
    assert_eq!(played.findings(), ["access-empty note", "audience-mismatch note"]);
    assert_eq!(played.code, 0);
}

#[test]
fn a_refused_walk_sets_the_outcome() {
    let token = theirs(&json!({ "aud": "other.example" }));
    for (script, code, status) in [
        (too_little(&json!({ "access": [] })), 4, json!(401)),
        (Script::new().last(Say::new(404)), 3, json!(404)),
        (Script::new().last(Say::new(429)), 5, json!(429)),
        (Script::new().last(Say::new(503)), 6, json!(503)),
        (Script::new().token(Say::new(403)), 4, json!(403)),
    ] {
        // The supplied final response belongs to the supplied attempt.
        let played = play(script.args(&["--token", &token, "--status", "200"]));
        assert_eq!(played.object["outcome"]["exitCode"], code, "{played}");
        assert_eq!(played.object["outcome"]["status"], status, "{played}");
        assert!(played.finding("audience-mismatch").is_some(), "{played}");
        never_sent(&played, &[&token]);
    }
}

#[test]
fn the_higher_severity_of_both_attempts_counts() {
    // Both audiences mismatch; in regq's walk a later check disproves it.
    let script = too_little(&json!({ "aud": "own.example", "access": [] }));
    let token = theirs(&json!({ "aud": "given.example" }));
    let played = play(script.args(&["--token", &token]));
    let (severity, evidence) = played.finding("audience-mismatch").expect("found");
    assert_eq!(severity, "decisive");
    assert!(evidence.contains("given.example"), "{evidence}");
    let found = played.findings();
    let mut ids: Vec<_> = found.iter().map(|f| f.split(' ').next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len(), "each once: {found:?}");
}

#[test]
fn a_different_issuer_is_noted() {
    for (issuer, found) in [("harbor-token-issuer", true), ("auth.example", false)] {
        let token = theirs(&json!({ "iss": issuer }));
        let played = play(Script::new().args(&["--token", &token]));
        let finding = played.finding("issuer-unexpected");
        assert_eq!(finding.is_some(), found, "{played}");
        if let Some((severity, evidence)) = finding {
            assert_eq!(severity, "note");
            assert!(evidence.contains(issuer) && evidence.contains("auth.example"), "{evidence}");
        }
    }
    // An opaque token has no issuer to compare.
    for token in [Say::token("opaque"), Say::new(401)] {
        let given = theirs(&json!({ "iss": "x" }));
        let played = play(Script::new().token(token).args(&["--token", &given]));
        assert_eq!(played.finding("issuer-unexpected"), None, "{played}");
    }
}

#[test]
fn supplied_token_url_is_never_requested() {
    let script = Script::new().elsewhere(Script::new());
    let url = "http://ELSE/token?service=registry.example&scope=repository:team/app:pull&x=s3cret";
    let played = play(script.args(&["--token-url", url]));
    assert!(played.elsewhere.is_empty());
    assert_eq!(played.code, 0);
    assert!(!played.text.contains("s3cret") && !played.object.to_string().contains("s3cret"));
}

#[test]
fn token_url_is_compared_with_the_walks_challenge() {
    let url = "https://auth.example/token?service=registry.example&scope=repository:team/app:pull";
    let played = play(Script::new().args(&["--token-url", url]));
    let (severity, evidence) = played.finding("token-url-not-realm").expect("found");
    assert_eq!(severity, "decisive");
    assert!(evidence.contains("auth.example/token"), "{evidence}");
    assert_eq!(played.code, 0);
}

#[test]
fn supplied_challenge_has_precedence() {
    let given = r#"WWW-Authenticate: Bearer realm="https://auth.example/token",service="given""#;
    let played = play(Script::new().args(&["--challenge", given]));
    let challenges = played.object["challenges"].as_array().unwrap();
    assert_eq!(challenges.len(), 1);
    assert_eq!(challenges[0]["params"]["service"], "given");
    // A response without a challenge differs from an unknown response.
    let played = play(Script::new().args(&["--challenge", ""]));
    let (severity, _) = played.finding("challenge-missing").expect("found");
    assert_eq!(severity, "decisive");
    assert_eq!(played.code, 0);
}

#[test]
fn supplied_date_applies_to_the_supplied_token() {
    let date = super::scripted::date(37);
    let old = theirs(&json!({ "exp": DATE - 600 }));
    let played = play(Script::new().args(&["--token", &old, "--date", &date]));
    let (severity, _) = played.finding("token-expired").expect("found");
    assert_eq!(severity, "decisive");
    // The walk's Date does not apply to the supplied attempt.
    let dated = Script::new().last(Say::manifest().header("Date", &date));
    let played = play(dated.args(&["--token", &old]));
    assert_eq!(played.finding("token-expired"), None, "{played}");
}

#[test]
fn lost_authorization_is_detected_in_the_walk_only() {
    // The same challenge does not show a lost token: it may be that of the first response.
    let token = theirs(&json!({}));
    let challenge = CHALLENGE.replace("SELF", "https://auth.example");
    let played = play(Script::new().args(&["--token", &token, "--challenge", &challenge]));
    assert_eq!(played.finding("authorization-lost"), None, "{played}");
    let played = play(wrong(&json!({})).last(Say::challenge(CHALLENGE)).args(&["--token", &token]));
    assert_eq!(
        played.finding("authorization-lost").map(|(severity, _)| severity),
        Some("decisive")
    );
}

//! What an answer proves: which challenge a token was for, which checks had passed, and what was answered before
//! any of them.

use super::walk::claims::wrong;
use super::{Say, Script, entry, play};
use crate::support::Regq;
use serde_json::{Value, json};

const OTHER: &str =
    r#"Bearer realm="SELF/token?wide",service="other.example",scope="repository:team/app:pull""#;

/// The findings above `note`, with their severity.
fn loud(script: Script) -> Vec<String> {
    play(script).findings().into_iter().filter(|finding| !finding.ends_with(" note")).collect()
}

/// The same for pieces that are given.
fn offline(args: &[&str]) -> Vec<String> {
    let json =
        Regq::new().args(["explain", "--offline", "--json"]).args(args).run_in_process().json();
    let findings = json[0]["findings"].as_array().unwrap().clone();
    let loud = findings.iter().filter(|finding| finding["severity"] != "note");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    loud.map(|one| format!("{} {}", text(&one["id"]), text(&one["severity"]))).collect()
}

/// A file of this test's own.
fn file(name: &str, text: &str) -> String {
    let path = format!("{}/{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_token_is_held_against_the_challenge_that_it_was_asked_for() {
    // The first challenge led to another token, which was refused.
    let last = Say::challenge(format!(r#"{OTHER},error="invalid_token""#));
    let script = Script::new().claims(&json!({ "aud": "other.example" })).last(last);
    let played = play(script);
    assert_eq!(played.findings(), ["token-rejected decisive"]);
    // Both challenges are told as they were read, and each token where it came.
    let services: Vec<_> = played
        .steps("challenge")
        .iter()
        .map(|step| step.contains(r#"service "other.example""#))
        .collect();
    assert_eq!(services, [false, true], "{played}");
    let audiences = played.steps("claims").iter().filter(|step| step.contains("audience")).count();
    assert_eq!(audiences, 2, "{played}");
}

#[test]
fn a_head_that_is_not_done_leaves_the_answer_to_the_get() {
    for status in [405, 501] {
        let unknown = Say::new(404).words(&[("MANIFEST_UNKNOWN", "manifest unknown")]);
        let script = Script::new().last(Say::new(status)).read(unknown);
        // The script answers a GET so whoever asks, so the question has to be the HEAD.
        assert_eq!(loud(script.clone()), ["not-found decisive"], "{status}");
        let script = script.read(Say::new(403));
        assert_eq!(loud(script), ["forbidden decisive"], "{status}");
    }
}

#[test]
fn what_no_check_answers_was_answered_before_any() {
    for status in [400, 408, 502] {
        let script = wrong(&json!({ "aud": "other.example" })).last(Say::new(status));
        let due = ["audience-mismatch would-fail-next"];
        assert_eq!(loud(script.args(&["--retries", "0"])), due, "{status}");
        let damaged = ["--token", "a1.b2.c3", "--status", &status.to_string()];
        assert_eq!(offline(&damaged), ["token-damaged would-fail-next"], "{status}");
    }
}

#[test]
fn a_manifest_that_is_none_was_given_to_a_token_that_passed() {
    let pinned = "team/app@sha256:1111111111111111111111111111111111111111111111111111111111111111";
    let claims = json!({ "aud": "other.example", "access": [] });
    assert_eq!(
        loud(wrong(&claims).last(Say::manifest()).name(pinned)),
        ["digest-mismatch decisive"]
    );
}

#[test]
fn a_cache_repeats_a_refusal_and_a_file_that_may_not_be_opened_is_none() {
    let code = r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"errors":[{"code":"DENIED"}]}}]}"#;
    let line = "errors:\ndenied: requested access to the resource is denied\n";
    for body in [code, line] {
        let file = file("upstream", body);
        let found = offline(&["--status", "500", "--body", &file]);
        assert_eq!(found, ["upstream-refused decisive"], "{body}");
    }
    let code = r#"{"errors":[{"code":"UNKNOWN","message":"filesystem: open /var/lib/registry: permission denied"}]}"#;
    for body in [code, "open /x: permission denied: no", "open /x: permission denied"] {
        let file = file("no-upstream", body);
        assert_eq!(offline(&["--status", "500", "--body", &file]), [""; 0], "{body}");
    }
}

#[test]
fn a_challenge_that_is_of_no_use_leaves_those_that_are() {
    let basic = r#"Basic realm="x""#;
    assert_eq!(offline(&["--challenge", "Bearer", "--challenge", basic]), ["basic-only decisive"]);
    assert_eq!(
        offline(&["--challenge", r#"Bearer realm="a", realm="b""#, "--challenge", basic]),
        ["basic-only decisive", "challenge-malformed decisive"]
    );
    let script = Script::new().first(Say::challenge("Bearer").line(basic));
    let played = play(script);
    let command = played.object["command"].as_str().unwrap();
    assert!(command.starts_with("regq login "), "{played}");
}

#[test]
fn a_password_of_regqs_own_that_is_sent_as_a_token_is_refused_like_any() {
    let file = file("password", "ghp_0123456789abcdef");
    let script = Script::new().args(&["--token-file", &file]);
    let refused = Say::again(r#",error="invalid_token""#);
    assert_eq!(loud(script.last(refused)), ["token-rejected decisive"]);
}

#[test]
fn a_get_that_works_is_no_refusals_words() {
    let played = play(Script::new().last(Say::new(404)).read(Say::manifest()));
    assert_eq!(played.findings(), ["not-found decisive"], "{played}");
    let (_, evidence) = played.finding("not-found").unwrap();
    assert!(!evidence.contains("schemaVersion"), "{evidence}");
}

#[test]
fn json_without_a_token_has_none() {
    for answer in ["[]", "{}", r#"{"token":""}"#] {
        let script = Script::new().token(Say::new(200).body(answer));
        assert_eq!(loud(script), ["token-missing decisive"], "{answer}");
    }
}

#[test]
fn what_cannot_be_read_in_a_token_is_not_said_to_be_fine() {
    for claims in [json!({ "aud": 5 }), json!({ "exp": "1" }), json!({ "nbf": [1] })] {
        assert_eq!(loud(wrong(&claims)), [""; 0], "{claims}");
    }
    // The token server's own kind of token, which only the registry reads.
    let refused = Say::again(r#",error="invalid_token""#);
    let opaque = Script::new().token(Say::token("djE6opaque")).last(refused);
    assert_eq!(loud(opaque), ["token-rejected decisive"]);
}

#[test]
fn the_same_cause_in_both_attempts_names_what_was_seen_in_each() {
    let script = wrong(&json!({ "aud": "own.example" }));
    let token =
        super::jwt(&json!({ "aud": "mine.example", "access": [entry("team/app", &["pull"])] }));
    let played = play(script.args(&["--token", &token]));
    let (_, evidence) = played.finding("audience-mismatch").unwrap();
    for seen in ["\"mine.example\"", "in regq's own walk", "\"own.example\""] {
        assert!(evidence.contains(seen), "{evidence}");
    }
}

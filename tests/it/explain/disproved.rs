//! What a response proves: which challenge a token was for, which checks passed, and which statuses precede all checks.

use super::walk::claims::wrong;
use super::{Script, ScriptedResponse, entry, run_script};
use crate::support::Regq;
use serde_json::{Value, json};

const OTHER: &str =
    r#"Bearer realm="SELF/token?wide",service="other.example",scope="repository:team/app:pull""#;

/// The findings above `note`, with severities.
fn above_note(script: Script) -> Vec<String> {
    run_script(script)
        .findings()
        .into_iter()
        .filter(|finding| !finding.ends_with(" note"))
        .collect()
}

/// The same for supplied data.
fn offline(args: &[&str]) -> Vec<String> {
    let json =
        Regq::new().args(["explain", "--offline", "--json"]).args(args).run_in_process().json();
    let findings = json[0]["findings"].as_array().unwrap().clone();
    let loud = findings.iter().filter(|finding| finding["severity"] != "note");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    loud.map(|one| format!("{} {}", text(&one["id"]), text(&one["severity"]))).collect()
}

/// A file for one test.
fn file(name: &str, text: &str) -> String {
    let path = format!("{}/{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_token_is_compared_with_the_challenge_that_led_to_it() {
    // The first challenge led to a different token, which was refused.
    let last = ScriptedResponse::challenge(format!(r#"{OTHER},error="invalid_token""#));
    let script = Script::new().claims(&json!({ "aud": "other.example" })).last(last);
    let results = run_script(script);
    assert_eq!(results.findings(), ["token-rejected decisive"]);
    // The steps show both challenges and both tokens.
    let services: Vec<_> = results
        .steps("challenge")
        .iter()
        .map(|step| step.contains(r#"service "other.example""#))
        .collect();
    assert_eq!(services, [false, true], "{results}");
    let audiences = results.steps("claims").iter().filter(|step| step.contains("audience")).count();
    assert_eq!(audiences, 2, "{results}");
}

#[test]
fn the_get_decides_if_head_is_unsupported() {
    for status in [405, 501] {
        let unknown = ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", "manifest unknown")]);
        let script = Script::new().last(ScriptedResponse::new(status)).read(unknown);
        // The script gives every GET this response, so the HEAD must be the request.
        assert_eq!(above_note(script.clone()), ["not-found decisive"], "{status}");
        let script = script.read(ScriptedResponse::new(403));
        assert_eq!(above_note(script), ["forbidden decisive"], "{status}");
    }
}

#[test]
fn an_unusual_status_precedes_all_checks() {
    for status in [400, 408, 502] {
        let script = wrong(&json!({ "aud": "other.example" })).last(ScriptedResponse::new(status));
        let expected = ["audience-mismatch would-fail-next"];
        assert_eq!(above_note(script.args(&["--retries", "0"])), expected, "{status}");
        let damaged = ["--token", "a1.b2.c3", "--status", &status.to_string()];
        assert_eq!(offline(&damaged), ["token-damaged would-fail-next"], "{status}");
    }
}

#[test]
fn an_invalid_manifest_proves_that_the_token_passed() {
    let pinned = "team/app@sha256:1111111111111111111111111111111111111111111111111111111111111111";
    let claims = json!({ "aud": "other.example", "access": [] });
    assert_eq!(
        above_note(wrong(&claims).last(ScriptedResponse::manifest()).name(pinned)),
        ["digest-mismatch decisive"]
    );
}

#[test]
fn permission_denied_is_not_an_upstream_refusal() {
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
fn an_unusable_challenge_does_not_hide_a_usable_one() {
    let basic = r#"Basic realm="x""#;
    assert_eq!(offline(&["--challenge", "Bearer", "--challenge", basic]), ["basic-only decisive"]);
    assert_eq!(
        offline(&["--challenge", r#"Bearer realm="a", realm="b""#, "--challenge", basic]),
        ["basic-only decisive", "challenge-malformed decisive"]
    );
    let script = Script::new().first(ScriptedResponse::challenge("Bearer").line(basic));
    let results = run_script(script);
    let command = results.object["command"].as_str().unwrap();
    assert!(command.starts_with("regq login "), "{results}");
}

#[test]
fn a_stored_token_that_is_a_password_is_rejected_like_any_token() {
    let file = file("password", "ghp_0123456789abcdef");
    let script = Script::new().args(&["--token-file", &file]);
    let refused = ScriptedResponse::again(r#",error="invalid_token""#);
    assert_eq!(above_note(script.last(refused)), ["token-rejected decisive"]);
}

#[test]
fn the_body_of_a_successful_get_is_not_an_error_body() {
    let results = run_script(
        Script::new().last(ScriptedResponse::new(404)).read(ScriptedResponse::manifest()),
    );
    assert_eq!(results.findings(), ["not-found decisive"], "{results}");
    let (_, evidence) = results.finding("not-found").unwrap();
    assert!(!evidence.contains("schemaVersion"), "{evidence}");
}

#[test]
fn json_without_a_token_is_token_missing() {
    for answer in ["[]", "{}", r#"{"token":""}"#] {
        let script = Script::new().token(ScriptedResponse::new(200).body(answer));
        assert_eq!(above_note(script), ["token-missing decisive"], "{answer}");
    }
}

#[test]
fn unreadable_claims_do_not_count_as_valid() {
    for claims in [json!({ "aud": 5 }), json!({ "exp": "1" }), json!({ "nbf": [1] })] {
        assert_eq!(above_note(wrong(&claims)), [""; 0], "{claims}");
    }
    // An opaque token.
    let refused = ScriptedResponse::again(r#",error="invalid_token""#);
    let opaque = Script::new().token(ScriptedResponse::token("djE6opaque")).last(refused);
    assert_eq!(above_note(opaque), ["token-rejected decisive"]);
}

#[test]
fn a_finding_of_both_attempts_has_both_evidences() {
    let script = wrong(&json!({ "aud": "own.example" }));
    let token =
        super::jwt(&json!({ "aud": "mine.example", "access": [entry("team/app", &["pull"])] }));
    let results = run_script(script.args(&["--token", &token]));
    let (_, evidence) = results.finding("audience-mismatch").unwrap();
    for seen in ["\"mine.example\"", "in regq's own login", "\"own.example\""] {
        assert!(evidence.contains(seen), "{evidence}");
    }
}

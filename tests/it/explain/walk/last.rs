//! Walks with causes in the registry's final response.

use crate::explain::scripted::{CHALLENGE, DATE, MANIFEST, date};
use crate::explain::walk::{Case, check};
use crate::explain::{Script, ScriptedResponse, entry};
use crate::support::secrets::PASSWORD;
use serde_json::json;

const DENIED: &[(&str, &str)] = &[("DENIED", "requested access to the resource is denied")];

/// Docker Hub's response for repositories that are private or missing.
fn hub(more: &str) -> ScriptedResponse {
    let both = [("DENIED", "access is denied"), ("UNAUTHORIZED", "authentication required")];
    ScriptedResponse::again(more).words(&both)
}

/// A registry that redirects to a second one.
fn moved(second: Script) -> Script {
    let there = "ELSE/v2/team/app/manifests/1.0";
    Script::new().first(ScriptedResponse::new(307).header("Location", there)).elsewhere(second)
}

pub(super) const CASES: &[Case] = &[
    Case {
        id: "token-rejected",
        severity: "decisive",
        names: &["401", "invalid_token", r#""KID1""#, r#""auth.example""#],
        shows: || Script::new().last(ScriptedResponse::again(r#",error="invalid_token""#)),
        // Another finding explains it better.
        nearly: || crate::explain::walk::claims::wrong(&json!({ "aud": "other.example" })),
    },
    Case {
        id: "token-rejected",
        severity: "decisive",
        names: &["invalid_token"],
        shows: || {
            let last = ScriptedResponse::again(r#",error="invalid_token""#);
            Script::new().token(ScriptedResponse::token("opaque")).last(last)
        },
        // ACR sends this code before it receives a token.
        nearly: || {
            let first = ScriptedResponse::again(r#",error="invalid_token""#);
            Script::new().first(first).token(ScriptedResponse::new(401))
        },
    },
    Case {
        id: "insufficient-scope",
        severity: "decisive",
        names: &["insufficient_scope", "lacks repository:team/app:metadata_read"],
        shows: || {
            let scope = "repository:team/app:pull,metadata_read";
            let last = format!(
                r#"Bearer realm="SELF/token",service="registry.example",scope="{scope}",error="insufficient_scope""#
            );
            Script::new().last(ScriptedResponse::challenge(last))
        },
        nearly: || Script::new().last(ScriptedResponse::again(r#",error="invalid_token""#)),
    },
    Case {
        id: "authorization-lost",
        severity: "decisive",
        names: &["HOST", "same challenge"],
        shows: || Script::new().last(ScriptedResponse::challenge(CHALLENGE)),
        nearly: || Script::new().last(ScriptedResponse::again(r#",error="invalid_token""#)),
    },
    Case {
        id: "authorization-lost",
        severity: "decisive",
        names: &["same challenge"],
        shows: || Script::new().last(ScriptedResponse::challenge(CHALLENGE)),
        // The token's access explains the refusal.
        nearly: || {
            Script::new()
                .claims(&entry("team/app", &[]))
                .last(ScriptedResponse::challenge(CHALLENGE))
        },
    },
    Case {
        id: "challenge-flipped-to-basic",
        severity: "decisive",
        names: &["401", "only Basic"],
        shows: || Script::new().last(ScriptedResponse::challenge(r#"Basic realm="harbor""#)),
        nearly: || {
            Script::new()
                .last(ScriptedResponse::challenge(CHALLENGE).line(r#"Basic realm="gitea""#))
        },
    },
    Case {
        id: "rejected-without-challenge",
        severity: "decisive",
        names: &["401", "no challenge", "UNSUPPORTED"],
        shows: || {
            Script::new()
                .last(ScriptedResponse::new(401).words(&[("UNSUPPORTED", "invalid token")]))
        },
        nearly: || Script::new().first(ScriptedResponse::new(401)),
    },
    Case {
        id: "private-or-missing",
        severity: "decisive",
        names: &["401", "DENIED", "UNAUTHORIZED"],
        shows: || Script::new().claims(&json!({ "access": [] })).last(hub("")),
        // The token allows access, so the repository exists.
        nearly: || Script::new().last(hub("")),
    },
    Case {
        id: "forbidden",
        severity: "decisive",
        names: &["403", "client with IP '192.0.2.1' is not allowed"],
        shows: || {
            let words = [("DENIED", "client with IP '192.0.2.1' is not allowed")];
            Script::new().last(ScriptedResponse::new(403).words(&words))
        },
        nearly: || Script::new().token(ScriptedResponse::new(403).words(DENIED)),
    },
    Case {
        id: "not-found",
        severity: "decisive",
        names: &["404", "MANIFEST_UNKNOWN"],
        shows: || {
            Script::new()
                .last(ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", "unknown tag")]))
        },
        nearly: || {
            Script::new()
                .token(ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", "unknown tag")]))
        },
    },
    Case {
        id: "not-found",
        severity: "decisive",
        names: &["404", "NAME_UNKNOWN"],
        shows: || {
            Script::new()
                .first(ScriptedResponse::new(404).words(&[("NAME_UNKNOWN", "no such name")]))
        },
        nearly: || Script::new().first(ScriptedResponse::new(404).body("404 page not found")),
    },
    Case {
        id: "rate-limited",
        severity: "decisive",
        names: &["429", "TOOMANYREQUESTS", "ratelimit-remaining: 0", "docker-ratelimit-source"],
        shows: || {
            let words = [("TOOMANYREQUESTS", "You have reached your pull rate limit.")];
            let last = ScriptedResponse::new(429).words(&words);
            let last = last.header("RateLimit-Remaining", "0;w=21600");
            Script::new().last(last.header("Docker-RateLimit-Source", "192.0.2.1"))
        },
        nearly: || {
            Script::new()
                .last(ScriptedResponse::manifest().header("RateLimit-Remaining", "0;w=21600"))
        },
    },
    Case {
        id: "rate-limited",
        severity: "decisive",
        names: &["429", "Too Many Requests"],
        shows: || Script::new().first(ScriptedResponse::new(429).body("Too Many Requests")),
        nearly: || Script::new().token(ScriptedResponse::new(429).body("Too Many Requests")),
    },
    Case {
        // The request succeeded, so this is a note.
        id: "registry-moved",
        severity: "note",
        names: &["HOST", "ELSE"],
        shows: || moved(Script::new()),
        // A storage server has no challenge.
        nearly: || moved(Script::new().first(ScriptedResponse::manifest())),
    },
    Case {
        id: "registry-moved",
        severity: "decisive",
        names: &["HOST", "ELSE"],
        shows: || moved(Script::new().last(ScriptedResponse::new(401))),
        nearly: || {
            let there = "SELF/v2/team/moved/manifests/1.0";
            Script::new().first(ScriptedResponse::new(307).header("Location", there))
        },
    },
    Case {
        id: "token-too-large",
        severity: "decisive",
        names: &["431", "bytes"],
        shows: || Script::new().last(ScriptedResponse::new(431)),
        nearly: || Script::new().last(ScriptedResponse::new(413)),
    },
    Case {
        id: "token-too-large",
        severity: "decisive",
        names: &["400", "Too Large", "bytes"],
        shows: || {
            let page = "<title>400 Request Header Or Cookie Too Large</title>";
            Script::new()
                .last(ScriptedResponse::new(400))
                .read(ScriptedResponse::new(400).body(page))
        },
        nearly: || {
            Script::new()
                .last(ScriptedResponse::new(400))
                .read(ScriptedResponse::new(400).body("Bad Request"))
        },
    },
    Case {
        id: "upstream-refused",
        severity: "decisive",
        names: &["500", "denied"],
        shows: || {
            Script::new()
                .last(ScriptedResponse::new(500).words(&[("UNKNOWN", "upstream: denied: no")]))
        },
        nearly: || {
            Script::new().last(ScriptedResponse::new(500).words(&[("UNKNOWN", "disk full")]))
        },
    },
    Case {
        id: "digest-mismatch",
        severity: "decisive",
        names: &["sha256:"],
        shows: || {
            let other = format!("sha256:{}", "0".repeat(64));
            let headers = ScriptedResponse::new(200).header("Content-Type", "application/json");
            let read = headers.clone().header("Docker-Content-Digest", other).body("{}");
            Script::new().last(headers).read(read)
        },
        nearly: || Script::new().last(ScriptedResponse::manifest()),
    },
    Case {
        id: "digest-mismatch",
        severity: "decisive",
        names: &["sha256:0000"],
        shows: || {
            let name =
                "team/app@sha256:0000000000000000000000000000000000000000000000000000000000000000";
            Script::new().name(name)
        },
        nearly: || {
            Script::new().last(ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", "")]))
        },
    },
    Case {
        id: "not-a-manifest",
        severity: "decisive",
        names: &["text/html"],
        shows: || Script::new().last(ScriptedResponse::page("Welcome")),
        nearly: || {
            let index = ScriptedResponse::manifest();
            Script::new().last(index.header("X-Served-By", "text/html"))
        },
    },
    Case {
        id: "not-a-manifest",
        severity: "decisive",
        names: &["schemaVersion"],
        shows: || Script::new().last(ScriptedResponse::json(200, &json!({ "status": "ok" }))),
        nearly: || {
            let last =
                ScriptedResponse::new(200).header("Content-Type", "text/plain").body(MANIFEST);
            Script::new().last(last)
        },
    },
];

#[test]
fn causes_in_the_final_response_are_found() {
    check(CASES);
}

#[test]
fn suggested_login_is_for_the_host_after_a_redirect() {
    for second in
        [Script::new().last(ScriptedResponse::new(401)), Script::new().challenge("Basic realm=x")]
    {
        let results = crate::explain::run_script(moved(second));
        let command = results.named(results.object["command"].as_str().unwrap());
        let flags = "--retries 0 --plain-http";
        let login = format!("regq login --user NAME --password-stdin {flags} ELSE < password.txt");
        assert_eq!(
            command,
            format!("{login} && regq digest {flags} ELSE/team/app:1.0"),
            "{results}"
        );
    }
}

#[test]
fn curl_commands_are_not_recommended_after_a_failure() {
    let results =
        crate::explain::run_script(Script::new().last(ScriptedResponse::new(503)).arg("--curl"));
    assert_eq!(results.object["command"], serde_json::Value::Null, "{results}");
    assert!(!results.text.contains("Try:"), "{results}");
    assert!(results.text.contains("\nWith curl "), "{results}");
}

#[test]
fn redirect_to_an_unnamed_host_suggests_no_command() {
    for there in ["ELSE/login", "ELSE/v2/Team/app/manifests/1.0", "ELSE/v2/"] {
        let script = Script::new().first(ScriptedResponse::new(307).header("Location", there));
        let there = Script::new().first(ScriptedResponse::challenge("Basic realm=x"));
        let there = Script { token: ScriptedResponse::challenge("Basic realm=x"), ..there };
        let results = crate::explain::run_script(script.elsewhere(there));
        assert_eq!(results.code, 4, "{results}");
        assert_eq!(results.object["command"], serde_json::Value::Null, "{results}");
    }
}

#[test]
fn password_in_a_redirect_is_not_in_the_suggested_command() {
    let there = format!("ELSE/v2/{PASSWORD}/manifests/1.0");
    let moved = ScriptedResponse::new(307).header("Location", there);
    let script = Script::new().user().challenge("Basic realm=x").last(moved);
    let results =
        crate::explain::run_script(script.elsewhere(Script::new().challenge("Basic realm=y")));
    assert_eq!(results.elsewhere.len(), 1, "{results}");
    assert_eq!(results.object["command"], serde_json::Value::Null, "{results}");
}

#[test]
fn failures_that_no_login_fixes_suggest_no_command() {
    let rejected = || ScriptedResponse::again(r#",error="invalid_token""#);
    for script in [
        crate::explain::walk::claims::wrong(&json!({ "aud": "other.example" })),
        Script::new().last(rejected()),
        Script::new().last(ScriptedResponse::new(451)),
        Script::new().token(ScriptedResponse::new(405)),
        Script::new().challenge(r#"Digest realm="x",nonce="y""#),
        Script::new().claims(&json!({ "exp": DATE - 1 })).last(rejected().header("Date", date(37))),
        Script::new().token(ScriptedResponse::token("a.b.c")).last(rejected()),
    ] {
        let results = crate::explain::run_script(script);
        assert_ne!(results.code, 0, "{results}");
        assert_eq!(results.object["command"], serde_json::Value::Null, "{results}");
    }
}

#[test]
fn advice_names_the_scope_that_the_last_response_requires() {
    let scope = "repository:team/app:pull,push";
    let last = format!(
        r#"Bearer realm="SELF/token",service="registry.example",scope="{scope}",error="insufficient_scope""#
    );
    let results = crate::explain::run_script(Script::new().last(ScriptedResponse::challenge(last)));
    let findings = results.object["findings"].as_array().unwrap();
    let finding = findings.iter().find(|one| one["id"] == "insufficient-scope").unwrap();
    assert!(finding["advice"].as_str().unwrap().contains(&format!(": {scope};")), "{finding}");
}

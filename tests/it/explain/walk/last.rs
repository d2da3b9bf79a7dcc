//! Walks with causes in the registry's final response.

use crate::explain::scripted::{CHALLENGE, DATE, MANIFEST, date};
use crate::explain::walk::{Case, check};
use crate::explain::{Say, Script, entry};
use crate::support::secrets::PASSWORD;
use serde_json::json;

const DENIED: &[(&str, &str)] = &[("DENIED", "requested access to the resource is denied")];

/// Docker Hub's response for repositories that are private or missing.
fn hub(more: &str) -> Say {
    let both = [("DENIED", "access is denied"), ("UNAUTHORIZED", "authentication required")];
    Say::again(more).words(&both)
}

/// A registry that redirects to a second one.
fn moved(second: Script) -> Script {
    let there = "ELSE/v2/team/app/manifests/1.0";
    Script::new().first(Say::new(307).header("Location", there)).elsewhere(second)
}

pub(super) const CASES: &[Case] = &[
    Case {
        id: "token-rejected",
        severity: "decisive",
        names: &["401", "invalid_token", r#""KID1""#, r#""auth.example""#],
        sign: || Script::new().last(Say::again(r#",error="invalid_token""#)),
        // Another finding explains it better.
        near: || crate::explain::walk::claims::wrong(&json!({ "aud": "other.example" })),
    },
    Case {
        id: "token-rejected",
        severity: "decisive",
        names: &["invalid_token"],
        sign: || {
            let last = Say::again(r#",error="invalid_token""#);
            Script::new().token(Say::token("opaque")).last(last)
        },
        // ACR sends this code before it receives a token.
        near: || {
            let first = Say::again(r#",error="invalid_token""#);
            Script::new().first(first).token(Say::new(401))
        },
    },
    Case {
        id: "insufficient-scope",
        severity: "decisive",
        names: &["insufficient_scope", "lacks repository:team/app:metadata_read"],
        sign: || {
            let scope = "repository:team/app:pull,metadata_read";
            let last = format!(
                r#"Bearer realm="SELF/token",service="registry.example",scope="{scope}",error="insufficient_scope""#
            );
            Script::new().last(Say::challenge(last))
        },
        near: || Script::new().last(Say::again(r#",error="invalid_token""#)),
    },
    Case {
        id: "authorization-lost",
        severity: "decisive",
        names: &["HOST", "same challenge"],
        sign: || Script::new().last(Say::challenge(CHALLENGE)),
        near: || Script::new().last(Say::again(r#",error="invalid_token""#)),
    },
    Case {
        id: "authorization-lost",
        severity: "decisive",
        names: &["same challenge"],
        sign: || Script::new().last(Say::challenge(CHALLENGE)),
        // The token's access explains the refusal.
        near: || Script::new().claims(&entry("team/app", &[])).last(Say::challenge(CHALLENGE)),
    },
    Case {
        id: "challenge-flipped-to-basic",
        severity: "decisive",
        names: &["401", "only Basic"],
        sign: || Script::new().last(Say::challenge(r#"Basic realm="harbor""#)),
        near: || Script::new().last(Say::challenge(CHALLENGE).line(r#"Basic realm="gitea""#)),
    },
    Case {
        id: "rejected-without-challenge",
        severity: "decisive",
        names: &["401", "no challenge", "UNSUPPORTED"],
        sign: || Script::new().last(Say::new(401).words(&[("UNSUPPORTED", "invalid token")])),
        near: || Script::new().first(Say::new(401)),
    },
    Case {
        id: "private-or-missing",
        severity: "decisive",
        names: &["401", "DENIED", "UNAUTHORIZED"],
        sign: || Script::new().claims(&json!({ "access": [] })).last(hub("")),
        // The token allows access, so the repository exists.
        near: || Script::new().last(hub("")),
    },
    Case {
        id: "forbidden",
        severity: "decisive",
        names: &["403", "client with IP '192.0.2.1' is not allowed"],
        sign: || {
            let words = [("DENIED", "client with IP '192.0.2.1' is not allowed")];
            Script::new().last(Say::new(403).words(&words))
        },
        near: || Script::new().token(Say::new(403).words(DENIED)),
    },
    Case {
        id: "not-found",
        severity: "decisive",
        names: &["404", "MANIFEST_UNKNOWN"],
        sign: || Script::new().last(Say::new(404).words(&[("MANIFEST_UNKNOWN", "unknown tag")])),
        near: || Script::new().token(Say::new(404).words(&[("MANIFEST_UNKNOWN", "unknown tag")])),
    },
    Case {
        id: "not-found",
        severity: "decisive",
        names: &["404", "NAME_UNKNOWN"],
        sign: || Script::new().first(Say::new(404).words(&[("NAME_UNKNOWN", "no such name")])),
        near: || Script::new().first(Say::new(404).body("404 page not found")),
    },
    Case {
        id: "rate-limited",
        severity: "decisive",
        names: &["429", "TOOMANYREQUESTS", "ratelimit-remaining: 0", "docker-ratelimit-source"],
        sign: || {
            let words = [("TOOMANYREQUESTS", "You have reached your pull rate limit.")];
            let last = Say::new(429).words(&words);
            let last = last.header("RateLimit-Remaining", "0;w=21600");
            Script::new().last(last.header("Docker-RateLimit-Source", "192.0.2.1"))
        },
        near: || Script::new().last(Say::manifest().header("RateLimit-Remaining", "0;w=21600")),
    },
    Case {
        id: "rate-limited",
        severity: "decisive",
        names: &["429", "Too Many Requests"],
        sign: || Script::new().first(Say::new(429).body("Too Many Requests")),
        near: || Script::new().token(Say::new(429).body("Too Many Requests")),
    },
    Case {
        // The request succeeded, so this is a note.
        id: "registry-moved",
        severity: "note",
        names: &["HOST", "ELSE"],
        sign: || moved(Script::new()),
        // A storage server has no challenge.
        near: || moved(Script::new().first(Say::manifest())),
    },
    Case {
        id: "registry-moved",
        severity: "decisive",
        names: &["HOST", "ELSE"],
        sign: || moved(Script::new().last(Say::new(401))),
        near: || {
            let there = "SELF/v2/team/moved/manifests/1.0";
            Script::new().first(Say::new(307).header("Location", there))
        },
    },
    Case {
        id: "token-too-large",
        severity: "decisive",
        names: &["431", "bytes"],
        sign: || Script::new().last(Say::new(431)),
        near: || Script::new().last(Say::new(413)),
    },
    Case {
        id: "token-too-large",
        severity: "decisive",
        names: &["400", "Too Large", "bytes"],
        sign: || {
            let page = "<title>400 Request Header Or Cookie Too Large</title>";
            Script::new().last(Say::new(400)).read(Say::new(400).body(page))
        },
        near: || Script::new().last(Say::new(400)).read(Say::new(400).body("Bad Request")),
    },
    Case {
        id: "upstream-refused",
        severity: "decisive",
        names: &["500", "denied"],
        sign: || Script::new().last(Say::new(500).words(&[("UNKNOWN", "upstream: denied: no")])),
        near: || Script::new().last(Say::new(500).words(&[("UNKNOWN", "disk full")])),
    },
    Case {
        id: "digest-mismatch",
        severity: "decisive",
        names: &["sha256:"],
        sign: || {
            let other = format!("sha256:{}", "0".repeat(64));
            let headers = Say::new(200).header("Content-Type", "application/json");
            let read = headers.clone().header("Docker-Content-Digest", other).body("{}");
            Script::new().last(headers).read(read)
        },
        near: || Script::new().last(Say::manifest()),
    },
    Case {
        id: "digest-mismatch",
        severity: "decisive",
        names: &["sha256:0000"],
        sign: || {
            let name =
                "team/app@sha256:0000000000000000000000000000000000000000000000000000000000000000";
            Script::new().name(name)
        },
        near: || Script::new().last(Say::new(404).words(&[("MANIFEST_UNKNOWN", "")])),
    },
    Case {
        id: "not-a-manifest",
        severity: "decisive",
        names: &["text/html"],
        sign: || Script::new().last(Say::page("Welcome")),
        near: || {
            let index = Say::manifest();
            Script::new().last(index.header("X-Served-By", "text/html"))
        },
    },
    Case {
        id: "not-a-manifest",
        severity: "decisive",
        names: &["schemaVersion"],
        sign: || Script::new().last(Say::json(200, &json!({ "status": "ok" }))),
        near: || {
            let last = Say::new(200).header("Content-Type", "text/plain").body(MANIFEST);
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
    for second in [Script::new().last(Say::new(401)), Script::new().challenge("Basic realm=x")] {
        let played = crate::explain::play(moved(second));
        let command = played.named(played.object["command"].as_str().unwrap());
        let flags = "--retries 0 --plain-http";
        let login = format!("regq login --user NAME --password-stdin {flags} ELSE < password.txt");
        assert_eq!(
            command,
            format!("{login} && regq digest {flags} ELSE/team/app:1.0"),
            "{played}"
        );
    }
}

#[test]
fn curl_commands_are_not_said_to_work_after_a_failure() {
    let played = crate::explain::play(Script::new().last(Say::new(503)).arg("--curl"));
    assert_eq!(played.object["command"], serde_json::Value::Null, "{played}");
    assert!(!played.text.contains("Try:"), "{played}");
    assert!(played.text.contains("\nWith curl "), "{played}");
}

#[test]
fn redirect_to_an_unnamed_host_suggests_no_command() {
    for there in ["ELSE/login", "ELSE/v2/Team/app/manifests/1.0", "ELSE/v2/"] {
        let script = Script::new().first(Say::new(307).header("Location", there));
        let there = Script::new().first(Say::challenge("Basic realm=x"));
        let there = Script { token: Say::challenge("Basic realm=x"), ..there };
        let played = crate::explain::play(script.elsewhere(there));
        assert_eq!(played.code, 4, "{played}");
        assert_eq!(played.object["command"], serde_json::Value::Null, "{played}");
    }
}

#[test]
fn password_in_a_redirect_is_not_in_the_suggested_command() {
    let there = format!("ELSE/v2/{PASSWORD}/manifests/1.0");
    let moved = Say::new(307).header("Location", there);
    let script = Script::new().user().challenge("Basic realm=x").last(moved);
    let played = crate::explain::play(script.elsewhere(Script::new().challenge("Basic realm=y")));
    assert_eq!(played.elsewhere.len(), 1, "{played}");
    assert_eq!(played.object["command"], serde_json::Value::Null, "{played}");
}

#[test]
fn failures_that_no_login_fixes_suggest_no_command() {
    let rejected = || Say::again(r#",error="invalid_token""#);
    for script in [
        crate::explain::walk::claims::wrong(&json!({ "aud": "other.example" })),
        Script::new().last(rejected()),
        Script::new().last(Say::new(451)),
        Script::new().token(Say::new(405)),
        Script::new().challenge(r#"Digest realm="x",nonce="y""#),
        Script::new().claims(&json!({ "exp": DATE - 1 })).last(rejected().header("Date", date(37))),
        Script::new().token(Say::token("a.b.c")).last(rejected()),
    ] {
        let played = crate::explain::play(script);
        assert_ne!(played.code, 0, "{played}");
        assert_eq!(played.object["command"], serde_json::Value::Null, "{played}");
    }
}

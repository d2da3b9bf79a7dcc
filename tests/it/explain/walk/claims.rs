//! Walks with faults in the token's claims.

use crate::explain::scripted::{DATE, date};
use crate::explain::walk::{Case, check};
use crate::explain::{Script, ScriptedResponse, entry, jwt, run_script};
use serde_json::{Value, json};

/// The registry refuses the token for insufficient access.
pub(in crate::explain) fn too_little(claims: &Value) -> Script {
    Script::new().claims(claims).last(ScriptedResponse::again(r#",error="insufficient_scope""#))
}

/// The registry refuses the token as invalid.
pub(in crate::explain) fn wrong(claims: &Value) -> Script {
    let last = ScriptedResponse::again(r#",error="invalid_token""#).header("Date", date(37));
    Script::new().claims(claims).last(last)
}

pub(super) const CASES: &[Case] = &[
    Case {
        id: "access-empty",
        severity: "decisive",
        names: &["access is []", "regq's token request"],
        shows: || too_little(&json!({ "access": [] })),
        nearly: || too_little(&entry("team/app", &["push"])),
    },
    Case {
        id: "access-empty",
        severity: "decisive",
        names: &["access is []"],
        // Go encodes an empty list as null.
        shows: || {
            let last = ScriptedResponse::again(r#",error="insufficient_scope""#);
            let claims = jwt(&json!({ "aud": "registry.example", "access": null }));
            Script::new().token(ScriptedResponse::token(claims)).last(last)
        },
        nearly: || too_little(&json!({ "access": null })),
    },
    Case {
        id: "access-no-actions",
        severity: "decisive",
        names: &[r#""team/app""#, "without actions"],
        shows: || too_little(&entry("team/app", &[])),
        nearly: || too_little(&entry("team/other", &[])),
    },
    Case {
        id: "access-other-repository",
        severity: "decisive",
        names: &[r#""app""#, r#""team/app""#],
        shows: || too_little(&entry("app", &["pull"])),
        nearly: || {
            let entry = |name: &str| json!({ "type": "repository", "name": name, "actions": [] });
            too_little(&json!({ "access": [entry("app"), entry("team/app")] }))
        },
    },
    Case {
        id: "access-without-pull",
        severity: "decisive",
        names: &["repository:team/app:push"],
        shows: || too_little(&entry("team/app", &["push"])),
        nearly: || too_little(&entry("team/app", &["*"])),
    },
    Case {
        // Gitea's tokens have no access claim and are valid, so this is a note on a walk.
        id: "access-missing",
        severity: "note",
        names: &["no access claim"],
        shows: || too_little(&json!({ "access": null })),
        nearly: || too_little(&json!({ "access": [] })),
    },
    Case {
        id: "audience-mismatch",
        severity: "decisive",
        names: &[r#""other.example""#, r#""registry.example""#],
        shows: || wrong(&json!({ "aud": "other.example" })),
        nearly: || wrong(&json!({ "aud": ["other.example", "registry.example"] })),
    },
    Case {
        id: "audience-mismatch",
        severity: "decisive",
        names: &[r#""a", "b""#],
        shows: || wrong(&json!({ "aud": ["a", "b"] })),
        // Without a service there is nothing to compare.
        nearly: || {
            let line = r#"Bearer realm="SELF/token",scope="repository:team/app:pull""#;
            let last = ScriptedResponse::challenge(format!("{line},error=\"invalid_token\""));
            wrong(&json!({ "aud": ["a", "b"] })).challenge(line).last(last)
        },
    },
    Case {
        id: "token-expired",
        severity: "decisive",
        names: &["2016-11-06", "08:48:36", "08:49:37"],
        shows: || wrong(&json!({ "exp": DATE - 61 })),
        nearly: || wrong(&json!({ "exp": DATE + 1 })),
    },
    Case {
        // Within the minute that registries tolerate.
        id: "token-expired",
        severity: "note",
        names: &["08:48:37", "08:49:37"],
        shows: || {
            let last = ScriptedResponse::again("").header("Date", date(37));
            Script::new().claims(&json!({ "exp": DATE - 60 })).last(last)
        },
        // It is unknown whose clock this was.
        nearly: || {
            wrong(&json!({ "exp": 0 })).last(ScriptedResponse::again(r#",error="invalid_token""#))
        },
    },
    Case {
        id: "token-not-yet-valid",
        severity: "decisive",
        names: &["61 s", "08:50:38", "08:49:37"],
        shows: || wrong(&json!({ "nbf": DATE + 61 })),
        nearly: || wrong(&json!({ "nbf": DATE + 60 })),
    },
    Case {
        id: "local-clock-skew",
        severity: "note",
        names: &["the Date of both servers", "this machine's clock by "],
        shows: || wrong(&json!({})).token(token_at(date(38))),
        // It is unknown which of them is wrong.
        nearly: || wrong(&json!({})).token(token_at("Sun, 06 Nov 2016 08:50:37 GMT".to_owned())),
    },
    Case {
        id: "subject-empty",
        severity: "decisive",
        names: &["sub is empty", r#""ada""#],
        shows: || too_little(&json!({ "access": [] })).user(),
        nearly: || too_little(&json!({ "access": [] })),
    },
    Case {
        id: "subject-unexpected",
        severity: "note",
        names: &[r#""bob""#, r#""ada""#],
        shows: || Script::new().claims(&json!({ "sub": "bob" })).user(),
        nearly: || Script::new().claims(&json!({ "sub": "ada" })).user(),
    },
    Case {
        id: "token-damaged",
        severity: "decisive",
        names: &["claims", "not base64url"],
        shows: || wrong(&json!({})).token(ScriptedResponse::token("eyJhbGciOiJFUzI1NiJ9.!!.c2ln")),
        nearly: || wrong(&json!({})).token(ScriptedResponse::token("ya29.!!.c2ln")),
    },
    Case {
        id: "token-damaged",
        severity: "decisive",
        names: &["alg: none"],
        // {"alg":"none"}
        shows: || wrong(&json!({})).token(ScriptedResponse::token("eyJhbGciOiJub25lIn0.e30.")),
        nearly: || wrong(&json!({})).token(ScriptedResponse::token("eyJhbGciOiJub25lIn0")),
    },
    Case {
        id: "token-opaque",
        severity: "note",
        names: &["not a JWT", "21 characters"],
        shows: || wrong(&json!({})).token(ScriptedResponse::token("djE6Z2l0aHViOm9wYXF1Z")),
        nearly: || wrong(&json!({})),
    },
];

fn token_at(date: String) -> ScriptedResponse {
    ScriptedResponse::token(jwt(&crate::explain::scripted::claims())).header("Date", date)
}

#[test]
fn claims_that_fail_are_found() {
    check(CASES);
}

#[test]
fn first_failed_check_is_decisive_and_later_ones_would_fail_next() {
    let all = json!({ "aud": "other", "exp": DATE - 100, "access": [] });
    assert_eq!(
        run_script(wrong(&all)).findings(),
        [
            "audience-mismatch decisive",
            "token-expired would-fail-next",
            "access-empty would-fail-next",
        ]
    );
    let rest = json!({ "exp": DATE - 100, "access": [] });
    let findings = ["token-expired decisive", "access-empty would-fail-next"];
    assert_eq!(run_script(wrong(&rest)).findings(), findings);
    // A later check failed, so the audience check passed.
    assert_eq!(
        run_script(too_little(&json!({ "aud": "other", "access": [] }))).findings(),
        ["access-empty decisive", "insufficient-scope decisive", "audience-mismatch note"]
    );
}

#[test]
fn claims_of_an_accepted_token_are_notes() {
    let claims = json!({ "aud": "x", "exp": 0, "nbf": DATE * 2, "access": [], "iss": "y" });
    let results = run_script(
        Script::new().claims(&claims).last(ScriptedResponse::manifest().header("Date", date(0))),
    );
    assert_eq!(
        results.findings(),
        ["access-empty", "audience-mismatch", "token-expired", "token-not-yet-valid"]
            .map(|id| format!("{id} note"))
    );
}

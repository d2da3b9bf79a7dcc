//! Supplied tokens and token responses.

use crate::explain::given::{Row, decisive, next, note, silent};
use crate::explain::given_builder::{
    CHALLENGE, DATE, HUB, NAME, Supplied, URL, access, claims, correct, jwt, of,
};
use serde_json::{Value, json};

/// A correct login, but with these changes to the claims, refused with `invalid_token`.
fn with(changes: Value) -> Supplied {
    correct().token(claims(changes)).error("invalid_token")
}

/// A token for Docker Hub.
fn hub(mut changes: Value) -> String {
    changes["aud"] = "registry.docker.io".into();
    claims(changes)
}

pub(super) fn rows() -> Vec<Row> {
    let token = |token: &str| of(NAME).challenge(CHALLENGE).token(token);
    let pull = json!({"type": "repository", "name": "team/base", "actions": ["pull"]});
    let mine = json!({"type": "repository", "name": "team/app", "actions": ["pull", "push"]});
    let catalog = json!({"type": "registry", "name": "catalog", "actions": ["*"]});
    let other =
        |challenge: &str| correct().token(claims(json!({"access": null}))).challenge(challenge);
    vec![
        decisive("token-not-json", "not JSON", token("<html>Log in</html>")),
        decisive("token-not-json", "not JSON", token("{\"token\":\"eyJhb")),
        silent("token-not-json", token("{\"token\":\"b3BhcXVl\"}")),
        silent("token-not-json", token("b3BhcXVl")),
        //
        decisive("token-missing", "no token", token("{\"errors\":[]}")),
        decisive("token-missing", "no token", token("{\"token\":\"\",\"access_token\":\"\"}")),
        decisive("token-missing", "no token", token(" \n")),
        silent("token-missing", token("{\"token\":\"\",\"access_token\":\"b3BhcXVl\"}")),
        silent("token-missing", token("<html>")),
        silent("token-missing", of(NAME).challenge(CHALLENGE)),
        //
        note("token-ambiguous", "differ", token("{\"token\":\"b3BhcXVl\",\"access_token\":\"b3BhcXVm\"}")),
        silent("token-ambiguous", token("{\"token\":\"b3BhcXVl\",\"access_token\":\"b3BhcXVl\"}")),
        silent("token-ambiguous", token("{\"token\":\"b3BhcXVl\",\"access_token\":\"\"}")),
        //
        decisive("token-not-printable", "byte 4 of the token is 0x20", token("b3Bh cXVl")),
        decisive("token-not-printable", "0x1b", token("b3Bh\u{1b}[31mcXVl")),
        decisive("token-not-printable", "0xc3", token("b3Bhé")),
        silent("token-not-printable", token(" Bearer b3BhcXVl\r\n")),
        silent("token-not-printable", token("b3Bh/+-._~!\"#'{}cXVl=")),
        //
        note("token-short-lived", "30 seconds", token("{\"token\":\"b3BhcXVl\",\"expires_in\":30}")),
        note("token-short-lived", "59 seconds", token("{\"token\":\"b3BhcXVl\",\"expires_in\":\"59\"}")),
        silent("token-short-lived", token("{\"token\":\"b3BhcXVl\",\"expires_in\":60}")),
        silent("token-short-lived", token("{\"token\":\"b3BhcXVl\",\"expires_in\":\"soon\"}")),
        silent("token-short-lived", token("{\"token\":\"b3BhcXVl\"}")),
        //
        decisive("access-empty", "access is []", correct().token(claims(json!({"access": []})))),
        decisive("access-empty", "[]", correct().token(jwt("{\"alg\":\"ES256\"}", "{\"access\":null}"))),
        silent("access-empty", correct().token(claims(json!({"access": []}))).not_asked()),
        silent("access-empty", correct().token(claims(json!({"access": []}))).token_url("https://auth.example.com/token?scope=")),
        silent("access-empty", correct()),
        silent("access-empty", correct().token(claims(json!({"access": null})))),
        //
        decisive("access-no-actions", "\"team/app\"", correct().token(claims(access("team/app", &[])))),
        silent("access-no-actions", correct().token(claims(json!({"access": [mine.clone(), {"type": "repository", "name": "team/base", "actions": []}]})))),
        silent("access-no-actions", correct()),
        //
        decisive("access-other-repository", "\"team/base\", expected: \"team/app\"", correct().token(claims(json!({"access": [pull.clone()]})))),
        decisive("access-other-repository", "\"alpine\", expected: \"library/alpine\"", of("alpine").challenge(HUB).token(hub(access("alpine", &["pull"])))),
        silent("access-other-repository", correct().token(claims(json!({"access": [pull.clone(), mine.clone()]})))),
        silent("access-other-repository", correct().token(claims(json!({"access": [catalog]})))),
        silent("access-other-repository", correct().token(claims(access("team/app", &[])))),
        silent("access-other-repository", of("").token(claims(json!({"access": [pull]})))),
        silent("access-other-repository", correct().challenge(CHALLENGE.replace("team/", "prefix/team/")).token(claims(access("prefix/team/app", &["pull"])))),
        //
        decisive("access-without-pull", "repository:team/app:push", correct().token(claims(access("team/app", &["push"])))),
        silent("access-without-pull", correct().token(claims(access("team/app", &["*"])))),
        silent("access-without-pull", correct().token(claims(json!({"access": [mine]})))),
        silent("access-without-pull", correct().token(claims(access("team/app", &[])))),
        silent("access-without-pull", correct().token(claims(access("team/app", &["metadata_read"]))).challenge(CHALLENGE.replace(":pull", ":metadata_read"))),
        //
        decisive("access-missing", "no access claim", correct().token(claims(json!({"access": null})))),
        decisive("access-missing", "no access claim", of("alpine").token(claims(json!({"access": null})))),
        next("access-missing", "no access claim", of(NAME).challenge(CHALLENGE).token(claims(json!({"access": null, "aud": "x"})))),
        note("access-missing", "no access claim", other("Bearer realm=\"https://auth.example.com/token\",service=\"reg.example.com\",scope=\"*\"")),
        note("access-missing", "no access claim", of(NAME).token(claims(json!({"access": null})))),
        silent("access-missing", correct().token(claims(json!({"access": []})))),
        silent("access-missing", correct().token(claims(json!({"access": "all"})))),
        silent("access-missing", correct().token("b3BhcXVl")),
        //
        decisive("audience-mismatch", "\"other\", the challenge's service: \"reg.example.com\"", with(json!({"aud": "other"}))),
        decisive("audience-mismatch", "\"a\", \"b\"", with(json!({"aud": ["a", "b"]}))),
        decisive("audience-mismatch", "aud: empty", with(json!({"aud": []}))),
        silent("audience-mismatch", with(json!({"aud": ["other", "reg.example.com"]}))),
        silent("audience-mismatch", with(json!({"aud": null}))),
        silent("audience-mismatch", with(json!({"aud": ["other", 1]}))),
        silent("audience-mismatch", with(json!({"aud": "other"})).challenge("Bearer realm=\"https://auth.example.com/token\"")),
        silent("audience-mismatch", with(json!({"aud": "other"})).no_challenge()),
        //
        decisive("token-expired", "2016-09-22 12:28:03 UTC", with(json!({})).date("Thu, 22 Sep 2016 12:29:04 GMT")),
        decisive("token-expired", "2016-09-22 12:28:03 UTC", with(json!({})).date("Thu, 22 Sep 2016 12:28:03 GMT")),
        note("token-expired", "2016-09-22 12:28:03 UTC", correct().token(claims(json!({}))).date("Thu, 22 Sep 2016 12:29:03 GMT")),
        silent("token-expired", with(json!({})).date("Thu, 22 Sep 2016 12:28:02 GMT")),
        silent("token-expired", with(json!({})).no_date()),
        silent("token-expired", with(json!({"exp": null})).date("Thu, 22 Sep 2030 12:29:04 GMT")),
        //
        decisive("token-not-yet-valid", "2016-09-22 12:24:11 UTC, the registry's Date: 2016-09-22 12:23:10 UTC, 61 s", with(json!({"nbf": 1_474_547_051})).date(DATE)),
        silent("token-not-yet-valid", with(json!({"nbf": 1_474_547_050})).date(DATE)),
        silent("token-not-yet-valid", with(json!({"nbf": 1_474_547_051})).no_date()),
        silent("token-not-yet-valid", with(json!({"nbf": null, "iat": 1_574_547_051})).date(DATE)),
        //
        decisive("subject-empty", "the user \"ada\"", correct().token_url(format!("{URL}&account=ada"))),
        silent("subject-empty", correct().token_url(format!("{URL}&account=ada")).token(claims(json!({"sub": "ada"})))),
        silent("subject-empty", correct().token_url(format!("{URL}&account=ada")).token(claims(json!({"sub": null})))),
        silent("subject-empty", correct()),
        //
        note("subject-unexpected", "sub: \"bob\", the user whose credentials were sent: \"ada\"", correct().token_url(format!("{URL}&account=ada")).token(claims(json!({"sub": "bob"})))),
        silent("subject-unexpected", correct().token_url(format!("{URL}&account=bob")).token(claims(json!({"sub": "bob"})))),
        silent("subject-unexpected", correct().token(claims(json!({"sub": "bob"})))),
        //
        decisive("token-damaged", "header, is not base64url", token("ey!.ey!.x")),
        decisive("token-damaged", "claims, is not a JSON object", token(&jwt("{\"alg\":\"ES256\"}", "[]"))),
        decisive("token-damaged", "is unsigned", token(&jwt("{\"alg\":\"None\"}", "{}"))),
        decisive("token-damaged", "header, is not base64url", token(&format!("\"{}\"", claims(json!({}))))),
        decisive("token-damaged", "not base64url", token(&claims(json!({})).replace("In", "\nIn"))),
        silent("token-damaged", token(&claims(json!({})))),
        silent("token-damaged", token(&format!(" bearer {} ", claims(json!({}))))),
        silent("token-damaged", token("a.b.c.d.e")),
        silent("token-damaged", token("ya29.c.b0Aaekm1K")),
        silent("token-damaged", token("glpat-GN4sLp8Xa7YhNcQgTfLm.01.0w1jfyvkp")),
        //
        note("token-opaque", "8 characters", token("b3BhcXVl")),
        silent("token-opaque", token("ghp_0123456789")),
        silent("token-opaque", token(&claims(json!({})))),
        silent("token-opaque", token("{}")),
        //
        decisive("token-is-a-password", "ghp_", token("ghp_0123456789abcdef")),
        decisive("token-is-a-password", "github_pat_", token("github_pat_0123456789abcdef")),
        decisive("token-is-a-password", "dckr_pat_", token("dckr_pat_0123456789abcdef")),
        decisive("token-is-a-password", "glpat-", token("Bearer glpat-0123456789abcdef")),
        silent("token-is-a-password", token("ghs_0123456789abcdef")),
        silent("token-is-a-password", token("xghp_0123456789abcdef")),
    ]
}
